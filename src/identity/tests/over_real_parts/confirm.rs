//! The second factor anew.

use crate::rig::{House, Person, SCHOOL};
use contactpoint_audit::{Operation, Outcome, RefusalCode};
use contactpoint_identity::{Caller, Confirmed, LoginRefused};
use std::time::Duration;

const FAILED: LoginRefused = LoginRefused::Failed { retry_after: None };

fn after(seconds: u64) -> LoginRefused {
    LoginRefused::Failed { retry_after: Some(Duration::from_secs(seconds)) }
}

/// The teacher, in a session of their own.
async fn teacher(house: &House) -> Caller {
    let token = house.token().await;
    house.identity.caller(&SCHOOL, &token, house.clock.now()).unwrap()
}

/// Another session of theirs, begun with this code.
async fn teacher_again(house: &House, code: &str) -> Caller {
    let ticket = house.try_log_in("teacher", house.teacher.secrets.expose_password(), code).await.unwrap();
    house.identity.caller(&SCHOOL, ticket.expose_token(), house.clock.now()).unwrap()
}

async fn confirm(house: &House, caller: &Caller, code: &str) -> Result<Confirmed, LoginRefused> {
    house.identity.confirm(caller, code, house.clock.now()).await.unwrap().into_inner()
}

async fn refused(house: &House, caller: &Caller, code: &str) -> LoginRefused {
    confirm(house, caller, code).await.err().unwrap()
}

fn fresh(house: &House, person: &Person) -> String {
    house.clock.dangerous_advance(Duration::from_secs(30));
    house.code(person)
}

#[tokio::test]
async fn a_code_confirms_once_and_neither_the_log_in_s_nor_an_older_one_does() {
    // C2: sensitive acts ask for the token again; a code works once
    let house = House::new().await;
    let caller = teacher(&house).await;
    assert_eq!(refused(&house, &caller, &house.code_now(&house.teacher)).await, FAILED);
    let (older, code) = (fresh(&house, &house.teacher), fresh(&house, &house.teacher));
    assert!(confirm(&house, &caller, &code).await.unwrap().is_of(&caller));
    for again in [&code, &older] {
        assert_eq!(refused(&house, &caller, again).await, FAILED);
    }
    let outcomes: Vec<Outcome> = house.attempts_to(Operation::Confirm).await.into_iter().map(|(_, outcome)| outcome).collect();
    let replayed = Outcome::Refused(RefusalCode::CodeReplayed);
    assert_eq!(outcomes, [replayed, Outcome::Answered, replayed, replayed]);
    // and what confirmed logs nobody in
    assert_eq!(house.try_log_in("teacher", house.teacher.secrets.expose_password(), &code).await.unwrap_err(), FAILED);
}

#[tokio::test]
async fn somebody_else_s_code_confirms_nothing_and_neither_does_a_proof_of_another_session() {
    // C2: bound to the session it was asked for in
    let house = House::new().await;
    let one = teacher(&house).await;
    let theirs = fresh(&house, &house.other_teacher);
    assert_eq!(refused(&house, &one, &theirs).await, FAILED);
    for none in ["", "000000", "12345", "1234567", "abcdef"] {
        house.clock.dangerous_advance(Duration::from_secs(1000));
        assert_eq!(refused(&house, &one, none).await, FAILED, "{none}");
    }
    house.clock.dangerous_advance(Duration::from_secs(1000));
    let another = teacher(&house).await;
    let proof = confirm(&house, &another, &fresh(&house, &house.teacher)).await.unwrap();
    assert!(proof.is_of(&another) && !proof.is_of(&one));
}

#[tokio::test]
async fn failures_delay_and_a_good_code_that_comes_too_early_is_not_used_up() {
    // C6: growing delay, the session's own: an open session is no way to try codes
    let house = House::new().await;
    let caller = teacher(&house).await;
    let code = fresh(&house, &house.teacher);
    for _ in 0..3 {
        assert_eq!(refused(&house, &caller, "000000").await, FAILED);
    }
    house.clock.dangerous_advance(Duration::from_secs(1));
    assert_eq!(refused(&house, &caller, &code).await, after(1));
    let another = teacher_again(&house, &code).await;
    assert_eq!(refused(&house, &another, &code).await, FAILED, "what was too early was not used up, and another session does not wait");
    house.clock.dangerous_advance(Duration::from_secs(61));
    assert!(confirm(&house, &caller, &house.code_now(&house.teacher)).await.is_ok());
    let outcomes: Vec<Outcome> = house.attempts_to(Operation::Confirm).await.into_iter().map(|(_, outcome)| outcome).collect();
    let [wrong, early, replayed] = [RefusalCode::NotConfirmed, RefusalCode::Delayed, RefusalCode::CodeReplayed].map(Outcome::Refused);
    assert_eq!(outcomes, [wrong, wrong, wrong, early, replayed, Outcome::Answered]);
}

#[tokio::test]
async fn failing_to_log_in_under_somebody_s_name_keeps_them_from_no_fresh_code() {
    // C6: log-in failures lock with growing delay - the log-in; C2: sensitive acts ask for the token again
    let house = House::new().await;
    let caller = teacher(&house).await;
    let code = fresh(&house, &house.teacher);
    for _ in 0..4 {
        house.try_log_in("teacher", "wrong", "123456").await.unwrap_err();
    }
    assert!(confirm(&house, &caller, &code).await.is_ok());
    assert_eq!(house.account(&house.teacher).failures, 3, "nor does a fresh code end the log-in's delay");
}

#[tokio::test]
async fn codes_tried_side_by_side_do_not_outrun_the_delay() {
    // C6: growing delay
    let house = House::new().await;
    let caller = teacher(&house).await;
    let guess = || refused(&house, &caller, "000000");
    let (a, b, c, d, e, f) = tokio::join!(guess(), guess(), guess(), guess(), guess(), guess());
    assert_eq!([a, b, c, d, e, f].iter().filter(|answer| **answer == FAILED).count(), 3);
}

#[tokio::test]
async fn the_same_code_at_the_same_moment_confirms_one_act() {
    // C2: two requests side by side are no way around it
    let house = House::new().await;
    let caller = teacher(&house).await;
    let code = fresh(&house, &house.teacher);
    let (one, other) = tokio::join!(confirm(&house, &caller, &code), confirm(&house, &caller, &code));
    assert_eq!(u8::from(one.is_ok()) + u8::from(other.is_ok()), 1);
}
