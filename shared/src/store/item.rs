//! The items of the table. Their attribute names are a contract with every deployed version.

mod attempt;
mod attribute;
mod checkpoint;
mod content;
mod due;
mod erasure;
mod examination;
mod first_start;
pub(super) mod index;
mod kind;
mod offers;
mod pace;
mod receiver;
mod run;
pub(super) mod search;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub(super) use self::attempt::{all_attempts, attempt, attempt_body, attempt_key, is_attempt_sort};
pub(super) use self::attribute::{Item, PARTITION, SORT, VERSION, number, text};
pub(super) use self::checkpoint::{Compared, checkpoint, checkpoint_key, compared, compared_key};
pub(super) use self::content::{BODY, EXPIRES_AT, body};
use self::content::{corrupt, with_body, with_expiry};
pub(super) use self::due::{due_by, waits_since};
pub(super) use self::erasure::{erasure, erasure_key, erasure_of, event_body};
pub(super) use self::examination::{examination, examination_key};
pub(super) use self::first_start::{first_start, first_start_key};
pub use self::kind::ItemKind;
pub(super) use self::offers::{offers, offers_key};
pub(super) use self::pace::{Paced, pace, pace_key};
pub(super) use self::receiver::{receiver, receiver_key, receiver_target};
pub(super) use self::run::{dry_run, dry_run_key, is_run_sort, pause, pause_key, run};
use super::error::Corruption;
use super::{
    Cursor, CursorState, IdempotencyRecord, Mark, REFUSAL_LIFETIME, Refused, STREAM_HEAD_START,
    Sighting, StoreError, Target,
};
use crate::domain::{Annotations, Event, OperationId, Position, Record, SubscriptionId};

/// Microsoft repeats a call within hours (F-WHD-4). An investigation may come months later.
const MARK_LIVES: SignedDuration = SignedDuration::from_hours(90 * 24);

/// A receiver catches up within days. The history of a yearly term is needed after its renewal. And
/// parked events must still be there once the receiver is repaired, so this must stay far above
/// what `DELIVERY_PARK_AFTER_DAYS` allows.
const EVENT_LIVES: SignedDuration = SignedDuration::from_hours(400 * 24);

/// Nothing follows a test event, and an operator looks at it within minutes.
const TEST_EVENT_LIVES: SignedDuration = SignedDuration::from_hours(24);

/// A subscription may be quiet for a year.
const SIGHTING_LIVES: SignedDuration = SignedDuration::from_hours(400 * 24);

/// The body of a sighting. Serialised in the table: members are only added.
#[derive(Serialize, Deserialize)]
pub(super) struct Seen {
    pub at: Timestamp,
}

/// The partition key of everything about a subscription.
pub(super) fn partition(id: SubscriptionId) -> String {
    format!("{}{id}", ItemKind::Record.partition())
}

pub(super) fn record_key(id: SubscriptionId) -> Item {
    ItemKind::Record.key(id, "")
}

pub(super) fn mark_key(id: SubscriptionId, operation: &OperationId) -> Item {
    ItemKind::Mark.key(id, operation)
}

pub(super) fn event_key(id: SubscriptionId, position: Position) -> Item {
    ItemKind::Event.key(id, event_number(position))
}

/// Zero-padded, so that the order of keys is the order of events.
fn event_number(Position { version, index }: Position) -> String {
    format!("{version:020}#{index:03}")
}

/// The sort keys of the first and the last event from a position on.
pub(super) fn events_from(first: Position) -> (String, String) {
    let last = Position { version: u64::MAX, index: u8::MAX };
    let sort = |position| format!("{}{}", ItemKind::Event.sort(), event_number(position));
    (sort(first), sort(last))
}

/// The sort keys of the first event and of the last one up to a version.
pub(super) fn events_until(version: u64) -> (String, String) {
    let last = Position { version, index: u8::MAX };
    (
        events_from(Position::default()).0,
        format!("{}{}", ItemKind::Event.sort(), event_number(last)),
    )
}

pub(super) fn event_version(sort: &str) -> Option<u64> {
    sort.strip_prefix(ItemKind::Event.sort())?.split_once('#')?.0.parse().ok()
}

pub(super) fn cursor_key(id: SubscriptionId, target: Target) -> Item {
    ItemKind::Cursor.key(id, target.name())
}

pub(super) fn cursor_target(sort: &str) -> Option<Target> {
    sort.strip_prefix(ItemKind::Cursor.sort())?.parse().ok()
}

/// The first and the last sort key of a cursor.
pub(super) fn cursor_sorts() -> (String, String) {
    let first = ItemKind::Cursor.sort();
    (first.to_owned(), format!("{first}~"))
}

pub(super) fn annotations_key(id: SubscriptionId) -> Item {
    ItemKind::Annotations.key(id, "")
}

pub(super) fn idempotency_key(key: &str) -> Item {
    ItemKind::IdempotencyRecord.key(key, "")
}

pub(super) fn epoch_key() -> Item {
    ItemKind::Epoch.key("", "")
}

pub(super) fn epoch(epoch: u64) -> Item {
    let mut item = epoch_key();
    item.insert(VERSION.into(), number(epoch));
    item
}

pub(super) fn epoch_of(item: Item) -> Result<u64, StoreError> {
    let epoch = item.get(VERSION).and_then(|epoch| epoch.as_n().ok()?.parse().ok());
    epoch.ok_or_else(|| corrupt(&item, Corruption::MissingBody))
}

pub(super) fn record(record: &Record) -> Result<Item, StoreError> {
    let mut item = with_body(record_key(record.id()), record)?;
    item.insert(VERSION.into(), number(record.version));
    for (name, value) in index::of_record(record) {
        item.insert(name.into(), text(value));
    }
    // Each version is put whole. So one without such a time leaves the index.
    let Some((kind, at)) = index::due(record) else { return Ok(item) };
    Ok(waiting(item, record.id(), kind, at, None))
}

pub(super) fn event(event: &Event) -> Result<Item, StoreError> {
    let key = event_key(event.subscription_id, event.position());
    let lives = if event.is_test() { TEST_EVENT_LIVES } else { EVENT_LIVES };
    let item = with_expiry(with_body(key, event)?, event.recorded_at, lives)?;
    // A mark on the first event of a version covers the others, since all are written together. An event
    // that is not announced waits for nobody.
    if event.index > 0 || !event.kind.is_announced() {
        return Ok(item);
    }
    let at = event.recorded_at.checked_add(STREAM_HEAD_START);
    let at = at.map_err(|error| corrupt(&item, error))?;
    Ok(waiting(item, event.subscription_id, index::DUE, at, None))
}

/// Longer than every event, so that the events that a cursor covers are deleted before it. DynamoDB takes some
/// days to delete what has expired.
const CURSOR_LIVES: SignedDuration = SignedDuration::from_hours(430 * 24);

/// Without its cursor, all events of a subscription would be sent again. So only one that covers none any more
/// expires, and only that of a receiver with a name: the others are never removed.
pub(super) fn cursor(
    id: SubscriptionId,
    target: Target,
    cursor: &Cursor,
) -> Result<Item, StoreError> {
    let mut item = with_body(cursor_key(id, target), cursor)?;
    item.insert(VERSION.into(), number(cursor.revision));
    Ok(match &cursor.state {
        CursorState::Flowing => match cursor.saved_at {
            Some(saved_at) => with_expiry(item, saved_at, CURSOR_LIVES)?,
            None => item,
        },
        CursorState::Due { at, trouble } => {
            let since = trouble.as_ref().map(|trouble| trouble.since);
            waiting(item, id, index::DUE, *at, since)
        }
        CursorState::Parked { at, .. } => waiting(item, id, index::PARKED, *at, None),
    })
}

/// Annotations never expire.
pub(super) fn annotations(
    id: SubscriptionId,
    annotations: &Annotations,
) -> Result<Item, StoreError> {
    let mut item = with_body(annotations_key(id), annotations)?;
    item.insert(VERSION.into(), number(annotations.revision));
    Ok(item)
}

/// Puts an item into the index `by-due`.
fn waiting(
    mut item: Item,
    id: SubscriptionId,
    kind: &str,
    at: Timestamp,
    since: Option<Timestamp>,
) -> Item {
    let sort = item.get(SORT).and_then(|sort| sort.as_s().ok()).map_or("", String::as_str);
    let due_at = due::due_at(at, id, sort, since);
    item.insert(index::OUTBOX.into(), text(index::outbox_key(kind, id)));
    item.insert(index::DUE_AT.into(), text(due_at));
    item
}

pub(super) fn mark(id: SubscriptionId, mark: &Mark) -> Result<Item, StoreError> {
    with_expiry(with_body(mark_key(id, &mark.operation_id), mark)?, mark.at, MARK_LIVES)
}

pub(super) fn idempotency(
    key: &str,
    record: &IdempotencyRecord,
    lives: SignedDuration,
) -> Result<Item, StoreError> {
    with_expiry(with_body(idempotency_key(key), record)?, record.begun_at, lives)
}

pub(super) fn refusal_key(refused: &Refused) -> Item {
    ItemKind::Refusal.key(refused, "")
}

/// It holds nothing but its key.
pub(super) fn refusal(refused: &Refused, now: Timestamp) -> Result<Item, StoreError> {
    with_expiry(refusal_key(refused), now, REFUSAL_LIFETIME)
}

/// Whether the item has expired, and DynamoDB has only not removed it yet.
pub(super) fn has_expired(item: &Item, now: Timestamp) -> bool {
    let at = item.get(EXPIRES_AT).and_then(|at| at.as_n().ok()?.parse::<i64>().ok());
    at.is_some_and(|at| at <= now.as_second())
}

pub(super) fn sighting(sighting: &Sighting, at: Timestamp) -> Result<Item, StoreError> {
    let item = with_body(ItemKind::Sighting.key("", sighting.name()), &Seen { at })?;
    with_expiry(item, at, SIGHTING_LIVES)
}

/// The subscription that the item belongs to.
pub(super) fn subscription(item: &Item) -> Option<SubscriptionId> {
    // From the key, which every item has, also one whose body can't be read.
    item.get(PARTITION)?.as_s().ok()?.strip_prefix(ItemKind::Record.partition())?.parse().ok()
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
    use crate::store::Checkpoint;

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
