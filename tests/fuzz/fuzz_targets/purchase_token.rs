//! The query of a landing-page visit (F-RES-2, F-RES-3).
#![no_main]

use http::HeaderValue;
use libfuzzer_sys::fuzz_target;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use shared::microsoft::fulfillment::PurchaseToken;

/// Decodes once, without the library that the code uses.
fn decoded(raw: &str) -> Option<String> {
    let mut bytes = raw.bytes().collect::<std::collections::VecDeque<u8>>();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.pop_front() {
        let digit = |at: usize| bytes.get(at).and_then(|digit| (*digit as char).to_digit(16));
        match (byte, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((16 * high + low) as u8);
                bytes.drain(..2);
            }
            _ => decoded.push(byte),
        }
    }
    String::from_utf8(decoded).ok()
}

fuzz_target!(|query: &str| {
    let Some(token) = PurchaseToken::from_query(query) else { return };
    let text = token.expose();
    let header = HeaderValue::from_str(text).expect("a token that a header can carry");
    assert_eq!(header.as_bytes(), text.as_bytes());
    assert!(!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()));
    let raw = query.split('&').find_map(|pair| pair.strip_prefix("token=")).expect("a parameter");
    let once = decoded(raw).expect("text");
    assert_eq!(text, once.trim_matches(['\r', '\n', '\t']).replace(' ', "+"), "decoded once");
    // An encoded token is read back unchanged.
    let encoded = utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let again = PurchaseToken::from_query(&format!("x=1&token={encoded}&token=other"));
    assert_eq!(again.expect("a token").expose(), text);
    // F-RES-11: the token never prints.
    let other = PurchaseToken::new("other").expect("a token");
    assert_eq!(format!("{token:?}"), format!("{other:?}"));
});
