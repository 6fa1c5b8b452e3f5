//! A receiver of events, as a publisher's product may have one: what `cargo local` tells, and an
//! example of what to do about what arrives.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use standardwebhooks::{Webhook, WebhookError};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::schemas::Schemas;
use crate::stage::StageError;

/// A running receiver; ends when it is dropped.
pub struct Receiver {
    url: String,
    key: String,
    product: Arc<Product>,
    serving: JoinHandle<()>,
}

/// Which clock the sender goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SenderClock {
    /// The machine's: what was signed long ago is refused.
    Machine,
    /// The emulator's own.
    Emulated,
}

/// The product: what it has taken, and what it refused.
struct Product {
    webhook: Webhook,
    clock: SenderClock,
    schemas: Schemas,
    state: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    ids: BTreeSet<String>,
    events: Vec<Value>,
    complaints: Vec<String>,
}

impl Receiver {
    /// Starts a receiver on a free port.
    pub async fn start(clock: SenderClock) -> Result<Self, StageError> {
        let failed = |error: &dyn std::fmt::Display| StageError(format!("the receiver: {error}"));
        let random = [uuid::Uuid::new_v4().into_bytes(), uuid::Uuid::new_v4().into_bytes()];
        let key = format!("whsec_{}", STANDARD.encode(random.concat()));
        let product = Arc::new(Product {
            webhook: Webhook::new(&key).map_err(|error| failed(&error))?,
            clock,
            schemas: Schemas::read(),
            state: Mutex::default(),
        });
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(|error| failed(&error))?;
        let address = listener.local_addr().map_err(|error| failed(&error))?;
        let routes = Router::new().route("/events", post(take)).with_state(product.clone());
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, routes).await {
                tracing::error!(%error, "the receiver ended");
            }
        });
        Ok(Self { url: format!("http://{address}/events"), key, product, serving })
    }

    /// Where it is; for `DELIVERY_ENDPOINT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it checks signatures with; for `DELIVERY_SIGNING_KEY`.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What it has taken, in the order in which it came.
    pub fn events(&self) -> Vec<Value> {
        self.product.state().events.clone()
    }

    /// What it had to refuse or wonder about.
    pub fn complaints(&self) -> Vec<String> {
        self.product.state().complaints.clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Takes an event: is it genuine, was it here before, and what does it say?
async fn take(State(product): State<Arc<Product>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if let Err(error) = product.verify(&headers, &body) {
        product.state().complaints.push(format!("a signature: {error}"));
        return StatusCode::UNAUTHORIZED;
    }
    let Ok(event) = serde_json::from_slice::<Value>(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    let wrong = product.schemas.complaints(&event);
    let mut state = product.state();
    state.complaints.extend(wrong);
    // At least once: what was taken before is taken again, and nothing happens.
    let id = event["id"].as_str().unwrap_or_default().to_owned();
    if state.ids.insert(id) {
        if product.clock == SenderClock::Machine {
            show(&event);
        }
        state.events.push(event);
    }
    StatusCode::NO_CONTENT
}

impl Product {
    fn state(&self) -> MutexGuard<'_, Taken> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), WebhookError> {
        match self.clock {
            SenderClock::Machine => self.webhook.verify(body, headers),
            SenderClock::Emulated => signed_at_any_time(&self.webhook, headers, body),
        }
    }
}

/// What the library checks, without a look at the machine's clock.
pub fn signed_at_any_time(
    webhook: &Webhook,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), WebhookError> {
    let header = |name: &'static str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.ok_or(WebhookError::MissingHeader(name))
    };
    let at = header("webhook-timestamp")?.parse();
    let at = at.map_err(|_| WebhookError::InvalidTimestamp)?;
    let expected = webhook.sign(header("webhook-id")?, at, body)?;
    let mut signatures = header("webhook-signature")?.split(' ');
    signatures
        .any(|signature| signature == expected)
        .then_some(())
        .ok_or(WebhookError::InvalidSignature)
}

fn show(event: &Value) {
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
