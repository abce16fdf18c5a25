//! The helpdesk (rule C5): whom it knows, what takes two people, and that it never sees a child.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod callers;

use callers::{caller, moment, HERE, ME};
use contactpoint_domain::{AccountState, Factor, Instant, OrganisationId, OrganisationKind, PendingReset, PersonId, Role, Verified};
use contactpoint_identity::Caller;
use contactpoint_policy::{account_state, admit, begin_reset, complete_reset, Refusal, Subject, TABLE};

const SUBJECT: Subject = Subject { person: PersonId(9), organisation: HERE, state: AccountState::Active };

fn somebody(roles: &[Role]) -> Caller {
    caller(OrganisationKind::School, roles)
}

/// Every choice of the script's questions.
fn choices() -> impl Iterator<Item = Vec<Verified>> {
    (0u32..1 << Verified::ALL.len())
        .map(|bits| Verified::ALL.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1).map(|(_, one)| *one).collect())
}

#[test]
fn the_helpdesk_unlocks_suspends_and_begins_a_reset_only_for_whom_it_verified() {
    // C5: helpdesk can unlock and suspend after verifying the caller by the scripted questions. Enumerated: every choice of questions
    let helpdesk = somebody(&[Role::Helpdesk]);
    let locked = Subject { state: AccountState::Locked, ..SUBJECT };
    for answered in choices() {
        let expected = if answered.len() >= 3 { None } else { Some(Refusal::NotVerified) };
        assert_eq!(account_state(&helpdesk, moment(), &locked, AccountState::Active, &answered).err(), expected, "{answered:?}");
        assert_eq!(account_state(&helpdesk, moment(), &SUBJECT, AccountState::Suspended, &answered).err(), expected, "{answered:?}");
        assert_eq!(begin_reset(&helpdesk, moment(), &SUBJECT, Factor::Password, &answered).err(), expected, "{answered:?}");
        assert!(account_state(&helpdesk, moment(), &SUBJECT, AccountState::Locked, &answered).is_ok(), "to lock is always safe");
    }
    let thrice = [Verified::LineManager; 3];
    let verdict = account_state(&helpdesk, moment(), &locked, AccountState::Active, &thrice);
    assert_eq!(verdict.err(), Some(Refusal::NotVerified), "one question three times is one question");
    let administrator = somebody(&[Role::Administrator]);
    assert!(account_state(&administrator, moment(), &SUBJECT, AccountState::Suspended, &[]).is_ok(), "administrators know their people");
}

#[test]
fn a_reset_is_begun_by_the_helpdesk_and_completed_by_another_person() {
    // C5: resetting a factor takes a second person. Enumerated: role x who began it x whose account
    let pending = |by| PendingReset::begun(Factor::Code, by, moment().now);
    for role in Role::ALL {
        let acting = somebody(&[*role]);
        let begins = begin_reset(&acting, moment(), &SUBJECT, Factor::Code, Verified::ALL).is_ok();
        assert_eq!(begins, *role == Role::Helpdesk, "{role}");
        let completes = |by, subject: &Subject| complete_reset(&acting, moment(), subject, Some(&pending(by)));
        let may = matches!(role, Role::Helpdesk | Role::Administrator);
        assert_eq!(completes(PersonId(3), &SUBJECT).is_ok(), may, "{role}");
        if may {
            assert_eq!(completes(ME, &SUBJECT).err(), Some(Refusal::SamePerson), "{role}");
            let own = Subject { person: ME, ..SUBJECT };
            assert_eq!(completes(PersonId(3), &own).err(), Some(Refusal::OwnAccount), "{role}");
            let elsewhere = Subject { organisation: OrganisationId(8), ..SUBJECT };
            assert_eq!(completes(PersonId(3), &elsewhere).err(), Some(Refusal::OutsideScope), "{role}");
            let closed = Subject { state: AccountState::Closed, ..SUBJECT };
            assert_eq!(completes(PersonId(3), &closed).err(), Some(Refusal::RoleForbids), "{role}");
        }
    }
    let helpdesk = somebody(&[Role::Helpdesk]);
    let own = Subject { person: ME, ..SUBJECT };
    assert_eq!(begin_reset(&helpdesk, moment(), &own, Factor::Code, Verified::ALL).err(), Some(Refusal::OwnAccount));
}

#[test]
fn a_reset_that_nobody_began_or_that_ran_out_is_not_there() {
    // C5: a second person; 24 hours
    let administrator = somebody(&[Role::Administrator]);
    assert_eq!(complete_reset(&administrator, moment(), &SUBJECT, None).err(), Some(Refusal::OutsideScope));
    let begun = Instant::of_millis(moment().now.millis() - 24 * 3_600_000);
    let over = PendingReset::begun(Factor::Password, PersonId(3), begun);
    assert_eq!(complete_reset(&administrator, moment(), &SUBJECT, Some(&over)).err(), Some(Refusal::OutsideScope));
    let last = PendingReset { until: moment().now.plus_seconds(1), ..over };
    assert!(complete_reset(&administrator, moment(), &SUBJECT, Some(&last)).is_ok());
}

#[test]
fn the_helpdesk_reaches_accounts_and_nothing_else() {
    // C5: helpdesk never sees a child. Enumerated: every operation of the table x every kind of body
    let about_accounts = ["accept-agreement", "suspend-person", "lock-person", "unlock-person", "begin-reset", "complete-reset"];
    for kind in OrganisationKind::ALL {
        let helpdesk = caller(*kind, &[Role::Helpdesk]);
        for row in TABLE {
            let allowed = admit(&helpdesk, row.operation, moment()).is_ok();
            let expected = Role::Helpdesk.is_of(*kind) && about_accounts.contains(&row.operation.code());
            assert_eq!(allowed, expected, "{} of a {kind}", row.operation);
        }
    }
}
