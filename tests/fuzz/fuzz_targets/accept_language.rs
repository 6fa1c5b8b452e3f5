//! The `Accept-Language` headers of a visit to the landing page, one per line.
#![no_main]

use bytes::Bytes;
use fuzz::landing_page::page;
use http::header::{ACCEPT_LANGUAGE, CONTENT_LANGUAGE, VARY};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use libfuzzer_sys::fuzz_target;

/// The page's languages. The first is the default.
const SPOKEN: [&str; 3] = ["en", "de", "sv"];

/// The largest number of languages that the page considers.
const MOST: usize = 30;

/// The language for these headers, computed independently of the code; `None` if they are not valid
/// by RFC 9110, 12.5.4.
fn expected(lines: &[&str]) -> Option<&'static str> {
    let ranges: Vec<_> = lines.iter().flat_map(|line| line.split(',')).collect();
    if ranges.len() > MOST {
        return None;
    }
    let blanks = [' ', '\t'];
    let (mut most, mut chosen) = (0, SPOKEN[0]);
    for range in ranges.into_iter().map(|range| range.trim_matches(blanks)) {
        // A list may have empty elements (RFC 9110, 5.6.1.2).
        if range.is_empty() {
            continue;
        }
        let (tag, weight) = match range.split_once(';') {
            Some((tag, weight)) => {
                let weight = weight.trim_matches(blanks);
                let weight = weight.strip_prefix("q=").or_else(|| weight.strip_prefix("Q="))?;
                (tag.trim_matches(blanks), thousandths(weight)?)
            }
            None => (range, 1000),
        };
        let language = subtag(tag)?.to_ascii_lowercase();
        // `*` means the default language.
        let found = if language == "*" { Some(SPOKEN[0]) } else { known(&language) };
        if let Some(found) = found.filter(|_| weight > most) {
            (most, chosen) = (weight, found);
        }
    }
    Some(chosen)
}

fn known(language: &str) -> Option<&'static str> {
    SPOKEN.into_iter().find(|known| *known == language)
}

/// Reads a weight in thousandths: `0.75` is 750.
fn thousandths(weight: &str) -> Option<u32> {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let fraction: u32 = format!("{fraction:0<3}").parse().ok().filter(|_| digits)?;
    match (whole, fraction) {
        ("0", fraction) => Some(fraction),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

/// The language of a language range (RFC 4647, 2.1).
fn subtag(range: &str) -> Option<&str> {
    if range == "*" {
        return Some(range);
    }
    let mut subtags = range.split('-');
    let first = subtags.next()?;
    let is = |text: &str, of: fn(&u8) -> bool| {
        (1..=8).contains(&text.len()) && text.as_bytes().iter().all(of)
    };
    let rest = subtags.all(|subtag| is(subtag, u8::is_ascii_alphanumeric));
    (is(first, u8::is_ascii_alphabetic) && rest).then_some(first)
}

// Makes the keys first, because that takes seconds and no input should be blamed for them.
fuzz_target!(init: page(), |input: &[u8]| {
    let mut headers = HeaderMap::new();
    for line in input.split(|byte| *byte == b'\n') {
        let Ok(value) = HeaderValue::from_bytes(line) else { return };
        headers.append(ACCEPT_LANGUAGE, value);
    }
    let page = page();
    page.wire.reset(page.healthy());
    let shown = page.visit(Method::GET, Uri::from_static("/landing"), headers, Bytes::new());
    assert_eq!(shown.status(), StatusCode::OK);
    assert!(page.wire.sent().is_empty(), "the language causes no request");
    let language = shown.headers()[CONTENT_LANGUAGE].to_str().expect("text");
    assert!(SPOKEN.contains(&language), "{language}");
    assert!(shown.headers()[VARY].to_str().expect("text").contains("accept-language"));
    let body = std::str::from_utf8(shown.body()).expect("text");
    assert!(body.contains(&format!(r#"<html lang="{language}""#)));
    let lines = std::str::from_utf8(input).map(|text| text.split('\n').collect::<Vec<_>>());
    if let Some(expected) = lines.ok().and_then(|lines| expected(&lines)) {
        assert_eq!(language, expected);
    }
});
