//! The reconciliation as a Lambda function.

use std::process::ExitCode;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use reconciliation::{Reconciliation, Report};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let reconciliation = match shared::lambda::start(Reconciliation::from_environment) {
        Ok(reconciliation) => reconciliation,
        Err(code) => return code,
    };
    // What the event says doesn't matter: where to go on is in the table.
    let slice = async |_: LambdaEvent<Value>| -> Result<Report, Error> {
        Ok(reconciliation.slice().await?)
    };
    shared::lambda::ended(run(service_fn(slice)).await)
}
