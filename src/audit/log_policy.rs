//! Policies (C2SP tlog-policy, <https://c2sp.org/tlog-policy>): which logs are believed, which witnesses are known, and how many of them must
//! have cosigned a checkpoint.
//!
//! For: rule F2, "independent witnesses may cosign": parsing the file, and judging a note by it. Leaves to others: reading the file, and
//! whether a cosignature's time is too old or in the future ([`Accepted::cosigned`] tells the times to whoever has a clock). A URL
//! after a key is allowed and not kept: nothing here connects anywhere. Witnesses with ML-DSA-44 keys (0x06) are refused, not passed over.

use crate::error::{Fault, PolicyError, PolicyFault};
use crate::{Checkpoint, SignedCheckpoint, VerifierKey, WitnessKey};
use std::collections::{BTreeMap, BTreeSet};

/// A policy that was read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPolicy {
    logs: Vec<VerifierKey>,
    /// Witnesses and groups in the file's order, so that each stands after all that it names.
    voters: Vec<Voter>,
    /// Index of a voter; `None` is `quorum none`.
    quorum: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Voter {
    /// The policy's own name for it.
    name: String,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Witness(Box<WitnessKey>),
    Group { threshold: usize, members: Vec<usize> },
}

/// A checkpoint that a policy accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Accepted {
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// The log that signed it.
    pub log: VerifierKey,
    /// The policy's names of the witnesses that cosigned, and when, in seconds since 1970-01-01T00:00:00Z.
    pub cosigned: Vec<(String, u64)>,
}

/// A line below a checkpoint by which a witness of a policy cosigned it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    /// The policy's name of the witness.
    pub witness: String,
    /// Its key.
    pub key: WitnessKey,
    /// When, in seconds since 1970-01-01T00:00:00Z; the latest of several.
    pub at: u64,
    /// The line, with its newline.
    pub line: String,
}

impl LogPolicy {
    /// Reads a policy. The file is octets: names need not be UTF-8. The first fault met is the answer, with its line, from 1.
    pub fn parse(file: &[u8]) -> Result<Self, PolicyError> {
        let mut draft = Draft::default();
        let lines = file.split_inclusive(|octet| *octet == b'\n');
        let mut last = 1;
        for (line, text) in (1..).zip(lines) {
            last = line;
            draft.take(text).map_err(|fault| PolicyError { line, fault })?;
        }
        let Draft { logs, voters, quorum, .. } = draft;
        match quorum {
            Some(quorum) => Ok(Self { logs, voters, quorum }),
            None => Err(PolicyError { line: last, fault: PolicyFault::NoQuorum }),
        }
    }

    /// The logs that it lists; there may be none.
    #[must_use]
    pub fn logs(&self) -> &[VerifierKey] {
        &self.logs
    }

    /// The witnesses that it lists, with its names for them.
    pub fn witnesses(&self) -> impl Iterator<Item = (&str, &WitnessKey)> {
        self.voters.iter().filter_map(|voter| match &voter.kind {
            Kind::Witness(key) => Some((voter.name.as_str(), key.as_ref())),
            Kind::Group { .. } => None,
        })
    }

    /// Whether these witnesses would be the quorum, if each of them cosigned.
    pub fn is_met_by(&self, has: impl Fn(&WitnessKey) -> bool) -> bool {
        let mut met: Vec<bool> = Vec::with_capacity(self.voters.len());
        for voter in &self.voters {
            met.push(match &voter.kind {
                Kind::Witness(key) => has(key),
                Kind::Group { threshold, members } => members.iter().filter(|member| met[**member]).count() >= *threshold,
            });
        }
        self.quorum.is_none_or(|quorum| met[quorum])
    }

    /// True of `quorum none`: any checkpoint of its logs is accepted, cosigned or not.
    #[must_use]
    pub const fn asks_for_none(&self) -> bool {
        self.quorum.is_none()
    }

    /// Judges a checkpoint's note: signed by one of the logs, cosigned by the quorum. `known` stands for the logs where the policy lists
    /// none. A witness counts once, however many lines it has; a wrong line of a known witness refuses the note.
    pub fn accept(&self, note: &str, known: Option<&VerifierKey>) -> Result<Accepted, Fault> {
        let (signed, log) = self.signed(note, known)?;
        let mut cosigned = Vec::new();
        let mut met: Vec<bool> = Vec::with_capacity(self.voters.len());
        for voter in &self.voters {
            let has = match &voter.kind {
                Kind::Witness(key) => {
                    let at = signed.cosigned_at(key)?;
                    cosigned.extend(at.map(|at| (voter.name.clone(), at)));
                    at.is_some()
                }
                Kind::Group { threshold, members } => members.iter().filter(|member| met[**member]).count() >= *threshold,
            };
            met.push(has);
        }
        match self.quorum.filter(|quorum| !met[*quorum]) {
            None => Ok(Accepted { checkpoint: signed.checkpoint().clone(), log: log.clone(), cosigned }),
            Some(quorum) => Err(Fault::QuorumNotMet {
                quorum: self.voters[quorum].name.clone(),
                cosigned: cosigned.into_iter().map(|(name, _)| name).collect(),
            }),
        }
    }

    /// What of a note counts under this policy, quorum or not: its checkpoint, signed by one of the logs, and a line for each witness that
    /// cosigned it. Lines of unknown keys are passed over; a wrong line of a known witness refuses the note.
    pub fn cosignatures(&self, note: &str, known: Option<&VerifierKey>) -> Result<(Checkpoint, Vec<Cosignature>), Fault> {
        let (signed, _) = self.signed(note, known)?;
        let mut found = Vec::new();
        for (name, key) in self.witnesses() {
            if let Some((at, line)) = signed.cosignature_of(key)? {
                found.push(Cosignature { witness: name.to_owned(), key: key.clone(), at, line });
            }
        }
        Ok((signed.checkpoint().clone(), found))
    }

    /// The note, opened with the first log of the policy that signed it.
    fn signed<'a>(&'a self, note: &'a str, known: Option<&'a VerifierKey>) -> Result<(SignedCheckpoint<'a>, &'a VerifierKey), Fault> {
        let logs: Vec<&VerifierKey> = if self.logs.is_empty() { known.into_iter().collect() } else { self.logs.iter().collect() };
        for log in &logs {
            match SignedCheckpoint::open(note, log) {
                Ok(signed) => return Ok((signed, log)),
                // a log that listed itself beside another, and signed the other's checkpoint, is not this checkpoint's log
                Err(Fault::NotSigned { .. } | Fault::OtherOrigin { .. }) => {}
                Err(fault) => return Err(fault),
            }
        }
        let keys: Vec<String> = logs.iter().map(ToString::to_string).collect();
        Err(Fault::NotSigned { key: if keys.is_empty() { "any log: the policy lists none".to_owned() } else { keys.join(" or ") } })
    }
}

/// What was read so far.
#[derive(Default)]
struct Draft<'a> {
    logs: Vec<VerifierKey>,
    voters: Vec<Voter>,
    /// Names are octets.
    names: BTreeMap<&'a [u8], usize>,
    members: BTreeSet<usize>,
    quorum: Option<Option<usize>>,
}

const NONE: &[u8] = b"none";

impl<'a> Draft<'a> {
    fn take(&mut self, line: &'a [u8]) -> Result<(), PolicyFault> {
        let text = line.strip_suffix(b"\n").ok_or(PolicyFault::CutOff)?;
        if let Some(octet) = text.iter().find(|octet| octet.is_ascii_control() && **octet != b'\t') {
            return Err(PolicyFault::Octet(*octet));
        }
        let items: Vec<&[u8]> = text.split(|octet| matches!(octet, b' ' | b'\t')).filter(|item| !item.is_empty()).collect();
        match items.as_slice() {
            [] => Ok(()),
            [first, ..] if first.starts_with(b"#") => Ok(()),
            [b"log", key] | [b"log", key, _] => self.log(key),
            [b"witness", name, key] | [b"witness", name, key, _] => self.witness(name, key),
            [b"group", name, threshold, members @ ..] if !members.is_empty() => self.group(name, threshold, members),
            [b"quorum", name] => self.quorum(name),
            [b"log", ..] => Err(PolicyFault::Form("log <vkey> [<url>]")),
            [b"witness", ..] => Err(PolicyFault::Form("witness <name> <vkey> [<url>]")),
            [b"group", ..] => Err(PolicyFault::Form("group <name> all|any|<k> <name>...")),
            [b"quorum", ..] => Err(PolicyFault::Form("quorum <name>")),
            [other, ..] => Err(PolicyFault::Keyword(shown(other))),
        }
    }

    fn log(&mut self, key: &[u8]) -> Result<(), PolicyFault> {
        let key = VerifierKey::parse(text(key)?)?;
        let is_witness = |voter: &Voter| match &voter.kind {
            Kind::Witness(known) => known.public() == key.public(),
            Kind::Group { .. } => false,
        };
        // nobody is a witness of their own log
        if self.logs.iter().any(|known| known.public() == key.public()) || self.voters.iter().any(is_witness) {
            return Err(PolicyFault::SameKey);
        }
        self.logs.push(key);
        Ok(())
    }

    fn witness(&mut self, name: &'a [u8], key: &[u8]) -> Result<(), PolicyFault> {
        let key = WitnessKey::parse(text(key)?)?;
        let is_known = |voter: &Voter| match &voter.kind {
            Kind::Witness(known) => known.public() == key.public(),
            Kind::Group { .. } => false,
        };
        if self.voters.iter().any(is_known) || self.logs.iter().any(|log| log.public() == key.public()) {
            return Err(PolicyFault::SameKey);
        }
        self.name(name, Kind::Witness(Box::new(key)))
    }

    fn group(&mut self, name: &'a [u8], threshold: &[u8], members: &[&[u8]]) -> Result<(), PolicyFault> {
        let mut indices = Vec::with_capacity(members.len());
        for member in members {
            let index = self.defined(member)?;
            // anywhere in the file: each witness contributes in one way alone
            if !self.members.insert(index) {
                return Err(PolicyFault::MemberTwice(shown(member)));
            }
            indices.push(index);
        }
        let n = indices.len();
        let threshold = match threshold {
            b"all" => n,
            b"any" => 1,
            written => std::str::from_utf8(written)
                .ok()
                .and_then(crate::checkpoint::decimal)
                .and_then(|k| usize::try_from(k).ok())
                .filter(|k| (1..=n).contains(k))
                .ok_or_else(|| PolicyFault::Threshold { found: shown(written), members: n })?,
        };
        self.name(name, Kind::Group { threshold, members: indices })
    }

    fn quorum(&mut self, name: &[u8]) -> Result<(), PolicyFault> {
        if self.quorum.is_some() {
            return Err(PolicyFault::SecondQuorum);
        }
        self.quorum = Some(if name == NONE { None } else { Some(self.defined(name)?) });
        Ok(())
    }

    fn name(&mut self, name: &'a [u8], kind: Kind) -> Result<(), PolicyFault> {
        if name == NONE || self.names.contains_key(name) {
            return Err(PolicyFault::NameTaken(shown(name)));
        }
        self.names.insert(name, self.voters.len());
        self.voters.push(Voter { name: shown(name), kind });
        Ok(())
    }

    fn defined(&self, name: &[u8]) -> Result<usize, PolicyFault> {
        self.names.get(name).copied().ok_or_else(|| PolicyFault::NotDefined(shown(name)))
    }
}

fn text(key: &[u8]) -> Result<&str, PolicyFault> {
    std::str::from_utf8(key).map_err(|_| PolicyFault::Key(crate::KeyFault::Malformed))
}

/// For people; octets that are not UTF-8 are replaced.
fn shown(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

#[cfg(test)]
mod tests;
