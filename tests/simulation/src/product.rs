//! The publisher's product: it receives events, decides about changes, and is sometimes unhealthy.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderValue, Request, Response, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

/// Where it receives events.
pub(crate) const EVENTS: &str = "https://product.sim/events";

/// Where it decides about changes.
pub(crate) const DECISIONS: &str = "https://product.sim/decisions";

/// The key that signs both its events and its questions.
pub(crate) const KEY: &str = "whsec_c2ltdWxhdGlvbi1zaW11bGF0aW9uLXNpbXVsYXRpb24=";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    #[default]
    Healthy,
    /// It answers with 500.
    Broken,
    /// It answers with 503 and `Retry-After`.
    Overloaded,
    /// It answers with 410.
    Gone,
    /// It answers with 200, but gives no decision.
    Confused,
}

impl Health {
    pub const ALL: [Self; 5] =
        [Self::Healthy, Self::Broken, Self::Overloaded, Self::Gone, Self::Confused];
}

/// How the product decides about changes. It always decides the same about the same change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opinion {
    Accepts,
    Rejects,
    /// It rejects one change in three, chosen by this number.
    Differs(u128),
}

impl Opinion {
    /// Whether the product rejects this operation.
    pub fn rejects(self, operation: Uuid) -> bool {
        match self {
            Self::Accepts => false,
            Self::Rejects => true,
            Self::Differs(salt) => (operation.as_u128() ^ salt).is_multiple_of(3),
        }
    }
}

struct ReceivedEvent {
    id: String,
    sequence: String,
    after: Value,
}

#[derive(Default)]
pub struct Product {
    pub health: Health,
    /// `None`: the publisher's settings don't ask the product about changes.
    pub opinion: Option<Opinion>,
    received: BTreeMap<Uuid, Vec<ReceivedEvent>>,
}

impl Product {
    /// Answers a request. `Err`: the request should never have been sent.
    pub fn call(&mut self, request: &Request<Bytes>) -> Result<Response<Bytes>, String> {
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = match self.health {
            Health::Healthy | Health::Confused => StatusCode::OK,
            Health::Broken => StatusCode::INTERNAL_SERVER_ERROR,
            Health::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Health::Gone => StatusCode::GONE,
        };
        if self.health == Health::Overloaded {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("90"));
        }
        if !answer.status().is_success() {
            return Ok(answer);
        }
        let body: Value = serde_json::from_slice(request.body())
            .map_err(|error| format!("the product received a body that isn't JSON: {error}"))?;
        match request.uri().path() {
            "/events" => self.receive(&body)?,
            _ => *answer.body_mut() = self.decide(&body),
        }
        Ok(answer)
    }

    /// Receives an event. It ignores repeated ids, as every receiver must, and refuses an event
    /// that arrives after a later one.
    fn receive(&mut self, event: &Value) -> Result<(), String> {
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        let subscription =
            text("subject").parse().map_err(|_| "an event has no subscription".to_owned())?;
        let received = self.received.entry(subscription).or_default();
        let (id, sequence) = (text("id"), text("sequence"));
        if received.iter().any(|event| event.id == id) {
            return Ok(());
        }
        if let Some(last) = received.last()
            && last.sequence >= sequence
        {
            return Err(format!("the product received {id} after {}", last.id));
        }
        received.push(ReceivedEvent { id, sequence, after: event["data"]["after"].clone() });
        Ok(())
    }

    fn decide(&self, question: &Value) -> Bytes {
        let operation = question["operationId"].as_str().and_then(guid_at_the_end);
        let (Some(opinion), Some(operation), Health::Healthy) =
            (self.opinion, operation, self.health)
        else {
            return Bytes::from_static(b"{\"decision\":\"later\"}");
        };
        let decision = if opinion.rejects(operation) { "reject" } else { "accept" };
        Bytes::from(json!({ "decision": decision, "reason": "so it is" }).to_string())
    }

    /// The ids of a subscription's events, in the order in which they first arrived.
    pub fn received(&self, subscription: Uuid) -> Vec<&str> {
        let events = self.received.get(&subscription).into_iter().flatten();
        events.map(|event| event.id.as_str()).collect()
    }

    /// The subscription's state after the last event.
    pub fn last_state(&self, subscription: Uuid) -> Option<&Value> {
        Some(&self.received.get(&subscription)?.last()?.after)
    }

    pub fn forget(&mut self, subscription: Uuid) {
        self.received.remove(&subscription);
    }
}

/// The GUID in an operation's id. The id may have a prefix, which differs from run to run.
pub(crate) fn guid_at_the_end(id: &str) -> Option<Uuid> {
    id.get(id.len().checked_sub(36)?..)?.parse().ok()
}
