//! `contactpointctl ceremony`: makes the HSM keys, the data keys, an empty store, the data centre and its first security officer.
//!
//! Refuses when any of them is there already, before anything is changed. What it enrols is in the log like any other enrolment (rule
//! F1). Does not ask for two officers yet (rule G2); docs/key-ceremony.md says who must be in the room.

use crate::custody::{self, Appliance};
use crate::error::OperatorError;
use contactpoint_audit::{Entry, Operation, Outcome, VerifierKey};
use contactpoint_domain::{
    FamilyName, GivenName, Instant, InvalidValue, LoginName, Name, Organisation, OrganisationId, OrganisationKind, OrganisationName,
    PersonId, Role,
};
use contactpoint_identity::{credentials, Clock, NewPerson, OneTimeSecrets};
use contactpoint_keys::WrappedDataKeys;
use contactpoint_settings::{Directories, Settings};
use contactpoint_store::{Account, NewOrganisation};
use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;

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
    let held = runtime.block_on(enrol(&appliance, officer, now))?;
    publish(&held.verifier_key, directories)?;
    Ok(held)
}

async fn enrol(appliance: &Appliance, officer: Officer, now: Instant) -> Result<Held, OperatorError> {
    let organisation = enrol_data_centre(appliance, officer.organisation, now).await?;
    let person = NewPerson { organisation: organisation.id, login: officer.login, name: officer.name, roles: vec![Role::SecurityOfficer] };
    let (account, secrets) = credentials(appliance.custody.as_ref(), person)?;
    let entry = entry(now, Operation::EnrolPerson, organisation.id);
    let account: Account = appliance.store.change(move |tx| Ok((tx.add_account(account)?, entry))).await?.into_inner();
    appliance.store.close().await?;
    let verifier_key = appliance.verifier_key.clone();
    Ok(Held { verifier_key, organisation: organisation.id, officer: account.id, login: account.login, secrets })
}

async fn enrol_data_centre(appliance: &Appliance, name: OrganisationName, now: Instant) -> Result<Organisation, OperatorError> {
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
    Ok(appliance.store.change(change).await?.into_inner())
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
