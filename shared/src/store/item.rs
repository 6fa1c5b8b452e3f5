//! How things look as items of the table.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Checkpoint, Mark, StoreError};
use crate::domain::{Event, OperationId, Record, SubscriptionId};

pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) const PARTITION: &str = "pk";
pub(super) const SORT: &str = "sk";
pub(super) const VERSION: &str = "version";
/// Index keys; on records alone, so that the indexes hold nothing else.
pub(super) const STATUS: &str = "status";
pub(super) const OFFER: &str = "offer_id";
pub(super) const SUBSCRIPTION: &str = "subscription_id";
const EXPIRES_AT: &str = "expires_at";
const BODY: &str = "body";

/// A second delivery comes within hours (F-WHD-4); whoever looks into a complaint comes later.
const MARK_LIVES: SignedDuration = SignedDuration::from_hours(90 * 24);

/// A consumer catches up within days; the history of a yearly term is asked for after its renewal.
const EVENT_LIVES: SignedDuration = SignedDuration::from_hours(400 * 24);

const SUBSCRIPTION_PREFIX: &str = "SUB#";
pub(super) const RECORD: &str = "RECORD";
pub(super) const EVENT_PREFIX: &str = "EVENT#";

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn partition(id: SubscriptionId) -> String {
    format!("{SUBSCRIPTION_PREFIX}{id}")
}

pub(super) fn mark_key(operation: OperationId) -> String {
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

pub(super) fn event(event: &Event) -> Result<Item, StoreError> {
    let key = key(partition(event.subscription_id), event_key(event.version, event.index));
    with_expiry(with_body(key, event)?, event.recorded_at, EVENT_LIVES)
}

pub(super) fn mark(id: SubscriptionId, mark: &Mark) -> Result<Item, StoreError> {
    let key = key(partition(id), mark_key(mark.operation_id));
    with_expiry(with_body(key, mark)?, mark.at, MARK_LIVES)
}

pub(super) fn checkpoint(checkpoint: &Checkpoint) -> Result<Item, StoreError> {
    with_body(checkpoint_key(), checkpoint)
}

fn with_body(mut item: Item, body: &impl Serialize) -> Result<Item, StoreError> {
    let body = serde_dynamo::to_attribute_value(body).map_err(|error| corrupt(&item, &error))?;
    item.insert(BODY.into(), body);
    Ok(item)
}

fn with_expiry(mut item: Item, at: Timestamp, lives: SignedDuration) -> Result<Item, StoreError> {
    let expires_at = at.checked_add(lives).map_err(|error| corrupt(&item, &error))?;
    item.insert(EXPIRES_AT.into(), number(expires_at.as_second()));
    Ok(item)
}

/// Whose record the item is.
pub(super) fn subscription(item: &Item) -> Option<SubscriptionId> {
    // From the key: whatever else of the item is lost, that is there.
    item.get(PARTITION)?.as_s().ok()?.strip_prefix(SUBSCRIPTION_PREFIX)?.parse().ok()
}

/// What the item holds.
pub(super) fn body<T: DeserializeOwned>(mut item: Item) -> Result<T, StoreError> {
    match item.remove(BODY) {
        // The reader panics at a type that the SDK doesn't know.
        Some(body) if !is_known(&body) => Err(corrupt(&item, &"it holds an unknown type")),
        Some(body) => {
            serde_dynamo::from_attribute_value(body).map_err(|error| corrupt(&item, &error))
        }
        None => Err(corrupt(&item, &"it has no body")),
    }
}

fn is_known(value: &AttributeValue) -> bool {
    match value {
        AttributeValue::M(members) => members.values().all(is_known),
        AttributeValue::L(entries) => entries.iter().all(is_known),
        value => !value.is_unknown(),
    }
}

fn corrupt(item: &Item, reason: &dyn std::fmt::Display) -> StoreError {
    let part =
        |name| item.get(name).and_then(|value| value.as_s().ok()).map_or("?", String::as_str);
    StoreError::Corrupt {
        key: format!("{} {}", part(PARTITION), part(SORT)),
        reason: reason.to_string(),
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
    use crate::outbound::{SendError, Transport, for_aws};

    /// DynamoDB, which answers everything alike.
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
    async fn a_type_that_nobody_knows_yet_makes_an_item_corrupt_and_ends_no_program() {
        for answer in [
            r#"{"Item":{"body":{"VECTOR":{"x":{"S":"y"}}}}}"#,
            r#"{"Item":{"body":{"M":{"next":{"VECTOR":"y"}}}}}"#,
            r#"{"Item":{"body":{"M":{"next":{"L":[{"VECTOR":"y"}]}}}}}"#,
        ] {
            let read = body::<Checkpoint>(item(answer).await);
            assert!(matches!(read, Err(StoreError::Corrupt { .. })), "{answer}: {read:?}");
        }
    }
}
