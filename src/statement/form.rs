//! The form that both kinds of document have: a signed note with the digest of what follows, then the words, the proofs and the checkpoint.
//!
//! The signature is over a few lines and not over megabytes: an HSM over a network is sent a kilobyte, and the note stays a note that others'
//! tools read.

use crate::error::DocumentFault;
use base64::engine::general_purpose::STANDARD as BASE64;
use base64::Engine as _;
use contactpoint_audit::{open_statement, Hash, VerifierKey, STATEMENT};
use contactpoint_domain::Instant;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

const LOOKS: &str = "\n==== entries ====\n\n";
const PROOFS: &str = "\n==== proofs ====\n\n";
/// How a line begins by which a document says that it is a part; names stand behind two blanks.
const PART: [&str; 2] = ["\nIt is a part", "\nIt is the last part"];
const CHECKPOINT: &str = "\n==== checkpoint ====\n\n";

/// The two kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Who saw a child.
    SubjectAccess,
    /// What a person did.
    Evidence,
}

impl Kind {
    /// As it is written.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::SubjectAccess => "subject-access",
            Self::Evidence => "evidence",
        }
    }
}

/// One entry's proof: its leaf, or the leaf's hash alone, and the path.
pub(crate) struct Proof {
    pub(crate) index: u64,
    pub(crate) leaf: Leaf,
    pub(crate) path: Vec<Hash>,
}

/// What is shown of a leaf.
pub(crate) enum Leaf {
    Hash(Hash),
    Whole { leaf: Vec<u8>, key: [u8; 32] },
}

/// A document that is not signed yet.
pub struct Unsigned {
    head: String,
    body: String,
}

/// What the head of a document says, beside the digest.
pub(crate) struct Head<'a> {
    pub(crate) kind: Kind,
    pub(crate) log: &'a str,
    pub(crate) about: String,
    pub(crate) made: Instant,
    pub(crate) size: u64,
    pub(crate) entries: usize,
}

/// The three parts below the signature, and the words before them.
pub(crate) struct Body<'a> {
    pub(crate) preface: &'a str,
    pub(crate) looks: &'a [String],
    pub(crate) proofs: &'a [Proof],
    pub(crate) checkpoint: &'a str,
}

impl Unsigned {
    pub(crate) fn of(head: &Head<'_>, body: &Body<'_>) -> Self {
        let Body { preface, looks, proofs, checkpoint } = body;
        let mut text = format!("{preface}{LOOKS}{}{PROOFS}", looks.join("\n"));
        for proof in *proofs {
            proof.write(&mut text);
        }
        text.push_str(CHECKPOINT);
        text.push_str(checkpoint);
        let Head { kind, log, about, made, size, entries } = head;
        let digest = BASE64.encode(Sha256::digest(&text));
        let kind = kind.code();
        let head =
            format!("{STATEMENT}\nkind {kind}\nlog {log}\nabout {about}\nmade {made}\nsize {size}\nentries {entries}\nsha256 {digest}\n");
        Self { head, body: text }
    }

    /// What is to be signed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.head
    }

    /// The whole document, with the note that the text was signed into.
    #[must_use]
    pub fn signed(self, note: &str) -> String {
        format!("{note}\n{}", self.body)
    }
}

impl Proof {
    fn write(&self, text: &mut String) {
        // writing to a string does not fail
        let _ = writeln!(text, "entry {}", self.index);
        let _ = match &self.leaf {
            Leaf::Hash(hash) => writeln!(text, "leaf-hash {}", BASE64.encode(hash)),
            Leaf::Whole { leaf, key } => writeln!(text, "leaf {}\nkey {}", BASE64.encode(leaf), BASE64.encode(key)),
        };
        for hash in &self.path {
            let _ = writeln!(text, "path {}", BASE64.encode(hash));
        }
        text.push('\n');
    }

    fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines().map(|line| line.split_once(' ').unwrap_or((line, "")));
        let index = lines.next().filter(|(word, _)| *word == "entry").and_then(|(_, index)| index.parse().ok())?;
        let leaf = match lines.next()? {
            ("leaf-hash", hash) => Leaf::Hash(BASE64.decode(hash).ok()?.try_into().ok()?),
            ("leaf", leaf) => {
                let key = lines.next().filter(|(word, _)| *word == "key").and_then(|(_, key)| BASE64.decode(key).ok());
                Leaf::Whole { leaf: BASE64.decode(leaf).ok()?, key: key?.try_into().ok()? }
            }
            (_, _) => return None,
        };
        let hash = |(word, hash): (&str, &str)| if word == "path" { BASE64.decode(hash).ok()?.try_into().ok() } else { None };
        Some(Self { index, leaf, path: lines.map(hash).collect::<Option<_>>()? })
    }
}

/// A document taken apart; its signature and the digest are good.
pub(crate) struct Parts<'a> {
    pub(crate) kind: Kind,
    pub(crate) about: &'a str,
    pub(crate) made: &'a str,
    /// It says so.
    pub(crate) is_part: bool,
    pub(crate) size: u64,
    pub(crate) entries: u64,
    pub(crate) looks: Vec<&'a str>,
    pub(crate) proofs: Vec<Proof>,
    pub(crate) checkpoint: &'a str,
}

impl<'a> Parts<'a> {
    pub(crate) fn open(document: &'a str, key: &VerifierKey) -> Result<Self, DocumentFault> {
        let form = |why| DocumentFault::Form { why };
        // the text, a blank line, the signatures, a blank line, the body
        let signatures = document.find("\n\n").map(|at| at + 2).ok_or(form("a blank line stands before the signature"))?;
        let end = document[signatures..].find("\n\n").ok_or(form("a blank line stands below the signature"))?;
        let (note, body) = document.split_at(signatures + end + 1);
        let text = open_statement(note, key).map_err(DocumentFault::Signature)?;
        let body = &body[1..];
        let mut lines = text.lines().skip(1);
        let mut line = |word: &'static str| {
            let found = lines.next().and_then(|line| line.strip_prefix(word)?.strip_prefix(' '));
            found.ok_or(form("the signed lines are kind, log, about, made, size, entries, sha256"))
        };
        let (kind, log, about, made) = (line("kind")?, line("log")?, line("about")?, line("made")?);
        let (size, entries, digest) = (line("size")?, line("entries")?, line("sha256")?);
        if lines.next().is_some() {
            return Err(form("the signed lines are kind, log, about, made, size, entries, sha256"));
        }
        let kind = [Kind::SubjectAccess, Kind::Evidence].into_iter().find(|known| known.code() == kind);
        if log != key.name() {
            return Err(form("the signed text names the log whose key signed it"));
        }
        if BASE64.encode(Sha256::digest(body)) != digest {
            return Err(DocumentFault::Altered);
        }
        // it is signed, and still read on a terminal by whoever does not trust the signer
        if document.chars().any(rewrites_a_terminal) {
            return Err(form("no character but the newline is there to move what is read"));
        }
        let number = |text: &str| text.parse().map_err(|_| form("size and entries are numbers"));
        let (preface, rest) = body.split_once(LOOKS).ok_or(form("the entries stand below a line of their own"))?;
        let (looks, rest) = rest.split_once(PROOFS).ok_or(form("the proofs stand below a line of their own"))?;
        let (proofs, checkpoint) = rest.split_once(CHECKPOINT).ok_or(form("the checkpoint stands below a line of its own"))?;
        let proofs: Option<Vec<Proof>> = paragraphs(proofs).map(Proof::read).collect();
        Ok(Self {
            kind: kind.ok_or(form("the kind is subject-access or evidence"))?,
            about,
            made,
            is_part: PART.iter().any(|words| preface.contains(words)),
            size: number(size)?,
            entries: number(entries)?,
            looks: paragraphs(looks).collect(),
            proofs: proofs.ok_or(form("a proof is: entry, leaf-hash or leaf and key, path"))?,
            checkpoint,
        })
    }
}

/// Control characters (Unicode category Cc) other than the newline, line and paragraph separators, the bidirectional controls of UAX #9. No name can
/// have one.
fn rewrites_a_terminal(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    turns || c.is_control() && c != '\n'
}

fn paragraphs(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n\n").map(|paragraph| paragraph.trim_matches('\n')).filter(|paragraph| !paragraph.is_empty())
}
