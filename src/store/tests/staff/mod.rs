//! People whom nobody proved, with every gate open, for what the directory does over this store; and the registry that has them.

#![expect(clippy::unwrap_used, reason = "a test's rig fails by panicking")]

use crate::rig::entry;
use contactpoint_audit::Operation;
use contactpoint_domain::{
    Acceptance, Accreditation, Capability, Checks, Instant, Name, Organisation, OrganisationId, OrganisationKind, PersonId, Role,
    Sponsorship, Texts,
};
use contactpoint_identity::{Caller, Qualifications};
use contactpoint_store::{NewAccount, NewOrganisation, Store, StoreError, Transaction};
use zeroize::Zeroizing;

#[allow(dead_code, reason = "not every test binary needs it")]
/// A morning in January 2026.
pub(crate) const NOW: Instant = Instant::of_millis(1_767_603_600_000);

#[allow(dead_code, reason = "not every test binary needs it")]
/// Somebody of this role, in an organisation of this kind and number that is accredited for one thing; under the supervisor 4.
pub(crate) fn somebody(person: u32, role: Role, (kind, organisation): (OrganisationKind, u32), capability: Capability) -> Caller {
    let organisation = Organisation {
        id: OrganisationId(organisation),
        name: "Body".try_into().unwrap(),
        kind,
        authority: None,
        telephone: None,
        email: None,
        postcode: None,
        heads: Vec::new(),
        sponsorship: Some(Sponsorship { by: PersonId(2), at: NOW }),
        accreditations: vec![Accreditation { capability, by: PersonId(3), expires: NOW.day().plus_years(1) }],
        responsibilities: Some(Acceptance { version: Texts::IN_FORCE.responsibilities, by: PersonId(4), at: NOW }),
        suspended: false,
        holds_new: false,
    };
    let made = "2026-01-01".parse().unwrap();
    let checks =
        Checks { vetted: Some(made), barring: Some(made), trained: Some(made), agreement: Some((Texts::IN_FORCE.agreement, made)) };
    let (roles, supervisor, family) = (vec![role], Some(PersonId(4)), "Okafor".try_into().unwrap());
    Caller::dangerous_new(PersonId(person), organisation, Qualifications { roles, checks, supervisor, family, home: None })
}

/// Puts these people and their organisations on record as they are, and whoever has a number below theirs as a supervisor.
#[allow(dead_code, reason = "not every test binary changes something")]
pub(crate) async fn on_record(store: &Store, people: &[&Caller]) {
    let people: Vec<Caller> = people.iter().copied().cloned().collect();
    let put = store.change(move |tx| {
        people.iter().try_for_each(|person| put_organisation(tx, person.organisation()))?;
        people.iter().try_for_each(|person| put_person(tx, person))?;
        Ok(((), entry(Operation::EnrolPerson, Vec::new())))
    });
    put.await.unwrap().into_inner();
}

/// Suspends an organisation that is on record.
#[allow(dead_code, reason = "not every test binary needs it")]
pub(crate) async fn suspend(store: &Store, id: OrganisationId) {
    let put = store.change(move |tx| {
        let found = tx.organisation(id)?.ok_or(StoreError::Unknown("organisation"))?;
        Ok((tx.put_organisation(&Organisation { suspended: true, ..found })?, entry(Operation::SuspendOrganisation, Vec::new())))
    });
    put.await.unwrap().into_inner();
}

fn put_organisation(tx: &mut Transaction<'_>, organisation: &Organisation) -> Result<(), StoreError> {
    while tx.organisation(organisation.id)?.is_none() {
        let (name, kind) = ("Body".try_into().unwrap(), OrganisationKind::School);
        tx.add_organisation(&NewOrganisation { name, kind, authority: None, telephone: None, email: None, postcode: None })?;
    }
    tx.put_organisation(organisation)
}

fn put_person(tx: &mut Transaction<'_>, person: &Caller) -> Result<(), StoreError> {
    let Qualifications { roles, checks, supervisor, family, home } = person.qualifications().clone();
    let name = Name { given: "Ada".try_into().unwrap(), family };
    let last = supervisor.into_iter().chain([person.person()]).map(|id| id.0).max().unwrap();
    for next in 1..=last {
        if tx.account(PersonId(next))?.is_none() {
            tx.add_account(NewAccount {
                organisation: person.organisation_id(),
                login: format!("person-{next}").as_str().try_into().unwrap(),
                name: name.clone(),
                roles: vec![Role::Supervisor],
                password: Zeroizing::default(),
                code_secret: Zeroizing::default(),
                supervisor: None,
                checks,
                home: None,
            })?;
        }
    }
    let mut account = tx.account(person.person())?.ok_or(StoreError::Unknown("account"))?;
    (account.organisation, account.roles, account.checks) = (person.organisation_id(), roles, checks);
    (account.supervisor, account.name, account.home) = (supervisor, name, home);
    tx.put_account(&account)
}
