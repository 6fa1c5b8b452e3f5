//! The items about attempts to deliver an event.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};

use super::attribute::Item;
use super::content::corrupt;
use super::kind::ItemKind;
use super::{BODY, with_body, with_expiry};
use crate::domain::SubscriptionId;
use crate::store::error::Corruption;
use crate::store::{Attempt, StoreError};

/// Long enough to ask a product's engineers about an outage of last week.
const LIVES: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The length of the time is fixed, so that the order of keys is the order of attempts.
pub(in crate::store) fn attempt_key(id: SubscriptionId, attempt: &Attempt) -> Item {
    let at = attempt.at.strftime("%Y-%m-%dT%H:%M:%S.%9fZ");
    ItemKind::Attempt.key(id, format!("{at}#{}", attempt.receiver))
}

pub(in crate::store) fn attempt(id: SubscriptionId, attempt: &Attempt) -> Result<Item, StoreError> {
    with_expiry(with_body(attempt_key(id, attempt), attempt)?, attempt.at, LIVES)
}

/// Between these sort keys are all attempts of a subscription.
pub(in crate::store) fn all_attempts() -> (String, String) {
    let first = ItemKind::Attempt.sort();
    (first.to_owned(), format!("{first}~"))
}

/// Whether an attempt can have this sort key.
pub(in crate::store) fn is_attempt_sort(sort: &str) -> bool {
    let parts = sort.strip_prefix(ItemKind::Attempt.sort()).and_then(|rest| rest.split_once('#'));
    parts.is_some_and(|(at, _)| at.parse::<Timestamp>().is_ok())
}

/// The body of an attempt's item; nothing else of the item is written again.
pub(in crate::store) fn attempt_body(
    id: SubscriptionId,
    attempt: &Attempt,
) -> Result<AttributeValue, StoreError> {
    let mut item = with_body(attempt_key(id, attempt), attempt)?;
    item.remove(BODY).ok_or_else(|| corrupt(&item, Corruption::MissingBody))
}
