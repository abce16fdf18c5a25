//! What a person may be (rule C4), and which roles one person may hold together.

use crate::checked::coded;
use crate::OrganisationKind;

coded!(
    /// What a person may be (rule C4). The sector of a practitioner is the kind of their organisation.
    Role, "role" {
        /// Works with children; looks up who else does.
        Practitioner = "practitioner" / 1,
        /// Makes the accounts of their organisation's people; sees no child.
        Administrator = "administrator" / 2,
        /// Feeds their organisation's records and answers for their quality.
        DataSteward = "data-steward" / 3,
        /// Asks who saw a child; sees no record.
        Auditor = "auditor" / 4,
        /// Enrols and accredits organisations, at the data centre; never any child data.
        SecurityOfficer = "security-officer" / 5,
        /// Judges the acts of those they supervise; sees no record.
        Supervisor = "supervisor" / 6,
        /// Shields children of the own local authority (rule E1).
        ShieldingOfficer = "shielding-officer" / 7,
        /// Unlocks and suspends after verifying the caller; never sees a child (rule C5).
        Helpdesk = "helpdesk" / 8,
        /// Reads the audit for a limited time.
        Inspector = "inspector" / 9,
        /// Sponsors organisations and reads reports; where every chain of supervisors ends.
        RiskOwner = "risk-owner" / 10,
        /// Runs the appliance; never any child data.
        SystemOperator = "system-operator" / 11,
    }
);

/// The pairs that one person may hold, each with its reason. Every pair that is not here is refused: one of the two would judge, prepare
/// or cover what the other does.
pub const MAY_BE_COMBINED: &[(Role, Role, &str)] = &[
    (Role::Practitioner, Role::Supervisor, "judges the acts of others alone: nobody supervises themselves, and no two each other"),
    (Role::Administrator, Role::DataSteward, "neither looks a child up; small bodies have one person for both"),
    (
        Role::Administrator,
        Role::RiskOwner,
        "the data centre has nobody else at its birth; neither sees a child, and each account is in the log",
    ),
    (Role::DataSteward, Role::Supervisor, "judges the acts of others alone; feeds are not judged by supervisors"),
    (Role::DataSteward, Role::ShieldingOfficer, "both keep the authority's own records, and neither looks a child up for work"),
    (Role::Supervisor, Role::ShieldingOfficer, "judges the acts of others alone; shields are reviewed by the auditor"),
];

impl Role {
    /// True where one person may hold both (rule C4). A role goes with itself.
    #[must_use]
    pub fn goes_with(self, other: Self) -> bool {
        let listed = |(one, two, _): &(Self, Self, &str)| (*one, *two) == (self, other) || (*one, *two) == (other, self);
        self == other || MAY_BE_COMBINED.iter().any(listed)
    }

    /// True where an organisation of this kind has people of this role (rule C4).
    #[must_use]
    pub const fn is_of(self, kind: OrganisationKind) -> bool {
        use OrganisationKind::{Auditor, Council, DataCentre, Police, School, Surgery, Voluntary, YouthOffendingTeam};
        match (self, kind) {
            (
                Self::Practitioner | Self::Supervisor | Self::DataSteward | Self::Administrator | Self::Helpdesk,
                Council | School | Surgery | YouthOffendingTeam | Police | Voluntary,
            )
            | (Self::ShieldingOfficer, Council)
            | (Self::SecurityOfficer | Self::SystemOperator | Self::RiskOwner | Self::Helpdesk | Self::Administrator, DataCentre)
            | (Self::Auditor | Self::Inspector | Self::Supervisor | Self::Administrator, Auditor) => true,
            (Self::Practitioner | Self::DataSteward | Self::Supervisor, DataCentre)
            | (Self::Practitioner | Self::DataSteward | Self::Helpdesk, Auditor)
            | (Self::ShieldingOfficer, School | Surgery | YouthOffendingTeam | Police | Voluntary | DataCentre | Auditor)
            | (
                Self::SecurityOfficer | Self::SystemOperator | Self::RiskOwner,
                Council | School | Surgery | YouthOffendingTeam | Police | Voluntary | Auditor,
            )
            | (Self::Auditor | Self::Inspector, Council | School | Surgery | YouthOffendingTeam | Police | Voluntary | DataCentre) => false,
        }
    }

    /// True for the roles whose holders may supervise others (rule C3).
    #[must_use]
    pub const fn may_supervise(self) -> bool {
        match self {
            Self::Supervisor | Self::SecurityOfficer | Self::RiskOwner => true,
            Self::Practitioner
            | Self::Administrator
            | Self::DataSteward
            | Self::Auditor
            | Self::ShieldingOfficer
            | Self::Helpdesk
            | Self::Inspector
            | Self::SystemOperator => false,
        }
    }
}

/// The first two of these roles that nobody may hold together; `None` where the set is allowed. An empty set is: it may do nothing.
#[must_use]
pub fn clash(roles: &[Role]) -> Option<(Role, Role)> {
    roles.iter().enumerate().find_map(|(at, one)| roles[at + 1..].iter().find(|two| !one.goes_with(**two)).map(|two| (*one, *two)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_roles_are_stable() {
        for role in Role::ALL {
            assert_eq!(Role::of_number(role.number()), Some(*role));
            assert_eq!(Role::try_from(role.code()), Ok(*role));
        }
        assert_eq!((Role::Practitioner.number(), Role::SecurityOfficer.number(), Role::SystemOperator.number()), (1, 5, 11));
    }

    #[test]
    fn nobody_acts_and_judges_the_act() {
        // C4: roles that would let one person both act and judge the act cannot be combined
        let judges = [Role::Auditor, Role::Inspector, Role::RiskOwner, Role::SecurityOfficer];
        for judge in judges {
            for role in Role::ALL {
                let allowed = judge == *role || (judge == Role::RiskOwner && *role == Role::Administrator);
                assert_eq!(judge.goes_with(*role), allowed, "{judge} with {role}");
                assert_eq!(role.goes_with(judge), allowed, "{role} with {judge}");
            }
        }
        // whoever decides which children are in scope, whose account is whose, or which factor is whose, does not look
        for role in Role::ALL {
            assert_eq!(Role::Practitioner.goes_with(*role), matches!(role, Role::Practitioner | Role::Supervisor), "{role}");
            assert_eq!(Role::Helpdesk.goes_with(*role), *role == Role::Helpdesk, "{role}");
        }
    }

    #[test]
    fn a_clash_is_found_wherever_it_stands() {
        // C4
        assert_eq!(clash(&[Role::DataSteward, Role::Supervisor, Role::Auditor]), Some((Role::DataSteward, Role::Auditor)));
        assert_eq!(clash(&[Role::Practitioner, Role::Supervisor, Role::DataSteward]), Some((Role::Practitioner, Role::DataSteward)));
        assert_eq!(clash(&[Role::Practitioner, Role::Supervisor]), None);
        assert_eq!(clash(&[]), None);
    }

    #[test]
    fn each_pair_is_listed_once_with_a_reason() {
        for (at, (one, two, why)) in MAY_BE_COMBINED.iter().enumerate() {
            assert!(one != two && why.len() > 20, "{one} with {two}");
            let again = |(first, second, _): &(Role, Role, &str)| (first, second) == (one, two) || (first, second) == (two, one);
            assert!(!MAY_BE_COMBINED[at + 1..].iter().any(again), "{one} with {two} is listed twice");
        }
    }
}
