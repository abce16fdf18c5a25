//! How many children one person may be shown in a day (rule D6), and how often they may ask for contact (rule E6).

use crate::refusal::Refusal;
use contactpoint_domain::Role;

/// The most requests for contact that one person makes in a day: each is kept, and an officer may have to see to it (rule E6).
pub const CONTACTS: usize = 20;

/// May somebody who asked for contact so often today do so once more? Which children they asked about plays no part.
pub fn one_more_contact(asked: usize) -> Result<(), Refusal> {
    if asked < CONTACTS {
        Ok(())
    } else {
        Err(Refusal::OverBudget)
    }
}

/// The day's ceilings of records seen, by role: settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ceilings {
    /// Of a practitioner.
    pub practitioner: usize,
    /// Of a shielding officer.
    pub shielding_officer: usize,
}

impl Default for Ceilings {
    fn default() -> Self {
        Self { practitioner: 200, shielding_officer: 100 }
    }
}

impl Ceilings {
    /// The ceiling of whoever acts in this role; 0 for those who never see a record.
    #[must_use]
    pub fn of(self, role: Role) -> usize {
        match role {
            Role::Practitioner => self.practitioner,
            Role::ShieldingOfficer => self.shielding_officer,
            Role::Administrator
            | Role::DataSteward
            | Role::Auditor
            | Role::SecurityOfficer
            | Role::Supervisor
            | Role::Helpdesk
            | Role::Inspector
            | Role::RiskOwner
            | Role::SystemOperator => 0,
        }
    }

    /// May somebody in this role, who saw `seen` children today, be shown `fresh` more? One who is shown none but those seen already may.
    pub fn allow(self, role: Role, seen: usize, fresh: usize) -> Result<(), Refusal> {
        if fresh == 0 || seen.saturating_add(fresh) <= self.of(role) {
            Ok(())
        } else {
            Err(Refusal::OverBudget)
        }
    }
}
