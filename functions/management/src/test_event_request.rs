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

/// A test event that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TestEventRequest {
    pub(crate) kind: EventKind,
    /// The name of the one receiver that it is for; `None`: every one.
    pub(crate) receiver: Option<String>,
}

/// Reads the optional body.
pub(crate) fn wanted(body: &[u8]) -> Result<TestEventRequest, Problem> {
    let (kind, receiver) = members(body)?;
    Ok(TestEventRequest { kind: kind_of(kind)?, receiver })
}

/// The members `type` and `receiver`.
fn members(body: &[u8]) -> Result<(Option<String>, Option<String>), Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[serde(rename = "type", default, deserialize_with = "text")]
        kind: Option<String>,
        #[serde(default, deserialize_with = "text")]
        receiver: Option<String>,
    }
    if body.trim_ascii().is_empty() {
        return Ok((None, None));
    }
    let body: Option<Body> = strict_object(body);
    let Body { kind, receiver } = body.ok_or_else(|| {
        malformed(
            "the body must be empty or an object with `type`, the type of an event, and `receiver`, the \
             name of a receiver, alone; both are optional",
        )
    })?;
    Ok((kind, receiver))
}

fn kind_of(wanted: Option<String>) -> Result<EventKind, Problem> {
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
            let read = wanted(body.as_bytes()).ok();
            assert_eq!(read.as_ref().map(|read| read.kind.name()), expected, "{body}");
        }
    }

    #[test]
    fn a_body_may_name_a_receiver() {
        for (body, expected) in [
            (r#"{"receiver":"crm"}"#, Some(Some("crm"))),
            (
                r#"{"receiver":"crm","type":"saas-fulfillment.subscription.test.v1"}"#,
                Some(Some("crm")),
            ),
            ("{}", Some(None)),
            (r#"{"receiver":null}"#, None),
            (r#"{"receiver":["crm"]}"#, None),
            (r#"{"receiver":"crm","receiver":"crm"}"#, None),
        ] {
            let read = wanted(body.as_bytes()).ok();
            let receiver = read.as_ref().map(|read| read.receiver.as_deref());
            assert_eq!(receiver, expected, "{body}");
        }
    }
}
