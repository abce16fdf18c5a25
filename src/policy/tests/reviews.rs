//! Tasks of review, enumerated: whose they are, in which role, and that nobody reviews their own looks or upwards (rules C3, C4, F4).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod callers;

use callers::{caller, day, moment, organisation, qualified, ME};
use contactpoint_domain::{
    Capability, NewReview, OrganisationId, OrganisationKind, PersonId, Review, ReviewId, ReviewOutcome, Reviewed, Role,
};
use contactpoint_identity::Caller;
use contactpoint_policy::{read_reviews, review_report, review_waits_for, settle_review, By, Moment, Refusal};

const LOOKER: PersonId = PersonId(71);
const OTHER: PersonId = PersonId(72);

fn task(person: Option<PersonId>, reviewer: Option<PersonId>, due: &str) -> Review {
    let task = NewReview {
        rule: None,
        entries: vec![17],
        person,
        organisation: Some(OrganisationId(7)),
        role: Some(Role::Practitioner),
        reviewer,
        at: moment().now,
        due: day(due),
    };
    Review { id: ReviewId(1), task, reviewed: None }
}

/// In time until the 27th.
fn in_time(person: PersonId, reviewer: PersonId) -> Review {
    task(Some(person), Some(reviewer), "2026-11-27")
}

fn settled(by: &Caller, review: &Review, over: &[PersonId]) -> Result<By, Refusal> {
    settle_review(by, moment(), review, over, ReviewOutcome::Justified).map(|permit| permit.by())
}

fn supervisor() -> Caller {
    caller(OrganisationKind::School, &[Role::Supervisor])
}

fn auditor() -> Caller {
    caller(OrganisationKind::Auditor, &[Role::Auditor])
}

fn sees(by: &Caller, review: &Review) -> bool {
    review_waits_for(read_reviews(by, moment()).unwrap().by(), moment(), review)
}

#[test]
fn a_task_is_of_whoever_supervised_the_looker_and_of_auditors_once_it_is_overdue_or_nobody_s() {
    // F4: overdue reviews do not stay with whoever lets them wait
    let (mine, theirs, overdue, nobodys) =
        (in_time(LOOKER, ME), in_time(LOOKER, OTHER), task(Some(LOOKER), Some(OTHER), "2026-11-20"), task(None, None, "2026-11-27"));
    let cases = [(supervisor(), [true, false, false, false]), (auditor(), [true, false, true, true])];
    for (by, expected) in cases {
        for (review, expected) in [&mine, &theirs, &overdue, &nobodys].into_iter().zip(expected) {
            assert_eq!(sees(&by, review), expected, "{review:?}");
            let verdict = settled(&by, review, &[]).map(|by| by.person);
            assert_eq!(verdict, if expected { Ok(ME) } else { Err(Refusal::OutsideScope) }, "{review:?}");
        }
    }
}

#[test]
fn nobody_reviews_their_own_looks_nor_those_of_anybody_above_them() {
    // F4, C4: nobody both acts and judges the act; C3
    let own = in_time(ME, ME);
    assert!(!sees(&supervisor(), &own));
    assert_eq!(settled(&supervisor(), &own, &[]), Err(Refusal::OwnAct));
    assert_eq!(settled(&auditor(), &task(Some(ME), None, "2026-11-20"), &[]), Err(Refusal::OwnAct));
    assert_eq!(settled(&supervisor(), &in_time(LOOKER, ME), &[OTHER, LOOKER]), Err(Refusal::OwnAct));
}

#[test]
fn an_outcome_is_said_once() {
    // F4: a recorded outcome
    let reviewed = Some(Reviewed { outcome: ReviewOutcome::Justified, by: ME, at: moment().now });
    let done = Review { reviewed, ..in_time(LOOKER, ME) };
    assert!(!sees(&supervisor(), &done));
    assert_eq!(settled(&supervisor(), &done, &[]), Err(Refusal::AlreadyJudged));
    assert_eq!(settled(&supervisor(), &Review { reviewed, ..in_time(LOOKER, OTHER) }, &[]), Err(Refusal::OutsideScope));
}

#[test]
fn supervisors_and_auditors_review_auditors_and_the_risk_owner_count_and_nobody_else_does() {
    // C4, F4
    for kind in OrganisationKind::ALL.iter().copied() {
        for role in Role::ALL.iter().copied().filter(|role| role.is_of(kind)) {
            let by = caller(kind, &[role]);
            let is_auditor = role == Role::Auditor && kind == OrganisationKind::Auditor;
            let in_the_centre = matches!(role, Role::SecurityOfficer | Role::RiskOwner) && kind == OrganisationKind::DataCentre;
            let reviews = is_auditor || in_the_centre || (role == Role::Supervisor && kind != OrganisationKind::DataCentre);
            assert_eq!(read_reviews(&by, moment()).is_ok(), reviews, "{role} of {kind}");
            assert_eq!(settled(&by, &in_time(LOOKER, ME), &[]).is_ok(), reviews, "{role} of {kind}");
            let counts = is_auditor || (role == Role::RiskOwner && kind == OrganisationKind::DataCentre);
            assert_eq!(review_report(&by, moment()).is_ok(), counts, "{role} of {kind}");
        }
    }
}

#[test]
fn auditors_review_and_count_while_their_body_is_accredited_for_it() {
    // B2: accreditation is per capability
    let by = Caller::dangerous_new(ME, organisation(OrganisationKind::Auditor, &[Capability::Query]), qualified(&[Role::Auditor]));
    let moment: Moment = moment();
    assert_eq!(read_reviews(&by, moment).unwrap_err(), Refusal::CapabilityMissing);
    assert_eq!(settled(&by, &task(None, None, "2026-11-27"), &[]), Err(Refusal::CapabilityMissing));
    assert_eq!(review_report(&by, moment).unwrap_err(), Refusal::CapabilityMissing);
}
