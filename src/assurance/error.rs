//! What can be wrong with the catalogue, and with what an inspection hands in.

use crate::{CheckId, RuleId};

/// The catalogue is not one. It is embedded and tested, so an operator who sees this has a build of somebody's own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// Not TOML of the catalogue's shape.
    #[error("controls.toml: {0}")]
    Malformed(String),
    /// A rule is there twice.
    #[error("controls.toml: rule {0} is there twice")]
    RuleTwice(RuleId),
    /// A check is there twice.
    #[error("controls.toml: check {0} is there twice")]
    CheckTwice(CheckId),
    /// A rule names a check that the catalogue does not have.
    #[error("controls.toml: rule {rule} names the check {check}, which is not there")]
    NoSuchCheck {
        /// The rule.
        rule: RuleId,
        /// The check it names.
        check: CheckId,
    },
    /// A check shows no rule.
    #[error("controls.toml: no rule names the check {0}")]
    IdleCheck(CheckId),
    /// A rule is in no part of the rule book.
    #[error("controls.toml: rule {0} is in no part")]
    NoSuchPart(RuleId),
    /// A rule lacks code or a test, and does not say why it is open.
    #[error("controls.toml: rule {0} has no code or no test and is not listed as open")]
    Unproven(RuleId),
}

/// An inspection handed in something that the catalogue does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// The observation is of a check that the catalogue does not have: a mistake in the program, or programs of two versions.
    #[error("an observation is of the check {0}, which the catalogue does not have")]
    NoSuchCheck(CheckId),
    /// An observation says that its check holds, and has nothing to show for it: a mistake in the program.
    #[error("the check {0} is said to hold without any evidence")]
    NoEvidence(CheckId),
    /// A report could not be put into words.
    #[error("the report cannot be written as JSON: {0}")]
    Unwritable(String),
}
