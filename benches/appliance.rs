//! The daemon as it is measured: the tests' rig with the shipped settings but for those that a bench names, and the organisations of the
//! synthetic area enrolled, each with somebody who may do what is measured.

use crate::fault::{in_file, Fault};
use contactpoint_client::tls;
use contactpoint_support::{Enrolment, Organisation, Person, Programs, Rig};
use rustls::ClientConfig;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An organisation of organisations.json (docs/synthetic-people.md), as far as a bench needs it.
#[derive(Deserialize)]
struct Entry {
    key: String,
    name: String,
    kind: String,
    authority: Option<String>,
    capabilities: Vec<String>,
    feed: Option<PathBuf>,
    layout: Option<String>,
}

/// Somebody who feeds.
pub struct Supplier {
    /// What it is: council, school, ...
    pub kind: String,
    /// The organisation.
    pub organisation: Organisation,
    /// Its data steward.
    pub steward: Person,
    /// Its file.
    pub feed: PathBuf,
    /// The file's layout.
    pub layout: String,
}

/// A running daemon with its organisations.
pub struct Appliance {
    /// The rig.
    pub rig: Rig,
    /// In the order in which they feed: who has every child first.
    pub suppliers: Vec<Supplier>,
    /// The council's certificate.
    pub council: Organisation,
    /// Practitioners of the council.
    pub practitioners: Vec<Person>,
    /// Who reads the log.
    pub inspector: Organisation,
}

impl Appliance {
    /// Makes it, below the system's temporary folder.
    pub async fn started(programs: Programs, settings: &str, people: &Path, practitioners: usize) -> Result<Self, Fault> {
        let rig = Rig::started(programs, Some(settings));
        let list = people.join("organisations.json");
        let entries: Vec<Entry> = serde_json::from_slice(&fs::read(&list).map_err(in_file(&list))?)?;
        let (mut suppliers, mut numbers, mut council) = (Vec::new(), BTreeMap::new(), None);
        for entry in entries {
            let authority = entry.authority.as_ref().and_then(|key| numbers.get(key)).copied();
            let capabilities: Vec<&str> = entry.capabilities.iter().map(String::as_str).collect();
            let enrolment = Enrolment { name: &entry.name, kind: &entry.kind, authority, capabilities: &capabilities };
            let organisation = rig.enrol(&enrolment).await;
            numbers.insert(entry.key.clone(), organisation.id);
            let (Some(feed), Some(layout)) = (entry.feed, entry.layout) else { continue };
            let steward = format!("steward.{}", entry.key);
            let Some(steward) = rig.enrol_people(&organisation, &[(&steward, &["data-steward"])]).await.pop() else { continue };
            if entry.kind == "council" {
                let logins: Vec<String> = (1..=practitioners).map(|nth| format!("practitioner-{nth}.{}", entry.key)).collect();
                let staff: Vec<(&str, &[&str])> = logins.iter().map(|login| (login.as_str(), &["practitioner"][..])).collect();
                council = Some((organisation.clone(), rig.enrol_people(&organisation, &staff).await));
            }
            suppliers.push(Supplier { kind: entry.kind, organisation, steward, feed: people.join(feed), layout });
        }
        suppliers.sort_by_key(|supplier| supplier.kind != "surgery");
        let (council, practitioners) = council.ok_or_else(|| Fault::Unfit("no council among the organisations".into()))?;
        let auditor = Enrolment { name: "Directory Audit Office", kind: "auditor", authority: None, capabilities: &["audit"] };
        let inspector = rig.enrol(&auditor).await;
        Ok(Self { rig, suppliers, council, practitioners, inspector })
    }

    /// The client's side of TLS with the council's certificate.
    pub fn council_tls(&self) -> Result<Arc<ClientConfig>, Fault> {
        self.tls_of(&self.council)
    }

    /// The client's side of TLS with an organisation's certificate.
    pub fn tls_of(&self, organisation: &Organisation) -> Result<Arc<ClientConfig>, Fault> {
        let own = &organisation.certificate;
        Ok(tls::configuration(self.rig.servers.pem().as_bytes(), own.certificate.as_bytes(), own.key.as_bytes())?)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.rig.sockets.address()
    }

    /// A session of each of the council's practitioners; their tokens.
    pub async fn sessions(&self) -> Vec<String> {
        let mut connection = self.rig.connection(&self.council.certificate);
        let mut tokens = Vec::new();
        for practitioner in &self.practitioners {
            tokens.push(self.rig.log_in_first(&mut connection, practitioner).await);
        }
        tokens
    }

    /// Bytes that the store takes on disk.
    pub fn store_bytes(&self) -> u64 {
        let files = fs::read_dir(self.rig.place.state()).into_iter().flatten().flatten();
        files.filter_map(|file| file.metadata().ok()).map(|data| data.len()).sum()
    }
}

/// The shipped settings with other values for these keys.
pub fn settings(shipped: &Path, others: &[(&str, u64)]) -> Result<String, Fault> {
    let text = fs::read_to_string(shipped).map_err(in_file(shipped))?;
    let other = |line: &str| {
        let key = line.split_once(" = ").map_or("", |(key, _)| key);
        others.iter().find(|(name, _)| *name == key).map(|(name, value)| format!("{name} = {value}"))
    };
    Ok(text.lines().map(|line| other(line).unwrap_or_else(|| line.to_owned()) + "\n").collect())
}

/// The value of a numeric key.
pub fn number_in(settings: &str, key: &str) -> u64 {
    let line = settings.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
    line.and_then(|value| value.trim().parse().ok()).unwrap_or(0)
}
