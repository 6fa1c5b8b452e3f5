//! Microsoft's way of writing times and counting terms.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan as _};
use std::time::Duration;

/// Seven fractional digits and a `Z` (F-GEN-12).
pub(crate) fn wire(at: Timestamp) -> String {
    let time = at.to_zoned(TimeZone::UTC).datetime();
    format!("{}.{:07}Z", time.strftime("%Y-%m-%dT%H:%M:%S"), time.subsec_nanosecond() / 100)
}

/// A term's day, written as its midnight.
pub(crate) fn wire_day(day: Date) -> String {
    format!("{}T00:00:00Z", day.strftime("%Y-%m-%d"))
}

/// The UTC day of an instant.
pub(crate) fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// The last valid day of a term that starts on `start` (F-OBJ-6). A unit that is no duration counts as a month.
pub(crate) fn term_end(start: Date, unit: &str) -> Date {
    let length = unit.parse::<Span>().unwrap_or(1.month());
    let next = start.checked_add(length).unwrap_or(start);
    next.yesterday().unwrap_or(next)
}

/// The instant at which a term with this last day is over.
pub(crate) fn term_over(last_day: Date) -> Timestamp {
    let next = last_day.tomorrow().unwrap_or(last_day);
    next.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |midnight| midnight.timestamp())
}

/// `at` moved forward; the end of time if it would pass it.
pub(crate) fn after(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// `at` moved back; the beginning of time if it would pass it.
pub(crate) fn before(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}
