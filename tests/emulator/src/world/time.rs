//! How Microsoft writes times and counts terms.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan as _};
use std::time::Duration;

/// With seven fractional digits and a `Z` (F-GEN-12).
pub(super) fn wire(at: Timestamp) -> String {
    let time = at.to_zoned(TimeZone::UTC).datetime();
    format!("{}.{:07}Z", time.strftime("%Y-%m-%dT%H:%M:%S"), time.subsec_nanosecond() / 100)
}

/// A term's day, written as its midnight.
pub(super) fn wire_day(day: Date) -> String {
    format!("{}T00:00:00Z", day.strftime("%Y-%m-%d"))
}

pub(super) fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// The last valid day of a term that starts on `start` (F-OBJ-6). An unknown unit counts as a
/// month.
pub(super) fn term_end(start: Date, unit: &str) -> Date {
    let length = unit.parse::<Span>().unwrap_or(1.month());
    let next = start.checked_add(length).unwrap_or(start);
    next.yesterday().unwrap_or(next)
}

/// The moment at which a term with this last day is over.
pub(super) fn term_over(last_day: Date) -> Timestamp {
    let next = last_day.tomorrow().unwrap_or(last_day);
    next.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |midnight| midnight.timestamp())
}

pub(super) fn after(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

pub(super) fn before(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}
