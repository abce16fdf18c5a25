//! The rule book as data, and the verdict on each rule.
//!
//! For: rule J1. [`catalogue`] gives every rule with the code that enforces it, the tests that prove it and the checks of a running system
//! that show it, mapped to NIST SP 800-53, the NCSC Cyber Assessment Framework and ISO/IEC 27001; [`Report`] puts what an inspection saw
//! beside the rules, as text, JSON and OSCAL 1.2. Leaves to others: looking at the system (`inspect`), that the named code and tests exist
//! (tests/controls.rs). Does not promise: that a mapping satisfies an auditor; it says where to look.
//!
//! Pure: no clock, no file, no socket. Host, version and time are handed in, so equal input gives equal bytes.

mod catalogue;
mod error;
mod json;
mod markdown;
mod observation;
mod oscal;
mod report;
mod rule;
mod text;

pub use catalogue::{catalogue, Catalogue};
pub use error::{CatalogueError, ReportError};
pub use observation::{Evidence, Observation, Verdict};
pub use report::{Facts, Judgement, Report, Standing};
pub use rule::{Check, CheckId, Code, Framework, Part, Rule, RuleId};
