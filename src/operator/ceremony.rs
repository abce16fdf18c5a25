//! `contactpointctl ceremony`: makes the HSM keys, the data keys, an empty store, the data centre and its first security officer.
//!
//! Refuses when any of them is there already, before anything is changed. What it enrols is in the log like any other enrolment (rule
//! F1). Does not ask for two officers yet (rule G2); docs/key-ceremony.md says who must be in the room.

use crate::custody::{self, Appliance, ApplianceError};
use crate::error::OperatorError;
use contactpoint_audit::{Entry, Operation, Outcome, VerifierKey};
use contactpoint_domain::{
    FamilyName, GivenName, Instant, InvalidValue, LoginName, Name, Organisation, OrganisationId, OrganisationKind, OrganisationName,
    PersonId, Role,
};
use contactpoint_identity::{credentials, Clock, NewPerson, OneTimeSecrets};
use contactpoint_keys::WrappedDataKeys;
use contactpoint_settings::{Directories, Settings};
use contactpoint_store::{Account, NewOrganisation, Store};
use std::fmt::Write as _;
use std::fs::{File, Permissions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};

/// The file, beside the store, that the log's verifier key is written to. It is public.
pub(crate) const VERIFIER_KEY_FILE: &str = "log-verifier-key.txt";
/// The store's file, looked for before anything is made.
const STORE_FILE: &str = "store.db";

/// The ceremony's arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Name of the data centre's organisation
    #[arg(long, default_value = "Data centre")]
    organisation: String,
    /// Log-in name of the first security officer
    #[arg(long, default_value = "security-officer")]
    officer_login: String,
    /// Their given name
    #[arg(long, default_value = "Security")]
    officer_given: String,
    /// Their family name
    #[arg(long, default_value = "Officer")]
    officer_family: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Whom the ceremony enrols.
#[derive(Debug, Clone)]
pub struct Officer {
    /// The data centre.
    pub organisation: OrganisationName,
    /// Its first security officer's log-in name.
    pub login: LoginName,
    /// Their name.
    pub name: Name,
}

/// What the ceremony made. The secrets are shown once and kept nowhere.
#[derive(Debug)]
pub struct Held {
    /// The log's public key.
    pub verifier_key: VerifierKey,
    /// The data centre.
    pub organisation: OrganisationId,
    /// The security officer.
    pub officer: PersonId,
    /// Their log-in name.
    pub login: LoginName,
    /// What they are handed.
    pub secrets: OneTimeSecrets,
}

pub(crate) fn run(arguments: Arguments, directories: &Directories) -> Result<String, OperatorError> {
    let settings = Settings::load(&directories.configuration)?;
    let json = arguments.json;
    let held = hold(directories, &settings, arguments.officer()?, Clock::system().now().wall)?;
    Ok(if json { held.json() } else { held.sentences(directories) })
}

impl Arguments {
    fn officer(self) -> Result<Officer, OperatorError> {
        let refused = |what| move |InvalidValue { why, .. }: InvalidValue| OperatorError::Argument { what, why: why.to_owned() };
        Ok(Officer {
            organisation: OrganisationName::try_from(self.organisation).map_err(refused("--organisation"))?,
            login: LoginName::try_from(self.officer_login).map_err(refused("--officer-login"))?,
            name: Name {
                given: GivenName::try_from(self.officer_given).map_err(refused("--officer-given"))?,
                family: FamilyName::try_from(self.officer_family).map_err(refused("--officer-family"))?,
            },
        })
    }
}

/// Holds the ceremony. Blocks for the HSM and the disk.
pub fn hold(directories: &Directories, settings: &Settings, officer: Officer, now: Instant) -> Result<Held, OperatorError> {
    refuse_a_second_time(directories)?;
    refuse_no_place(directories)?;
    let wrapped = contactpoint_keys::ceremony(&custody::attachment(settings), &custody::pin(directories)?)?;
    // from here on the token is changed: whatever breaks off says so
    let broke_off = |source| OperatorError::BrokeOff { state: directories.state.clone(), source: Box::new(source) };
    set_up(directories, settings, &wrapped, officer, now).map_err(broke_off)
}

fn refuse_a_second_time(directories: &Directories) -> Result<(), OperatorError> {
    for file in [STORE_FILE, custody::DATA_KEYS, VERIFIER_KEY_FILE] {
        let path = directories.state.join(file);
        if path.try_exists().map_err(OperatorError::file(&path))? {
            return Err(OperatorError::HeldBefore(path));
        }
    }
    Ok(())
}

/// A token takes one ceremony: where nothing can be written beside it, none is begun.
fn refuse_no_place(directories: &Directories) -> Result<(), OperatorError> {
    let path = directories.state.join("ceremony.try");
    let written = File::create(&path).and_then(|mut file| file.write_all(b"a place to write").and_then(|()| file.sync_all()));
    // whatever became of it, it does not stay
    let removed = std::fs::remove_file(&path);
    written.and(removed).map_err(OperatorError::file(&directories.state))
}

fn set_up(
    directories: &Directories,
    settings: &Settings,
    wrapped: &WrappedDataKeys,
    officer: Officer,
    now: Instant,
) -> Result<Held, OperatorError> {
    wrapped.save(&custody::data_keys_file(directories))?;
    let appliance = custody::create_appliance(directories, settings)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let held = runtime.block_on(enrol(appliance, officer, now))?;
    narrow(directories)?;
    publish(&held.verifier_key, directories)?;
    Ok(held)
}

async fn enrol(appliance: Appliance, officer: Officer, now: Instant) -> Result<Held, OperatorError> {
    let Appliance { custody, store, verifier_key } = appliance;
    // nobody is served here, and nothing comes from outside
    let store = store.begin_unlocked().map_err(ApplianceError::from)?;
    let organisation = enrol_data_centre(&store, officer.organisation, now).await?;
    let person = NewPerson { organisation: organisation.id, login: officer.login, name: officer.name, roles: vec![Role::SecurityOfficer] };
    let (account, secrets) = credentials(custody.as_ref(), person)?;
    let entry = entry(now, Operation::EnrolPerson, organisation.id);
    let account: Account = store.change(move |tx| Ok((tx.add_account(account)?, entry))).await?.into_inner();
    store.close().await?;
    Ok(Held { verifier_key, organisation: organisation.id, officer: account.id, login: account.login, secrets })
}

async fn enrol_data_centre(store: &Store, name: OrganisationName, now: Instant) -> Result<Organisation, OperatorError> {
    let new = NewOrganisation {
        name,
        kind: OrganisationKind::DataCentre,
        authority: None,
        capabilities: Vec::new(),
        telephone: None,
        email: None,
        postcode: None,
    };
    let change = move |tx: &mut contactpoint_store::Transaction<'_>| {
        let organisation = tx.add_organisation(&new)?;
        let entry = entry(now, Operation::EnrolOrganisation, organisation.id);
        Ok((organisation, entry))
    };
    Ok(store.change(change).await?.into_inner())
}

/// An entry of the ceremony: nobody is logged in, so no person is named; what was made is in its changes.
fn entry(at: Instant, operation: Operation, organisation: OrganisationId) -> Entry {
    Entry {
        at,
        person: None,
        organisation: Some(organisation),
        role: None,
        operation,
        reason: None,
        children: Vec::new(),
        shown: Vec::new(),
        outcome: Outcome::Answered,
        changes: Vec::new(),
    }
}

/// Takes the store's files away from everybody else, whatever the umask was. SQLite gives later journals the mode of the database.
fn narrow(directories: &Directories) -> Result<(), OperatorError> {
    for file in [STORE_FILE, "store.db-wal", "store.db-shm"] {
        let path = directories.state.join(file);
        match std::fs::set_permissions(&path, Permissions::from_mode(0o600)) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            narrowed => narrowed.map_err(OperatorError::file(&path))?,
        }
    }
    Ok(())
}

fn publish(key: &VerifierKey, directories: &Directories) -> Result<(), OperatorError> {
    let path = directories.state.join(VERIFIER_KEY_FILE);
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o644).open(&path).map_err(OperatorError::file(&path))?;
    writeln!(file, "{key}").and_then(|()| file.sync_all()).map_err(OperatorError::file(&path))
}

impl Held {
    fn sentences(&self, directories: &Directories) -> String {
        let file = directories.state.join(VERIFIER_KEY_FILE);
        let mut text = String::from("The key ceremony is done: four keys in the HSM, an empty store, one security officer.\n\n");
        for (what, value) in [
            ("log verifier key", self.verifier_key.to_string().as_str()),
            ("also in", &file.display().to_string()),
            ("security officer", self.login.as_str()),
            ("password", self.secrets.expose_password()),
            ("code secret", self.secrets.expose_code_secret()),
            ("for a phone", self.secrets.expose_otpauth()),
        ] {
            let _ = writeln!(text, "  {what:17} {value}");
        }
        text.push_str("\nPublish the verifier key. Hand the last three to the officer now: they are kept nowhere and not shown again.");
        text
    }

    fn json(&self) -> String {
        serde_json::json!({
            "verifier_key": self.verifier_key.to_string(),
            "organisation": { "id": self.organisation },
            "officer": {
                "id": self.officer,
                "login": self.login,
                "password": self.secrets.expose_password(),
                "code_secret": self.secrets.expose_code_secret(),
                "otpauth": self.secrets.expose_otpauth(),
            },
        })
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::custody::open_appliance;
    use crate::rig::{officer, Site, MORNING};
    use contactpoint_identity::{Channel, Identity};
    use contactpoint_keys::KeyError;
    use std::sync::Arc;
    use std::time::Duration;

    #[tokio::test(flavor = "multi_thread")]
    async fn the_officer_of_the_ceremony_can_log_in_and_is_in_the_log() {
        // G2: made at the key ceremony; C2: two factors; F1: every access is written
        let site = Site::new("ceremony");
        let held =
            tokio::task::block_in_place(|| std::thread::scope(|scope| scope.spawn(|| site.hold_ceremony()).join().unwrap())).unwrap();
        let appliance = open_appliance(&site.directories, &site.settings()).unwrap();
        let store = appliance.store.begin_unlocked().unwrap();
        assert_eq!(store.log_size(), 2);
        assert_eq!(appliance.verifier_key, held.verifier_key);
        let clock = Clock::dangerous_fixed(MORNING);
        let identity = Identity::new(store.clone(), Arc::clone(&appliance.custody) as _, clock.clone(), Duration::from_secs(900));
        let secret = data_encoding::BASE32_NOPAD.decode(held.secrets.expose_code_secret().as_bytes()).unwrap();
        let code = totp_rs::Builder::new().with_secret(secret).build().unwrap().generate(MORNING.seconds()).to_string();
        let password = held.secrets.expose_password().as_bytes();
        let ticket = identity.log_in(&Channel::Local { uid: 0 }, "officer", password, &code, clock.now()).await.unwrap().into_inner();
        let ticket = ticket.unwrap();
        assert_eq!((ticket.person, ticket.organisation.id), (held.officer, held.organisation));
        assert_eq!(ticket.organisation.kind, OrganisationKind::DataCentre);
        assert_eq!(ticket.roles, [Role::SecurityOfficer]);
    }

    #[test]
    fn a_second_ceremony_is_refused_and_changes_nothing() {
        // G2: keys are made once; a ceremony that ran over a store would lose it
        let site = Site::new("ceremony-twice");
        let held = site.hold_ceremony().unwrap();
        let before = site.state();
        let refusal = site.hold_ceremony().unwrap_err();
        assert!(matches!(refusal, OperatorError::HeldBefore(_)));
        assert_eq!(refusal.exit_status(), 78);
        assert_eq!(site.state(), before);
        let appliance = open_appliance(&site.directories, &site.settings()).unwrap();
        assert_eq!(appliance.verifier_key, held.verifier_key);
    }

    #[test]
    fn a_token_that_has_keys_is_refused_although_the_state_directory_is_empty() {
        // G2: keys are made once
        let site = Site::new("ceremony-token");
        site.hold_ceremony().unwrap();
        let fresh = Site::without_token();
        let settings = site.settings();
        let refusal = hold(&fresh.directories, &settings, officer(), MORNING).unwrap_err();
        assert!(matches!(refusal, OperatorError::Keys(KeyError::AlreadyMade { .. })), "{refusal}");
        assert_eq!(refusal.exit_status(), 78);
        assert!(fresh.state().is_empty());
    }

    #[test]
    fn without_the_pin_nothing_happens() {
        // B1: PIN from the systemd credential directory; missing = exit 78 with a sentence on what to do
        let site = Site::new("ceremony-pin");
        std::fs::remove_file(site.path("credentials/hsm-pin")).unwrap();
        let refusal = site.hold_ceremony().unwrap_err();
        assert!(matches!(refusal, OperatorError::Keys(KeyError::PinMissing { .. })));
        assert_eq!(refusal.exit_status(), 78);
        assert!(refusal.to_string().contains("/etc/credstore.encrypted/contactpoint-hsm-pin"), "{refusal}");
        assert!(site.state().is_empty());
    }

    #[test]
    fn without_a_place_to_write_the_token_is_not_touched() {
        // G2: keys are made once; a token whose ceremony broke off must be initialised anew
        let site = Site::new("ceremony-no-place");
        std::fs::remove_dir(&site.directories.state).unwrap();
        let refusal = site.hold_ceremony().unwrap_err();
        assert!(matches!(&refusal, OperatorError::File { path, .. } if *path == site.directories.state), "{refusal}");
        std::fs::create_dir(&site.directories.state).unwrap();
        site.hold_ceremony().unwrap();
        assert!(!site.path("state/ceremony.try").exists());
    }

    #[test]
    fn what_breaks_off_says_that_the_token_was_changed() {
        // Style: each failure is one sentence on what to do
        let site = Site::new("ceremony-broken");
        std::fs::create_dir(site.path("state/store.db-wal")).unwrap();
        let broken = site.hold_ceremony().map(|_| ()).unwrap_err();
        assert!(matches!(broken, OperatorError::BrokeOff { .. }), "{broken}");
        assert!(broken.to_string().contains("initialise the token anew"));
    }

    #[test]
    fn before_the_ceremony_the_appliance_does_not_open() {
        // G3: the store opens only with the HSM
        let site = Site::new("ceremony-none");
        let error = open_appliance(&site.directories, &site.settings()).map(|_| ()).unwrap_err();
        assert!(matches!(error, ApplianceError::Keys(KeyError::Missing { .. })), "{error}");
        assert_eq!(OperatorError::from(error).exit_status(), 78);
    }

    #[test]
    fn secrets_lie_in_no_file_and_files_have_narrow_modes() {
        // G1: no operator can read; C2: shown once
        let site = Site::new("ceremony-files");
        let held = site.hold_ceremony().unwrap();
        let mode = |file: &str| std::fs::metadata(site.path(file)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode("state/data-keys.toml"), 0o600);
        for path in site.state().into_keys().filter(|path| path.display().to_string().contains("store.db")) {
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
        }
        for (path, content) in site.state() {
            for secret in [held.secrets.expose_password(), held.secrets.expose_code_secret(), "Byron"] {
                assert!(!content.windows(secret.len()).any(|window| window == secret.as_bytes()), "{}", path.display());
            }
        }
        let published = std::fs::read_to_string(site.path("state/log-verifier-key.txt")).unwrap();
        assert_eq!(VerifierKey::parse(published.trim()).unwrap(), held.verifier_key);
        let json: serde_json::Value = serde_json::from_str(&held.json()).unwrap();
        assert_eq!(json["officer"]["password"], held.secrets.expose_password());
        assert!(held.sentences(&site.directories).contains(held.secrets.expose_code_secret()));
        assert!(!format!("{held:?}").contains(held.secrets.expose_password()));
    }
}
