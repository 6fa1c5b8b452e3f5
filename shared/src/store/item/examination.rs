//! The item of the last examination.

use super::attribute::Item;
use super::kind::ItemKind;
use super::with_body;
use crate::store::{Examination, StoreError};

pub(in crate::store) fn examination_key() -> Item {
    ItemKind::Examination.key("", "")
}

/// There is one, and it has no end.
pub(in crate::store) fn examination(examination: &Examination) -> Result<Item, StoreError> {
    with_body(examination_key(), examination)
}
