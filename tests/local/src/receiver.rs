//! A receiver of events, as a publisher's product may have one. `cargo local` delivers to it, and
//! it is an example: it verifies each event's signature, ignores repeated events, and answers 204.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use standardwebhooks::Webhook;

use crate::error::LocalError;
use crate::schemas::Schemas;
use crate::server::{Port, Server};
use crate::signature::new_verifier;

/// A running receiver. Stops when it is dropped.
pub struct Receiver {
    url: String,
    key: String,
    product: Arc<Product>,
    _server: Server,
}

struct Product {
    verifier: Webhook,
    schemas: Schemas,
    prints_events: bool,
    received: Mutex<Received>,
}

#[derive(Default)]
struct Received {
    events: Vec<Value>,
    complaints: Vec<String>,
}

impl Receiver {
    /// Starts a receiver on a free port.
    pub async fn start() -> Result<Self, LocalError> {
        Self::start_with(false).await
    }

    /// Starts a receiver that prints each event.
    pub async fn printing() -> Result<Self, LocalError> {
        Self::start_with(true).await
    }

    async fn start_with(prints_events: bool) -> Result<Self, LocalError> {
        let (verifier, key) = new_verifier();
        let product = Arc::new(Product {
            verifier,
            schemas: Schemas::read(),
            prints_events,
            received: Mutex::default(),
        });
        let port = Port::any("the receiver").await?;
        let url = format!("{}/events", port.url);
        let routes = Router::new().route("/events", post(receive)).with_state(product.clone());
        Ok(Self { url, key, product, _server: port.serve(routes) })
    }

    /// The value for `DELIVERY_ENDPOINT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The value for `DELIVERY_SIGNING_KEY`.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The events in the order in which they first arrived.
    pub fn events(&self) -> Vec<Value> {
        self.product.received().events.clone()
    }

    /// What was wrong with the requests so far: invalid signatures, events that no schema describes,
    /// and an id that came again with another content.
    pub fn complaints(&self) -> Vec<String> {
        self.product.received().complaints.clone()
    }
}

impl Product {
    fn received(&self) -> MutexGuard<'_, Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn receive(
    State(product): State<Arc<Product>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    if let Err(error) = product.verifier.verify(&body, &headers) {
        product.received().complaints.push(format!("invalid signature: {error}"));
        return StatusCode::UNAUTHORIZED;
    }
    let Ok(event) = serde_json::from_slice::<Value>(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    let complaints = product.schemas.complaints(&event);
    let mut received = product.received();
    received.complaints.extend(complaints);
    // Delivery is at least once: a repeated event is acknowledged and otherwise ignored.
    let id = event["id"].as_str().unwrap_or_default().to_owned();
    let known = received.events.iter().find(|first| first["id"] == *id);
    match known.map(|first| *first == event) {
        Some(true) => {}
        Some(false) => received.complaints.push(format!("{id} came again with another content")),
        None => {
            if product.prints_events {
                print(&event);
            }
            received.events.push(event);
        }
    }
    StatusCode::NO_CONTENT
}

fn print(event: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let kind = text(&event["type"]);
    let name = kind.rsplit('.').nth(1).unwrap_or(&kind);
    let after = &event["data"]["after"];
    println!(
        "Your product       {} {name:<24} {} {} by {}",
        text(&event["subject"]),
        text(&after["saasSubscriptionStatus"]),
        text(&after["planId"]),
        text(&event["data"]["cause"]["by"]),
    );
}
