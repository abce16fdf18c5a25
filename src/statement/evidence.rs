//! Evidence of what a person did (rule F5): each entry in words, its leaf, the leaf's own key and its proof.
//!
//! The words of an entry are made of its leaf alone, so that whoever verifies makes them again and compares. Names of people and organisations
//! are not in the log; they stand in the preface, and are the directory's word.

use crate::form::{Body, Head, Kind, Leaf, Proof, Unsigned};
use crate::how_to_check::how_to_check;
use crate::words::{not_known, when};
use contactpoint_audit::{Change, Entry, Hash, VerifierKey};
use contactpoint_domain::{Instant, PersonId};
use contactpoint_sealing::EntryKey;
use std::fmt::Write as _;
use std::ops::{Range, RangeInclusive};

/// One entry, opened.
pub struct Opened {
    /// Its index in the log.
    pub index: u64,
    /// What it says.
    pub entry: Entry,
    /// The leaf as it lies in the log.
    pub leaf: Vec<u8>,
    /// What opens it.
    pub key: EntryKey,
    /// From the leaf's hash to the checkpoint.
    pub path: Vec<Hash>,
}

/// Names that go with numbers in the entries, as the directory has them when the evidence is made.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Person or organisation, number, name.
    pub lines: Vec<String>,
}

/// All that one person did in a time, below one checkpoint, or a part of it.
pub struct Evidence<'a> {
    /// The log's key.
    pub key: &'a VerifierKey,
    /// Whose looks.
    pub person: PersonId,
    /// From then on.
    pub from: Instant,
    /// Up to, and without.
    pub to: Instant,
    /// Asked for by, approved by.
    pub auditors: (PersonId, PersonId),
    /// When it is made.
    pub made: Instant,
    /// Entries that the checkpoint covers.
    pub size: u64,
    /// Those that were looked through: all of these but in a part.
    pub among: Range<u64>,
    /// Oldest first.
    pub entries: &'a [Opened],
    /// Entries that were erased: whose they were nobody knows any more.
    pub erased: &'a [RangeInclusive<u64>],
    /// Names.
    pub names: &'a Names,
    /// The checkpoint that the paths lead to, with the cosignatures that it has.
    pub checkpoint: &'a str,
}

impl Evidence<'_> {
    /// The document, to be signed.
    #[must_use]
    pub fn written(&self) -> Unsigned {
        let proof = |opened: &Opened| {
            let leaf = Leaf::Whole { leaf: opened.leaf.clone(), key: *opened.key.expose_to_recipient() };
            Proof { index: opened.index, leaf, path: opened.path.clone() }
        };
        let proofs: Vec<Proof> = self.entries.iter().map(proof).collect();
        let looks: Vec<String> = self.entries.iter().map(|opened| paragraph(opened.index, &opened.entry)).collect();
        let about = format!("person {}", self.person.0);
        let head = Head { kind: Kind::Evidence, log: self.key.name(), about, made: self.made, size: self.size, entries: looks.len() };
        let preface = self.preface();
        Unsigned::of(&head, &Body { preface: &preface, looks: &looks, proofs: &proofs, checkpoint: self.checkpoint })
    }

    fn preface(&self) -> String {
        let Self {
            key,
            person: PersonId(person),
            from,
            to,
            auditors: (PersonId(asked), PersonId(approved)),
            made,
            size,
            among: among @ Range { start, end },
            entries,
            erased,
            names,
            checkpoint: _,
        } = self;
        let since = if *start == 0 { String::new() } else { format!(" from entry {start} on and") };
        let part = match (*start, *end < *size) {
            (0, false) => String::new(),
            (_, false) => format!("It is the last part; what stands before entry {start} is not in it.\n"),
            (_, true) => format!("It is a part: what was done since stands in the next, which is fetched from entry {end} on.\n"),
        };
        let mut text = format!(
            "EVIDENCE OF WHAT A PERSON DID\n\n\
             What person {person} looked at, and tried to, from {}\n\
             until {}, as far as the log holds it{since} before entry {end}:\n\
             {} entries, the oldest first.\n{part}Asked for by the auditor with the number {asked}, approved by the auditor with the number {approved}.\n\
             Made on {}.\n\nNames, as the directory has them on that day; the log holds numbers alone:\n",
            when(*from),
            when(*to),
            entries.len(),
            when(*made)
        );
        for name in &names.lines {
            let _ = writeln!(text, "  {name}");
        }
        text.push_str(&not_known(erased, among));
        let _ = write!(text, "\nThe log's key, as it says itself (ask the accreditor for it):\n  {key}\n\n{}", how_to_check());
        text
    }
}

/// An entry's words: of its leaf and its place alone.
pub(crate) fn paragraph(index: u64, entry: &Entry) -> String {
    // facts are veiled, and nobody's to read but the directory's
    let Entry { at, person, organisation, role, operation, reason, children, shown, outcome, changes, on_behalf_of, facts: _ } = entry;
    let mut text = format!("Entry {index}\n");
    let mut line = |word: &str, value: String| {
        let value = if value.is_empty() { "-".to_owned() } else { value };
        let _ = writeln!(text, "  {word:<13} {value}");
    };
    line("When", when(*at));
    line("Person", person.map(|id| id.0.to_string()).unwrap_or_default());
    line("Organisation", organisation.map(|id| id.0.to_string()).unwrap_or_default());
    line("Role", role.map(|role| role.code().to_owned()).unwrap_or_default());
    line("Did", operation.code().to_owned());
    line("Reason", reason.map(|reason| reason.code().to_owned()).unwrap_or_default());
    line("Children", joined(children.iter().map(|number| number.as_str().to_owned())));
    line("Shown", joined(shown.iter().map(|field| field.code().to_owned())));
    line("Outcome", outcome.code().to_owned());
    line("Rows changed", joined(changes.iter().map(row)));
    line("On behalf of", on_behalf_of.as_ref().map(|name| format!("{} {}", name.given.as_str(), name.family.as_str())).unwrap_or_default());
    text
}

fn row(Change { table, row, version, digest }: &Change) -> String {
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{table}/{row}/{version}/{digest}")
}

fn joined(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(" ")
}
