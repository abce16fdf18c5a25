//! A rule as the catalogue has it, and the checks that show it.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A rule's number: "A1" to "J5".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RuleId(String);

impl RuleId {
    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The letter of its part: "A".
    #[must_use]
    pub fn part(&self) -> &str {
        self.0.get(..1).unwrap_or_default()
    }
}

impl From<&str> for RuleId {
    fn from(number: &str) -> Self {
        Self(number.to_owned())
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A check's name: "process.seccomp".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CheckId(String);

impl CheckId {
    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for CheckId {
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a rule is enforced: a file or folder from the root of the sources, and where it helps a word that stands in it:
/// "src/policy/permit.rs::ViewPermit".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Code(String);

impl Code {
    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The file or folder.
    #[must_use]
    pub fn path(&self) -> &str {
        self.0.split_once("::").map_or(self.0.as_str(), |(path, _)| path)
    }

    /// The item in the file.
    #[must_use]
    pub fn item(&self) -> Option<&str> {
        self.0.split_once("::").map(|(_, item)| item)
    }
}

/// A part of the rule book: "B", "Who may come in: organisations".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Its letter.
    pub letter: String,
    /// Its title.
    pub title: String,
}

/// A rule of the rule book, and what stands behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its number.
    pub id: RuleId,
    /// What it demands, as the rule book has it.
    pub text: String,
    /// Where it comes from: "review", "regs", "practice", "peer", "design card", with what was said to it. Empty: the project's own.
    #[serde(default)]
    pub basis: String,
    /// Controls of NIST SP 800-53 revision 5: "AC-3".
    pub nist: Vec<String>,
    /// Contributing outcomes of the NCSC Cyber Assessment Framework: "B2.a".
    #[serde(default)]
    pub caf: Vec<String>,
    /// Controls of ISO/IEC 27001:2022, Annex A: "A.8.15".
    pub iso27001: Vec<String>,
    /// What enforces it.
    #[serde(default)]
    pub code: Vec<Code>,
    /// What proves it: functions by their names, scripts by their paths.
    #[serde(default)]
    pub tests: Vec<String>,
    /// The checks of `contactpointctl inspect` that show it on a running system.
    #[serde(default)]
    pub checks: Vec<CheckId>,
    /// Why it is not claimed as a whole, and which part is there.
    #[serde(default)]
    pub open: Option<String>,
}

/// A look that `contactpointctl inspect` takes at a running system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Its name.
    pub id: CheckId,
    /// What is looked at and what should be there.
    pub text: String,
}

/// A foreign catalogue of controls that the rules are mapped to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Framework {
    /// NIST SP 800-53 revision 5.
    Nist,
    /// NCSC Cyber Assessment Framework 3.2.
    Caf,
    /// ISO/IEC 27001:2022, Annex A.
    Iso27001,
}

impl Framework {
    /// Each of them.
    pub const ALL: &'static [Self] = &[Self::Nist, Self::Caf, Self::Iso27001];

    /// Its title.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Nist => "NIST SP 800-53 revision 5",
            Self::Caf => "NCSC Cyber Assessment Framework 3.2",
            Self::Iso27001 => "ISO/IEC 27001:2022, Annex A",
        }
    }

    /// Its name among people who know it.
    #[must_use]
    pub const fn short(self) -> &'static str {
        match self {
            Self::Nist => "NIST",
            Self::Caf => "CAF",
            Self::Iso27001 => "ISO 27001",
        }
    }

    /// The controls that `rule` is mapped to.
    #[must_use]
    pub fn controls(self, rule: &Rule) -> &[String] {
        match self {
            Self::Nist => &rule.nist,
            Self::Caf => &rule.caf,
            Self::Iso27001 => &rule.iso27001,
        }
    }
}
