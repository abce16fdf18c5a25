//! Days of the calendar: until when an accreditation holds, when a check was made (rules B2, C1). No clock is read here.

use crate::{Instant, InvalidValue};
use jiff::civil::Date;
use jiff::Span;

/// A day of the calendar, written YYYY-MM-DD (ISO 8601), in UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, format = Date, example = "2027-03-31")]
pub struct Day(Date);

const EPOCH: Date = Date::constant(1970, 1, 1);

fn refused(why: &'static str) -> InvalidValue {
    InvalidValue { what: "day", why }
}

impl Day {
    /// From year, month and day; an impossible date is refused, and so is a year before 1900 or after 2199.
    pub fn of(year: i16, month: i8, day: i8) -> Result<Self, InvalidValue> {
        if !(1900..=2199).contains(&year) {
            return Err(refused("is not of the years 1900 to 2199"));
        }
        Date::new(year, month, day).map(Self).map_err(|_| refused("is not a date of the calendar"))
    }

    /// Days since 1970-01-01, as stored.
    #[must_use]
    pub fn number(self) -> i32 {
        (self.0 - EPOCH).get_days()
    }

    /// The day stored under a number.
    pub fn of_number(days: i32) -> Result<Self, InvalidValue> {
        let out_of_range = |_| refused("is not a date of the calendar");
        let date = EPOCH.checked_add(Span::new().try_days(days).map_err(out_of_range)?).map_err(out_of_range)?;
        Self::of(date.year(), date.month(), date.day())
    }

    /// Its first instant, in UTC.
    #[must_use]
    pub fn begins(self) -> Instant {
        Instant::of_millis(u64::try_from(self.number()).unwrap_or(0) * 86_400_000)
    }

    /// The instant at which it is over, in UTC.
    #[must_use]
    pub fn ends(self) -> Instant {
        self.begins().plus_seconds(86_400)
    }

    /// The same day of the month so many years later; 29 February becomes the 28th where there is none.
    #[must_use]
    pub fn plus_years(self, years: i16) -> Self {
        Self(self.0.saturating_add(Span::new().years(years)))
    }

    /// So many working days later: Monday to Friday, without the holidays given (rule D5).
    #[must_use]
    pub fn plus_working_days(self, days: u16, holidays: &[Self]) -> Self {
        let mut day = self;
        let mut left = days;
        while left > 0 {
            day = Self(day.0.saturating_add(Span::new().days(1)));
            let is_weekend = day.0.weekday().to_monday_zero_offset() >= 5;
            if !is_weekend && !holidays.contains(&day) {
                left -= 1;
            }
        }
        day
    }
}

/// A month of the calendar, written YYYY-MM.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, example = "2026-10")]
pub struct Month(Day);

impl Month {
    /// The month of a day.
    #[must_use]
    pub fn of(day: Day) -> Self {
        Self(Day(day.0.first_of_month()))
    }

    /// Its first day.
    #[must_use]
    pub fn first(self) -> Day {
        self.0
    }

    /// Its last day.
    #[must_use]
    pub fn last(self) -> Day {
        Day(self.0 .0.last_of_month())
    }
}

impl TryFrom<String> for Month {
    type Error = InvalidValue;
    fn try_from(text: String) -> Result<Self, InvalidValue> {
        let form = InvalidValue { what: "month", why: "is not a month written YYYY-MM" };
        format!("{text}-01").parse().map(Self).map_err(|_| form)
    }
}
impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.0.to_string()[..7].to_owned()
    }
}

impl Instant {
    /// The day of the calendar in UTC.
    #[must_use]
    pub fn day(self) -> Day {
        Day(self.civil_date())
    }
}

impl std::str::FromStr for Day {
    type Err = InvalidValue;
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let form = refused("is not a date written YYYY-MM-DD");
        let bytes = text.as_bytes();
        let is_digit = |(at, byte): (usize, &u8)| if matches!(at, 4 | 7) { *byte == b'-' } else { byte.is_ascii_digit() };
        if bytes.len() != 10 || !bytes.iter().enumerate().all(is_digit) {
            return Err(form);
        }
        let year = text[0..4].parse().map_err(|_| form)?;
        let month = text[5..7].parse().map_err(|_| form)?;
        let day = text[8..10].parse().map_err(|_| form)?;
        Self::of(year, month, day)
    }
}
impl TryFrom<String> for Day {
    type Error = InvalidValue;
    fn try_from(text: String) -> Result<Self, InvalidValue> {
        text.parse()
    }
}
impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}
impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_is_written_one_way_only() {
        // A3: every value is a typed date
        for wrong in ["2026-2-01", "2026-02-30", "01-02-2026", "2026/02/01", "", "+026-02-01", "1899-12-31", "2200-01-01", "2026-02-01 "] {
            assert!(wrong.parse::<Day>().is_err(), "{wrong}");
        }
        assert_eq!(day("2024-02-29").to_string(), "2024-02-29");
        assert_eq!(Day::of_number(day("2031-12-31").number()), Ok(day("2031-12-31")));
    }

    #[test]
    fn three_years_from_a_leap_day_end_in_february() {
        // C1: renewed every three years
        assert_eq!(day("2024-02-29").plus_years(3), day("2027-02-28"));
        assert_eq!(day("2026-11-22").plus_years(3), day("2029-11-22"));
    }

    #[test]
    fn five_working_days_leave_out_weekends_and_holidays() {
        // D5: within five working days
        let friday = day("2026-11-20");
        assert_eq!(friday.plus_working_days(5, &[]), day("2026-11-27"));
        assert_eq!(day("2026-11-21").plus_working_days(5, &[]), day("2026-11-27"), "from a Saturday");
        let christmas = [day("2026-12-25"), day("2026-12-28"), day("2027-01-01")];
        assert_eq!(day("2026-12-23").plus_working_days(5, &christmas), day("2027-01-04"));
        assert_eq!(friday.plus_working_days(0, &[]), friday);
    }

    #[test]
    fn a_month_has_a_first_and_a_last_day_and_one_way_to_be_written() {
        // D5: a finished month's judgements
        let month = Month::try_from("2028-02".to_owned()).unwrap();
        assert_eq!((month.first(), month.last()), (day("2028-02-01"), day("2028-02-29")));
        assert_eq!((Month::of(day("2028-02-17")), String::from(month)), (month, "2028-02".to_owned()));
        for wrong in ["2028-2", "2028-13", "2028", "2028-02-01", ""] {
            assert!(Month::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_instant_falls_on_its_day_in_utc() {
        assert_eq!(Instant::of_millis(0).day(), day("1970-01-01"));
        assert_eq!(Instant::of_millis(86_399_999).day(), day("1970-01-01"));
        assert_eq!(Instant::of_millis(86_400_000).day(), day("1970-01-02"));
    }
}
