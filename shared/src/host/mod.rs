//! What every wing may stand on: settings, time, HTTP, retries, secrets and logs. Nothing here
//! knows about subscriptions.

pub mod address;
pub mod clock;
pub mod correlation;
pub mod deadline;
pub mod environment;
pub mod http;
pub mod http_client;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod retry;
pub mod secret;
pub mod telemetry;
pub mod version;
