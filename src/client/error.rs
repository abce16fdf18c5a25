//! What can go wrong in the client, and the exit code of each.

use crate::connection::ConnectionError;
use crate::problem::Problem;
use crate::profile::ProfileError;
use std::path::PathBuf;

/// One sentence for the person at the terminal; the exit code for scripts.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The profile cannot be used; correct it.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// No connection, or TLS refused it.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// The directory said no; the code says why.
    #[error("refused: {0}")]
    Refused(Problem),
    /// An answer that the client does not understand; the two may be of different versions.
    #[error("the directory's answer is not understood: {0}")]
    AnswerNotUnderstood(String),
    /// There is no session; log in.
    #[error("not logged in: run `contactpoint log-in --login NAME`")]
    NotLoggedIn,
    /// There is nowhere private to keep the session.
    #[error("nowhere to keep the session: set XDG_RUNTIME_DIR or give --session-file FILE")]
    NoSessionPlace,
    /// The session file can be read by others; remove it and log in again.
    #[error("{} can be read by others: remove it and log in again", .0.display())]
    SessionFileOpenToOthers(PathBuf),
    /// A file or folder could not be read or written.
    #[error("{}: {cause}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Password or code could not be read.
    #[error("no password or code was typed: {0}")]
    NothingTyped(std::io::Error),
    /// The request does not encode; a fault of the client.
    #[error("the request cannot be made: {0}")]
    Request(String),
    /// The feed ended, but with rejected lines; the report says which.
    #[error("{rejected} of {records} records were rejected; the others are kept")]
    SomeRejected {
        /// How many.
        rejected: u64,
        /// Out of how many.
        records: u64,
    },
    /// The file is empty, or changed while it was sent.
    #[error("{}: {why}", path.display())]
    FeedFile {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The verifier key is none.
    #[error("the verifier key cannot be used: {0}")]
    VerifierKey(String),
    /// The witness's folder or key cannot be used.
    #[error("{}: {why}", folder.display())]
    Witness {
        /// Which.
        folder: PathBuf,
        /// What is wrong, and what to do.
        why: String,
    },
    /// Another process fetches into the folder.
    #[error("another `log fetch` is at work in {}: wait for it, or fetch into another folder", .0.display())]
    InUse(PathBuf),
    /// There is no such man page.
    #[error("there is no page {0}: see `contactpoint manual --list`")]
    NoSuchPage(String),
    /// The standard output took no more of what is written to be kept.
    #[error("the standard output takes no more: {0}")]
    Output(std::io::Error),
    /// The log contradicts what it showed before, or an answer's entry is not in it; the evidence is set aside.
    #[error(
        "THE LOG IS NOT WHAT IT WAS: {what}. The evidence lies in {}: keep it, and call the accreditor",
        evidence.display()
    )]
    Log {
        /// What does not go together.
        what: String,
        /// Where both sides of it lie.
        evidence: PathBuf,
    },
    /// An answer names no entry, though it should be in the log before it leaves.
    #[error("THE LOG IS NOT WHAT IT WAS: the directory's answer names no entry of the log, so it is not shown; call the accreditor")]
    NoEntry,
    /// The log is not what the key signed.
    #[error("VERIFICATION FAILED: {0}")]
    Verification(String),
}

impl ClientError {
    /// 1 refused, 2 usage, 3 no connection, 4 verification failed, 5 the log contradicts itself.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Refused(_) | Self::SomeRejected { .. } => 1,
            Self::Profile(_)
            | Self::NotLoggedIn
            | Self::NoSessionPlace
            | Self::SessionFileOpenToOthers(_)
            | Self::File { .. }
            | Self::NothingTyped(_)
            | Self::Request(_)
            | Self::FeedFile { .. }
            | Self::Witness { .. }
            | Self::InUse(_)
            | Self::NoSuchPage(_)
            | Self::Output(_)
            | Self::VerifierKey(_) => 2,
            Self::Connection(_) | Self::AnswerNotUnderstood(_) => 3,
            Self::Verification(_) => 4,
            Self::Log { .. } | Self::NoEntry => 5,
        }
    }

    /// For `map_err` on what the system says of a file.
    pub(crate) fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |cause| Self::File { path: path.to_owned(), cause }
    }
}
