//! The one reader of JSON bodies from outside: from Microsoft, Entra and the publisher's product.
//!
//! Services put a byte order mark before their JSON. Texts that were cut in the middle of a
//! character hold half of it: bytes that are no UTF-8, or half a surrogate pair as an escape
//! (F-GEN-14). serde alone would refuse the whole body for any of these. Signed tokens don't pass
//! here: see `microsoft::entra`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads an object by the names of its members; of two members with one name, the last one counts.
/// `None` where the body is no object or a member has the wrong type.
pub fn object<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    let text = repaired(body);
    // serde would accept a list, too, and read its entries as the members in order.
    if !text.trim_start().starts_with('{') {
        return None;
    }
    serde_json::from_str(&text).or_else(|_| serde_json::from_str(&with_last_members(&text)?)).ok()
}

/// Reads any JSON value.
pub fn value(body: &[u8]) -> Option<Value> {
    serde_json::from_str(&repaired(body)).ok()
}

/// Reads the objects of a list, and leaves out what can't be read.
pub fn objects<T: DeserializeOwned>(entries: &[Box<RawValue>]) -> Vec<T> {
    entries.iter().filter_map(|entry| object(entry.get().as_bytes())).collect()
}

/// Whether a body says nothing at all.
pub fn is_blank(body: &[u8]) -> bool {
    unmarked(body).trim_ascii().is_empty()
}

/// Reads an object of a caller to whom we answer: nothing but a byte order mark is forgiven, since
/// the caller is told about the mistake.
pub fn strict_object<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    let body = unmarked(body).trim_ascii_start();
    body.starts_with(b"{").then(|| serde_json::from_slice(body).ok()).flatten()
}

/// The text of a body, without a byte order mark. Half characters become U+FFFD.
pub(crate) fn repaired(body: &[u8]) -> Cow<'_, str> {
    match String::from_utf8_lossy(unmarked(body)) {
        Cow::Borrowed(text) => without_half_pairs(text),
        Cow::Owned(text) => Cow::Owned(without_half_pairs(&text).into_owned()),
    }
}

fn unmarked(body: &[u8]) -> &[u8] {
    body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body)
}

/// The length of `\u` and four digits.
const ESCAPE: usize = 6;

/// Replaces each escape of half a surrogate pair by the escape of U+FFFD.
fn without_half_pairs(text: &str) -> Cow<'_, str> {
    if !text.contains("\\u") {
        return Cow::Borrowed(text);
    }
    let (mut repaired, mut copied, mut at) = (String::new(), 0, 0);
    while let Some(next) = text.as_bytes()[at..].iter().position(|byte| *byte == b'\\') {
        at += next;
        at += match (code_unit(text, at), code_unit(text, at + ESCAPE)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 2 * ESCAPE,
            (Some(0xd800..=0xdfff), _) => {
                repaired.push_str(&text[copied..at]);
                repaired.push_str("\\ufffd");
                copied = at + ESCAPE;
                ESCAPE
            }
            (Some(_), _) => ESCAPE,
            // Another escape. The backslash may be the last byte, or escape nothing.
            (None, _) => 2.min(text.len() - at),
        };
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    repaired.push_str(&text[copied..]);
    Cow::Owned(repaired)
}

/// The UTF-16 code unit whose escape begins at this byte.
fn code_unit(text: &str, at: usize) -> Option<u16> {
    let digits = text.as_bytes().get(at..at + ESCAPE)?.strip_prefix(b"\\u")?;
    let digits = std::str::from_utf8(digits).ok()?;
    let all_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    all_hex.then(|| u16::from_str_radix(digits, 16).ok()).flatten()
}

/// The same object with each member once. serde refuses a struct's second member of a name.
fn with_last_members(object: &str) -> serde_json::Result<String> {
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(object)?;
    serde_json::to_string(&members)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Named {
        name: Option<String>,
    }

    fn name(body: &[u8]) -> Option<String> {
        object::<Named>(body)?.name
    }

    #[test]
    fn a_byte_order_mark_is_skipped() {
        assert_eq!(name(b"\xef\xbb\xbf {\"name\":\"a\"}").as_deref(), Some("a"));
        assert_eq!(value(b"\xef\xbb\xbf[1]"), Some(json!([1])));
        assert_eq!(
            strict_object(b"\xef\xbb\xbf{\"name\":\"a\"}"),
            Some(Named { name: Some("a".into()) })
        );
        assert_eq!(name(b"\xef\xbb\xbf\xef\xbb\xbf{\"name\":\"a\"}"), None, "two of them");
    }

    #[test]
    fn half_a_surrogate_pair_becomes_the_replacement_character() {
        for (sent, read) in [
            (r"cut \ud83d", "cut \u{fffd}"),
            (r"\ude00 cut", "\u{fffd} cut"),
            (r"\uD83D\uDE00 whole", "😀 whole"),
            (r"\ud83d\ud83d\ude00", "\u{fffd}😀"),
            (r"\ude00\ud83d", "\u{fffd}\u{fffd}"),
            (r"\ud83d\n", "\u{fffd}\n"),
            (r"\ud83d\u0041", "\u{fffd}A"),
            (r"\ud83dé", "\u{fffd}é"),
            (r"\\ud83d is a path", r"\ud83d is a path"),
            (r"\\\ud83d", "\\\u{fffd}"),
            (r"\u00e9", "é"),
        ] {
            let body = format!(r#"{{"other":"{sent}","name":"{sent}"}}"#);
            assert_eq!(name(body.as_bytes()).as_deref(), Some(read), "{sent}");
            let read_too = value(body.as_bytes()).expect("JSON");
            assert_eq!(read_too["name"], json!(read), "{sent}");
        }
    }

    #[test]
    fn bytes_that_are_no_utf_8_become_the_replacement_character() {
        assert_eq!(name(b"{\"name\":\"a\xf0\x9f\x98\"}").as_deref(), Some("a\u{fffd}"));
        assert_eq!(name(b"{\"name\":\"\xff\\ud83d\"}").as_deref(), Some("\u{fffd}\u{fffd}"));
        assert_eq!(value(b"[\"\xe9\"]"), Some(json!(["\u{fffd}"])));
    }

    #[test]
    fn the_last_of_two_members_with_one_name_counts() {
        let twice = br#"{"name":"first","x":1,"name":"last","x":2}"#;
        assert_eq!(name(twice).as_deref(), Some("last"));
        assert_eq!(value(twice), Some(json!({ "name": "last", "x": 2 })));
        assert_eq!(strict_object::<Named>(twice), None, "the caller is told");
    }

    #[test]
    fn what_is_no_object_or_no_json_is_none() {
        for body in [
            &b""[..],
            b"null",
            b"7",
            b"[\"a\"]",
            b"{",
            b"{\"name\":\"\\",
            b"{\"name\":\"\\u12",
            b"<html>",
        ] {
            let text = String::from_utf8_lossy(body);
            assert_eq!(object::<Named>(body), None, "{text}");
            assert_eq!(strict_object::<Named>(body), None, "{text}");
        }
    }

    #[test]
    fn an_entry_that_cannot_be_read_costs_no_other() {
        let deep = format!("{{\"name\":{}1{}}}", "[".repeat(200), "]".repeat(200));
        let list = format!(r#"[{{"name":"a"}},{deep},7,{{"name":1e999}},["x"],{{"name":"b"}}]"#);
        let list: Vec<Box<RawValue>> = serde_json::from_str(&list).expect("a list");
        let names: Vec<_> = objects::<Named>(&list).into_iter().filter_map(|it| it.name).collect();
        assert_eq!(names, ["a", "b"]);
    }
}
