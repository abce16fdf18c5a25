//! Documents over a log in memory: made, signed, verified, and tampered with.

use crate::{verify, Did, DocumentFault, EntryFault, Evidence, Look, Names, Opened, SubjectAccess};
use contactpoint_audit::{
    inclusion_proof, leaf_hash, sign_statement, Checkpoint, Entry, Field, Hash, Operation, Outcome, RefusalCode, SignError, Signer,
    VerifierKey,
};
use contactpoint_domain::{ChildNumber, Instant, Name, OrganisationId, PersonId, Purpose, Role};
use contactpoint_hardening::{HardeningError, LockedBytes};
use contactpoint_sealing::EntrySealer;
use std::ops::Range;

mod stranger;

struct Hsm(ed25519_dalek::SigningKey, VerifierKey);

impl Hsm {
    fn new(seed: u8) -> Self {
        let key = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
        let public = VerifierKey::ed25519("directory.example/log", key.verifying_key().as_bytes()).unwrap();
        Self(key, public)
    }
}

impl Signer for Hsm {
    fn verifier_key(&self) -> &VerifierKey {
        &self.1
    }
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(ed25519_dalek::Signer::sign(&self.0, message).to_bytes().to_vec())
    }
}

fn sealer() -> EntrySealer {
    let key = LockedBytes::filled_by::<HardeningError>(|bytes| {
        bytes.fill(4);
        Ok(())
    });
    EntrySealer::new(1, key.unwrap())
}

fn entry(at: u64) -> Entry {
    Entry {
        at: Instant::of_millis(1_795_368_605_123 + at * 1000),
        person: Some(PersonId(17)),
        organisation: Some(OrganisationId(3)),
        role: Some(Role::Practitioner),
        operation: Operation::View,
        reason: Some(Purpose::Concern),
        children: vec![ChildNumber::with_body(418_273_645)],
        shown: vec![Field::Number, Field::Name],
        outcome: Outcome::Answered,
        changes: Vec::new(),
        on_behalf_of: (at == 2).then(|| Name { given: "Ada".try_into().unwrap(), family: "Quill".try_into().unwrap() }),
        facts: Vec::new(),
    }
}

struct Log {
    leaves: Vec<Vec<u8>>,
    hashes: Vec<Hash>,
    head: Checkpoint,
    note: String,
}

fn log() -> Log {
    log_of(&(0..5).map(entry).collect::<Vec<_>>())
}

fn log_of(entries: &[Entry]) -> Log {
    let leaves: Vec<Vec<u8>> = entries.iter().map(|entry| sealer().seal(&entry.encode()).unwrap()).collect();
    let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    let mut tree = contactpoint_audit::Tree::new();
    hashes.iter().for_each(|hash| drop(tree.append_hash(*hash)));
    let head = Checkpoint { origin: "directory.example/log".to_owned(), size: hashes.len() as u64, root: tree.root() };
    let note = head.signed(&Hsm::new(1)).unwrap();
    Log { leaves, hashes, head, note }
}

fn opened(log: &Log, which: &[usize]) -> Vec<Opened> {
    let one = |at: &usize| {
        let (plain, key) = sealer().disclose(&log.leaves[*at]).unwrap();
        let path = inclusion_proof(&log.hashes, *at).unwrap();
        Opened { index: *at as u64, entry: Entry::decode(&plain).unwrap(), leaf: log.leaves[*at].clone(), key, path }
    };
    which.iter().map(one).collect()
}

fn evidence_of(log: &Log, entries: &[Opened], signer: &Hsm) -> String {
    evidence_among(log, 0..log.head.size, entries, signer)
}

/// Of the entries among these.
fn evidence_among(log: &Log, among: Range<u64>, entries: &[Opened], signer: &Hsm) -> String {
    let evidence = Evidence {
        key: &signer.1,
        person: PersonId(17),
        from: Instant::of_millis(0),
        to: Instant::of_millis(1_800_000_000_000),
        auditors: (PersonId(21), PersonId(22)),
        made: Instant::of_millis(1_795_400_000_000),
        size: log.head.size,
        among,
        entries,
        erased: &[],
        names: &Names { lines: vec!["person 17: Beryl Cook".to_owned()] },
        checkpoint: &log.note,
    };
    let unsigned = evidence.written();
    let note = sign_statement(unsigned.text(), signer).unwrap();
    unsigned.signed(&note)
}

fn statement_of(log: &Log) -> String {
    statement_by(log, Role::Practitioner)
}

fn statement_by(log: &Log, role: Role) -> String {
    part_by(log, role, 0..log.head.size)
}

/// Of the entries among these.
fn part_by(log: &Log, role: Role, among: Range<u64>) -> String {
    let look = |at: usize, did| Look {
        index: at as u64,
        at: entry(at as u64).at,
        organisation: Some("Oakfield School".to_owned()),
        role: Some(role),
        did,
        reason: Some(Purpose::Section47),
        leaf: log.hashes[at],
        path: inclusion_proof(&log.hashes, at).unwrap(),
    };
    let statement = SubjectAccess {
        log: "directory.example/log",
        child: &ChildNumber::with_body(418_273_645),
        made: Instant::of_millis(1_795_400_000_000),
        size: log.head.size,
        among,
        looks: &[look(1, Did::Listed), look(3, Did::BrokenGlass)],
        erased: &[0..=0, 4..=9],
        checkpoint: &log.note,
    };
    let unsigned = statement.written();
    let note = sign_statement(unsigned.text(), &Hsm::new(1)).unwrap();
    unsigned.signed(&note)
}

/// The document with its body put under a new signature of the log's key, as a forger inside could do who cannot alter the log.
fn signed_again(document: &str) -> String {
    let signatures = document.find("\n\n").unwrap() + 2;
    let end = signatures + document[signatures..].find("\n\n").unwrap();
    let (text, body) = (&document[..signatures - 1], &document[end + 2..]);
    use base64::Engine as _;
    let digest = base64::engine::general_purpose::STANDARD.encode(<sha2::Sha256 as sha2::Digest>::digest(body));
    let before = text.rfind("sha256 ").unwrap();
    let note = sign_statement(&format!("{}sha256 {digest}\n", &text[..before]), &Hsm::new(1)).unwrap();
    format!("{note}\n{body}")
}

#[test]
fn a_part_of_the_looks_says_so_and_where_the_rest_is() {
    // F3: what is no whole list does not pass for one
    let log = log();
    let (whole, part) = (statement_of(&log), part_by(&log, Role::Practitioner, 1..5));
    assert!(whole.contains("log holds before entry") && !whole.contains("It is a part"), "{whole}");
    assert!(part.contains("log holds from entry 1 on and before entry"), "{part}");
    assert!(part.contains("It is a part: for what is older, ask for the statement of what comes before entry 1.\n"), "{part}");
    assert!(part.contains("\nErased: entries 4 to 9 of the log."), "those that may be in this list");
    // the auditor chooses before which entry
    let older = part_by(&log, Role::Practitioner, 0..4);
    assert!(
        older.contains("log holds before entry 4.") && older.contains("\nIt is a part: what is newer, from entry 4 on, is not in it.\n")
    );
    assert!(older.contains("\nErased: entries 0 to 0 of the log."));
    let verified = [whole, part, older].map(|part| verify(&part, &Hsm::new(1).1, None).unwrap());
    assert_eq!(verified.map(|verified| (verified.entries, verified.is_part)), [(2, false), (2, true), (2, true)]);
}

#[test]
fn a_part_of_the_evidence_says_so_and_where_the_rest_is() {
    // F5: what is no whole list does not pass for one, and each part verifies by itself
    let log = log();
    let part = |among: Range<u64>, which: &[usize]| evidence_among(&log, among, &opened(&log, which), &Hsm::new(1));
    let (whole, first, second, last) = (part(0..5, &[0, 2]), part(0..2, &[0]), part(2..4, &[2]), part(4..5, &[4]));
    assert!(whole.contains("holds it before entry 5:") && !whole.contains("It is a part") && !whole.contains("the last part;"), "{whole}");
    assert!(
        first.contains("holds it before entry 2:")
            && first.contains("It is a part: what was done since stands in the next, which is fetched from entry 2 on.\n")
    );
    assert!(second.contains("holds it from entry 2 on and before entry 4:") && second.contains("fetched from entry 4 on.\n"), "{second}");
    assert!(last.contains("holds it from entry 4 on and before entry 5:") && last.contains("It is the last part;"), "{last}");
    // whoever verifies it is told as well
    let is_part = [whole, first, second, last].map(|part| verify(&part, &Hsm::new(1).1, None).unwrap().is_part);
    assert_eq!(is_part, [false, true, true, true]);
}

#[test]
fn evidence_verifies_with_the_public_key_alone() {
    // F5: evidence of misuse can be handed over as a signed bundle that verifies by itself
    let log = log();
    let document = evidence_of(&log, &opened(&log, &[0, 2, 4]), &Hsm::new(1));
    let verified = verify(&document, &Hsm::new(1).1, None).unwrap();
    assert_eq!((verified.entries, verified.uncommitted, verified.about.as_str()), (3, 0, "person 17"));
    assert_eq!(verified.checkpoint, log.head);
    for words in ["  Did           view\n", "  Children      4182736451\n", "  On behalf of  Ada Quill\n", "person 17: Beryl Cook"] {
        assert!(document.contains(words), "{words}: {document}");
    }
    assert!(verify(&evidence_of(&log, &[], &Hsm::new(1)), &Hsm::new(1).1, None).is_ok(), "nothing was found");
}

#[test]
fn a_statement_verifies_and_says_in_words_what_was_done() {
    // F3: those who only had it in a list, refused and break-glass
    let log = log();
    let document = statement_of(&log);
    assert!(document.contains("\nErased: entries 0 to 0, 4 to 9 of the log. "), "{document}");
    let verified = verify(&document, &Hsm::new(1).1, None).unwrap();
    assert_eq!((verified.entries, verified.about.as_str()), (2, "child 4182736451"));
    for words in ["Oakfield School", "section 47", "listed: ", "broken glass: ", "Sunday 22 November 2026, "] {
        assert!(document.contains(words), "{words}: {document}");
    }
    assert!(!document.contains("\nleaf ") && !document.contains("\nkey "), "no entry is opened by it");
}

#[test]
fn whatever_is_altered_left_out_or_signed_by_another_is_refused_by_its_name() {
    // F5, F2: nothing was altered, removed or reordered
    let log = log();
    let good = evidence_of(&log, &opened(&log, &[0, 2, 4]), &Hsm::new(1));
    let fault = |document: &str| verify(document, &Hsm::new(1).1, None).unwrap_err();
    assert_eq!(fault(&good.replacen("Reason        concern", "Reason        missing", 1)), DocumentFault::Altered);
    assert!(matches!(fault(&evidence_of(&log, &opened(&log, &[0]), &Hsm::new(2))), DocumentFault::Signature(_)));
    assert!(matches!(fault(&good.replacen("entries 3", "entries 2", 1)), DocumentFault::Signature(_)));
    // the same by somebody who has the log's key, but no other log
    let again = |from: &str, to: &str| fault(&signed_again(&good.replacen(from, to, 1)));
    assert_eq!(again("Reason        concern", "Reason        missing"), DocumentFault::Entry { index: 0, fault: EntryFault::Words });
    assert_eq!(again("Entry 2", "Entry 3"), DocumentFault::Entry { index: 2, fault: EntryFault::Unpaired });
    let second = &good[good.find("\nentry 2\n").unwrap() + 1..good.find("\nentry 4\n").unwrap() + 1];
    assert!(matches!(again(second, ""), DocumentFault::Count { said: 3, found: 3 }));
    let as_third = second.replacen("entry 2", "entry 4", 1);
    let fourth = &good[good.find("\nentry 4\n").unwrap() + 1..good.find("\n==== checkpoint").unwrap()];
    assert_eq!(again(fourth, &as_third), DocumentFault::Entry { index: 4, fault: EntryFault::Words }, "another entry's receipt");
    let key = |entry: &str| entry[entry.find("\nkey ").unwrap()..].lines().nth(1).unwrap().to_owned();
    let other = again(&key(second), &key(fourth));
    assert!(matches!(other, DocumentFault::Entry { index: 2, fault: EntryFault::Leaf(_) }), "{other}");
    let path = second.lines().find(|line| line.starts_with("path ")).unwrap();
    assert!(matches!(
        again(path, &path.replacen('a', "b", 1).replacen('A', "B", 1)),
        DocumentFault::Entry { index: 2, .. } | DocumentFault::Form { .. }
    ));
}

#[test]
fn a_document_that_would_rewrite_its_readers_terminal_is_refused_though_the_logs_key_signed_it() {
    // F5: whoever verifies trusts nobody here, and reads the document where a sequence could hide a line of it or write a verdict of its own
    let log = log();
    let evidence = evidence_of(&log, &opened(&log, &[0, 2]), &Hsm::new(1));
    for (good, name) in [(evidence, "Beryl Cook"), (statement_of(&log), "Oakfield School")] {
        assert!(verify(&signed_again(&good), &Hsm::new(1).1, None).is_ok());
        for sequence in ["\u{1b}[8m", "\u{1b}]52;c;cm0=\u{7}", "\u{9b}2J", "\r", "\u{8}", "\u{202e}", "\u{2066}", "\u{200f}"] {
            let bad = signed_again(&good.replacen(name, &format!("{name}{sequence}"), 1));
            assert!(matches!(verify(&bad, &Hsm::new(1).1, None), Err(DocumentFault::Form { .. })), "{sequence:?}");
        }
    }
}

#[test]
fn every_byte_counts() {
    // F5: what is signed is the whole
    let log = log();
    for good in [evidence_of(&log, &opened(&log, &[1]), &Hsm::new(1)), statement_of(&log)] {
        for at in (0..good.len()).step_by(3) {
            let mut bytes = good.clone().into_bytes();
            bytes[at] ^= 1;
            let Ok(altered) = String::from_utf8(bytes) else { continue };
            assert!(verify(&altered, &Hsm::new(1).1, None).is_err(), "byte {at}");
        }
    }
}

#[test]
fn a_statement_does_not_tell_that_a_child_is_shielded_nor_why_somebody_was_refused() {
    // E5, D8: no query of any kind lists shielded children
    for decision in [Operation::Shield, Operation::Unshield, Operation::SetAudience, Operation::SettleRecord] {
        assert_eq!(Did::of(decision, Outcome::Answered), None, "{decision}");
    }
    assert_eq!(Did::of(Operation::OverrideShield, Outcome::Answered), Did::of(Operation::BreakGlass, Outcome::Answered));
    let refused = |why| Did::of(Operation::View, Outcome::Refused(why));
    assert_eq!(refused(RefusalCode::NotOfAudience), refused(RefusalCode::OutsideScope));
    assert_eq!(Did::of(Operation::View, Outcome::NotFound), refused(RefusalCode::OutsideScope));
    let by = |role| statement_by(&log(), role);
    assert!(by(Role::ShieldingOfficer).contains("  Role          practitioner\n"));
    let body = |role| by(role).split("==== entries ====").nth(1).unwrap().split("==== proofs ====").next().unwrap().to_owned();
    assert_eq!(body(Role::ShieldingOfficer), body(Role::Practitioner), "nobody else looks at children: a word of their own would tell");
}

#[test]
fn evidence_has_no_entry_of_somebody_else() {
    // F5: a bundle about a person's looks verifies by itself; whose they are is part of it
    let log = log();
    let document = evidence_of(&log, &opened(&log, &[0, 2]), &Hsm::new(1));
    let of_another = signed_again(&document.replacen("about person 17", "about person 18", 1));
    let fault = verify(&of_another, &Hsm::new(1).1, None).unwrap_err();
    assert!(matches!(fault, DocumentFault::Entry { index: 0, fault: EntryFault::OfAnother }), "{fault}");
    let longer = signed_again(&document.replacen("\nsha256 ", "\nentries 99\nsha256 ", 1));
    assert!(matches!(verify(&longer, &Hsm::new(1).1, None), Err(DocumentFault::Form { .. })));
}
