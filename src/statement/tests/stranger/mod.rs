//! Evidence at a stranger's desk: tests/flow/statements/check.py, which has nothing of ours and takes an entry's layout out of the document's text.

use super::*;
use contactpoint_audit::{Change, SignedCheckpoint, WitnessKey};
use std::process::Command;

const CHECK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/flow/statements/check.py");

/// What the script says of a document; `name` for its file.
fn stranger(name: &str, document: &str, witnesses: &[String]) -> Result<String, String> {
    let file = std::env::temp_dir().join(format!("contactpoint-{name}-{}.txt", std::process::id()));
    std::fs::write(&file, document).unwrap();
    let output = Command::new("python3").arg(CHECK).arg(&file).arg(Hsm::new(1).1.to_string()).args(witnesses).output().unwrap();
    std::fs::remove_file(&file).unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap().trim_end().to_owned();
    if output.status.success() {
        Ok(said)
    } else {
        Err(said)
    }
}

/// An entry for each number of each list, in all three formats, with rows that changed, in winter and in summer.
fn entries_of_every_kind() -> Vec<Entry> {
    let most = [Operation::ALL.len(), Role::ALL.len(), Purpose::ALL.len(), RefusalCode::ALL.len()].into_iter().max().unwrap();
    let of = |at: usize| {
        let outcomes = [Outcome::Answered, Outcome::NotFound, Outcome::TooMany];
        let children: Vec<ChildNumber> = (0..at % 4).map(|body| ChildNumber::with_body(body as u32 * 90_909_091)).collect();
        Entry {
            // steps of eight days and some milliseconds
            at: Instant::of_millis(1_795_368_605_000 + at as u64 * 700_000_010),
            organisation: (!at.is_multiple_of(3)).then_some(OrganisationId(300)),
            role: Role::ALL.get(at).copied(),
            operation: Operation::ALL[at % Operation::ALL.len()],
            reason: Purpose::ALL.get(at).copied(),
            shown: Field::ALL[..at % (Field::ALL.len() + 1)].to_vec(),
            outcome: if at.is_multiple_of(9) {
                outcomes[at / 9 % 3]
            } else {
                Outcome::Refused(RefusalCode::ALL[at % RefusalCode::ALL.len()])
            },
            changes: (0..at % 3).map(|row| Change { table: 200, row: 150 - 300 * row as i64, version: 5, digest: [0xab; 16] }).collect(),
            facts: if at.is_multiple_of(2) { vec![200; children.len()] } else { Vec::new() },
            children,
            ..entry(if at.is_multiple_of(5) { 2 } else { 1 })
        }
    };
    (0..most).map(of).collect()
}

#[test]
fn a_stranger_reads_every_entry_out_of_its_bytes_and_the_documents_own_lists() {
    // F5: a signed bundle that verifies by itself, with a text that explains how to check it without us
    let log = log_of(&entries_of_every_kind());
    let all: Vec<usize> = (0..log.leaves.len()).collect();
    let document = evidence_of(&log, &opened(&log, &all), &Hsm::new(1));
    assert!(document.contains("2027-06-"), "a summer is among them");
    assert_eq!(stranger("every", &document, &[]), Ok(format!("good {}", all.len())));
    let formats: std::collections::BTreeSet<u8> = entries_of_every_kind().iter().map(|entry| entry.encode()[0]).collect();
    assert_eq!(formats.into_iter().collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn a_stranger_refuses_words_that_are_not_the_leafs_though_the_logs_key_signed_them() {
    // F5: whoever has the key, and not another log, can sign other words; every field is held against the leaf
    let changes = vec![Change { table: 4, row: -7, version: 5, digest: [6; 16] }];
    let log = log_of(&[Entry { changes, ..entry(2) }, entry(1)]);
    let good = evidence_of(&log, &opened(&log, &[0, 1]), &Hsm::new(1));
    assert_eq!(stranger("good", &signed_again(&good), &[]), Ok("good 2".to_owned()));
    let words = [
        ("Outcome       answered", "Outcome       refused"),
        ("Outcome       answered", "Outcome       outside-scope"),
        ("Role          practitioner", "Role          auditor"),
        ("Reason        concern", "Reason        missing"),
        ("Did           view", "Did           search"),
        ("Shown         child-number name", "Shown         child-number"),
        ("Rows changed  4/-7/5/", "Rows changed  4/7/5/"),
        ("On behalf of  Ada Quill", "On behalf of  -"),
        ("Organisation  3", "Organisation  4"),
        ("Person        17", "Person        18"),
        ("Children      4182736451", "Children      -"),
        ("When          Sunday 22 November 2026, 17:30:07", "When          Sunday 22 November 2026, 18:30:07"),
        (":07.123Z)", ":07.124Z)"),
        ("  On behalf of  Ada Quill\n", ""),
        ("  On behalf of  Ada Quill\n", "  On behalf of  Ada Quill\n  Outcome       refused\n"),
        // nor does the text say what the leaves do not, when a list of its own is changed
        (" 2 concern", " 2 missing-child"),
        (" 1 answered", " 1 refused-once"),
    ];
    for (from, to) in words {
        let altered = good.replacen(from, to, 1);
        assert_ne!(altered, good, "{from}");
        let said = stranger("words", &signed_again(&altered), &[]).expect_err(to);
        assert!(said.starts_with("not good: ") && said.contains(" the leaf"), "{to}: {said}");
    }
    let of_another = stranger("person", &signed_again(&good.replacen("about person 17", "about person 18", 1)), &[]);
    assert_eq!(of_another, Err("not good: an entry is of another person".to_owned()));
    assert_eq!(stranger("unsigned", &good.replacen(words[0].0, words[0].1, 1), &[]).unwrap_err(), UNSIGNED);
}

#[test]
fn a_stranger_refuses_lists_that_are_not_plain_and_an_entry_that_is_there_twice() {
    // F5: what a number stands for is one thing, and what was done once is told once
    let log = log_of(&[entry(0), entry(1)]);
    let good = evidence_of(&log, &opened(&log, &[0, 1]), &Hsm::new(1));
    let said = |altered: &str| stranger("lists", &signed_again(altered), &[]).unwrap_err();
    assert_eq!(said(&good.replacen(" 2 not-found", " 2 answered", 1)), "not good: the list Outcome has something twice");
    assert_eq!(said(&good.replacen(" 2 not-found", " 1 not-found", 1)), "not good: the list Outcome has something twice");
    assert_eq!(said(&good.replacen("\nRefusal:\n", "\nRefusals:\n", 1)), OTHER_LISTS);
    assert_eq!(said(&good.replacen("\nRefusal:\n", "\nRefused:\n", 1)), OTHER_LISTS);
    let part = |from: &str, to: &str| {
        let begins = good.find(from).unwrap() + 1;
        good[begins..begins + good[begins..].find(to).unwrap()].to_owned()
    };
    let (words, proof) = (part("\nEntry 1\n", "\n==== proofs"), part("\nentry 1\n", "\n==== checkpoint"));
    let twice = good.replacen(&words, &format!("{words}\n{words}"), 1).replacen(&proof, &format!("{proof}{proof}"), 1);
    assert_eq!(said(&twice.replacen("\nentries 2\n", "\nentries 3\n", 1)), "not good: an entry is there twice, or in another order");
}

const OTHER_LISTS: &str = "not good: the document has other lists than those of an entry";

#[test]
fn a_stranger_tells_the_lines_of_a_logs_two_keys_apart() {
    // F2: a head may have a line by each of two keys of the log; F5: the text says which is whose
    let mut log = log();
    let other = log.head.signed(&Hsm::new(2)).unwrap();
    log.note.push_str(other.lines().last().unwrap());
    log.note.push('\n');
    let document = evidence_of(&log, &opened(&log, &[1]), &Hsm::new(1));
    assert_eq!(stranger("two", &document, &[]), Ok("good 1".to_owned()));
}

const UNSIGNED: &str = "not good: the words are not those that were signed";

#[test]
fn a_stranger_checks_a_witness_by_the_key_that_the_witness_gives_out() {
    // F2: independent witnesses may cosign; F5: the text says how a line of theirs is checked
    struct Witness(ed25519_dalek::SigningKey, VerifierKey);
    impl Signer for Witness {
        fn verifier_key(&self) -> &VerifierKey {
            &self.1
        }
        fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
            Ok(ed25519_dalek::Signer::sign(&self.0, message).to_bytes().to_vec())
        }
    }
    let witness = |seed| {
        let key = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
        let public = VerifierKey::ed25519("witness.example/w1", key.verifying_key().as_bytes()).unwrap();
        Witness(key, public)
    };
    let mut log = log();
    let line = SignedCheckpoint::open(&log.note, &Hsm::new(1).1).unwrap().cosign(1_795_368_700, &witness(9)).unwrap();
    log.note.push_str(&line);
    let document = evidence_of(&log, &opened(&log, &[1]), &Hsm::new(1));
    let key = |seed| WitnessKey::of(&witness(seed)).unwrap().to_string();
    assert_eq!(stranger("cosigned", &document, &[key(9)]), Ok("good 1".to_owned()));
    assert_eq!(stranger("other", &document, &[key(8)]), Err("not good: no signature of witness.example/w1".to_owned()));
    // the same signature for another time
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD;
    let (before, encoded) = line.trim_end().rsplit_once(' ').unwrap();
    let mut bytes = base64.decode(encoded).unwrap();
    bytes[11] ^= 1;
    let later = signed_again(&document.replacen(&line, &format!("{before} {}\n", base64.encode(bytes)), 1));
    assert_eq!(stranger("later", &later, &[key(9)]), Err("not good: the cosignature of witness.example/w1 is wrong".to_owned()));
    assert_eq!(stranger("unasked", &later, &[]), Ok("good 1".to_owned()));
}
