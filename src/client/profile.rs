//! The profile: which directory, and as which organisation. A TOML file of four or five lines; paths are relative to its folder.
//!
//! ```toml
//! server = "https://directory.example:8443"
//! authority = "server-ca.pem"     # the one authority whose server certificates are believed
//! certificate = "school.pem"      # the organisation's certificate, its own first
//! key = "school.key"              # its private key
//! log_key = "log-verifier-key.txt" # optional: the log's verifier key, as such or in a file; what is answered is then checked
//! log_policy = "log.policy"       # optional, beside log_key: the witnesses (C2SP tlog-policy) whose quorum a receipt needs
//! ```
//! Leaves to others: what is done with it. An unknown key is refused.

use crate::connection::{Connection, ConnectionError, ServerAddress};
use crate::log_verify::verifier_key;
use crate::receipt_folder::ReceiptFolder;
use crate::tls::{configuration, TlsFileError};
use contactpoint_audit::{LogPolicy, VerifierKey};
use rustls::ClientConfig;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A profile that cannot be used; each sentence says what to correct.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// Neither --profile nor the environment names one.
    #[error("no profile: give --profile FILE or set CONTACTPOINT_PROFILE")]
    None,
    /// The profile or a file it names cannot be read.
    #[error("{}: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Not TOML, or a key missing or unknown.
    #[error("{}: {cause}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and why.
        cause: Box<toml::de::Error>,
    },
    /// The server is not written https://host:port.
    #[error("the profile's server must be written https://host:port")]
    Server,
    /// The log's verifier key cannot be read.
    #[error("the profile's log_key: {0}")]
    LogKey(String),
    /// The witnesses' policy cannot be used.
    #[error("the profile's log_policy: {0}")]
    LogPolicy(String),
    /// There is nothing to verify the log with.
    #[error("the profile has no log_key: take the log's verifier key from the accreditor, and name it there")]
    NoLogKey,
    /// A PEM file does not hold what it should.
    #[error("the profile's TLS files: {0}")]
    Tls(#[from] TlsFileError),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileFile {
    server: String,
    authority: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
    log_key: Option<String>,
    log_policy: Option<PathBuf>,
}

/// What the log is held against, and where that is kept.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    pub(crate) key: VerifierKey,
    /// Whose quorum a receipt needs.
    pub(crate) policy: Option<LogPolicy>,
    pub(crate) folder: ReceiptFolder,
}

/// A profile, read and found usable.
#[derive(Clone)]
pub struct Profile {
    /// The directory's address.
    pub server: ServerAddress,
    /// The TLS side: our certificate, the authority we believe.
    pub tls: Arc<ClientConfig>,
    /// The file it came from, made absolute; sessions are kept apart by it.
    pub path: PathBuf,
    /// With the log's key in the profile, what is answered is checked against the log.
    pub(crate) watch: Option<Watch>,
}

impl Profile {
    /// Reads a profile and the files it names.
    pub fn read(path: &Path) -> Result<Self, ProfileError> {
        let text = String::from_utf8_lossy(&contents(path)?).into_owned();
        let malformed = |cause| ProfileError::Malformed { path: path.to_owned(), cause: Box::new(cause) };
        let file: ProfileFile = toml::from_str(&text).map_err(malformed)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let near = |name: &Path| contents(&folder.join(name));
        let path = path.canonicalize().map_err(|cause| ProfileError::Unreadable { path: path.to_owned(), cause })?;
        Ok(Self {
            watch: watch(file.log_key.as_deref(), file.log_policy.as_deref(), folder, &path)?,
            server: file.server.parse().map_err(|_| ProfileError::Server)?,
            tls: configuration(&near(&file.authority)?, &near(&file.certificate)?, &near(&file.key)?)?,
            path,
        })
    }

    /// A connection with this profile; opened with the first request.
    pub fn connection(&self) -> Result<Connection, ConnectionError> {
        Connection::to(self.server.clone(), self.tls.clone())
    }
}

fn watch(key: Option<&str>, policy: Option<&Path>, near: &Path, profile: &Path) -> Result<Option<Watch>, ProfileError> {
    let Some(named) = key else { return policy.map_or(Ok(None), |_| Err(ProfileError::NoLogKey)) };
    let file = near.join(named);
    let named = file.to_str().filter(|_| file.is_file()).unwrap_or(named);
    let key = verifier_key(named).map_err(|fault| ProfileError::LogKey(fault.to_string()))?;
    let policy = policy.map(|policy| log_policy(&near.join(policy), &key)).transpose()?;
    Ok(Some(Watch { key, policy, folder: ReceiptFolder::beside(profile) }))
}

/// A policy that lists logs lists ours among them.
fn log_policy(path: &Path, key: &VerifierKey) -> Result<LogPolicy, ProfileError> {
    let policy = LogPolicy::parse(&contents(path)?).map_err(|fault| ProfileError::LogPolicy(fault.to_string()))?;
    if policy.logs().is_empty() || policy.logs().contains(key) {
        Ok(policy)
    } else {
        Err(ProfileError::LogPolicy("it does not list the log of log_key".to_owned()))
    }
}

fn contents(path: &Path) -> Result<Vec<u8>, ProfileError> {
    std::fs::read(path).map_err(|cause| ProfileError::Unreadable { path: path.to_owned(), cause })
}
