//! The decisions about organisations: who lets them in, by which gates, and who takes it back (rules B2 to B4).

use crate::admission::admit;
use crate::gate::Moment;
use crate::permit::{permit, By};
use crate::refusal::Refusal;
use contactpoint_audit::Operation;
use contactpoint_domain::{Day, Organisation, OrganisationId, OrganisationKind, PersonId, Role};
use contactpoint_identity::{Caller, Confirmed};

/// Years for which an accreditation holds at most.
pub const LONGEST_ACCREDITATION_YEARS: i16 = 3;

permit!(
    /// May enrol organisations, and put certificates of theirs on record or take them off (rule C4: the security officer).
    EnrolOrganisationPermit {}
);
permit!(
    /// May vouch for this organisation (rule B2).
    SponsorPermit {
        /// Which.
        organisation: OrganisationId,
    }
);
permit!(
    /// May accredit this organisation to this day (rule B2).
    AccreditPermit {
        /// Which.
        organisation: OrganisationId,
        /// The last day; `None` takes the accreditation back.
        expires: Option<Day>,
    }
);
permit!(
    /// May suspend this organisation, or let it in again (rule B4).
    SuspendOrganisationPermit {
        /// Which.
        organisation: OrganisationId,
        /// True to suspend.
        suspend: bool,
    }
);
permit!(
    /// May accept the statement of responsibilities for the own organisation (rule B3).
    AcceptResponsibilitiesPermit {
        /// The version accepted.
        version: u16,
    }
);

/// May the caller enrol organisations? (rule C4)
pub fn enrol_organisation(caller: &Caller, moment: Moment) -> Result<EnrolOrganisationPermit, Refusal> {
    Ok(EnrolOrganisationPermit { by: admit(caller, Operation::EnrolOrganisation, moment)? })
}

/// May the caller change this organisation's certificates? Whoever adds a key lets its holder in, so the second factor is proved anew; nobody does
/// it to their own organisation, and the data centre has none. (rules B1, B2, C2, C4)
pub fn certificates(
    caller: &Caller,
    moment: Moment,
    subject: &Organisation,
    operation: CertificateChange,
    proof: Confirmed,
) -> Result<EnrolOrganisationPermit, Refusal> {
    let operation = match operation {
        CertificateChange::Add => Operation::EnrolCertificate,
        CertificateChange::Remove => Operation::RemoveCertificate,
    };
    let by = admit(caller, operation, moment)?;
    comes_from_outside(caller, subject)?;
    confirmed(caller, proof)?;
    Ok(EnrolOrganisationPermit { by })
}

/// What happens to a certificate on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateChange {
    /// It comes on record, beside those that are there.
    Add,
    /// It is taken off.
    Remove,
}

/// May the caller vouch for this organisation? The risk owner for any; a council's supervisor for those that work in its area. Nobody for
/// their own, and nobody who accredited it. `is_held`: somebody in office vouches for it already, and nobody takes that over. The second factor is
/// proved anew: officers share a machine, and a session lies in a file. (rules B2, C2)
pub fn sponsor(caller: &Caller, moment: Moment, subject: &Organisation, is_held: bool, proof: Confirmed) -> Result<SponsorPermit, Refusal> {
    let by = admit(caller, Operation::Sponsor, moment)?;
    comes_from_outside(caller, subject)?;
    let in_area = by.role == Role::RiskOwner || subject.authority == Some(by.organisation);
    if !in_area {
        return Err(Refusal::OutsideScope);
    }
    if is_held {
        return Err(Refusal::AlreadySponsored);
    }
    another_person(by, subject.accreditations.iter().map(|held| held.by))?;
    confirmed(caller, proof)?;
    Ok(SponsorPermit { by, organisation: subject.id })
}

/// May the caller accredit this organisation to this day? It has a sponsor, who is somebody else. (rules B2, C2)
pub fn accredit(
    caller: &Caller,
    moment: Moment,
    subject: &Organisation,
    expires: Option<Day>,
    proof: Confirmed,
) -> Result<AccreditPermit, Refusal> {
    let by = admit(caller, Operation::Accredit, moment)?;
    comes_from_outside(caller, subject)?;
    let sponsorship = subject.sponsorship.ok_or(Refusal::NotSponsored)?;
    another_person(by, [sponsorship.by])?;
    confirmed(caller, proof)?;
    let last = moment.today.plus_years(LONGEST_ACCREDITATION_YEARS);
    match expires {
        Some(day) if day <= moment.today || day > last => Err(Refusal::TermForbidden),
        Some(_) | None => Ok(AccreditPermit { by, organisation: subject.id, expires }),
    }
}

/// May the caller suspend this organisation? At once, without a code: it shuts a door. (rule B4)
pub fn suspend_organisation(caller: &Caller, moment: Moment, subject: &Organisation) -> Result<SuspendOrganisationPermit, Refusal> {
    let by = admit(caller, Operation::SuspendOrganisation, moment)?;
    comes_from_outside(caller, subject)?;
    Ok(SuspendOrganisationPermit { by, organisation: subject.id, suspend: true })
}

/// May the caller let this organisation in again? (rules B4, C2)
pub fn resume_organisation(
    caller: &Caller,
    moment: Moment,
    subject: &Organisation,
    proof: Confirmed,
) -> Result<SuspendOrganisationPermit, Refusal> {
    let by = admit(caller, Operation::ResumeOrganisation, moment)?;
    comes_from_outside(caller, subject)?;
    confirmed(caller, proof)?;
    Ok(SuspendOrganisationPermit { by, organisation: subject.id, suspend: false })
}

/// May the caller accept this version for their organisation? (rule B3)
pub fn accept_responsibilities(caller: &Caller, moment: Moment, version: u16) -> Result<AcceptResponsibilitiesPermit, Refusal> {
    let by = admit(caller, Operation::AcceptResponsibilities, moment)?;
    if version == moment.texts.responsibilities {
        Ok(AcceptResponsibilitiesPermit { by, version })
    } else {
        Err(Refusal::OtherText)
    }
}

/// Nobody lets their own organisation in, and the data centre comes in by the ceremony alone.
fn comes_from_outside(caller: &Caller, subject: &Organisation) -> Result<(), Refusal> {
    if subject.id == caller.organisation_id() || subject.kind == OrganisationKind::DataCentre {
        Err(Refusal::RoleForbids)
    } else {
        Ok(())
    }
}

/// The second factor, proved anew for this act by whoever asks for it (rule C2).
pub(crate) fn confirmed(caller: &Caller, proof: Confirmed) -> Result<(), Refusal> {
    if proof.is_of(caller) {
        Ok(())
    } else {
        Err(Refusal::NotConfirmed)
    }
}

/// Two different people for the two gates (rule B2).
fn another_person(by: By, others: impl IntoIterator<Item = PersonId>) -> Result<(), Refusal> {
    if others.into_iter().any(|other| other == by.person) {
        Err(Refusal::SamePerson)
    } else {
        Ok(())
    }
}
