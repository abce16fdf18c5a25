//! Dates of birth and instants. Civil dates come from jiff; no clock is read here.

use crate::InvalidValue;
use jiff::civil::Date;

/// A date of birth: a real calendar date from 1900 on, written YYYY-MM-DD (ISO 8601).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, format = Date, example = "2014-03-09")]
pub struct DateOfBirth(Date);

impl DateOfBirth {
    /// From year, month and day; an impossible date is refused.
    pub fn of(year: i16, month: i8, day: i8) -> Result<Self, InvalidValue> {
        let refused = |why| InvalidValue { what: "date of birth", why };
        let date = Date::new(year, month, day).map_err(|_| refused("is not a date of the calendar"))?;
        if year < 1900 {
            return Err(refused("is before 1900"));
        }
        Ok(Self(date))
    }

    /// The calendar year.
    #[must_use]
    pub fn year(self) -> i16 {
        self.0.year()
    }

    /// The civil date.
    #[must_use]
    pub fn date(self) -> Date {
        self.0
    }

    /// Days since 1970-01-01, as stored.
    #[must_use]
    pub fn day_number(self) -> i32 {
        (self.0 - Date::constant(1970, 1, 1)).get_days()
    }

    /// The date stored under a day number.
    pub fn of_day_number(days: i32) -> Result<Self, InvalidValue> {
        let refused = InvalidValue { what: "date of birth", why: "is not a date of the calendar" };
        let date = Date::constant(1970, 1, 1).checked_add(jiff::Span::new().try_days(days).map_err(|_| refused)?).map_err(|_| refused)?;
        Self::of(date.year(), date.month(), date.day())
    }

    /// Whole years lived on the day that `now` falls in (UTC); 0 for a date to come.
    #[must_use]
    pub fn age_at(self, now: Instant) -> u16 {
        let today = now.civil_date();
        let birthday_to_come = (today.month(), today.day()) < (self.0.month(), self.0.day());
        u16::try_from(today.year() - self.0.year() - i16::from(birthday_to_come)).unwrap_or(0)
    }

    /// True where the date lies after the day that `now` falls in (UTC).
    #[must_use]
    pub fn is_after(self, now: Instant) -> bool {
        self.0 > now.civil_date()
    }
}

impl TryFrom<&str> for DateOfBirth {
    type Error = InvalidValue;
    fn try_from(text: &str) -> Result<Self, InvalidValue> {
        let refused = InvalidValue { what: "date of birth", why: "is not a date written YYYY-MM-DD" };
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return Err(refused);
        }
        let part = |from: usize, to: usize| text.get(from..to).filter(|t| t.bytes().all(|b| b.is_ascii_digit())).ok_or(refused);
        let year = part(0, 4)?.parse().map_err(|_| refused)?;
        let month = part(5, 7)?.parse().map_err(|_| refused)?;
        let day = part(8, 10)?.parse().map_err(|_| refused)?;
        Self::of(year, month, day)
    }
}
impl TryFrom<String> for DateOfBirth {
    type Error = InvalidValue;
    fn try_from(text: String) -> Result<Self, InvalidValue> {
        Self::try_from(text.as_str())
    }
}
impl From<DateOfBirth> for String {
    fn from(value: DateOfBirth) -> String {
        value.0.to_string()
    }
}
impl std::fmt::Debug for DateOfBirth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DateOfBirth(..)")
    }
}

/// Milliseconds since 1970-01-01T00:00:00Z. Handed in by whoever may read the clock; written as RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(u64);

impl Instant {
    /// The instant so many milliseconds after the epoch.
    #[must_use]
    pub const fn of_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0 / 1000
    }

    /// The instant so many seconds later.
    #[must_use]
    pub const fn plus_seconds(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// The civil date in UTC.
    #[must_use]
    pub fn civil_date(self) -> Date {
        self.timestamp().to_zoned(jiff::tz::TimeZone::UTC).date()
    }

    fn timestamp(self) -> jiff::Timestamp {
        i64::try_from(self.0).ok().and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok()).unwrap_or(jiff::Timestamp::MAX)
    }
}

impl std::fmt::Display for Instant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.timestamp())
    }
}
impl serde::Serialize for Instant {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de> serde::Deserialize<'de> for Instant {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        let stamp: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        u64::try_from(stamp.as_millisecond()).map(Self).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_dates_are_refused() {
        // H5: a bad line is reported; the calendar decides what is a date
        for text in ["2023-02-29", "2023-13-01", "2023-00-10", "2023-1-1", "23-01-01", "1899-12-31", "2023-01-0x", "２023-01-01", ""] {
            assert!(DateOfBirth::try_from(text).is_err());
        }
        assert!(DateOfBirth::try_from("2024-02-29").is_ok());
    }

    #[test]
    fn a_date_survives_its_day_number() {
        for text in ["1900-01-01", "1969-12-31", "2024-02-29"] {
            let date = DateOfBirth::try_from(text).unwrap();
            assert!(DateOfBirth::of_day_number(date.day_number()).unwrap() == date);
        }
    }

    #[test]
    fn age_counts_birthdays() {
        let born = DateOfBirth::try_from("2010-06-15").unwrap();
        let day = |text: &str| Instant::of_millis(text.parse::<jiff::Timestamp>().unwrap().as_millisecond() as u64);
        assert_eq!(born.age_at(day("2028-06-14T23:59:59Z")), 17);
        assert_eq!(born.age_at(day("2028-06-15T00:00:00Z")), 18);
    }
}
