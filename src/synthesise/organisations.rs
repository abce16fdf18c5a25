//! organisations.json: who is to be enrolled, with whom, and which feed is whose. And the personas of the demo.

use crate::area::{worker, Area, Supplier};
use crate::names::Names;
use crate::place;
use crate::random::Random;
use crate::rows::Format;
use contactpoint_domain::{Capability, OrganisationKind, Role};
use serde::{Deserialize, Serialize};

/// One organisation to be enrolled.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrganisationEntry {
    /// Name of its certificate and key files, and the certificate's CN and O.
    pub(crate) key: String,
    name: String,
    kind: OrganisationKind,
    /// Key of the council in whose area it works; a council is its own; null for bodies of the whole country.
    authority: Option<String>,
    capabilities: Vec<Capability>,
    telephone: String,
    email: String,
    postcode: String,
    /// Path of its feed beside this file, and the layout to feed it with.
    feed: Option<String>,
    layout: Option<String>,
    people: Vec<PersonEntry>,
}

/// One person with a log-in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PersonEntry {
    login: String,
    given_name: String,
    family_name: String,
    roles: Vec<Role>,
}

/// The supplier as an organisation with people: an administrator, a data steward, a supervisor, two practitioners; a council has a shielding
/// officer beside them.
pub(crate) fn entry(area: &Area, names: &Names, supplier: &Supplier, feed: String) -> OrganisationEntry {
    let title = title(supplier.kind);
    let is_council = supplier.kind == OrganisationKind::Council;
    let capabilities = [Capability::Query, Capability::Feed].into_iter().chain(is_council.then_some(Capability::Shield));
    let practitioners = supplier.workers.iter().take(2).enumerate().map(|(at, worker)| PersonEntry {
        login: if at == 0 { format!("{title}.{}", supplier.key) } else { format!("{title}{}.{}", at + 1, supplier.key) },
        given_name: worker.given.clone(),
        family_name: worker.family.clone(),
        roles: vec![Role::Practitioner],
    });
    OrganisationEntry {
        key: supplier.key.clone(),
        name: supplier.name.clone(),
        kind: supplier.kind,
        authority: area.suppliers.first().map(|council| council.key.clone()),
        capabilities: capabilities.collect(),
        telephone: supplier.telephone.clone(),
        email: format!("duty@{}.example", supplier.key),
        postcode: supplier.postcode.clone(),
        feed: Some(feed),
        layout: Format::of(supplier.kind).map(|format| format.layout.to_owned()),
        people: staff(names, area.seed, &supplier.key, is_council).into_iter().chain(practitioners).collect(),
    }
}

/// The body that audits; it belongs to no area and feeds nothing.
pub(crate) fn auditor(names: &Names, seed: u64) -> OrganisationEntry {
    let key = "auditor";
    let mut people = staff(names, seed, key, false);
    if let Some(second) = people.get_mut(1) {
        second.login = "auditor.auditor".to_owned();
        second.roles = vec![Role::Auditor];
    }
    OrganisationEntry {
        key: key.to_owned(),
        name: "Children's Directory Audit Office".to_owned(),
        kind: OrganisationKind::Auditor,
        authority: None,
        capabilities: vec![Capability::Audit],
        telephone: "01632 960001".to_owned(),
        email: "duty@auditor.example".to_owned(),
        postcode: place::postcode(0, 0),
        feed: None,
        layout: None,
        people,
    }
}

fn staff(names: &Names, seed: u64, key: &str, shields: bool) -> Vec<PersonEntry> {
    let mut random = key.bytes().fold(Random::at(&[seed, 6]), |mut random, byte| Random::at(&[random.number(), u64::from(byte)]));
    let usual = [("administrator", Role::Administrator), ("steward", Role::DataSteward), ("supervisor", Role::Supervisor)];
    let people = usual.into_iter().chain(shields.then_some(("shielding-officer", Role::ShieldingOfficer)));
    people
        .map(|(title, role)| {
            let person = worker(names, key, &mut random);
            PersonEntry { login: format!("{title}.{key}"), given_name: person.given, family_name: person.family, roles: vec![role] }
        })
        .collect()
}

/// What practitioners there are called, in their log-in names.
pub(crate) fn title(kind: OrganisationKind) -> &'static str {
    match kind {
        OrganisationKind::School => "teacher",
        OrganisationKind::Surgery => "gp",
        OrganisationKind::Council => "social-worker",
        OrganisationKind::YouthOffendingTeam => "youth-worker",
        OrganisationKind::Police => "officer",
        OrganisationKind::Voluntary => "worker",
        OrganisationKind::DataCentre => "operator",
        OrganisationKind::Auditor => "auditor",
    }
}
