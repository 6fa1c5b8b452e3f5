//! A publisher that sends exactly the requests of a test.

use ::http::Method;
use emulator::{ApiRequest, Purchase, Reply, Settings, World};
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) fn world() -> World {
    World::new(Settings::default())
}

/// A valid request, with API version and token.
pub(crate) fn request(world: &mut World, method: Method, path: &str) -> ApiRequest {
    let token = world.entra().access_token();
    let separator = if path.contains('?') { '&' } else { '?' };
    ApiRequest::new(method, &format!("{path}{separator}api-version=2018-08-31"))
        .with_header("authorization", &format!("Bearer {token}"))
}

pub(crate) fn send(world: &mut World, request: &ApiRequest) -> Reply {
    world.marketplace(request).reply().expect("no fault was set").clone()
}

pub(crate) fn call(world: &mut World, method: Method, path: &str, body: Option<Value>) -> Reply {
    let mut request = request(world, method, path);
    if let Some(body) = body {
        request = request.with_json(&body);
    }
    send(world, &request)
}

pub(crate) fn get(world: &mut World, path: &str) -> Reply {
    call(world, Method::GET, path, None)
}

pub(crate) fn resolve(world: &mut World, token: &str) -> Reply {
    let request = request(world, Method::POST, "/saas/subscriptions/resolve");
    send(world, &request.with_header("x-ms-marketplace-token", token))
}

pub(crate) fn subscription_path(id: Uuid) -> String {
    format!("/saas/subscriptions/{id}")
}

pub(crate) fn operation_path(id: Uuid, operation: Uuid) -> String {
    format!("/saas/subscriptions/{id}/operations/{operation}")
}

pub(crate) fn activate(world: &mut World, id: Uuid) -> Reply {
    call(world, Method::POST, &format!("{}/activate", subscription_path(id)), Some(json!({})))
}

pub(crate) fn acknowledge(world: &mut World, id: Uuid, operation: Uuid, status: &str) -> Reply {
    call(world, Method::PATCH, &operation_path(id, operation), Some(json!({ "status": status })))
}

/// Buys and activates a subscription.
pub(crate) fn active(world: &mut World, purchase: Purchase) -> Uuid {
    let id = world.purchase(purchase);
    assert_eq!(activate(world, id).status, 200);
    id
}

/// Sends every due webhook and answers it with this status. Returns the bodies.
pub(crate) fn answer_webhooks(world: &mut World, status: Option<u16>) -> Vec<Value> {
    let mut bodies = Vec::new();
    for dispatch in world.take_due_deliveries() {
        bodies.push(serde_json::from_slice(&dispatch.body).expect("a webhook's body is JSON"));
        world.delivery_answered(&dispatch, status);
    }
    bodies
}
