//! Bad files of every kind: a typed reason each, the good records kept, none unaccounted for.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use contactpoint_domain::{Gender, Instant, Relationship};
use contactpoint_intake::{first_record, split, Columns, HeaderFault, Layout, LayoutError, Reason, LONGEST_RECORD};
use proptest::prelude::*;

const LAYOUT: &str = r#"
name = "small"
title = "A small layout for tests"
date_format = "%d/%m/%Y"
ignored = ["Year"]
absent = ["n/a"]
column = [
    { name = "Surname", field = "family-name", required = true },
    { name = "Forename", field = "given-name", required = true },
    { name = "Born", field = "date-of-birth", required = true },
    { name = "Sex", field = "gender" },
    { name = "House", field = "address-line-1" },
    { name = "Street", field = "address-line-1" },
    { name = "Postcode", field = "postcode" },
    { name = "NHS", field = "nhs-number" },
    { name = "Carer surname", field = "carer-1-family-name" },
    { name = "Carer forename", field = "carer-1-given-name" },
    { name = "Carer phone", field = "carer-1-telephone" },
    { name = "Carer email", field = "carer-1-email" },
    { name = "Carer is", field = "carer-1-relationship" },
    { name = "CAF", field = "common-assessment" },
]
[codes.gender]
F = "female"
M = "male"
[codes.relationship]
mum = "mother"
[codes.flag]
Y = true
N = false
"#;
const HEADER: &str =
    "Surname,Forename,Born,Sex,House,Street,Postcode,NHS,Carer surname,Carer forename,Carer phone,Carer email,Carer is,CAF,Year";
const GOOD: &str = "Smith,Ann,04/03/2015,F,7,High Street,ZZ1 1AA,943 476 5919,Smith,Jo,01632 960123,jo@mail.example,mum,Y,5";

fn columns() -> Columns {
    Layout::parse(LAYOUT).unwrap().header(HEADER.as_bytes()).unwrap()
}

/// Noon on 21 November 2026.
fn now() -> Instant {
    Instant::of_millis(1_795_262_400_000)
}

/// What becomes of each record: nothing where it is taken, else reason and column.
fn verdicts(body: &[u8]) -> Vec<Option<(Reason, Option<String>)>> {
    columns().records(body, now()).map(|(_, record)| record.err().map(|fault| (fault.reason, fault.field))).collect()
}

/// The verdict on the good record with one value put in another's place.
fn verdict_on(column: usize, value: &str) -> Option<(Reason, Option<String>)> {
    let mut values: Vec<&str> = GOOD.split(',').collect();
    values[column] = value;
    verdicts(values.join(",").as_bytes()).remove(0)
}

#[test]
fn a_good_record_is_taken_whole() {
    let columns = columns();
    let (ordinal, record) = columns.records(GOOD.as_bytes(), now()).next().unwrap();
    let record = record.unwrap();
    assert_eq!((ordinal, record.name.family.as_str(), record.name.given.as_str()), (0, "Smith", "Ann"));
    assert_eq!((record.date_of_birth.date().to_string().as_str(), record.gender), ("2015-03-04", Gender::Female));
    let address = record.address.unwrap();
    assert_eq!((address.lines[0].as_str(), address.postcode.unwrap().as_str()), ("7 High Street", "ZZ1 1AA"));
    assert_eq!(record.nhs_number.unwrap().as_str(), "9434765919");
    assert_eq!(
        (record.carers[0].relationship, record.carers[0].telephone.as_ref().unwrap().as_str()),
        (Relationship::Mother, "01632960123")
    );
    assert!(record.involvement.common_assessment && !record.involvement.lead_professional);
}

#[test]
fn a_supplier_says_in_a_column_of_its_own_that_the_work_ended() {
    // D1: leaving a school ends the scope
    let caf = "    { name = \"CAF\"";
    let layout = Layout::parse(&LAYOUT.replace(caf, &format!("    {{ name = \"Left\", field = \"left\" }},\n{caf}"))).unwrap();
    let columns = layout.header(HEADER.replace(",CAF", ",Left,CAF").as_bytes()).unwrap();
    for (left, ended) in [("Y", Some(now())), ("N", None), ("", None)] {
        let line = GOOD.replace(",Y,5", &format!(",{left},Y,5"));
        let (_, record) = columns.records(line.as_bytes(), now()).next().unwrap();
        assert_eq!(record.unwrap().involvement.ended, ended, "{left}");
    }
}

#[test]
fn every_wrong_value_has_its_reason_and_its_column() {
    // H5: a bad line is reported by number and reason
    let cases = [
        (0, "", Reason::MissingValue, "Surname"),
        (0, "n/a", Reason::MissingValue, "Surname"),
        (0, "Smith; at risk", Reason::InvalidName, "Surname"),
        (1, "4nn", Reason::InvalidName, "Forename"),
        (2, "2015-03-04", Reason::InvalidDate, "Born"),
        (2, "29/02/2015", Reason::InvalidDate, "Born"),
        (2, "31/04/2015", Reason::InvalidDate, "Born"),
        (2, "04/03/1815", Reason::InvalidDate, "Born"),
        (2, "22/11/2026", Reason::DateInFuture, "Born"),
        (2, "21/11/2008", Reason::NotAChild, "Born"),
        (3, "Z", Reason::InvalidCode, "Sex"),
        (6, "2000", Reason::InvalidPostcode, "Postcode"),
        (7, "943 476 5918", Reason::WrongCheckDigit, "NHS"),
        (7, "943 476", Reason::InvalidNumber, "NHS"),
        (8, "", Reason::MissingValue, "Carer surname"),
        (10, "ask at the desk", Reason::InvalidTelephone, "Carer phone"),
        (11, "jo at mail", Reason::InvalidEmail, "Carer email"),
        (12, "aunt", Reason::InvalidCode, "Carer is"),
        (12, "", Reason::MissingValue, "Carer is"),
        (13, "maybe", Reason::InvalidCode, "CAF"),
    ];
    for (column, value, reason, field) in cases {
        assert_eq!(verdict_on(column, value), Some((reason, Some(field.to_owned()))), "{value}");
    }
    assert_eq!(verdict_on(2, "22/11/2008"), None);
}

#[test]
fn a_fault_never_echoes_what_was_sent() {
    // H5: without echoing its content
    let secret = GOOD.replace("04/03/2015", "Confidential").replace("Smith", "Unmistakable");
    let fault = columns().records(secret.as_bytes(), now()).next().unwrap().1.unwrap_err();
    let told = format!("{fault} {fault:?}");
    assert!(!told.contains("Confidential") && !told.contains("Unmistakable"));
}

#[test]
fn an_address_may_be_without_a_postcode_but_not_a_postcode_without_an_address() {
    assert_eq!(verdict_on(6, ""), None);
    let without_lines = GOOD.replace("7,High Street", ",");
    assert_eq!(verdicts(without_lines.as_bytes())[0], Some((Reason::MissingValue, Some("House".to_owned()))));
    let nowhere = without_lines.replace("ZZ1 1AA", "");
    assert!(columns().records(nowhere.as_bytes(), now()).next().unwrap().1.unwrap().address.is_none());
}

#[test]
fn bad_lines_among_good_ones_are_reported_and_the_good_ones_kept() {
    // H5: reported by number and reason, and the good ones are kept
    let latin1 = [GOOD.as_bytes(), b"\xe9\n"].concat();
    let nul = GOOD.replace("Ann", "A\0nn");
    let long = format!("{}{GOOD}", "x".repeat(10 << 20));
    let body = [
        GOOD.as_bytes(),
        b"\r\n",
        &latin1,
        GOOD.as_bytes(),
        b"\n",
        nul.as_bytes(),
        b"\n\n",
        b"Smith,Ann\n",
        long.as_bytes(),
        b"\n",
        GOOD.as_bytes(),
        b",\n",
        GOOD.as_bytes(),
    ]
    .concat();
    let reasons: Vec<_> = verdicts(&body).into_iter().map(|verdict| verdict.map(|(reason, _)| reason)).collect();
    let expected = [
        None,
        Some(Reason::NotUtf8),
        None,
        Some(Reason::ControlCharacter),
        Some(Reason::EmptyLine),
        Some(Reason::WrongColumnCount),
        Some(Reason::LineTooLong),
        Some(Reason::WrongColumnCount),
        None,
    ];
    assert_eq!(reasons, expected);
}

#[test]
fn a_quoted_value_may_span_lines_and_hold_quotes_and_delimiters() {
    let quoted = GOOD.replace("High Street", "\"High Street,\r\nRear\"");
    let body = format!("{quoted}\r\n{GOOD}\r\n");
    assert_eq!(verdicts(body.as_bytes()), [None, None]);
    let record = columns().records(body.as_bytes(), now()).next().unwrap().1.unwrap();
    assert_eq!(record.address.unwrap().lines[0].as_str(), "7 High Street, Rear");
    assert_eq!(verdict_on(0, "\"O\"\"Brien\"").unwrap().0, Reason::InvalidName);
}

#[test]
fn a_missing_quote_costs_one_line_and_not_the_rest_of_the_file() {
    let broken = GOOD.replace("High Street", "\"High Street");
    // fewer lines than a record may span, and more
    for good_after in [3, 40] {
        let body = format!("{GOOD}\n{broken}\n{}", format!("{GOOD}\n").repeat(good_after));
        let verdicts = verdicts(body.as_bytes());
        assert_eq!(verdicts.len(), good_after + 2);
        assert_eq!(verdicts[1].as_ref().unwrap().0, Reason::UnbalancedQuotes);
        assert_eq!(verdicts.iter().filter(|verdict| verdict.is_some()).count(), 1);
    }
}

#[test]
fn headers_are_refused_by_their_fault() {
    // A3: unknown CSV columns are refused, never dropped in silence
    let layout = Layout::parse(LAYOUT).unwrap();
    let fault = |header: &[u8]| layout.header(header).unwrap_err();
    let text = |header: String| layout.header(header.as_bytes()).unwrap_err();
    assert_eq!(text(HEADER.replace(",CAF", "")), HeaderFault::MissingColumns { columns: vec!["CAF".to_owned()] });
    assert_eq!(text(HEADER.replace(",Sex", ",Notes")), HeaderFault::UnknownColumn { position: 4 });
    assert_eq!(text(format!("{HEADER},CAF")), HeaderFault::DoubledColumn { column: "CAF".to_owned() });
    assert_eq!(text(format!("{HEADER},\"")), HeaderFault::UnbalancedQuotes);
    assert_eq!(text(format!("{HEADER},\0")), HeaderFault::ControlCharacter);
    assert_eq!(text("x".repeat(LONGEST_RECORD + 1)), HeaderFault::TooLong);
    assert_eq!(fault(b"\r\n"), HeaderFault::Empty);
    assert_eq!(fault(b"Surn\xe4me"), HeaderFault::NotUtf8);
    assert_eq!(fault(GOOD.as_bytes()), HeaderFault::UnknownColumn { position: 1 });
    assert_eq!(fault(&HEADER.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()), HeaderFault::ControlCharacter);
}

#[test]
fn a_byte_order_mark_another_order_and_a_missing_ignored_column_are_fine() {
    let layout = Layout::parse(LAYOUT).unwrap();
    let mut names: Vec<&str> = HEADER.split(',').take(14).collect();
    names.reverse();
    let header = format!("\u{feff}{}\r\n", names.join(","));
    let mut values: Vec<&str> = GOOD.split(',').take(14).collect();
    values.reverse();
    let columns = layout.header(header.as_bytes()).unwrap();
    assert!(columns.records(values.join(",").as_bytes(), now()).all(|(_, record)| record.is_ok()));
}

#[test]
fn a_layout_that_could_mislead_is_refused() {
    let fault = |from: &str, to: &str| Layout::parse(&LAYOUT.replacen(from, to, 1)).unwrap_err();
    assert!(matches!(fault("name = \"small\"", "nam = \"small\""), LayoutError::Malformed(_)));
    assert!(matches!(fault("\"postcode\"", "\"notes\""), LayoutError::Malformed(_)));
    assert!(matches!(fault("[\"Year\"]", "[\"Sex\"]"), LayoutError::DoubledColumn(_)));
    assert!(matches!(fault("\"postcode\"", "\"gender\""), LayoutError::DoubledField(_)));
    assert!(matches!(fault("\"postcode\"", "\"postcode\", optional = true"), LayoutError::Optional(_)));
    assert!(matches!(fault("\"given-name\", required = true", "\"given-name\""), LayoutError::MissingField(_)));
    assert!(matches!(fault("%d/%m/%Y", "%m/%Y"), LayoutError::DateFormat));
    assert!(matches!(fault("title", "delimiter = \"|\"\ntitle"), LayoutError::Delimiter));
    assert!(matches!(fault("F = \"female\"", "F = \"woman\""), LayoutError::Malformed(_)));
}

/// Reads as the client does: a window that grows until it holds a record, then moves on.
fn split_as_the_client_does(body: &[u8], step: usize) -> Vec<usize> {
    let (mut start, mut end, mut ends) = (0, 0, Vec::new());
    while start < body.len() {
        match first_record(&body[start..end], end == body.len()) {
            Some(length) => {
                start += length;
                end = end.max(start);
                ends.push(start);
            }
            None => end = (end + step).min(body.len()),
        }
    }
    ends
}

/// Bytes of the kinds that matter to CSV, often.
fn csv_like() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![Just(b'"'), Just(b'\n'), Just(b'\r'), Just(b','), Just(b';'), Just(b'a'), any::<u8>()];
    prop::collection::vec(byte, 0..400)
}

proptest! {
    #[test]
    fn any_bytes_at_all_are_accounted_for(body in csv_like()) {
        // H5: the good ones are kept, a bad line is reported
        let records: Vec<&[u8]> = split(&body).collect();
        prop_assert_eq!(records.concat(), body.clone());
        let verdicts: Vec<u32> = columns().records(&body, now()).map(|(ordinal, _)| ordinal).collect();
        prop_assert_eq!(verdicts, (0..records.len() as u32).collect::<Vec<_>>());
    }

    #[test]
    fn any_header_at_all_is_answered(header in csv_like()) {
        let _ = Layout::parse(LAYOUT).unwrap().header(&header);
    }

    #[test]
    fn client_and_server_count_the_same_records_wherever_the_file_is_cut(body in csv_like(), step in 1usize..64, cut in any::<prop::sample::Index>()) {
        let ends = split_as_the_client_does(&body, step);
        let whole: Vec<usize> = split(&body).scan(0, |at, record| { *at += record.len(); Some(*at) }).collect();
        prop_assert_eq!(&ends, &whole);
        if !ends.is_empty() {
            let at = cut.index(ends.len());
            prop_assert_eq!(split(&body[..ends[at]]).count(), at + 1);
            prop_assert_eq!(split(&body[ends[at]..]).count(), ends.len() - at - 1);
        }
    }

    #[test]
    fn damaged_records_never_panic(at in 0usize..GOOD.len(), byte in any::<u8>()) {
        let mut body = GOOD.as_bytes().to_vec();
        body[at] = byte;
        prop_assert!(columns().records(&body, now()).count() >= 1);
    }
}
