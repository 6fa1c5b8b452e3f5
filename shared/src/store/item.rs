//! The items of the table. Their attribute names are a contract with every deployed version.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::Corruption;
use super::{
    Checkpoint, Cursor, CursorState, IdempotencyRecord, Mark, STREAM_HEAD_START, StoreError, Target,
};
use crate::domain::{Event, OperationId, Position, Record, SubscriptionId};

pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) const PARTITION: &str = "pk";
pub(super) const SORT: &str = "sk";
pub(super) const VERSION: &str = "version";
/// Index keys. Only records have them, so the indexes hold nothing else.
pub(super) const STATUS: &str = "status";
pub(super) const OFFER: &str = "offer_id";
pub(super) const SUBSCRIPTION: &str = "subscription_id";
/// The keys of the outbox index. Only pending events and waiting cursors have them.
pub(super) const OUTBOX: &str = "outbox";
pub(super) const DUE_AT: &str = "due_at";
/// What an entry of the outbox index waits for. It begins the entry's partition key there.
pub(super) const DUE: &str = "DUE";
pub(super) const PARKED: &str = "PARKED";
pub(super) const EXPIRES_AT: &str = "expires_at";
const BODY: &str = "body";

/// Microsoft repeats a call within hours (F-WHD-4). An investigation may come months later.
const MARK_LIVES: SignedDuration = SignedDuration::from_hours(90 * 24);

/// A receiver catches up within days. The history of a yearly term is needed after its renewal. And
/// parked events must still be there once the receiver is repaired, so this must stay far above
/// what `DELIVERY_PARK_AFTER_DAYS` allows.
const EVENT_LIVES: SignedDuration = SignedDuration::from_hours(400 * 24);

/// Over how many partition keys the outbox index is spread. DynamoDB writes to one of them 1,000 times a
/// second at most, and can't split it, because its sort key grows with time. With fewer, so many fewer
/// changes can be recorded. A sweep asks each of them. If this number falls, entries under the last keys
/// are no longer found.
const SHARDS: u8 = 8;

const SUBSCRIPTION_PREFIX: &str = "SUB#";
pub(super) const RECORD: &str = "RECORD";
pub(super) const EVENT_PREFIX: &str = "EVENT#";
const CURSOR_PREFIX: &str = "DELIVERY#";

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn partition(id: SubscriptionId) -> String {
    format!("{SUBSCRIPTION_PREFIX}{id}")
}

pub(super) fn mark_key(operation: &OperationId) -> String {
    format!("OP#{operation}")
}

/// Zero-padded, so that the order of keys is the order of events.
pub(super) fn event_key(version: u64, index: u8) -> String {
    format!("{EVENT_PREFIX}{version:020}#{index:03}")
}

pub(super) fn key(partition: impl Into<String>, sort: impl Into<String>) -> Item {
    HashMap::from([(PARTITION.to_owned(), text(partition)), (SORT.to_owned(), text(sort))])
}

pub(super) fn checkpoint_key() -> Item {
    key("RUN", "RECONCILIATION")
}

pub(super) fn record(record: &Record) -> Result<Item, StoreError> {
    let mut item = with_body(key(partition(record.id()), RECORD), record)?;
    item.insert(VERSION.into(), number(record.version));
    item.insert(STATUS.into(), text(record.status().as_str()));
    item.insert(OFFER.into(), text(record.subscription.offer_id.clone()));
    item.insert(SUBSCRIPTION.into(), text(record.id().to_string()));
    Ok(item)
}

/// The partition key of a subscription's entries in the outbox index.
fn outbox_key(kind: &str, id: SubscriptionId) -> String {
    let [.., last] = id.0.into_bytes();
    format!("{kind}#{}", last % SHARDS)
}

/// Every partition key that entries of a kind have. Those that 0.1.0 wrote have the kind alone.
pub(super) fn outbox_keys(kind: &str) -> impl Iterator<Item = String> {
    std::iter::once(kind.to_owned()).chain((0..SHARDS).map(move |shard| format!("{kind}#{shard}")))
}

pub(super) fn event(event: &Event) -> Result<Item, StoreError> {
    let key = key(partition(event.subscription_id), event_key(event.version, event.index));
    mark_pending(with_expiry(with_body(key, event)?, event.recorded_at, EVENT_LIVES)?, event)
}

/// Marks a version as undelivered. The mark is on its first event, since all are written together.
fn mark_pending(mut item: Item, event: &Event) -> Result<Item, StoreError> {
    if event.index == 0 {
        let at = event.recorded_at.checked_add(STREAM_HEAD_START);
        let at = at.map_err(|error| corrupt(&item, error))?;
        item.insert(OUTBOX.into(), text(outbox_key(DUE, event.subscription_id)));
        item.insert(DUE_AT.into(), text(due_at(at)));
    }
    Ok(item)
}

/// As text, sorted by time.
pub(super) fn due_at(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The first and the last key of the events after a position.
pub(super) fn events_after(after: Position) -> (String, String) {
    let first = after.next();
    (event_key(first.version, first.index), event_key(u64::MAX, u8::MAX))
}

pub(super) fn event_version(sort: &str) -> Option<u64> {
    sort.strip_prefix(EVENT_PREFIX)?.split_once('#')?.0.parse().ok()
}

pub(super) fn cursor_key(id: SubscriptionId, target: Target) -> Item {
    key(partition(id), format!("{CURSOR_PREFIX}{}", target.name()))
}

pub(super) fn cursor_target(sort: &str) -> Option<Target> {
    let name = sort.strip_prefix(CURSOR_PREFIX)?;
    Target::ALL.into_iter().find(|target| target.name() == name)
}

/// A cursor never expires: without it, all events of its subscription would be sent again.
pub(super) fn cursor(
    id: SubscriptionId,
    target: Target,
    cursor: &Cursor,
) -> Result<Item, StoreError> {
    let mut item = with_body(cursor_key(id, target), cursor)?;
    item.insert(VERSION.into(), number(cursor.revision));
    let waits = match &cursor.state {
        CursorState::Flowing => None,
        CursorState::Due { at, .. } => Some((DUE, at)),
        CursorState::Parked { at, .. } => Some((PARKED, at)),
    };
    if let Some((outbox, at)) = waits {
        item.insert(OUTBOX.into(), text(outbox_key(outbox, id)));
        item.insert(DUE_AT.into(), text(due_at(*at)));
    }
    Ok(item)
}

pub(super) fn mark(id: SubscriptionId, mark: &Mark) -> Result<Item, StoreError> {
    let key = key(partition(id), mark_key(&mark.operation_id));
    with_expiry(with_body(key, mark)?, mark.at, MARK_LIVES)
}

pub(super) fn idempotency_key(key: &str) -> Item {
    self::key(format!("REQUEST#{key}"), "REQUEST")
}

pub(super) fn idempotency(
    key: &str,
    record: &IdempotencyRecord,
    lives: SignedDuration,
) -> Result<Item, StoreError> {
    with_expiry(with_body(idempotency_key(key), record)?, record.begun_at, lives)
}

/// Whether the item has expired, and DynamoDB has only not removed it yet.
pub(super) fn has_expired(item: &Item, now: Timestamp) -> bool {
    let at = item.get(EXPIRES_AT).and_then(|at| at.as_n().ok()?.parse::<i64>().ok());
    at.is_some_and(|at| at <= now.as_second())
}

pub(super) fn checkpoint(checkpoint: &Checkpoint) -> Result<Item, StoreError> {
    with_body(checkpoint_key(), checkpoint)
}

fn with_body(mut item: Item, body: &impl Serialize) -> Result<Item, StoreError> {
    let body = serde_dynamo::to_attribute_value(body).map_err(|error| corrupt(&item, error))?;
    item.insert(BODY.into(), body);
    Ok(item)
}

fn with_expiry(mut item: Item, at: Timestamp, lives: SignedDuration) -> Result<Item, StoreError> {
    let expires_at = at.checked_add(lives).map_err(|error| corrupt(&item, error))?;
    item.insert(EXPIRES_AT.into(), number(expires_at.as_second()));
    Ok(item)
}

/// The subscription that the item belongs to.
pub(super) fn subscription(item: &Item) -> Option<SubscriptionId> {
    // From the key, which every item has, also one whose body can't be read.
    item.get(PARTITION)?.as_s().ok()?.strip_prefix(SUBSCRIPTION_PREFIX)?.parse().ok()
}

pub(super) fn body<T: DeserializeOwned>(mut item: Item) -> Result<T, StoreError> {
    match item.remove(BODY) {
        // serde_dynamo panics at a type that the SDK doesn't know.
        Some(body) if !is_known(&body) => Err(corrupt(&item, Corruption::UnknownType)),
        Some(body) => {
            serde_dynamo::from_attribute_value(body).map_err(|error| corrupt(&item, error))
        }
        None => Err(corrupt(&item, Corruption::MissingBody)),
    }
}

/// Reads the record of a subscription. A record that names another subscription is corrupt: writing
/// it back would reach that one's partition.
pub(super) fn record_of(id: SubscriptionId, item: Item) -> Result<Record, StoreError> {
    let record: Record = body(item)?;
    if record.id() == id {
        return Ok(record);
    }
    Err(StoreError::Corrupt { key: partition(id), reason: Corruption::OtherSubscription })
}

fn is_known(value: &AttributeValue) -> bool {
    match value {
        AttributeValue::M(members) => members.values().all(is_known),
        AttributeValue::L(entries) => entries.iter().all(is_known),
        value => !value.is_unknown(),
    }
}

fn corrupt(item: &Item, reason: impl Into<Corruption>) -> StoreError {
    let part =
        |name| item.get(name).and_then(|value| value.as_s().ok()).map_or("?", String::as_str);
    StoreError::Corrupt {
        key: format!("{} {}", part(PARTITION), part(SORT)),
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use async_trait::async_trait;
    use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
    use aws_sdk_dynamodb::{Client, Config};
    use bytes::Bytes;

    use super::*;
    use crate::host::http_client::{SendError, Transport, for_aws};

    /// A DynamoDB that gives every request the same answer.
    #[derive(Debug)]
    struct Answer(&'static str);

    #[async_trait]
    impl Transport for Answer {
        async fn send(
            &self,
            _: http::Request<Bytes>,
            _: Duration,
        ) -> Result<http::Response<Bytes>, SendError> {
            Ok(http::Response::new(Bytes::from_static(self.0.as_bytes())))
        }
    }

    async fn item(answer: &'static str) -> Item {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(for_aws(Arc::new(Answer(answer))))
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .region(Region::new("eu-north-1"))
            .build();
        let request = Client::from_conf(config).get_item().table_name("table");
        let answer = request.set_key(Some(checkpoint_key())).send().await;
        answer.expect("an answer").item.expect("an item")
    }

    #[tokio::test]
    async fn an_unknown_attribute_type_makes_an_item_corrupt_without_a_panic() {
        for answer in [
            r#"{"Item":{"body":{"VECTOR":{"x":{"S":"y"}}}}}"#,
            r#"{"Item":{"body":{"M":{"next":{"VECTOR":"y"}}}}}"#,
            r#"{"Item":{"body":{"M":{"next":{"L":[{"VECTOR":"y"}]}}}}}"#,
        ] {
            let read = body::<Checkpoint>(item(answer).await);
            assert!(matches!(read, Err(StoreError::Corrupt { .. })), "{answer}: {read:?}");
        }
    }

    #[test]
    fn waiting_entries_are_spread_over_every_partition_key_that_is_asked() {
        let asked: Vec<String> = outbox_keys(DUE).collect();
        assert_eq!(asked[0], "DUE", "what 0.1.0 wrote is found, too");
        let mut entries = std::collections::BTreeMap::<String, u32>::new();
        for number in 0..8000_u128 {
            let id = SubscriptionId(uuid::Uuid::from_u128(number * 0x9e37_79b9_7f4a_7c15));
            *entries.entry(outbox_key(DUE, id)).or_default() += 1;
        }
        assert_eq!(entries.keys().collect::<Vec<_>>(), asked[1..].iter().collect::<Vec<_>>());
        assert!(entries.values().all(|entries| (900..1100).contains(entries)), "{entries:?}");
    }

    #[test]
    fn a_record_under_another_subscriptions_key_is_corrupt() {
        let [ours, other] = [1, 2].map(|number| SubscriptionId(uuid::Uuid::from_u128(number)));
        let body = serde_json::json!({
            "id": ours, "offerId": "offer", "planId": "silver",
            "saasSubscriptionStatus": "Subscribed",
        });
        let observed: crate::domain::Observation = serde_json::from_value(body).expect("complete");
        let now = Timestamp::UNIX_EPOCH;
        let decided = crate::domain::observe(None, &observed, &crate::domain::Cause::Landing, now);
        let Ok(crate::domain::Decision::Commit(change)) = decided else { panic!("a record") };
        let item = || record(&change.record).expect("an item");
        assert_eq!(record_of(ours, item()).ok().as_ref(), Some(&change.record));
        let read = record_of(other, item());
        assert!(matches!(read, Err(StoreError::Corrupt { .. })), "{read:?}");
    }
}
