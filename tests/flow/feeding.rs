//! Feeds as a protocol: begun once, sent in pieces, resumed where they were cut off, counted once however often they are sent (rules H1,
//! H5).
//!
//! Each test feeds for a school of its own, so that the counts are its own.

use crate::borough::{borough, first_number, viewed, Borough};
use crate::children::{columns, sheet, Row};
use crate::office::{Desk, Office};
use crate::wire::{tls, until};
use serde_json::{json, Value};
use tokio::io::AsyncWriteExt;

/// A school that feeds.
async fn school(borough: &Borough, name: &str) -> Office {
    borough.open(name, "school", &["query", "feed"]).await
}

/// A pupil of this school; another school's pupils have other names.
fn pupil(family: &str, at: usize) -> Row {
    let given: String = format!("{at:04}").bytes().map(|digit| char::from(digit - b'0' + b'a')).collect();
    let born = format!("{:02}/{:02}/2016", at % 28 + 1, at % 12 + 1);
    [("Legal Surname", family), ("Legal Forename", &given), ("DOB", &born), ("Postcode", "ZZ99 3DD"), ("Address Line 1", "1 School Lane")]
        .map(|(column, value)| (column, value.to_owned()))
        .to_vec()
}

/// Header and records of a roll of so many pupils.
fn roll(family: &str, count: usize) -> (String, Vec<String>) {
    let text = sheet("school-roll", &(0..count).map(|at| pupil(family, at)).collect::<Vec<_>>());
    let mut lines = text.lines().map(|line| format!("{line}\n"));
    (lines.next().unwrap().trim_end().to_owned(), lines.collect())
}

/// What the tests take for a file's digest: the directory cannot know better, and only compares.
fn digest(of: &str) -> String {
    let digit = of.bytes().fold(0u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    format!("{digit:064x}")
}

async fn begun(desk: &Desk, of: &str, header: &str) -> Value {
    let body = json!({"layout": "school-roll", "digest": digest(of), "header": header});
    desk.post("/v1/feeds", body).await.expect_status(200).json()
}

async fn sent(desk: &Desk, feed: &Value, first_line: u64, lines: &[String]) -> Value {
    desk.send_lines(feed["feed"].as_u64().unwrap(), first_line, lines.concat()).await.expect_status(200).json()
}

async fn finished(desk: &Desk, feed: &Value, lines: u64) -> Value {
    desk.post(&format!("/v1/feeds/{}/finish", feed["feed"]), json!({"lines": lines})).await.expect_status(200).json()
}

fn counts(report: &Value) -> [u64; 4] {
    ["created", "joined", "unchanged", "rejected_count"].map(|count| report[count].as_u64().unwrap())
}

#[tokio::test]
async fn a_feed_that_is_cut_off_goes_on_where_it_stood_and_makes_no_doubles() {
    // H5: a load that is cut off resumes; a record sent twice is one record
    let borough = borough().await;
    let office = school(borough, "Resuming School").await;
    let steward = office.steward();
    let (header, lines) = roll("Resumington", 30);
    let feed = begun(steward, "resuming", &header).await;
    assert_eq!((&feed["next_line"], &feed["accepted"], &feed["rejected"]), (&json!(2), &json!(0), &json!(0)));
    let taken = sent(steward, &feed, 2, &lines[..10]).await;
    assert_eq!((&taken["next_line"], &taken["created"], &taken["rejected"]), (&json!(12), &json!(10), &json!([])));

    // a piece whose sender stops in the middle: nothing of it is taken
    cut_off_in_the_middle(steward, &feed, &lines[10..20].concat()).await;
    let again = begun(steward, "resuming", &header).await;
    assert_eq!(again, json!({"feed": feed["feed"], "next_line": 12, "accepted": 10, "rejected": 0}));
    drop(sent(steward, &feed, 12, &lines[10..30]).await);
    let report = finished(steward, &feed, 31).await;
    assert_eq!((counts(&report), &report["complete"], &report["next_line"]), ([30, 0, 0, 0], &json!(true), &json!(32)));
    let told = steward.get(&format!("/v1/feeds/{}", feed["feed"])).await.expect_status(200).json();
    assert_eq!(told, report);
}

/// Announces a piece, sends half of it, and goes away.
async fn cut_off_in_the_middle(steward: &Desk, feed: &Value, lines: &str) {
    let mut stream = tls(&steward.server, &steward.tls).await.unwrap();
    let head = format!(
        "POST /v1/feeds/{}/lines?first_line=12 HTTP/1.1\r\nhost: d\r\nauthorization: Bearer {}\r\n\
         content-type: text/csv\r\ncontent-length: {}\r\n\r\n",
        feed["feed"],
        steward.token,
        lines.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&lines.as_bytes()[..lines.len() / 2]).await.unwrap();
    stream.flush().await.unwrap();
    drop(stream);
}

#[tokio::test]
async fn a_pupil_whom_the_roll_names_as_left_is_out_of_the_school_s_scope_the_same_second() {
    // D1: scope comes from relationships, worked out afresh for every request: a teacher the school's roll
    let borough = borough().await;
    let office = school(borough, "Leaving School").await;
    let (steward, teacher) = (office.steward(), office.practitioner());
    let fed = async |left: &str| {
        let rows = [[pupil("Leaverton", 0), vec![("Left", left.to_owned())]].concat(), pupil("Stayerton", 1)];
        let report =
            contactpoint_support::feed(&mut steward.connection(), &steward.token, "school-roll", &sheet("school-roll", &rows)).await;
        assert_eq!(report["rejected_count"], 0, "{report}");
    };
    fed("").await;
    let number = first_number(teacher, "Leaverton", "2016-01-01").await.unwrap();
    drop(teacher.post("/v1/children/view", viewed(&number)).await.expect_status(200));
    fed("Y").await;
    assert_eq!(teacher.post("/v1/children/view", viewed(&number)).await.expect_status(404).code(), "not_found_or_not_yours");
    assert_eq!(first_number(teacher, "Leaverton", "2016-01-01").await, None);
    assert!(first_number(teacher, "Stayerton", "2016-02-02").await.is_some());
    fed("N").await;
    drop(teacher.post("/v1/children/view", viewed(&number)).await.expect_status(200));
}

#[tokio::test]
async fn the_same_file_twice_is_one_feed_and_the_same_records_in_another_file_change_nothing() {
    // H5: a record sent twice is one record
    let borough = borough().await;
    let office = school(borough, "Repeating School").await;
    let steward = office.steward();
    let (header, lines) = roll("Repeatson", 12);
    let first = begun(steward, "repeating", &header).await;
    drop(sent(steward, &first, 2, &lines).await);
    assert_eq!(counts(&finished(steward, &first, 13).await), [12, 0, 0, 0]);

    let same_file = begun(steward, "repeating", &header).await;
    assert_eq!((&same_file["feed"], &same_file["next_line"]), (&first["feed"], &json!(14)));
    let same_records = begun(steward, "repeating, with a line end more", &header).await;
    assert_ne!(same_records["feed"], first["feed"]);
    drop(sent(steward, &same_records, 2, &lines).await);
    assert_eq!(counts(&finished(steward, &same_records, 13).await), [0, 0, 12, 0]);

    let found = json!({"family_name": "Repeatson", "postcode": "ZZ99 3DD", "reason": "concern"});
    let found = office.practitioner().post("/v1/children/search", found).await.expect_status(200).json();
    assert_eq!(found["hits"].as_array().unwrap().len(), 12);
}

#[tokio::test]
async fn a_record_twice_in_one_file_is_one_child_and_a_changed_one_is_the_same_child() {
    // H5: a record sent twice is one record; A6: nothing is overwritten without trace
    let borough = borough().await;
    let office = school(borough, "Doubling School").await;
    let steward = office.steward();
    let mut changed = pupil("Doublesworth", 0);
    changed.push(("Contact 1 Surname", "Doublesworth".to_owned()));
    changed.push(("Contact 1 Forename", "Pat".to_owned()));
    let text = sheet("school-roll", &[pupil("Doublesworth", 0), pupil("Doublesworth", 0), changed, pupil("Doublesworth", 1)]);
    let report = contactpoint_support::feed(&mut steward.connection(), &steward.token, "school-roll", &text).await;
    assert_eq!(counts(&report), [2, 1, 1, 0]);
}

#[tokio::test]
async fn twins_and_namesakes_at_one_address_stay_children_of_their_own() {
    // H2; a trap: the failure that children bring is families
    let borough = borough().await;
    let office = school(borough, "Family School").await;
    let steward = office.steward();
    let named = |given: &str, more: &[(&'static str, &str)]| -> Row {
        let mut row: Row = pupil("Twinningham", 0).into_iter().filter(|(column, _)| *column != "Legal Forename").collect();
        row.push(("Legal Forename", given.to_owned()));
        row.extend(more.iter().map(|(column, value)| (*column, (*value).to_owned())));
        row
    };
    let one = named("Ann", &[("NHS Number", "9990000042")]);
    let twin = named("Anne", &[]);
    let namesake = named("Ann", &[("NHS Number", "9990000050")]);
    let text = sheet("school-roll", &[one, twin, namesake]);
    let report = contactpoint_support::feed(&mut steward.connection(), &steward.token, "school-roll", &text).await;
    assert_eq!(counts(&report), [3, 0, 0, 0]);
}

#[tokio::test]
async fn lines_that_do_not_begin_where_the_feed_stands_are_not_taken() {
    // docs/problems.md: feed_out_of_step, with next_line
    let borough = borough().await;
    let office = school(borough, "Stumbling School").await;
    let steward = office.steward();
    let (header, lines) = roll("Stumblewood", 6);
    let feed = begun(steward, "stumbling", &header).await;
    let number = feed["feed"].as_u64().unwrap();
    drop(sent(steward, &feed, 2, &lines[..3]).await);
    for first_line in [0, 1, 2, 4, 6, 99] {
        let answer = steward.send_lines(number, first_line, lines[..3].concat()).await.expect_status(409);
        assert_eq!((answer.code().as_str(), &answer.json()["next_line"]), ("feed_out_of_step", &json!(5)));
    }
    for lines in [0, 3, 5, 6] {
        let answer = steward.post(&format!("/v1/feeds/{number}/finish"), json!({"lines": lines})).await.expect_status(409);
        assert_eq!(answer.json()["next_line"], 5);
    }
    drop(sent(steward, &feed, 5, &lines[3..]).await);
    assert_eq!(counts(&finished(steward, &feed, 7).await), [6, 0, 0, 0]);
}

#[tokio::test]
async fn two_senders_of_one_piece_at_the_same_moment_make_no_doubles() {
    // H5: a record sent twice is one record
    let borough = borough().await;
    let office = school(borough, "Hasty School").await;
    let steward = office.steward();
    let (header, lines) = roll("Hastingsby", 50);
    let feed = begun(steward, "hasty", &header).await;
    let number = feed["feed"].as_u64().unwrap();
    let piece = lines.concat();
    let (one, other) = tokio::join!(steward.send_lines(number, 2, piece.clone()), steward.send_lines(number, 2, piece.clone()));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    assert_eq!(counts(&finished(steward, &feed, 51).await), [50, 0, 0, 0]);
}

#[tokio::test]
async fn a_piece_has_at_most_a_thousand_records() {
    // the contract of the feed: at most 1,000 records and 1 MiB
    let borough = borough().await;
    let office = school(borough, "Generous School").await;
    let steward = office.steward();
    let (header, lines) = roll("Generouse", 1001);
    let feed = begun(steward, "generous", &header).await;
    let number = feed["feed"].as_u64().unwrap();
    let answer = steward.send_lines(number, 2, lines.concat()).await.expect_status(413);
    assert_eq!(answer.code(), "body_too_large");
    let taken = sent(steward, &feed, 2, &lines[..1000]).await;
    assert_eq!((&taken["next_line"], &taken["created"]), (&json!(1002), &json!(1000)));
    let rest = sent(steward, &feed, 1002, &lines[1000..]).await;
    assert_eq!(rest["next_line"], 1003);
}

#[tokio::test]
async fn only_a_data_steward_of_an_organisation_that_may_feed_feeds() {
    // B2: accreditation is per capability; C4: roles; H1: suppliers feed
    let borough = borough().await;
    let (header, lines) = roll("Forbidden", 1);
    let body = json!({"layout": "school-roll", "digest": digest("forbidden"), "header": header});
    let school = &borough.oak;
    for (desk, code) in [
        (school.practitioner(), "forbidden"),
        (&school.administrator, "forbidden"),
        (borough.police.steward(), "capability_missing"),
        (&borough.auditor.people()[0], "forbidden"),
    ] {
        assert_eq!(desk.post("/v1/feeds", body.clone()).await.expect_status(403).code(), code);
        assert_eq!(desk.send_lines(1, 2, lines.concat()).await.expect_status(403).code(), code);
        assert_eq!(desk.get("/v1/feeds/1").await.expect_status(403).code(), code);
        assert_eq!(desk.post("/v1/feeds/1/finish", json!({"lines": 2})).await.expect_status(403).code(), code);
    }
}

#[tokio::test]
async fn a_feed_of_another_organisation_and_one_that_is_not_there_cannot_be_told_apart() {
    // D1 in spirit: what is not yours is not there
    let borough = borough().await;
    let office = school(borough, "Private School").await;
    let (header, lines) = roll("Privatt", 2);
    let feed = begun(office.steward(), "private", &header).await["feed"].as_u64().unwrap();
    let stranger = borough.river.steward();
    for number in [feed, 999_999] {
        for answer in [
            stranger.get(&format!("/v1/feeds/{number}")).await,
            stranger.send_lines(number, 2, lines.concat()).await,
            stranger.post(&format!("/v1/feeds/{number}/finish"), json!({"lines": 1})).await,
        ] {
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (404, "not_found_or_not_yours"));
        }
    }
    for number in ["99999999999999999999", "9223372036854775808"] {
        assert_eq!(stranger.get(&format!("/v1/feeds/{number}")).await.expect_status(404).code(), "not_found_or_not_yours");
    }
}

#[tokio::test]
async fn a_header_that_does_not_fit_its_layout_begins_no_feed() {
    // A3: unknown CSV columns are refused, never dropped in silence; bad input: missing and unknown columns
    let borough = borough().await;
    let steward = borough.oak.steward();
    let (_, names) = columns("school-roll");
    let good = names.join(",");
    let without = |name: &str| names.iter().filter(|known| *known != name).cloned().collect::<Vec<_>>().join(",");
    for (header, status, code) in [
        (without("DOB"), 400, "malformed_request"),
        (without("CAF"), 400, "malformed_request"),
        (format!("{good},SENTINEL Notes"), 400, "unknown_member"),
        (good.replace("DOB", "Date of birth"), 400, "unknown_member"),
        (format!("{good},DOB"), 400, "malformed_request"),
        (format!("{good},Year Group,Year Group"), 400, "malformed_request"),
        (good.replace(',', ";"), 400, "unknown_member"),
        (String::new(), 400, "malformed_request"),
        (format!("\"{good}"), 400, "malformed_request"),
        (format!("{good}\u{0}"), 400, "malformed_request"),
    ] {
        let body = json!({"layout": "school-roll", "digest": digest("bad header"), "header": header});
        let answer = steward.post("/v1/feeds", body).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{header}");
        assert!(!String::from_utf8_lossy(&answer.body).contains("SENTINEL"));
    }
    for (member, value) in [("layout", "../school-roll"), ("layout", "no-such-layout"), ("digest", "abc"), ("digest", &"g".repeat(64))] {
        let mut body = json!({"layout": "school-roll", "digest": digest("x"), "header": good});
        body[member] = json!(value);
        assert_eq!(steward.post("/v1/feeds", body).await.expect_status(422).code(), "invalid_value", "{value}");
    }
    for query in ["", "?first_line=", "?first_line=-1", "?first_line=2&first_line=3", "?line=2", "?first_line=99999999999"] {
        let asked = http::Request::post(format!("/v1/feeds/1/lines{query}"))
            .header("authorization", format!("Bearer {}", steward.token))
            .header("content-type", "text/csv")
            .body(http_body_util::Full::new(bytes::Bytes::from_static(b"x\n")));
        assert_eq!(steward.send(asked.unwrap()).await.expect_status(400).code(), "malformed_request", "{query}");
    }
}

#[tokio::test]
async fn look_ups_go_on_while_a_feed_is_taken_in() {
    // bad input: good lines kept, nothing else lost
    let borough = borough().await;
    let office = school(borough, "Busy School").await;
    let steward = office.steward();
    let (header, lines) = roll("Busyborough", 900);
    let feed = begun(steward, "busy", &header).await;
    let feeding = async { drop(sent(steward, &feed, 2, &lines).await) };
    let looking = async {
        for _ in 0..10 {
            let search = crate::borough::searched("Thornbury", "2014-03-09");
            drop(borough.oak.practitioner().post("/v1/children/search", search).await.expect_status(200));
        }
    };
    tokio::join!(feeding, looking);
    until("the feed's end", || async { (begun(steward, "busy", &header).await["next_line"] == 902).then_some(()) }).await;
}

#[tokio::test]
async fn a_feed_that_brings_a_child_into_its_source_s_scope_is_listed_for_the_child() {
    // F3: "Who saw this child?" - whoever joins a child on record has it in their scope from then on (rule D1)
    let borough = borough().await;
    let first = school(borough, "First School").await;
    let second = school(borough, "Second School").await;
    let (header, lines) = roll("Joinborough", 1);
    let made = begun(first.steward(), "made", &header).await;
    assert_eq!(sent(first.steward(), &made, 2, &lines).await["created"], 1);
    let joining = begun(second.steward(), "joining", &header).await;
    assert_eq!(sent(second.steward(), &joining, 2, &lines).await["joined"], 1);
    // said again in other words it is the same source, which has the child already
    let moved: Vec<String> = lines.iter().map(|line| line.replace("1 School Lane", "2 School Lane")).collect();
    let again = begun(second.steward(), "moved", &header).await;
    assert_eq!(sent(second.steward(), &again, 2, &moved).await["joined"], 1);

    let born = "2016-01-01";
    let number = crate::borough::first_number(second.practitioner(), "Joinborough", born).await.unwrap();
    let auditor = borough.auditor.people()[0].clone();
    let answer = auditor.post("/v1/audit/who-saw", json!({"child_number": number, "reason": "audit"})).await.expect_status(200).json();
    let told: Vec<[&Value; 3]> = answer["looks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|look| [&look["operation"], &look["organisation"]["name"], &look["outcome"]])
        .collect();
    assert_eq!(
        told,
        [[&json!("search"), &json!("Second School"), &json!("answered")], [&json!("feed"), &json!("Second School"), &json!("answered")]]
    );
}

#[tokio::test]
async fn a_number_alone_does_not_make_one_child_of_two() {
    // H2: doubtful ones are not linked; attacks: a supplier who knows a number overwrote what everybody else sees
    let borough = borough().await;
    let office = school(borough, "Numbering School").await;
    let number = borough.number_of(crate::children::AMELIA.0, crate::children::AMELIA.1).await;
    let teacher = borough.oak.practitioner();
    let view = || teacher.post("/v1/children/view", crate::borough::viewed(&number));
    let before = view().await.expect_status(200).json();
    let mut row = pupil("Qqattacker", 1);
    row.push(("UPN", before["unique_pupil_number"].as_str().unwrap().to_owned()));
    let text = sheet("school-roll", &[row]);
    let (header, line) = text.split_once('\n').unwrap();
    let feed = begun(office.steward(), "numbering", header.trim_end()).await;
    let taken = sent(office.steward(), &feed, 2, &[line.to_owned()]).await;
    assert_eq!(taken["rejected"], json!([{"line": 2, "reason": "conflicting_identity"}]), "{taken}");
    let mut after = view().await.expect_status(200).json();
    after["entry"] = before["entry"].clone();
    assert_eq!(after, before);
}

#[tokio::test]
async fn a_finished_feed_takes_nothing_more_and_one_begun_keeps_its_header() {
    // H5: a load is one load; A3: columns are what the first line said
    let borough = borough().await;
    let office = school(borough, "Finishing School").await;
    let steward = office.steward();
    let (header, lines) = roll("Finishby", 2);
    let feed = begun(steward, "finishing", &header).await;
    drop(sent(steward, &feed, 2, &lines[..1]).await);
    let mut swapped: Vec<&str> = header.split(',').collect();
    swapped.swap(0, 1);
    let other = json!({"layout": "school-roll", "digest": digest("finishing"), "header": swapped.join(",")});
    assert_eq!(steward.post("/v1/feeds", other).await.expect_status(422).code(), "invalid_value");
    drop(finished(steward, &feed, 2).await);
    let late = steward.send_lines(feed["feed"].as_u64().unwrap(), 3, lines[1].clone()).await;
    assert_eq!(late.expect_status(409).code(), "feed_out_of_step");
}
