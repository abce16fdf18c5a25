//! The decisions, one function each, and the permits that only they make.
//!
//! ```compile_fail,E0451
//! fn forge(by: contactpoint_policy::By) -> contactpoint_policy::ViewPermit {
//!     contactpoint_policy::ViewPermit { by, reason: contactpoint_domain::Purpose::Concern, kind: contactpoint_domain::OrganisationKind::School }
//! }
//! ```

use crate::refusal::Refusal;
use crate::relation::Relation;
use contactpoint_domain::{Capability, OrganisationId, OrganisationKind, PersonId, Purpose, Role};
use contactpoint_identity::Caller;

/// Who acts, in which role: what the log says of a permitted act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct By {
    /// The person.
    pub person: PersonId,
    /// Their organisation.
    pub organisation: OrganisationId,
    /// The role that allowed it.
    pub role: Role,
}

macro_rules! permit {
    ($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        #[must_use = "a permit is to be used"]
        pub struct $name {
            by: By,
            $($field: $type),*
        }

        impl $name {
            /// Who acts.
            #[must_use]
            pub fn by(&self) -> By {
                self.by
            }
            $($(#[$fdoc])*
            #[must_use]
            pub fn $field(&self) -> $type {
                self.$field
            })*
        }
    };
}

permit!(
    /// May search one scope (rule D3).
    SearchPermit {
        /// The stated reason.
        reason: Purpose,
        /// The scope: the organisation whose children may be found.
        scope: OrganisationId,
    }
);
permit!(
    /// May view one child (rules D1, D2).
    ViewPermit {
        /// The stated reason.
        reason: Purpose,
        /// What the caller's organisation is: decides which identifiers it is shown (rule A5).
        kind: OrganisationKind,
    }
);
permit!(
    /// May ask who saw a child (rule F3).
    WhoSawPermit {
        /// The stated reason.
        reason: Purpose,
    }
);
permit!(
    /// May feed the records of the own organisation (rule H1).
    FeedPermit {
        /// The local authority that new records belong to (rule A7).
        authority: OrganisationId,
    }
);
permit!(
    /// May enrol organisations (rule C4: the security officer).
    EnrolOrganisationPermit {}
);
permit!(
    /// May make accounts in the own organisation (rule C4: its administrator).
    EnrolPersonPermit {
        /// The only organisation whose people they are.
        organisation: OrganisationId,
    }
);

/// Reasons for looking at a child (rule D2).
const LOOKING: &[Purpose] =
    &[Purpose::Coordination, Purpose::Concern, Purpose::Assessment, Purpose::Section47, Purpose::Missing, Purpose::Transfer];

/// Reasons for asking who looked (rule F3).
const AUDITING: &[Purpose] = &[Purpose::Audit, Purpose::SubjectAccess];

/// May the caller search their own scope? (rules B2, C4, D2, D3)
pub fn search(caller: &Caller, reason: Purpose) -> Result<SearchPermit, Refusal> {
    let by = acting(caller, Role::Practitioner)?;
    accredited(caller, Capability::Query)?;
    one_of(reason, LOOKING)?;
    Ok(SearchPermit { by, reason, scope: caller.organisation_id() })
}

/// May the caller view the child to whom their organisation has this relation? (rules B2, C4, D1, D2)
pub fn view(caller: &Caller, reason: Purpose, relation: Relation) -> Result<ViewPermit, Refusal> {
    let by = acting(caller, Role::Practitioner)?;
    accredited(caller, Capability::Query)?;
    one_of(reason, LOOKING)?;
    match relation {
        Relation::OnRoll | Relation::OnList | Relation::InArea | Relation::Involved => {
            Ok(ViewPermit { by, reason, kind: caller.organisation().kind })
        }
        Relation::None => Err(Refusal::OutsideScope),
    }
}

/// May the caller ask who saw a child? (rules C4, F3)
pub fn who_saw(caller: &Caller, reason: Purpose) -> Result<WhoSawPermit, Refusal> {
    let by = acting(caller, Role::Auditor)?;
    if caller.organisation().kind != OrganisationKind::Auditor {
        return Err(Refusal::RoleForbids);
    }
    one_of(reason, AUDITING)?;
    Ok(WhoSawPermit { by, reason })
}

/// May the caller feed their organisation's records? (rules A7, B2, C4)
pub fn feed(caller: &Caller) -> Result<FeedPermit, Refusal> {
    let by = acting(caller, Role::DataSteward)?;
    accredited(caller, Capability::Feed)?;
    // a body of the whole country has no area that a new record could belong to
    let authority = caller.organisation().authority.ok_or(Refusal::CapabilityMissing)?;
    Ok(FeedPermit { by, authority })
}

/// May the caller enrol organisations? (rule C4)
pub fn enrol_organisation(caller: &Caller) -> Result<EnrolOrganisationPermit, Refusal> {
    let by = acting(caller, Role::SecurityOfficer)?;
    if caller.organisation().kind != OrganisationKind::DataCentre {
        return Err(Refusal::RoleForbids);
    }
    Ok(EnrolOrganisationPermit { by })
}

/// May the caller give an account with these roles in their own organisation? (rule C4)
pub fn enrol_person(caller: &Caller, roles: &[Role]) -> Result<EnrolPersonPermit, Refusal> {
    let by = acting(caller, Role::Administrator)?;
    if roles.is_empty() || !roles.iter().all(|role| may_be_given(*role, caller.organisation().kind)) {
        return Err(Refusal::RoleForbids);
    }
    // whoever feeds decides which children are in the scope of those who look
    if roles.contains(&Role::DataSteward) && roles.contains(&Role::Practitioner) {
        return Err(Refusal::RoleForbids);
    }
    Ok(EnrolPersonPermit { by, organisation: caller.organisation_id() })
}

/// The roles that an organisation's administrator may give: those of its own kind, never their own (rule C4).
fn may_be_given(role: Role, kind: OrganisationKind) -> bool {
    match role {
        Role::Practitioner | Role::DataSteward => !matches!(kind, OrganisationKind::DataCentre | OrganisationKind::Auditor),
        Role::Auditor => kind == OrganisationKind::Auditor,
        Role::Administrator | Role::SecurityOfficer => false,
    }
}

fn acting(caller: &Caller, role: Role) -> Result<By, Refusal> {
    let role = caller.acting_role(&[role]).ok_or(Refusal::RoleForbids)?;
    Ok(By { person: caller.person(), organisation: caller.organisation_id(), role })
}

fn accredited(caller: &Caller, capability: Capability) -> Result<(), Refusal> {
    if caller.organisation().capabilities.contains(&capability) {
        Ok(())
    } else {
        Err(Refusal::CapabilityMissing)
    }
}

fn one_of(reason: Purpose, allowed: &[Purpose]) -> Result<(), Refusal> {
    if allowed.contains(&reason) {
        Ok(())
    } else {
        Err(Refusal::ReasonForbids)
    }
}
