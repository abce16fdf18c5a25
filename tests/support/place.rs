//! The folders that systemd would make and name, filled with the shipped settings and the test's certificates.

use crate::token::{Token, PIN};
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Configuration, state, credentials and temporary files below one folder.
pub struct Place {
    folder: PathBuf,
}

impl Place {
    /// With the shipped config/ as it stands in the repository; `settings`, where given, in place of its contactpointd.toml.
    ///
    /// # Panics
    /// Where the folder cannot be written.
    #[must_use]
    pub fn below(folder: &Path, settings: Option<&str>) -> Self {
        let place = Self { folder: folder.to_owned() };
        for below in [place.configuration().join("tls"), place.state(), place.credentials(), place.temporary()] {
            fs::create_dir_all(&below).expect("a folder below the rig's");
        }
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config");
        copy_folder(&shipped, &place.configuration());
        let file = place.configuration().join("contactpointd.toml");
        let settings = settings.map_or_else(|| fs::read_to_string(&file).expect("the shipped settings"), str::to_owned);
        fs::write(&file, for_a_test(&settings, &folder.join("tokens"))).expect("settings");
        fs::set_permissions(place.state(), fs::Permissions::from_mode(0o700)).expect("a private state folder");
        let pin = place.credentials().join("hsm-pin");
        fs::write(&pin, PIN).expect("the PIN's credential");
        fs::set_permissions(pin, fs::Permissions::from_mode(0o400)).expect("a private credential");
        place
    }

    /// CONFIGURATION_DIRECTORY.
    #[must_use]
    pub fn configuration(&self) -> PathBuf {
        self.folder.join("configuration")
    }

    /// STATE_DIRECTORY.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    /// CREDENTIALS_DIRECTORY.
    #[must_use]
    pub fn credentials(&self) -> PathBuf {
        self.folder.join("credentials")
    }

    /// TMPDIR, of the daemon's own, so that a test can see what it leaves there.
    #[must_use]
    pub fn temporary(&self) -> PathBuf {
        self.folder.join("temporary")
    }

    /// Puts a file below `tls/` in the place of the one there, whole or not at all, as an operator should.
    ///
    /// # Panics
    /// Where the folder cannot be written.
    pub fn put_tls(&self, name: &str, pem: &str) {
        let path = self.configuration().join("tls").join(name);
        let beside = path.with_extension("new");
        fs::write(&beside, pem).expect("a file below tls/");
        fs::rename(&beside, &path).expect("its place");
    }

    /// The environment that systemd would set.
    #[must_use]
    pub fn environment(&self, token: &Token) -> Vec<(&'static str, OsString)> {
        vec![
            ("CONFIGURATION_DIRECTORY", self.configuration().into()),
            ("STATE_DIRECTORY", self.state().into()),
            ("CREDENTIALS_DIRECTORY", self.credentials().into()),
            ("TMPDIR", self.temporary().into()),
            ("SOFTHSM2_CONF", token.configuration().into()),
        ]
    }
}

/// The settings with what every directory with SoftHSM must add - after the lock-down the module reads and writes its tokens - and without the nightly run.
fn for_a_test(settings: &str, tokens: &Path) -> String {
    let mut settings: toml::Table = settings.parse().expect("settings in TOML");
    let hsm = settings.entry("hsm").or_insert_with(|| toml::Table::new().into());
    let writes = toml::Value::Array(vec![tokens.display().to_string().into()]);
    hsm.as_table_mut().expect("a table").insert("writes".to_owned(), writes);
    // the nightly run adds entries, which tests count; the test of it names rules of its own
    if let Some(review) = settings.get_mut("review").and_then(toml::Value::as_table_mut) {
        if review.get("detection").and_then(toml::Value::as_str) == Some("detection.toml") {
            review.insert("detection".to_owned(), String::new().into());
        }
    }
    toml::to_string(&settings).expect("settings in TOML")
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder below the rig's");
    for entry in fs::read_dir(from).expect("config/ of the repository").flatten() {
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_folder(&path, &copy);
        } else {
            fs::copy(&path, &copy).expect("a copy of config/");
        }
    }
}
