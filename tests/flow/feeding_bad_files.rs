//! Files that go wrong, through the client program as a school would run it: every bad record named by number and reason, never by what it
//! says, and the good ones kept (rule H5).

use crate::borough::{borough, Borough};
use crate::children::{sheet, Row};
use crate::office::Office;
use contactpoint_support::{ClientCertificate, Person, Rig};
use serde_json::{json, Value};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The client program of one office, with a session of its own.
pub(crate) struct Program {
    program: PathBuf,
    profile: PathBuf,
    session: PathBuf,
}

impl Program {
    pub(crate) async fn of(borough: &Borough, office: &Office, person: &Person) -> Self {
        let code = person.authenticator.code().await;
        Self::logged_in(&borough.rig, &office.organisation.certificate, person, &code)
    }

    /// Logs somebody in with this code; they sign.
    pub(crate) fn logged_in(rig: &Rig, certificate: &ClientCertificate, person: &Person, code: &str) -> Self {
        let profile = rig.profile(&person.login, certificate);
        let session = profile.with_extension("session");
        let program = Self { program: rig.programs.client.clone(), profile, session };
        let logged_in = program.run(&["log-in", "--login", &person.login, "--password-stdin", "--code", code], &person.password);
        assert!(logged_in.status.success(), "{}", String::from_utf8_lossy(&logged_in.stderr));
        let signed = program.run(&["sign", "--accept", "1"], "");
        assert!(signed.status.success(), "{}", String::from_utf8_lossy(&signed.stderr));
        program
    }

    pub(crate) fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = Command::new(&self.program);
        command.env_clear().arg("--profile").arg(&self.profile).arg("--session-file").arg(&self.session).args(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // who needs no input may be gone before it comes
        drop(child.stdin.take().unwrap().write_all(format!("{input}\n").as_bytes()));
        child.wait_with_output().unwrap()
    }

    /// Feeds a file; the exit code and the report.
    fn feed(&self, file: &Path) -> (Option<i32>, Value, Output) {
        let output = self.run(&["--json", "feed", file.to_str().unwrap(), "--layout", "school-roll"], "");
        (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or(Value::Null), output)
    }
}

/// A good record with some of its values changed.
fn pupil(given: &str, changed: &[(&'static str, &str)]) -> Row {
    let good = [
        ("Legal Surname", "Faultless"),
        ("Legal Forename", given),
        ("DOB", "04/03/2015"),
        ("Address Line 1", "1 Clean Street"),
        ("Postcode", "ZZ99 4DD"),
    ];
    let mut row: Row = good.map(|(column, value)| (column, value.to_owned())).to_vec();
    for (column, value) in changed {
        row.retain(|(known, _)| known != column);
        row.push((column, (*value).to_owned()));
    }
    row
}

fn line(row: &Row) -> Vec<u8> {
    sheet("school-roll", std::slice::from_ref(row)).split_once('\n').unwrap().1.as_bytes().to_vec()
}

/// Every way to go wrong: the record's bytes, and the column and reason that the report is to give.
fn bad_records() -> Vec<(Vec<u8>, Option<&'static str>, &'static str)> {
    let with = |column: &'static str, value: &str| line(&pupil("Sentinel", &[(column, value)]));
    let good = line(&pupil("Sentinel", &[]));
    let mut latin = line(&pupil("Sentinel", &[("Legal Surname", "Beyonce")]));
    let at = latin.iter().position(|byte| *byte == b'B').unwrap();
    latin[at + 6] = 0xe9;
    let mut nul = good.clone();
    nul[2] = 0;
    let mut endless = b"Sentinel".repeat(1_250_000);
    endless.push(b'\n');
    vec![
        (latin, None, "not_utf8"),
        (nul, None, "control_character"),
        (endless, None, "line_too_long"),
        (b"\n".to_vec(), None, "empty_line"),
        (b"Sentinel,Sentinel\n".to_vec(), None, "wrong_column_count"),
        ([good.strip_suffix(b"\n").unwrap(), b",Sentinel\n"].concat(), None, "wrong_column_count"),
        (with("Legal Surname", ""), Some("Legal Surname"), "missing_value"),
        (with("Legal Surname", "Sentinel; at risk"), Some("Legal Surname"), "invalid_name"),
        (with("DOB", "31/02/2015"), Some("DOB"), "invalid_date"),
        (with("DOB", "2015-03-04"), Some("DOB"), "invalid_date"),
        (with("DOB", "04/03/2099"), Some("DOB"), "date_in_future"),
        (with("DOB", "04/03/1975"), Some("DOB"), "not_a_child"),
        (with("NHS Number", "9990000019"), Some("NHS Number"), "wrong_check_digit"),
        (with("NHS Number", "Sentinel"), Some("NHS Number"), "invalid_number"),
        (with("UPN", "A820990000001"), Some("UPN"), "wrong_check_digit"),
        (with("Gender", "Sentinel"), Some("Gender"), "invalid_code"),
        (with("Postcode", "SENTINEL"), Some("Postcode"), "invalid_postcode"),
        (with("CAF", "maybe"), Some("CAF"), "invalid_code"),
        (with("Tutor Email", "sentinel"), Some("Tutor Email"), "invalid_email"),
    ]
}

#[tokio::test]
async fn every_bad_record_is_named_by_number_and_reason_and_the_good_ones_are_kept() {
    // H5: a bad line is reported by number and reason, without echoing its content, and the good ones are kept
    let borough = borough().await;
    let office = borough.open("Careless School", "school", &["query", "feed"]).await;
    let person = office.employ("careless-clerk", &["data-steward"]).await;
    let program = Program::of(borough, &office, &person).await;
    let (mut file, mut expected) = (sheet("school-roll", &[]).into_bytes(), Vec::new());
    for (at, (record, field, reason)) in bad_records().into_iter().enumerate() {
        file.extend(line(&pupil(["Abel", "Berta", "Cesar", "Dora"][at % 4], &[("DOB", &format!("{:02}/04/2015", at + 1))])));
        file.extend(record);
        let mut rejected = json!({"line": 2 * at + 3, "reason": reason});
        if let Some(field) = field {
            rejected["field"] = json!(field);
        }
        expected.push(rejected);
    }
    let path = program.profile.with_extension("csv");
    std::fs::write(&path, &file).unwrap();
    let good = expected.len();

    let (exit, report, output) = program.feed(&path);
    assert_eq!(exit, Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(report["rejected"], Value::Array(expected));
    assert_eq!((&report["created"], &report["rejected_count"], &report["complete"]), (&json!(good), &json!(good), &json!(true)));
    for said in [output.stdout, output.stderr] {
        assert!(!String::from_utf8_lossy(&said).to_ascii_lowercase().contains("sentinel"));
    }
    let (exit, again, _) = program.feed(&path);
    assert_eq!((exit, again), (Some(1), report));
}

#[tokio::test]
async fn a_stray_quote_costs_its_own_record_and_no_good_one_behind_it() {
    // bad input: quotes
    let borough = borough().await;
    let office = borough.open("Quoting School", "school", &["query", "feed"]).await;
    let person = office.employ("quoting-clerk", &["data-steward"]).await;
    let program = Program::of(borough, &office, &person).await;
    let mut file = sheet("school-roll", &[]).into_bytes();
    file.extend(line(&pupil("Abel", &[])));
    file.extend(line(&pupil("Sentinel", &[("Legal Surname", "\"Faultless")])));
    for at in 0..20 {
        file.extend(line(&pupil("Berta", &[("DOB", &format!("{:02}/06/2015", at + 1))])));
    }
    file.extend(line(&pupil("Cesar", &[("Address Line 1", "\"1, Comma Court\"")])));
    let path = program.profile.with_extension("csv");
    std::fs::write(&path, &file).unwrap();
    let (exit, report, _) = program.feed(&path);
    assert_eq!(exit, Some(1));
    assert_eq!(report["rejected"], json!([{"line": 3, "reason": "unbalanced_quotes"}]));
    assert_eq!(report["created"], 22);
}

#[tokio::test]
async fn a_whole_file_of_another_kind_is_refused_by_its_first_line() {
    // bad input: wrong encoding, missing and unknown columns
    let borough = borough().await;
    let office = borough.open("Confused School", "school", &["query", "feed"]).await;
    let person = office.employ("confused-clerk", &["data-steward"]).await;
    let program = Program::of(borough, &office, &person).await;
    let path = program.profile.with_extension("csv");
    let utf16: Vec<u8> = sheet("school-roll", &[pupil("Abel", &[])]).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let surgery = sheet("surgery-list", &[]).into_bytes();
    for (bytes, exit) in [(Vec::new(), 2), (utf16, 1), (surgery, 1), (b"PK\x03\x04 a spreadsheet\n".to_vec(), 1)] {
        std::fs::write(&path, &bytes).unwrap();
        let (code, _, output) = program.feed(&path);
        assert_eq!(code, Some(exit), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[tokio::test]
async fn the_program_says_that_it_is_not_allowed_and_stops() {
    // H1, C4: who may feed
    let borough = borough().await;
    let office = borough.open("Curious School", "school", &["query", "feed"]).await;
    let person = office.employ("curious-teacher", &["practitioner"]).await;
    let program = Program::of(borough, &office, &person).await;
    let path = program.profile.with_extension("csv");
    std::fs::write(&path, sheet("school-roll", &[pupil("Abel", &[])])).unwrap();
    let (exit, _, output) = program.feed(&path);
    assert_eq!(exit, Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("forbidden"), "{}", String::from_utf8_lossy(&output.stderr));
}
