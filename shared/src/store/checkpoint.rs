//! How far the reconciliation has come.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{CommitError, FirstStart, StoreError};

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
    /// Differences that this run left to the next one.
    #[serde(default)]
    pub left: u64,
    /// Records looked at in this run because work of theirs was due, whatever the list shows.
    #[serde(default)]
    pub due: u64,
    /// The place after which the next slice continues with what is due; `None` if it begins with the oldest.
    /// It is no part of a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_after: Option<String>,
    /// When this run began; `None` in a checkpoint from before 0.1.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun_at: Option<Timestamp>,
    /// The last run that reached the end of the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_round: Option<Round>,
}

/// A run from the beginning to the end of the list. Serialised in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Round {
    pub begun_at: Timestamp,
    pub ended_at: Timestamp,
}

impl Checkpoint {
    /// Begins the list anew.
    pub fn begin(&mut self, now: Timestamp) {
        *self = Self {
            begun_at: Some(now),
            last_round: self.last_round,
            due_after: self.due_after.take(),
            ..Self::default()
        };
    }
}

/// The table, as the reconciliation sees it beside [`Store`](super::Store).
#[async_trait]
pub trait Checkpoints: Send + Sync {
    /// The default where there is none. MUST be consistent.
    async fn checkpoint(&self) -> Result<Checkpoint, StoreError>;

    async fn save_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), StoreError>;

    /// The deployment's first start; `None` where none is stored yet. MUST be consistent.
    async fn first_start(&self) -> Result<Option<FirstStart>, StoreError>;

    /// Stores the first start, or the end of its import.
    ///
    /// MUST return [`CommitError::Conflict`] where a first start is stored already, unless the stored one
    /// lacks the end of the import and this one has it.
    async fn save_first_start(&self, first: &FirstStart) -> Result<(), CommitError>;
}
