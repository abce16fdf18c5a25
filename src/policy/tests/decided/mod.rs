//! What the policy decides beside its tables - by reason, by capability, by the case - asked of it and written down for docs/access.md.
//!
//! Each line is an answer of the policy's own functions, so a decision that changes changes the page, and the page's test fails.

mod alerts;
mod cases;
mod evidence;

use crate::callers::{caller, day, moment, organisation, qualified, HERE, ME};
use contactpoint_domain::{
    AccountState, Capability, ChildNumber, ChildRecord, DateOfBirth, EvidenceAsked, Gender, Instant, Involvement, Name, Organisation,
    OrganisationId, OrganisationKind, PersonId, Provenance, Purpose, Role, Statement,
};
use contactpoint_identity::{Caller, Confirmed};
use contactpoint_policy::{
    account_act, ask_contact, break_glass, feed, override_shield, reached_through_glass, read_alerts, read_flags, request_evidence, search,
    view, who_saw, Asked, Grant, Refusal, Relation, Sight, State,
};
use std::fmt::Write as _;

/// All of it.
pub(crate) fn drawn() -> String {
    [reasons(), capabilities(), through_glass(), account_acts(), cases::drawn(), alerts::drawn(), evidence::drawn()].concat()
}

/// A child of this authority, with whom these organisations work.
pub(crate) fn child(authority: OrganisationId, sources: &[OrganisationId]) -> ChildRecord {
    let said_by = |source: &OrganisationId| Statement {
        provenance: Provenance { source: *source, author: PersonId(9), at: Instant::of_millis(1000) },
        name: Name { given: "Asha".try_into().unwrap(), family: "Patel".try_into().unwrap() },
        former_names: Vec::new(),
        date_of_birth: DateOfBirth::of(2014, 3, 9).unwrap(),
        gender: Gender::Unspecified,
        address: None,
        nhs_number: None,
        unique_pupil_number: None,
        carers: Vec::new(),
        involvement: Involvement::default(),
    };
    let first = ChildRecord::new(ChildNumber::with_body(123_456_789), authority, said_by(&HERE));
    ChildRecord { statements: sources.iter().map(said_by).collect(), ..first }
}

/// A table's head and its lines.
pub(crate) fn table(head: &str, lines: impl IntoIterator<Item = Vec<String>>) -> String {
    let columns = head.matches('|').count() - 1;
    let mut text = format!("{head}\n|{}\n", "---|".repeat(columns));
    for line in lines {
        assert_eq!(line.len(), columns, "{line:?}");
        let _ = writeln!(text, "| {} |", line.join(" | "));
    }
    text
}

pub(crate) fn answer(verdict: Result<(), Refusal>) -> String {
    verdict.map_or_else(|refusal| format!("{refusal:?}"), |()| "allowed".to_owned())
}

fn teacher() -> Caller {
    caller(OrganisationKind::School, &[Role::Practitioner])
}

/// An operation by its name, asked for with a reason.
type ForReason = (&'static str, fn(Purpose) -> Result<(), Refusal>);

const FOR_REASONS: &[ForReason] = &[
    ("search", |reason| search(&teacher(), moment(), reason).map(drop)),
    ("view", |reason| view_with(&teacher(), reason, false)),
    ("ask-contact", |reason| ask_contact(&teacher(), moment(), reason).map(drop)),
    ("break-glass", |reason| break_glass(&teacher(), moment(), reason, Ok(Confirmed::dangerous_of(&teacher())), &[]).map(drop)),
    ("override-shield", |reason| override_shield(&teacher(), moment(), reason, Ok(Confirmed::dangerous_of(&teacher())), &[]).map(drop)),
    ("who-saw", |reason| who_saw(&auditor(), moment(), reason).map(drop)),
    ("request-evidence", |reason| {
        let (from, to) = (day("2026-10-01"), day("2026-10-31"));
        let asked = EvidenceAsked { person: PersonId(17), from, to, reason, recipient: [0; 32] };
        request_evidence(&auditor(), moment(), &asked, Ok(Confirmed::dangerous_of(&auditor()))).map(drop)
    }),
];

fn auditor() -> Caller {
    caller(OrganisationKind::Auditor, &[Role::Auditor])
}

fn view_with(by: &Caller, reason: Purpose, is_mediated: bool) -> Result<(), Refusal> {
    let record = child(OrganisationId(3), &[HERE]);
    view(by, moment(), &Sight { reason, record: Some(&record), grant: Grant::None, is_mediated }).map(drop)
}

fn reasons() -> String {
    let lines = FOR_REASONS.iter().map(|(operation, ask)| {
        let allowed = |reason: &&Purpose| {
            let verdict = ask(**reason);
            assert!(matches!(verdict, Ok(()) | Err(Refusal::ReasonForbids)), "{operation} for {reason}: {verdict:?}");
            verdict.is_ok()
        };
        let allowed: Vec<_> = Purpose::ALL.iter().filter(allowed).map(|reason| reason.code()).collect();
        vec![(*operation).to_owned(), allowed.join(", ")]
    });
    "\n## Reasons\n\nAny other reason is ReasonForbids.\n\n".to_owned() + &table("| operation | reasons |", lines)
}

/// What is asked for, and by somebody of an organisation that is accredited so.
type ByCapability = (&'static str, fn(Organisation) -> Result<(), Refusal>);

fn of(mut organisation: Organisation, kind: OrganisationKind, role: Role) -> Caller {
    organisation.kind = kind;
    Caller::dangerous_new(ME, organisation, qualified(&[role]))
}

const BY_CAPABILITY: &[ByCapability] = &[
    ("view", |of_body| view_with(&of(of_body, OrganisationKind::School, Role::Practitioner), Purpose::Concern, false)),
    ("view, for somebody without an account", |of_body| {
        view_with(&of(of_body, OrganisationKind::School, Role::Practitioner), Purpose::Concern, true)
    }),
    ("feed, by a body that is or was accredited as a sensitive service", |of_body| {
        feed(&of(of_body, OrganisationKind::Voluntary, Role::DataSteward), moment()).map(drop)
    }),
    ("read-alerts, the queue", |of_body| read_alerts(&of(of_body, OrganisationKind::Auditor, Role::Auditor), moment()).map(drop)),
    ("read-alerts, the flags", |of_body| read_flags(&of(of_body, OrganisationKind::Auditor, Role::Auditor), moment()).map(drop)),
];

/// An organisation accredited for everything; for this capability until yesterday alone.
pub(crate) fn with_expired(kind: OrganisationKind, capability: Capability) -> Organisation {
    let mut organisation = organisation(kind, Capability::ALL);
    for held in organisation.accreditations.iter_mut().filter(|held| held.capability == capability) {
        held.expires = day("2026-11-21");
    }
    organisation
}

fn capabilities() -> String {
    let lines = BY_CAPABILITY.iter().map(|(act, ask)| {
        let needed =
            |capability: &&Capability| ask(with_expired(OrganisationKind::School, **capability)) == Err(Refusal::AccreditationExpired);
        let needed: Vec<_> = Capability::ALL.iter().filter(needed).map(|capability| capability.code()).collect();
        vec![(*act).to_owned(), needed.join(", ")]
    });
    "\n## More than one capability\n\nSome acts take another one beside the operation's. One never held is CapabilityMissing, one that ran out AccreditationExpired.\n\n".to_owned()
        + &table("| act | capabilities |", lines)
}

fn through_glass() -> String {
    let mut lines = Vec::new();
    for asked in [Asked::Number, Asked::Identity] {
        for (related, relation) in [("yes", Relation::OnRoll), ("no", Relation::None)] {
            let reached = State::ALL.iter().map(|state| answer(reached_through_glass(*state, asked, relation)));
            lines.push([format!("{asked:?}"), related.to_owned()].into_iter().chain(reached).collect());
        }
    }
    let states: Vec<_> = State::ALL.iter().map(|state| format!("{state:?}")).collect();
    let head = format!("| asked by | related | {} |", states.join(" | "));
    "\n## Which record the glass can be broken to\n\nThe same for an override. What is then shown, the table of looks says.\n\n".to_owned()
        + &table(&head, lines)
}

fn account_acts() -> String {
    let act = |from: AccountState, to: AccountState| account_act(from, to).map_or("nobody", |operation| operation.code()).to_owned();
    let lines = AccountState::ALL
        .iter()
        .map(|from| std::iter::once(from.code().to_owned()).chain(AccountState::ALL.iter().map(|to| act(*from, *to))).collect());
    let states: Vec<_> = AccountState::ALL.iter().map(|state| format!("to {state}")).collect();
    "\n## From one state of an account to another\n\nThe operation that it is; whose, the table of operations says.\n\n".to_owned()
        + &table(&format!("| from | {} |", states.join(" | ")), lines)
}
