//! A table that was restored to a point in time.

use async_trait::async_trait;

use super::{CommitError, Page, StoreError};
use crate::domain::{Record, SubscriptionId};

/// The table, as a restore sees it beside [`Store`](super::Store).
///
/// [`Store::epoch`](super::Store::epoch) reads the epoch that a restore began.
#[async_trait]
pub trait Restoration: Send + Sync {
    /// From now on, the versions of new records begin after this one.
    ///
    /// MUST return [`CommitError::Conflict`] unless it is greater than the stored epoch.
    async fn begin_epoch(&self, epoch: u64) -> Result<(), CommitError>;

    /// A page of the subscriptions that have a record, readable or not; `next` as the previous page
    /// gave it. It may lag.
    async fn subscriptions(&self, next: Option<&str>) -> Result<Page<SubscriptionId>, StoreError>;

    /// Replaces a record. MUST return [`CommitError::Conflict`] unless the stored version is
    /// `replaced`.
    async fn replace(&self, replaced: u64, record: &Record) -> Result<(), CommitError>;
}
