//! The calls about the deployment.

use super::description::Caller;
use crate::test_env::TestEnv;

/// Makes each call with each of its answers.
pub(super) async fn call<'a>(caller: &mut Caller<'a>, without_receivers: &'a TestEnv) {
    caller.get("/doctor/last").await;
    caller.get("/doctor").await;
    caller.get("/doctor/last").await;
    caller.get("/doctor/last?unknown=1").await;
    caller.post("/doctor/test-event?unknown=1", "").await;
    caller.post("/doctor/test-event", r#"{"type":"x"}"#).await;
    caller.post("/doctor/test-event", r#"{"receiver":"x"}"#).await;
    let answer = caller.post("/doctor/test-event", "").await;
    caller.env.system.deliver_events().await.expect("the stream is read");
    for id in [answer.json()["id"].as_str().expect("an id"), "x"] {
        caller.get(&format!("/doctor/test-event/{id}")).await;
        caller.get(&format!("/doctor/test-event/{id}?unknown=1")).await;
    }
    caller.env = without_receivers;
    caller.post("/doctor/test-event", "").await;
    caller.post("/deliveries/recover", r#"{"state":"parked"}"#).await;
}
