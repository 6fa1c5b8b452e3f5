//! The environment of most tests, and a check that they share.

use std::sync::Arc;

use http::StatusCode;
use shared::host::environment::Environment;
use shared::host::http_client::{HttpClient, Transport};
use shared::store::{Checkpoint, DynamoDbStore};

pub(crate) use local::test_env::{Answer, TestEnv};

/// The next slice of the reconciliation goes on in the list at this continuation token.
pub(crate) async fn go_on_at(env: &TestEnv, token: &str) {
    let stored = env.system.checkpoints.checkpoint().await.expect("a checkpoint");
    let there = Checkpoint { next: Some(token.to_owned()), pages: 4, ..stored.reset() };
    env.system.checkpoints.save_checkpoint(&there).await.expect("nobody else saves it");
}

/// Every port of the table.
pub(crate) fn table(env: &TestEnv) -> Arc<DynamoDbStore> {
    let variables = env.system.variables.clone();
    let environment = Environment::from_fn(move |name| variables.get(name).cloned());
    let transport: Arc<dyn Transport> = Arc::new(HttpClient::default());
    let table = shared::config::table(&environment, &transport, env.system.clock.clone());
    table.expect("the settings")
}

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
