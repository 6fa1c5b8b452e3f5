//! Events carry the publisher's own reference and metadata, as they are when an event is sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use emulator::Purchase;
use memory_store::MemoryStore;
use serde_json::{Value, json};
use shared::domain::{AnnotationPatch, Annotations, MetadataPatch, Position, SubscriptionId};
use shared::flows::redelivery::{From, redeliver};
use shared::store::{
    AnnotationStore, Corruption, CursorState, Outbox as _, Pause, ReceiverState, Receivers as _,
    SaveError, StoreError, Target,
};

use crate::delivery_env::{DeliveryEnv, id, records};
use crate::test_env::TestEnv;

const BUS: (&str, &str) = ("DELIVERY_EVENT_BUS", "product");

/// Sets the reference and the metadata of a subscription.
async fn annotate(env: &DeliveryEnv, number: u128, reference: Option<&str>, tier: Option<&str>) {
    let metadata = MetadataPatch::Merge([("tier".to_owned(), tier.map(str::to_owned))].into());
    let patch = AnnotationPatch::new(Some(reference.map(str::to_owned)), Some(metadata));
    let current = env.table.annotations(id(number)).await.expect("a read");
    let now = "2026-03-10T12:00:00Z".parse().expect("a time");
    let next = patch.expect("short texts").apply(current.as_ref(), now, None);
    let next = next.expect("few pairs").expect("a change");
    env.table.save_annotations(id(number), &next).await.expect("saved");
}

/// The reference and the metadata of each event that arrived at the endpoint.
fn arrived(env: &DeliveryEnv) -> Vec<(Value, Value)> {
    let arrivals = env.product.arrivals().into_iter();
    let data = arrivals.map(|arrival| {
        let event: Value = serde_json::from_slice(&arrival.body).expect("JSON");
        event["data"].clone()
    });
    data.map(|data| (data["reference"].clone(), data["metadata"].clone())).collect()
}

#[tokio::test]
async fn endpoint_and_bus_receive_them_and_an_event_without_any_has_neither_member() {
    let env = DeliveryEnv::with(&[BUS]);
    let plain = env.record(1, 10).await;
    annotate(&env, 2, Some("C-4711"), Some("1")).await;
    let annotated = env.record(2, 10).await;
    env.stream(&[plain, annotated].concat()).await;
    let expected = (json!("C-4711"), json!({ "tier": "1" }));
    let mut found = arrived(&env);
    found.sort_by_key(|(reference, _)| reference.to_string());
    let none = (Value::Null, Value::Null);
    assert_eq!(found, [expected.clone(), expected.clone(), none.clone(), none]);
    let entries = env.product.bus_entries();
    let details: Vec<Value> = entries
        .iter()
        .map(|entry| serde_json::from_str(entry["Detail"].as_str().expect("text")).expect("JSON"))
        .filter(|event: &Value| event["subject"] == id(2).to_string())
        .map(|event| event["data"].clone())
        .collect();
    assert_eq!(details.len(), 2, "{entries:?}");
    for data in details {
        assert_eq!((data["reference"].clone(), data["metadata"].clone()), expected);
    }
}

#[tokio::test]
async fn a_copy_of_an_event_differs_in_nothing_but_what_was_set_since() {
    let env = DeliveryEnv::new();
    let events = env.record(1, 10).await;
    env.stream(&events).await;
    annotate(&env, 1, Some("C-4711"), Some("1")).await;
    let all = From::Event(Position::default());
    redeliver(&env.table, &*env.clock, id(1), Target::Endpoint, all).await.expect("set");
    env.sweep().await;
    annotate(&env, 1, None, None).await;
    redeliver(&env.table, &*env.clock, id(1), Target::Endpoint, all).await.expect("set");
    env.sweep().await;
    let bodies = env.product.arrivals().into_iter().map(|arrival| {
        let body: Value = serde_json::from_slice(&arrival.body).expect("JSON");
        body
    });
    let bodies: Vec<_> = bodies.collect();
    let [first, _, second, _, third, _] = &bodies[..] else { panic!("three copies: {bodies:?}") };
    assert_eq!(third, first, "they were removed");
    let mut expected = first.clone();
    expected["data"]["reference"] = json!("C-4711");
    expected["data"]["metadata"] = json!({ "tier": "1" });
    assert_eq!(*second, expected);
}

/// Counts the reads.
struct Counted {
    table: MemoryStore,
    reads: AtomicUsize,
    /// How the reads of the first subscription fail.
    failure: Option<fn() -> StoreError>,
}

#[async_trait]
impl AnnotationStore for Counted {
    async fn annotations(&self, of: SubscriptionId) -> Result<Option<Annotations>, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        match self.failure {
            Some(failure) if of == id(1) => Err(failure()),
            _ => self.table.annotations(of).await,
        }
    }

    async fn save_annotations(
        &self,
        id: SubscriptionId,
        annotations: &Annotations,
    ) -> Result<(), SaveError> {
        self.table.save_annotations(id, annotations).await
    }
}

impl Counted {
    fn of(env: &DeliveryEnv, failure: Option<fn() -> StoreError>) -> Arc<Self> {
        Arc::new(Self { table: env.table.clone(), reads: AtomicUsize::new(0), failure })
    }

    fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn they_are_read_once_per_subscription_for_all_events_and_receivers() {
    let env = DeliveryEnv::with(&[BUS]);
    let mut events = env.record(1, 10).await;
    events.extend(env.record(1, 20).await);
    events.extend(env.record(2, 10).await);
    let counted = Counted::of(&env, None);
    env.delivery_with(counted.clone()).stream(&records(&events)).await;
    env.assert_all_delivered([1, 2]);
    assert_eq!(counted.reads(), 2);
}

#[tokio::test]
async fn a_read_that_fails_holds_up_its_subscription_alone_and_loses_no_event() {
    let env = DeliveryEnv::new();
    let events = [env.record(1, 10).await, env.record(2, 10).await].concat();
    let failing = Counted::of(&env, Some(|| StoreError::unavailable("failed on purpose")));
    let failures = env.delivery_with(failing).stream(&records(&events)).await;
    assert!(!failures.batch_item_failures.is_empty(), "the stream tries again");
    assert_eq!(env.product.accepted_of(id(1)), [""; 0]);
    env.assert_all_delivered([2]);
    env.stream(&events).await;
    env.assert_all_delivered([1, 2]);
}

#[tokio::test]
async fn events_wait_for_annotations_that_can_not_be_read_as_they_wait_for_a_receiver() {
    let env = DeliveryEnv::new();
    let events = env.record(1, 10).await;
    let corrupt = || StoreError::Corrupt { key: "x".to_owned(), reason: Corruption::MissingBody };
    let failing = Counted::of(&env, Some(corrupt));
    let failures = env.delivery_with(failing).stream(&records(&events)).await;
    assert_eq!(failures.batch_item_failures, [], "the stream is not held up");
    assert_eq!(env.product.accepted_of(id(1)), [""; 0]);
    let cursor = env.table.cursor(id(1), Target::Endpoint).await.expect("a read");
    let CursorState::Due { trouble: Some(trouble), .. } = cursor.state else {
        panic!("{cursor:?}")
    };
    assert_eq!(trouble.last, "the item x can't be read");
    env.sweep_for_minutes(2).await;
    env.assert_all_delivered([1]);
}

#[tokio::test]
async fn annotations_that_can_not_be_read_are_no_failure_of_a_paused_receiver() {
    let env = DeliveryEnv::new();
    let pause = Pause { since: env.now(), note: String::new(), by: None };
    let state = ReceiverState { revision: 1, paused: Some(pause), ..ReceiverState::default() };
    env.table.save_receiver(Target::Endpoint, &state).await.expect("saved");
    let events = env.record(1, 10).await;
    let corrupt = || StoreError::Corrupt { key: "x".to_owned(), reason: Corruption::MissingBody };
    env.delivery_with(Counted::of(&env, Some(corrupt))).stream(&records(&events)).await;
    let cursor = env.table.cursor(id(1), Target::Endpoint).await.expect("a read");
    assert!(matches!(cursor.state, CursorState::Due { trouble: None, .. }), "{cursor:?}");
}

#[tokio::test]
async fn a_product_that_catches_up_receives_them_too() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    env.change(id, &json!({ "reference": "C-4711" })).await;
    let request = env.http.get(env.url(&format!("/subscriptions/{id}/events")));
    let batch = request.header("accept", "application/cloudevents-batch+json");
    let batch = env.send(batch).await.json();
    assert_eq!(batch[0]["data"]["reference"], "C-4711");
    let recorded = env.get(&format!("/subscriptions/{id}/events")).await.json();
    assert_eq!(recorded["events"][0]["reference"], Value::Null, "they are no part of the history");
}
