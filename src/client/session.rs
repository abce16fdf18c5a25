//! The session between two commands: a token in a file that its owner alone can read (0600), by default in $XDG_RUNTIME_DIR, which is memory
//! and ends with the log-in to the machine.
//!
//! One file a profile, so that a token is never shown to another directory. Leaves to others: how long it holds (the directory decides:
//! 15 idle minutes, rule C2). Holds no record (rule G8).

use crate::arguments::Place;
use crate::error::ClientError;
use crate::profile::Profile;
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Where the session of a profile is kept.
pub(crate) fn place(place: &Place, profile: &Profile) -> Result<PathBuf, ClientError> {
    if let Some(named) = &place.session_file {
        return Ok(named.clone());
    }
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty()).ok_or(ClientError::NoSessionPlace)?;
    let digest = Sha256::digest(format!("{}\n{}", profile.server, profile.path.display()));
    let short = data_encoding::HEXLOWER.encode(&digest[..8]);
    Ok(PathBuf::from(runtime).join(format!("contactpoint-{short}.session")))
}

/// Keeps a token, in place of any former one.
pub(crate) fn keep(path: &Path, token: &str) -> Result<(), ClientError> {
    let beside = path.with_extension("new");
    let _ = std::fs::remove_file(&beside);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside).map_err(ClientError::file(&beside))?;
    file.write_all(token.as_bytes()).map_err(ClientError::file(&beside))?;
    std::fs::rename(&beside, path).map_err(ClientError::file(path))
}

/// The token kept, if its file is its owner's alone.
pub(crate) fn token(path: &Path) -> Result<String, ClientError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(ClientError::NotLoggedIn),
        Err(cause) => return Err(ClientError::file(path)(cause)),
    };
    let mode = file.metadata().map_err(ClientError::file(path))?.mode();
    if mode & 0o077 != 0 {
        return Err(ClientError::SessionFileOpenToOthers(path.to_owned()));
    }
    let mut token = String::new();
    file.take(4096).read_to_string(&mut token).map_err(ClientError::file(path))?;
    let token = token.trim().to_owned();
    let sound = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    sound.then_some(token).ok_or(ClientError::NotLoggedIn)
}

/// Forgets it.
pub(crate) fn forget(path: &Path) {
    let _ = std::fs::remove_file(path);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_session_file_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.session");
        keep(&path, "first").unwrap();
        keep(&path, "token").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(token(&path).unwrap(), "token");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(token(&path), Err(ClientError::SessionFileOpenToOthers(_))));
        forget(&path);
        assert!(matches!(token(&path), Err(ClientError::NotLoggedIn)));
    }

    #[test]
    fn a_token_cannot_smuggle_a_header() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.session");
        keep(&path, "token\r\nX-Evil: 1").unwrap();
        assert!(matches!(token(&path), Err(ClientError::NotLoggedIn)));
    }
}
