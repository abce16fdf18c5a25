//! A SoftHSM token of the test's own: its configuration, its folder, its PIN.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The test's PIN; a real one comes as a systemd credential.
pub const PIN: &str = "648219";
/// The token's label, as config/contactpointd.toml has it.
pub const LABEL: &str = "contactpoint";

/// Where Debian puts the module.
pub const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";

/// An initialised token.
pub struct Token {
    configuration: PathBuf,
}

impl Token {
    /// Makes one below `folder`.
    ///
    /// # Panics
    /// Where softhsm2-util is missing (`make deps`) or fails.
    #[must_use]
    pub fn made_in(folder: &Path) -> Self {
        let tokens = folder.join("tokens");
        fs::create_dir_all(&tokens).expect("a folder for the token");
        fs::set_permissions(&tokens, fs::Permissions::from_mode(0o700)).expect("a private folder");
        let configuration = folder.join("softhsm2.conf");
        let text = format!("directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n", tokens.display());
        fs::write(&configuration, text).expect("the token's configuration");
        let made = Command::new("softhsm2-util")
            .args(["--init-token", "--free", "--label", LABEL, "--pin", PIN, "--so-pin", PIN])
            .env("SOFTHSM2_CONF", &configuration)
            .output()
            .expect("softhsm2-util: run `make deps`");
        assert!(made.status.success(), "softhsm2-util: {}", String::from_utf8_lossy(&made.stderr));
        Self { configuration }
    }

    /// What SOFTHSM2_CONF must be for whoever uses it.
    #[must_use]
    pub fn configuration(&self) -> &Path {
        &self.configuration
    }

    /// Takes the token away, as somebody who pulls it out: the module still runs, its objects are gone.
    ///
    /// # Panics
    /// Where the folder cannot be moved.
    pub fn pull_out(&self) {
        fs::rename(self.tokens(), self.tokens().with_extension("away")).expect("the token was there");
    }

    /// Puts it back.
    ///
    /// # Panics
    /// Where it was not pulled out.
    pub fn put_back(&self) {
        let _ = fs::remove_dir_all(self.tokens());
        fs::rename(self.tokens().with_extension("away"), self.tokens()).expect("the token was away");
    }

    fn tokens(&self) -> PathBuf {
        self.configuration.with_file_name("tokens")
    }
}
