//! The decisions about children, one function each, and the permits that only they make.

use crate::admission::{accredited, admit};
use crate::gate::Moment;
use crate::look::{self, Breadth, Grant, Looking, State};
use crate::refusal::Refusal;
use crate::relation::Relation;
use contactpoint_audit::Operation;
use contactpoint_domain::{Capability, ChildRecord, OrganisationId, OrganisationKind, PersonId, Purpose, Role, SensitiveBasis};
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

/// A permit: private fields, a reader each, and no constructor; an example of each shows that it cannot be made elsewhere.
macro_rules! permit {
    ($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
        ///
        /// ```compile_fail,E0451
        #[doc = concat!("fn forge(by: contactpoint_policy::By) -> contactpoint_policy::", stringify!($name), " {")]
        #[doc = concat!("    contactpoint_policy::", stringify!($name), " { by, ", $(stringify!($field), ": todo!(), ",)* "}")]
        /// }
        /// ```
        #[derive(Debug, Clone)]
        #[must_use = "a permit is to be used"]
        pub struct $name {
            pub(crate) by: By,
            $(pub(crate) $field: $type),*
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

pub(crate) use permit;

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
        /// How much of it (rule E2).
        breadth: Breadth,
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
        /// It is a sensitive service: each record needs a basis (rule E8).
        is_sensitive: bool,
    }
);

/// Reasons for looking at a child (rule D2).
pub(crate) const LOOKING: &[Purpose] =
    &[Purpose::Coordination, Purpose::Concern, Purpose::Assessment, Purpose::Section47, Purpose::Missing, Purpose::Transfer];

/// Reasons for asking who looked (rule F3).
const AUDITING: &[Purpose] = &[Purpose::Audit, Purpose::SubjectAccess];

/// May the caller search their own scope? (rules B2, C4, D2, D3)
pub fn search(caller: &Caller, moment: Moment, reason: Purpose) -> Result<SearchPermit, Refusal> {
    let by = admit(caller, Operation::Search, moment)?;
    one_of(reason, LOOKING)?;
    Ok(SearchPermit { by, reason, scope: caller.organisation_id() })
}

/// What a view is asked with, beside the caller: the stated reason, what was found, and what was granted.
pub struct Sight<'a> {
    /// The stated reason (rule D2).
    pub reason: Purpose,
    /// What was found under the number.
    pub record: Option<&'a ChildRecord>,
    /// What the caller was granted for this child.
    pub grant: Grant,
    /// It is for somebody without an account (mediated access).
    pub is_mediated: bool,
}

/// May the caller view this child, and how much of it? (rules B2, C4, D1, D2, D4, D8, E2, E4, E5)
pub fn view(caller: &Caller, moment: Moment, sight: &Sight<'_>) -> Result<ViewPermit, Refusal> {
    let by = admit(caller, Operation::View, moment)?;
    if sight.is_mediated {
        accredited(caller.organisation(), Some(Capability::MediatedAccess), moment)?;
    }
    one_of(sight.reason, LOOKING)?;
    let breadth = breadth_for(caller, by, sight.record, sight.grant)?;
    Ok(ViewPermit { by, reason: sight.reason, kind: caller.organisation().kind, breadth })
}

/// How much of what was found somebody is shown, who acts in this role.
pub(crate) fn breadth_for(caller: &Caller, by: By, record: Option<&ChildRecord>, grant: Grant) -> Result<Breadth, Refusal> {
    let looking = match (by.role, record) {
        (Role::ShieldingOfficer, Some(record)) if record.authority == by.organisation => Looking::OwnOfficer,
        (Role::ShieldingOfficer, _) => Looking::OtherOfficer,
        (_, _) => Looking::Practitioner,
    };
    look::breadth(looking, Relation::between(caller.organisation(), record), State::of(record, by.person), grant)
}

/// May the caller ask who saw a child? (rules C4, F3)
pub fn who_saw(caller: &Caller, moment: Moment, reason: Purpose) -> Result<WhoSawPermit, Refusal> {
    let by = admit(caller, Operation::WhoSaw, moment)?;
    one_of(reason, AUDITING)?;
    Ok(WhoSawPermit { by, reason })
}

/// May the caller feed their organisation's records? (rules A7, B2, C4)
pub fn feed(caller: &Caller, moment: Moment) -> Result<FeedPermit, Refusal> {
    let by = admit(caller, Operation::Feed, moment)?;
    // a body of the whole country has no area that a new record could belong to
    let authority = caller.organisation().authority.ok_or(Refusal::CapabilityMissing)?;
    let is_sensitive = caller.organisation().is_sensitive_service();
    if is_sensitive {
        accredited(caller.organisation(), Some(Capability::SensitiveServices), moment)?;
    }
    Ok(FeedPermit { by, authority, is_sensitive })
}

/// What is wrong with the basis on which a record names a service (rule E8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BasisFault {
    /// A sensitive service gives none.
    Missing,
    /// Somebody else gives one.
    NotExpected,
}

/// Is this the basis that a record of the feeding organisation needs? A sensitive service is recorded only with one. (rule E8)
pub fn basis(permit: &FeedPermit, given: Option<SensitiveBasis>) -> Result<(), BasisFault> {
    match (permit.is_sensitive, given) {
        (true, Some(SensitiveBasis::Consent | SensitiveBasis::Safeguarding)) | (false, None) => Ok(()),
        (true, Some(SensitiveBasis::Unstated) | None) => Err(BasisFault::Missing),
        (false, Some(_)) => Err(BasisFault::NotExpected),
    }
}

pub(crate) fn one_of(reason: Purpose, allowed: &[Purpose]) -> Result<(), Refusal> {
    if allowed.contains(&reason) {
        Ok(())
    } else {
        Err(Refusal::ReasonForbids)
    }
}
