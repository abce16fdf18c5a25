//! docs/access.md: the whole of who may do what, drawn from the tables that decide, and every cell of it held against the decision.
//!
//! The page is read back as a stranger reads it, and each combination of operation, role and kind is asked of `admit`: a page that says
//! what is not so fails, and so does a table that changes without its page.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod callers;
mod decided;

use callers::{accredited, caller, moment, organisation, qualified, ME};
use contactpoint_domain::role::MAY_BE_COMBINED;
use contactpoint_domain::{Capability, Organisation, OrganisationKind, Role};
use contactpoint_identity::Caller;
use contactpoint_policy::{admit, Line, Refusal, Row, LOOKS, TABLE};
use decided::with_expired;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

fn page() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/access.md")
}

const HEAD: &str = "\
# Who may do what

Drawn from the tables of `src/policy` and `src/domain/role.rs` by `cargo test -p contactpoint-policy --test access`, which also asks the policy
for every cell; what no table says is drawn by asking the policy. A change of one cell shows here, in review.

A request passes three questions, in this order: are the gates open, may this role of this kind of body ask for it at all, and is the body
accredited for it. Where the operation is about a child, the relation to that child comes after them.

";

fn gates() -> String {
    let mut text = String::from("## Gates\n\nThe first that is shut is the refusal, for every operation but those that mend it.\n\n");
    text.push_str("| refusal | what it says | passed by |\n|---|---|---|\n");
    for refusal in GATES {
        let passed: Vec<_> = TABLE.iter().filter(|row| row.passes.contains(refusal)).map(|row| row.operation.code()).collect();
        let _ = writeln!(text, "| {refusal:?} | {refusal} | {} |", passed.join(", "));
    }
    text
}

/// Every refusal of a gate, in the order of the gates.
const GATES: &[Refusal] = &[
    Refusal::OrganisationSuspended,
    Refusal::NotSponsored,
    Refusal::NotAccredited,
    Refusal::ResponsibilitiesPending,
    Refusal::VettingLapsed,
    Refusal::BarringLapsed,
    Refusal::TrainingLapsed,
    Refusal::AgreementPending,
    Refusal::NoSupervisor,
];

fn operations() -> String {
    let mut text = String::from("\n## Operations\n\n| operation | capability |");
    for kind in OrganisationKind::ALL {
        let _ = write!(text, " {kind} |");
    }
    text.push_str("\n|---|---|");
    text.push_str(&"---|".repeat(OrganisationKind::ALL.len()));
    text.push('\n');
    for Row { operation, who, capability, .. } in TABLE {
        let _ = write!(text, "| {operation} | {} |", capability.map_or("", |capability| capability.code()));
        for kind in OrganisationKind::ALL {
            let roles = who.iter().filter(|(role, kinds)| kinds.contains(kind) && role.is_of(*kind)).map(|(role, _)| role.code());
            let _ = write!(text, " {} |", roles.collect::<Vec<_>>().join(", "));
        }
        text.push('\n');
    }
    text
}

fn pairs() -> String {
    let mut text = String::from(
        "\n## Roles that one person may hold together\n\nEvery other pair is refused.\n\n| role | role | why |\n|---|---|---|\n",
    );
    for (one, two, why) in MAY_BE_COMBINED {
        let _ = writeln!(text, "| {one} | {two} | {why} |");
    }
    text
}

const LOOKING: &str = "
## What a look at one child shows

The first line that fits decides; an empty cell fits anything. Full: all that is held and the caller's body may see. Narrow: name, date of birth,
child number and that the child is shielded, with what `[shielding] also_shows` adds. To the caller, OutsideScope and NotOfAudience are one answer,
that of a child who is not on record.

| who looks | state of the record | related | granted | shown |
|---|---|---|---|---|
";

fn looks() -> String {
    let mut text = String::from(LOOKING);
    for Line { looking, state, related, grant, then } in LOOKS {
        let related = related.map_or("", |related| if related { "yes" } else { "no" });
        let shown = then.as_ref().map_or_else(|refusal| format!("{refusal:?}"), |breadth| format!("{breadth:?}"));
        let _ = writeln!(text, "| {} | {} | {related} | {} | {shown} |", named(looking), named(state), named(grant));
    }
    text
}

fn named<T: std::fmt::Debug>(any_of: &[T]) -> String {
    any_of.iter().map(|one| format!("{one:?}")).collect::<Vec<_>>().join(", ")
}

fn drawn() -> String {
    [HEAD.to_owned(), gates(), operations(), looks(), decided::drawn(), pairs()].concat()
}

#[test]
fn the_page_is_what_the_tables_say() {
    // J1: machine-readable; the decision table is generated for accreditors
    let fresh = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("access.md");
    std::fs::write(&fresh, drawn()).unwrap();
    let held = std::fs::read_to_string(page()).unwrap_or_default();
    assert!(held == drawn(), "docs/access.md is not what the tables say; to bring it up: cp {} docs/", fresh.display());
}

/// The cells of the page's table of operations: operation and kind to the roles named.
fn cells(page: &str) -> BTreeMap<(String, String), Vec<String>> {
    let section = page.split("## Operations").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows: Vec<Vec<&str>> = section
        .lines()
        .filter(|line| line.starts_with("| "))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let (head, body) = rows.split_first().unwrap();
    let cell = |row: &[&str], at: usize| {
        let roles = row[at].split(", ").filter(|role| !role.is_empty()).map(str::to_owned).collect();
        ((row[0].to_owned(), head[at].to_owned()), roles)
    };
    body.iter().flat_map(|row| (2..head.len()).map(|at| cell(row, at)).collect::<Vec<_>>()).collect()
}

#[test]
fn every_cell_of_the_page_is_what_the_policy_decides() {
    // C4: roles; B2: who lets organisations in. Enumerated: operation x kind x role
    let cells = cells(&std::fs::read_to_string(page()).unwrap());
    assert_eq!(cells.len(), TABLE.len() * OrganisationKind::ALL.len());
    for row in TABLE {
        for kind in OrganisationKind::ALL {
            let roles = &cells[&(row.operation.code().to_owned(), kind.code().to_owned())];
            for role in Role::ALL.iter().filter(|role| role.is_of(*kind)) {
                let allowed = admit(&caller(*kind, &[*role]), row.operation, moment()).is_ok();
                assert_eq!(allowed, roles.contains(&role.code().to_owned()), "{} by a {role} of a {kind}", row.operation);
            }
        }
    }
}

/// Somebody of the first role and kind that a row names, in an organisation of this kind that `accredited` makes.
fn asked(row: &Row, accredited: impl Fn(OrganisationKind) -> Organisation) -> Result<(), Refusal> {
    let kinds = |role: Role| row.who.iter().filter(move |(named, _)| *named == role).flat_map(|(_, kinds)| kinds.iter());
    let fits = |role: &Role| kinds(*role).find(|kind| role.is_of(**kind)).map(|kind| (*role, *kind));
    let (role, kind) = Role::ALL.iter().find_map(fits).unwrap();
    admit(&Caller::dangerous_new(ME, accredited(kind), qualified(&[role])), row.operation, moment()).map(drop)
}

#[test]
fn each_operation_takes_the_capability_of_its_row_and_no_other() {
    // B2: accreditation is per capability and expires. Enumerated: operation x capability
    for row in TABLE {
        for capability in Capability::ALL {
            let is_needed = row.capability == Some(*capability);
            let others: Vec<_> = Capability::ALL.iter().copied().filter(|held| held != capability).collect();
            let told = format!("{} and {capability}", row.operation);
            let without = asked(row, |kind| organisation(kind, &others));
            assert_eq!(without, if is_needed { Err(Refusal::CapabilityMissing) } else { Ok(()) }, "{told}");
            let expired = asked(row, |kind| with_expired(kind, *capability));
            assert_eq!(expired, if is_needed { Err(Refusal::AccreditationExpired) } else { Ok(()) }, "{told}");
            let alone = asked(row, |kind| Organisation { accreditations: vec![accredited(*capability)], ..organisation(kind, &[]) });
            let enough = is_needed || row.capability.is_none();
            assert_eq!(alone, if enough { Ok(()) } else { Err(Refusal::CapabilityMissing) }, "{told}");
        }
    }
}

#[test]
fn the_page_names_every_refusal_but_those_of_what_was_searched_for_and_how_often() {
    // style: refusing is a closed list
    let page = std::fs::read_to_string(page()).unwrap();
    let unnamed: Vec<_> = Refusal::ALL.iter().filter(|refusal| !page.contains(&format!("{refusal:?}"))).collect();
    assert_eq!(unnamed, [&Refusal::SearchTooWide, &Refusal::OverBudget]);
}

#[test]
fn a_role_that_the_kind_does_not_have_gets_in_nowhere() {
    // C4: a person of a kind of body that has no such role is none of this table
    for row in TABLE {
        for kind in OrganisationKind::ALL {
            for role in Role::ALL.iter().filter(|role| !role.is_of(*kind)) {
                let verdict = admit(&caller(*kind, &[*role]), row.operation, moment());
                assert!(verdict.is_err(), "{} by a {role} of a {kind}", row.operation);
            }
        }
    }
}
