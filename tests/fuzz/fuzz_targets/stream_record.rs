//! An invocation of the delivery: records of the table's stream, or any other payload. In this
//! table, a subscription whose id ends in an odd digit can't be read.
#![no_main]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use async_trait::async_trait;
use delivery::{Delivery, Records};
use fuzz::{Still, Unnoted, Wire, run, status, store};
use http::{StatusCode, Uri};
use jiff::{SignedDuration, Timestamp};
use libfuzzer_sys::fuzz_target;
use secrecy::SecretString;
use serde_json::{Value, json, to_value};
use shared::config::{DeliverySettings, EndpointSettings};
use shared::domain::{Annotations, Position, SubscriptionId};
use shared::host::secret::ClientSecret;
use shared::publisher::receiver::ReceiverSettings;
use shared::store::{
    AnnotationStore, Attempt, Attempts, Backlog, Cursor, CursorError, Due, Outbox, Page,
    ReceiverState, Receivers, SaveError, StoreError, Target, Waiting,
};
use uuid::Uuid;

type Versions = BTreeMap<SubscriptionId, BTreeSet<u64>>;

/// A table without events. It remembers the events whose pending marks were removed.
#[derive(Default)]
struct Table(Mutex<Versions>);

impl Table {
    fn settled(&self) -> MutexGuard<'_, Versions> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the subscription can be read.
fn is_readable(id: SubscriptionId) -> bool {
    id.0.as_u128().is_multiple_of(2)
}

#[async_trait]
impl Outbox for Table {
    async fn cursor(&self, id: SubscriptionId, _: Target) -> Result<Cursor, StoreError> {
        if is_readable(id) {
            return Ok(Cursor::default());
        }
        Err(StoreError::unavailable("throttled"))
    }

    async fn cursors(&self, _: SubscriptionId) -> Result<Vec<Target>, StoreError> {
        panic!("the delivery erases nothing")
    }

    async fn save_cursor(
        &self,
        _: SubscriptionId,
        _: Target,
        _: &Cursor,
    ) -> Result<(), CursorError> {
        panic!("nothing was carried, so that no cursor moves")
    }

    async fn delete_cursor(&self, _: SubscriptionId, _: Target, _: u64) -> Result<(), CursorError> {
        panic!("the stream is no sweep")
    }

    async fn backlog(&self, _: SubscriptionId, _: Position) -> Result<Backlog, StoreError> {
        Ok(Backlog { events: Vec::new(), more: false })
    }

    async fn settle(&self, id: SubscriptionId, versions: &BTreeSet<u64>) -> Result<(), StoreError> {
        self.settled().entry(id).or_default().extend(versions);
        Ok(())
    }

    async fn due(&self, _: Timestamp, _: Option<&str>) -> Result<Page<Due>, StoreError> {
        panic!("the stream is no sweep")
    }

    async fn parked(&self, _: Option<&str>) -> Result<Page<(SubscriptionId, Target)>, StoreError> {
        panic!("the stream is no sweep")
    }

    async fn waiting(
        &self,
        _: &[Target],
        _: &BTreeMap<Target, ReceiverState>,
    ) -> Result<Waiting, StoreError> {
        panic!("the stream is no sweep")
    }
}

#[async_trait]
impl Receivers for Table {
    async fn receivers(&self) -> Result<BTreeMap<Target, ReceiverState>, StoreError> {
        Ok(BTreeMap::new())
    }

    async fn save_receiver(&self, _: Target, _: &ReceiverState) -> Result<(), SaveError> {
        panic!("the one receiver has no name")
    }

    async fn delete_receiver(&self, _: Target, _: u64) -> Result<(), SaveError> {
        panic!("the stream is no sweep")
    }
}

#[async_trait]
impl AnnotationStore for Table {
    async fn annotations(&self, _: SubscriptionId) -> Result<Option<Annotations>, StoreError> {
        Ok(None)
    }

    async fn save_annotations(&self, _: SubscriptionId, _: &Annotations) -> Result<(), SaveError> {
        panic!("the delivery notes nothing")
    }
}

#[async_trait]
impl Attempts for Table {
    async fn save_attempt(&self, _: SubscriptionId, _: &Attempt) -> Result<(), StoreError> {
        panic!("the product accepts every event")
    }

    async fn attempts(
        &self,
        _: SubscriptionId,
        _: u8,
        _: Option<&str>,
    ) -> Result<Page<Attempt>, StoreError> {
        panic!("the delivery lists nothing")
    }
}

struct Function {
    wire: Arc<Wire>,
    table: Arc<Table>,
    delivery: Delivery,
}

fn function() -> &'static Function {
    static FUNCTION: OnceLock<Function> = OnceLock::new();
    FUNCTION.get_or_init(|| {
        let (wire, table) = (Wire::answering(status(StatusCode::OK)), Arc::new(Table::default()));
        let key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let settings = DeliverySettings {
            source: "urn:saas-fulfillment".to_owned(),
            endpoints: vec![EndpointSettings {
                receiver: ReceiverSettings::of_all(Target::Endpoint),
                url: Uri::from_static("https://product.example/events"),
                keys: ClientSecret::Given(SecretString::from(key)),
                transport: wire.clone(),
            }],
            event_bus: None,
            park_after: SignedDuration::from_hours(24),
            rate_limit: None,
            store: Arc::new(store(&wire)),
            receivers: table.clone(),
            outbox: table.clone(),
            annotations: table.clone(),
            attempts: table.clone(),
            keeps_attempt_text: true,
            sightings: Arc::new(Unnoted),
        };
        Function { delivery: Delivery::new(settings, Arc::new(Still)), wire, table }
    })
}

/// A record's event and its sequence number, read independently of the code.
fn event(record: &Value) -> Option<(SubscriptionId, u64, &str)> {
    let change = &record["dynamodb"];
    let key = |name: &str| change["Keys"][name]["S"].as_str();
    let id = Uuid::try_parse(key("pk")?.strip_prefix("SUB#")?).ok()?;
    let mut sort = key("sk")?.split('#');
    let ("EVENT", version, Some(_)) = (sort.next()?, sort.next()?, sort.next()) else {
        return None;
    };
    let number = change["SequenceNumber"].as_str()?;
    let is_new = record["eventName"] == "INSERT";
    is_new.then_some((SubscriptionId(id), version.parse().ok()?, number))
}

/// Whether a record has the nested objects of an AWS record.
fn is_plain(record: &Value) -> bool {
    let change = &record["dynamodb"];
    let keys = [&change["Keys"]["pk"], &change["Keys"]["sk"]];
    ![record, change, &change["Keys"]].into_iter().chain(keys).any(Value::is_array)
}

/// The events whose pending marks were removed, and the records to deliver again.
fn carried(payload: Value) -> Option<(Versions, Value)> {
    let Function { wire, table, delivery } = function();
    let records = Records::read(payload)?;
    table.settled().clear();
    let failures = run(delivery.stream(&records));
    assert!(wire.sent().is_empty(), "the events are read from the table, not from the stream");
    Some((table.settled().clone(), to_value(failures).expect("an answer is JSON")))
}

fuzz_target!(|input: &[u8]| {
    let Ok(mut payload) = serde_json::from_slice::<Value>(input) else { return };
    let records = payload.get("Records").and_then(Value::as_array).cloned();
    let Some(mut records) = records else {
        assert!(carried(payload).is_none(), "only a list of records is the stream");
        return;
    };
    records.retain(is_plain);
    payload["Records"] = json!(records);
    let (settled, failures) = carried(payload).expect("a list of records is the stream");
    let mut wanted = Versions::new();
    for (id, version, _) in records.iter().filter_map(event).filter(|(id, ..)| is_readable(*id)) {
        wanted.entry(id).or_default().insert(version);
    }
    assert_eq!(settled, wanted, "each new event, and nothing else");
    // Lambda continues at the first of these. An unknown sequence number would fail the whole
    // batch.
    let lost = records.iter().filter_map(event).filter(|(id, ..)| !is_readable(*id));
    let lost: Vec<_> = lost.map(|(.., number)| json!({ "itemIdentifier": number })).collect();
    assert_eq!(failures, json!({ "batchItemFailures": lost }));
});
