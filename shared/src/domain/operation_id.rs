//! The id of an operation.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;
use uuid::Uuid;

use crate::lenient::Lenient;

/// In characters. The id is part of a key of the table, which holds 1024 bytes.
const LONGEST: usize = 200;

/// The characters of an id that stay as they are in an address or a header. A dot does not: some
/// senders of webhooks separate by dots what they sign.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'~');

/// The id of an operation; a webhook's `id` (F-WHP-1). Microsoft's are GUIDs, which are compared in
/// one form. Any other text is an id, too (F-OP-5): a change whose id we refused to read could not be
/// rejected.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct OperationId(String);

impl OperationId {
    /// Reads an id. `None` for text that can't be one: it is empty, too long, or has a meaning of
    /// its own in an address.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(guid) = Uuid::try_parse(text) {
            return Some(guid.into());
        }
        let fits = !matches!(text, "" | "." | "..") && text.chars().count() <= LONGEST;
        fits.then(|| Self(text.to_owned()))
    }

    /// Reads an id from a part of an address.
    pub fn from_segment(segment: &str) -> Option<Self> {
        Self::new(&percent_decode_str(segment).decode_utf8().ok()?)
    }

    /// The id as a part of an address or as a header.
    pub fn escaped(&self) -> impl fmt::Display + '_ {
        utf8_percent_encode(&self.0, PLAIN)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Uuid> for OperationId {
    fn from(guid: Uuid) -> Self {
        Self(guid.to_string())
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Lenient for OperationId {
    fn read(value: &Value) -> Option<Self> {
        Self::new(value.as_str()?)
    }
}

impl<'de> Deserialize<'de> for OperationId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(&text).ok_or_else(|| de::Error::custom("not the id of an operation"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const GUID: &str = "c0a1e9d4-7b1f-4a53-8f9e-2d6b5a4c3e22";

    #[test]
    fn guids_are_one_id_in_every_form() {
        let id = OperationId::new(GUID).expect("an id");
        let upper = GUID.to_uppercase();
        for form in [format!(" {GUID} "), format!("{{{upper}}}"), GUID.replace('-', ""), upper] {
            assert_eq!(OperationId::new(&form).as_ref(), Some(&id), "{form}");
        }
        assert_eq!(id.to_string(), GUID);
        assert_eq!(id.escaped().to_string(), GUID);
    }

    #[test]
    fn any_other_text_is_an_id_as_it_is() {
        for text in ["op-1", "Op 1/ä?#%", "7.2", "a:b@c"] {
            let id = OperationId::new(text).expect("an id");
            assert_eq!(id.as_str(), text);
            let escaped = id.escaped().to_string();
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_~%".contains(&byte);
            assert!(escaped.bytes().all(is_plain), "{escaped}");
            assert_eq!(OperationId::from_segment(&escaped), Some(id.clone()), "{escaped}");
            let stored = serde_json::to_value(&id).expect("JSON");
            assert_eq!(stored, json!(text));
            assert_eq!(serde_json::from_value::<OperationId>(stored).ok(), Some(id));
        }
        assert_ne!(OperationId::new("op-1"), OperationId::new("OP-1"));
    }

    #[test]
    fn text_that_can_be_no_id_is_none() {
        let longest = "ä".repeat(LONGEST);
        assert!(OperationId::new(&longest).is_some());
        for text in ["", "  ", ".", " .. ", &format!("{longest}x")] {
            assert_eq!(OperationId::new(text), None, "{text:?}");
        }
        assert_eq!(OperationId::from_segment("%ff"), None, "no UTF-8");
        for odd in [json!(null), json!(7), json!([GUID]), json!({ "id": GUID })] {
            assert_eq!(OperationId::read(&odd), None, "{odd}");
        }
    }
}
