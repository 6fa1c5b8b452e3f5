//! The publisher's product in the tests of delivery, with scripted behaviour and a manual
//! clock.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use jiff::{SignedDuration, Timestamp};
use local::schemas::Schemas;
use serde_json::{Value, json};
use shared::domain::SubscriptionId;
use shared::host::clock::Clock;
use shared::host::http_client::{SendError, Transport};
use standardwebhooks::{Webhook, WebhookError};
use uuid::Uuid;

/// The key that signs the events.
pub(crate) const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The keys of the endpoints that have names, by their hosts.
pub(crate) const NAMED: [(&str, &str); 2] = [
    ("crm.example", "whsec_Y3JtLWNybS1jcm0tY3JtLWNybS1jcm0tY3Jt"),
    ("audit.example", "whsec_YXVkaXQtYXVkaXQtYXVkaXQtYXVkaXQtYXVkaXQ="),
];

/// A clock that moves only when a test advances it or code waits.
#[derive(Debug)]
pub(crate) struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new("2026-03-10T12:00:00Z".parse().expect("a timestamp"))))
    }

    pub(crate) fn advance(&self, by: SignedDuration) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now += by;
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn sleep(&self, pause: Duration) {
        self.advance(SignedDuration::try_from(pause).expect("a short pause"));
    }

    fn new_id(&self) -> Uuid {
        Uuid::new_v4()
    }
}

static SCHEMAS: LazyLock<Schemas> = LazyLock::new(Schemas::read);

/// How the product treats an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// Accepts it with a 204.
    Accepts,
    /// Accepts it, and closes the connection before it answers.
    AcceptsAndCloses,
    /// Accepts it after the sender's timeout.
    AcceptsTooLate,
    /// Answers with this status.
    Answers(u16),
    /// Answers with this status, and with `Retry-After` in seconds.
    AsksToWait(u16, u64),
    /// Never answers.
    Hangs,
    /// Refuses the connection.
    IsUnreachable,
}

/// An event that arrived at the product.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub at: Timestamp,
    /// Where it arrived.
    pub host: String,
    pub id: String,
    pub subscription: SubscriptionId,
    pub headers: HeaderMap,
    pub body: Bytes,
}

type Script = Box<dyn Fn(&Arrival) -> Behaviour + Send + Sync>;

/// The publisher's product. Verifies signatures and schemas, and remembers every event.
pub(crate) struct Product {
    clock: Arc<ManualClock>,
    script: Mutex<Script>,
    /// The body of every answer.
    says: Mutex<Bytes>,
    checks_schemas: bool,
    state: Mutex<Arrived>,
}

struct Accepted {
    host: String,
    subscription: SubscriptionId,
    id: String,
}

#[derive(Default)]
struct Arrived {
    all: Vec<Arrival>,
    accepted: Vec<Accepted>,
    bus_entries: Vec<Value>,
    bus_refusals: u32,
    urls: BTreeSet<String>,
}

impl std::fmt::Debug for Product {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Product")
    }
}

impl Product {
    /// A product that accepts every event.
    pub(crate) fn new(clock: Arc<ManualClock>, checks_schemas: bool) -> Self {
        let script: Script = Box::new(|_| Behaviour::Accepts);
        let says = Mutex::new(Bytes::from_static(b"any body"));
        Self { clock, script: Mutex::new(script), says, checks_schemas, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, Arrived> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets how the product treats events from now on.
    pub(crate) fn behaves(&self, script: impl Fn(&Arrival) -> Behaviour + Send + Sync + 'static) {
        *self.script.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(script);
    }

    /// Sets the body of every answer from now on.
    pub(crate) fn says(&self, body: &'static [u8]) {
        *self.says.lock().unwrap_or_else(PoisonError::into_inner) = Bytes::from_static(body);
    }

    /// Every event that arrived, accepted or not.
    pub(crate) fn arrivals(&self) -> Vec<Arrival> {
        self.state().all.clone()
    }

    /// The accepted events of a subscription, each once, in the order of their first arrival.
    pub(crate) fn accepted_of(&self, id: SubscriptionId) -> Vec<String> {
        self.accepted_if(|accepted| accepted.subscription == id)
    }

    /// The same at one host.
    pub(crate) fn accepted_at(&self, host: &str, id: SubscriptionId) -> Vec<String> {
        self.accepted_if(|accepted| accepted.subscription == id && accepted.host == host)
    }

    fn accepted_if(&self, is_wanted: impl Fn(&Accepted) -> bool) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let state = self.state();
        let wanted = state.accepted.iter().filter(|accepted| is_wanted(accepted));
        wanted.map(|accepted| accepted.id.clone()).filter(|id| seen.insert(id.clone())).collect()
    }

    /// Every accepted event, with repetitions.
    pub(crate) fn accepted(&self) -> Vec<String> {
        self.state().accepted.iter().map(|accepted| accepted.id.clone()).collect()
    }

    /// The entries on the event bus.
    pub(crate) fn bus_entries(&self) -> Vec<Value> {
        self.state().bus_entries.clone()
    }

    /// The bus answers so many of the next calls with 200, and accepts none of their entries.
    pub(crate) fn bus_refuses(&self, calls: u32) {
        self.state().bus_refusals = calls;
    }

    /// The URLs that were requested.
    pub(crate) fn requested_urls(&self) -> BTreeSet<String> {
        self.state().urls.clone()
    }

    fn arrival(&self, request: &Request<Bytes>) -> Arrival {
        let host = request.uri().host().expect("a host");
        let key = NAMED.into_iter().find(|(named, _)| *named == host).map_or(KEY, |(_, key)| key);
        let webhook = Webhook::new(key).expect("a key");
        verify_at_any_time(&webhook, request.headers(), request.body()).expect("a signature");
        let event: Value = serde_json::from_slice(request.body()).expect("JSON");
        if self.checks_schemas {
            let complaints = SCHEMAS.complaints(&event);
            assert!(complaints.is_empty(), "{complaints:?} about {event}");
        }
        let text = |name: &str| event[name].as_str().expect("text").to_owned();
        assert_eq!(request.headers()["webhook-id"], text("id"));
        Arrival {
            at: self.clock.now(),
            host: host.to_owned(),
            id: text("id"),
            subscription: text("subject").parse().expect("a GUID"),
            headers: request.headers().clone(),
            body: request.body().clone(),
        }
    }

    fn remember(&self, arrival: Arrival, behaviour: Behaviour) {
        let mut state = self.state();
        if matches!(
            behaviour,
            Behaviour::Accepts | Behaviour::AcceptsAndCloses | Behaviour::AcceptsTooLate
        ) {
            let Arrival { host, subscription, id, .. } = arrival.clone();
            state.accepted.push(Accepted { host, subscription, id });
        }
        state.all.push(arrival);
    }

    fn put_on_bus(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let body: Value = serde_json::from_slice(request.body()).expect("JSON");
        let entries = body["Entries"].as_array().expect("entries").clone();
        let mut state = self.state();
        let fails = state.bus_refusals > 0;
        state.bus_refusals = state.bus_refusals.saturating_sub(1);
        let result = |_: &Value| match fails {
            true => json!({ "ErrorCode": "ThrottlingException", "ErrorMessage": "later" }),
            false => json!({ "EventId": Uuid::new_v4() }),
        };
        let results: Vec<_> = entries.iter().map(result).collect();
        let failed = if fails { entries.len() } else { 0 };
        if !fails {
            state.bus_entries.extend(entries);
        }
        let answer = json!({ "FailedEntryCount": failed, "Entries": results }).to_string();
        Response::new(Bytes::from(answer))
    }
}

#[async_trait]
impl Transport for Product {
    async fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        self.state().urls.insert(request.uri().to_string());
        if request.uri().host() == Some("events.example") {
            return Ok(self.put_on_bus(&request));
        }
        let arrival = self.arrival(&request);
        let behaviour = self.script.lock().unwrap_or_else(PoisonError::into_inner)(&arrival);
        self.remember(arrival, behaviour);
        let body = self.says.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut answer = Response::new(body);
        match behaviour {
            Behaviour::Accepts => *answer.status_mut() = http::StatusCode::NO_CONTENT,
            Behaviour::Answers(status) | Behaviour::AsksToWait(status, _) => {
                *answer.status_mut() = http::StatusCode::from_u16(status).expect("a status");
                let elsewhere = "https://elsewhere.example/".parse().expect("an address");
                answer.headers_mut().insert("location", elsewhere);
            }
            Behaviour::Hangs | Behaviour::AcceptsTooLate => {
                self.clock.sleep(timeout).await;
                return Err(SendError::NoAnswer("timeout".into()));
            }
            Behaviour::AcceptsAndCloses => return Err(SendError::NoAnswer("closed".into())),
            Behaviour::IsUnreachable => return Err(SendError::NotConnected("refused".into())),
        }
        if let Behaviour::AsksToWait(_, seconds) = behaviour {
            answer.headers_mut().insert("retry-after", seconds.into());
        }
        Ok(answer)
    }
}

/// Verifies a signature as [`Webhook::verify`] does, but ignores how old it is: these tests move
/// their own clock.
pub(crate) fn verify_at_any_time(
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
