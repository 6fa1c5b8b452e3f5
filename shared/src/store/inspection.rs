//! What only an examination of the deployment asks the table for.

use async_trait::async_trait;

use super::StoreError;
use crate::domain::Event;

/// The table, as an examination sees it beside the other ports.
#[async_trait]
pub trait Inspection: Send + Sync {
    /// The names of the indexes that this version reads, each with its answer to the smallest query.
    async fn indexes(&self) -> Vec<(&'static str, Result<(), StoreError>)>;

    /// Records a [test event](Event::test), which no record led to. It is pending, as every new event is.
    async fn record_test(&self, event: &Event) -> Result<(), StoreError>;
}
