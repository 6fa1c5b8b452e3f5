//! Reads the fields of queries and forms.

use url::form_urlencoded;

/// The value of a field. `None` if the field is missing or repeated.
pub(crate) fn form_field(encoded: &str, name: &str) -> Option<String> {
    let mut values = form_urlencoded::parse(encoded.as_bytes()).filter(|(key, _)| key == name);
    match (values.next(), values.next()) {
        (Some((_, value)), None) => Some(value.into_owned()),
        _ => None,
    }
}
