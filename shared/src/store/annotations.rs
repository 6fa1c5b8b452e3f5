//! The publisher's own reference and metadata of each subscription.
//!
//! They are an item of their own beside the record. So a change of them costs no other writer a conflict:
//! the webhook, which has ten seconds, commits the record even if something is noted meanwhile.

use async_trait::async_trait;
use thiserror::Error;

use super::StoreError;
use crate::domain::{Annotations, SubscriptionId};

/// Why annotations, a receiver's state or the offers' settings were not saved.
#[derive(Debug, Error)]
pub enum SaveError {
    /// Another writer saved that revision.
    #[error("another writer saved that revision")]
    Conflict,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The table, as the publisher's API and the delivery see it beside [`Store`](super::Store).
///
/// Every read MUST be consistent.
#[async_trait]
pub trait AnnotationStore: Send + Sync {
    async fn annotations(&self, id: SubscriptionId) -> Result<Option<Annotations>, StoreError>;

    /// MUST return [`SaveError::Conflict`] if the stored revision isn't one below (for the first one: unless
    /// there is none), and MUST NOT touch the record. From then on, the subscription MUST be found by a
    /// [new reference](Annotations::has_new_reference), and no longer by the one before it.
    async fn save_annotations(
        &self,
        id: SubscriptionId,
        annotations: &Annotations,
    ) -> Result<(), SaveError>;
}
