//! Times in all of Microsoft's forms (F-GEN-12), and seat numbers in all of theirs (F-OBJ-5).
#![no_main]

use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use shared::lenient::{Lenient, timestamp};

fuzz_target!(|text: &str| {
    let read = timestamp(text);
    assert_eq!(timestamp(&format!(" {text}\n")), read, "F-GEN-11: blanks say nothing");
    if let Some(at) = read {
        assert!(at.to_zoned(TimeZone::UTC).year() >= 1900, "{at} is one of the unset times");
        assert_eq!(timestamp(&at.to_string()), Some(at), "written and read again");
        // Without a zone, a time is in UTC.
        let zoned = timestamp(&format!("{}Z", text.trim()));
        assert!(zoned.is_none_or(|zoned| zoned == at), "{zoned:?}");
    }
    let seats = u64::read(&Value::String(text.to_owned()));
    let plain = text.trim();
    if !plain.is_empty() && plain.bytes().all(|b| b.is_ascii_digit()) {
        assert_eq!(seats, plain.parse().ok(), "{plain}");
    }
    if let Some(seats) = seats {
        assert_eq!(u64::read(&Value::String(format!(" {seats} "))), Some(seats));
        assert_eq!(u64::read(&Value::from(seats)), Some(seats));
        assert!(!plain.starts_with('-') || seats == 0, "{plain}");
    }
});
