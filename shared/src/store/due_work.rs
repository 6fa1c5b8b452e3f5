//! The records that the reconciliation deals with on a day, whatever Microsoft's list shows.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Page, StoreError};
use crate::domain::SubscriptionId;

/// A record with work that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueRecord {
    pub id: SubscriptionId,
    /// Where a later page starts that continues after this one.
    pub place: String,
}

/// What is due about records, the oldest first; `next` as a previous page gave it.
///
/// A list may lag. So who reads it MUST ask the record itself. Records from before 0.2.0 are listed from
/// their next version on.
#[async_trait]
pub trait DueWork: Send + Sync {
    /// A page of the records whose [`work_due`](crate::domain::Record::work_due) is no later than this, in
    /// whole seconds.
    async fn work(&self, by: Timestamp, next: Option<&str>) -> Result<Page<DueRecord>, StoreError>;

    /// A page of the subscriptions that [ended](crate::domain::Record::ended_at) no later than this, in whole
    /// seconds, are not erased, and have no work due at any time.
    async fn ended(
        &self,
        by: Timestamp,
        next: Option<&str>,
    ) -> Result<Page<SubscriptionId>, StoreError>;
}
