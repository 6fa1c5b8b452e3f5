//! The item of a target's pace.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::attribute::{Item, number};
use super::kind::ItemKind;
use super::{VERSION, with_body};
use crate::store::{StoreError, Target};

/// The body of a pace. Serialised in the table: members are only added.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct Paced {
    /// Grows by one each time it is saved. Concurrent reservations are detected by it.
    pub revision: u64,
    /// Every slot before this time is taken.
    pub free_from: Timestamp,
}

pub(in crate::store) fn pace_key(target: Target) -> Item {
    ItemKind::Pace.key("", target.name())
}

/// One for each target, so it needs no end.
pub(in crate::store) fn pace(target: Target, paced: &Paced) -> Result<Item, StoreError> {
    let mut item = with_body(pace_key(target), paced)?;
    item.insert(VERSION.into(), number(paced.revision));
    Ok(item)
}
