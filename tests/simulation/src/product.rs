//! The publisher's product: it is told of events, decides about changes, and is not always well.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderValue, Request, Response, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

/// Where it takes events.
pub const EVENTS: &str = "https://product.sim/events";

/// Where it decides about changes.
pub const DECISIONS: &str = "https://product.sim/decisions";

/// What it is told and asked is signed with this.
pub const KEY: &str = "whsec_c2ltdWxhdGlvbi1zaW11bGF0aW9uLXNpbXVsYXRpb24=";

/// How it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    /// It answers.
    #[default]
    Well,
    /// It answers with 500.
    Broken,
    /// It asks to be left alone for a while.
    Overloaded,
    /// It answers with 410.
    Gone,
    /// It answers with 200, and with no decision.
    Confused,
}

impl Mood {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Well, Self::Broken, Self::Overloaded, Self::Gone, Self::Confused];
}

/// What it decides when it's asked: always the same about the same change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opinion {
    /// Each change is accepted.
    Accepts,
    /// Each change is rejected.
    Rejects,
    /// One in three is rejected, and this number says which.
    Differs(u128),
}

impl Opinion {
    /// Whether it rejects that operation.
    pub fn rejects(self, operation: Uuid) -> bool {
        match self {
            Self::Accepts => false,
            Self::Rejects => true,
            Self::Differs(salt) => (operation.as_u128() ^ salt).is_multiple_of(3),
        }
    }
}

/// An event it has taken.
struct Taken {
    id: String,
    sequence: String,
    after: Value,
}

/// The product.
#[derive(Default)]
pub struct Product {
    /// How it is.
    pub mood: Mood,
    /// What it says about changes; `None`: it isn't asked.
    pub opinion: Option<Opinion>,
    taken: BTreeMap<Uuid, Vec<Taken>>,
}

impl Product {
    /// Answers a request. `Err`: it was told what must never be told.
    pub fn call(&mut self, request: &Request<Bytes>) -> Result<Response<Bytes>, String> {
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = match self.mood {
            Mood::Well | Mood::Confused => StatusCode::OK,
            Mood::Broken => StatusCode::INTERNAL_SERVER_ERROR,
            Mood::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Mood::Gone => StatusCode::GONE,
        };
        if self.mood == Mood::Overloaded {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("90"));
        }
        if !answer.status().is_success() {
            return Ok(answer);
        }
        let said: Value = serde_json::from_slice(request.body())
            .map_err(|error| format!("the product was sent something that isn't JSON: {error}"))?;
        match request.uri().path() {
            "/events" => self.take(&said)?,
            _ => *answer.body_mut() = self.decide(&said),
        }
        Ok(answer)
    }

    /// Takes an event, and knows again what it has taken before, as a receiver has to.
    fn take(&mut self, event: &Value) -> Result<(), String> {
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        let whose = text("subject").parse().map_err(|_| "an event is nobody's".to_owned())?;
        let taken = self.taken.entry(whose).or_default();
        let (id, sequence) = (text("id"), text("sequence"));
        if taken.iter().any(|taken| taken.id == id) {
            return Ok(());
        }
        if let Some(last) = taken.last()
            && last.sequence >= sequence
        {
            return Err(format!("the product was told of {id} after {}", last.id));
        }
        taken.push(Taken { id, sequence, after: event["data"]["after"].clone() });
        Ok(())
    }

    fn decide(&self, question: &Value) -> Bytes {
        let operation = question["operationId"].as_str().and_then(|id| id.parse().ok());
        let (Some(opinion), Some(operation), Mood::Well) = (self.opinion, operation, self.mood)
        else {
            return Bytes::from_static(b"{\"decision\":\"later\"}");
        };
        let decision = if opinion.rejects(operation) { "reject" } else { "accept" };
        Bytes::from(json!({ "decision": decision, "reason": "so it is" }).to_string())
    }

    /// The ids of a subscription's events, in the order in which it was told of them first.
    pub fn told(&self, whose: Uuid) -> Vec<&str> {
        self.taken.get(&whose).into_iter().flatten().map(|taken| taken.id.as_str()).collect()
    }

    /// What it believes of a subscription: what the last event said of it.
    pub fn believes(&self, whose: Uuid) -> Option<&Value> {
        Some(&self.taken.get(&whose)?.last()?.after)
    }

    /// A subscription it has never been told of.
    pub fn forget(&mut self, whose: Uuid) {
        self.taken.remove(&whose);
    }
}
