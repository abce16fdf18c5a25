//! How a stranger checks evidence without any of our programs: the text that evidence carries, with an entry's layout and the closed lists, which
//! are made of the code's own. tests/flow/statements/check.py does what it says, and takes the lists out of it.

use contactpoint_audit::{Field, Operation, RefusalCode};
use contactpoint_domain::{Purpose, Role};

/// The text, up to the entries.
pub(crate) fn how_to_check() -> String {
    let lists = [
        list("Role", Role::ALL.iter().map(|role| (role.number(), role.code()))),
        list("Did", Operation::ALL.iter().map(|operation| (operation.number(), operation.code()))),
        list("Reason", Purpose::ALL.iter().map(|reason| (reason.number(), reason.code()))),
        list("Shown", Field::ALL.iter().map(|field| (field.number(), field.code()))),
        list("Outcome", OUTCOMES.into_iter()),
        list("Refusal", RefusalCode::ALL.iter().map(|why| (why.number(), why.code()))),
    ];
    format!("{STEPS}\n{LAYOUT}\n{}", lists.concat())
}

/// An outcome has its number in an entry's bytes alone; a test holds these against them.
const OUTCOMES: [(u8, &str); 4] = [(1, "answered"), (2, "not-found"), (3, "too-many"), (REFUSED, "refused")];
const REFUSED: u8 = 4;

/// "Role:", then "number code" after "number code" in lines of at most 140 characters, each behind four blanks.
fn list(word: &str, members: impl Iterator<Item = (u8, &'static str)>) -> String {
    let mut text = format!("{word}:");
    let mut column = usize::MAX;
    for (number, code) in members {
        let member = format!("{number} {code}");
        let begins = column.saturating_add(2 + member.len()) > 140;
        text.push_str(if begins { "\n    " } else { ", " });
        column = if begins { 4 } else { column + 2 } + member.len();
        text.push_str(&member);
    }
    text.push('\n');
    text
}

const STEPS: &str = "\
HOW TO CHECK THIS WITHOUT THE DIRECTORY'S PROGRAMS

What it takes: SHA-256, HMAC-SHA-256, AES-256-GCM, and the signature of the key above (type 01: Ed25519; 02: ECDSA P-256, DER). Everything is
base64 where it is not words. \"then\" puts bytes one behind the other. If the file is still sealed: age -d -i KEYFILE FILE
1. The signature. The file begins with a text; a blank line; a line of a dash, the name LOG/statements, and base64. Drop the first 4 bytes of
   that, the key's id: the rest is the signature over the text, with its last newline. The key is the log's: the part behind the second + of
   the line above, without its first byte, the type. For type 01 the id begins SHA-256(name then newline then byte 01 then key); a line with
   another id is another key's. (C2SP signed-note; the name keeps a statement from being taken for a head.)
2. The whole. A blank line follows, and then the body, to the file's end. Its SHA-256 is in the signed line sha256, and the number of its
   entries in the line entries. The line size is that of the checkpoint.
3. The checkpoint, the last part: its text up to the blank line is signed by the same key under the name LOG. Its lines: name, size, root.
   The other signature lines are of witnesses (C2SP tlog-cosignature): base64 of 4 bytes of id, a time T (8 bytes, big-endian, seconds since
   1970) and an Ed25519 signature over: the line cosignature/v1, the line \"time T\", T in decimal, and the checkpoint's text with its last
   newline. The key is the witness's, to be had from the witness itself; it is written as the log's, with type 04, and so is its id worked out.
4. Each entry, in proofs. A leaf is: format (1 byte), key epoch (4), nonce (24), commitment (32), cipher text, tag (16).
   Format 2: the commitment is HMAC-SHA-256(key, \"contactpoint entry commit 2\" then nonce): the leaf opens with this key and with no other.
   The cipher's key is HMAC-SHA-256(key, \"contactpoint entry cipher 2\" then nonce); AES-256-GCM with a nonce of 12 zero bytes; associated
   data: the first 61 bytes. Format 1, of entries before this release: the cipher's key is key itself, and the commitment can be checked by
   the directory alone, so that whether the leaf could be opened in another way too is its word.
   The plain text: a length (2 bytes, big-endian), the entry, zeros.
5. The words above the proofs are made of the entry and its number alone: read it as below, write the words again, and hold them against those
   that are there, line by line. The person is that of the line about, and the entries' numbers rise.
6. The receipt. Begin with SHA-256(byte 00 then leaf); f is the entry's number, s is size - 1. For each path h: where f is odd or f = s:
   SHA-256(byte 01 then h then it), and while f is even and not 0, halve f and s; otherwise SHA-256(byte 01 then it then h). Halve f and s
   then. The end is the checkpoint's root, and s is 0 (RFC 9162, 2.1.3.2).
That these are all the entries of this person in that time (in a part: all of them among the entries of the log that it names), and what the
names and the lists say, is the directory's word, under its signature.
A number never changes its meaning: the lists of two documents differ in what is new alone. Each entry stands by itself.
";

const LAYOUT: &str = "\
AN ENTRY, AND ITS LISTS

A byte, the format: 1, 2 or 3. Then these fields, with nothing between or behind them (postcard). A byte is itself; a number has 7 bits in each
byte, the lowest first, and the top bit where another byte follows; what is optional is a byte 00, or a byte 01 and then it; a list is a number,
how many, then its members; a text is a number, how many bytes, then UTF-8.
  time          number            When: milliseconds since 1970, in UTC in brackets; before them the clocks of the United Kingdom, an hour
                                  more from 01:00 UTC on March's last Sunday to 01:00 UTC on October's
  person        optional number   Person
  organisation  optional number   Organisation
  role          optional byte     Role
  operation     byte              Did
  reason        optional byte     Reason
  children      list of numbers   Children: nine digits each, and a tenth: p = 10; for each digit d: q = (d + p) mod 10, or 10 for 0, and
                                  p = 2 q mod 11; the tenth is (11 - p) mod 10 (ISO/IEC 7064, MOD 11,10)
  shown         list of bytes     Shown
  outcome       byte              Outcome: the code of the list, and for 4 that of the refusal in its place
  refusal       optional byte     with outcome 4, and with no other
  changes       list              Rows changed, table/row/version/digest: a byte; a number, 2n for row n and 2n - 1 for row -n; a number;
                                  16 bytes, in hexadecimal
Format 2 goes on with two texts, given and family name: On behalf of. Format 3 goes on with an optional pair of such texts, and then a list of
bytes, one for each child: facts for the directory's own review. They are veiled, this document tells none of them, and any byte may stand there.
In the words, what there is none of is \"-\", several are parted by a blank, and numbers that are codes stand for these:
";

#[cfg(test)]
mod tests {
    use super::*;
    use contactpoint_audit::{Entry, Outcome};
    use contactpoint_domain::Instant;

    #[test]
    fn the_document_has_each_number_with_its_code() {
        // F5: a text that explains how to check it without us; what the code's lists have, the text has
        let text = how_to_check();
        let members = |word: &str| {
            let rest = text.split_once(&format!("\n{word}:\n")).unwrap().1;
            let lines: Vec<&str> = rest.lines().take_while(|line| line.starts_with("    ")).map(str::trim).collect();
            lines.join(", ").split(", ").map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(members("Reason")[..2], ["1 coordination", "2 concern"]);
        assert_eq!(members("Did").len(), Operation::ALL.len());
        assert_eq!(members("Refusal").last().unwrap(), "57 other-request");
        assert!(members("Role").contains(&"11 system-operator".to_owned()));
        assert!(members("Shown").contains(&"12 unique-pupil-number".to_owned()));
        let outcomes = [Outcome::Answered, Outcome::NotFound, Outcome::TooMany, Outcome::Refused(RefusalCode::OutsideScope)];
        let as_written: Vec<String> = outcomes.into_iter().map(as_in_the_bytes).collect();
        assert_eq!(members("Outcome"), as_written);
        assert!(text.lines().all(|line| line.chars().count() <= 150), "compact, and still fit to print");
    }

    /// The outcome's number as an entry's bytes have it, with its code; a refusal's code is in a list of its own.
    fn as_in_the_bytes(outcome: Outcome) -> String {
        let entry = Entry {
            at: Instant::of_millis(0),
            person: None,
            organisation: None,
            role: None,
            operation: Operation::View,
            reason: None,
            children: Vec::new(),
            shown: Vec::new(),
            outcome,
            changes: Vec::new(),
            on_behalf_of: None,
            facts: Vec::new(),
        };
        // format, time, person, organisation, role, operation, reason, children, shown
        let number = entry.encode()[9];
        let code = match outcome {
            Outcome::Answered | Outcome::NotFound | Outcome::TooMany => outcome.code(),
            Outcome::Refused(_) => "refused",
        };
        format!("{number} {code}")
    }
}
