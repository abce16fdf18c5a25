//! The decisions about children, one function each, and the permits that only they make.
//!
//! ```compile_fail,E0451
//! fn forge(by: contactpoint_policy::By) -> contactpoint_policy::ViewPermit {
//!     contactpoint_policy::ViewPermit { by, reason: contactpoint_domain::Purpose::Concern, kind: contactpoint_domain::OrganisationKind::School }
//! }
//! ```

use crate::admission::admit;
use crate::gate::Moment;
use crate::refusal::Refusal;
use crate::relation::Relation;
use contactpoint_audit::Operation;
use contactpoint_domain::{OrganisationId, OrganisationKind, PersonId, Purpose, Role};
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

/// A permit: private fields, a reader each, and no constructor.
macro_rules! permit {
    ($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
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

/// Reasons for looking at a child (rule D2).
const LOOKING: &[Purpose] =
    &[Purpose::Coordination, Purpose::Concern, Purpose::Assessment, Purpose::Section47, Purpose::Missing, Purpose::Transfer];

/// Reasons for asking who looked (rule F3).
const AUDITING: &[Purpose] = &[Purpose::Audit, Purpose::SubjectAccess];

/// May the caller search their own scope? (rules B2, C4, D2, D3)
pub fn search(caller: &Caller, moment: Moment, reason: Purpose) -> Result<SearchPermit, Refusal> {
    let by = admit(caller, Operation::Search, moment)?;
    one_of(reason, LOOKING)?;
    Ok(SearchPermit { by, reason, scope: caller.organisation_id() })
}

/// May the caller view the child to whom their organisation has this relation? (rules B2, C4, D1, D2)
pub fn view(caller: &Caller, moment: Moment, reason: Purpose, relation: Relation) -> Result<ViewPermit, Refusal> {
    let by = admit(caller, Operation::View, moment)?;
    one_of(reason, LOOKING)?;
    match relation {
        Relation::OnRoll | Relation::OnList | Relation::InArea | Relation::Involved => {
            Ok(ViewPermit { by, reason, kind: caller.organisation().kind })
        }
        Relation::None => Err(Refusal::OutsideScope),
    }
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
    Ok(FeedPermit { by, authority })
}

fn one_of(reason: Purpose, allowed: &[Purpose]) -> Result<(), Refusal> {
    if allowed.contains(&reason) {
        Ok(())
    } else {
        Err(Refusal::ReasonForbids)
    }
}
