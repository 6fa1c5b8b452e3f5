//! HTTP messages as text, and JSON objects as code sees them that reads a few of their members.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Response, StatusCode};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

const DIVIDER: &[u8] = b"\n====\n";

/// The first `N` parts of an input. Missing parts are empty.
pub fn parts<const N: usize>(input: &[u8]) -> [&[u8]; N] {
    let mut rest = input;
    std::array::from_fn(|index| match position(rest, DIVIDER).filter(|_| index + 1 < N) {
        Some(at) => {
            let part = &rest[..at];
            rest = &rest[at + DIVIDER.len()..];
            part
        }
        None => std::mem::take(&mut rest),
    })
}

#[derive(Debug)]
pub struct Message {
    pub first: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Message {
    /// Reads any text. A line that is no valid header is skipped.
    pub fn read(text: &[u8]) -> Self {
        let (head, body) = match position(text, b"\n\n") {
            Some(at) => (&text[..at], &text[at + 2..]),
            None => (text, &b""[..]),
        };
        let mut lines = head.split(|byte| *byte == b'\n');
        let first = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
        let mut headers = HeaderMap::new();
        for line in lines {
            let Some(at) = position(line, b":") else { continue };
            let name = HeaderName::from_bytes(&line[..at]);
            let value = HeaderValue::from_bytes(line[at + 1..].trim_ascii());
            if let (Ok(name), Ok(value)) = (name, value) {
                headers.append(name, value);
            }
        }
        Self { first, headers, body: Bytes::copy_from_slice(body) }
    }

    /// The message as a response. The status is 200 if the first line is no status.
    pub fn answer(self) -> Response<Bytes> {
        let mut answer = Response::new(self.body);
        let status = self.first.trim().parse().ok();
        *answer.status_mut() =
            status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::OK);
        *answer.headers_mut() = self.headers;
        answer
    }
}

/// An object's members. The last of several members with the same name counts. A member that can't
/// be read, because of a number out of range, is null.
pub fn members(text: &[u8]) -> Option<Map<String, Value>> {
    let text = String::from_utf8_lossy(text);
    let members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(&text).ok()?;
    let read =
        |raw: Box<RawValue>| shared::lenient::value(raw.get().as_bytes()).unwrap_or_default();
    Some(members.into_iter().map(|(name, value)| (name, read(value))).collect())
}

fn position(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}
