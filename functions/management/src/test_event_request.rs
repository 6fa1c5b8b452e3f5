//! The body that asks for a test event.

use serde::{Deserialize, Deserializer};
use shared::domain::EventKind;
use shared::host::http::Problem;
use shared::lenient::strict_object;
use shared::publisher::cloud_event::type_name;

use crate::error_code::malformed;

/// The types of events that a product can receive.
pub(crate) fn types() -> impl Iterator<Item = String> {
    EventKind::examples().into_iter().map(|kind| type_name(&kind))
}

/// Reads the optional body.
pub(crate) fn kind(body: &[u8]) -> Result<EventKind, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[serde(rename = "type", default, deserialize_with = "text")]
        wanted: Option<String>,
    }
    let wanted = if body.trim_ascii().is_empty() {
        None
    } else {
        let body: Option<Body> = strict_object(body);
        let body = body.ok_or_else(|| {
            malformed("the body must be empty or {\"type\": the type of an event}")
        })?;
        body.wanted
    };
    let Some(wanted) = wanted else { return Ok(EventKind::Test) };
    let known = EventKind::examples().into_iter().find(|kind| type_name(kind) == wanted);
    known.ok_or_else(|| {
        let types: Vec<_> = types().collect();
        malformed(&format!("`type` must be one of {}", types.join(", ")))
    })
}

/// A text that is given. `null` is none.
fn text<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    String::deserialize(value).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_names_a_type_or_asks_for_the_usual_one() {
        let named = |name: &str| format!(r#"{{"type":"saas-fulfillment.subscription.{name}"}}"#);
        for (body, expected) in [
            (String::new(), Some("Test")),
            (" \n".to_owned(), Some("Test")),
            ("{}".to_owned(), Some("Test")),
            (named("test.v1"), Some("Test")),
            (named("plan-changed.v1"), Some("PlanChanged")),
            (named("plan-changed.v2"), None),
            (named("PlanChanged"), None),
            (r#"{"type":7}"#.to_owned(), None),
            (r#"{"type":null}"#.to_owned(), None),
            (r#"{"kind":"Test"}"#.to_owned(), None),
            ("[]".to_owned(), None),
        ] {
            let read = kind(body.as_bytes()).ok();
            assert_eq!(read.as_ref().map(EventKind::name), expected, "{body}");
        }
    }
}
