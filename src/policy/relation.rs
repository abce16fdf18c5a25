//! What an organisation has to do with a child (rule D1), worked out of the record for every request.

use contactpoint_domain::{ChildRecord, Organisation, OrganisationKind};

/// The relation between an organisation and a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// On the school's roll.
    OnRoll,
    /// On the practice's list.
    OnList,
    /// In the authority's area.
    InArea,
    /// The service is involved with the child.
    Involved,
    /// None: the child is outside the scope.
    None,
}

impl Relation {
    /// The relation between an organisation and the child of a record; a child that is not on record has none.
    #[must_use]
    pub fn between(organisation: &Organisation, record: Option<&ChildRecord>) -> Self {
        let Some(record) = record else { return Self::None };
        // a source that ended its work has no more to do with the child, from that moment on
        let involved = record.works_with(organisation.id);
        match organisation.kind {
            OrganisationKind::School if involved => Self::OnRoll,
            OrganisationKind::Surgery if involved => Self::OnList,
            // a record in quarantine is not the area's before the authority's officer has said whose it is (rule E4)
            OrganisationKind::Council if record.authority == organisation.id && record.quarantined.is_none() => Self::InArea,
            OrganisationKind::Council | OrganisationKind::YouthOffendingTeam | OrganisationKind::Police | OrganisationKind::Voluntary
                if involved =>
            {
                Self::Involved
            }
            OrganisationKind::School
            | OrganisationKind::Surgery
            | OrganisationKind::Council
            | OrganisationKind::YouthOffendingTeam
            | OrganisationKind::Police
            | OrganisationKind::Voluntary
            | OrganisationKind::DataCentre
            | OrganisationKind::Auditor => Self::None,
        }
    }
}
