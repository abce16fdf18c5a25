//! Words for people: dates as they are said in Britain, codes without hyphens.

use contactpoint_domain::Instant;
use jiff::civil::{date, Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use std::ops::{Range, RangeInclusive};

/// "Sunday 22 November 2026, 17:30:05 (2026-11-22T17:30:05.123Z)": by the clocks of the United Kingdom, then in UTC as the log has it.
pub(crate) fn when(at: Instant) -> String {
    let utc = timestamp(at);
    let local = if is_summer(utc) { utc + 1.hour() } else { utc };
    format!("{}, {} ({at})", day(local.to_zoned(TimeZone::UTC).date()), local.to_zoned(TimeZone::UTC).strftime("%H:%M:%S"))
}

/// "22 November 2026" with its day of the week.
pub(crate) fn day(date: Date) -> String {
    format!("{} {} {} {}", date.strftime("%A"), date.day(), date.strftime("%B"), date.year())
}

/// British Summer Time: from 01:00 UTC of March's last Sunday to that of October's (Summer Time Order 2002).
fn is_summer(utc: Timestamp) -> bool {
    let year = utc.to_zoned(TimeZone::UTC).year();
    let turn = |month| {
        let last = date(year, month, 31);
        let back = i64::from(last.weekday().since(Weekday::Sunday));
        (last - back.days()).at(1, 0, 0, 0).to_zoned(TimeZone::UTC).map(|turn| turn.timestamp())
    };
    matches!((turn(3), turn(10)), (Ok(begin), Ok(end)) if begin <= utc && utc < end)
}

fn timestamp(at: Instant) -> Timestamp {
    i64::try_from(at.millis()).ok().and_then(|millis| Timestamp::from_millisecond(millis).ok()).unwrap_or(Timestamp::MAX)
}

/// A code as words: "section-47" is "section 47".
pub(crate) fn plain(code: &str) -> String {
    code.replace('-', " ")
}

/// What a document cannot know, where some of the entries that it is about were erased; nothing where none were.
pub(crate) fn not_known(erased: &[RangeInclusive<u64>], among: &Range<u64>) -> String {
    let erased = erased.iter().filter(|range| *range.start() < among.end && among.start <= *range.end());
    let ranges: Vec<String> = erased.map(|range| format!("{} to {}", range.start(), range.end())).collect();
    if ranges.is_empty() {
        return String::new();
    }
    format!(
        "\nErased: entries {} of the log. The key that opened them was destroyed on the order of two officers,\n\
         so nobody can say any more whether some of them belong in this list.\n",
        ranges.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_told_by_the_clock_on_the_wall_and_in_utc() {
        // F3: a statement that a parent's solicitor can read
        let of = |text: &str| when(Instant::of_millis(text.parse::<Timestamp>().unwrap().as_millisecond().cast_unsigned()));
        assert_eq!(of("2026-11-22T17:30:05.123Z"), "Sunday 22 November 2026, 17:30:05 (2026-11-22T17:30:05.123Z)");
        assert_eq!(of("2026-07-01T23:30:05Z"), "Thursday 2 July 2026, 00:30:05 (2026-07-01T23:30:05Z)");
        for (last_of_winter, first_of_summer) in
            [("2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z"), ("2026-10-25T01:00:00Z", "2026-10-25T00:59:59Z")]
        {
            assert!(!is_summer(last_of_winter.parse().unwrap()) && is_summer(first_of_summer.parse().unwrap()));
        }
    }
}
