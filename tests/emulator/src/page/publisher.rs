//! Fetches the publisher's record of a subscription, which the page compares with Microsoft's.

use crate::handle::Emulator;
use crate::http::response;
use crate::wire::Reply;
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

const TIMEOUT: Duration = Duration::from_secs(3);

pub(super) async fn record(State(emulator): State<Emulator>, Path(id): Path<Uuid>) -> Response {
    let base = emulator.world(|world| world.settings().publisher_url.clone());
    let Some(base) = base else {
        return response(Reply::empty(404));
    };
    let address = format!("{}/subscriptions/{id}", base.trim_end_matches('/'));
    let body = match emulator.client().get(address).timeout(TIMEOUT).send().await {
        Err(_) => json!({ "said": "not reachable" }),
        Ok(answer) if answer.status().as_u16() == 404 => json!({ "said": "no record" }),
        Ok(answer) if !answer.status().is_success() => {
            json!({ "said": format!("answered {}", answer.status().as_u16()) })
        }
        Ok(answer) => {
            let text = answer.text().await.unwrap_or_default();
            summary(&serde_json::from_str(&text).unwrap_or(Value::Null))
        }
    };
    response(Reply::json(200, &body))
}

/// The members to compare. The publisher may keep them in `subscription` or beside it.
fn summary(record: &Value) -> Value {
    let find = |names: &[&str]| {
        let places = [record.get("subscription"), Some(record)];
        places
            .into_iter()
            .flatten()
            .flat_map(|place| names.iter().filter_map(|name| place.get(name)))
            .next()
            .cloned()
            .unwrap_or(Value::Null)
    };
    json!({
        "status": find(&["saasSubscriptionStatus", "status"]),
        "plan": find(&["planId"]),
        "seats": find(&["quantity"]),
        "version": find(&["version"]),
    })
}
