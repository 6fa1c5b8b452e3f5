//! Tolerant reading of Microsoft's messages.
//!
//! Every field but an id is optional, enumerations are open, numbers come as strings, strings come
//! with blanks, and dates come in several forms (F-GEN-10, F-GEN-11, F-GEN-12, F-OBJ-5). A field
//! that can't be read counts as absent, and never fails the rest of the message.

mod body;

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, tz::TimeZone};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use uuid::Uuid;

pub(crate) use body::repaired;
pub use body::{is_blank, object, objects, strict_object, value};

/// A type that is read from any JSON value, or counts as absent.
pub trait Lenient: Sized {
    /// `None` where the value makes no sense.
    fn read(value: &Value) -> Option<Self>;
}

/// For `#[serde(default, deserialize_with = "lenient")]`: never fails on a value that is JSON.
pub fn lenient<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Lenient,
{
    Ok(T::read(&Value::deserialize(deserializer)?))
}

/// Reads an object by the names of its members from a value. If both names of a member are present, it drops the second one: serde
/// would reject the object for a duplicate field.
pub(crate) fn members<T: DeserializeOwned>(value: &Value, twice: Option<[&str; 2]>) -> Option<T> {
    let mut members = value.as_object()?.clone();
    if let Some([name, also]) = twice
        && members.contains_key(name)
    {
        members.remove(also);
    }
    serde_json::from_value(Value::Object(members)).ok()
}

impl Lenient for String {
    fn read(value: &Value) -> Option<Self> {
        let text = match value {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        (!text.is_empty()).then_some(text)
    }
}

impl Lenient for bool {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Seats: an integer, a numeric string with blanks, `""`, null or missing (F-OBJ-5, F-WHP-7).
impl Lenient for u64 {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?)),
            Value::String(text) => {
                let text = text.trim();
                text.parse().ok().or_else(|| whole(text.parse().ok()?))
            }
            _ => None,
        }
    }
}

/// A whole number that a float holds exactly: `10.0` is one, `10.5` is not.
pub fn whole(number: f64) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && (0.0..EXACT).contains(&number)).then_some(number as u64)
}

impl Lenient for Uuid {
    fn read(value: &Value) -> Option<Self> {
        Uuid::try_parse(value.as_str()?.trim()).ok()
    }
}

impl Lenient for Timestamp {
    fn read(value: &Value) -> Option<Self> {
        timestamp(value.as_str()?)
    }
}

impl<T: Lenient + Ord> Lenient for BTreeSet<T> {
    fn read(value: &Value) -> Option<Self> {
        Some(value.as_array()?.iter().filter_map(T::read).collect())
    }
}

/// Earlier dates are placeholders: .NET's `0001-01-01T00:00:00` means "not set" (F-GEN-12,
/// F-OBJ-13).
const FIRST_YEAR: i16 = 1900;

/// A timestamp with or without fraction, with or without zone, or a bare date; UTC where no zone
/// is given (F-GEN-12). `None` for "not set" and for other text.
pub fn timestamp(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let timestamp = text
        .parse::<Timestamp>()
        .ok()
        .or_else(|| utc(text.parse::<DateTime>().ok()?))
        .or_else(|| utc(text.parse::<Date>().ok()?.into()))?;
    (timestamp.to_zoned(TimeZone::UTC).year() >= FIRST_YEAR).then_some(timestamp)
}

fn utc(datetime: DateTime) -> Option<Timestamp> {
    Some(datetime.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// Declares an open enum of Microsoft's words: trimmed and compared without case (F-GEN-11,
/// F-WHA-17), with `Other` for words that Microsoft adds (F-GEN-10).
macro_rules! open_words {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident $(= $also:literal)* ,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$vmeta])* $variant,)+
            /// A word that this program does not know.
            Other(String),
        }

        impl $name {
            /// As Microsoft writes it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => stringify!($variant),)+
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                let word = word.trim();
                $(if word.eq_ignore_ascii_case(stringify!($variant)) $(|| word.eq_ignore_ascii_case($also))* {
                    return Self::$variant;
                })+
                Self::Other(word.to_owned())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::lenient::Lenient for $name {
            fn read(value: &serde_json::Value) -> Option<Self> {
                <String as $crate::lenient::Lenient>::read(value).map(|word| Self::from(word.as_str()))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Ok(Self::from(<String as serde::Deserialize>::deserialize(deserializer)?.as_str()))
            }
        }
    };
}
pub(crate) use open_words;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_quantity_is_read_from_every_form_of_f_obj_5_and_f_whp_7() {
        for (sent, read) in [
            (json!(10), Some(10)),
            (json!("20"), Some(20)),
            (json!(" 25"), Some(25)),
            (json!(10.0), Some(10)),
            (json!(""), None),
            (json!(null), None),
            (json!(-3), None),
            (json!(2.5), None),
            (json!(1e300), None),
            (json!("many"), None),
            (json!([1]), None),
        ] {
            assert_eq!(u64::read(&sent), read, "{sent}");
        }
    }

    #[test]
    fn a_timestamp_is_read_with_and_without_fraction_zone_and_time_as_f_gen_12_says() {
        for (sent, read) in [
            ("2026-03-01T22:59:45.5468572Z", Some("2026-03-01T22:59:45.5468572Z")),
            ("2026-03-01T22:59:45Z", Some("2026-03-01T22:59:45Z")),
            ("2026-03-01T22:59:45.1", Some("2026-03-01T22:59:45.1Z")),
            ("2018-12-01T00:00:00", Some("2018-12-01T00:00:00Z")),
            ("2019-05-31", Some("2019-05-31T00:00:00Z")),
            (" 2019-05-31 ", Some("2019-05-31T00:00:00Z")),
            ("2026-03-01T22:59:45+02:00", Some("2026-03-01T20:59:45Z")),
            ("0001-01-01T00:00:00", None),
            ("0001-01-01T00:00:00Z", None),
            ("soon", None),
            ("", None),
        ] {
            let read: Option<Timestamp> = read.map(|text| text.parse().expect("a timestamp"));
            assert_eq!(timestamp(sent), read, "{sent}");
        }
    }

    #[test]
    fn a_flag_is_read_from_a_boolean_and_from_its_name() {
        assert_eq!(bool::read(&json!(true)), Some(true));
        assert_eq!(bool::read(&json!("True")), Some(true));
        assert_eq!(bool::read(&json!("false ")), Some(false));
        assert_eq!(bool::read(&json!(1)), None);
    }

    #[test]
    fn a_blank_string_is_read_as_none() {
        assert_eq!(String::read(&json!("  ")), None);
        assert_eq!(String::read(&json!(" a@b.example ")), Some("a@b.example".to_owned()));
        assert_eq!(String::read(&json!({"a": 1})), None);
    }
}
