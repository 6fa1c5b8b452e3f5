//! The examination behind the Azure Functions host, where a timer starts it.

use std::path::Path;

use local::Options;
use local::test_env::TestEnv;

use crate::azure::Azure;
use crate::process::Variables;
use crate::{Event, Live};

/// Checks that the timer examines the deployment, and that the API shows what it found.
///
/// # Panics
/// When a check fails.
pub async fn azure_examines_the_deployment_on_the_timer(binary: &Path) {
    let mut options = Options::default();
    options.emulator.live = true;
    let env = TestEnv::with(options).await;
    let mut azure = Azure::start(binary, &env.system, Variables::new()).await;
    let tick = Event::load("reconciliation", "scheduled", &Live::default());
    let found = azure.invoke("examination", &tick).await.expect("a timer's answer").json();
    let ask = Event::load("management", "last-examination", &Live::default());
    let last = azure.invoke("management", &ask).await.expect("an answer");
    azure.end().await;
    assert!(found["checks"].as_array().is_some_and(|checks| checks.len() > 11), "{found}");
    assert_eq!((last.status, last.json()), (200, found));
}
