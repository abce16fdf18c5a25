//! Each check over texts as a running appliance gives them, and over the same texts weakened: one change, one verdict.
//!
//! The texts of /proc are those of the daemon in its unit on Debian 12, shortened. What can be weakened on a real daemon is weakened there
//! as well: tests/inspect.rs and tests/appliance/inspect.sh.

mod of_daemon;
mod of_directives;
mod of_machine;
mod of_process;
mod of_start;
mod of_unit;

use crate::reading::Reading;
use contactpoint_assurance::{Observation, Verdict};

/// A text from somewhere.
fn text(of: &str) -> Reading {
    Reading::seen("here", of)
}

/// Nothing could be read.
fn nothing() -> Reading {
    Reading::unseen("here", "Permission denied (os error 13)")
}

/// `look` holds over `good`, fails over each of `bad` (`good` with one text in the place of another), and has not seen what was not read.
fn one_change_turns(look: impl Fn(&Reading) -> Observation, good: &str, bad: &[(&str, &str)]) {
    let holding = look(&text(good));
    assert_eq!(holding.verdict, Verdict::Holds, "{holding:?}");
    for (there, instead) in bad {
        assert!(good.contains(there), "{there} is not in the text");
        let weakened = look(&text(&good.replacen(there, instead, 1)));
        assert_eq!(weakened.verdict, Verdict::Fails, "{there} -> {instead}: {weakened:?}");
        assert!(!weakened.evidence.is_empty());
    }
    let blind = look(&nothing());
    assert_eq!(blind.verdict, Verdict::Unseen, "{blind:?}");
    assert!(blind.evidence.iter().any(|evidence| evidence.value.contains("Permission denied")));
}
