//! The erasure of personal data beside the record, and the list of erasures.
//!
//! The list holds ids and times alone and never expires: a restore of the table to a point in time applies it
//! again. A subscription is listed before its record is erased, so no erasure is missing. An entry whose
//! erasure was cut off before it began says nothing: the record tells whether it is erased.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Page, StoreError};
use crate::domain::SubscriptionId;

/// An entry of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erasure {
    pub subscription: SubscriptionId,
    pub erased_at: Timestamp,
}

/// The table, as an erasure sees it beside the other ports.
#[async_trait]
pub trait Erasures: Send + Sync {
    /// Whether any of the subscription's events is marked as pending: no delivery has looked at it yet. MUST
    /// be consistent.
    async fn has_pending_events(&self, id: SubscriptionId) -> Result<bool, StoreError>;

    /// Adds an entry to the list, or replaces the subscription's.
    async fn list_erasure(&self, erasure: &Erasure) -> Result<(), StoreError>;

    /// Rewrites all events of the subscription [without people](crate::domain::Event::without_people).
    ///
    /// MUST leave each event's pending mark and the time at which it expires, and MUST NOT bring an expired
    /// event back. If it ends early, a repetition does the rest.
    async fn erase_events(&self, id: SubscriptionId) -> Result<(), StoreError>;

    /// Removes what receivers wrote from all [attempts](super::Attempt) of the subscription.
    ///
    /// MUST leave the time at which each expires, and MUST NOT bring an expired one back.
    async fn erase_attempts(&self, id: SubscriptionId) -> Result<(), StoreError>;

    /// A page of the list of erasures; `next` as the previous page gave it. MUST be consistent.
    async fn erasures(&self, next: Option<&str>) -> Result<Page<Erasure>, StoreError>;
}
