//! The delivery of events as a Lambda function.

use std::process::ExitCode;

use delivery::{Delivery, Driver, Records};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, to_value};
use shared::host::lambda::{ended, invoked, start};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let delivery = match start(env!("CARGO_PKG_NAME"), Delivery::from_environment) {
        Ok(delivery) => delivery,
        Err(code) => return code,
    };
    let deliver = async |payload: Value| -> Result<Value, Error> {
        Ok(match Records::read(payload) {
            Some(records) => to_value(delivery.stream(&records).await)?,
            // Everything else comes from the schedule.
            None => to_value(delivery.sweep(Driver::BesideTheStream).await?)?,
        })
    };
    let handle = async |LambdaEvent { payload, context }: LambdaEvent<Value>| {
        invoked(&context, deliver(payload)).await
    };
    ended(run(service_fn(handle)).await)
}
