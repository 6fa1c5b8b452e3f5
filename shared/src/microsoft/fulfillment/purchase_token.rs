//! The token in a landing-page visit's address.

use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};

/// It opens a purchase to its holder for 24 hours (F-RES-4, F-RES-11). It is never logged, stored
/// or printed.
#[derive(Clone, Debug)]
pub struct PurchaseToken(SecretString);

/// In characters: far beyond any token seen, and within what HTTP servers accept as a header.
const LONGEST: usize = 8192;

impl PurchaseToken {
    /// Takes `token` from a raw query string or form body, and decodes it exactly once (F-RES-2).
    /// `None` if it is absent, or can't be a token.
    pub fn from_query(query: &str) -> Option<Self> {
        let raw = query.split('&').find_map(|pair| pair.strip_prefix("token="))?;
        // A form decoder would turn the `+` of an already decoded token into a blank.
        let decoded = percent_decode_str(raw).decode_utf8().ok()?;
        Self::new(&decoded)
    }

    /// Takes a decoded token. Base64 has no blanks: a blank is a `+` that was decoded once too
    /// often (F-RES-3).
    pub fn new(decoded: &str) -> Option<Self> {
        let token = decoded.trim_matches(['\r', '\n', '\t']).replace(' ', "+");
        let is_header_value = token.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
        (!token.is_empty() && token.len() <= LONGEST && is_header_value)
            .then(|| Self(SecretString::from(token)))
    }

    /// For the one header and the one form field that carry it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(query: &str) -> Option<String> {
        PurchaseToken::from_query(query).map(|token| token.expose().to_owned())
    }

    #[test]
    fn a_token_is_decoded_exactly_once_as_f_res_2_says() {
        assert_eq!(token("token=ab%2Bcd%2Fef").as_deref(), Some("ab+cd/ef"));
        assert_eq!(token("token=ab%252Bcd").as_deref(), Some("ab%2Bcd"), "no second decoding");
    }

    #[test]
    fn a_blank_is_turned_back_into_a_plus_as_f_res_3_says() {
        assert_eq!(token("token=ab+cd%3D").as_deref(), Some("ab+cd="));
        assert_eq!(token("token=ab%20cd").as_deref(), Some("ab+cd"));
    }

    #[test]
    fn other_query_parameters_are_ignored() {
        assert_eq!(token("utm=1&token=abc&x=2").as_deref(), Some("abc"));
        assert_eq!(token("mytoken=abc"), None);
    }

    #[test]
    fn a_value_that_cannot_be_a_token_is_none() {
        assert_eq!(token(""), None);
        assert_eq!(token("token="), None);
        assert_eq!(token("token=%00abc"), None);
        assert_eq!(token("token=abc%0d%0aHost:evil"), None);
        assert_eq!(token("token=%ff%fe"), None);
        assert_eq!(token(&format!("token={}", "a".repeat(LONGEST + 1))), None);
    }

    #[test]
    fn a_token_never_prints() {
        let token = PurchaseToken::new("secret-token").expect("a token");
        assert!(!format!("{token:?}").contains("secret-token"));
    }
}
