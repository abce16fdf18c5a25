//! What clients were told: each look that was answered, with the index that the answer gave for its entry.

use crate::roll::Pupil;
use crate::world::{search_for, Session};
use contactpoint_support::Answer;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// One answered look at one child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) child: String,
    /// Index in the log, as the answer said.
    pub(crate) entry: u64,
    pub(crate) operation: &'static str,
    /// Who looked.
    pub(crate) person: u64,
}

/// Every answered look, by child.
#[derive(Default)]
pub(crate) struct Ledger {
    looks: BTreeMap<String, Vec<Look>>,
    entries: BTreeSet<u64>,
}

impl Ledger {
    /// Keeps an answered look. No two answers may name one entry.
    pub(crate) fn keep(&mut self, look: Look) {
        assert!(self.entries.insert(look.entry), "two answers name entry {}", look.entry);
        self.looks.entry(look.child.clone()).or_default().push(look);
    }

    pub(crate) fn at(&self, child: &str) -> &[Look] {
        self.looks.get(child).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn children(&self) -> Vec<String> {
        self.looks.keys().cloned().collect()
    }

    /// How many answers there were.
    pub(crate) fn answers(&self) -> usize {
        self.entries.len()
    }

    /// The highest index that an answer named.
    pub(crate) fn newest(&self) -> u64 {
        self.entries.last().copied().unwrap_or(0)
    }
}

/// The look that an answer was.
pub(crate) fn look(answer: &Answer, child: &str, operation: &'static str, person: u64) -> Look {
    assert_eq!(answer.status, 200, "{operation}: {}", String::from_utf8_lossy(&answer.body));
    let entry = answer.json()["entry"].as_u64().expect("an answer names its entry");
    Look { child: child.to_owned(), entry, operation, person }
}

/// Searches for a child that is on record: exactly one answers, whose number is in the look.
pub(crate) async fn search(session: &mut Session, pupil: &Pupil) -> Look {
    let answer = session.post("/v1/children/search", &search_for(pupil)).await.expect("an answer").expect_status(200);
    let body = answer.json();
    let hits = body["hits"].as_array().expect("hits");
    assert_eq!(hits.len(), 1, "one child, one record: {}", pupil.given);
    look(&answer, hits[0]["child_number"].as_str().expect("a number"), "search", session.person)
}

/// Views a child that is on record.
pub(crate) async fn view(session: &mut Session, child: &str) -> Look {
    let answer = session.post("/v1/children/view", &json!({"child_number": child, "reason": "coordination"})).await.expect("an answer");
    look(&answer, child, "view", session.person)
}
