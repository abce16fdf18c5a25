//! What the helpdesk asks at the telephone, and a factor that waits for a second person (rule C5).

use crate::checked::coded;
use crate::{Instant, PersonId};

coded!(
    /// A question of the helpdesk's script that somebody answered as their organisation has it on paper. The directory holds none of the answers.
    Verified, "question" {
        /// Their employee number.
        EmployeeNumber = "employee-number" / 1,
        /// Who their line manager is.
        LineManager = "line-manager" / 2,
        /// Where they work.
        OfficeAddress = "office-address" / 3,
        /// When they last logged in.
        LastSignIn = "last-sign-in" / 4,
        /// Who supervises them in the directory.
        SupervisorName = "supervisor-name" / 5,
        /// In which month their vetting check was made.
        VettingMonth = "vetting-month" / 6,
    }
);

/// Different questions that have to be answered.
pub const QUESTIONS_NEEDED: usize = 3;

coded!(
    /// One of the two that somebody logs in with (rule C2).
    Factor, "factor" {
        /// The password.
        Password = "password" / 1,
        /// The secret of the time-based code.
        Code = "code" / 2,
    }
);

/// Hours within which a second person completes a reset.
pub const RESET_HOURS: u64 = 24;

/// A reset that waits for its second person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingReset {
    /// Of which factor.
    pub factor: Factor,
    /// Who began it: never who completes it.
    pub by: PersonId,
    /// From then on it is none.
    pub until: Instant,
}

impl PendingReset {
    /// Begun now.
    #[must_use]
    pub const fn begun(factor: Factor, by: PersonId, now: Instant) -> Self {
        Self { factor, by, until: now.plus_seconds(RESET_HOURS * 3600) }
    }

    /// True while it can be completed.
    #[must_use]
    pub fn holds(&self, now: Instant) -> bool {
        now < self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_waits_for_a_day_and_no_longer() {
        // C5: resetting a factor takes a second person
        let begun = Instant::of_millis(1_795_341_600_000);
        let reset = PendingReset::begun(Factor::Code, PersonId(3), begun);
        assert!(reset.holds(begun) && reset.holds(begun.plus_seconds(RESET_HOURS * 3600 - 1)));
        assert!(!reset.holds(begun.plus_seconds(RESET_HOURS * 3600)));
    }

    #[test]
    fn the_numbers_of_factors_are_stable() {
        // A6: what is stored keeps its meaning
        assert_eq!((Factor::Password.number(), Factor::Code.number()), (1, 2));
        assert_eq!(Verified::ALL.iter().map(|one| one.number()).collect::<Vec<_>>(), (1..=6).collect::<Vec<u8>>());
    }
}
