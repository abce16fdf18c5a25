//! Synthetic boroughs: children, their suppliers' feeds, the organisations that send them, and test certificates.
//!
//! For: the demo, tests and benches, which may hold synthetic data only (rule G7). Deterministic: the same seed and date give the same
//! bytes. Leaves to others: reading the feeds (`intake`), enrolling the organisations (`client`, `operator`). Does not promise:
//! statistics fit for research, or keys fit for anything but tests. docs/synthetic-people.md says where each range and list comes from.

mod area;
mod command;
mod difference;
mod family;
mod feeds;
mod names;
mod numbers;
mod organisations;
mod pki;
mod place;
mod random;
mod rows;
mod year;

pub use command::{run, Command};
pub use feeds::{write_borough, write_feeds, Request};
pub use pki::{write_pki, PkiRequest};
pub use year::{write_year, Fact, Misuse, Plant, Played, Tie, Year, YearRequest};

use std::path::{Path, PathBuf};

/// What can stop the generator. Nothing here is personal: all people are made up.
#[derive(Debug, thiserror::Error)]
pub enum SynthesisError {
    /// A file or directory cannot be written or read.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A row cannot be written.
    #[error("writing CSV: {0}")]
    Csv(#[from] csv::Error),
    /// organisations.json is not what `borough` or `feeds` writes.
    #[error("organisations: {0}")]
    Json(#[from] serde_json::Error),
    /// The lists built into this program are damaged: a fault of the program.
    #[error("the lists of names: {0}")]
    Names(#[from] toml::de::Error),
    /// The date cannot be used: too near the ends of the calendar.
    #[error("the date: {0}")]
    Date(#[from] jiff::Error),
    /// A certificate, key or list cannot be made.
    #[error("certificates: {0}")]
    Certificate(#[from] rcgen::Error),
    /// An option has a value that cannot be met.
    #[error("{0}")]
    Option(&'static str),
}

pub(crate) fn in_file(path: &Path) -> impl Fn(std::io::Error) -> SynthesisError + '_ {
    move |source| SynthesisError::File { path: path.to_owned(), source }
}
