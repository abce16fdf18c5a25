//! What ends a bench. The person at the terminal reads it; nothing is tried again, for a bench that went wrong measures nothing.

use std::path::PathBuf;

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The system, or TLS.
    #[error("{0}")]
    System(#[from] std::io::Error),
    /// A file.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not the HTTP that both servers speak.
    #[error("HTTP: {0}")]
    Http(&'static str),
    /// A server refused what it must answer.
    #[error("{server} answered {status}: {body}")]
    Refused {
        /// Which.
        server: &'static str,
        /// HTTP status.
        status: u16,
        /// What it said.
        body: String,
    },
    /// A program that is needed failed.
    #[error("{program}: {said}")]
    Program {
        /// Which.
        program: &'static str,
        /// What it said.
        said: String,
    },
    /// The client's connection.
    #[error(transparent)]
    Connection(#[from] contactpoint_client::ConnectionError),
    /// The client's TLS files.
    #[error(transparent)]
    Tls(#[from] contactpoint_client::tls::TlsFileError),
    /// JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// CSV.
    #[error(transparent)]
    Csv(#[from] csv::Error),
    /// A certificate for nginx.
    #[error(transparent)]
    Certificate(#[from] rcgen::Error),
    /// What was found is not what a bench can go on with.
    #[error("{0}")]
    Unfit(String),
}

/// For `map_err` on what the system says of a file.
pub fn in_file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Fault + '_ {
    move |source| Fault::File { path: path.to_owned(), source }
}
