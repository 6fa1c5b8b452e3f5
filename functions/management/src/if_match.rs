//! `ETag` and `If-Match`: a change that is based on an older version of the record, or of the offers, is
//! refused.

use http::header::{ETAG, IF_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use shared::domain::{Annotations, Record};
use shared::host::http::{Problem, Request, Response, json};
use shared::publisher::audit::{Shown, read_personal_data};
use shared::publisher::record_view::RecordView;

use crate::error_code::{ErrorCode, malformed};
use crate::route;

/// Answers with the record and its annotations. Its `ETag` is the record's version, which annotations
/// don't change.
pub(crate) fn answer(
    request: &Request,
    record: &Record,
    annotations: Option<&Annotations>,
) -> Response {
    read_personal_data(request, route::form(request), Shown::Record(record.id()));
    let view = RecordView::from(record).with_annotations(annotations);
    let mut response = json(StatusCode::OK, &view);
    if let Ok(tag) = HeaderValue::try_from(tag(record.version)) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

pub(crate) fn tag(version: u64) -> String {
    format!("\"{version}\"")
}

/// The versions that a request names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum IfMatch {
    /// No condition, or `*` (RFC 9110, 13.1.1).
    Any,
    OneOf(Vec<String>),
}

impl IfMatch {
    /// Reads `If-Match`.
    pub(crate) fn of(request: &Request) -> Result<Self, Problem> {
        Self::read(request.headers())
    }

    fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut tags = Vec::new();
        for value in headers.get_all(IF_MATCH) {
            let value = value.to_str().map_err(|_| unreadable())?;
            for tag in value.split(',').map(str::trim) {
                match tag {
                    "*" => return Ok(Self::Any),
                    // A weak tag is well-formed, and never matches.
                    _ if is_tag(tag.strip_prefix("W/").unwrap_or(tag)) => tags.push(tag.to_owned()),
                    _ => return Err(unreadable()),
                }
            }
        }
        Ok(if tags.is_empty() { Self::Any } else { Self::OneOf(tags) })
    }

    /// Refuses a record of another version.
    pub(crate) fn check(&self, record: &Record) -> Result<(), Problem> {
        if self.allows(record.version) {
            return Ok(());
        }
        Err(ErrorCode::VersionMismatch.with(format!(
            "the record has version {}; look at it before asking again",
            record.version
        )))
    }

    pub(crate) fn allows(&self, version: u64) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(tags) => tags.contains(&tag(version)),
        }
    }
}

fn is_tag(text: &str) -> bool {
    let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.is_some_and(|inner| inner.bytes().all(|byte| byte > b' ' && byte != b'"'))
}

fn unreadable() -> Problem {
    malformed("`If-Match` must be the `ETag` of a record, as in \"7\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Result<IfMatch, &'static str> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(IF_MATCH, HeaderValue::try_from(*value).expect("a header"));
        }
        IfMatch::read(&headers).map_err(|problem| problem.code)
    }

    #[test]
    fn if_match_is_read_as_rfc_9110_writes_it() {
        let one_of =
            |tags: &[&str]| Ok(IfMatch::OneOf(tags.iter().map(|tag| (*tag).to_owned()).collect()));
        assert_eq!(read(&[]), Ok(IfMatch::Any));
        assert_eq!(read(&["*"]), Ok(IfMatch::Any));
        assert_eq!(read(&["\"7\""]), one_of(&["\"7\""]));
        assert_eq!(read(&["\"7\", \"8\"", "W/\"9\""]), one_of(&["\"7\"", "\"8\"", "W/\"9\""]));
        for nonsense in ["7", "", "\"7", "\"7\";", "w/\"7\"", "\"7\",", "\"a b\""] {
            assert_eq!(read(&[nonsense]), Err("malformed_request"), "{nonsense}");
        }
    }
}
