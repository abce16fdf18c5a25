//! `contactpointctl ceremony`: makes the HSM keys, the data keys, an empty store, the data centre and its first two officers.
//!
//! Refuses when any of them is there already, before anything is changed. What it enrols is in the log like any other enrolment (rule
//! F1). Does not ask for two officers yet (rule G2); docs/key-ceremony.md says who must be in the room.

use crate::custody::{self, Appliance, ApplianceError};
use crate::error::OperatorError;
use contactpoint_audit::{Entry, Operation, Outcome, VerifierKey};
use contactpoint_domain::{
    Checks, Day, FamilyName, GivenName, Instant, InvalidValue, LoginName, Name, Organisation, OrganisationId, OrganisationKind,
    OrganisationName, PersonId, Role,
};
use contactpoint_identity::{credentials, Clock, NewPerson, OneTimeSecrets, Pepper};
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
    /// Log-in name of the first security officer, who accredits organisations
    #[arg(long, default_value = "security-officer")]
    officer_login: String,
    /// Their given name
    #[arg(long, default_value = "Security")]
    officer_given: String,
    /// Their family name
    #[arg(long, default_value = "Officer")]
    officer_family: String,
    /// Log-in name of the risk owner, who sponsors organisations and makes the data centre's accounts: another person
    #[arg(long, default_value = "risk-owner")]
    owner_login: String,
    /// Their given name
    #[arg(long, default_value = "Risk")]
    owner_given: String,
    /// Their family name
    #[arg(long, default_value = "Owner")]
    owner_family: String,
    /// The day since which vetting, barring registration and training of both are known, YYYY-MM-DD [default: today]
    #[arg(long)]
    checked_on: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Whom the ceremony enrols.
#[derive(Debug, Clone)]
pub struct Founders {
    /// The data centre.
    pub organisation: OrganisationName,
    /// Its first security officer, supervised by the risk owner.
    pub officer: Founder,
    /// The risk owner, whom nobody supervises (rule C3).
    pub owner: Founder,
    /// Since when the checks of both are known (rule C1).
    pub checked_on: Day,
}

/// One of them.
#[derive(Debug, Clone)]
pub struct Founder {
    /// Log-in name.
    pub login: LoginName,
    /// Name.
    pub name: Name,
}

/// What the ceremony made. The secrets are shown once and kept nowhere.
#[derive(Debug)]
pub struct Held {
    /// The log's public keys: one, or two.
    pub verifier_keys: Vec<VerifierKey>,
    /// The data centre.
    pub organisation: OrganisationId,
    /// The security officer.
    pub officer: Enrolled,
    /// The risk owner.
    pub owner: Enrolled,
}

/// A person whom the ceremony enrolled.
#[derive(Debug)]
pub struct Enrolled {
    /// Number.
    pub id: PersonId,
    /// Log-in name.
    pub login: LoginName,
    /// What they are handed.
    pub secrets: OneTimeSecrets,
}

pub(crate) fn run(arguments: Arguments, directories: &Directories) -> Result<String, OperatorError> {
    let settings = Settings::load(&directories.configuration)?;
    let json = arguments.json;
    let now = Clock::system().now().wall;
    let held = hold(directories, &settings, arguments.founders(now.day())?, now)?;
    Ok(if json { held.json() } else { held.sentences(directories) })
}

impl Arguments {
    fn founders(self, today: Day) -> Result<Founders, OperatorError> {
        let checked_on = self.checked_on.map_or(Ok(today), |day| day.parse().map_err(refused("--checked-on")))?;
        if checked_on > today {
            return Err(OperatorError::Argument { what: "--checked-on", why: "is a day to come".to_owned() });
        }
        if self.owner_login == self.officer_login {
            return Err(OperatorError::Argument {
                what: "--owner-login",
                why: "is the officer's: the risk owner is another person".to_owned(),
            });
        }
        Ok(Founders {
            organisation: OrganisationName::try_from(self.organisation).map_err(refused("--organisation"))?,
            officer: Founder {
                login: LoginName::try_from(self.officer_login).map_err(refused("--officer-login"))?,
                name: Name {
                    given: GivenName::try_from(self.officer_given).map_err(refused("--officer-given"))?,
                    family: FamilyName::try_from(self.officer_family).map_err(refused("--officer-family"))?,
                },
            },
            owner: Founder {
                login: LoginName::try_from(self.owner_login).map_err(refused("--owner-login"))?,
                name: Name {
                    given: GivenName::try_from(self.owner_given).map_err(refused("--owner-given"))?,
                    family: FamilyName::try_from(self.owner_family).map_err(refused("--owner-family"))?,
                },
            },
            checked_on,
        })
    }
}

fn refused(what: &'static str) -> impl Fn(InvalidValue) -> OperatorError {
    move |InvalidValue { why, .. }| OperatorError::Argument { what, why: why.to_owned() }
}

/// Holds the ceremony. Blocks for the HSM and the disk.
pub fn hold(directories: &Directories, settings: &Settings, founders: Founders, now: Instant) -> Result<Held, OperatorError> {
    refuse_a_second_time(directories)?;
    refuse_no_place(directories)?;
    let wrapped = contactpoint_keys::ceremony(&custody::attachment(settings), &custody::pin(directories)?)?;
    // from here on the token is changed: whatever breaks off says so
    let broke_off = |source| OperatorError::BrokeOff { state: directories.state.clone(), source: Box::new(source) };
    set_up(directories, settings, &wrapped, founders, now).map_err(broke_off)
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
    founders: Founders,
    now: Instant,
) -> Result<Held, OperatorError> {
    wrapped.save(&custody::data_keys_file(directories))?;
    let appliance = custody::create_appliance(directories, settings)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let held = runtime.block_on(enrol(appliance, founders, now))?;
    narrow(directories)?;
    publish(&held.verifier_keys, directories)?;
    Ok(held)
}

async fn enrol(appliance: Appliance, founders: Founders, now: Instant) -> Result<Held, OperatorError> {
    let Appliance { custody, store, verifier_keys, token_head, lock: _lock } = appliance;
    // nobody is served here, and nothing comes from outside
    let store = store.begin_unlocked().map_err(ApplianceError::from)?;
    let Founders { organisation, officer, owner, checked_on } = founders;
    let organisation = enrol_data_centre(&store, organisation, now).await?.id;
    let made = Some(checked_on);
    // each signs the agreement for themselves, at the first log-in
    let checks = Checks { vetted: made, barring: made, trained: made, agreement: None };
    let person =
        |Founder { login, name }, roles, supervisor| NewPerson { organisation, login, name, roles, supervisor, checks, home: None };
    let owner = person(owner, vec![Role::RiskOwner, Role::Administrator], None);
    let owner = enrol_person(&store, custody.as_ref(), owner, now).await?;
    let officer = person(officer, vec![Role::SecurityOfficer], Some(owner.id));
    let officer = enrol_person(&store, custody.as_ref(), officer, now).await?;
    store.checkpoint().await?;
    // the daemon's first start finds it: a store without one on the token does not open any more
    token_head.keep(&store.log_checkpoint().unwrap_or_default())?;
    store.note_head_kept().await?;
    store.close().await?;
    Ok(Held { verifier_keys, organisation, officer, owner })
}

async fn enrol_person(store: &Store, pepper: &dyn Pepper, person: NewPerson, now: Instant) -> Result<Enrolled, OperatorError> {
    let entry = entry(now, Operation::EnrolPerson, person.organisation);
    let (account, secrets) = credentials(pepper, person)?;
    let account: Account = store.change(move |tx| Ok((tx.add_account(account)?, entry))).await?.into_inner();
    Ok(Enrolled { id: account.id, login: account.login, secrets })
}

async fn enrol_data_centre(store: &Store, name: OrganisationName, now: Instant) -> Result<Organisation, OperatorError> {
    let new = NewOrganisation { name, kind: OrganisationKind::DataCentre, authority: None, telephone: None, email: None, postcode: None };
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
        on_behalf_of: None,
        facts: Vec::new(),
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

fn publish(keys: &[VerifierKey], directories: &Directories) -> Result<(), OperatorError> {
    let path = directories.state.join(VERIFIER_KEY_FILE);
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o644).open(&path).map_err(OperatorError::file(&path))?;
    writeln!(file, "{}", custody::lines(keys)).and_then(|()| file.sync_all()).map_err(OperatorError::file(&path))
}

impl Held {
    fn sentences(&self, directories: &Directories) -> String {
        let file = directories.state.join(VERIFIER_KEY_FILE);
        let mut text = String::from("The key ceremony is done: keys in the HSM, an empty store, a security officer and a risk owner.\n\n");
        for key in &self.verifier_keys {
            let _ = writeln!(text, "  {:17} {key}", "log verifier key");
        }
        let _ = writeln!(text, "  {:17} {}", "also in", file.display());
        for (who, enrolled) in [("security officer", &self.officer), ("risk owner", &self.owner)] {
            let Enrolled { id: _, login, secrets } = enrolled;
            for (what, value) in [
                (who, login.as_str()),
                ("password", secrets.expose_password()),
                ("code secret", secrets.expose_code_secret()),
                ("for a phone", secrets.expose_otpauth()),
            ] {
                let _ = writeln!(text, "  {what:17} {value}");
            }
        }
        text.push_str(
            "\nPublish the verifier key. Hand each of the two their last three lines now: they are kept nowhere and not shown again.",
        );
        text
    }

    fn json(&self) -> String {
        let told = |enrolled: &Enrolled| {
            serde_json::json!({
                "id": enrolled.id,
                "login": enrolled.login,
                "password": enrolled.secrets.expose_password(),
                "code_secret": enrolled.secrets.expose_code_secret(),
                "otpauth": enrolled.secrets.expose_otpauth(),
            })
        };
        serde_json::json!({
            "verifier_key": custody::lines(&self.verifier_keys),
            "organisation": { "id": self.organisation },
            "officer": told(&self.officer),
            "owner": told(&self.owner),
        })
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::custody::open_appliance;
    use crate::rig::{founders, Site, MORNING};
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
        assert_eq!(store.log_size(), 3);
        assert_eq!(appliance.verifier_keys, held.verifier_keys);
        let clock = Clock::dangerous_fixed(MORNING);
        let identity = Identity::new(store.clone(), Arc::clone(&appliance.custody) as _, clock.clone(), Duration::from_secs(900));
        let secret = data_encoding::BASE32_NOPAD.decode(held.officer.secrets.expose_code_secret().as_bytes()).unwrap();
        let code = totp_rs::Builder::new().with_secret(secret).build().unwrap().generate(MORNING.seconds()).to_string();
        let password = held.officer.secrets.expose_password().as_bytes();
        let ticket = identity.log_in(&Channel::Local { uid: 0 }, "officer", password, &code, clock.now()).await.unwrap().into_inner();
        let ticket = ticket.unwrap();
        assert_eq!((ticket.person, ticket.organisation.id), (held.officer.id, held.organisation));
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
        assert_eq!(appliance.verifier_keys, held.verifier_keys);
    }

    #[test]
    fn a_token_that_has_keys_is_refused_although_the_state_directory_is_empty() {
        // G2: keys are made once
        let site = Site::new("ceremony-token");
        site.hold_ceremony().unwrap();
        let fresh = Site::without_token();
        let settings = site.settings();
        let refusal = hold(&fresh.directories, &settings, founders(), MORNING).unwrap_err();
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
    fn officer_and_risk_owner_are_two_and_their_checks_are_not_to_come() {
        // B2: whoever accredits does not vouch; C1: the checks of both
        #[derive(Debug, clap::Parser)]
        struct Line {
            #[command(flatten)]
            arguments: Arguments,
        }
        let founders = |line: &[&str]| <Line as clap::Parser>::parse_from([&["ceremony"], line].concat()).arguments.founders(MORNING.day());
        assert!(founders(&["--checked-on", "2026-01-05"]).is_ok());
        for line in [["--owner-login", "security-officer"], ["--officer-login", "risk-owner"], ["--checked-on", "2026-01-06"]] {
            assert_eq!(founders(&line).unwrap_err().exit_status(), 64, "{line:?}");
        }
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
            let [officer, owner] = [&held.officer.secrets, &held.owner.secrets];
            let shown_once =
                [officer.expose_password(), officer.expose_code_secret(), owner.expose_password(), owner.expose_code_secret(), "Byron"];
            for secret in shown_once {
                assert!(!content.windows(secret.len()).any(|window| window == secret.as_bytes()), "{}", path.display());
            }
        }
        let published = std::fs::read_to_string(site.path("state/log-verifier-key.txt")).unwrap();
        assert_eq!(VerifierKey::parse_each(&published).unwrap(), held.verifier_keys);
        let json: serde_json::Value = serde_json::from_str(&held.json()).unwrap();
        assert_eq!(json["officer"]["password"], held.officer.secrets.expose_password());
        assert!(held.sentences(&site.directories).contains(held.officer.secrets.expose_code_secret()));
        assert!(!format!("{held:?}").contains(held.officer.secrets.expose_password()));
    }
}
