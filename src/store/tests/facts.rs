//! What was known of a child at the time of each sort of look stands in its entry: the detection rules have nothing else to go by (rule F4).

#![expect(clippy::unwrap_used, clippy::panic, clippy::wildcard_enum_match_arm, reason = "a test fails by panicking")]

mod rig;
mod staff;

use contactpoint_audit::{Entry, Operation};
use contactpoint_directory::{AskContact, BreakGlassRequest, Directory, OverrideRequest, SearchRequest, ViewRequest};
use contactpoint_domain::{
    Accreditation, Audience, Capability, ChildNumber, ChildRecord, Facts, Kin, OrganisationId, OrganisationKind, PersonId, Place, Role,
    Shield, ShieldReason, Tie,
};
use contactpoint_identity::{Caller, Confirmed, Qualifications};
use contactpoint_review::Rules;
use contactpoint_store::Store;
use rig::{child, create, entry};
use serde_json::json;
use staff::{on_record, somebody, NOW};
use std::collections::BTreeMap;
use std::path::Path;

const OWN_AREA: OrganisationId = OrganisationId(1);
const SCHOOL: OrganisationId = OrganisationId(2);
const ADJOINING: OrganisationId = OrganisationId(3);
const FAR: OrganisationId = OrganisationId(4);
const ELSEWHERE: OrganisationId = OrganisationId(5);

/// Where [`ADJOINING`] adjoins, and nothing else does.
const RULES: &str = "time_zone = \"GMT0\"\nworking_days = 3\nadjoining = [[1, 3]]\n\
    [[rule]]\nname = \"own-family\"\nwhy = \"w\"\nfind.own-family = { days_by_name = 2, within_days = 30 }\n";

const AT_HOME: u32 = 1;
const NAMESAKE: u32 = 2;
const INVOLVED: u32 = 3;
const SHIELDED: u32 = 4;
const SHIELDED_NAMESAKE: u32 = 5;
const STRANGER_AT_HOME: u32 = 6;
const FAR_NAMESAKE: u32 = 7;
const FOR_OTHERS: u32 = 8;
const NOT_ON_RECORD: u32 = 9;
const NAMESAKE_AT_HOME: u32 = 10;

/// Mr Okafor, who lives where the child [`AT_HOME`] lives, of a school in [`OWN_AREA`].
fn teacher() -> Caller {
    let like = somebody(1, Role::Practitioner, (OrganisationKind::School, SCHOOL.0), Capability::Query);
    let mut organisation = like.organisation().clone();
    organisation.authority = Some(OWN_AREA);
    let accredited = organisation.accreditations[0];
    organisation.accreditations.push(Accreditation { capability: Capability::ShieldOverride, ..accredited });
    let home = child(AT_HOME).statements[0].address.clone();
    Caller::dangerous_new(like.person(), organisation, Qualifications { home, ..like.qualifications().clone() })
}

/// A child of a source and an area; with the teacher's family name, or at the teacher's home, by its number.
fn known_as(n: u32) -> ChildRecord {
    let mut record = child(n);
    let is_stranger = [STRANGER_AT_HOME, FAR_NAMESAKE].contains(&n);
    record.authority = match n {
        SHIELDED | SHIELDED_NAMESAKE | STRANGER_AT_HOME => ADJOINING,
        FAR_NAMESAKE => FAR,
        _ => OWN_AREA,
    };
    let said = &mut record.statements[0];
    said.provenance.source = if is_stranger { ELSEWHERE } else { SCHOOL };
    if [NAMESAKE, SHIELDED_NAMESAKE, FAR_NAMESAKE, NAMESAKE_AT_HOME].contains(&n) {
        said.name.family = "Okafor".try_into().unwrap();
    }
    if [SHIELDED, SHIELDED_NAMESAKE, STRANGER_AT_HOME, FOR_OTHERS, NAMESAKE_AT_HOME].contains(&n) {
        said.address = child(AT_HOME).statements[0].address.clone();
    }
    if n == SHIELDED {
        said.former_names[0].family = "Okafor".try_into().unwrap();
        said.carers[0].name.family = "Okafor".try_into().unwrap();
    }
    if n == NAMESAKE_AT_HOME {
        said.date_of_birth = child(NAMESAKE).statements[0].date_of_birth;
    }
    let shield = Shield { reason: ShieldReason::Adoption, review: NOW.day().plus_years(1), by: PersonId(3), at: NOW };
    record.shield = [SHIELDED, SHIELDED_NAMESAKE].contains(&n).then_some(shield);
    record.audience = (n == FOR_OTHERS).then(|| Audience { people: vec![PersonId(3)], by: PersonId(3), at: NOW });
    record
}

async fn filled(folder: &Path) -> (Store, Directory) {
    let store = create(folder);
    for n in (AT_HOME..=NAMESAKE_AT_HOME).filter(|n| *n != NOT_ON_RECORD) {
        let added = store.change(move |tx| Ok((tx.add_child(&known_as(n))?, entry(Operation::Feed, Vec::new()))));
        added.await.unwrap().into_inner();
    }
    on_record(&store, &[&teacher()]).await;
    let directory = Directory::new(store.clone(), BTreeMap::new()).under_rules(Some(&Rules::parse(RULES).unwrap()));
    (store, directory)
}

fn request<T: serde::de::DeserializeOwned>(asked: serde_json::Value) -> T {
    serde_json::from_value(asked).unwrap()
}

async fn search(directory: &Directory, asked: serde_json::Value) -> u64 {
    directory.search(&teacher(), &request::<SearchRequest>(asked), NOW).await.unwrap().entry_index()
}

/// Looks at a child by its number, whatever comes of it; returns the entry's index.
async fn look(directory: &Directory, operation: Operation, n: u32) -> u64 {
    let (by, number) = (teacher(), child(n).number);
    let plain = json!({"child_number": number, "reason": "concern"});
    let with_code = json!({"child_number": number, "reason": "missing", "code": "000000"});
    let proof = Ok(Confirmed::dangerous_of(&by));
    match operation {
        Operation::Search => {
            let born = child(n).statements[0].date_of_birth;
            search(directory, json!({"child_number": number, "date_of_birth": born, "reason": "concern"})).await
        }
        Operation::View => directory.view(&by, &request::<ViewRequest>(plain), NOW).await.unwrap().entry_index(),
        Operation::AskContact => directory.ask_contact(&by, &request::<AskContact>(plain), NOW).await.unwrap().entry_index(),
        Operation::BreakGlass => {
            directory.break_glass(&by, request::<BreakGlassRequest>(with_code), proof, NOW).await.unwrap().entry_index()
        }
        Operation::OverrideShield => {
            directory.override_shield(&by, request::<OverrideRequest>(with_code), proof, NOW).await.unwrap().entry_index()
        }
        other => panic!("{other:?} is no look"),
    }
}

/// The facts in an entry, by child; `None` where nothing at all was known.
async fn written(store: &Store, index: u64, operation: Operation) -> BTreeMap<ChildNumber, Option<Facts>> {
    store.checkpoint().await.unwrap();
    let looks = store.entries_between_for_upkeep(index, index + 1).unwrap();
    assert_eq!(looks.iter().map(|look| look.entry.operation).collect::<Vec<_>>(), [operation]);
    let Entry { children, facts, .. } = &looks[0].entry;
    let facts = facts.iter().map(|number| Facts::of_number(*number)).chain(std::iter::repeat(None));
    children.iter().cloned().zip(facts).collect()
}

async fn facts_of(store: &Store, directory: &Directory, operation: Operation, n: u32) -> Option<Facts> {
    let index = look(directory, operation, n).await;
    let mut written = written(store, index, operation).await;
    let of_the_child = written.remove(&child(n).number).unwrap();
    assert!(written.is_empty(), "{operation:?} {n}: of nobody else");
    of_the_child
}

const fn facts(tie: Tie, kin: Kin, place: Place) -> Facts {
    Facts { tie, kin, place }
}

/// What is known where a record is opened: of one that is shielded no more than its name.
const OF_A_RECORD: [(u32, Facts); 9] = [
    (AT_HOME, facts(Tie::Involved, Kin::Home, Place::Own)),
    (NAMESAKE, facts(Tie::Involved, Kin::Name, Place::Own)),
    (INVOLVED, facts(Tie::Involved, Kin::None, Place::Own)),
    (SHIELDED, facts(Tie::Involved, Kin::None, Place::Unknown)),
    (SHIELDED_NAMESAKE, facts(Tie::Involved, Kin::Name, Place::Unknown)),
    (STRANGER_AT_HOME, facts(Tie::None, Kin::Home, Place::Adjoining)),
    (FAR_NAMESAKE, facts(Tie::None, Kin::Name, Place::Far)),
    (FOR_OTHERS, facts(Tie::Involved, Kin::Home, Place::Own)),
    (NOT_ON_RECORD, Facts::OF_NOBODY),
];

/// What is known of a child that was opened by its number, and not looked at yet: its name at most.
const OF_A_NUMBER: [(u32, Facts); 9] = [
    (AT_HOME, facts(Tie::Involved, Kin::None, Place::Own)),
    (NAMESAKE, facts(Tie::Involved, Kin::Name, Place::Own)),
    (INVOLVED, facts(Tie::Involved, Kin::None, Place::Own)),
    (SHIELDED, facts(Tie::Involved, Kin::None, Place::Unknown)),
    (SHIELDED_NAMESAKE, facts(Tie::Involved, Kin::Name, Place::Unknown)),
    (STRANGER_AT_HOME, facts(Tie::None, Kin::None, Place::Unknown)),
    (FAR_NAMESAKE, facts(Tie::None, Kin::Name, Place::Unknown)),
    // nothing was opened
    (FOR_OTHERS, Facts::OF_NOBODY),
    (NOT_ON_RECORD, Facts::OF_NOBODY),
];

async fn writes(operation: Operation, expected: [(u32, Facts); 9]) {
    let dir = tempfile::tempdir().unwrap();
    let (store, directory) = filled(dir.path()).await;
    for (n, expected) in expected {
        assert_eq!(facts_of(&store, &directory, operation, n).await, Some(expected), "{operation:?} of {n}");
    }
}

#[tokio::test]
async fn a_view_writes_what_is_known_of_the_child_shown_or_not() {
    // F4, D7; E2: of a shielded child no more counts than its name
    writes(Operation::View, OF_A_RECORD).await;
}

#[tokio::test]
async fn a_search_writes_what_is_known_of_each_child_that_it_lists_or_was_asked_for() {
    // F4, D3; E2
    writes(Operation::Search, OF_A_RECORD).await;
    let dir = tempfile::tempdir().unwrap();
    let (store, directory) = filled(dir.path()).await;
    let born = child(NAMESAKE).statements[0].date_of_birth;
    let index = search(&directory, json!({"family_name": "Okafor", "date_of_birth": born, "reason": "concern"})).await;
    let expected = [(NAMESAKE, Kin::Name), (NAMESAKE_AT_HOME, Kin::Home)];
    let expected = expected.map(|(n, kin)| (child(n).number, Some(facts(Tie::Involved, kin, Place::Own))));
    assert_eq!(written(&store, index, Operation::Search).await, BTreeMap::from(expected), "each its own");
}

#[tokio::test]
async fn asking_for_contact_writes_what_is_known_of_the_child() {
    // F4, E6; E2
    writes(Operation::AskContact, OF_A_RECORD).await;
}

#[tokio::test]
async fn a_broken_glass_writes_what_is_known_by_the_name_of_the_child_that_is_opened_and_the_view_behind_it_the_rest() {
    // F4, D4: nothing but the number is shown yet
    writes(Operation::BreakGlass, OF_A_NUMBER).await;
    let dir = tempfile::tempdir().unwrap();
    let (store, directory) = filled(dir.path()).await;
    look(&directory, Operation::BreakGlass, STRANGER_AT_HOME).await;
    let seen = facts_of(&store, &directory, Operation::View, STRANGER_AT_HOME).await;
    assert_eq!(seen, Some(facts(Tie::None, Kin::Home, Place::Adjoining)));
}

#[tokio::test]
async fn an_overridden_shield_writes_what_is_known_by_the_name_and_the_view_of_the_whole_record_the_rest() {
    // F4, E5: nothing but the number is shown yet
    writes(Operation::OverrideShield, OF_A_NUMBER).await;
    let dir = tempfile::tempdir().unwrap();
    let (store, directory) = filled(dir.path()).await;
    look(&directory, Operation::OverrideShield, SHIELDED).await;
    let seen = facts_of(&store, &directory, Operation::View, SHIELDED).await;
    assert_eq!(seen, Some(facts(Tie::Involved, Kin::Home, Place::Adjoining)));
}
