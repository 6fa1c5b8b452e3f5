//! The test event: it takes the way of every event, so that its arrival proves stream, delivery,
//! signature and product together.

use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};

use super::check::Check;
use crate::api::{Api, ApiCall};
use crate::command_error::CommandError;
use crate::table::text;

const CHECK: &str = "test-event";

const PLACE: &str = "Parameters DeliveryEndpoint, DeliveryEventBusArn and the secret \
                     DELIVERY_SIGNING_KEY, or your product";

/// The stream hands an event over within a second or two, and the product has some seconds to answer.
const PATIENCE: Duration = Duration::from_secs(30);

const POLL: Duration = Duration::from_secs(1);

/// Sends a test event, and waits until every receiver has accepted it.
pub(super) async fn test_event(api: &Api) -> Check {
    match wait(api).await {
        Ok(check) => check,
        Err(failure) => {
            Check::failed(CHECK, format!("Could not send a test event: {failure}."), PLACE)
        }
    }
}

async fn wait(api: &Api) -> Result<Check, CommandError> {
    let send = ApiCall::at(Method::POST, "/doctor/test-event".to_owned()).body(json!({}));
    let sent = api.call(&send).await?;
    let id = text(&sent.body["id"]);
    let began = Instant::now();
    loop {
        let read = ApiCall::at(Method::GET, format!("/doctor/test-event/{id}"));
        let event = api.call(&read).await?.body;
        let is_over = began.elapsed() >= PATIENCE;
        match event["state"].as_str() {
            Some("delivered") => {
                return Ok(Check::ok(CHECK, "Every receiver has accepted a test event."));
            }
            Some("failed") => {
                let says = format!("The test event {id} was refused: {}.", reasons(&event));
                return Ok(Check::failed(CHECK, says, PLACE));
            }
            _ if is_over => {
                let says = format!(
                    "After {} seconds, no attempt was made to deliver {id}: the table's stream does \
                     not invoke the delivery, or the delivery does not start. Read its log.",
                    PATIENCE.as_secs()
                );
                return Ok(Check::failed(CHECK, says, PLACE));
            }
            _ => tokio::time::sleep(POLL).await,
        }
    }
}

fn reasons(event: &Value) -> String {
    let receivers = event["receivers"].as_array().into_iter().flatten();
    let refused = receivers.filter(|receiver| !receiver["lastError"].is_null());
    let reason = |receiver: &Value| {
        format!("{}: {}", text(&receiver["receiver"]), text(&receiver["lastError"]))
    };
    refused.map(reason).collect::<Vec<_>>().join("; ")
}
