//! What the reconciliation keeps: how far it has come, and what it has compared.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::attribute::{Item, VERSION, number};
use super::content::{with_body, with_expiry};
use super::kind::ItemKind;
use crate::domain::SubscriptionId;
use crate::store::{Checkpoint, StoreError};

/// A run ends within days. Later runs do not look at the note.
const COMPARED_LIVES: SignedDuration = SignedDuration::from_hours(4 * 24);

/// The body of a note that a list has shown a subscription. Serialised in the table: members are only added.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct Compared {
    /// When the list began.
    pub begun_at: Timestamp,
}

pub(in crate::store) fn checkpoint_key() -> Item {
    ItemKind::Checkpoint.key("", "")
}

pub(in crate::store) fn checkpoint(checkpoint: &Checkpoint) -> Result<Item, StoreError> {
    let mut item = with_body(checkpoint_key(), checkpoint)?;
    item.insert(VERSION.into(), number(checkpoint.revision));
    Ok(item)
}

pub(in crate::store) fn compared_key(id: SubscriptionId) -> Item {
    ItemKind::Compared.key(id, "")
}

pub(in crate::store) fn compared(
    id: SubscriptionId,
    begun_at: Timestamp,
) -> Result<Item, StoreError> {
    with_expiry(with_body(compared_key(id), &Compared { begun_at })?, begun_at, COMPARED_LIVES)
}
