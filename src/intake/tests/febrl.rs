//! A file that nobody here made: FEBRL 1, fetched when this runs (tests/interop/febrl). Ignored by default, because it needs the network.

use contactpoint_domain::Instant;
use contactpoint_intake::{first_record, Layout};
use std::path::Path;
use std::process::Command;

#[test]
#[ignore = "fetches a Python package; run with --ignored"]
fn each_of_the_thousand_records_is_taken_or_refused_with_a_reason() {
    // H5: a bad line is reported by number and reason, and the good ones are kept
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let file = root.join("target/febrl/febrl1.csv");
    if !file.exists() {
        let script = root.join("tests/interop/febrl/fetch.py");
        assert!(Command::new("python3").arg(script).arg(root.join("target/febrl")).status().unwrap().success());
    }
    let layout = Layout::parse(&std::fs::read_to_string(root.join("tests/interop/febrl/febrl.toml")).unwrap()).unwrap();
    let bytes = std::fs::read(file).unwrap();
    let (header, body) = bytes.split_at(first_record(&bytes, true).unwrap());
    let columns = layout.header(header).unwrap();
    let records: Vec<_> = columns.records(body, Instant::of_millis(1_795_262_400_000)).collect();
    let taken = records.iter().filter(|(_, record)| record.is_ok()).count();
    assert_eq!((records.len(), taken), (1000, 896));
}
