//! The environment of most tests, and a check that they share.

use http::StatusCode;

pub(crate) use local::test_env::{Answer, TestEnv};

/// Checks that an answer is a problem (RFC 9457) with this code, and explains itself to people.
#[track_caller]
pub(crate) fn is_problem(answer: &Answer, status: StatusCode, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    let problem = answer.json();
    assert_eq!(problem["code"], code);
    assert_eq!(problem["status"], status.as_u16());
    assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
}
