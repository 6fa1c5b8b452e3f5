//! An item's body, and when it expires.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::attribute::{Item, PARTITION, SORT, number};
use crate::store::StoreError;
use crate::store::error::Corruption;

pub(in crate::store) const EXPIRES_AT: &str = "expires_at";
pub(in crate::store) const BODY: &str = "body";

pub(super) fn with_body(mut item: Item, body: &impl Serialize) -> Result<Item, StoreError> {
    let body = serde_dynamo::to_attribute_value(body).map_err(|error| corrupt(&item, error))?;
    item.insert(BODY.into(), body);
    Ok(item)
}

pub(super) fn with_expiry(
    mut item: Item,
    at: Timestamp,
    lives: SignedDuration,
) -> Result<Item, StoreError> {
    let expires_at = at.checked_add(lives).map_err(|error| corrupt(&item, error))?;
    item.insert(EXPIRES_AT.into(), number(expires_at.as_second()));
    Ok(item)
}

pub(in crate::store) fn body<T: DeserializeOwned>(mut item: Item) -> Result<T, StoreError> {
    match item.remove(BODY) {
        // serde_dynamo panics at a type that the SDK doesn't know.
        Some(body) if !is_known(&body) => Err(corrupt(&item, Corruption::UnknownType)),
        Some(body) => {
            serde_dynamo::from_attribute_value(body).map_err(|error| corrupt(&item, error))
        }
        None => Err(corrupt(&item, Corruption::MissingBody)),
    }
}

fn is_known(value: &AttributeValue) -> bool {
    match value {
        AttributeValue::M(members) => members.values().all(is_known),
        AttributeValue::L(entries) => entries.iter().all(is_known),
        value => !value.is_unknown(),
    }
}

pub(super) fn corrupt(item: &Item, reason: impl Into<Corruption>) -> StoreError {
    let part =
        |name| item.get(name).and_then(|value| value.as_s().ok()).map_or("?", String::as_str);
    StoreError::Corrupt {
        key: format!("{} {}", part(PARTITION), part(SORT)),
        reason: reason.into(),
    }
}
