//! Who may ask for what at all: one row for each operation, and the one function that reads it (rules B2, C4).
//!
//! What a row says does not depend on any child. What does - relation, shield, audience - is decided after it, by the operation's own
//! function. An operation without a row is refused to everybody.

use crate::gate::{Gate, Moment};
use crate::permit::By;
use crate::refusal::Refusal;
use contactpoint_audit::Operation;
use contactpoint_domain::{Capability, Organisation, OrganisationKind, Role};
use contactpoint_identity::{Caller, Qualifications};

/// Who may ask for one operation.
pub struct Row {
    /// The operation.
    pub operation: Operation,
    /// In which role, of what kind of organisation. The first pair that fits is the role acted in.
    pub who: &'static [(Role, &'static [OrganisationKind])],
    /// What the organisation must be accredited for.
    pub capability: Option<Capability>,
    /// Refusals of gates that this operation passes: the one that it mends, and those that others mend after it.
    pub passes: &'static [Refusal],
}

use OrganisationKind::{Auditor, Council, DataCentre, Police, School, Surgery, Voluntary, YouthOffendingTeam};

const WORKING: &[OrganisationKind] = &[Council, School, Surgery, YouthOffendingTeam, Police, Voluntary];
const CONNECTING: &[OrganisationKind] = &[Council, School, Surgery, YouthOffendingTeam, Police, Voluntary, Auditor];
const EVERY: &[OrganisationKind] = &[Council, School, Surgery, YouthOffendingTeam, Police, Voluntary, Auditor, DataCentre];

const OFFICER: &[(Role, &[OrganisationKind])] = &[(Role::SecurityOfficer, &[DataCentre])];
const ADMINISTRATOR: &[(Role, &[OrganisationKind])] = &[(Role::Administrator, EVERY)];
const PRACTITIONER: &[(Role, &[OrganisationKind])] = &[(Role::Practitioner, WORKING)];
const LOOKER: &[(Role, &[OrganisationKind])] = &[(Role::Practitioner, WORKING), (Role::ShieldingOfficer, &[Council])];
const SHIELDER: &[(Role, &[OrganisationKind])] = &[(Role::ShieldingOfficer, &[Council])];
const STEWARD: &[(Role, &[OrganisationKind])] = &[(Role::DataSteward, WORKING)];
const HELPDESK: &[(Role, &[OrganisationKind])] = &[(Role::Helpdesk, EVERY)];
const KEEPER: &[(Role, &[OrganisationKind])] = &[(Role::Administrator, EVERY), (Role::Helpdesk, EVERY)];
const JUDGE: &[(Role, &[OrganisationKind])] = &[
    (Role::Supervisor, CONNECTING),
    (Role::SecurityOfficer, &[DataCentre]),
    (Role::RiskOwner, &[DataCentre]),
    (Role::ShieldingOfficer, &[Council]),
];
const READER_OF_ALERTS: &[(Role, &[OrganisationKind])] = &[
    (Role::Supervisor, CONNECTING),
    (Role::SecurityOfficer, &[DataCentre]),
    (Role::RiskOwner, &[DataCentre]),
    (Role::ShieldingOfficer, &[Council]),
    (Role::Auditor, &[Auditor]),
];
const AUDITOR: &[(Role, &[OrganisationKind])] = &[(Role::Auditor, &[Auditor])];
const REVIEWER: &[(Role, &[OrganisationKind])] = &[
    (Role::Auditor, &[Auditor]),
    (Role::Supervisor, CONNECTING),
    (Role::SecurityOfficer, &[DataCentre]),
    (Role::RiskOwner, &[DataCentre]),
];
const READER_OF_REPORTS: &[(Role, &[OrganisationKind])] = &[(Role::Auditor, &[Auditor]), (Role::RiskOwner, &[DataCentre])];
const SPONSOR: &[(Role, &[OrganisationKind])] = &[(Role::RiskOwner, &[DataCentre]), (Role::Supervisor, &[Council])];
const ACCEPTING: &[(Role, &[OrganisationKind])] = &[(Role::Administrator, CONNECTING), (Role::Supervisor, CONNECTING)];
const EVERYBODY: &[(Role, &[OrganisationKind])] = &[
    (Role::Practitioner, EVERY),
    (Role::Administrator, EVERY),
    (Role::DataSteward, EVERY),
    (Role::Auditor, EVERY),
    (Role::SecurityOfficer, EVERY),
    (Role::Supervisor, EVERY),
    (Role::ShieldingOfficer, EVERY),
    (Role::Helpdesk, EVERY),
    (Role::Inspector, EVERY),
    (Role::RiskOwner, EVERY),
    (Role::SystemOperator, EVERY),
];

const fn row(operation: Operation, who: &'static [(Role, &'static [OrganisationKind])], capability: Option<Capability>) -> Row {
    Row { operation, who, capability, passes: &[] }
}

/// The table. docs/access.md is made of it.
pub const TABLE: &[Row] = &[
    row(Operation::Search, LOOKER, Some(Capability::Query)),
    row(Operation::View, LOOKER, Some(Capability::Query)),
    row(Operation::BreakGlass, PRACTITIONER, Some(Capability::Query)),
    row(Operation::LeaveGlass, PRACTITIONER, None),
    row(Operation::OverrideShield, PRACTITIONER, Some(Capability::ShieldOverride)),
    row(Operation::AskContact, PRACTITIONER, Some(Capability::Query)),
    row(Operation::Shield, SHIELDER, Some(Capability::Shield)),
    row(Operation::Unshield, SHIELDER, Some(Capability::Shield)),
    row(Operation::SetAudience, SHIELDER, Some(Capability::Shield)),
    row(Operation::SettleRecord, SHIELDER, Some(Capability::Shield)),
    row(Operation::HoldNew, SHIELDER, Some(Capability::Shield)),
    row(Operation::EndInvolvement, STEWARD, Some(Capability::Feed)),
    row(Operation::ReadAlerts, READER_OF_ALERTS, None),
    row(Operation::JudgeAlert, JUDGE, None),
    row(Operation::SampleAlerts, AUDITOR, Some(Capability::Audit)),
    row(Operation::ReviewAlert, AUDITOR, Some(Capability::Audit)),
    row(Operation::AlertStatistics, AUDITOR, Some(Capability::Audit)),
    row(Operation::ReadReviews, REVIEWER, None),
    row(Operation::SettleReview, REVIEWER, None),
    row(Operation::ReviewReport, READER_OF_REPORTS, None),
    row(Operation::Feed, STEWARD, Some(Capability::Feed)),
    row(Operation::WhoSaw, AUDITOR, Some(Capability::Audit)),
    row(Operation::MakeStatement, AUDITOR, Some(Capability::Audit)),
    row(Operation::RequestEvidence, AUDITOR, Some(Capability::Audit)),
    row(Operation::ApproveEvidence, AUDITOR, Some(Capability::Audit)),
    row(Operation::FetchEvidence, AUDITOR, Some(Capability::Audit)),
    row(Operation::EnrolOrganisation, OFFICER, None),
    row(Operation::EnrolCertificate, OFFICER, None),
    row(Operation::RemoveCertificate, OFFICER, None),
    row(Operation::Sponsor, SPONSOR, None),
    row(Operation::Accredit, OFFICER, None),
    row(Operation::SuspendOrganisation, OFFICER, None),
    row(Operation::ResumeOrganisation, OFFICER, None),
    Row {
        operation: Operation::AcceptResponsibilities,
        who: ACCEPTING,
        capability: None,
        passes: &[Refusal::NotAccredited, Refusal::ResponsibilitiesPending],
    },
    Row {
        operation: Operation::AcceptAgreement,
        who: EVERYBODY,
        capability: None,
        // people sign before their organisation is whole: its officer must have signed to accept for it
        passes: &[
            Refusal::NotSponsored,
            Refusal::NotAccredited,
            Refusal::ResponsibilitiesPending,
            Refusal::NoSupervisor,
            Refusal::AgreementPending,
        ],
    },
    row(Operation::EnrolPerson, ADMINISTRATOR, None),
    row(Operation::AmendPerson, ADMINISTRATOR, None),
    row(Operation::SuspendPerson, KEEPER, None),
    row(Operation::ResumePerson, ADMINISTRATOR, None),
    row(Operation::ClosePerson, ADMINISTRATOR, None),
    row(Operation::LockPerson, HELPDESK, None),
    row(Operation::UnlockPerson, HELPDESK, None),
    row(Operation::BeginReset, HELPDESK, None),
    row(Operation::CompleteReset, KEEPER, None),
];

/// May the caller ask for this operation at all? Gates first, then role, then accreditation; the first that is shut is the refusal.
pub fn admit(caller: &Caller, operation: Operation, moment: Moment) -> Result<By, Refusal> {
    let role = role_for(caller.organisation(), caller.qualifications(), operation, moment)?;
    Ok(By { person: caller.person(), organisation: caller.organisation_id(), role })
}

/// The role in which somebody of an organisation may ask for this operation, were they to ask now.
pub(crate) fn role_for(
    organisation: &Organisation,
    person: &Qualifications,
    operation: Operation,
    moment: Moment,
) -> Result<Role, Refusal> {
    let row = TABLE.iter().find(|row| row.operation == operation).ok_or(Refusal::RoleForbids)?;
    for gate in Gate::ALL {
        match gate.shut_for(organisation, person, moment) {
            Some(refusal) if !row.passes.contains(&refusal) => return Err(refusal),
            Some(_) | None => {}
        }
    }
    let kind = organisation.kind;
    let fits = |(role, kinds): &&(Role, &[OrganisationKind])| role.is_of(kind) && person.roles.contains(role) && kinds.contains(&kind);
    let (role, _) = row.who.iter().find(fits).ok_or(Refusal::RoleForbids)?;
    accredited(organisation, row.capability, moment)?;
    Ok(*role)
}

pub(crate) fn accredited(organisation: &Organisation, capability: Option<Capability>, moment: Moment) -> Result<(), Refusal> {
    let Some(capability) = capability else { return Ok(()) };
    if organisation.may(capability, moment.today) {
        Ok(())
    } else if organisation.accreditations.iter().any(|held| held.capability == capability) {
        Err(Refusal::AccreditationExpired)
    } else {
        Err(Refusal::CapabilityMissing)
    }
}
