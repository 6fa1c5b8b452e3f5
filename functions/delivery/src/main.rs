//! The delivery of events as a Lambda function.

use std::process::ExitCode;

use delivery::{Delivery, Driver, Records};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, to_value};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let delivery = match shared::host::lambda::start(Delivery::from_environment) {
        Ok(delivery) => delivery,
        Err(code) => return code,
    };
    let handle = async |event: LambdaEvent<Value>| -> Result<Value, Error> {
        Ok(match Records::read(event.payload) {
            Some(records) => to_value(delivery.stream(&records).await)?,
            // Everything else comes from the schedule.
            None => to_value(delivery.sweep(Driver::BesideTheStream).await?)?,
        })
    };
    shared::host::lambda::ended(run(service_fn(handle)).await)
}
