//! What a publisher's product may have behind `DECISION_URL`: it checks who asks, and decides. An
//! example of that, and for tests and plays a product that says what it is told to say.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use standardwebhooks::{Webhook, WebhookError};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::receiver::{SenderClock, signed_at_any_time};
use crate::stage::StageError;

/// A running product that decides; ends when it is dropped.
pub struct Decider {
    url: String,
    key: String,
    product: Arc<Product>,
    serving: JoinHandle<()>,
}

/// What the product says, from now on.
#[derive(Clone, Debug)]
pub enum Says {
    /// What its own rules say.
    WhatItThinks,
    /// Yes.
    Accept,
    /// No, and why.
    Reject(String),
    /// This status and body.
    Answer(u16, String),
    /// Nothing, ever.
    Nothing,
}

struct Product {
    webhook: Webhook,
    clock: SenderClock,
    state: Mutex<Asked>,
}

struct Asked {
    says: Says,
    /// What was asked, and under which id.
    questions: Vec<(String, Value)>,
    complaints: Vec<String>,
}

impl Decider {
    /// Starts a product on a free port.
    pub async fn start(clock: SenderClock) -> Result<Self, StageError> {
        let failed = |error: &dyn std::fmt::Display| StageError(format!("the decider: {error}"));
        let random = [uuid::Uuid::new_v4().into_bytes(), uuid::Uuid::new_v4().into_bytes()];
        let key = format!("whsec_{}", STANDARD.encode(random.concat()));
        let state =
            Asked { says: Says::WhatItThinks, questions: Vec::new(), complaints: Vec::new() };
        let product = Arc::new(Product {
            webhook: Webhook::new(&key).map_err(|error| failed(&error))?,
            clock,
            state: Mutex::new(state),
        });
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(|error| failed(&error))?;
        let address = listener.local_addr().map_err(|error| failed(&error))?;
        let routes = Router::new().route("/decisions", post(decide)).with_state(product.clone());
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, routes).await {
                tracing::error!(%error, "the decider ended");
            }
        });
        Ok(Self { url: format!("http://{address}/decisions"), key, product, serving })
    }

    /// The settings of functions that ask it.
    pub fn settings(&self) -> BTreeMap<String, String> {
        let settings = [("DECISION_URL", &self.url), ("DECISION_SIGNING_KEY", &self.key)];
        settings.map(|(name, value)| (name.to_owned(), value.clone())).into()
    }

    /// From now on it says this.
    pub fn says(&self, says: Says) {
        self.product.state().says = says;
    }

    /// What it was asked, in order; each with the id it was asked under.
    pub fn questions(&self) -> Vec<(String, Value)> {
        self.product.state().questions.clone()
    }

    /// What it had to refuse.
    pub fn complaints(&self) -> Vec<String> {
        self.product.state().complaints.clone()
    }
}

impl Drop for Decider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Decides: is the question genuine, and what does the product think of it?
async fn decide(State(product): State<Arc<Product>>, headers: HeaderMap, body: Bytes) -> Response {
    if let Err(error) = product.verify(&headers, &body) {
        product.state().complaints.push(format!("a signature: {error}"));
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Ok(question) = serde_json::from_slice::<Value>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let id = headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    let says = {
        let mut state = product.state();
        state.questions.push((id.to_owned(), question.clone()));
        state.says.clone()
    };
    match says {
        Says::WhatItThinks => decided(&think(&question)),
        Says::Accept => decided(&json!({ "decision": "accept" })),
        Says::Reject(reason) => decided(&json!({ "decision": "reject", "reason": reason })),
        Says::Answer(status, body) => {
            (StatusCode::from_u16(status).unwrap_or_default(), body).into_response()
        }
        Says::Nothing => std::future::pending().await,
    }
}

fn decided(decision: &Value) -> Response {
    ([(CONTENT_TYPE, "application/json")], decision.to_string()).into_response()
}

/// As an example: whoever has more seats than another plan sells stays on the plan there is.
fn think(question: &Value) -> Value {
    let seats = question["subscription"]["quantity"].as_u64();
    let most = question["limits"]["maxQuantity"].as_u64();
    match seats.zip(most) {
        Some((seats, most)) if question["change"]["of"] == "plan" && seats > most => {
            json!({ "decision": "reject", "reason": format!("{seats} seats are too many for it") })
        }
        _ => json!({ "decision": "accept" }),
    }
}

impl Product {
    fn state(&self) -> MutexGuard<'_, Asked> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), WebhookError> {
        match self.clock {
            SenderClock::Machine => self.webhook.verify(body, headers),
            SenderClock::Emulated => signed_at_any_time(&self.webhook, headers, body),
        }
    }
}
