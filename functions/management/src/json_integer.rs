//! Whole numbers as JSON Schema has them: `5.0` is one (JSON itself knows no integers).

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Number;

/// Beyond this, not every whole number is one of these any more.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads a whole number that may be missing.
pub fn read<'de, D: Deserializer<'de>>(sent: D) -> Result<Option<u64>, D::Error> {
    let Some(number) = Option::<Number>::deserialize(sent)? else { return Ok(None) };
    let whole = number.as_u64().or_else(|| {
        let number = number.as_f64()?;
        // Checked before: nothing is cut off.
        ((0.0..=EXACT).contains(&number) && number.fract() == 0.0).then_some(number as u64)
    });
    whole.map(Some).ok_or_else(|| D::Error::custom("not a whole number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_without_a_fraction_is_whole() {
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
