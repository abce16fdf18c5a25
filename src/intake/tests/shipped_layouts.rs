//! The layouts that are shipped, and the examples of docs/feeds.md.

use contactpoint_domain::Instant;
use contactpoint_intake::{layouts, Reason};
use std::path::Path;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

#[test]
fn every_shipped_layout_is_one_and_only_test_data_moves_years() {
    let shipped = layouts(&root().join("config/layouts")).unwrap();
    let names: Vec<&str> = shipped.keys().map(String::as_str).collect();
    assert_eq!(names, ["council-services", "police", "school-roll", "sensitive-service", "surgery-list", "youth-offending"]);
    assert!(shipped.values().all(|layout| !layout.is_for_test_data() && !layout.title().is_empty()));
    assert!(layouts(&root().join("tests/interop/febrl")).unwrap()["febrl"].is_for_test_data());
}

#[test]
fn every_example_of_the_documentation_is_taken() {
    let shipped = layouts(&root().join("config/layouts")).unwrap();
    let text = std::fs::read_to_string(root().join("docs/feeds.md")).unwrap();
    let blocks: Vec<&str> = text.split("```csv ").skip(1).map(|block| block.split("\n```").next().unwrap()).collect();
    assert_eq!(blocks.len(), shipped.len());
    for block in blocks {
        let (name, example) = block.split_once('\n').unwrap();
        let (header, body) = example.split_once('\n').unwrap();
        // 21 November 2026, the day for which the examples were made
        let records: Vec<_> =
            shipped[name].header(header.as_bytes()).unwrap().records(body.as_bytes(), Instant::of_millis(1_795_262_400_000)).collect();
        assert!(records.len() == 1 && records[0].1.is_ok(), "{name}");
    }
}

#[test]
fn every_reason_is_in_the_documentation() {
    let text = std::fs::read_to_string(root().join("docs/feeds.md")).unwrap();
    for reason in Reason::ALL {
        assert!(text.contains(&format!("`{reason}`")), "{reason}");
    }
}
