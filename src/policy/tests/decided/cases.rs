//! What an operation asks beside gates, role and accreditation: one line for each case that it tells apart.

use super::{answer, child, table};
use crate::callers::{caller, day, moment, organisation, HERE, ME, SPONSOR};
use contactpoint_domain::{
    AccountState, Audience, Capability, ChildRecord, Factor, HeldFor, Instant, Organisation, OrganisationId, OrganisationKind,
    PendingReset, PersonId, Quarantine, Role, ShieldReason, Sponsorship, Verified,
};
use contactpoint_identity::{Caller, Confirmed};
use contactpoint_policy::{
    accept_agreement, accept_responsibilities, account_state, accredit, amend_person, begin_reset, complete_reset, end_involvement,
    enrol_person, feed, set_audience, settle, shield, sponsor, supervisor, suspend_organisation, unshield, Candidate, Keepers, Refusal,
    Subject, LONGEST_CHAIN,
};

const ELSEWHERE: OrganisationId = OrganisationId(8);

pub(super) fn drawn() -> String {
    let lines = [organisations(), texts(), accounts(), resets(), supervisors(), records(), feeding()].concat();
    let lines = lines.into_iter().map(|(operation, case, verdict)| vec![operation.to_owned(), case.to_owned(), answer(verdict)]);
    "\n## What else decides\n\nAsked of somebody whose role and body may do it at all.\n\n".to_owned()
        + &table("| operation | case | answer |", lines)
}

type Case = (&'static str, &'static str, Result<(), Refusal>);

/// A second factor that somebody else of the same body proved anew.
fn somebody_elses(caller: &Caller) -> Confirmed {
    Confirmed::dangerous_of(&Caller::dangerous_new(PersonId(77), caller.organisation().clone(), caller.qualifications().clone()))
}

/// Another organisation, in the area of the authority 3.
fn other(kind: OrganisationKind) -> Organisation {
    Organisation { id: ELSEWHERE, ..organisation(kind, &[Capability::Query]) }
}

fn organisations() -> Vec<Case> {
    let owner = caller(OrganisationKind::DataCentre, &[Role::RiskOwner]);
    let officer = caller(OrganisationKind::DataCentre, &[Role::SecurityOfficer]);
    let council = caller(OrganisationKind::Council, &[Role::Supervisor]);
    let school = || other(OrganisationKind::School);
    let here = Organisation { authority: Some(HERE), ..school() };
    let own = Organisation { id: HERE, authority: Some(HERE), ..other(OrganisationKind::Council) };
    let mut accredited_by_me = school();
    accredited_by_me.accreditations[0].by = ME;
    let vouch = |by: &Caller, subject: &Organisation| sponsor(by, moment(), subject, false, Confirmed::dangerous_of(by)).map(drop);
    let again = sponsor(&owner, moment(), &school(), true, Confirmed::dangerous_of(&owner)).map(drop);
    let unproved = sponsor(&owner, moment(), &school(), false, somebody_elses(&owner)).map(drop);
    let vouched_by = |by| Organisation { sponsorship: school().sponsorship.map(|given| Sponsorship { by, ..given }), ..school() };
    let to = |subject: &Organisation, last: Option<&str>| {
        accredit(&officer, moment(), subject, last.map(day), Confirmed::dangerous_of(&officer)).map(drop)
    };
    let suspend = |subject: &Organisation| suspend_organisation(&officer, moment(), subject).map(drop);
    let centre = other(OrganisationKind::DataCentre);
    vec![
        ("sponsor", "by the risk owner: any body", vouch(&owner, &school())),
        ("sponsor", "by the risk owner: one that they accredited", vouch(&owner, &accredited_by_me)),
        ("sponsor", "by a council's supervisor: a body of its area", vouch(&council, &here)),
        ("sponsor", "by a council's supervisor: a body elsewhere", vouch(&council, &school())),
        ("sponsor", "for whom somebody in office vouches already", again),
        ("sponsor", "by somebody else's fresh code", unproved),
        ("sponsor", "the own body", vouch(&council, &own)),
        ("sponsor", "the data centre", vouch(&owner, &centre)),
        ("accredit", "sponsored by somebody else", to(&vouched_by(SPONSOR), Some("2027-11-22"))),
        ("accredit", "sponsored by oneself", to(&vouched_by(ME), Some("2027-11-22"))),
        ("accredit", "not sponsored", to(&Organisation { sponsorship: None, ..school() }, Some("2027-11-22"))),
        ("accredit", "the data centre", to(&centre, Some("2027-11-22"))),
        ("accredit", "until tomorrow", to(&school(), Some("2026-11-23"))),
        ("accredit", "until today", to(&school(), Some("2026-11-22"))),
        ("accredit", "for three years", to(&school(), Some("2029-11-22"))),
        ("accredit", "for three years and a day", to(&school(), Some("2029-11-23"))),
        ("accredit", "taken back", to(&school(), None)),
        ("suspend-organisation", "any body", suspend(&school())),
        ("suspend-organisation", "the data centre", suspend(&centre)),
    ]
}

fn texts() -> Vec<Case> {
    let administrator = caller(OrganisationKind::School, &[Role::Administrator]);
    let body = |version| accept_responsibilities(&administrator, moment(), version).map(drop);
    let own = |version| accept_agreement(&administrator, moment(), version).map(drop);
    vec![
        ("accept-responsibilities", "the version in force", body(3)),
        ("accept-responsibilities", "another version", body(2)),
        ("accept-agreement", "the version in force", own(2)),
        ("accept-agreement", "another version", own(1)),
    ]
}

fn subject(person: PersonId, organisation: OrganisationId, state: AccountState) -> Subject {
    Subject { person, organisation, state }
}

fn accounts() -> Vec<Case> {
    let administrator = caller(OrganisationKind::School, &[Role::Administrator]);
    let helpdesk = caller(OrganisationKind::School, &[Role::Helpdesk]);
    let give = |roles: &[Role]| enrol_person(&administrator, moment(), roles, None).map(drop);
    let centre = caller(OrganisationKind::DataCentre, &[Role::Administrator]);
    let at_centre = |proof: Option<Confirmed>| enrol_person(&centre, moment(), &[Role::SystemOperator], proof).map(drop);
    let amend = |person, of| {
        amend_person(&administrator, moment(), &subject(person, of, AccountState::Active), &[Role::Practitioner], None).map(drop)
    };
    let state = |by: &Caller, person, of, from, to, answered: &[Verified]| {
        account_state(by, moment(), &subject(person, of, from), to, answered).map(drop)
    };
    let colleague = PersonId(9);
    vec![
        ("enrol-person", "roles that go together", give(&[Role::Practitioner, Role::Supervisor])),
        ("enrol-person", "roles that do not", give(&[Role::Practitioner, Role::DataSteward])),
        ("enrol-person", "a role that the body does not have", give(&[Role::Auditor])),
        ("enrol-person", "no role", give(&[])),
        ("enrol-person", "at the data centre, with a fresh code", at_centre(Some(Confirmed::dangerous_of(&centre)))),
        ("enrol-person", "at the data centre, without one", at_centre(None)),
        ("enrol-person", "at the data centre, with somebody else's", at_centre(Some(somebody_elses(&centre)))),
        ("amend-person", "a colleague", amend(colleague, HERE)),
        ("amend-person", "oneself", amend(ME, HERE)),
        ("amend-person", "somebody of another body", amend(colleague, ELSEWHERE)),
        (
            "suspend-person",
            "a colleague, by the administrator",
            state(&administrator, colleague, HERE, AccountState::Active, AccountState::Suspended, &[]),
        ),
        ("suspend-person", "oneself", state(&administrator, ME, HERE, AccountState::Active, AccountState::Suspended, &[])),
        (
            "suspend-person",
            "somebody of another body",
            state(&administrator, colleague, ELSEWHERE, AccountState::Active, AccountState::Suspended, &[]),
        ),
        (
            "suspend-person",
            "by the helpdesk, who verified them",
            state(&helpdesk, colleague, HERE, AccountState::Active, AccountState::Suspended, &Verified::ALL[..3]),
        ),
        (
            "suspend-person",
            "by the helpdesk, on two answers",
            state(&helpdesk, colleague, HERE, AccountState::Active, AccountState::Suspended, &Verified::ALL[..2]),
        ),
        (
            "unlock-person",
            "whom the helpdesk verified",
            state(&helpdesk, colleague, HERE, AccountState::Locked, AccountState::Active, &Verified::ALL[..3]),
        ),
        (
            "unlock-person",
            "on two answers",
            state(&helpdesk, colleague, HERE, AccountState::Locked, AccountState::Active, &Verified::ALL[..2]),
        ),
        ("lock-person", "on no answer", state(&helpdesk, colleague, HERE, AccountState::Active, AccountState::Locked, &[])),
    ]
}

fn resets() -> Vec<Case> {
    let helpdesk = caller(OrganisationKind::School, &[Role::Helpdesk]);
    let theirs = |state| subject(PersonId(9), HERE, state);
    let begin = |of: &Subject, answered: &[Verified]| begin_reset(&helpdesk, moment(), of, Factor::Code, answered).map(drop);
    let begun = |by, at| PendingReset::begun(Factor::Code, by, at);
    let complete = |of: &Subject, pending: Option<PendingReset>| complete_reset(&helpdesk, moment(), of, pending.as_ref()).map(drop);
    let active = theirs(AccountState::Active);
    vec![
        ("begin-reset", "whom the helpdesk verified", begin(&active, &Verified::ALL[..3])),
        ("begin-reset", "on two answers", begin(&active, &Verified::ALL[..2])),
        ("begin-reset", "oneself", begin(&subject(ME, HERE, AccountState::Active), Verified::ALL)),
        ("begin-reset", "a closed account", begin(&theirs(AccountState::Closed), Verified::ALL)),
        ("complete-reset", "begun by somebody else", complete(&active, Some(begun(PersonId(10), moment().now)))),
        ("complete-reset", "begun by oneself", complete(&active, Some(begun(ME, moment().now)))),
        ("complete-reset", "one's own", complete(&subject(ME, HERE, AccountState::Active), Some(begun(PersonId(10), moment().now)))),
        (
            "complete-reset",
            "begun a month ago",
            complete(&active, Some(begun(PersonId(10), Instant::of_millis(moment().now.millis() - 30 * 86_400_000)))),
        ),
        ("complete-reset", "not begun", complete(&active, None)),
    ]
}

fn supervisors() -> Vec<Case> {
    let candidate = || Candidate {
        person: PersonId(20),
        organisation: HERE,
        roles: vec![Role::Supervisor],
        state: AccountState::Active,
        chain: vec![PersonId(21), PersonId(22)],
    };
    let over = |person, candidate: &Candidate| supervisor(Some(PersonId(person)), HERE, candidate).map(drop);
    let long = (100..).map(PersonId).take(LONGEST_CHAIN).collect();
    vec![
        ("amend-person, a supervisor", "who may supervise and is active", over(9, &candidate())),
        ("amend-person, a supervisor", "oneself", over(20, &candidate())),
        ("amend-person, a supervisor", "whom one supervises, however far up", over(22, &candidate())),
        (
            "amend-person, a supervisor",
            "without a role that supervises",
            over(9, &Candidate { roles: vec![Role::Practitioner], ..candidate() }),
        ),
        ("amend-person, a supervisor", "of another body", over(9, &Candidate { organisation: ELSEWHERE, ..candidate() })),
        ("amend-person, a supervisor", "whose account is locked", over(9, &Candidate { state: AccountState::Locked, ..candidate() })),
        ("amend-person, a supervisor", "at the end of too long a chain", over(9, &Candidate { chain: long, ..candidate() })),
    ]
}

fn records() -> Vec<Case> {
    let officer = caller(OrganisationKind::Council, &[Role::ShieldingOfficer]);
    let steward = caller(OrganisationKind::School, &[Role::DataSteward]);
    let colleague = caller(OrganisationKind::Council, &[Role::ShieldingOfficer]);
    let stranger = Caller::dangerous_new(PersonId(77), colleague.organisation().clone(), colleague.qualifications().clone());
    let (own, others) = (child(HERE, &[HERE]), child(OrganisationId(3), &[ELSEWHERE]));
    let held = |record: &ChildRecord| ChildRecord {
        quarantined: Some(Quarantine { since: moment().now, why: HeldFor::Likeness }),
        ..record.clone()
    };
    let shielded = |record, review| shield(&officer, moment(), record, ShieldReason::CourtOrder, day(review)).map(drop);
    let lifted = |record, by: &Caller| unshield(&officer, moment(), record, Confirmed::dangerous_of(by)).map(drop);
    let named = |record, by: &Caller| set_audience(&officer, moment(), record, Keepers::Some, Confirmed::dangerous_of(by)).map(drop);
    let for_others =
        ChildRecord { audience: Some(Audience { people: vec![PersonId(88)], by: PersonId(88), at: moment().now }), ..own.clone() };
    let anew = |keepers| set_audience(&officer, moment(), Some(&for_others), keepers, Confirmed::dangerous_of(&officer)).map(drop);
    let settled = |one: &ChildRecord, other: Option<&ChildRecord>| settle(&officer, moment(), Some(one), other).map(drop);
    let ended = |record| end_involvement(&steward, moment(), record).map(drop);
    let mut over = child(OrganisationId(3), &[HERE]);
    over.statements[0].involvement.ended = Some(moment().now);
    vec![
        ("shield", "a record of the own authority", shielded(Some(&own), "2027-05-22")),
        ("shield", "of another authority", shielded(Some(&others), "2027-05-22")),
        ("shield", "not on record", shielded(None, "2027-05-22")),
        ("shield", "to be reviewed today", shielded(Some(&own), "2026-11-22")),
        ("shield", "to be reviewed after more than a year", shielded(Some(&own), "2027-11-23")),
        ("unshield", "a record of the own authority", lifted(Some(&own), &officer)),
        ("unshield", "of another authority", lifted(Some(&others), &officer)),
        ("unshield", "by somebody else's code", lifted(Some(&own), &stranger)),
        ("set-audience", "a record of the own authority", named(Some(&own), &officer)),
        ("set-audience", "of another authority", named(Some(&others), &officer)),
        ("set-audience", "by somebody else's code", named(Some(&own), &stranger)),
        ("shield", "a record for named people, who are others", shielded(Some(&for_others), "2027-05-22")),
        ("unshield", "a record for named people, who are others", lifted(Some(&for_others), &officer)),
        ("set-audience", "of a record for named people, one of them an officer of the authority", anew(Keepers::Some)),
        ("set-audience", "of a record for named people, none of them an officer of the authority any more", anew(Keepers::None)),
        ("settle-record", "held back, as a child of its own", settled(&held(&own), None)),
        ("settle-record", "held back, as of a record of the own authority", settled(&held(&own), Some(&own))),
        ("settle-record", "held back, as of a record of another authority", settled(&held(&own), Some(&others))),
        ("settle-record", "held back by another authority", settled(&held(&others), None)),
        ("settle-record", "not held back", settled(&own, None)),
        ("end-involvement", "a child with whom the own body works", ended(Some(&child(OrganisationId(3), &[HERE])))),
        ("end-involvement", "with whom it worked", ended(Some(&over))),
        ("end-involvement", "of others", ended(Some(&others))),
    ]
}

fn feeding() -> Vec<Case> {
    let local = organisation(OrganisationKind::Police, &[Capability::Feed]);
    let by =
        |organisation| feed(&Caller::dangerous_new(ME, organisation, crate::callers::qualified(&[Role::DataSteward])), moment()).map(drop);
    vec![
        ("feed", "by a body of an area", by(local.clone())),
        ("feed", "by a body of the whole country", by(Organisation { authority: None, ..local })),
    ]
}
