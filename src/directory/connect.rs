//! How organisations come in and go out (rules B1 to B4): sponsored by one person, accredited by another, the statement accepted by their
//! own officer, certificates side by side, suspended at any time. Each is one transaction with its entry.

use crate::entries::{acting, with_outcome};
use crate::refused::Refused;
use crate::{Answered, Directory};
use contactpoint_audit::Operation;
use contactpoint_domain::{
    Acceptance, AccountState, Accreditation, Capability, Day, Instant, Organisation, OrganisationId, OrganisationKind, OrganisationName,
    PersonId, Sponsorship, Stage,
};
use contactpoint_identity::{Caller, Confirmed};
use contactpoint_policy::{self as policy, CertificateChange, Moment, Refusal};
use contactpoint_store::{Account, Registry, StoreError, Transaction};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an organisation is to be accredited for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Accredit {
    /// What for: at least one.
    pub capabilities: Vec<Capability>,
    /// The last day on which each holds, within three years; absent to take them back.
    pub expires: Option<Day>,
    /// The six digits that the authenticator of the accrediting officer shows now.
    pub code: String,
}

/// The second factor anew, and nothing else to say.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "492817"}))]
pub struct FreshCode {
    /// The six digits that the authenticator shows now; each works once.
    pub code: String,
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
    /// The six digits that the officer's authenticator shows now.
    pub code: String,
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
    /// Vouches for an organisation (rule B2). Its heads whom nobody supervises yet are supervised by the sponsor from then on (rule C3).
    pub async fn sponsor(&self, caller: &Caller, id: OrganisationId, proof: Confirmed, now: Instant) -> Answered<OrganisationStanding> {
        self.change_organisation(caller, Operation::Sponsor, id, now, move |transaction, caller, organisation| {
            let is_held = organisation.sponsorship.map(|held| in_office(transaction, held.by)).transpose()?.unwrap_or(false);
            let permit = policy::sponsor(caller, Moment::of(now), organisation, is_held, proof)?;
            organisation.sponsorship = Some(Sponsorship { by: permit.by().person, at: now });
            supervise(transaction, &organisation.heads, permit.by().person)
        })
        .await
    }

    /// Accredits an organisation for these capabilities, or takes them back (rule B2).
    pub async fn accredit(
        &self,
        caller: &Caller,
        id: OrganisationId,
        request: Accredit,
        proof: Confirmed,
        now: Instant,
    ) -> Answered<OrganisationStanding> {
        let Accredit { mut capabilities, expires, code: _ } = request;
        capabilities.sort_unstable();
        capabilities.dedup();
        self.change_organisation(caller, Operation::Accredit, id, now, move |_, caller, organisation| {
            let permit = policy::accredit(caller, Moment::of(now), organisation, expires, proof)?;
            organisation.accreditations.retain(|held| !capabilities.contains(&held.capability));
            if let Some(expires) = permit.expires() {
                let by = permit.by().person;
                organisation.accreditations.extend(capabilities.into_iter().map(|capability| Accreditation { capability, by, expires }));
            }
            Ok(())
        })
        .await
    }

    /// Suspends an organisation, at its next request, also on open connections (rule B4).
    pub async fn suspend_organisation(&self, caller: &Caller, id: OrganisationId, now: Instant) -> Answered<OrganisationStanding> {
        self.change_organisation(caller, Operation::SuspendOrganisation, id, now, move |_, caller, organisation| {
            organisation.suspended = policy::suspend_organisation(caller, Moment::of(now), organisation)?.suspend();
            Ok(())
        })
        .await
    }

    /// Lets a suspended organisation in again (rule B4).
    pub async fn resume_organisation(
        &self,
        caller: &Caller,
        id: OrganisationId,
        proof: Confirmed,
        now: Instant,
    ) -> Answered<OrganisationStanding> {
        self.change_organisation(caller, Operation::ResumeOrganisation, id, now, move |_, caller, organisation| {
            organisation.suspended = policy::resume_organisation(caller, Moment::of(now), organisation, proof)?.suspend();
            Ok(())
        })
        .await
    }

    /// Accepts the statement of responsibilities for the caller's own organisation (rule B3).
    pub async fn accept_responsibilities(&self, caller: &Caller, request: &Accept, now: Instant) -> Answered<OrganisationStanding> {
        let (own, version) = (caller.organisation_id(), request.version);
        self.change_organisation(caller, Operation::AcceptResponsibilities, own, now, move |_, caller, organisation| {
            let permit = policy::accept_responsibilities(caller, Moment::of(now), version)?;
            organisation.responsibilities = Some(Acceptance { version: permit.version(), by: permit.by().person, at: now });
            Ok(())
        })
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
        proof: Confirmed,
        now: Instant,
    ) -> Answered<OrganisationStanding> {
        let operation = match change {
            CertificateChange::Add => Operation::EnrolCertificate,
            CertificateChange::Remove => Operation::RemoveCertificate,
        };
        self.change_organisation(caller, operation, id, now, move |transaction, caller, organisation| {
            let _permit = policy::certificates(caller, Moment::of(now), organisation, change, proof)?;
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

    /// One organisation, changed in one transaction by `change`, which is given the caller as they are then; and how it stands afterwards. All
    /// that can refuse refuses before a write.
    pub(crate) async fn change_organisation(
        &self,
        caller: &Caller,
        operation: Operation,
        id: OrganisationId,
        now: Instant,
        change: impl FnOnce(&mut Transaction<'_>, &Caller, &mut Organisation) -> Result<(), Stop> + Send + 'static,
    ) -> Answered<OrganisationStanding> {
        let (blank, caller) = (acting(caller, operation, now), caller.clone());
        // who may not ask at all is told so before anything is looked for
        if let Err(refusal) = policy::admit(&caller, operation, Moment::of(now)) {
            return self.refuse(blank, refusal.into()).await;
        }
        self.store
            .change(move |transaction| {
                let result = match changed(transaction, &caller, id, now, change) {
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

/// True of somebody who may vouch and supervise still: whose account is closed, or who lost the role, does neither any more.
fn in_office(registry: &Registry<'_>, id: PersonId) -> Result<bool, StoreError> {
    let holds = |account: Account| account.state != AccountState::Closed && account.roles.iter().any(|role| role.may_supervise());
    Ok(registry.account(id)?.is_some_and(holds))
}

/// Gives the heads of an organisation this supervisor, where nobody in office supervises them. They are of another organisation, and nobody of
/// theirs supervises the sponsor.
fn supervise(transaction: &mut Transaction<'_>, heads: &[PersonId], sponsor: PersonId) -> Result<(), Stop> {
    for head in heads {
        let Some(mut account) = transaction.account(*head)? else { continue };
        let is_supervised = account.supervisor.map(|id| in_office(transaction, id)).transpose()?.unwrap_or(false);
        if !is_supervised {
            account.supervisor = Some(sponsor);
            transaction.put_account(&account)?;
        }
    }
    Ok(())
}

/// The caller as this transaction finds them: of two changes at the same moment, the second meets what the first has done (rules B4, C4).
pub(crate) fn still(registry: &Registry<'_>, caller: &Caller) -> Result<Result<Caller, Refused>, StoreError> {
    Ok(caller.again(registry)?.map_err(Refused::Caller))
}

/// The same, where a refusal ends it.
pub(crate) fn again(registry: &Registry<'_>, caller: &Caller) -> Result<Caller, Stop> {
    Ok(still(registry, caller)??)
}

fn changed(
    transaction: &mut Transaction<'_>,
    caller: &Caller,
    id: OrganisationId,
    now: Instant,
    change: impl FnOnce(&mut Transaction<'_>, &Caller, &mut Organisation) -> Result<(), Stop>,
) -> Result<OrganisationStanding, Stop> {
    let caller = again(transaction, caller)?;
    let mut organisation = transaction.organisation(id)?.ok_or(Refused::Unknown("organisation"))?;
    let before = organisation.clone();
    change(transaction, &caller, &mut organisation)?;
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
