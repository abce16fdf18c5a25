//! Alerts, enumerated: who reads and judges which, in which role, of what kind; and that nobody judges upwards.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod callers;

use callers::{caller, day, moment, organisation, qualified, HERE, ME};
use contactpoint_domain::{
    AccountState, Addressee, Alert, AlertId, AlertKind, Capability, Checks, Day, Disposition, Finding, Judgement, Organisation,
    OrganisationId, OrganisationKind, PersonId, Purpose, Role, SampleReview, JUDGED_WITHIN_DAYS,
};
use contactpoint_identity::Qualifications;
use contactpoint_policy::{
    audit_alerts, comes_in, judge, judges, read_alerts, read_flags, review_alert, reviews, waits_for, AlertAudit, By, Concern, Moment,
    Receiver, Refusal,
};

const ACTOR: PersonId = PersonId(71);
const THEIR_SUPERVISOR: PersonId = PersonId(72);

/// An alert about somebody else, to this addressee; its last day is in the future.
fn alert(kind: AlertKind, to: Addressee) -> Alert {
    Alert {
        id: AlertId(1),
        kind,
        person: ACTOR,
        organisation: OrganisationId(7),
        child: None,
        reason: Some(Purpose::Missing),
        at: moment().now,
        to: Some(to),
        due: day("2026-11-27"),
        judgement: None,
        review: None,
        place: 1,
    }
}

fn overdue(alert: &Alert) -> Alert {
    Alert { due: day("2026-11-20"), ..alert.clone() }
}

fn judged(alert: &Alert) -> Alert {
    let judgement = Judgement { disposition: Disposition::Justified, by: THEIR_SUPERVISOR, at: moment().now };
    Alert { judgement: Some(judgement), ..alert.clone() }
}

/// Sent to somebody who can come in, with these above them.
fn under(above: &[PersonId]) -> Receiver<'_> {
    Receiver { above, comes_in: true }
}

const TO_ME: Addressee = Addressee::Supervisor(ME);
const TO_OTHER: Addressee = Addressee::Supervisor(THEIR_SUPERVISOR);

/// Who judges as a supervisor, and of what kind of body.
fn supervises(kind: OrganisationKind, role: Role) -> bool {
    match role {
        Role::Supervisor => kind != OrganisationKind::DataCentre,
        Role::SecurityOfficer | Role::RiskOwner => kind == OrganisationKind::DataCentre,
        Role::Practitioner
        | Role::DataSteward
        | Role::ShieldingOfficer
        | Role::Administrator
        | Role::Helpdesk
        | Role::Auditor
        | Role::Inspector
        | Role::SystemOperator => false,
    }
}

#[test]
fn each_kind_of_alert_is_judged_by_whom_it_was_sent_to_in_the_role_that_it_asks_and_by_nobody_else() {
    // D5: the supervisor must judge each alert justified or not; E1, E5: the owning authority's shielding officer
    for kind in OrganisationKind::ALL {
        for role in Role::ALL.iter().filter(|role| role.is_of(*kind)) {
            let somebody = caller(*kind, &[*role]);
            let is_officer = *role == Role::ShieldingOfficer && *kind == OrganisationKind::Council;
            for what in AlertKind::ALL {
                for disposition in Disposition::ALL {
                    let fits = *what != AlertKind::Quarantine && what.is_judged() == (*disposition != Disposition::Settled);
                    let verdict = |to| judge(&somebody, moment(), &alert(*what, to), under(&[]), &[], *disposition);
                    let told = format!("{kind:?} {role:?} {what} {disposition}");
                    assert_eq!(verdict(TO_ME).is_ok(), supervises(*kind, *role) && fits, "{told}");
                    assert_eq!(verdict(Addressee::Authority(HERE)).is_ok(), is_officer && fits, "{told}");
                    for elsewhere in [TO_OTHER, Addressee::Authority(OrganisationId(8))] {
                        let no = verdict(elsewhere).unwrap_err();
                        assert!(matches!(no, Refusal::OutsideScope | Refusal::RoleForbids), "{told}");
                    }
                }
            }
        }
    }
}

fn supervisor() -> contactpoint_identity::Caller {
    caller(OrganisationKind::School, &[Role::Supervisor])
}

fn verdict(alert: &Alert, above: &[PersonId], over: &[PersonId]) -> Result<By, Refusal> {
    judge(&supervisor(), moment(), alert, under(above), over, Disposition::Justified).map(|permit| permit.by())
}

#[test]
fn nobody_judges_their_own_act_nor_that_of_anybody_above_them() {
    // C3: no two supervise each other; C4: nobody both acts and judges the act
    let mine = |to| Alert { person: ME, ..alert(AlertKind::BreakGlass, to) };
    assert_eq!(verdict(&mine(TO_OTHER), &[], &[]), Err(Refusal::OwnAct));
    assert_eq!(verdict(&mine(TO_ME), &[], &[]), Err(Refusal::OwnAct));
    // I have come to be above my own supervisor since
    assert_eq!(verdict(&overdue(&mine(TO_OTHER)), &[ME], &[]), Err(Refusal::OwnAct));
    // the actor broke the glass while I supervised them, and is above me by now, one or two steps up
    for over in [&[ACTOR][..], &[PersonId(80), ACTOR]] {
        assert_eq!(verdict(&alert(AlertKind::BreakGlass, TO_ME), &[], over), Err(Refusal::OwnAct));
        assert_eq!(verdict(&overdue(&alert(AlertKind::BreakGlass, TO_OTHER)), &[ME], over), Err(Refusal::OwnAct));
    }
    assert!(verdict(&alert(AlertKind::BreakGlass, TO_ME), &[], &[PersonId(80)]).is_ok());
}

#[test]
fn an_alert_goes_to_everybody_above_once_it_is_overdue_and_to_nobody_before() {
    // D5: overdue ones escalate
    let fresh = alert(AlertKind::BreakGlass, TO_OTHER);
    for above in [&[ME][..], &[PersonId(80), ME]] {
        assert_eq!(verdict(&fresh, above, &[]), Err(Refusal::OutsideScope));
        assert!(verdict(&overdue(&fresh), above, &[]).is_ok());
    }
    assert_eq!(verdict(&overdue(&fresh), &[PersonId(80)], &[]), Err(Refusal::OutsideScope));
    assert!(verdict(&overdue(&alert(AlertKind::BreakGlass, TO_ME)), &[], &[]).is_ok(), "whom it was sent to may still judge it");
}

#[test]
fn five_working_days_are_the_term() {
    // D5: within five working days
    assert_eq!(JUDGED_WITHIN_DAYS, 5);
    let due = day("2026-11-20").plus_working_days(JUDGED_WITHIN_DAYS, &[day("2026-11-25")]);
    assert_eq!(due, day("2026-11-30"));
    let raised = Alert { due, ..alert(AlertKind::BreakGlass, TO_OTHER) };
    let on = |today: Day| judge(&supervisor(), Moment { today, ..moment() }, &raised, under(&[ME]), &[], Disposition::Justified).is_ok();
    assert!(!on(due) && on(day("2026-12-01")));
}

#[test]
fn a_judged_alert_stays_as_it_was_judged_and_only_those_it_concerned_learn_that() {
    // D5; D1: not-yours and not-there are never told apart
    let done = judged(&alert(AlertKind::BreakGlass, TO_ME));
    assert_eq!(verdict(&done, &[], &[]), Err(Refusal::AlreadyJudged));
    let elsewhere = judged(&alert(AlertKind::BreakGlass, TO_OTHER));
    assert_eq!(verdict(&elsewhere, &[], &[]), Err(Refusal::OutsideScope));
    assert_eq!(verdict(&elsewhere, &[ME], &[]), Err(Refusal::AlreadyJudged));
    // D7: what was raised about oneself without one's doing is not there for oneself, wherever it was sent and however it waits
    for kind in AlertKind::ALL {
        let known = matches!(kind, AlertKind::BreakGlass | AlertKind::ShieldOverride);
        let answer = Err(if known { Refusal::OwnAct } else { Refusal::OutsideScope });
        for (to, above) in [(TO_OTHER, &[][..]), (TO_ME, &[]), (TO_OTHER, &[ME])] {
            let about_me = Alert { person: ME, ..alert(*kind, to) };
            assert_eq!(verdict(&about_me, above, &[]), answer, "{kind}");
            assert_eq!(verdict(&overdue(&about_me), above, &[]), answer, "{kind}");
            assert_eq!(verdict(&judged(&about_me), above, &[]), answer, "{kind}");
        }
    }
}

#[test]
fn a_queue_shows_what_waits_for_its_reader_and_nothing_else() {
    // D5: judge each alert; overdue ones escalate
    for kind in OrganisationKind::ALL {
        for role in Role::ALL.iter().filter(|role| role.is_of(*kind)) {
            let somebody = caller(*kind, &[*role]);
            let Ok(permit) = read_alerts(&somebody, moment()) else {
                assert!(!supervises(*kind, *role) && *role != Role::ShieldingOfficer, "{kind:?} {role:?}");
                continue;
            };
            let is_officer = *role == Role::ShieldingOfficer;
            let concern = |alert: &Alert, above: &[PersonId]| waits_for(&permit, &somebody, moment(), alert, under(above));
            let what = AlertKind::BreakGlass;
            let theirs = |is_theirs: bool| is_theirs.then_some(Concern::Theirs);
            let judges = supervises(*kind, *role);
            assert_eq!(concern(&alert(what, TO_ME), &[]), theirs(judges), "{kind:?} {role:?}");
            assert_eq!(concern(&alert(what, Addressee::Authority(HERE)), &[]), theirs(is_officer), "{kind:?} {role:?}");
            assert_eq!(concern(&overdue(&alert(what, TO_OTHER)), &[ME]), theirs(judges), "{kind:?} {role:?}");
            // whom it was sent to cannot come in
            let away = |above: &[PersonId]| {
                let receiver = Receiver { above, comes_in: false };
                waits_for(&permit, &somebody, moment(), &alert(what, TO_OTHER), receiver)
            };
            assert_eq!((away(&[ME]), away(&[])), (theirs(judges), None), "{kind:?} {role:?}");
            for not_theirs in [
                alert(what, TO_OTHER),
                overdue(&alert(what, TO_OTHER)),
                alert(what, Addressee::Authority(OrganisationId(8))),
                judged(&alert(what, TO_ME)),
                Alert { person: ME, ..alert(what, TO_ME) },
                Alert { to: None, ..alert(what, TO_ME) },
            ] {
                assert_eq!(concern(&not_theirs, &[]), None, "{kind:?} {role:?} {not_theirs:?}");
            }
        }
    }
}

#[test]
fn supervisor_and_shielding_officer_in_one_person_are_asked_as_the_one_the_alert_is_for() {
    // C4: a person may hold both
    let both = caller(OrganisationKind::Council, &[Role::Supervisor, Role::ShieldingOfficer]);
    let settled =
        judge(&both, moment(), &alert(AlertKind::Investigation, Addressee::Authority(HERE)), under(&[]), &[], Disposition::Settled);
    assert_eq!(settled.unwrap().by().role, Role::ShieldingOfficer);
    let judged = judge(&both, moment(), &alert(AlertKind::BreakGlass, TO_ME), under(&[]), &[], Disposition::Justified);
    assert_eq!(judged.unwrap().by().role, Role::Supervisor);
}

#[test]
fn auditors_alone_sample_review_count_and_read_flags() {
    // D5: dispositions are sampled by an auditor; D7: flagged for review
    for kind in OrganisationKind::ALL {
        for role in Role::ALL {
            let somebody = caller(*kind, &[*role]);
            let expected = *kind == OrganisationKind::Auditor && *role == Role::Auditor;
            for what in [AlertAudit::Sample, AlertAudit::Statistics] {
                assert_eq!(audit_alerts(&somebody, moment(), what).is_ok(), expected, "{kind:?} {role:?}");
            }
            assert_eq!(read_flags(&somebody, moment()).is_ok(), expected, "{kind:?} {role:?}");
            let done = judged(&alert(AlertKind::BreakGlass, TO_OTHER));
            assert_eq!(review_alert(&somebody, moment(), &done, true, Finding::Upheld).is_ok(), expected, "{kind:?} {role:?}");
        }
    }
}

#[test]
fn only_a_judgement_that_was_drawn_is_reviewed_and_once() {
    // D5: dispositions are sampled by an auditor
    let auditor = caller(OrganisationKind::Auditor, &[Role::Auditor]);
    let open = alert(AlertKind::BreakGlass, TO_OTHER);
    let review =
        |alert: &Alert, is_sampled| review_alert(&auditor, moment(), alert, is_sampled, Finding::Questioned).map(|permit| permit.finding());
    assert_eq!(review(&judged(&open), true), Ok(Finding::Questioned));
    assert_eq!(review(&judged(&open), false), Err(Refusal::OutsideScope));
    assert_eq!(review(&open, true), Err(Refusal::OutsideScope));
    let reviewed = SampleReview { finding: Finding::Upheld, by: PersonId(90), at: moment().now };
    assert_eq!(review(&Alert { review: Some(reviewed), ..judged(&open) }, true), Err(Refusal::AlreadyJudged));
}

#[test]
fn what_waits_for_somebody_who_cannot_come_in_goes_up_at_once() {
    // D4: the supervisor is alerted; D5: must judge each alert - one who cannot come in judges none
    let fresh = alert(AlertKind::BreakGlass, TO_OTHER);
    let decided = |comes_in, above| {
        let receiver = Receiver { above, comes_in };
        judge(&supervisor(), moment(), &fresh, receiver, &[], Disposition::Justified).map(|permit| permit.by().person)
    };
    assert_eq!(decided(true, &[ME]), Err(Refusal::OutsideScope));
    assert_eq!(decided(false, &[ME]), Ok(ME));
    assert_eq!(decided(false, &[PersonId(80)]), Err(Refusal::OutsideScope));
}

#[test]
fn whoever_is_locked_suspended_lapsed_or_without_the_role_does_not_come_in() {
    // B4, C1, C3, C4: the gates are the same as for a request of theirs
    let (school, now) = (organisation(OrganisationKind::School, Capability::ALL), moment());
    let in_office = qualified(&[Role::Supervisor]);
    assert!(comes_in(&school, &in_office, AccountState::Active, now));
    for state in AccountState::ALL.iter().filter(|state| **state != AccountState::Active) {
        assert!(!comes_in(&school, &in_office, *state, now), "{state:?}");
    }
    let checks = in_office.checks;
    for person in [
        Qualifications { checks: Checks { vetted: None, ..checks }, ..in_office.clone() },
        Qualifications { checks: Checks { trained: Some(day("2020-01-01")), ..checks }, ..in_office.clone() },
        Qualifications { supervisor: None, ..in_office.clone() },
        qualified(&[Role::Practitioner]),
        qualified(&[Role::ShieldingOfficer]),
    ] {
        assert!(!comes_in(&school, &person, AccountState::Active, now), "{person:?}");
    }
    assert!(!comes_in(&Organisation { suspended: true, ..school }, &in_office, AccountState::Active, now));
}

#[test]
fn what_an_authority_lets_wait_is_told_to_its_own_supervisors_who_settle_nothing() {
    // D5: overdue ones escalate; E1: the owning authority's shielding officer decides
    for kind in OrganisationKind::ALL {
        for role in Role::ALL.iter().filter(|role| role.is_of(*kind)) {
            let somebody = caller(*kind, &[*role]);
            for what in [AlertKind::Investigation, AlertKind::Contact, AlertKind::Quarantine] {
                let late = overdue(&alert(what, Addressee::Authority(HERE)));
                let elsewhere = overdue(&alert(what, Addressee::Authority(OrganisationId(8))));
                let verdict = |alert: &Alert| judge(&somebody, moment(), alert, Receiver::AUTHORITY, &[], Disposition::Settled).map(drop);
                let is_supervisor = *role == Role::Supervisor && supervises(*kind, *role);
                if is_supervisor {
                    assert_eq!(verdict(&late), Err(Refusal::AlreadyJudged), "{kind:?} {what}");
                    assert_eq!(verdict(&elsewhere), Err(Refusal::OutsideScope), "{kind:?} {what}");
                }
                let Ok(permit) = read_alerts(&somebody, moment()) else { continue };
                let concern = |alert: &Alert| waits_for(&permit, &somebody, moment(), alert, Receiver::AUTHORITY);
                let is_officer = *role == Role::ShieldingOfficer;
                let told = if is_officer { Some(Concern::Theirs) } else { is_supervisor.then_some(Concern::Overdue) };
                assert_eq!(concern(&late), told, "{kind:?} {role:?} {what}");
                assert_eq!(concern(&elsewhere), None, "{kind:?} {role:?} {what}");
                let fresh = concern(&alert(what, Addressee::Authority(HERE)));
                assert_eq!(fresh, told.filter(|concern| *concern == Concern::Theirs), "{kind:?} {role:?} {what}");
            }
        }
    }
}

#[test]
fn whether_there_is_an_alert_is_not_told_to_whoever_may_judge_or_review_none() {
    // D5, D7: whoever may not is refused before an alert is looked for
    for kind in OrganisationKind::ALL {
        for role in Role::ALL.iter().filter(|role| role.is_of(*kind)) {
            let somebody = caller(*kind, &[*role]);
            let may = supervises(*kind, *role) || *role == Role::ShieldingOfficer;
            assert_eq!(judges(&somebody, moment()).is_ok(), may, "{kind:?} {role:?}");
            assert_eq!(reviews(&somebody, moment()).is_ok(), *role == Role::Auditor, "{kind:?} {role:?}");
        }
    }
}
