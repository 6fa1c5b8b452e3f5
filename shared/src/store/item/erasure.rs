//! The list of erasures.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Item, ItemKind, SORT, body, with_body};
use crate::domain::{Event, SubscriptionId};
use crate::store::{Erasure, StoreError};

/// Serialised in the table: members are only added.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Erased {
    erased_at: Timestamp,
}

/// An entry. It never expires.
pub(in crate::store) fn erasure(erasure: &Erasure) -> Result<Item, StoreError> {
    let Erasure { subscription, erased_at } = *erasure;
    with_body(erasure_key(subscription), &Erased { erased_at })
}

pub(in crate::store) fn erasure_key(id: SubscriptionId) -> Item {
    ItemKind::Erasure.key("", id)
}

/// `None` where the key names no subscription.
pub(in crate::store) fn erasure_of(item: Item) -> Result<Option<Erasure>, StoreError> {
    let id = item.get(SORT).and_then(|sort| sort.as_s().ok()?.parse().ok());
    let Some(subscription) = id else { return Ok(None) };
    let Erased { erased_at } = body(item)?;
    Ok(Some(Erasure { subscription, erased_at }))
}

/// The body of an event's item; nothing else of the item is written again.
pub(in crate::store) fn event_body(
    event: &Event,
) -> Result<aws_sdk_dynamodb::types::AttributeValue, StoreError> {
    let mut item = with_body(super::event_key(event.subscription_id, event.position()), event)?;
    item.remove(super::BODY).ok_or_else(|| super::corrupt(&item, super::Corruption::MissingBody))
}
