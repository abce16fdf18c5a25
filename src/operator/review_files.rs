//! The files of regular review, read once and the same for the daemon's start and for `check-config` (rule F4).
//!
//! Leaves to others: what they say (`review`).

use contactpoint_review::{Plan, PlanError, Rules, RulesError};
use contactpoint_settings::Settings;
use std::path::{Path, PathBuf};

/// Why they cannot be used. Exit status 78.
#[derive(Debug, thiserror::Error)]
pub enum ReviewRefused {
    /// Put the file there, readable for the daemon's group.
    #[error("{} cannot be read: {source}; it is part of the package (rule F4)", file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Mend the line.
    #[error("{}, {fault}", file.display())]
    Plan {
        /// Which.
        file: PathBuf,
        /// What is wrong with it.
        fault: PlanError,
    },
    /// Mend the line.
    #[error("{}, {fault}", file.display())]
    Rules {
        /// Which.
        file: PathBuf,
        /// What is wrong with it.
        fault: RulesError,
    },
}

/// The plan of what is drawn.
///
/// # Errors
/// [`ReviewRefused`].
pub fn review_plan(configuration: &Path, settings: &Settings) -> Result<Plan, ReviewRefused> {
    let (file, text) = read(settings.review.plan.below(configuration))?;
    Plan::parse(&text).map_err(|fault| ReviewRefused::Plan { file, fault })
}

/// The detection rules, where there are to be any.
///
/// # Errors
/// [`ReviewRefused`].
pub fn detection_rules(configuration: &Path, settings: &Settings) -> Result<Option<Rules>, ReviewRefused> {
    let Some(file) = settings.review.detection.below(configuration) else { return Ok(None) };
    let (file, text) = read(file)?;
    Rules::parse(&text).map(Some).map_err(|fault| ReviewRefused::Rules { file, fault })
}

fn read(file: PathBuf) -> Result<(PathBuf, String), ReviewRefused> {
    match std::fs::read_to_string(&file) {
        Ok(text) => Ok((file, text)),
        Err(source) => Err(ReviewRefused::Unreadable { file, source }),
    }
}
