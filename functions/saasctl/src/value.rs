//! The values of arguments.

use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use shared::domain::OperationId;
use shared::store::Target;

/// Reads a time, or a length of time before now.
pub(crate) fn time(text: &str) -> Result<Timestamp, &'static str> {
    time_before(text, Timestamp::now())
}

fn time_before(text: &str, now: Timestamp) -> Result<Timestamp, &'static str> {
    const NONE: &str = "neither a time, such as 2026-03-10T12:00Z, nor a length, such as 6h";
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    // jiff would read the day of a time without its zone, too.
    if !text.contains(['T', 't', ' '])
        && let Ok(day) = text.parse::<Date>()
    {
        let midnight = day.to_zoned(TimeZone::UTC).map_err(|_| NONE)?;
        return Ok(midnight.timestamp());
    }
    let ago: SignedDuration = match text.strip_suffix('d').map(str::parse::<u32>) {
        Some(Ok(days)) => SignedDuration::from_hours(24 * i64::from(days)),
        Some(Err(_)) => return Err(NONE),
        None => text.parse().map_err(|_| NONE)?,
    };
    if ago.is_negative() {
        return Err(NONE);
    }
    now.checked_sub(ago).map_err(|_| NONE)
}

/// Reads `KEY=VALUE`. The value may be empty, and may hold more signs of equality.
pub(crate) fn pair(text: &str) -> Result<(String, String), &'static str> {
    let (key, value) = text.split_once('=').ok_or("not KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// Reads a receiver's name.
pub(crate) fn receiver(text: &str) -> Result<String, &'static str> {
    let target = text.parse::<Target>().map_err(|_| "not the name of a receiver")?;
    Ok(target.name().to_owned())
}

pub(crate) fn number(text: &str) -> Result<usize, &'static str> {
    text.parse().ok().filter(|number| *number > 0).ok_or("not a number from 1 on")
}

/// Reads an id as this program prints it: what an address can't hold is percent-encoded.
pub(crate) fn operation_id(text: &str) -> Result<OperationId, &'static str> {
    OperationId::from_segment(text).ok_or("not the id of an operation")
}

pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_given_as_such_or_as_a_length_before_now() {
        let noon: Timestamp = "2026-03-10T12:00:00Z".parse().expect("a timestamp");
        let now = "2026-03-12T12:00:00Z".parse().expect("a timestamp");
        let time = |text| time_before(text, now);
        assert_eq!(time("2026-03-10T12:00Z"), Ok(noon));
        assert_eq!(time("2026-03-10"), Ok(noon - SignedDuration::from_hours(12)), "midnight, UTC");
        for (text, minutes) in [("90m", 90), ("6h", 360), ("2d", 2880), ("1h30m", 90)] {
            let ago = now.duration_since(time(text).expect("a length"));
            assert_eq!(ago, SignedDuration::from_mins(minutes), "{text}");
        }
        for nonsense in ["", "yesterday", "-6h", "d", "6", "999999999d", "2026-03-10T12:00"] {
            assert!(time(nonsense).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn a_receivers_name_is_no_path() {
        for name in ["endpoint", "event-bus", "crm"] {
            assert_eq!(receiver(name), Ok(name.to_owned()));
        }
        for nonsense in ["", "a/b", "a?b", "Endpoint", "crm x"] {
            assert!(receiver(nonsense).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn a_pair_ends_its_key_at_the_first_sign_of_equality() {
        let owned = |key: &str, value: &str| Ok((key.to_owned(), value.to_owned()));
        assert_eq!(pair("a=b"), owned("a", "b"));
        assert_eq!(pair("a=b=c"), owned("a", "b=c"));
        assert_eq!(pair("a="), owned("a", ""));
        assert_eq!(pair("a"), Err("not KEY=VALUE"));
    }

    #[test]
    fn seconds_may_have_a_fraction_but_no_sign() {
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        for nonsense in ["-1", "x", "", "NaN", "1e99"] {
            assert!(seconds(nonsense).is_err(), "{nonsense}");
        }
    }
}
