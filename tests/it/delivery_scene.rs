//! What the tests of the delivery stand on: a table in memory, a clock that is moved by hand, and a
//! product that takes events or doesn't, as a test wants it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use delivery::{Delivery, Driver, Failures, Records, Report};
use http::{HeaderMap, Request, Response};
use jiff::{SignedDuration, Timestamp};
use local::receiver::signed_at_any_time;
use local::schemas::Schemas;
use serde_json::{Value, json};
use shared::config::DeliverySettings;
use shared::domain::{
    Cause, Decision, Event, NextVersion, Observation, Record, SubscriptionId, observe,
};
use shared::host::clock::Clock;
use shared::host::deadline::DeadlineTransport;
use shared::host::environment::Environment;
use shared::host::http_client::{SendError, Transport};
use shared::store::{Commit, Outbox, Store};
use simulation::MemoryStore;
use standardwebhooks::Webhook;
use uuid::Uuid;

/// What events are signed with here.
pub(crate) const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

static SCHEMAS: LazyLock<Schemas> = LazyLock::new(Schemas::read);

/// A clock that stands still unless it is moved; waiting moves it.
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
        self.advance(SignedDuration::try_from(pause).expect("no eternity"));
    }

    fn new_id(&self) -> Uuid {
        Uuid::new_v4()
    }
}

/// What the product does with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Does {
    /// Takes it, and says so.
    Takes,
    /// Takes it, and closes the connection before it has said so.
    TakesAndCloses,
    /// Takes it, a while later than anybody waits for.
    TakesTooLate,
    /// Answers with this status.
    Answers(u16),
    /// Answers with this status, and asks to be left alone for so many seconds.
    Asks(u16, u64),
    /// Never answers.
    Hangs,
    /// Isn't there.
    IsAway,
}

/// An event on its way into the product.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub at: Timestamp,
    pub id: String,
    pub subscription: SubscriptionId,
    pub headers: HeaderMap,
    pub body: Bytes,
}

type Script = Box<dyn Fn(&Arrival) -> Does + Send + Sync>;

/// The publisher's product: takes what is genuine, and remembers everything.
pub(crate) struct Product {
    clock: Arc<ManualClock>,
    script: Mutex<Script>,
    reads_schemas: bool,
    state: Mutex<Arrived>,
}

#[derive(Default)]
struct Arrived {
    all: Vec<Arrival>,
    kept: Vec<(SubscriptionId, String)>,
    on_bus: Vec<Value>,
    addresses: BTreeSet<String>,
}

impl std::fmt::Debug for Product {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Product")
    }
}

impl Product {
    fn state(&self) -> MutexGuard<'_, Arrived> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on it does this.
    pub(crate) fn does(&self, script: impl Fn(&Arrival) -> Does + Send + Sync + 'static) {
        *self.script.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(script);
    }

    /// Everything that arrived, taken or not.
    pub(crate) fn arrivals(&self) -> Vec<Arrival> {
        self.state().all.clone()
    }

    /// What it has taken of a subscription, each event once, in the order of its first coming.
    pub(crate) fn kept(&self, id: SubscriptionId) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let kept = self.state().kept.clone().into_iter().filter(|(whose, _)| *whose == id);
        kept.map(|(_, event)| event).filter(|event| seen.insert(event.clone())).collect()
    }

    /// What it has taken, repetitions included.
    pub(crate) fn taken(&self) -> Vec<String> {
        self.state().kept.iter().map(|(_, event)| event.clone()).collect()
    }

    /// What was put on the bus.
    pub(crate) fn on_bus(&self) -> Vec<Value> {
        self.state().on_bus.clone()
    }

    /// Where it was looked for.
    pub(crate) fn addresses(&self) -> BTreeSet<String> {
        self.state().addresses.clone()
    }

    fn arrival(&self, request: &Request<Bytes>) -> Arrival {
        let webhook = Webhook::new(KEY).expect("a key");
        signed_at_any_time(&webhook, request.headers(), request.body()).expect("a signature");
        let event: Value = serde_json::from_slice(request.body()).expect("JSON");
        if self.reads_schemas {
            let complaints = SCHEMAS.complaints(&event);
            assert!(complaints.is_empty(), "{complaints:?} about {event}");
        }
        let text = |name: &str| event[name].as_str().expect("text").to_owned();
        assert_eq!(request.headers()["webhook-id"], text("id"));
        Arrival {
            at: self.clock.now(),
            id: text("id"),
            subscription: text("subject").parse().expect("a GUID"),
            headers: request.headers().clone(),
            body: request.body().clone(),
        }
    }

    fn remember(&self, arrival: Arrival, does: Does) {
        let mut state = self.state();
        if matches!(does, Does::Takes | Does::TakesAndCloses | Does::TakesTooLate) {
            state.kept.push((arrival.subscription, arrival.id.clone()));
        }
        state.all.push(arrival);
    }

    fn put_on_bus(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let body: Value = serde_json::from_slice(request.body()).expect("JSON");
        let entries = body["Entries"].as_array().expect("entries").clone();
        let taken: Vec<_> = entries.iter().map(|_| json!({ "EventId": Uuid::new_v4() })).collect();
        self.state().on_bus.extend(entries);
        let answer = json!({ "FailedEntryCount": 0, "Entries": taken }).to_string();
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
        self.state().addresses.insert(request.uri().to_string());
        if request.uri().host() == Some("events.example") {
            return Ok(self.put_on_bus(&request));
        }
        let arrival = self.arrival(&request);
        let does = self.script.lock().unwrap_or_else(PoisonError::into_inner)(&arrival);
        self.remember(arrival, does);
        let mut answer = Response::new(Bytes::from_static(b"whatever it says"));
        match does {
            Does::Takes => *answer.status_mut() = http::StatusCode::NO_CONTENT,
            Does::Answers(status) | Does::Asks(status, _) => {
                *answer.status_mut() = http::StatusCode::from_u16(status).expect("a status");
                let elsewhere = "https://elsewhere.example/".parse().expect("an address");
                answer.headers_mut().insert("location", elsewhere);
            }
            Does::Hangs | Does::TakesTooLate => {
                self.clock.sleep(timeout).await;
                return Err(SendError::NoAnswer("timeout".into()));
            }
            Does::TakesAndCloses => return Err(SendError::NoAnswer("closed".into())),
            Does::IsAway => return Err(SendError::NotConnected("refused".into())),
        }
        if let Does::Asks(_, seconds) = does {
            answer.headers_mut().insert("retry-after", seconds.into());
        }
        Ok(answer)
    }
}

/// A table, a product, and a clock; nothing happens unless a test makes it happen.
pub(crate) struct Scene {
    pub table: MemoryStore,
    pub product: Arc<Product>,
    pub clock: Arc<ManualClock>,
    variables: BTreeMap<String, String>,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    /// With these settings beside an endpoint and a key.
    pub(crate) fn with(settings: &[(&str, &str)]) -> Self {
        Self::of(settings, true)
    }

    /// With a product that takes whatever is signed: where thousands of events are told, it's looked
    /// at their order alone.
    pub(crate) fn incurious() -> Self {
        Self::of(&[], false)
    }

    fn of(settings: &[(&str, &str)], reads_schemas: bool) -> Self {
        let clock = ManualClock::new();
        let mut variables = BTreeMap::from([
            ("DELIVERY_ENDPOINT", "https://product.example/events?of=marketplace"),
            ("DELIVERY_SIGNING_KEY", KEY),
            ("TABLE_NAME", "unused"),
            ("AWS_REGION", "eu-north-1"),
            ("AWS_ACCESS_KEY_ID", "key"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_ENDPOINT_URL_EVENTBRIDGE", "https://events.example"),
        ]);
        variables.extend(settings.iter().copied());
        let product = Arc::new(Product {
            clock: clock.clone(),
            script: Mutex::new(Box::new(|_| Does::Takes)),
            reads_schemas,
            state: Mutex::default(),
        });
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let variables = variables.into_iter().map(own).collect();
        Self { table: MemoryStore::default(), product, clock, variables }
    }

    /// The delivery that ships, cold, on this table.
    pub(crate) fn delivery(&self) -> Delivery {
        let (table, product) = (Arc::new(self.table.clone()), self.product.clone());
        self.delivery_on(table, product, self.clock.clone())
    }

    /// The same with something between it and the world.
    pub(crate) fn delivery_on(
        &self,
        outbox: Arc<dyn Outbox>,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Delivery {
        let variables = self.variables.clone();
        let environment = Environment::from_fn(move |name| variables.get(name).cloned());
        let transport: Arc<dyn Transport> =
            Arc::new(DeadlineTransport::new(Shared(transport), clock.clone()));
        let settings = DeliverySettings::require(&environment, &transport, clock.clone());
        let settings = DeliverySettings { outbox, ..settings.expect("the settings are right") };
        Delivery::new(settings, clock)
    }

    /// Records events of a subscription: its purchase, or another plan with other seats.
    pub(crate) async fn record(&self, number: u128, seats: u64) -> Vec<Event> {
        let id = id(number);
        let current = self.table.record(id);
        let change = self.next(id, current.as_ref(), seats);
        let commit = Commit { next: Some(change.clone()), mark: None };
        self.table.commit(id, &commit).await.expect("committed");
        change.events
    }

    fn next(&self, id: SubscriptionId, current: Option<&Record>, seats: u64) -> NextVersion {
        let observed: Result<Observation, _> = serde_json::from_value(json!({
            "id": id, "offerId": "offer", "planId": format!("plan-{seats}"),
            "quantity": seats, "saasSubscriptionStatus": "Subscribed",
            "beneficiary": { "emailId": "a@contoso.example", "tenantId": Uuid::from_u128(7) },
            "term": { "termUnit": "P1M", "startDate": "2026-03-04", "endDate": "2026-04-03" },
        }));
        // Younger than whatever was recorded at this moment.
        let younger = self.clock.now() + SignedDuration::from_nanos(1);
        let observed = observed.expect("an observation").as_of(Some(younger));
        let cause = Cause::Reconciliation;
        match observe(current, &observed, &cause, self.clock.now()) {
            Ok(Decision::Commit(change)) => change,
            other => panic!("nothing to commit: {other:?}"),
        }
    }

    /// The stream tells of these events.
    pub(crate) async fn stream(&self, events: &[Event]) -> Failures {
        self.delivery().stream(&records(events)).await
    }

    pub(crate) async fn sweep(&self) -> Report {
        let delivery = self.delivery();
        delivery.sweep(Driver::BesideTheStream).await.expect("the table is there")
    }

    /// Lets time pass, with a sweep every minute.
    pub(crate) async fn minutes(&self, minutes: u32) {
        for _ in 0..minutes {
            self.clock.advance(SignedDuration::from_secs(60));
            self.sweep().await;
        }
    }

    /// The ids of a subscription's events, in order.
    pub(crate) fn recorded(&self, number: u128) -> Vec<String> {
        self.table.history(id(number), 0).iter().map(Event::id).collect()
    }

    /// The product has every event of these subscriptions, in order, and nothing is left to do.
    #[track_caller]
    pub(crate) fn has_everything(&self, numbers: impl IntoIterator<Item = u128>) {
        for number in numbers {
            assert_eq!(self.product.kept(id(number)), self.recorded(number), "{number}");
        }
    }
}

/// A transport that several share.
#[derive(Debug)]
struct Shared(Arc<dyn Transport>);

#[async_trait]
impl Transport for Shared {
    async fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        self.0.send(request, timeout).await
    }
}

pub(crate) fn id(number: u128) -> SubscriptionId {
    SubscriptionId(Uuid::from_u128(0x5e1f_0000 + number))
}

/// The stream's records of events, as Lambda hands them over.
pub(crate) fn records(events: &[Event]) -> Records {
    let entries: Vec<_> =
        events.iter().map(|event| (event.subscription_id, event.position())).collect();
    simulation::records(&entries)
}
