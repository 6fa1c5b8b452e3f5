//! How far the reconciliation has come.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::StoreError;

/// Serialised in the table: members are only added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Checkpoint {
    /// The continuation token of the next page; `None` when the next run starts the list anew.
    pub next: Option<String>,
    /// Pages read in this run.
    pub pages: u64,
    /// A continuation token seen earlier in this run, to detect a list that runs in a circle
    /// (F-LST-8).
    pub landmark: Option<String>,
    /// Subscriptions compared in this run.
    pub examined: u64,
    /// Records brought up to date in this run.
    pub repaired: u64,
    /// Subscriptions that failed in this run.
    pub failed: u64,
    /// How often in a row Microsoft failed to return the next page.
    #[serde(default)]
    pub stuck: u32,
}

/// The table, as the reconciliation sees it beside [`Store`](super::Store).
#[async_trait]
pub trait Checkpoints: Send + Sync {
    /// The default where there is none. MUST be consistent.
    async fn checkpoint(&self) -> Result<Checkpoint, StoreError>;

    async fn save_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), StoreError>;
}
