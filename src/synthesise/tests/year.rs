//! The synthetic year: the same for the same seed, in the order of time, with what is planted told beside it and not in it.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use contactpoint_synthesise::{write_year, Misuse, SynthesisError, Tie, Year, YearRequest};
use std::collections::BTreeSet;

fn request(seed: u64, people: u64) -> YearRequest {
    YearRequest { seed, people, from: "2025-09-01".parse().unwrap() }
}

#[test]
fn a_year_has_an_order_twenty_misuses_and_facts_for_each_child() {
    // F1: who, organisation, role, reason, operation, child, outcome
    let mut year = Year::of(&request(1, 400)).unwrap();
    let (mut last, mut planted, mut ties) = (0, BTreeSet::new(), BTreeSet::new());
    let mut count = 0;
    for (at, played) in (&mut year).enumerate() {
        let (millis, entry) = (played.entry.at.millis(), &played.entry);
        assert!(played.index == at as u64 && millis / 1000 >= last);
        last = millis / 1000;
        assert!(entry.person.is_some() && entry.organisation.is_some() && entry.role.is_some() && entry.reason.is_some());
        assert_eq!(entry.children.len(), played.facts.len());
        assert!(entry.children.iter().zip(&played.facts).all(|(child, fact)| *child == fact.child));
        planted.extend(played.planted);
        ties.extend(played.facts.iter().map(|fact| fact.tie.code()));
        count += 1;
    }
    assert!(count > 50_000, "{count}");
    assert_eq!(planted, (0..20).collect(), "each misuse left something");
    assert_eq!(ties, [Tie::Involved, Tie::Area, Tie::None].map(Tie::code).into());
    let kinds: BTreeSet<Misuse> = year.plants().iter().map(|plant| plant.kind).collect();
    assert_eq!(kinds, Misuse::ALL.into());
}

#[test]
fn the_same_seed_writes_the_same_year_and_the_looks_do_not_tell_what_is_planted() {
    // G7: test systems hold synthetic data only; the truth is a file of its own
    let written = |seed| {
        let out = tempfile::tempdir().unwrap();
        write_year(&request(seed, 400), out.path()).unwrap();
        ["looks.jsonl", "facts.jsonl", "truth.json"].map(|name| std::fs::read_to_string(out.path().join(name)).unwrap())
    };
    let (first, again, other) = (written(1), written(1), written(2));
    assert!(first == again && first != other);
    let [looks, facts, truth] = first;
    assert!(!looks.contains("planted") && !facts.contains("planted"));
    let lines: Vec<&str> = looks.lines().collect();
    let truth: serde_json::Value = serde_json::from_str(&truth).unwrap();
    assert_eq!(truth["planted"].as_array().unwrap().len(), 20);
    for plant in truth["planted"].as_array().unwrap() {
        let people: BTreeSet<u64> = plant["people"].as_array().unwrap().iter().filter_map(serde_json::Value::as_u64).collect();
        for entry in plant["entries"].as_array().unwrap().iter().filter_map(serde_json::Value::as_u64) {
            let look: serde_json::Value = serde_json::from_str(lines[entry as usize]).unwrap();
            assert!(look["index"] == entry && people.contains(&look["person"].as_u64().unwrap()));
        }
    }
}

#[test]
fn a_year_of_too_few_or_too_many_people_is_refused() {
    for people in [0, 399, 66_001] {
        assert!(matches!(Year::of(&request(1, people)), Err(SynthesisError::Option(_))), "{people}");
    }
}
