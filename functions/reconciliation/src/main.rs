//! The reconciliation as a Lambda function.

use std::process::ExitCode;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use reconciliation::{Reconciliation, Report};
use serde_json::Value;
use shared::host::lambda::{ended, invoked, start};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let reconciliation = match start(env!("CARGO_PKG_NAME"), Reconciliation::from_environment) {
        Ok(reconciliation) => reconciliation,
        Err(code) => return code,
    };
    let slice = async |LambdaEvent { context, payload }: LambdaEvent<Value>| {
        Ok::<Report, Error>(invoked(&context, reconciliation.invoke(&payload)).await?)
    };
    ended(run(service_fn(slice)).await)
}
