//! How organisations come in and go out (rules B1 to B4): sponsored by one person, accredited by another, the statement accepted by their
//! own officer, certificates side by side, suspended at any time. Each is one transaction with its entry.

use crate::entries::{acting, with_outcome};
use crate::refused::Refused;
use crate::{Answered, Directory};
use contactpoint_audit::Operation;
use contactpoint_domain::{
    Acceptance, Accreditation, Capability, Day, Instant, Organisation, OrganisationId, OrganisationKind, OrganisationName, PersonId,
    Sponsorship, Stage,
};
use contactpoint_identity::Caller;
use contactpoint_policy::{self as policy, CertificateChange, Moment, Refusal};
use contactpoint_store::{StoreError, Transaction};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an organisation is to be accredited for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Accredit {
    /// What for.
    pub capability: Capability,
    /// The last day on which it holds, within three years; absent to take it back.
    pub expires: Option<Day>,
}

/// The version of a text that is accepted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"version": 1}))]
pub struct Accept {
    /// The number in its first line.
    pub version: u16,
}

/// A certificate, PEM. Its key counts, not its name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateGiven {
    /// PEM.
    pub certificate: String,
}

/// How far an organisation has come.
#[derive(Serialize, ToSchema)]
pub struct OrganisationStanding {
    id: OrganisationId,
    name: OrganisationName,
    kind: OrganisationKind,
    /// applied, sponsored, accredited, connected, suspended.
    stage: Stage,
    accreditations: Vec<AccreditationShown>,
    /// The version of the statement of responsibilities accepted last.
    #[serde(skip_serializing_if = "Option::is_none")]
    responsibilities: Option<u16>,
    /// The version in force.
    responsibilities_in_force: u16,
    /// How many client keys are on record.
    certificates: usize,
    /// New records of its area wait for its shielding officer (rule E4).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    holds_new: bool,
}

/// One accreditation.
#[derive(Serialize, ToSchema)]
pub struct AccreditationShown {
    capability: Capability,
    expires: Day,
}

impl OrganisationStanding {
    fn of(organisation: &Organisation, certificates: usize, moment: Moment) -> Self {
        let shown = |held: &Accreditation| AccreditationShown { capability: held.capability, expires: held.expires };
        Self {
            id: organisation.id,
            name: organisation.name.clone(),
            kind: organisation.kind,
            stage: organisation.stage(moment.today, moment.texts),
            accreditations: organisation.accreditations.iter().map(shown).collect(),
            responsibilities: organisation.responsibilities.map(|accepted| accepted.version),
            responsibilities_in_force: moment.texts.responsibilities,
            certificates,
            holds_new: organisation.holds_new,
        }
    }
}

impl Directory {
    /// Vouches for an organisation (rule B2). Its people whom nobody supervises yet are supervised by the sponsor from then on (rule C3).
    pub async fn sponsor(&self, caller: &Caller, id: OrganisationId, now: Instant) -> Answered<OrganisationStanding> {
        let caller = caller.clone();
        self.change_organisation(&caller.clone(), Operation::Sponsor, id, now, move |transaction, organisation| {
            let permit = policy::sponsor(&caller, Moment::of(now), organisation)?;
            organisation.sponsorship = Some(Sponsorship { by: permit.by().person, at: now });
            supervise(transaction, &organisation.heads, permit.by().person)
        })
        .await
    }

    /// Accredits an organisation for one capability, or takes it back (rule B2).
    pub async fn accredit(&self, caller: &Caller, id: OrganisationId, request: Accredit, now: Instant) -> Answered<OrganisationStanding> {
        let caller = caller.clone();
        let Accredit { capability, expires } = request;
        self.change_organisation(&caller.clone(), Operation::Accredit, id, now, move |_, organisation| {
            let permit = policy::accredit(&caller, Moment::of(now), organisation, expires)?;
            organisation.accreditations.retain(|held| held.capability != capability);
            organisation.accreditations.extend(permit.expires().map(|expires| Accreditation {
                capability,
                by: permit.by().person,
                expires,
            }));
            Ok(())
        })
        .await
    }

    /// Suspends an organisation, or lets it in again; at the next request, also on open connections (rule B4).
    pub async fn suspend_organisation(
        &self,
        caller: &Caller,
        id: OrganisationId,
        suspend: bool,
        now: Instant,
    ) -> Answered<OrganisationStanding> {
        let caller = caller.clone();
        let operation = if suspend { Operation::SuspendOrganisation } else { Operation::ResumeOrganisation };
        self.change_organisation(&caller.clone(), operation, id, now, move |_, organisation| {
            let permit = policy::suspend_organisation(&caller, Moment::of(now), organisation, suspend)?;
            organisation.suspended = permit.suspend();
            Ok(())
        })
        .await
    }

    /// Accepts the statement of responsibilities for the caller's own organisation (rule B3).
    pub async fn accept_responsibilities(&self, caller: &Caller, request: &Accept, now: Instant) -> Answered<OrganisationStanding> {
        let (caller, version) = (caller.clone(), request.version);
        self.change_organisation(
            &caller.clone(),
            Operation::AcceptResponsibilities,
            caller.organisation_id(),
            now,
            move |_, organisation| {
                let permit = policy::accept_responsibilities(&caller, Moment::of(now), version)?;
                organisation.responsibilities = Some(Acceptance { version: permit.version(), by: permit.by().person, at: now });
                Ok(())
            },
        )
        .await
    }

    /// Puts a client key of an organisation on record beside those that are there, or takes one off, so that keys change without a gap
    /// (rule B1). `key`: SHA-256 of the certificate's SubjectPublicKeyInfo, which the caller has parsed.
    pub async fn change_certificate(
        &self,
        caller: &Caller,
        id: OrganisationId,
        change: CertificateChange,
        key: [u8; 32],
        now: Instant,
    ) -> Answered<OrganisationStanding> {
        let caller = caller.clone();
        let operation = match change {
            CertificateChange::Add => Operation::EnrolCertificate,
            CertificateChange::Remove => Operation::RemoveCertificate,
        };
        self.change_organisation(&caller.clone(), operation, id, now, move |transaction, organisation| {
            let _permit = policy::certificates(&caller, Moment::of(now), change)?;
            match change {
                CertificateChange::Add if transaction.organisation_by_certificate(&key)?.is_some() => {
                    Err(Stop::Refused(Refused::Exists("certificate")))
                }
                CertificateChange::Add => Ok(transaction.add_certificate(organisation.id, &key)?),
                CertificateChange::Remove if transaction.certificates_of(organisation.id)?.contains(&key) => {
                    Ok(transaction.remove_certificate(organisation.id, &key)?)
                }
                CertificateChange::Remove => Err(Stop::Refused(Refused::Unknown("certificate"))),
            }
        })
        .await
    }

    /// One organisation, changed in one transaction by `change`, and how it stands then. All that can refuse refuses before a write.
    pub(crate) async fn change_organisation(
        &self,
        caller: &Caller,
        operation: Operation,
        id: OrganisationId,
        now: Instant,
        change: impl FnOnce(&mut Transaction<'_>, &mut Organisation) -> Result<(), Stop> + Send + 'static,
    ) -> Answered<OrganisationStanding> {
        let blank = acting(caller, operation, now);
        // who may not ask at all is told so before anything is looked for
        if let Err(refusal) = policy::admit(caller, operation, Moment::of(now)) {
            return self.refuse(blank, refusal.into()).await;
        }
        self.store
            .change(move |transaction| {
                let result = match changed(transaction, id, now, change) {
                    Ok(standing) => Ok(standing),
                    Err(Stop::Refused(refused)) => Err(refused),
                    Err(Stop::Store(fault)) => return Err(fault),
                };
                let entry = with_outcome(blank, &result);
                Ok((result, entry))
            })
            .await
    }
}

/// Gives the heads of an organisation this supervisor. They are of another organisation, and nobody of theirs supervises the sponsor.
fn supervise(transaction: &mut Transaction<'_>, heads: &[PersonId], sponsor: PersonId) -> Result<(), Stop> {
    for head in heads {
        if let Some(mut account) = transaction.account(*head)? {
            account.supervisor = Some(sponsor);
            transaction.put_account(&account)?;
        }
    }
    Ok(())
}

fn changed(
    transaction: &mut Transaction<'_>,
    id: OrganisationId,
    now: Instant,
    change: impl FnOnce(&mut Transaction<'_>, &mut Organisation) -> Result<(), Stop>,
) -> Result<OrganisationStanding, Stop> {
    let mut organisation = transaction.organisation(id)?.ok_or(Refused::Unknown("organisation"))?;
    let before = organisation.clone();
    change(transaction, &mut organisation)?;
    if organisation != before {
        transaction.put_organisation(&organisation)?;
    }
    let certificates = transaction.certificates_of(id)?.len();
    Ok(OrganisationStanding::of(&organisation, certificates, Moment::of(now)))
}

/// Why a change did not come about: a refusal, which is written and answered, or a fault of the store.
pub(crate) enum Stop {
    Refused(Refused),
    Store(StoreError),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<StoreError> for Stop {
    fn from(fault: StoreError) -> Self {
        Self::Store(fault)
    }
}
