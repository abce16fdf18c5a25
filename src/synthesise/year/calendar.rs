//! England's year: bank holidays, school terms, and the hour that is put forward in March.

use crate::SynthesisError;
use contactpoint_domain::Instant;
use jiff::civil::{date, Date, Weekday};
use jiff::tz::TimeZone;
use jiff::ToSpan;
use std::collections::BTreeSet;

const ZONE: &str = "GMT0BST,M3.5.0/1,M10.5.0";

/// The 365 days from a first one.
pub(crate) struct Calendar {
    days: Vec<DayOf>,
    holidays: BTreeSet<Date>,
}

struct DayOf {
    date: Date,
    /// Milliseconds of its local midnight since 1970; the day that the clocks change is taken to have changed at midnight.
    midnight: i64,
    is_free: bool,
    is_term: bool,
}

impl Calendar {
    pub(crate) fn of(from: Date) -> Result<Self, SynthesisError> {
        let zone = TimeZone::posix(ZONE)?;
        let years = [from.year(), from.year() + 1];
        let holidays: BTreeSet<Date> = years.into_iter().map(bank_holidays).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
        let mut days = Vec::new();
        for at in 0..super::DAYS {
            let date = from.checked_add(at.days())?;
            let noon = date.at(12, 0, 0, 0).to_zoned(zone.clone())?.timestamp().as_millisecond();
            let is_weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
            let is_free = is_weekend || holidays.contains(&date);
            days.push(DayOf { date, midnight: noon - 12 * 3_600_000, is_free, is_term: !is_free && is_term(date)? });
        }
        Ok(Self { days, holidays })
    }

    pub(crate) fn holidays(&self) -> &BTreeSet<Date> {
        &self.holidays
    }

    fn at(&self, day: i32) -> Option<&DayOf> {
        self.days.get(usize::try_from(day).ok()?)
    }

    /// A weekend or a bank holiday.
    pub(crate) fn is_free(&self, day: i32) -> bool {
        self.at(day).is_none_or(|day| day.is_free)
    }

    /// A day of school.
    pub(crate) fn is_term(&self, day: i32) -> bool {
        self.at(day).is_some_and(|day| day.is_term)
    }

    /// Monday 0 to Sunday 6.
    pub(crate) fn weekday(&self, day: i32) -> u32 {
        self.at(day).map_or(0, |day| day.date.weekday().to_monday_zero_offset().unsigned_abs().into())
    }

    /// Of the first two weeks of September.
    pub(crate) fn is_start_of_school(&self, day: i32) -> bool {
        self.at(day).is_some_and(|day| day.is_term && day.date.month() == 9 && day.date.day() <= 14)
    }

    /// When this second of the local day is; entries of one second differ by their milliseconds.
    pub(crate) fn instant(&self, day: i32, second: u32, index: u64) -> Instant {
        let midnight = self.at(day).map_or(0, |day| day.midnight);
        let millis = midnight + i64::from(second) * 1000;
        Instant::of_millis(u64::try_from(millis).unwrap_or_default() + index % 10)
    }
}

/// The days on which England does not work, each on its own day or the next Monday or Tuesday that is none.
fn bank_holidays(year: i16) -> Result<Vec<Date>, SynthesisError> {
    let moved = |mut day: Date, by: i64| -> Result<Date, SynthesisError> {
        if matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
            day = day.checked_add(by.days())?;
        }
        Ok(day)
    };
    let new_year = date(year, 1, 1);
    let new_year = moved(new_year, if new_year.weekday() == Weekday::Saturday { 2 } else { 1 })?;
    let easter = easter(year);
    let may = date(year, 5, 1).nth_weekday_of_month(1, Weekday::Monday)?;
    let spring = date(year, 5, 1).nth_weekday_of_month(-1, Weekday::Monday)?;
    let summer = date(year, 8, 1).nth_weekday_of_month(-1, Weekday::Monday)?;
    let christmas = [moved(date(year, 12, 25), 2)?, moved(date(year, 12, 26), 2)?];
    Ok([[new_year, easter.checked_sub(2.days())?, easter.checked_add(1.days())?].as_slice(), &[may, spring, summer], &christmas].concat())
}

/// Easter Sunday of the Gregorian calendar (the anonymous algorithm of 1876).
fn easter(year: i16) -> Date {
    let year = i32::from(year);
    let (golden, century, of_century) = (year % 19, year / 100, year % 100);
    let epact = (19 * golden + century - century / 4 - (century - (century + 8) / 25 + 1) / 3 + 15) % 30;
    let to_sunday = (32 + 2 * (century % 4) + 2 * (of_century / 4) - epact - of_century % 4) % 7;
    let late = (golden + 11 * epact + 22 * to_sunday) / 451;
    let sum = epact + to_sunday - 7 * late + 114;
    date(year as i16, (sum / 31) as i8, (sum % 31 + 1) as i8)
}

/// Roughly England's three terms with a week off in the middle of each.
fn is_term(day: Date) -> Result<bool, SynthesisError> {
    let easter = easter(day.year());
    let (before, after) = (easter.checked_sub(9.days())?, easter.checked_add(8.days())?);
    let off = [
        (date(day.year(), 1, 1), date(day.year(), 1, 4)),
        (date(day.year(), 2, 14), date(day.year(), 2, 22)),
        (before, after),
        (date(day.year(), 5, 24), date(day.year(), 5, 31)),
        (date(day.year(), 7, 23), date(day.year(), 9, 1)),
        (date(day.year(), 10, 24), date(day.year(), 11, 1)),
        (date(day.year(), 12, 20), date(day.year(), 12, 31)),
    ];
    Ok(!off.iter().any(|(first, last)| (*first..=*last).contains(&day)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bank_holidays_are_those_that_were_published() {
        // gov.uk/bank-holidays for England and Wales, 2026 and 2027
        let of = |year| bank_holidays(year).unwrap().into_iter().map(|day| day.to_string()).collect::<BTreeSet<_>>();
        let set = |days: [&str; 8]| days.map(str::to_owned).into_iter().collect::<BTreeSet<_>>();
        let (first, second) =
            (["2026-01-01", "2026-04-03", "2026-04-06", "2026-05-04"], ["2026-05-25", "2026-08-31", "2026-12-25", "2026-12-28"]);
        assert_eq!(of(2026), set([first[0], first[1], first[2], first[3], second[0], second[1], second[2], second[3]]));
        let days = ["2027-01-01", "2027-03-26", "2027-03-29", "2027-05-03", "2027-05-31", "2027-08-30", "2027-12-27", "2027-12-28"];
        assert_eq!(of(2027), set(days));
    }

    #[test]
    fn local_midnight_is_an_hour_earlier_in_summer() {
        let calendar = Calendar::of(date(2025, 9, 1)).unwrap();
        assert_eq!(calendar.instant(0, 0, 0).millis(), 1_756_681_200_000, "2025-08-31T23:00:00Z");
        assert_eq!(calendar.instant(100, 0, 0).millis(), 1_765_324_800_000, "2025-12-10T00:00:00Z");
        assert!(calendar.is_term(10) && !calendar.is_term(5) && calendar.is_free(5));
    }
}
