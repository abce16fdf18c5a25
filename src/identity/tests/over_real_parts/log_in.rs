//! The log-in.

use crate::rig::{other_token, Answer, House, LOCAL, NOBODY, OTHER_SCHOOL, SCHOOL};
use contactpoint_audit::{Outcome, RefusalCode};
use contactpoint_identity::{IdentityRefusal, LoginRefused};
use std::sync::atomic::Ordering;
use std::time::Duration;

const FAILED: LoginRefused = LoginRefused::Failed { retry_after: None };

fn refusal(answer: Answer) -> LoginRefused {
    answer.map(|ticket| ticket.person).unwrap_err()
}

#[tokio::test]
async fn two_good_factors_begin_a_session() {
    // C2: log-in takes two factors
    let house = House::new().await;
    let code = house.code(&house.teacher);
    let ticket = house.try_log_in("teacher", house.teacher.secrets.expose_password(), &code).await.unwrap();
    assert_eq!((ticket.person, ticket.organisation.id), (house.teacher.account.id, house.school.id));
    let caller = house.identity.caller(&SCHOOL, ticket.expose_token(), house.clock.now()).unwrap();
    assert_eq!(caller.person(), house.teacher.account.id);
    assert_eq!(house.attempts().await, [(Some(house.teacher.account.id), Outcome::Answered)]);
    assert!(!format!("{ticket:?}{caller:?}").contains("Byron"));
}

#[tokio::test]
async fn every_kind_of_failure_gets_the_same_answer_and_its_own_entry() {
    // C6: the answer never tells which factor or whether the account exists
    let house = House::new().await;
    let (teacher, other) = (&house.teacher, &house.other_teacher);
    let good = teacher.secrets.expose_password();
    let mut answers = Vec::new();
    answers.push(house.try_log_in("teacher", "not the password", &house.code(teacher)).await);
    answers.push(house.try_log_in("teacher", good, "000000").await);
    answers.push(house.try_log_in("nobody-of-that-name", good, &house.code(teacher)).await);
    answers.push(house.try_log_in("NO LOG-IN NAME AT ALL", good, &house.code(teacher)).await);
    answers.push(house.try_log_in("other-teacher", other.secrets.expose_password(), &house.code(other)).await);
    house.suspend_person(other).await;
    answers.push(house.try_on(&OTHER_SCHOOL, "other-teacher", other.secrets.expose_password(), &house.code(other)).await);
    answers.push(house.try_log_in("officer", house.officer.secrets.expose_password(), &house.code(&house.officer)).await);
    assert!(answers.into_iter().all(|answer| refusal(answer) == FAILED));
    let reasons: Vec<Outcome> = house.attempts().await.into_iter().map(|(_, outcome)| outcome).collect();
    let expected = [
        RefusalCode::BadCredentials,
        RefusalCode::BadCredentials,
        RefusalCode::UnknownAccount,
        RefusalCode::UnknownAccount,
        RefusalCode::OtherOrganisation,
        RefusalCode::PersonSuspended,
        RefusalCode::OtherOrganisation,
    ];
    assert_eq!(reasons, expected.map(Outcome::Refused));
}

#[tokio::test]
async fn a_name_nobody_has_costs_the_same_work() {
    // C6: the answer never tells ... whether the account exists - not by its time either
    let house = House::new().await;
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..8 {
        for (at, login) in ["teacher", "nobody"].into_iter().enumerate() {
            house.clock.dangerous_advance(Duration::from_secs(1000));
            let begun = std::time::Instant::now();
            assert_eq!(refusal(house.try_log_in(login, "wrong", "123456").await), FAILED, "{round}");
            times[at].push(begun.elapsed());
        }
    }
    let [known, unknown] = times.map(|mut times| {
        times.sort();
        times[0].as_secs_f64()
    });
    assert!(unknown > known * 0.5 && unknown < known * 2.0, "known {known}, unknown {unknown}");
}

#[tokio::test]
async fn a_code_works_once_also_when_the_clock_is_set_back() {
    // C2: a time-based code; "a code works once", "clock set back"
    let house = House::new().await;
    let (password, code) = (house.teacher.secrets.expose_password().to_owned(), house.code(&house.teacher));
    let began = house.clock.now().wall;
    house.try_log_in("teacher", &password, &code).await.unwrap();
    assert_eq!(refusal(house.try_log_in("teacher", &password, &code).await), FAILED);
    house.clock.dangerous_advance(Duration::from_secs(30));
    assert_eq!(refusal(house.try_log_in("teacher", &password, &code).await), FAILED);
    house.clock.dangerous_set_wall(began);
    let house = house.restarted_at(began).await;
    assert_eq!(refusal(house.try_log_in("teacher", &password, &code).await), FAILED);
    let replayed = Outcome::Refused(RefusalCode::CodeReplayed);
    assert_eq!(house.attempts().await.iter().filter(|(_, outcome)| *outcome == replayed).count(), 3);
}

#[tokio::test]
async fn a_code_older_than_the_last_one_accepted_is_refused() {
    // C2: a time-based code; RFC 6238, section 5.2: no second acceptance, and none of an earlier step
    let house = House::new().await;
    let password = house.teacher.secrets.expose_password();
    let older = house.code(&house.teacher);
    let newer = house.code(&house.teacher);
    house.try_log_in("teacher", password, &newer).await.unwrap();
    assert_eq!(refusal(house.try_log_in("teacher", password, &older).await), FAILED);
}

#[tokio::test]
async fn the_same_code_at_the_same_moment_works_once() {
    // C2, as above: two requests side by side are no way around it
    let house = House::new().await;
    let (password, code) = (house.teacher.secrets.expose_password(), house.code(&house.teacher));
    let (one, other) = tokio::join!(house.try_log_in("teacher", password, &code), house.try_log_in("teacher", password, &code));
    assert_eq!(one.is_ok() as u8 + other.is_ok() as u8, 1);
}

#[tokio::test]
async fn the_delay_grows_and_survives_a_restart() {
    // C6: log-in failures lock with growing delay
    let mut house = House::new().await;
    for expected in [None, None, None, Some(2), Some(4), Some(8)] {
        let early = refusal(house.try_log_in("teacher", "wrong", "123456").await);
        let Some(seconds) = expected else {
            assert_eq!(early, FAILED);
            continue;
        };
        assert_eq!(early, FAILED.delayed(seconds));
        house = house.restarted().await;
        assert_eq!(refusal(house.try_log_in("teacher", "wrong", "123456").await), FAILED.delayed(seconds));
        house.clock.dangerous_advance(Duration::from_secs(seconds));
        assert_eq!(refusal(house.try_log_in("teacher", "wrong", "123456").await), FAILED);
    }
    let account = house.account(&house.teacher);
    assert_eq!(account.failures, 6);
    let wait = account.delayed_until.millis() - house.clock.now().wall.millis();
    assert_eq!(wait, 16_000);
}

#[tokio::test]
async fn good_factors_during_the_delay_are_not_looked_at_and_reset_it_after() {
    // C6: log-in failures lock with growing delay
    let house = House::new().await;
    for _ in 0..3 {
        assert_eq!(refusal(house.try_log_in("teacher", "wrong", "123456").await), FAILED);
    }
    let password = house.teacher.secrets.expose_password();
    let code = house.code_now(&house.teacher);
    assert_eq!(refusal(house.try_log_in("teacher", password, &code).await), FAILED.delayed(2));
    house.clock.dangerous_advance(Duration::from_secs(2));
    house.try_log_in("teacher", password, &code).await.unwrap();
    assert_eq!(house.account(&house.teacher).failures, 0);
    let delayed = Outcome::Refused(RefusalCode::Delayed);
    assert_eq!(house.attempts().await.iter().filter(|(_, outcome)| *outcome == delayed).count(), 1);
}

#[tokio::test]
async fn a_name_nobody_has_waits_the_same_delays() {
    // C6: the answer never tells whether the account exists
    let house = House::new().await;
    for _ in 0..3 {
        assert_eq!(refusal(house.try_log_in("nobody", "wrong", "123456").await), FAILED);
    }
    assert_eq!(refusal(house.try_log_in("nobody", "wrong", "123456").await), FAILED.delayed(2));
    house.clock.dangerous_advance(Duration::from_secs(2));
    assert_eq!(refusal(house.try_log_in("nobody", "wrong", "123456").await), FAILED);
    assert_eq!(refusal(house.try_log_in("nobody", "wrong", "123456").await), FAILED.delayed(4));
}

#[tokio::test]
async fn guesses_side_by_side_do_not_outrun_the_delay() {
    // C6: log-in failures lock with growing delay
    let house = House::new().await;
    for login in ["teacher", "nobody"] {
        let guess = || house.try_log_in(login, "wrong", "123456");
        let answers = tokio::join!(guess(), guess(), guess(), guess(), guess(), guess());
        let answers = [answers.0, answers.1, answers.2, answers.3, answers.4, answers.5].map(refusal);
        assert_eq!(answers.iter().filter(|answer| **answer == FAILED).count(), 3, "{login}");
    }
    assert_eq!(house.account(&house.teacher).failures, 3);
}

#[tokio::test]
async fn another_organisation_cannot_lock_somebody_out() {
    // C6 without its price: a failure counts for the channel it came from
    let house = House::new().await;
    for _ in 0..5 {
        refusal(house.try_on(&OTHER_SCHOOL, "teacher", "wrong", "123456").await);
    }
    assert_eq!(house.account(&house.teacher).failures, 0);
    house.token().await;
}

#[tokio::test]
async fn a_stolen_store_is_useless_without_its_hsm() {
    // C2: peppered with an HSM key, so that a stolen store is useless
    let house = House::new().await;
    let thief = house.with_pepper_of(other_token());
    let (password, code) = (house.teacher.secrets.expose_password(), house.code(&house.teacher));
    let answer = thief.log_in(&SCHOOL, "teacher", password.as_bytes(), &code, house.clock.now()).await.unwrap().into_inner();
    assert_eq!(refusal(answer), FAILED);
    house.try_log_in("teacher", password, &code).await.unwrap();
    let record = String::from_utf8(house.account(&house.teacher).password.to_vec()).unwrap();
    assert!(record.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert!(!record.contains(password));
}

#[tokio::test]
async fn nobody_logs_in_on_a_channel_that_nobody_enrolled() {
    // B1: no request is read from an unknown, revoked, expired or suspended one
    let house = House::new().await;
    let (password, code) = (house.teacher.secrets.expose_password(), house.code(&house.teacher));
    let unknown = refusal(house.try_on(&NOBODY, "teacher", password, &code).await);
    assert_eq!(unknown, LoginRefused::Channel(IdentityRefusal::OrganisationNotEnrolled));
    house.suspend_school().await;
    let suspended = refusal(house.try_on(&SCHOOL, "teacher", password, &code).await);
    assert_eq!(suspended, LoginRefused::Channel(IdentityRefusal::OrganisationSuspended));
    let last = house.attempts().await.pop().unwrap();
    assert_eq!(last, (None, Outcome::Refused(RefusalCode::OrganisationSuspended)));
}

#[tokio::test]
async fn the_control_socket_is_for_the_security_officer_alone() {
    // C4: security officer (the data centre; never any child data)
    let house = House::new().await;
    let (officer, teacher) = (&house.officer, &house.teacher);
    let code = house.code(teacher);
    assert_eq!(refusal(house.try_on(&LOCAL, "teacher", teacher.secrets.expose_password(), &code).await), FAILED);
    let ticket = house.try_on(&LOCAL, "officer", officer.secrets.expose_password(), &house.code(officer)).await.unwrap();
    assert!(house.identity.caller(&LOCAL, ticket.expose_token(), house.clock.now()).is_ok());
    let elsewhere = house.identity.caller(&SCHOOL, ticket.expose_token(), house.clock.now());
    assert_eq!(elsewhere.unwrap_err(), IdentityRefusal::NotAuthenticated);
}

/// What a delayed attempt is answered.
trait Delayed {
    fn delayed(self, seconds: u64) -> Self;
}
impl Delayed for LoginRefused {
    fn delayed(self, seconds: u64) -> Self {
        Self::Failed { retry_after: Some(Duration::from_secs(seconds)) }
    }
}

#[tokio::test]
async fn a_flood_of_log_ins_at_one_organisation_delays_no_other() {
    // C6: growing delay on failures - for those who fail, and for nobody else
    let house = House::new().await;
    let (looked_at, identity) = house.with_counted_pepper();
    let (other, now) = (&house.other_teacher, house.clock.now());
    let (password, code) = (other.secrets.expose_password(), house.code_now(other));
    let names: Vec<String> = (0..200).map(|n| format!("nobody-{n}")).collect();
    let flood: Vec<_> = names
        .iter()
        .map(|name| {
            let (identity, name) = (identity.clone(), name.clone());
            tokio::spawn(async move { identity.log_in(&SCHOOL, &name, b"wrong", "123456", now).await.unwrap().into_inner() })
        })
        .collect();
    // one thread runs this test's tasks: each of the 200 now stands in the line or was refused
    tokio::task::yield_now().await;
    let good = identity.log_in(&OTHER_SCHOOL, "other-teacher", password.as_bytes(), &code, now).await.unwrap().into_inner();
    assert_eq!(good.unwrap().person, other.account.id);
    let before_the_good_one = looked_at.load(Ordering::Relaxed) - 1;
    assert!(before_the_good_one <= 4, "{before_the_good_one} were looked at first");
    let mut too_early = 0;
    for answer in flood {
        let refused = refusal(answer.await.unwrap());
        if refused != FAILED {
            assert_eq!(refused, LoginRefused::Failed { retry_after: Some(Duration::from_secs(1)) });
            too_early += 1;
        }
    }
    assert_eq!(too_early, 196, "four of them stood in the line");
    let attempts = house.attempts().await;
    let delayed = attempts.iter().filter(|(_, outcome)| *outcome == Outcome::Refused(RefusalCode::Delayed)).count();
    assert_eq!((attempts.len(), delayed), (201, 196), "each attempt is in the log");
}

#[tokio::test]
async fn a_full_line_is_told_like_any_delay_whoever_is_meant() {
    // C6: the answer never tells ... whether the account exists
    let house = House::new().await;
    let (now, identity) = (house.clock.now(), &house.identity);
    let guess = |login: &'static str| async move { identity.log_in(&SCHOOL, login, b"wrong", "123456", now).await.unwrap().into_inner() };
    let (_, _, _, _, known, unknown) =
        tokio::join!(guess("one"), guess("two"), guess("three"), guess("four"), guess("teacher"), guess("five"));
    let delayed = LoginRefused::Failed { retry_after: Some(Duration::from_secs(1)) };
    assert_eq!((refusal(known), refusal(unknown)), (delayed, delayed));
    assert_eq!(house.account(&house.teacher).failures, 0, "what was not looked at is no failure");
}
