//! The publisher's product: it receives events, decides about changes, and is sometimes unhealthy.

pub(crate) mod bus;
mod health;
mod inbox;
mod named;
mod rotation;
mod signature;

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderValue, Request, Response, StatusCode};
use serde_json::{Value, json};
use shared::store::Target;
use uuid::Uuid;

pub(crate) use bus::{Bus, BusHealth};
pub(crate) use health::{EVENTS, Health};
pub(crate) use inbox::Inbox;
pub(crate) use named::Named;
pub(crate) use rotation::{Rotation, Signed};
pub(crate) use signature::Clocks;
use signature::Refusal;

/// Where it decides about changes.
pub(crate) const DECISIONS: &str = "https://product.sim/decisions";

/// Where the publisher's product receives events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Receivers {
    #[default]
    Endpoint,
    EventBus,
    Both,
    /// An endpoint, and others that have names and come and go.
    Several,
}

impl Receivers {
    /// Those that stay.
    pub(crate) fn targets(self) -> Vec<Target> {
        match self {
            Self::Endpoint | Self::Several => vec![Target::Endpoint],
            Self::EventBus => vec![Target::EventBus],
            Self::Both => Target::UNNAMED.to_vec(),
        }
    }
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

#[derive(Default)]
pub struct Product {
    pub health: Health,
    /// `None`: the publisher's settings don't ask the product about changes.
    pub opinion: Option<Opinion>,
    pub(crate) receivers: Receivers,
    pub(crate) bus: Bus,
    pub(crate) endpoint: Inbox,
    /// Those of [`Receivers::Several`].
    pub(crate) named: Vec<Named>,
    pub(crate) keys: Rotation,
}

impl Product {
    /// Answers a request. `Err`: the request should never have been sent.
    pub(crate) fn call(
        &mut self,
        request: &Request<Bytes>,
        clocks: Clocks,
    ) -> Result<Response<Bytes>, String> {
        let path = request.uri().path();
        let is_to = |named: &&mut Named| named.url().path() == path;
        if let Some(named) = self.named.iter_mut().find(is_to) {
            return named.call(request, clocks);
        }
        let is_event = path == "/events";
        let signed = if is_event { Signed::Events } else { Signed::Questions };
        let id = match signature::verify(request, &self.keys.held(signed), clocks) {
            Ok(id) => id,
            Err(Refusal::Signature) if is_event && self.keys.may_be_outdated(clocks.microsoft) => {
                let mut answer = Response::new(Bytes::new());
                *answer.status_mut() = StatusCode::UNAUTHORIZED;
                return Ok(answer);
            }
            Err(refusal) => {
                return Err(format!("the product refuses one of the {signed:?}: {refusal:?}"));
            }
        };
        let body: Value = serde_json::from_slice(request.body())
            .map_err(|error| format!("the product received a body that isn't JSON: {error}"))?;
        if is_event && body["id"] != id {
            return Err(format!("the product received {} as {id}", body["id"]));
        }
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = match self.health {
            _ if is_event && self.endpoint.fails(&body) => StatusCode::INTERNAL_SERVER_ERROR,
            health => health.status(),
        };
        if self.health == Health::Overloaded {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("90"));
        }
        if !answer.status().is_success() {
            return Ok(answer);
        }
        if is_event {
            let received = self.endpoint.receive(&body);
            received.map_err(|what| format!("the product: {what}"))?;
        } else {
            *answer.body_mut() = self.decide(&body);
        }
        Ok(answer)
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

    /// What each receiver that stays has received.
    pub(crate) fn inboxes(&self) -> impl Iterator<Item = (Target, &Inbox)> {
        self.receivers.targets().into_iter().map(|target| match target {
            Target::Endpoint | Target::Named(_) => (target, &self.endpoint),
            Target::EventBus => (target, &self.bus.inbox),
        })
    }

    /// The configured receivers with names.
    pub(crate) fn configured(&self) -> impl Iterator<Item = &Named> {
        self.named.iter().filter(|named| named.is_configured)
    }

    /// All configured receivers.
    pub(crate) fn targets(&self) -> Vec<Target> {
        let named = self.configured().map(Named::target);
        self.receivers.targets().into_iter().chain(named).collect()
    }

    pub(crate) fn inbox(&mut self, target: Target) -> &mut Inbox {
        let named = self.named.iter_mut().find(|named| named.target() == target);
        match (target, named) {
            (Target::EventBus, _) => &mut self.bus.inbox,
            (_, Some(named)) => &mut named.inbox,
            (_, None) => &mut self.endpoint,
        }
    }

    /// An endpoint becomes healthy or not.
    pub(crate) fn set_health(&mut self, target: Target, health: Health) {
        match self.named.iter_mut().find(|named| named.target() == target) {
            Some(named) => named.health = health,
            None => self.health = health,
        }
    }

    /// Each receiver fails every event.
    pub(crate) fn fail(&mut self) {
        self.health = Health::Broken;
        self.bus.health = BusHealth::Broken;
        for named in &mut self.named {
            named.health = Health::Broken;
        }
    }

    /// Each receiver accepts events again.
    pub(crate) fn recover(&mut self) {
        self.health = Health::Healthy;
        self.bus.health = BusHealth::Healthy;
        self.endpoint.refuses = None;
        self.bus.inbox.refuses = None;
        for named in &mut self.named {
            named.health = Health::Healthy;
            named.inbox.refuses = None;
        }
    }

    pub fn forget(&mut self, subscription: Uuid) {
        self.endpoint.forget(subscription);
        self.bus.inbox.forget(subscription);
        for named in &mut self.named {
            named.inbox.forget(subscription);
        }
    }
}

/// The GUID in an operation's id. The id may have a prefix, which differs from run to run.
pub(crate) fn guid_at_the_end(id: &str) -> Option<Uuid> {
    id.get(id.len().checked_sub(36)?..)?.parse().ok()
}
