//! People who log in: their names, their standing, and the checks that everybody passes (rules C1 to C4).

use crate::checked::{checked_text, coded};
use crate::{Day, Texts};
use serde::{Deserialize, Serialize};

checked_text!(
    /// A log-in name: 3 to 64 lower-case letters, digits, full stops and hyphens; unique in the directory.
    LoginName, "log-in name", login_name
);

fn login_name(text: &str) -> Result<String, &'static str> {
    if !(3..=64).contains(&text.len()) {
        return Err("does not have 3 to 64 characters");
    }
    if text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-') {
        Ok(text.to_owned())
    } else {
        Err("has a character that is not allowed")
    }
}

/// The directory's number for a person; allocated in order, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct PersonId(pub u32);

coded!(
    /// Whether an account can be used.
    AccountState, "account state" {
        /// It can.
        Active = "active" / 1,
        /// Locked by the helpdesk; unlocked by the helpdesk (rule C5).
        Locked = "locked" / 2,
        /// Suspended; resumed by the administrator.
        Suspended = "suspended" / 3,
        /// Closed for good. What its holder did stays in the log.
        Closed = "closed" / 4,
    }
);

/// Years for which an enhanced vetting check holds (rule C1).
pub const VETTING_YEARS: i16 = 3;
/// Years for which training holds: it is renewed with the vetting.
pub const TRAINING_YEARS: i16 = 3;
/// Years for which an agreement holds (rule J5: yearly asked to accept again).
pub const AGREEMENT_YEARS: i16 = 1;

/// What everybody who logs in must have (rule C1), each with its day. What is missing has lapsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checks {
    /// When the enhanced vetting check was made.
    pub vetted: Option<Day>,
    /// When they were registered with the barring scheme.
    pub barring: Option<Day>,
    /// When they were trained.
    pub trained: Option<Day>,
    /// Which version of the user agreement they signed, and when.
    pub agreement: Option<(u16, Day)>,
}

/// A check that has lapsed or was never made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lapsed {
    /// The enhanced vetting check.
    Vetting,
    /// The registration with the barring scheme.
    Barring,
    /// The training.
    Training,
    /// The user agreement: older than a year, or of another version than the one in force.
    Agreement,
}

impl Checks {
    /// The first check, in the order of rule C1, that does not hold on this day. A check dated after it does not hold yet. A check made on
    /// a day holds to the same day of its last year, that day included.
    #[must_use]
    pub fn lapsed(&self, today: Day, texts: Texts) -> Option<Lapsed> {
        let holds = |made: Option<Day>, years: i16| made.is_some_and(|made| made <= today && today <= made.plus_years(years));
        let agreed = self.agreement.filter(|(version, _)| *version == texts.agreement).map(|(_, day)| day);
        if !holds(self.vetted, VETTING_YEARS) {
            Some(Lapsed::Vetting)
        } else if self.barring.is_none_or(|registered| registered > today) {
            Some(Lapsed::Barring)
        } else if !holds(self.trained, TRAINING_YEARS) {
            Some(Lapsed::Training)
        } else if !holds(agreed, AGREEMENT_YEARS) {
            Some(Lapsed::Agreement)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: Texts = Texts { responsibilities: 1, agreement: 2 };

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn checked_on(text: &str) -> Checks {
        let made = Some(day(text));
        Checks { vetted: made, barring: made, trained: made, agreement: Some((2, day(text))) }
    }

    #[test]
    fn any_of_the_four_that_lapsed_is_found() {
        // C1: vetting, barring registration, training, signed agreement; any of them lapsed refuses
        let good = checked_on("2026-06-01");
        let today = day("2026-11-22");
        assert_eq!(good.lapsed(today, TEXTS), None);
        for (checks, lapsed) in [
            (Checks { vetted: None, ..good }, Lapsed::Vetting),
            (Checks { barring: None, ..good }, Lapsed::Barring),
            (Checks { trained: None, ..good }, Lapsed::Training),
            (Checks { agreement: None, ..good }, Lapsed::Agreement),
            (Checks { agreement: Some((1, day("2026-06-01"))), ..good }, Lapsed::Agreement),
            (Checks { agreement: Some((3, day("2026-06-01"))), ..good }, Lapsed::Agreement),
            (Checks::default(), Lapsed::Vetting),
        ] {
            assert_eq!(checks.lapsed(today, TEXTS), Some(lapsed));
        }
    }

    #[test]
    fn a_check_holds_to_its_last_day_and_not_before_its_first() {
        // C1: renewed every three years; J5: yearly
        let good = checked_on("2026-06-01");
        let vetted = |text| Checks { vetted: Some(day(text)), ..good }.lapsed(day("2026-11-22"), TEXTS);
        assert_eq!(vetted("2023-11-22"), None);
        assert_eq!(vetted("2023-11-21"), Some(Lapsed::Vetting));
        assert_eq!(vetted("2026-11-23"), Some(Lapsed::Vetting), "a check to come");
        assert_eq!(good.lapsed(day("2027-06-01"), TEXTS), None);
        assert_eq!(good.lapsed(day("2027-06-02"), TEXTS), Some(Lapsed::Agreement));
        assert_eq!(Checks { barring: Some(day("2026-11-23")), ..good }.lapsed(day("2026-11-22"), TEXTS), Some(Lapsed::Barring));
    }

    #[test]
    fn log_in_names_are_of_one_plain_form() {
        assert!(LoginName::try_from("r.okafor-2").is_ok());
        for wrong in ["ab", "R.Okafor", "r okafor", "r@okafor", ""] {
            assert!(LoginName::try_from(wrong).is_err(), "{wrong}");
        }
    }
}
