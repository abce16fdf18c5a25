//! The log of a running directory, read file by file over mutual TLS: what `contactpointctl verify-log https://...` verifies.
//!
//! For: giving the verifier each tile as it asks for it; nothing is kept. Leaves to others: what is verified (`contactpoint_audit::verify`).
//! A request is sent once: where no answer comes, the verifier is told so, and the person decides. A connection that the server closed
//! between two requests is opened again.

use crate::connection::{Connection, ConnectionError};
use crate::problem::Problem;
use crate::terminal::harmless;
use crate::tls::{configuration, TlsFileError};
use contactpoint_audit::verify::{ReadFault, Source};
use http::{Request, StatusCode};
use http_body_util::Full;
use std::path::{Path, PathBuf};
use tokio::runtime::Runtime;

/// Where a log is served, and as whom it is asked for.
#[derive(Debug, Clone, Copy)]
pub struct ServedLog<'a> {
    /// `https://host:port`
    pub server: &'a str,
    /// The one authority whose server certificates are believed, a PEM file.
    pub authority: &'a Path,
    /// The certificate to show, its chain behind it, a PEM file.
    pub certificate: &'a Path,
    /// Its private key, a PEM file.
    pub key: &'a Path,
}

/// The log cannot be asked for; correct what the command line names.
#[derive(Debug, thiserror::Error)]
pub enum ServedLogError {
    /// The address.
    #[error(transparent)]
    Address(#[from] ConnectionError),
    /// A PEM file cannot be read.
    #[error("{}: {cause}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// A PEM file does not hold what it should.
    #[error(transparent)]
    Tls(#[from] TlsFileError),
    /// The system gives no timer or network to this process.
    #[error("the system gives no timer or network to this process: {0}")]
    Runtime(std::io::Error),
}

/// See the module.
pub struct LogSource {
    runtime: Runtime,
    connection: Connection,
}

impl LogSource {
    /// Reads the files and makes ready; nothing is sent yet. Not for the inside of another runtime.
    pub fn of(log: &ServedLog<'_>) -> Result<Self, ServedLogError> {
        let contents = |path: &Path| std::fs::read(path).map_err(|cause| ServedLogError::Unreadable { path: path.to_owned(), cause });
        let tls = configuration(&contents(log.authority)?, &contents(log.certificate)?, &contents(log.key)?)?;
        let connection = Connection::to(log.server.parse()?, tls)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ServedLogError::Runtime)?;
        Ok(Self { runtime, connection })
    }
}

impl Source for LogSource {
    fn read(&mut self, file: &str, buffer: &mut Vec<u8>) -> Result<bool, ReadFault> {
        buffer.clear();
        // the server's own words may be among them
        let not_fetched = |why: &dyn std::fmt::Display| ReadFault::NotFetched(harmless(&why.to_string()));
        let request = Request::get(format!("/log/{file}")).body(Full::default()).map_err(|error| not_fetched(&error))?;
        let answer = self.runtime.block_on(self.connection.send(request)).map_err(|error| not_fetched(&error))?;
        match answer.status() {
            StatusCode::OK => buffer.extend_from_slice(answer.body()),
            StatusCode::NOT_FOUND => return Ok(false),
            _ => return Err(not_fetched(&Problem::of(&answer))),
        }
        Ok(true)
    }
}
