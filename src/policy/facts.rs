//! What is known at the time of a look about the looker and the child, for the detection rules (rule F4).
//!
//! For: one decision, made of the record that the look opened in any case. Of a shielded record, and of one that is held back because it may be of such a
//! child, no more counts than its name and whether the organisation works with the child, unless the whole of it was shown: whoever reads what was found
//! must not learn a hidden field from it (rules E2 to E4). Leaves to others: keeping it (`store`), and
//! what is found by it (`review`).

use crate::flags::kin;
use crate::look::{Breadth, Grant};
use crate::permit::{breadth_for, SearchPermit};
use crate::relation::Relation;
use contactpoint_domain::{Areas, ChildRecord, Facts, Organisation, OrganisationId, OrganisationKind, Place, Tie};
use contactpoint_identity::Caller;

/// The facts of a look at what was found under a number. `shown`: how much of it, where anything was.
#[must_use]
pub fn facts(caller: &Caller, areas: &Areas, record: Option<&ChildRecord>, shown: Option<Breadth>) -> Facts {
    let Some(record) = record else { return Facts::OF_NOBODY };
    let of_shielded = if record.shield.is_some() || record.quarantined.is_some() { Breadth::Narrow } else { Breadth::Full };
    let breadth = shown.unwrap_or(of_shielded);
    let place = match (breadth, area_of(caller.organisation())) {
        (_, None) => Place::Own,
        (Breadth::Narrow, Some(area)) if area != record.authority => Place::Unknown,
        (Breadth::Narrow | Breadth::Full, Some(area)) => areas.place(area, record.authority),
    };
    Facts { tie: tie(caller.organisation(), record), kin: kin(caller, record, breadth), place }
}

/// The facts of a record that a search met.
#[must_use]
pub fn search_facts(caller: &Caller, permit: &SearchPermit, areas: &Areas, record: Option<&ChildRecord>) -> Facts {
    facts(caller, areas, record, breadth_for(caller, permit.by(), record, Grant::None).ok())
}

fn tie(organisation: &Organisation, record: &ChildRecord) -> Tie {
    match Relation::between(organisation, Some(record)) {
        Relation::OnRoll | Relation::OnList | Relation::Involved => Tie::Involved,
        // a council has more to do with whom it works with than with everybody in its area
        Relation::InArea if record.works_with(organisation.id) => Tie::Involved,
        Relation::InArea => Tie::Area,
        Relation::None => Tie::None,
    }
}

/// The council in whose area an organisation is; `None` for those of the whole country.
fn area_of(organisation: &Organisation) -> Option<OrganisationId> {
    if organisation.kind == OrganisationKind::Council {
        Some(organisation.id)
    } else {
        organisation.authority
    }
}
