//! Compares `template.yaml` and the `function.json` files with the code that they deploy.

mod access;
mod alarms;
mod azure_host;
mod captured;
mod cost;
mod expanded;
mod limits;
mod permissions;
mod preflight;
mod rollout;
mod routes;
mod settings;
mod stack;
mod table;
mod triggers;

use local::{LocalSystem, Options};
use serde_json::Value;

const HTTP_FUNCTIONS: [&str; 4] = ["landing", "activation", "webhook", "management"];

/// A route's `{id}`.
const ID: &str = "6f1d5a2e-0c57-4d0a-9a53-3b8c1e7f0a11";
/// A route's `{operationId}`.
const OPERATION_ID: &str = "c0a1e9d4-7b1f-4a53-8f9e-2d6b5a4c3e22";

/// A local system that serves every route, because every optional setting is set.
async fn system() -> LocalSystem {
    let options = Options::default()
        .with("LANDING_SIGN_IN", "entra")
        .with("DELIVERY_ENDPOINT", "https://product.example/events")
        .with("DELIVERY_SIGNING_KEY", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    LocalSystem::start(options.with("LANDING_LOGO", "data:image/png;base64,iVBORw=="))
        .await
        .expect("the system starts")
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}
