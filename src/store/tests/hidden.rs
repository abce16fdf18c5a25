//! What a shield hides is not found and not counted either: rows that are opened are counted here, where an attacker would measure time.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod rig;

use contactpoint_audit::{Entry, Field, Operation};
use contactpoint_domain::{
    Audience, ChildNumber, ChildRecord, DateOfBirth, Instant, Name, NhsNumber, OrganisationId, PersonId, Shield, ShieldReason, Statement,
};
use contactpoint_matching::{identity_key, Sought};
use contactpoint_store::{Store, StoreError, Transaction};
use rig::{child, create, entry, open};

const NOW: Instant = Instant::of_millis(1_767_603_600_000);
const SCOPE: OrganisationId = OrganisationId(1);

async fn put(store: &Store, number: ChildNumber, change: impl FnOnce(&mut ChildRecord) + Send + 'static) {
    let changed = store.change(move |tx| {
        let held = tx.child(&number)?.ok_or(StoreError::Unknown("child"))?;
        let mut record = held.record.clone();
        change(&mut record);
        tx.put_child(&held, &record)?;
        Ok(((), entry(Operation::Shield, vec![number])))
    });
    changed.await.unwrap().into_inner();
}

fn shield() -> Shield {
    Shield { reason: ShieldReason::DomesticViolence, review: NOW.day().plus_years(1), by: PersonId(9), at: NOW }
}

/// How many rows a search opens, by family name and date of birth or postcode.
async fn candidates(store: &Store, family: &str, born: Option<DateOfBirth>, postcode: Option<&str>) -> u64 {
    let family = family.try_into().unwrap();
    let postcode = postcode.map(|text| text.try_into().unwrap());
    let key = Sought { family: Some(&family), given: None, date_of_birth: born, postcode: postcode.as_ref() }.key().unwrap();
    let before = store.child_rows_opened();
    let found = store.look(move |snapshot| Ok((snapshot.children_in_scope(SCOPE, &key, 100)?.len(), entry(Operation::Search, vec![]))));
    let found = found.await.unwrap().into_inner() as u64;
    assert_eq!(store.child_rows_opened() - before, found);
    found
}

/// Where the child lived before, lives, its former name and its name: rows opened for each.
async fn found_by_each_field(store: &Store, record: &ChildRecord) -> [u64; 5] {
    let said = &record.statements[0];
    let (name, former) = (said.name.family.as_str().to_owned(), said.former_names[0].family.as_str().to_owned());
    let born = Some(said.date_of_birth);
    [
        candidates(store, &name, None, Some("ZZ99 1QL")).await,
        candidates(store, &name, None, Some("ZZ99 3WZ")).await,
        candidates(store, &former, None, Some("ZZ99 3WZ")).await,
        candidates(store, &former, born, None).await,
        candidates(store, &name, born, None).await,
    ]
}

fn lived_at(mut said: Statement, postcode: &str) -> Statement {
    said.address.as_mut().unwrap().postcode = Some(postcode.try_into().unwrap());
    said
}

#[tokio::test]
async fn a_shielded_record_is_not_even_opened_for_a_field_that_is_hidden() {
    // E3: a query that uses any hidden field of a shielded record does not find it; E2: no count or timing
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let record = child(7);
    let number = record.number.clone();
    let former = ChildRecord { statements: vec![lived_at(record.statements[0].clone(), "ZZ99 1QL")], ..record.clone() };
    store.change(move |tx| Ok((tx.add_child(&former)?, entry(Operation::Feed, vec![])))).await.unwrap().into_inner();
    let moved = record.statements.clone();
    put(&store, number.clone(), move |held| held.statements = moved).await;
    // where it lived before stays in the index, and costs a look
    assert_eq!(found_by_each_field(&store, &record).await, [1, 1, 1, 1, 1]);

    put(&store, number.clone(), |held| held.shield = Some(shield())).await;
    assert_eq!(found_by_each_field(&store, &record).await, [0, 0, 0, 0, 1]);
    // a source that says more of the child says it to nobody
    let more = lived_at(record.statements[0].clone(), "ZZ99 1QL");
    put(&store, number.clone(), move |held| held.statements[0] = more).await;
    assert_eq!(found_by_each_field(&store, &record).await, [0, 0, 0, 0, 1]);
    store.close().await.unwrap();
    let store = open(dir.path()).unwrap();
    assert_eq!(found_by_each_field(&store, &record).await, [0, 0, 0, 0, 1]);

    let back = record.statements.clone();
    put(&store, number.clone(), move |held| (held.shield, held.statements) = (None, back)).await;
    assert_eq!(found_by_each_field(&store, &record).await, [0, 1, 1, 1, 1]);
}

#[tokio::test]
async fn a_shield_that_was_not_committed_hides_nothing() {
    // F1: both are durable, or neither is in the store
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let record = child(7);
    let (number, new) = (record.number.clone(), record.clone());
    store.change(move |tx| Ok((tx.add_child(&new)?, entry(Operation::Feed, vec![])))).await.unwrap().into_inner();
    for is_shielded in [false, true] {
        if is_shielded {
            put(&store, number.clone(), |held| held.shield = Some(shield())).await;
        }
        let before = found_by_each_field(&store, &record).await;
        let sought = number.clone();
        let failed = store.change::<()>(move |tx| {
            let held = tx.child(&sought)?.ok_or(StoreError::Unknown("child"))?;
            let turned = if is_shielded { None } else { Some(shield()) };
            tx.put_child(&held, &ChildRecord { shield: turned, ..held.record.clone() })?;
            Err(StoreError::Unknown("the end"))
        });
        assert!(failed.await.is_err());
        assert_eq!(found_by_each_field(&store, &record).await, before, "{is_shielded}");
    }
}

#[tokio::test]
async fn a_change_whose_entry_fits_no_leaf_leaves_the_index_as_it_was() {
    // F1: both are durable, or neither is in the store; what is found without a restart is what is found after one
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let record = child(7);
    let (number, new) = (record.number.clone(), record.clone());
    store.change(move |tx| Ok((tx.add_child(&new)?, entry(Operation::Feed, vec![])))).await.unwrap().into_inner();
    let said = record.statements[0].clone();
    for is_shielded in [false, true] {
        if is_shielded {
            put(&store, number.clone(), |held| held.shield = Some(shield())).await;
        }
        let before = found_by_each_field(&store, &record).await;
        let (sought, said) = (number.clone(), said.clone());
        let failed = store.change::<()>(move |tx| {
            let held = tx.child(&sought)?.ok_or(StoreError::Unknown("child"))?;
            let turned = if is_shielded { None } else { Some(shield()) };
            let moved = vec![lived_at(said, "ZZ99 1QL")];
            tx.put_child(&held, &ChildRecord { shield: turned, statements: moved, ..held.record.clone() })?;
            Ok(((), entry(Operation::Shield, (0..40_000).map(ChildNumber::with_body).collect())))
        });
        assert!(failed.await.is_err(), "more children than any leaf tells of");
        assert_eq!(found_by_each_field(&store, &record).await, before, "{is_shielded}");
    }
}

#[tokio::test]
async fn a_number_that_is_on_record_costs_as_much_as_one_that_is_not() {
    // D1, D8: never told apart; timing of store operations (count them, do not time them)
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    for n in 0..5 {
        store.change(move |tx| Ok((tx.add_child(&child(n))?, entry(Operation::Feed, vec![])))).await.unwrap().into_inner();
    }
    for n in 0..20 {
        let (number, before) = (child(n).number, store.child_rows_opened());
        let found = store.look(move |snapshot| Ok((snapshot.child(&number)?.is_some(), entry(Operation::View, vec![number]))));
        assert_eq!((found.await.unwrap().into_inner(), store.child_rows_opened() - before), (n < 5, 1), "{n}");
    }
}

#[tokio::test]
async fn only_guarded_records_are_found_by_what_guards_them() {
    // E4: an incoming record that may match a shielded child is quarantined for the authority
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let record = child(7);
    let number = record.number.clone();
    let (new, said) = (record.clone(), record.statements[0].clone());
    store.change(move |tx| Ok((tx.add_child(&new)?, entry(Operation::Feed, vec![])))).await.unwrap().into_inner();
    let guarded = |said: Statement| {
        let store = store.clone();
        async move {
            let found =
                store.look(move |snapshot| Ok((usize::from(snapshot.guarded_like(&said)?.is_some()), entry(Operation::Feed, vec![]))));
            found.await.unwrap().into_inner()
        }
    };
    assert_eq!(guarded(said.clone()).await, 0);
    put(&store, number.clone(), |held| held.shield = Some(shield())).await;
    assert_eq!(guarded(said.clone()).await, 1);
    // another address and another family name than the one on record, but a former one of it
    let mut other = Statement { address: None, ..said.clone() };
    other.name.family = said.former_names[0].family.clone();
    other.former_names.clear();
    assert_eq!(guarded(other.clone()).await, 1);
    other.name.given = "Rowena".try_into().unwrap();
    assert_eq!(guarded(other.clone()).await, 1, "a given name in another form");
    other.date_of_birth = DateOfBirth::of(2001, 1, 1).unwrap();
    assert_eq!(guarded(other).await, 0);
    put(&store, number, |held| held.shield = None).await;
    assert_eq!(guarded(said).await, 0);
}

#[tokio::test]
async fn where_more_are_guarded_than_are_opened_a_statement_is_held_back_by_the_first() {
    // E4: never created unshielded beside it, nor is a supplier that fills a key waited for; rows that are opened are counted
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let mut numbers = (0..).filter_map(|n: u32| NhsNumber::try_from(format!("999{n:07}").as_str()).ok());
    let mut said = Statement { nhs_number: numbers.next(), address: None, ..child(7).statements[0].clone() };
    said.name.given = "Rowena".try_into().unwrap();
    said.former_names.clear();
    let mut there = 0;
    // sisters, as far as anybody knows: each has a number of her own
    for (guarded, expected) in [(0, (false, 0)), (10, (false, 10)), (64, (false, 64)), (65, (true, 64)), (200, (true, 64))] {
        let added: Vec<ChildRecord> = (there..guarded)
            .map(|n| {
                let said = Statement { nhs_number: numbers.next(), address: None, ..child(7).statements[0].clone() };
                ChildRecord { statements: vec![said], shield: Some(shield()), ..child(1000 + n) }
            })
            .collect();
        let all = move |tx: &mut Transaction<'_>| added.iter().try_for_each(|record| tx.add_child(record));
        store.change(move |tx| Ok((all(tx)?, entry(Operation::Feed, vec![])))).await.unwrap().into_inner();
        there = guarded;
        let (said, before) = (said.clone(), store.child_rows_opened());
        let found = store.look(move |snapshot| Ok((snapshot.guarded_like(&said)?.is_some(), entry(Operation::Feed, vec![]))));
        assert_eq!((found.await.unwrap().into_inner(), store.child_rows_opened() - before), expected, "{guarded}");
    }
}

#[tokio::test]
async fn a_record_for_named_people_is_not_among_those_that_a_search_counts_and_costs_it_nothing() {
    // D8: the attempt fails like a search with no hit; E2: no count or timing
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let record = child(7);
    let number = record.number.clone();
    let former = ChildRecord { statements: vec![lived_at(record.statements[0].clone(), "ZZ99 1QL")], ..record.clone() };
    store.change(move |tx| Ok((tx.add_child(&former)?, entry(Operation::Feed, vec![])))).await.unwrap().into_inner();
    // so many others that there is something to open in their place
    for n in 20..30 {
        store.change(move |tx| Ok((tx.add_child(&child(n))?, entry(Operation::Feed, vec![])))).await.unwrap().into_inner();
    }
    let moved = record.statements.clone();
    put(&store, number.clone(), move |held| held.statements = moved).await;
    let said = record.statements[0].clone();
    let searched = || {
        let (store, said) = (store.clone(), said.clone());
        async move {
            let sought = Sought { family: Some(&said.name.family), given: None, date_of_birth: Some(said.date_of_birth), postcode: None };
            let key = sought.key().unwrap();
            let before = store.child_rows_opened();
            let found = store.look(move |snapshot| {
                let found = (snapshot.children_in_scope(SCOPE, &key, 100)?.len(), snapshot.for_named_people_in_scope(SCOPE, &key)?.len());
                Ok((found, entry(Operation::Search, vec![])))
            });
            (found.await.unwrap().into_inner(), store.child_rows_opened() - before)
        }
    };
    assert_eq!(searched().await, ((1, 0), 3), "itself, and two for nothing");
    let audience = Audience { people: vec![PersonId(8)], by: PersonId(9), at: NOW };
    put(&store, number.clone(), move |held| held.audience = Some(audience)).await;
    assert_eq!(searched().await, ((0, 1), 2));
    assert_eq!(found_by_each_field(&store, &record).await, [0, 0, 0, 0, 0], "nor by what was said of it long ago");
    put(&store, number, |held| held.authority = OrganisationId(99)).await;
    assert_eq!(searched().await.1, 2, "as many as where there is none");
}

#[tokio::test]
async fn an_identity_that_is_hidden_costs_the_glass_as_much_as_one_that_nobody_has() {
    // E3: a query that uses any hidden field of a shielded record does not find it, and takes no more work
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    for n in 0..10 {
        store.change(move |tx| Ok((tx.add_child(&child(n))?, entry(Operation::Feed, vec![])))).await.unwrap().into_inner();
    }
    let opened = |family: &'static str| {
        let (store, record) = (store.clone(), child(7));
        async move {
            let said = &record.statements[0];
            let name = Name { given: said.name.given.clone(), family: family.try_into().unwrap() };
            let postcode = said.address.as_ref().unwrap().postcode.clone().unwrap();
            let key = identity_key(&name, said.date_of_birth, &postcode);
            let before = store.child_rows_opened();
            let found = store.look(move |snapshot| Ok((snapshot.children_by_key(&key)?.len(), entry(Operation::BreakGlass, vec![]))));
            (found.await.unwrap().into_inner(), store.child_rows_opened() - before)
        }
    };
    assert_eq!((opened("Wintergreen-h").await, opened("Nobody").await), ((1, 2), (0, 2)));
}

#[tokio::test]
async fn a_look_that_a_shield_overtakes_is_not_answered() {
    // E2: of a shielded child nothing else is seen, not even by who began to look before the shield was set; F1: no answer without an entry
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    for n in [7, 8] {
        store.change(move |tx| Ok((tx.add_child(&child(n))?, entry(Operation::Feed, vec![])))).await.unwrap().into_inner();
    }
    let (shielded, other) = (child(7).number, child(8).number);
    // the look has read its child, and has not come into the log, when the shield is set
    let looked = |number: ChildNumber, shown: Vec<Field>| {
        let (store, setting, shielded) = (store.clone(), store.clone(), shielded.clone());
        async move {
            let looked = store.look(move |snapshot| {
                let found = snapshot.child(&number)?.map(|held| held.record.shield.is_some());
                let set = std::thread::spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                    runtime.block_on(async {
                        put(&setting, shielded.clone(), |held| held.shield = None).await;
                        put(&setting, shielded, |held| held.shield = Some(shield())).await;
                    });
                });
                set.join().unwrap();
                Ok((found, Entry { shown, ..entry(Operation::View, vec![number]) }))
            });
            looked.await.map(contactpoint_store::Committed::into_inner)
        }
    };
    let overtaken = looked(shielded.clone(), vec![Field::Address]).await;
    assert!(matches!(overtaken, Err(StoreError::Overtaken)), "{overtaken:?}");
    assert_eq!(looked(other, vec![Field::Address]).await.unwrap(), Some(false), "another child's look is answered");
    assert_eq!(looked(shielded.clone(), Vec::new()).await.unwrap(), Some(true), "and one that shows nothing, as ever");
    let again = store.look(move |snapshot| {
        let found = snapshot.child(&shielded)?.map(|held| held.record.shield.is_some());
        Ok((found, Entry { shown: vec![Field::Name], ..entry(Operation::View, vec![shielded]) }))
    });
    assert_eq!(again.await.unwrap().into_inner(), Some(true), "who asks again is answered by what holds now");
}
