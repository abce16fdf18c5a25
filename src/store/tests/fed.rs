//! What a feed leaves in the log of a child that was on record before (rules D1, F3).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod rig;
mod staff;

use contactpoint_audit::Operation;
use contactpoint_directory::{BeginFeed, Directory};
use contactpoint_domain::{Capability, Organisation, OrganisationId, OrganisationKind, PersonId, Role};
use contactpoint_identity::Caller;
use contactpoint_intake::Layout;
use contactpoint_matching::Sought;
use contactpoint_store::{FeedId, Store};
use rig::{create, entry};
use staff::{on_record, somebody, NOW};
use std::collections::BTreeMap;

const HEADER: &str = "family,given,born,line,postcode,left";

const LAYOUT: &str = r#"
name = "small"
title = "A small layout for tests"
date_format = "%Y-%m-%d"
column = [
    { name = "family", field = "family-name", required = true },
    { name = "given", field = "given-name", required = true },
    { name = "born", field = "date-of-birth", required = true },
    { name = "line", field = "address-line-1" },
    { name = "postcode", field = "postcode" },
    { name = "left", field = "left" },
]
[codes.flag]
Y = true
"#;

/// Feeds one line and says how many were joined.
async fn joined(directory: &Directory, by: &Caller, line: &'static str) -> u64 {
    let mut digest = [0; 32];
    line.bytes().enumerate().for_each(|(at, byte)| digest[at % 32] ^= byte);
    let begin = BeginFeed { layout: "small".to_owned(), digest, header: HEADER.to_owned() };
    let begun = serde_json::to_value(directory.begin_feed(by, begin, NOW).await.unwrap().into_inner().unwrap()).unwrap();
    let feed = FeedId(begun["feed"].as_i64().unwrap());
    let taken = directory.feed_lines(by, feed, 2, line.into(), NOW).await.unwrap().into_inner().unwrap();
    serde_json::to_value(taken).unwrap()["joined"].as_u64().unwrap()
}

/// Who fed the child of these tests, as the log tells the auditor: the newest first.
async fn fed_by(store: &Store) -> Vec<PersonId> {
    store.index_looks().await.unwrap();
    let (family, born) = ("Winter".try_into().unwrap(), "2015-03-04".try_into().unwrap());
    let key = Sought { family: Some(&family), given: None, date_of_birth: Some(born), postcode: None }.key().unwrap();
    let looked = store.look(move |snapshot| {
        let held = snapshot.children_in_scope(OrganisationId(2), &key, 9)?;
        let looks = snapshot.looks_at(&held[0].record.number, None, 9)?;
        Ok((looks, entry(Operation::WhoSaw, Vec::new())))
    });
    let looks = looked.await.unwrap().into_inner();
    looks.into_iter().filter(|look| look.entry.operation == Operation::Feed).filter_map(|look| look.entry.person).collect()
}

#[tokio::test]
async fn whoever_feeds_a_child_on_record_is_listed_also_where_the_line_says_that_the_work_ended() {
    // F3: the report's "joined" confirms that there is such a child, and that leaves a trace; D1: so does what brings it into the scope
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let steward = |id, body| {
        let caller = somebody(id, Role::DataSteward, (OrganisationKind::School, body), Capability::Feed);
        let school = Organisation { authority: Some(OrganisationId(1)), ..caller.organisation().clone() };
        Caller::dangerous_new(PersonId(id), school, caller.qualifications().clone())
    };
    let (theirs, stranger) = (steward(10, 2), steward(11, 3));
    on_record(&store, &[&theirs, &stranger]).await;
    let directory = Directory::new(store.clone(), BTreeMap::from([("small".to_owned(), Layout::parse(LAYOUT).unwrap())]));
    assert_eq!(joined(&directory, &theirs, "Winter,Ann,2015-03-04,7 High Street,ZZ1 1AA,\n").await, 0);
    assert_eq!(fed_by(&store).await, []);
    assert_eq!(joined(&directory, &stranger, "Winter,Ann,2015-03-04,7 High Street,ZZ1 1AA,Y\n").await, 1);
    assert_eq!(fed_by(&store).await, [PersonId(11)], "it asks whether there is such a child, and works with none");
    assert_eq!(joined(&directory, &stranger, "Winter,Ann,2015-03-04,7 High Street,ZZ1 1AA,\n").await, 1);
    assert_eq!(fed_by(&store).await, [PersonId(11), PersonId(11)], "and now has it in its scope");
    assert_eq!(joined(&directory, &stranger, "Winter,Ann,2015-03-04,8 High Street,ZZ1 1AA,\n").await, 1);
    assert_eq!(fed_by(&store).await.len(), 2, "said again in other words it is the same source");
}
