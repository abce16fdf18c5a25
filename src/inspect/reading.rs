//! What was read somewhere, raw, or why it could not be; and a look at it that ends as an observation.
//!
//! For: every check is a function over readings, so that a test can hand it a weakened one. A look starts as holding and can only get worse;
//! one that found nothing to look at is unseen, and unseen is never "holds".

use contactpoint_assurance::{Evidence, Observation, Verdict};

/// A text and where it stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// A path, a command, a request.
    pub source: String,
    /// What stood there; or why it could not be read.
    pub text: Result<String, String>,
}

impl Reading {
    /// `text` stood at `source`.
    pub fn seen(source: impl Into<String>, text: impl Into<String>) -> Self {
        Self { source: source.into(), text: Ok(text.into()) }
    }

    /// `source` could not be read.
    pub fn unseen(source: impl Into<String>, why: impl Into<String>) -> Self {
        Self { source: source.into(), text: Err(why.into()) }
    }
}

/// A check in the making.
#[derive(Debug)]
pub(crate) struct Look {
    check: &'static str,
    expected: String,
    verdict: Verdict,
    evidence: Vec<Evidence>,
}

impl Look {
    /// Begins: the check's name in the catalogue, and what should be.
    pub(crate) fn at(check: &'static str, expected: impl Into<String>) -> Self {
        Self { check, expected: expected.into(), verdict: Verdict::Holds, evidence: Vec::new() }
    }

    /// The reading's text; where there is none the look has not seen all.
    pub(crate) fn read<'r>(&mut self, reading: &'r Reading) -> Option<&'r str> {
        match &reading.text {
            Ok(text) => Some(text),
            Err(why) => {
                self.unseen(&reading.source, why.clone());
                None
            }
        }
    }

    /// `value` stood at `source`, and is what should be or is not.
    pub(crate) fn found(&mut self, source: &str, value: impl Into<String>, is_good: bool) {
        self.note(source, value, if is_good { Verdict::Holds } else { Verdict::Fails });
    }

    /// Something at `source` could not be looked at.
    pub(crate) fn unseen(&mut self, source: &str, why: impl Into<String>) {
        self.note(source, why, Verdict::Unseen);
    }

    fn note(&mut self, source: &str, value: impl Into<String>, verdict: Verdict) {
        self.verdict = self.verdict.max(verdict);
        self.evidence.push(Evidence::new(source, value));
    }

    /// Ends. A look that found nothing has seen nothing.
    pub(crate) fn done(self) -> Observation {
        let verdict = if self.evidence.is_empty() { self.verdict.max(Verdict::Unseen) } else { self.verdict };
        Observation::new(self.check, verdict, self.expected, self.evidence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_only_gets_worse_and_one_at_nothing_is_unseen() {
        // J1: unseen is never "holds"
        assert_eq!(Look::at("a", "b").done().verdict, Verdict::Unseen);
        let mut look = Look::at("a", "b");
        look.found("x", "1", true);
        assert_eq!(look.read(&Reading::unseen("y", "no right")), None);
        look.found("z", "1", true);
        assert_eq!(look.verdict, Verdict::Unseen);
        look.found("w", "0", false);
        look.found("x", "1", true);
        let done = look.done();
        assert_eq!((done.verdict, done.evidence.len()), (Verdict::Fails, 5));
    }
}
