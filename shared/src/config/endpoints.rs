//! The endpoints that have names: `DELIVERY_ENDPOINTS`.

use std::collections::BTreeSet;
use std::str::FromStr;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;

use super::address::HttpsAddress;
use crate::publisher::cloud_event;
use crate::publisher::receiver::{EventFilter, ReceiverSettings};
use crate::store::{NotAName, Target};

/// How many endpoints there may be, with the one that has no name. Each event is sent to all of them within
/// one invocation.
pub(super) const MOST: usize = 5;

/// A list of endpoints with names.
#[derive(Debug)]
pub(super) struct Endpoints(pub(super) Vec<NamedEndpoint>);

#[derive(Debug)]
pub(super) struct NamedEndpoint {
    pub(super) receiver: ReceiverSettings,
    pub(super) url: http::Uri,
}

/// A malformed list. The message names the place and never repeats the text: an address may hold a secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum EndpointsError {
    #[error("is not JSON at line {line}, column {column}")]
    NotJson { line: usize, column: usize },
    #[error("is not a JSON list of objects")]
    NoList,
    #[error("lists more than {MOST} endpoints")]
    TooMany,
    #[error("has an endpoint that is wrong, number {number}: {problem}")]
    Endpoint { number: usize, problem: EndpointProblem },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(super) enum EndpointProblem {
    #[error(
        "it is no object with `name`, `url`, `eventTypes`, `offers` and `from` alone, each once"
    )]
    Form,
    #[error("it has no `{0}`")]
    Missing(&'static str),
    #[error("its name {0}")]
    Name(#[from] NotAName),
    #[error("its name is kept for the receivers without a name")]
    Kept,
    #[error("its name is there twice")]
    Twice,
    #[error("its address {0}")]
    Address(&'static str),
    #[error("`{0}` is an empty list")]
    Empty(&'static str),
    #[error("`eventTypes` has an unknown type, number {0}")]
    UnknownType(usize),
    #[error("`offers` has an id that is empty, number {0}")]
    NoOffer(usize),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Entry {
    name: Option<String>,
    url: Option<String>,
    event_types: Option<Vec<String>>,
    offers: Option<Vec<String>>,
    from: Option<Timestamp>,
}

impl FromStr for Endpoints {
    type Err = EndpointsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let entries: Vec<Box<RawValue>> = serde_json::from_str(text).map_err(|error| {
            if error.is_data() {
                return EndpointsError::NoList;
            }
            EndpointsError::NotJson { line: error.line(), column: error.column() }
        })?;
        if entries.len() > MOST {
            return Err(EndpointsError::TooMany);
        }
        let mut endpoints: Vec<NamedEndpoint> = Vec::new();
        for (number, entry) in (1..).zip(&entries) {
            let wrong = |problem| EndpointsError::Endpoint { number, problem };
            let endpoint = named(entry.get()).map_err(wrong)?;
            let target = endpoint.receiver.target;
            if endpoints.iter().any(|earlier| earlier.receiver.target == target) {
                return Err(wrong(EndpointProblem::Twice));
            }
            endpoints.push(endpoint);
        }
        Ok(Self(endpoints))
    }
}

fn named(text: &str) -> Result<NamedEndpoint, EndpointProblem> {
    // serde would accept a list in place of an object.
    let entry: Option<Entry> =
        text.starts_with('{').then(|| serde_json::from_str(text).ok()).flatten();
    let Entry { name, url, event_types, offers, from } = entry.ok_or(EndpointProblem::Form)?;
    let target: Target = name.ok_or(EndpointProblem::Missing("name"))?.parse()?;
    if Target::UNNAMED.contains(&target) {
        return Err(EndpointProblem::Kept);
    }
    let url: HttpsAddress =
        url.ok_or(EndpointProblem::Missing("url"))?.parse().map_err(EndpointProblem::Address)?;
    let is_type = |name: &str| cloud_event::is_type(name);
    let event_types = words("eventTypes", event_types, is_type, EndpointProblem::UnknownType)?;
    let is_offer = |offer: &str| !offer.trim().is_empty();
    let offers = words("offers", offers, is_offer, EndpointProblem::NoOffer)?;
    let filter = EventFilter { event_types, offers };
    Ok(NamedEndpoint { receiver: ReceiverSettings { target, filter, from }, url: url.0 })
}

fn words(
    list: &'static str,
    words: Option<Vec<String>>,
    is_right: impl Fn(&str) -> bool,
    wrong: impl Fn(usize) -> EndpointProblem,
) -> Result<Option<BTreeSet<String>>, EndpointProblem> {
    let Some(words) = words else { return Ok(None) };
    if words.is_empty() {
        return Err(EndpointProblem::Empty(list));
    }
    match words.iter().position(|word| !is_right(word)) {
        Some(place) => Err(wrong(place + 1)),
        None => Ok(Some(words.into_iter().collect())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<NamedEndpoint>, EndpointsError> {
        text.parse().map(|Endpoints(endpoints)| endpoints)
    }

    #[test]
    fn an_endpoint_has_a_name_an_address_and_what_it_takes() {
        let endpoints = read(
            r#"[{"name":"crm","url":"https://crm.example/events?a=b"},
                {"name":"audit-1","url":"http://127.0.0.1:9/","offers":["seats","flat"],
                 "eventTypes":["saas-fulfillment.subscription.renewed.v1"],
                 "from":"2026-03-10T12:00:00Z"}]"#,
        )
        .expect("two endpoints");
        let [crm, audit] = &endpoints[..] else { panic!("two: {endpoints:?}") };
        let target = |name: &str| name.parse().expect("a name");
        assert_eq!(crm.receiver, ReceiverSettings::of_all(target("crm")));
        assert_eq!(crm.url, "https://crm.example/events?a=b");
        let words = |words: &[&str]| Some(words.iter().map(|&word| word.to_owned()).collect());
        let filter = EventFilter {
            event_types: words(&["saas-fulfillment.subscription.renewed.v1"]),
            offers: words(&["flat", "seats"]),
        };
        let from = Some("2026-03-10T12:00:00Z".parse().expect("a time"));
        assert_eq!(audit.receiver, ReceiverSettings { target: target("audit-1"), filter, from });
        assert!(read("[]").expect("none").is_empty());
    }

    #[test]
    fn a_wrong_endpoint_is_named_by_its_place_and_not_repeated() {
        use EndpointProblem::*;
        let a = r#"{"name":"a","url":"https://a.example"}"#;
        let with = |member: &str| {
            (format!(r#"[{a},{{"name":"zq","url":"https://zq.example",{member}}}]"#), 2)
        };
        let entry = |entry: &str| (format!("[{entry}]"), 1);
        for ((text, number), problem) in [
            (entry("7"), Form),
            (entry(r#"["zq","https://zq.example",null,null,null]"#), Form),
            (with(r#""zq":1"#), Form),
            (with(r#""name":"b""#), Form),
            (with(r#""from":"zq""#), Form),
            (with(r#""offers":"zq""#), Form),
            (with(r#""offers":[]"#), Empty("offers")),
            (with(r#""offers":["zq"," "]"#), NoOffer(2)),
            (with(r#""eventTypes":[]"#), Empty("eventTypes")),
            (
                with(r#""eventTypes":["saas-fulfillment.subscription.renewed.v1","renewed"]"#),
                UnknownType(2),
            ),
            (entry(r#"{"url":"https://zq.example"}"#), Missing("name")),
            (entry(r#"{"name":"zq"}"#), Missing("url")),
            (entry(r#"{"name":"Zq","url":"https://zq.example"}"#), Name(NotAName)),
            (entry(r#"{"name":"endpoint","url":"https://zq.example"}"#), Kept),
            (entry(r#"{"name":"event-bus","url":"https://zq.example"}"#), Kept),
            ((format!("[{a},{a}]"), 2), Twice),
            (
                entry(r#"{"name":"zq","url":"http://zq.example"}"#),
                Address("must be https, except on this machine"),
            ),
        ] {
            let error = read(&text).expect_err(&text);
            assert_eq!(error, EndpointsError::Endpoint { number, problem }, "{text}");
            assert!(!error.to_string().contains("zq"), "{error}");
        }
        let many = format!("[{}]", [a; 6].join(","));
        for (text, error) in [
            ("zq", EndpointsError::NotJson { line: 1, column: 1 }),
            ("[{},", EndpointsError::NotJson { line: 1, column: 4 }),
            (r#"{"zq":1}"#, EndpointsError::NoList),
            (&many, EndpointsError::TooMany),
        ] {
            assert_eq!(read(text).expect_err(text), error, "{text}");
        }
    }
}
