//! Where the officer's session token waits between two commands: a file that only they can read, gone at log-out.

use crate::error::OperatorError;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Which file.
#[derive(Debug, clap::Args)]
pub(crate) struct SessionFile {
    /// Where the session token is kept [default: $XDG_RUNTIME_DIR/contactpointctl.session]
    #[arg(long)]
    session_file: Option<PathBuf>,
}

impl SessionFile {
    /// Where it is, or would be.
    pub(crate) fn path(&self) -> Result<PathBuf, OperatorError> {
        let default = || std::env::var_os("XDG_RUNTIME_DIR").map(|directory| Path::new(&directory).join("contactpointctl.session"));
        self.session_file
            .clone()
            .or_else(default)
            .ok_or(OperatorError::Argument { what: "--session-file", why: "is needed where XDG_RUNTIME_DIR is not set".to_owned() })
    }

    /// Puts a token in the place of any older one; mode 0600 from its first moment.
    pub(crate) fn keep(&self, token: &str) -> Result<PathBuf, OperatorError> {
        let path = self.path()?;
        remove(&path)?;
        let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        made.and_then(|mut file| file.write_all(token.as_bytes())).map_err(OperatorError::file(&path))?;
        Ok(path)
    }

    /// The token.
    pub(crate) fn token(&self) -> Result<Zeroizing<String>, OperatorError> {
        let path = self.path()?;
        match std::fs::read_to_string(&path) {
            Ok(token) => Ok(Zeroizing::new(token)),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(OperatorError::NoSession(path)),
            Err(source) => Err(OperatorError::File { path, source }),
        }
    }

    /// Forgets it.
    pub(crate) fn forget(&self) -> Result<(), OperatorError> {
        remove(&self.path()?)
    }
}

fn remove(path: &Path) -> Result<(), OperatorError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(OperatorError::File { path: path.to_owned(), source: error }),
        _ => Ok(()),
    }
}
