//! The item of the deployment's first start.

use super::attribute::{Item, VERSION, number};
use super::content::with_body;
use super::kind::ItemKind;
use crate::store::{FirstStart, StoreError};

pub(in crate::store) fn first_start_key() -> Item {
    ItemKind::FirstStart.key("", "")
}

/// It never expires. Its version is 1 while the import is under way, and 2 from its end on.
pub(in crate::store) fn first_start(first: &FirstStart) -> Result<Item, StoreError> {
    let mut item = with_body(first_start_key(), first)?;
    item.insert(VERSION.into(), number(1 + u8::from(first.imported_at.is_some())));
    Ok(item)
}
