//! Sessions: what ends them, and that a suspension bites at the next request.

use crate::rig::{House, LOCAL, NOBODY, OTHER_SCHOOL, SCHOOL};
use contactpoint_audit::Operation;
use contactpoint_domain::Role;
use contactpoint_identity::{Channel, IdentityRefusal, RequestSeen};
use std::sync::Arc;
use std::time::Duration;

impl House {
    fn refused(&self, token: &str) -> IdentityRefusal {
        self.identity.caller(&SCHOOL, token, self.clock.now()).unwrap_err()
    }
}

#[tokio::test]
async fn a_session_ends_after_fifteen_idle_minutes() {
    // C2: ends after 15 idle minutes
    let house = House::new().await;
    let token = house.token().await;
    for _ in 0..3 {
        house.clock.dangerous_advance(Duration::from_secs(15 * 60 - 1));
        assert!(house.identity.caller(&SCHOOL, &token, house.clock.now()).is_ok());
    }
    house.clock.dangerous_advance(Duration::from_secs(15 * 60));
    assert_eq!(house.refused(&token), IdentityRefusal::SessionEnded);
}

#[tokio::test]
async fn a_clock_set_back_does_not_revive_a_session() {
    // C2: ends after 15 idle minutes, by a clock that nobody can set
    let house = House::new().await;
    let token = house.token().await;
    let began = house.clock.now().wall;
    house.clock.dangerous_advance(Duration::from_secs(15 * 60));
    house.clock.dangerous_set_wall(began);
    assert_eq!(house.refused(&token), IdentityRefusal::SessionEnded);
}

#[tokio::test]
async fn no_session_is_longer_than_a_working_day() {
    // C2, as far as a busy session goes
    let house = House::new().await;
    let token = house.token().await;
    for _ in 0..71 {
        house.clock.dangerous_advance(Duration::from_secs(10 * 60));
        assert!(house.identity.caller(&SCHOOL, &token, house.clock.now()).is_ok());
    }
    house.clock.dangerous_advance(Duration::from_secs(10 * 60));
    assert_eq!(house.refused(&token), IdentityRefusal::SessionEnded);
}

#[tokio::test]
async fn a_session_is_worth_nothing_on_another_certificate() {
    // C2: a session is bound to the client certificate it began on
    let house = House::new().await;
    let token = house.token().await;
    for channel in [OTHER_SCHOOL, NOBODY, LOCAL] {
        let refusal = house.identity.caller(&channel, &token, house.clock.now()).unwrap_err();
        assert_eq!(refusal, IdentityRefusal::NotAuthenticated);
    }
    assert!(house.identity.caller(&SCHOOL, &token, house.clock.now()).is_ok());
}

#[tokio::test]
async fn a_suspended_organisation_is_refused_at_the_next_request() {
    // B4: suspension takes effect on the next request, also on connections that are open
    let house = House::new().await;
    let token = house.token().await;
    assert!(house.identity.caller(&SCHOOL, &token, house.clock.now()).is_ok());
    assert!(house.identity.organisation(&SCHOOL).is_ok());
    house.suspend_school().await;
    assert_eq!(house.refused(&token), IdentityRefusal::OrganisationSuspended);
    assert_eq!(house.identity.organisation(&SCHOOL).unwrap_err(), IdentityRefusal::OrganisationSuspended);
    assert!(house.identity.organisation(&OTHER_SCHOOL).is_ok());
}

#[tokio::test]
async fn a_suspended_person_is_refused_at_the_next_request() {
    // B4, for people: C1: any of them lapsed refuses the next request
    let house = House::new().await;
    let token = house.token().await;
    house.suspend_person(&house.teacher).await;
    assert_eq!(house.refused(&token), IdentityRefusal::PersonSuspended);
}

#[tokio::test]
async fn a_caller_is_looked_at_again_where_a_change_is_written() {
    // B4, C4: between the door and the turn of a transaction somebody may have been suspended, or lost a role
    let house = House::new().await;
    let caller = house.identity.caller(&SCHOOL, &house.token().await, house.clock.now()).unwrap();
    let again = || house.store.registry(|registry| caller.again(registry)).unwrap();
    assert_eq!(again().unwrap().roles(), [Role::Practitioner]);
    house.change_account(&house.teacher, |account| account.roles = vec![Role::DataSteward]).await;
    assert_eq!((again().unwrap().roles(), caller.roles()), ([Role::DataSteward].as_slice(), [Role::Practitioner].as_slice()));
    house.change_account(&house.teacher, |account| account.resets += 1).await;
    assert_eq!(again().err(), Some(IdentityRefusal::SessionEnded));
    house.suspend_person(&house.teacher).await;
    assert_eq!(again().err(), Some(IdentityRefusal::PersonSuspended));
    house.suspend_school().await;
    assert_eq!(again().err(), Some(IdentityRefusal::OrganisationSuspended));
}

#[tokio::test]
async fn what_is_no_token_is_not_logged_in_and_what_is_forgotten_has_ended() {
    // C2: a session
    let house = House::new().await;
    for text in ["", "x", "not base64url at all!! not base64url at all!", &"A".repeat(44), &"A".repeat(100_000)] {
        assert_eq!(house.refused(text), IdentityRefusal::NotAuthenticated);
    }
    assert_eq!(house.refused(&"A".repeat(43)), IdentityRefusal::SessionEnded);
    let token = house.token().await;
    let house = house.restarted().await;
    assert_eq!(house.refused(&token), IdentityRefusal::SessionEnded);
}

#[tokio::test]
async fn logging_out_ends_the_session() {
    // C2: a session
    let house = House::new().await;
    let token = house.token().await;
    let caller = house.identity.caller(&SCHOOL, &token, house.clock.now()).unwrap();
    house.identity.log_out(&caller, house.clock.now()).await.unwrap().into_inner();
    assert_eq!(house.refused(&token), IdentityRefusal::SessionEnded);
}

#[tokio::test]
async fn with_a_ninth_session_the_oldest_ends() {
    // C2: a session; bounded, so that nobody's forgotten ones pile up
    let house = House::new().await;
    let mut tokens = Vec::new();
    for _ in 0..9 {
        tokens.push(house.token().await);
    }
    assert_eq!(house.refused(&tokens[0]), IdentityRefusal::SessionEnded);
    assert!(tokens[1..].iter().all(|token| house.identity.caller(&SCHOOL, token, house.clock.now()).is_ok()));
}

#[tokio::test]
async fn a_caller_tells_who_they_are_and_in_which_role_they_act() {
    // F1: who, organisation, role
    let house = House::new().await;
    let token = house.token().await;
    let caller = house.identity.caller(&SCHOOL, &token, house.clock.now()).unwrap();
    assert_eq!(caller.organisation().id, house.school.id);
    assert_eq!(caller.roles(), [Role::Practitioner]);
    assert_eq!(caller.acting_role(&[Role::Auditor, Role::Practitioner]), Some(Role::Practitioner));
    assert_eq!(caller.acting_role(&[Role::Auditor]), None);
}

#[tokio::test]
async fn a_request_id_is_remembered_within_its_session_only() {
    // bad input: "replayed codes and request ids"
    let house = House::new().await;
    let (one, other) = (house.token().await, house.token().await);
    let caller = |token: &str| house.identity.caller(&SCHOOL, token, house.clock.now()).unwrap();
    assert_eq!(house.identity.note_request(&caller(&one), "id", &[1; 32]), RequestSeen::Fresh);
    assert_eq!(house.identity.note_request(&caller(&one), "id", &[1; 32]), RequestSeen::Again);
    assert_eq!(house.identity.note_request(&caller(&one), "id", &[2; 32]), RequestSeen::Conflict);
    assert_eq!(house.identity.note_request(&caller(&other), "id", &[2; 32]), RequestSeen::Fresh);
}

#[tokio::test]
async fn an_attempt_without_a_good_session_is_in_the_log_before_it_is_refused() {
    // F1: every access and every attempt is written durably before any answer leaves
    let house = House::new().await;
    let token = house.token().await;
    let before = house.store.log_size();
    let tried = |channel: Channel, token: String| {
        let now = house.clock.now();
        let identity = Arc::clone(&house.identity);
        async move {
            let turned_away = identity.caller_for(Operation::View, &channel, &token, now).await.err().unwrap();
            (turned_away.refusal, turned_away.entry.unwrap().index)
        }
    };
    assert_eq!(tried(OTHER_SCHOOL, token.clone()).await, (IdentityRefusal::NotAuthenticated, before));
    assert_eq!(tried(SCHOOL, String::new()).await, (IdentityRefusal::NotAuthenticated, before + 1));
    house.suspend_school().await;
    let suspended = house.store.log_size();
    assert_eq!(tried(SCHOOL, token.clone()).await, (IdentityRefusal::OrganisationSuspended, suspended));
    assert_eq!((suspended - before, house.store.log_size() - suspended), (3, 1), "two attempts and the suspension, then one attempt");
}
