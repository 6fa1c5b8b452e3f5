//! Integers as JSON Schema defines them: `5.0` is an integer, since JSON itself has only numbers.

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Number;
use shared::lenient::whole;

/// Reads an integer that may be missing.
pub(crate) fn read<'de, D: Deserializer<'de>>(sent: D) -> Result<Option<u64>, D::Error> {
    let Some(number) = Option::<Number>::deserialize(sent)? else { return Ok(None) };
    let integer = number.as_u64().or_else(|| whole(number.as_f64()?));
    integer.map(Some).ok_or_else(|| D::Error::custom("not a whole number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_without_a_fraction_is_an_integer() {
        let read = |text: &str| read(&mut serde_json::Deserializer::from_str(text)).ok();
        for (text, expected) in [
            ("5", Some(Some(5))),
            ("5.0", Some(Some(5))),
            ("5e2", Some(Some(500))),
            ("18446744073709551615", Some(Some(u64::MAX))),
            ("null", Some(None)),
            ("5.5", None),
            ("-1", None),
            ("1e300", None),
            ("\"5\"", None),
            ("true", None),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
