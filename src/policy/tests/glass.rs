//! Breaking the glass and overriding a shield, enumerated: every role, kind of organisation, reason, state of the record and open alert.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod callers;

use callers::{caller, day, moment, organisation, qualified, ME};
use contactpoint_domain::{
    Addressee, Alert, AlertId, AlertKind, Capability, Disposition, Judgement, OrganisationId, OrganisationKind, PersonId, Purpose, Role,
};
use contactpoint_identity::{Caller, Confirmed};
use contactpoint_policy::{
    break_glass, leave_glass, override_shield, reached_through_glass, Asked, Grant, Moment, Refusal, Relation, State, GLASS_MINUTES,
};

/// The bodies that work with children.
fn works(kind: OrganisationKind) -> bool {
    !matches!(kind, OrganisationKind::DataCentre | OrganisationKind::Auditor)
}

fn teacher() -> Caller {
    caller(OrganisationKind::School, &[Role::Practitioner])
}

/// An alert about the caller that was due on a day.
fn alert(kind: AlertKind, due: &str) -> Alert {
    Alert {
        id: AlertId(1),
        kind,
        person: ME,
        organisation: OrganisationId(7),
        child: None,
        reason: Some(Purpose::Missing),
        at: moment().now,
        to: Some(Addressee::Supervisor(PersonId(6))),
        due: day(due),
        judgement: None,
        review: None,
        place: 1,
    }
}

type Decision = fn(&Caller, Moment, Purpose, Result<Confirmed, Refusal>, &[Alert]) -> Result<contactpoint_domain::Instant, Refusal>;

const BOTH: &[Decision] = &[
    |caller, moment, reason, proof, open| break_glass(caller, moment, reason, proof, open).map(|permit| permit.until()),
    |caller, moment, reason, proof, open| override_shield(caller, moment, reason, proof, open).map(|permit| permit.until()),
];

#[test]
fn practitioners_alone_break_the_glass_and_for_what_cannot_wait() {
    // D4: typed reason, fresh token, one record, ends ... after 30 minutes
    for decide in BOTH {
        for kind in OrganisationKind::ALL {
            for role in Role::ALL {
                for reason in Purpose::ALL {
                    let somebody = caller(*kind, &[*role]);
                    let verdict = decide(&somebody, moment(), *reason, Ok(Confirmed::dangerous_of(&somebody)), &[]);
                    let urgent = matches!(reason, Purpose::Concern | Purpose::Section47 | Purpose::Missing);
                    assert_eq!(verdict.is_ok(), *role == Role::Practitioner && works(*kind) && urgent, "{kind:?} {role:?} {reason:?}");
                }
            }
        }
        let until = decide(&teacher(), moment(), Purpose::Missing, Ok(Confirmed::dangerous_of(&teacher())), &[]).unwrap();
        assert_eq!(until.millis() - moment().now.millis(), 30 * 60 * 1000);
        assert_eq!(GLASS_MINUTES, 30);
    }
}

#[test]
fn the_supervisor_of_that_moment_is_alerted_and_without_one_nothing_is_broken() {
    // D4: the supervisor is alerted; C3: every person has a supervisor
    let permit = break_glass(&teacher(), moment(), Purpose::Missing, Ok(Confirmed::dangerous_of(&teacher())), &[]).unwrap();
    assert_eq!(permit.alerted(), Some(Addressee::Supervisor(PersonId(6))));
    let mut unsupervised = qualified(&[Role::Practitioner]);
    unsupervised.supervisor = None;
    let nobody_above = Caller::dangerous_new(ME, organisation(OrganisationKind::School, Capability::ALL), unsupervised);
    let verdict = break_glass(&nobody_above, moment(), Purpose::Missing, Ok(Confirmed::dangerous_of(&nobody_above)), &[]);
    assert!(matches!(verdict, Err(Refusal::NoSupervisor)));
}

#[test]
fn somebody_else_s_code_opens_nothing() {
    // C2: sensitive acts ask for the token again
    let qualifications = qualified(&[Role::Practitioner]);
    let other = Caller::dangerous_new(PersonId(99), organisation(OrganisationKind::School, Capability::ALL), qualifications);
    for decide in BOTH {
        let verdict = decide(&teacher(), moment(), Purpose::Missing, Ok(Confirmed::dangerous_of(&other)), &[]);
        assert_eq!(verdict, Err(Refusal::NotConfirmed));
        let refused = |caller: &Caller, reason| decide(caller, moment(), reason, Err(Refusal::NotConfirmed), &[]);
        assert_eq!(refused(&teacher(), Purpose::Missing), Err(Refusal::NotConfirmed));
        assert_eq!(refused(&teacher(), Purpose::Coordination), Err(Refusal::ReasonForbids));
        assert_eq!(refused(&caller(OrganisationKind::School, &[Role::Supervisor]), Purpose::Missing), Err(Refusal::RoleForbids));
    }
}

#[test]
fn each_of_the_two_is_a_capability_of_its_own() {
    // E5: override is a right of its own; B2: accredited per capability
    let with = |capabilities: &[Capability]| {
        Caller::dangerous_new(ME, organisation(OrganisationKind::School, capabilities), qualified(&[Role::Practitioner]))
    };
    let verdicts =
        |caller: &Caller| [0, 1].map(|at| BOTH[at](caller, moment(), Purpose::Missing, Ok(Confirmed::dangerous_of(caller)), &[]).is_ok());
    assert_eq!(verdicts(&with(&[Capability::Query])), [true, false]);
    assert_eq!(verdicts(&with(&[Capability::ShieldOverride])), [false, true]);
    assert_eq!(verdicts(&with(&[])), [false, false]);
}

#[test]
fn an_overdue_alert_of_ones_own_stops_both_until_it_is_judged() {
    // D5: within five working days; overdue ones escalate and stop the user's break-glass
    for decide in BOTH {
        let decided = |open: &[Alert]| decide(&teacher(), moment(), Purpose::Missing, Ok(Confirmed::dangerous_of(&teacher())), open);
        for kind in AlertKind::ALL {
            let stops = matches!(kind, AlertKind::BreakGlass | AlertKind::ShieldOverride);
            assert_eq!(decided(&[alert(*kind, "2026-11-21")]) == Err(Refusal::AlertsOverdue), stops, "{kind}");
            assert!(decided(&[alert(*kind, "2026-11-22")]).is_ok(), "{kind}: its last day is not over");
        }
        let judged = Judgement { disposition: Disposition::NotJustified, by: PersonId(6), at: moment().now };
        assert!(decided(&[Alert { judgement: Some(judged), ..alert(AlertKind::BreakGlass, "2026-11-21") }]).is_ok());
        assert!(decided(&[Alert { person: PersonId(99), ..alert(AlertKind::BreakGlass, "2026-11-21") }]).is_ok());
        let among = [
            alert(AlertKind::OverBudget, "2026-11-01"),
            alert(AlertKind::BreakGlass, "2026-11-27"),
            alert(AlertKind::BreakGlass, "2026-11-20"),
        ];
        assert_eq!(decided(&among), Err(Refusal::AlertsOverdue));
    }
}

#[test]
fn what_is_within_reach_by_which_name() {
    // D8: refuses all but named users; E3: a query that uses any hidden field of a shielded record does not find it; E4: quarantined
    let reached_as = |relation, asked| State::ALL.iter().map(|state| reached_through_glass(*state, asked, relation)).collect::<Vec<_>>();
    let reached = |asked| reached_as(Relation::None, asked);
    let (no, named_only, yes) = (Err(Refusal::OutsideScope), Err(Refusal::NotOfAudience), Ok(()));
    assert_eq!(State::ALL, [State::NotOnRecord, State::ForOthers, State::Unseen, State::Quarantined, State::Shielded, State::Plain]);
    assert_eq!(reached(Asked::Number), [no, named_only, no, no, yes, yes]);
    assert_eq!(reached(Asked::Identity), [no, named_only, no, no, no, yes]);
    // its own source cannot tell by a refusal that its record is held back
    assert_eq!(reached_as(Relation::OnRoll, Asked::Number), [no, named_only, no, yes, yes, yes]);
    assert_eq!(reached_as(Relation::OnRoll, Asked::Identity), [no, named_only, no, yes, no, yes]);
    assert_eq!(Grant::ALL.len(), 3);
}

#[test]
fn a_practitioner_leaves_what_they_opened_whatever_their_body_is_accredited_for() {
    // D4: ends when left
    for kind in OrganisationKind::ALL {
        for role in Role::ALL {
            let verdict = leave_glass(&caller(*kind, &[*role]), moment());
            assert_eq!(verdict.is_ok(), *role == Role::Practitioner && works(*kind), "{kind:?} {role:?}");
        }
    }
}
