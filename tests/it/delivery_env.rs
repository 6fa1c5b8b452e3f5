//! The environment of the delivery's tests: a table in memory, a manual clock, and a scripted
//! product.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use delivery::{Delivery, Driver, Failures, Records, Report};
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use memory_store::MemoryStore;
use serde_json::json;
use shared::config::{DeliverySettings, RateLimit};
use shared::domain::{
    Cause, Decision, Event, NextVersion, Observation, Record, SubscriptionId, observe,
};
use shared::host::clock::Clock;
use shared::host::deadline::DeadlineTransport;
use shared::host::environment::Environment;
use shared::host::http_client::{SendError, Transport};
use shared::store::{AnnotationStore, Attempts, Commit, Outbox, Store};
use uuid::Uuid;

pub(crate) use crate::delivery_product::KEY;
use crate::delivery_product::{ManualClock, Product};

/// A table, a product and a clock. Nothing happens unless a test makes it happen.
pub(crate) struct DeliveryEnv {
    pub table: MemoryStore,
    pub product: Arc<Product>,
    pub clock: Arc<ManualClock>,
    variables: BTreeMap<String, String>,
    begun_at: Timestamp,
}

impl DeliveryEnv {
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    /// With these settings in addition to an endpoint and a key.
    pub(crate) fn with(settings: &[(&str, &str)]) -> Self {
        Self::of(settings, true)
    }

    /// With a product that checks no schemas, because tests with thousands of events would be slow.
    pub(crate) fn without_schemas() -> Self {
        Self::of(&[], false)
    }

    fn of(settings: &[(&str, &str)], checks_schemas: bool) -> Self {
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
        let product = Arc::new(Product::new(clock.clone(), checks_schemas));
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let variables = variables.into_iter().map(own).collect();
        let begun_at = clock.now();
        Self { table: MemoryStore::default(), product, clock, variables, begun_at }
    }

    /// The same table, product and clock under these settings in addition.
    pub(crate) fn beside(&self, settings: &[(&str, &str)]) -> Self {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let mut variables = self.variables.clone();
        variables.extend(settings.iter().map(own));
        let (table, product) = (self.table.clone(), self.product.clone());
        Self { table, product, clock: self.clock.clone(), variables, begun_at: self.begun_at }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The delivery that ships, after a cold start, on this table.
    pub(crate) fn delivery(&self) -> Delivery {
        self.delivery_with(Arc::new(self.table.clone()))
    }

    /// The same with other annotations.
    pub(crate) fn delivery_with(&self, annotations: Arc<dyn AnnotationStore>) -> Delivery {
        let (table, product) = (Arc::new(self.table.clone()), self.product.clone());
        self.delivery_on(table, annotations, product, self.clock.clone())
    }

    /// The same with another place for attempts.
    pub(crate) fn delivery_keeping(&self, attempts: Arc<dyn Attempts>) -> Delivery {
        let table = Arc::new(self.table.clone());
        let settings = self.settings(self.product.clone(), self.clock.clone());
        let settings =
            DeliverySettings { outbox: table.clone(), annotations: table, attempts, ..settings };
        Delivery::new(settings, self.clock.clone())
    }

    /// The same on another table, transport or clock.
    pub(crate) fn delivery_on(
        &self,
        outbox: Arc<dyn Outbox>,
        annotations: Arc<dyn AnnotationStore>,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Delivery {
        let settings = self.settings(transport, clock.clone());
        Delivery::new(DeliverySettings { outbox, annotations, ..settings }, clock)
    }

    fn settings(&self, transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> DeliverySettings {
        let variables = self.variables.clone();
        let environment = Environment::from_fn(move |name| variables.get(name).cloned());
        let transport: Arc<dyn Transport> =
            Arc::new(DeadlineTransport::new(Shared(transport), clock.clone()));
        let settings = DeliverySettings::require(&environment, &transport, clock);
        let settings = settings.expect("the settings are right");
        let pacing = Arc::new(self.table.clone());
        let rate_limit = settings
            .rate_limit
            .map(|RateLimit { per_second, .. }| RateLimit { per_second, pacing });
        let table = Arc::new(self.table.clone());
        DeliverySettings {
            rate_limit,
            sightings: table.clone(),
            attempts: table.clone(),
            store: table.clone(),
            receivers: table,
            ..settings
        }
    }

    /// When the environment was made.
    pub(crate) fn begun_at(&self) -> Timestamp {
        self.begun_at
    }

    /// Records events of a subscription: its purchase, or a change of plan and seats.
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
        // Dated after every version that was recorded at this moment.
        let as_of = self.clock.now() + SignedDuration::from_nanos(1);
        let observed = observed.expect("an observation").as_of(Some(as_of));
        let cause = Cause::Reconciliation;
        match observe(current, &observed, &cause, self.clock.now()) {
            Ok(Decision::Commit(change)) => change,
            other => panic!("nothing to commit: {other:?}"),
        }
    }

    /// Long after everything that is due.
    pub(crate) fn clock_later(&self) -> Timestamp {
        self.clock.now() + SignedDuration::from_hours(24 * 365)
    }

    /// Delivers these events from the stream.
    pub(crate) async fn stream(&self, events: &[Event]) -> Failures {
        self.delivery().stream(&records(events)).await
    }

    pub(crate) async fn sweep(&self) -> Report {
        let delivery = self.delivery();
        delivery.sweep(Driver::BesideTheStream).await.expect("the table is there")
    }

    /// Lets time pass, with a sweep every minute.
    pub(crate) async fn sweep_for_minutes(&self, minutes: u32) {
        for _ in 0..minutes {
            self.clock.advance(SignedDuration::from_secs(60));
            self.sweep().await;
        }
    }

    /// The ids of a subscription's events, in order.
    pub(crate) fn recorded(&self, number: u128) -> Vec<String> {
        self.table.history(id(number), 0).iter().map(Event::id).collect()
    }

    /// Asserts that the product has every event of these subscriptions, in order.
    #[track_caller]
    pub(crate) fn assert_all_delivered(&self, numbers: impl IntoIterator<Item = u128>) {
        for number in numbers {
            assert_eq!(self.product.accepted_of(id(number)), self.recorded(number), "{number}");
        }
    }
}

/// Owns a transport that several users share.
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

/// The stream's records of these events, as Lambda passes them.
pub(crate) fn records(events: &[Event]) -> Records {
    let entries: Vec<_> =
        events.iter().map(|event| (event.subscription_id, event.position())).collect();
    memory_store::records(&entries)
}
