//! Policies as the standard has them, and checkpoints that fall short of them.

use super::*;
use crate::testing::{signer, InMemory};
use crate::{KeyFault, Signer};
use proptest::prelude::*;

const AT: u64 = 1_679_315_147;

fn witness(number: u8) -> InMemory {
    InMemory::new(&format!("witness.example/w{number}"), 100 + number)
}

fn key(number: u8) -> String {
    WitnessKey::of(&witness(number)).unwrap().to_string()
}

fn log_line() -> String {
    format!("log {}\n", signer().verifier_key())
}

/// A note of our log with the cosignatures of these witnesses.
fn cosigned_by(witnesses: &[u8]) -> String {
    let note = Checkpoint { origin: "directory.example/log".to_owned(), size: 600, root: [7; 32] }.signed(&signer()).unwrap();
    let opened = SignedCheckpoint::open(&note, signer().verifier_key()).unwrap();
    let lines: String = witnesses.iter().map(|number| opened.cosign(AT + u64::from(*number), &witness(*number)).unwrap()).collect();
    format!("{note}{lines}")
}

/// The standard's own example: two of X1 to X3 (1 to 3), and any of Y1 to Y3 (4 to 6).
fn example() -> String {
    let mut policy = format!("# the example of the standard\n\n{}", log_line());
    for (name, number) in [("X1", 1), ("X2", 2), ("X3", 3)] {
        policy += &format!("witness {name} {}\n", key(number));
    }
    policy += "group X-witnesses 2 X1 X2 X3\n";
    for (name, number) in [("Y1", 4), ("Y2", 5), ("Y3", 6)] {
        policy += &format!("\t witness\t{name}  {} https://witness.example/{number} \n", key(number));
    }
    policy + "group Y-witnesses any Y1 Y2 Y3\n \t\n  # both\ngroup X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"
}

fn parsed(policy: &str) -> LogPolicy {
    LogPolicy::parse(policy.as_bytes()).unwrap()
}

fn fault(policy: &str) -> (usize, PolicyFault) {
    let PolicyError { line, fault } = LogPolicy::parse(policy.as_bytes()).unwrap_err();
    (line, fault)
}

fn verdict(policy: &str, note: &str) -> Result<Vec<String>, Fault> {
    let accepted = parsed(policy).accept(note, None)?;
    Ok(accepted.cosigned.into_iter().map(|(name, _)| name).collect())
}

#[test]
fn the_standards_example_asks_for_two_of_one_group_and_one_of_the_other() {
    // F2: independent witnesses may cosign; a policy says which of them are enough
    for enough in [&[1, 2, 4][..], &[1, 3, 6], &[2, 3, 5], &[6, 5, 3, 2, 1]] {
        assert_eq!(verdict(&example(), &cosigned_by(enough)).map(|names| names.len()), Ok(enough.len()), "{enough:?}");
    }
    for too_few in [&[][..], &[1, 2], &[1, 2, 3], &[1, 4], &[4, 5, 6], &[3, 4, 5, 6]] {
        let refused = verdict(&example(), &cosigned_by(too_few)).unwrap_err();
        assert!(
            matches!(refused, Fault::QuorumNotMet { ref quorum, ref cosigned } if quorum == "X-and-Y" && cosigned.len() == too_few.len())
        );
    }
}

#[test]
fn what_was_accepted_tells_the_log_the_witnesses_and_their_times() {
    // F2: whoever has a clock can refuse what is too old
    let accepted = parsed(&example()).accept(&cosigned_by(&[1, 2, 4]), None).unwrap();
    assert_eq!(accepted.log, *signer().verifier_key());
    assert_eq!(accepted.checkpoint.size, 600);
    assert_eq!(accepted.cosigned, [("X1".to_owned(), AT + 1), ("X2".to_owned(), AT + 2), ("Y1".to_owned(), AT + 4)]);
    let policy = parsed(&example());
    assert_eq!(policy.witnesses().map(|(name, _)| name).collect::<Vec<_>>(), ["X1", "X2", "X3", "Y1", "Y2", "Y3"]);
}

#[test]
fn a_witness_counts_once_however_often_it_cosigned() {
    // F2: three lines of one witness are one witness
    let three = cosigned_by(&[1, 1, 1, 4]);
    let refused = verdict(&example(), &three).unwrap_err();
    assert_eq!(refused, Fault::QuorumNotMet { quorum: "X-and-Y".to_owned(), cosigned: vec!["X1".to_owned(), "Y1".to_owned()] });
    assert!(refused.to_string().ends_with("the quorum X-and-Y is not met: the checkpoint is cosigned by X1, Y1 alone"), "{refused}");
}

#[test]
fn an_unknown_witness_counts_for_nothing_and_does_no_harm() {
    // F2; signed-note: signatures of unknown keys MUST be ignored
    assert!(matches!(verdict(&example(), &cosigned_by(&[1, 7, 4])), Err(Fault::QuorumNotMet { .. })));
    assert_eq!(verdict(&example(), &cosigned_by(&[1, 7, 2, 8, 4])), Ok(vec!["X1".to_owned(), "X2".to_owned(), "Y1".to_owned()]));
    // the name of a known one over the key of another
    let renamed = cosigned_by(&[1, 7, 4]).replace("witness.example/w7", "witness.example/w2");
    assert!(matches!(verdict(&example(), &renamed), Err(Fault::QuorumNotMet { .. })));
}

#[test]
fn a_tampered_line_of_a_known_witness_refuses_the_note() {
    // F2; signed-note: if a signature from a known key fails to verify, clients SHOULD reject the whole note
    let note = cosigned_by(&[1, 2, 4]);
    let (before, last) = note.trim_end().rsplit_once('\n').unwrap();
    let at = last.len() - 8;
    let other = if &last[at..=at] == "A" { "B" } else { "A" };
    let tampered = format!("{before}\n{}{other}{}\n", &last[..at], &last[at + 1..]);
    assert_eq!(verdict(&example(), &tampered), Err(Fault::WrongSignature { key: key(4) }));
}

#[test]
fn cosignatures_of_another_checkpoint_refuse_the_note() {
    // F2: a cosignature is of one head
    let note = cosigned_by(&[1, 2, 4]);
    let other = Checkpoint { origin: "directory.example/log".to_owned(), size: 601, root: [7; 32] }.signed(&signer()).unwrap();
    let moved = format!("{other}{}", note.split_inclusive('\n').skip(5).collect::<String>());
    assert!(matches!(verdict(&example(), &moved), Err(Fault::WrongSignature { .. })));
}

#[test]
fn only_a_listed_log_is_believed_or_the_known_one_where_none_is_listed() {
    // tlog-policy: a checkpoint is valid if it is signed by any one of the listed logs
    let note = cosigned_by(&[]);
    let (ours, other) = (signer(), InMemory::new("other.example/log", 2));
    let neither = format!("log {}\nquorum none\n", other.verifier_key());
    assert!(matches!(verdict(&neither, &note), Err(Fault::NotSigned { .. })));
    assert!(matches!(parsed(&neither).accept(&note, Some(ours.verifier_key())), Err(Fault::NotSigned { .. })), "the list stands");
    assert!(verdict(&format!("log {}\n{}quorum none\n", other.verifier_key(), log_line()), &note).is_ok());
    assert!(parsed("quorum none\n").accept(&note, Some(ours.verifier_key())).is_ok());
    assert!(matches!(verdict("quorum none\n", &note), Err(Fault::NotSigned { .. })));
    let forged = note.replace("\n600\n", "\n601\n");
    assert!(matches!(verdict(&example(), &forged), Err(Fault::WrongSignature { .. })));
}

#[test]
fn a_policy_of_the_wrong_form_is_refused_with_its_line() {
    // tlog-policy; style: parse at the door, and say where
    let (one, two) = (format!("witness a {}\n", key(1)), format!("witness b {}\n", key(2)));
    let quorum = "quorum none\n";
    let same = format!("witness b {}\n", key(1));
    for (policy, line, expected) in [
        (String::new(), 1, PolicyFault::NoQuorum),
        (format!("{one}{two}"), 2, PolicyFault::NoQuorum),
        (format!("{one}{quorum}quorum a\n"), 3, PolicyFault::SecondQuorum),
        (format!("{one}quorum b\n"), 2, PolicyFault::NotDefined("b".to_owned())),
        (format!("quorum a\n{one}"), 1, PolicyFault::NotDefined("a".to_owned())),
        (format!("{one}{same}{quorum}"), 2, PolicyFault::SameKey),
        (format!("{}\n# again\n{}", log_line(), log_line()), 4, PolicyFault::SameKey),
        (format!("{one}{}", two.replace(" b ", " a ")), 2, PolicyFault::NameTaken("a".to_owned())),
        (one.replace(" a ", " none "), 1, PolicyFault::NameTaken("none".to_owned())),
        (format!("{one}group a any a\n"), 2, PolicyFault::NameTaken("a".to_owned())),
        (format!("{one}group g any none\n"), 2, PolicyFault::NotDefined("none".to_owned())),
        (format!("{one}group g any g\n"), 2, PolicyFault::NotDefined("g".to_owned())),
        (format!("{one}group g any a a\n"), 2, PolicyFault::MemberTwice("a".to_owned())),
        (format!("{one}{two}group g any a\ngroup h any a b\n"), 4, PolicyFault::MemberTwice("a".to_owned())),
        (format!("{one}group g 2 a\n"), 2, PolicyFault::Threshold { found: "2".to_owned(), members: 1 }),
        (format!("{one}group g 0 a\n"), 2, PolicyFault::Threshold { found: "0".to_owned(), members: 1 }),
        (format!("{one}group g 01 a\n"), 2, PolicyFault::Threshold { found: "01".to_owned(), members: 1 }),
        (format!("{one}group g some a\n"), 2, PolicyFault::Threshold { found: "some".to_owned(), members: 1 }),
        (format!("{one}group g any\n"), 2, PolicyFault::Form("group <name> all|any|<k> <name>...")),
        ("log\n".to_owned(), 1, PolicyFault::Form("log <vkey> [<url>]")),
        (format!("witness {}\n", key(1)), 1, PolicyFault::Form("witness <name> <vkey> [<url>]")),
        (format!("witness a {} b c\n", key(1)), 1, PolicyFault::Form("witness <name> <vkey> [<url>]")),
        ("quorum a b\n".to_owned(), 1, PolicyFault::Form("quorum <name>")),
        ("Quorum none\n".to_owned(), 1, PolicyFault::Keyword("Quorum".to_owned())),
        ("quorum none\r\n".to_owned(), 1, PolicyFault::Octet(b'\r')),
        ("# \u{7f}\nquorum none\n".to_owned(), 1, PolicyFault::Octet(0x7f)),
        ("quorum none".to_owned(), 1, PolicyFault::CutOff),
        (format!("log {}\n", key(1)), 1, PolicyFault::Key(KeyFault::UnknownType(4))),
        (format!("witness a {}\n", signer().verifier_key()), 1, PolicyFault::Key(KeyFault::NotAWitness(1))),
        ("witness a b\n".to_owned(), 1, PolicyFault::Key(KeyFault::Malformed)),
    ] {
        assert_eq!(fault(&policy), (line, expected), "{policy}");
    }
}

#[test]
fn one_key_under_two_names_is_one_witness_and_one_log() {
    // tlog-policy: two vkeys are duplicate if they wrap the same underlying public key, even if they differ by name and id
    let public: [u8; 32] = witness(1).verifier_key().public().try_into().unwrap();
    let renamed = WitnessKey::ed25519("witness.example/another", &public).unwrap();
    assert_eq!(fault(&format!("witness a {}\nwitness b {renamed}\nquorum none\n", key(1))), (2, PolicyFault::SameKey));
    let public: [u8; 32] = signer().verifier_key().public().try_into().unwrap();
    let renamed = VerifierKey::ed25519("another.example/log", &public).unwrap();
    assert_eq!(fault(&format!("{}log {renamed}\nquorum none\n", log_line())), (2, PolicyFault::SameKey));
    // nobody is a witness of their own log
    let own = WitnessKey::ed25519("witness.example/own", &public).unwrap();
    assert_eq!(fault(&format!("{}witness a {own}\nquorum a\n", log_line())), (2, PolicyFault::SameKey));
    assert_eq!(fault(&format!("witness a {own}\n{}quorum a\n", log_line())), (2, PolicyFault::SameKey));
}

#[test]
fn names_are_octets_and_a_fault_is_told_with_its_line() {
    // tlog-policy: K and the Kelvin sign differ, and a name need not be UTF-8
    let mut policy = [b"witness \xff ".as_slice(), key(1).as_bytes(), "\nwitness K ".as_bytes(), key(2).as_bytes()].concat();
    policy.extend_from_slice(format!("\nwitness \u{212a} {}\ngroup g all ", key(3)).as_bytes());
    policy.extend_from_slice(b"\xff K \xe2\x84\xaa\nquorum g\n");
    let policy = LogPolicy::parse(&policy).unwrap();
    assert!(policy.accept(&cosigned_by(&[1, 2, 3]), Some(signer().verifier_key())).is_ok());
    let error = LogPolicy::parse(b"\nquorum W\n").unwrap_err();
    assert_eq!(error.to_string(), "line 2: W is not defined above it");
}

#[test]
fn as_many_logs_witnesses_and_groups_as_the_standard_recommends_are_read() {
    // tlog-policy: at least up to 32 logs, 32 witnesses, and 32 groups
    let mut policy = String::new();
    for number in 0..40u8 {
        policy += &format!("log {}\n", InMemory::new(&format!("log.example/{number}"), number + 10).verifier_key());
        policy += &format!("witness w{number} {}\n", key(number));
        let below = if number == 0 { String::new() } else { format!(" g{}", number - 1) };
        policy += &format!("group g{number} all w{number}{below}\n");
    }
    assert_eq!(parsed(&format!("{policy}quorum g39\n")).witnesses().count(), 40);
}

proptest! {
    #[test]
    fn a_quorum_of_k_is_met_by_k_different_witnesses_and_by_no_fewer(k in 1usize..=6, chosen in proptest::collection::vec(1u8..=9, 0..9)) {
        // F2: as many witnesses as the policy asks for, unknown ones and repetitions left out
        let mut policy = log_line();
        for number in 1..=6 {
            policy += &format!("witness w{number} {}\n", key(number));
        }
        policy += &format!("group g {k} w1 w2 w3 w4 w5 w6\nquorum g\n");
        let different: BTreeSet<u8> = chosen.iter().copied().filter(|number| *number <= 6).collect();
        prop_assert_eq!(verdict(&policy, &cosigned_by(&chosen)).is_ok(), different.len() >= k);
    }

    #[test]
    fn no_bytes_whatever_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), words in "(log|witness|group|quorum|any|none|2| |\n|a|b){0,30}") {
        // style: bad input is a typed error
        let _ = LogPolicy::parse(&bytes);
        let _ = LogPolicy::parse(words.as_bytes());
    }
}
