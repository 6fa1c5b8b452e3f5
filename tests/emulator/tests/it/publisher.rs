//! A publisher that sends exactly what it is told to.

use ::http::Method;
use emulator::{ApiRequest, Purchase, Reply, Settings, World};
use serde_json::{Value, json};
use uuid::Uuid;

pub fn world() -> World {
    World::new(Settings::default())
}

/// A request as it should be: version and token are there.
pub fn request(world: &mut World, method: Method, path: &str) -> ApiRequest {
    let token = world.entra().access_token();
    let separator = if path.contains('?') { '&' } else { '?' };
    ApiRequest::new(method, &format!("{path}{separator}api-version=2018-08-31"))
        .with_header("authorization", &format!("Bearer {token}"))
}

pub fn send(world: &mut World, request: &ApiRequest) -> Reply {
    world.marketplace(request).reply().expect("no fault was set").clone()
}

pub fn call(world: &mut World, method: Method, path: &str, body: Option<Value>) -> Reply {
    let mut request = request(world, method, path);
    if let Some(body) = body {
        request = request.with_json(&body);
    }
    send(world, &request)
}

pub fn get(world: &mut World, path: &str) -> Reply {
    call(world, Method::GET, path, None)
}

pub fn resolve(world: &mut World, token: &str) -> Reply {
    let request = request(world, Method::POST, "/saas/subscriptions/resolve");
    send(world, &request.with_header("x-ms-marketplace-token", token))
}

pub fn subscription_path(id: Uuid) -> String {
    format!("/saas/subscriptions/{id}")
}

pub fn operation_path(id: Uuid, operation: Uuid) -> String {
    format!("/saas/subscriptions/{id}/operations/{operation}")
}

pub fn activate(world: &mut World, id: Uuid) -> Reply {
    call(world, Method::POST, &format!("{}/activate", subscription_path(id)), Some(json!({})))
}

pub fn acknowledge(world: &mut World, id: Uuid, operation: Uuid, status: &str) -> Reply {
    call(world, Method::PATCH, &operation_path(id, operation), Some(json!({ "status": status })))
}

/// An active subscription.
pub fn active(world: &mut World, purchase: Purchase) -> Uuid {
    let id = world.purchase(purchase);
    assert_eq!(activate(world, id).status, 200);
    id
}

/// Sends what is due and answers every webhook with this status. Returns the bodies.
pub fn answer_webhooks(world: &mut World, status: Option<u16>) -> Vec<Value> {
    let mut bodies = Vec::new();
    for dispatch in world.take_due_deliveries() {
        bodies.push(serde_json::from_slice(&dispatch.body).expect("a webhook's body is JSON"));
        world.delivery_answered(&dispatch, status);
    }
    bodies
}
