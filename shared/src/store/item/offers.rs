//! The item of the offers' settings.

use super::attribute::{Item, number};
use super::kind::ItemKind;
use super::{VERSION, with_body};
use crate::store::{StoreError, StoredOffers};

pub(in crate::store) fn offers_key() -> Item {
    ItemKind::Offers.key("", "")
}

/// There is one, and it has no end.
pub(in crate::store) fn offers(offers: &StoredOffers) -> Result<Item, StoreError> {
    let mut item = with_body(offers_key(), offers)?;
    item.insert(VERSION.into(), number(offers.revision));
    Ok(item)
}
