//! The item of a receiver's state.

use super::attribute::{Item, SORT, number};
use super::kind::ItemKind;
use super::{VERSION, with_body};
use crate::store::{ReceiverState, StoreError, Target};

pub(in crate::store) fn receiver_key(target: Target) -> Item {
    ItemKind::Receiver.key("", target.name())
}

/// There are few, and a removed one is deleted.
pub(in crate::store) fn receiver(
    target: Target,
    state: &ReceiverState,
) -> Result<Item, StoreError> {
    let mut item = with_body(receiver_key(target), state)?;
    item.insert(VERSION.into(), number(state.revision));
    Ok(item)
}

pub(in crate::store) fn receiver_target(item: &Item) -> Option<Target> {
    item.get(SORT)?.as_s().ok()?.parse().ok()
}
