//! What every wing may stand on: settings, time, HTTP, retries, secrets and logs. Nothing here
//! knows about subscriptions.

pub mod address;
pub mod aws_signature;
pub mod clock;
pub mod cloudwatch;
pub mod correlation;
pub mod deadline;
pub mod environment;
pub mod error_class;
pub mod http;
pub mod http_client;
pub mod invocation;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod metric;
pub mod origin;
pub mod retry;
pub mod secret;
pub mod step_functions;
pub mod sts;
pub mod telemetry;
pub mod version;
