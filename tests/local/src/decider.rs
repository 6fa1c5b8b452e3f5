//! A decision endpoint, as a publisher's product may have one behind `DECISION_URL`. It is an
//! example: it verifies the question's signature and applies a rule of its own. Tests set its reply
//! instead.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use crate::error::LocalError;
use crate::server::{Port, Server};
use crate::signature::new_verifier;

/// A running decision endpoint. Stops when it is dropped.
pub struct Decider {
    url: String,
    key: String,
    product: Arc<Product>,
    _server: Server,
}

/// How the product replies to questions.
#[derive(Clone, Debug)]
pub enum Reply {
    /// By its own rule, `decide`.
    ByRule,
    Accept,
    /// With this reason.
    Reject(String),
    /// With this status and body.
    Raw(u16, String),
    /// Never: the connection stays open.
    Never,
}

struct Product {
    verifier: Webhook,
    state: Mutex<ProductState>,
}

struct ProductState {
    reply: Reply,
    /// The questions, each with its `webhook-id`.
    questions: Vec<(String, Value)>,
    complaints: Vec<String>,
}

impl Decider {
    /// Starts a decision endpoint on a free port.
    pub async fn start() -> Result<Self, LocalError> {
        let (verifier, key) = new_verifier();
        let state =
            ProductState { reply: Reply::ByRule, questions: Vec::new(), complaints: Vec::new() };
        let product = Arc::new(Product { verifier, state: Mutex::new(state) });
        let port = Port::any("the decider").await?;
        let url = format!("{}/decisions", port.url);
        let routes = Router::new().route("/decisions", post(answer)).with_state(product.clone());
        Ok(Self { url, key, product, _server: port.serve(routes) })
    }

    /// The settings of functions that ask this endpoint.
    pub fn settings(&self) -> BTreeMap<String, String> {
        let settings = [("DECISION_URL", &self.url), ("DECISION_SIGNING_KEY", &self.key)];
        settings.map(|(name, value)| (name.to_owned(), value.clone())).into()
    }

    /// Replies to all questions like this from now on.
    pub fn reply_with(&self, reply: Reply) {
        self.product.state().reply = reply;
    }

    /// The questions so far, in order, each with its `webhook-id`.
    pub fn questions(&self) -> Vec<(String, Value)> {
        self.product.state().questions.clone()
    }

    /// The signatures that were invalid.
    pub fn complaints(&self) -> Vec<String> {
        self.product.state().complaints.clone()
    }
}

impl Product {
    fn state(&self) -> MutexGuard<'_, ProductState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn answer(State(product): State<Arc<Product>>, headers: HeaderMap, body: Bytes) -> Response {
    if let Err(error) = product.verifier.verify(&body, &headers) {
        product.state().complaints.push(format!("invalid signature: {error}"));
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Ok(question) = serde_json::from_slice::<Value>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let id = headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    let reply = {
        let mut state = product.state();
        state.questions.push((id.to_owned(), question.clone()));
        state.reply.clone()
    };
    match reply {
        Reply::ByRule => decision(&decide(&question)),
        Reply::Accept => decision(&json!({ "decision": "accept" })),
        Reply::Reject(reason) => decision(&json!({ "decision": "reject", "reason": reason })),
        Reply::Raw(status, body) => {
            (StatusCode::from_u16(status).unwrap_or_default(), body).into_response()
        }
        Reply::Never => std::future::pending().await,
    }
}

fn decision(decision: &Value) -> Response {
    ([(CONTENT_TYPE, "application/json")], decision.to_string()).into_response()
}

/// An example of a rule: a subscription with more seats than the new plan sells stays on its plan.
fn decide(question: &Value) -> Value {
    let seats = question["subscription"]["quantity"].as_u64();
    let most = question["limits"]["maxQuantity"].as_u64();
    match seats.zip(most) {
        Some((seats, most)) if question["change"]["of"] == "plan" && seats > most => {
            json!({ "decision": "reject", "reason": format!("{seats} seats are too many for it") })
        }
        _ => json!({ "decision": "accept" }),
    }
}
