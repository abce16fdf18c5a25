//! Hours and days as people live them: local time by a rule of POSIX, so that no table of time zones is read, and days on which nobody works.

use contactpoint_domain::{Day, Instant};
use jiff::tz::TimeZone;
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeSet;

/// A time zone as POSIX writes it: `GMT0BST,M3.5.0/1,M10.5.0`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Zone(TimeZone);

impl TryFrom<String> for Zone {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        TimeZone::posix(&text).map(Self).map_err(|_| "is not a time zone as POSIX writes it")
    }
}

/// When a look was, where it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Local {
    /// Days since 1970-01-01.
    pub(crate) day: i32,
    /// 0 to 23.
    pub(crate) hour: usize,
    /// A weekend or a holiday.
    pub(crate) is_free: bool,
}

/// Local time and holidays.
#[derive(Debug, Clone)]
pub(crate) struct Calendar {
    zone: Zone,
    holidays: BTreeSet<i32>,
}

impl Calendar {
    pub(crate) fn of(zone: &Zone, holidays: &[Day]) -> Self {
        Self { zone: zone.clone(), holidays: holidays.iter().map(|day| day.number()).collect() }
    }

    pub(crate) fn local(&self, at: Instant) -> Local {
        const DAY: i64 = 86_400;
        let utc = i64::try_from(at.seconds()).unwrap_or(i64::MAX / 2);
        // an instant past the calendar's end is taken as it stands
        let offset = Timestamp::from_second(utc).map_or(0, |stamp| i64::from(self.zone.0.to_offset(stamp).seconds()));
        let local = utc.saturating_add(offset);
        let day = i32::try_from(local.div_euclid(DAY)).unwrap_or(i32::MAX);
        let hour = usize::try_from(local.rem_euclid(DAY) / 3600).unwrap_or_default();
        // 1970-01-01 was a Thursday
        let is_weekend = (i64::from(day) + 3).rem_euclid(7) >= 5;
        Local { day, hour, is_free: is_weekend || self.holidays.contains(&day) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Local {
        let zone = Zone::try_from("GMT0BST,M3.5.0/1,M10.5.0".to_owned()).unwrap();
        let millis = text.parse::<Timestamp>().unwrap().as_millisecond();
        Calendar::of(&zone, &["2026-12-25".parse().unwrap()]).local(Instant::of_millis(millis.try_into().unwrap()))
    }

    #[test]
    fn an_hour_is_that_of_the_clock_on_the_wall() {
        // F4: outside working hours is outside them where people work
        assert_eq!((at("2026-07-01T22:30:00Z").hour, at("2026-12-01T22:30:00Z").hour), (23, 22));
        assert_eq!(at("2026-07-01T23:30:00Z").day, at("2026-07-02T12:00:00Z").day);
        let free = ["2026-12-24T12:00:00Z", "2026-12-25T12:00:00Z", "2026-12-26T12:00:00Z", "2026-12-27T12:00:00Z", "2026-12-28T12:00:00Z"];
        assert_eq!(free.map(|day| at(day).is_free), [false, true, true, true, false]);
    }

    #[test]
    fn a_zone_that_is_none_is_refused() {
        assert!(Zone::try_from("Europe somewhere".to_owned()).is_err());
    }
}
