//! The policies that let people and programs use the publisher's own API.

use std::collections::BTreeSet;

use runtime::deployment::tested;
use saasctl::template::{elements, text};

use super::routes::Route;
use super::{HTTP_FUNCTIONS, ID, OPERATION_ID};

/// What an operator may call beside every `GET`. Ending an active subscription, erasing its people and saying
/// where buyers are sent is left to an admin.
const OPERATES: [(&str, &str); 13] = [
    ("PATCH", "/subscriptions/{id}"),
    ("POST", "/subscriptions/{id}/activate"),
    ("POST", "/subscriptions/{id}/decline"),
    ("POST", "/subscriptions/{id}/notes"),
    ("POST", "/subscriptions/{id}/observe"),
    ("POST", "/subscriptions/{id}/redeliver"),
    ("POST", "/deliveries/recover"),
    ("POST", "/doctor/test-event"),
    ("POST", "/receivers/{name}/pause"),
    ("POST", "/receivers/{name}/resume"),
    ("POST", "/reconciliations"),
    ("POST", "/reconciliations/pause"),
    ("POST", "/reconciliations/resume"),
];

const ADMINISTERS: [(&str, &str); 4] = [
    ("DELETE", "/subscriptions/{id}"),
    ("POST", "/subscriptions/{id}/erase"),
    ("PUT", "/offers"),
    ("DELETE", "/offers"),
];

/// The calls that ask for a signature.
fn signed() -> BTreeSet<Route> {
    let stack = tested();
    let private = HTTP_FUNCTIONS.into_iter().filter(|function| stack.is_private(function));
    private.flat_map(|function| stack.routes(function)).collect()
}

fn named(calls: &[(&str, &str)]) -> BTreeSet<Route> {
    calls.iter().map(|(method, path)| ((*method).to_owned(), (*path).to_owned())).collect()
}

fn read() -> BTreeSet<Route> {
    signed().into_iter().filter(|(method, _)| method == "GET").collect()
}

/// Whether a text is one of those that an IAM pattern stands for. `*` stands for any characters, also `/`.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(start) else { return false };
    (0..=text.len()).any(|at| text.is_char_boundary(at) && fits(rest, &text[at..]))
}

/// The calls of an API and a stage that a policy allows.
fn allowed(policy: &str, api: &str) -> BTreeSet<Route> {
    let stack = tested();
    let document = &stack.properties(policy)["PolicyDocument"];
    let mut patterns = Vec::new();
    for statement in elements(&document["Statement"]) {
        assert_eq!(
            (&statement["Effect"], &statement["Action"]),
            (&"Allow".into(), &"execute-api:Invoke".into())
        );
        patterns.extend(elements(&statement["Resource"]).filter_map(text));
    }
    let is_allowed = |(method, path): &Route| {
        let path = path
            .replace("{id}", ID)
            .replace("{operationId}", OPERATION_ID)
            .replace("{eventId}", OPERATION_ID);
        let call = format!("{api}/$default/{method}{path}");
        patterns.iter().any(|pattern| fits(pattern, &call))
    };
    signed().into_iter().filter(is_allowed).collect()
}

/// The API of the tested stack, as IAM names it.
const API: &str = "arn:aws:execute-api:eu-north-1:123456789012:<Api>";

#[test]
fn a_viewer_reads_an_operator_works_and_an_admin_may_also_end_a_subscription() {
    let viewer = read();
    let operator = &viewer | &named(&OPERATES);
    let admin = &operator | &named(&ADMINISTERS);
    assert_eq!(admin, signed(), "every call belongs to a policy");
    for (policy, may) in
        [("ViewerPolicy", viewer), ("OperatorPolicy", operator), ("AdminPolicy", admin)]
    {
        assert_eq!(allowed(policy, API), may, "{policy}");
        let output = format!("{policy}Arn");
        assert_eq!(tested().output(&output), Some(&*format!("<{policy}>")));
    }
}

#[test]
fn no_policy_reaches_another_api() {
    let another = API.replace("<Api>", "another");
    for policy in ["ViewerPolicy", "OperatorPolicy", "AdminPolicy"] {
        assert_eq!(allowed(policy, &another), BTreeSet::new(), "{policy}");
    }
}
