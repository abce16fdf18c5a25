//! Real parts for the operator's tests: SoftHSM tokens, and the directories that systemd would make.

use crate::ceremony::{hold, Founder, Founders, Held};
use crate::error::OperatorError;
use contactpoint_domain::{Instant, Name};
use contactpoint_keys::dangerous_make_token;
use contactpoint_settings::{Directories, Settings};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tempfile::TempDir;

/// Where Debian puts SoftHSM.
const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
/// 2026-01-05 09:00:00 UTC.
pub(crate) const MORNING: Instant = Instant::of_millis(1_767_603_600_000);

/// An appliance's directories, with a token of its own.
pub(crate) struct Site {
    pub(crate) directories: Directories,
    _home: TempDir,
}

impl Site {
    /// Settings, PIN and an empty token; the ceremony is still to come.
    pub(crate) fn new(label: &str) -> Self {
        softhsm();
        dangerous_make_token(Path::new(MODULE), label, "1234").unwrap();
        let site = Self::without_token();
        site.write("configuration/contactpointd.toml", &format!("[hsm]\nmodule = \"{MODULE}\"\ntoken = \"{label}\"\n"));
        site
    }

    /// Directories alone.
    pub(crate) fn without_token() -> Self {
        let home = TempDir::new().unwrap();
        let below = |name: &str| {
            let path = home.path().join(name);
            std::fs::create_dir(&path).unwrap();
            path
        };
        let directories = Directories { configuration: below("configuration"), state: below("state"), credentials: below("credentials") };
        std::fs::create_dir(directories.configuration.join("layouts")).unwrap();
        let site = Self { directories, _home: home };
        site.write("configuration/review-plan.toml", include_str!("../../config/review-plan.toml"));
        site.write("configuration/detection.toml", include_str!("../../config/detection.toml"));
        site.write("credentials/hsm-pin", "1234\n");
        let pin = site.path("credentials/hsm-pin");
        std::fs::set_permissions(pin, std::fs::Permissions::from_mode(0o400)).unwrap();
        site
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self._home.path().join(file)
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        std::fs::write(self.path(file), text).unwrap();
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings::load(&self.directories.configuration).unwrap()
    }

    pub(crate) fn hold_ceremony(&self) -> Result<Held, OperatorError> {
        hold(&self.directories, &self.settings(), founders(), MORNING)
    }

    /// Every file of the state directory with its content: to see that nothing changed.
    pub(crate) fn state(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let files = std::fs::read_dir(&self.directories.state).unwrap().map(|entry| entry.unwrap().path());
        files.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
    }
}

pub(crate) fn founders() -> Founders {
    let founder = |login: &str, given: &str, family: &str| Founder {
        login: login.try_into().unwrap(),
        name: Name { given: given.try_into().unwrap(), family: family.try_into().unwrap() },
    };
    Founders {
        organisation: "Data centre".try_into().unwrap(),
        officer: founder("officer", "Ada", "Byron"),
        owner: founder("owner", "Mary", "Somerville"),
        checked_on: MORNING.day(),
    }
}

fn softhsm() {
    static HOME: OnceLock<TempDir> = OnceLock::new();
    HOME.get_or_init(|| {
        let home = TempDir::new().unwrap();
        let tokens = home.path().join("tokens");
        std::fs::create_dir(&tokens).unwrap();
        let conf = home.path().join("softhsm2.conf");
        let text = format!("directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n", tokens.display());
        std::fs::write(&conf, text).unwrap();
        std::env::set_var("SOFTHSM2_CONF", conf);
        home
    });
}
