//! The made-up borough as its suppliers send it, read by intake with the shipped layouts.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may panic as tests do")]

use contactpoint_domain::{Instant, Name};
use contactpoint_intake::{first_record, layouts, Intake, Layout};
use contactpoint_synthesise::{write_borough, write_feeds, Request};
use jiff::civil::{date, Date};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

const TODAY: Date = date(2026, 11, 21);

fn noon(day: Date) -> Instant {
    let stamp = day.at(12, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
    Instant::of_millis(u64::try_from(stamp.as_millisecond()).unwrap())
}

fn borough(children: u64, seed: u64) -> tempfile::TempDir {
    let out = tempfile::tempdir().unwrap();
    write_borough(&Request { seed, children, today: TODAY, out: out.path().to_owned() }).unwrap();
    out
}

fn shipped_layouts() -> BTreeMap<String, Layout> {
    layouts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/layouts")).unwrap()
}

fn json(path: PathBuf) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Every feed of organisations.json: its path, and each record as intake takes it.
fn read_feeds(out: &Path, now: Instant) -> Vec<(String, Vec<Intake>)> {
    let layouts = shipped_layouts();
    let organisations = json(out.join("organisations.json"));
    let fed = organisations.as_array().unwrap().iter().filter_map(|one| Some((one["feed"].as_str()?, one["layout"].as_str()?)));
    fed.map(|(feed, layout)| {
        let bytes = std::fs::read(out.join(feed)).unwrap();
        let (header, body) = bytes.split_at(first_record(&bytes, true).unwrap());
        let columns = layouts[layout].header(header).unwrap();
        let records = columns.records(body, now).map(|(at, record)| record.unwrap_or_else(|fault| panic!("{feed} {at}: {fault}")));
        (feed.to_owned(), records.collect())
    })
    .collect()
}

fn all_files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            files.extend(all_files(&entry).into_iter().map(|(path, bytes)| (Path::new(entry.file_name().unwrap()).join(path), bytes)));
        } else {
            files.insert(PathBuf::from(entry.file_name().unwrap()), std::fs::read(&entry).unwrap());
        }
    }
    files
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let (first, again, other) = (borough(1000, 1), borough(1000, 1), borough(1000, 2));
    assert!(all_files(first.path()) == all_files(again.path()));
    assert!(all_files(first.path()) != all_files(other.path()));
}

#[test]
fn every_record_of_every_feed_is_taken_by_its_layout() {
    // A3: every value is a typed name, date, code ...; unknown columns are refused
    let out = borough(20_000, 1);
    let feeds = read_feeds(out.path(), noon(TODAY));
    assert_eq!(feeds.len(), 13);
    assert!(feeds.iter().all(|(_, records)| !records.is_empty()));
    let on_lists: usize = feeds.iter().filter(|(feed, _)| feed.contains("surgery")).map(|(_, records)| records.len()).sum();
    assert_eq!(on_lists, 20_000);
}

#[test]
fn a_feed_made_today_still_loads_in_four_weeks() {
    // I1: nobody of 18 or older is taken
    let out = borough(2000, 3);
    read_feeds(out.path(), noon(TODAY.checked_add(jiff::Span::new().days(28)).unwrap()));
}

#[test]
fn many_boroughs_have_files_of_their_own_and_every_child_a_number_of_its_own() {
    let out = tempfile::tempdir().unwrap();
    write_feeds(&Request { seed: 1, children: 3001, today: TODAY, out: out.path().to_owned() }, 3, true).unwrap();
    let feeds = read_feeds(out.path(), noon(TODAY));
    let lists = feeds.into_iter().filter(|(feed, _)| feed.contains("surgery"));
    let listed: Vec<Intake> = lists.flat_map(|(_, records)| records).collect();
    assert_eq!(listed.len(), 3001);
    let numbers: Vec<_> = listed.iter().filter_map(|record| record.nhs_number.clone()).collect();
    assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), numbers.len());
    assert!(numbers.iter().all(|number| number.as_str().starts_with("999")));
}

#[test]
fn the_child_of_the_scenario_is_known_to_three_and_not_to_the_other_surgery() {
    // D1: a GP sees the practice's list, a teacher the school's roll
    let out = borough(5000, 1);
    let scenario = json(out.path().join("scenario.json"));
    let told = |record: &Intake| {
        record.name.family.as_str().eq_ignore_ascii_case(scenario["child"]["family_name"].as_str().unwrap())
            && record.name.given.as_str() == scenario["child"]["given_name"].as_str().unwrap()
            && record.date_of_birth.date().to_string() == scenario["child"]["date_of_birth"].as_str().unwrap()
            && record.address.as_ref().unwrap().postcode.as_ref().unwrap().as_str() == scenario["child"]["postcode"].as_str().unwrap()
    };
    let feeds = read_feeds(out.path(), noon(TODAY));
    let knowing: BTreeSet<&str> = feeds.iter().filter(|(_, records)| records.iter().any(told)).map(|(feed, _)| feed.as_str()).collect();
    assert_eq!(knowing, BTreeSet::from(["feeds/council.csv", "feeds/school-1.csv", "feeds/surgery-1.csv"]));
}

#[test]
fn every_login_is_one_and_personas_are_among_them() {
    // C4: a person has exactly one organisation
    let out = borough(1000, 1);
    let (organisations, scenario) = (json(out.path().join("organisations.json")), json(out.path().join("scenario.json")));
    let people = organisations.as_array().unwrap().iter().flat_map(|one| one["people"].as_array().unwrap());
    let logins: Vec<&str> = people.map(|person| person["login"].as_str().unwrap()).collect();
    assert_eq!(logins.iter().collect::<BTreeSet<_>>().len(), logins.len());
    assert!(logins.iter().all(|login| contactpoint_domain::LoginName::try_from(*login).is_ok()));
    for persona in scenario["personas"].as_object().unwrap().values() {
        assert!(logins.contains(&persona["login"].as_str().unwrap()));
    }
}

/// Names as the directory compares them: lower case, no punctuation. Accents are left, so the true share is a little higher.
fn folded(name: &Name) -> String {
    let text = format!("{}|{}", name.given.as_str(), name.family.as_str());
    text.to_lowercase().chars().filter(|letter| letter.is_alphanumeric() || *letter == '|').collect()
}

/// What a record can join by.
fn joined_by(record: &Intake) -> Vec<String> {
    let postcode = record.address.as_ref().and_then(|address| address.postcode.clone());
    let same = postcode.map(|postcode| format!("{}|{:?}|{}", folded(&record.name), record.date_of_birth.date(), postcode.as_str()));
    let nhs = record.nhs_number.as_ref().map(|number| number.as_str().to_owned());
    let upn = record.unique_pupil_number.as_ref().map(|number| number.as_str().to_owned());
    [same, nhs, upn].into_iter().flatten().collect()
}

#[test]
fn most_records_join_and_none_joins_another_child() {
    // H2: automatic matching links most records; the matcher is to come, this is what equality alone can do
    let out = borough(5000, 1);
    let truth: Vec<(String, String)> = csv::Reader::from_path(out.path().join("truth.csv"))
        .unwrap()
        .records()
        .map(|row| row.unwrap())
        .map(|row| (format!("{}:{}", &row[0], &row[1]), row[2].to_owned()))
        .collect();
    let truth: HashMap<String, String> = truth.into_iter().collect();
    let (mut known, mut met): (HashMap<String, String>, BTreeSet<String>) = Default::default();
    let (mut again, mut joined, mut wrong) = (0u32, 0u32, 0u32);
    for (feed, records) in read_feeds(out.path(), noon(TODAY)) {
        for (at, record) in records.iter().enumerate() {
            let child = &truth[&format!("{feed}:{}", at + 2)];
            let by = joined_by(record);
            let found: BTreeSet<&String> = by.iter().filter_map(|key| known.get(key)).collect();
            again += u32::from(met.contains(child));
            joined += u32::from(met.contains(child) && found.contains(child));
            wrong += u32::from(found.iter().any(|found| *found != child));
            met.insert(child.clone());
            known.extend(by.into_iter().map(|key| (key, child.clone())));
        }
    }
    let share = f64::from(joined) / f64::from(again);
    println!("{joined} of {again} records about a child already met join it ({share:.3}); {wrong} join another");
    assert!((0.75..0.95).contains(&share), "{share}");
    assert_eq!(wrong, 0);
}
