//! Whether a test event arrives.

use serde_json::Value;

use super::check::Check;
use crate::api::Api;
use crate::command_error::CommandError;
use crate::table::text;
use crate::test_event::{PATIENCE, Seen, Wanted, send};

const CHECK: &str = "test-event";

const PLACE: &str = "Parameters DeliveryEndpoint, DeliveryEventBusArn and the secret \
                     DELIVERY_SIGNING_KEY, or your product";

/// Sends a test event, and waits until every receiver has accepted it.
pub(super) async fn test_event(api: &Api) -> Check {
    match arrival(api).await {
        Ok(check) => check,
        Err(failure) => {
            Check::failed(CHECK, format!("Could not send a test event: {failure}."), PLACE)
        }
    }
}

async fn arrival(api: &Api) -> Result<Check, CommandError> {
    let Seen { event, .. } = send(api, Wanted::default(), PATIENCE).await?;
    let says = match event["state"].as_str() {
        Some("delivered") => {
            return Ok(Check::ok(CHECK, "Every receiver has accepted a test event."));
        }
        Some("failed") => format!("The test event was refused: {}.", reasons(&event)),
        _ => format!(
            "After {} seconds, no attempt was made to deliver it: the table's stream does \
             not invoke the delivery, or the delivery does not start. Read its log.",
            PATIENCE.as_secs()
        ),
    };
    Ok(Check::failed(CHECK, says, PLACE))
}

fn reasons(event: &Value) -> String {
    let receivers = event["receivers"].as_array().into_iter().flatten();
    let refused = receivers.filter(|receiver| !receiver["lastError"].is_null());
    let reason = |receiver: &Value| {
        format!("{}: {}", text(&receiver["receiver"]), text(&receiver["lastError"]))
    };
    refused.map(reason).collect::<Vec<_>>().join("; ")
}
