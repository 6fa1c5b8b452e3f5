//! The reconciliation as a Lambda function.

use std::process::ExitCode;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use reconciliation::{Reconciliation, Report};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let reconciliation = match shared::host::lambda::start(Reconciliation::from_environment) {
        Ok(reconciliation) => reconciliation,
        Err(code) => return code,
    };
    // The event does not matter: the checkpoint says where to continue.
    let slice = async |_: LambdaEvent<Value>| -> Result<Report, Error> {
        Ok(reconciliation.slice().await?)
    };
    shared::host::lambda::ended(run(service_fn(slice)).await)
}
