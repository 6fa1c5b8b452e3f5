//! How long ago something was, in words.

use jiff::Timestamp;

/// Such as `3 hours ago`. A time in the future is the moment of a clock that is ahead.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> String {
    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    let seconds = now.duration_since(at).as_secs();
    let (number, unit) = match seconds {
        ..MINUTE => return "less than a minute ago".to_owned(),
        MINUTE..HOUR => (seconds / MINUTE, "minute"),
        HOUR..DAY => (seconds / HOUR, "hour"),
        DAY.. => (seconds / DAY, "day"),
    };
    format!("{number} {unit}{} ago", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn a_time_is_told_in_its_largest_unit() {
        let now: Timestamp = "2026-03-10T12:00:00Z".parse().expect("a timestamp");
        for (seconds, words) in [
            (-5, "less than a minute ago"),
            (59, "less than a minute ago"),
            (60, "1 minute ago"),
            (3599, "59 minutes ago"),
            (7200, "2 hours ago"),
            (86_400, "1 day ago"),
            (40 * 86_400, "40 days ago"),
        ] {
            assert_eq!(ago(now - SignedDuration::from_secs(seconds), now), words);
        }
    }
}
