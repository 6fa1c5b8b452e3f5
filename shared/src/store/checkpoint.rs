//! How far the reconciliation has come.

use std::collections::HashSet;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

use super::findings::{Difference, Findings, LeftOpen, QuietRuns};
use super::{CommitError, FirstStart, StoreError};
use crate::domain::SubscriptionId;

/// Serialised in the table: members are only added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Checkpoint {
    /// The continuation token of the next page; `None` at the beginning of the list, and outside of it.
    pub next: Option<String>,
    /// Pages read since the list began.
    pub pages: u64,
    /// A continuation token seen earlier in this run, to detect a list that runs in a circle
    /// (F-LST-8).
    pub landmark: Option<String>,
    /// Subscriptions compared since the list began.
    pub examined: u64,
    /// Records brought up to date in this run.
    pub repaired: u64,
    /// Subscriptions that failed since the list began.
    pub failed: u64,
    /// How often in a row Microsoft failed to return the next page. After the list: how often in a row it
    /// answered about no subscription.
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
    /// When this run began its list; `None` in a checkpoint from before 0.1.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun_at: Option<Timestamp>,
    /// The last run that reached the end of the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_round: Option<Round>,
    /// How often the checkpoint was saved; 0 where there is none, and in one from before 0.2.0.
    #[serde(default)]
    pub revision: u64,
    /// The correlation id of the slice that saved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved_by: Option<Uuid>,
    /// What the run is at; `None` when it has ended, and in a checkpoint from before 0.2.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    /// This run has begun its list anew, and notes which subscriptions it compares.
    #[serde(default)]
    pub begun_anew: bool,
    /// Records that the list did not show, and that this run read one by one.
    #[serde(default)]
    pub unseen: u64,
    /// Of those, the ones whose subscription Microsoft does not know.
    #[serde(default)]
    pub unlisted: u64,
    /// Where the next page of the records begins that the list may not have shown, in the order of
    /// [`ListBy::Oldest`](super::ListBy::Oldest). It outlasts the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unseen_after: Option<String>,
    /// What this run has found so far.
    #[serde(default, skip_serializing_if = "Findings::is_empty")]
    pub findings: Findings,
    /// The runs since the last one that had something to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_runs: Option<QuietRuns>,
    /// What the last run that ended left open; `None` if it left nothing, and in a checkpoint from before
    /// 0.2.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_open: Option<LeftOpen>,
}

/// A part of a run. Serialised in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Part {
    /// Microsoft's list of subscriptions.
    List,
    /// The list could not be read to its end: the records that it did not show.
    Unseen,
}

/// A run from the beginning to the end of the list. Serialised in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Round {
    pub begun_at: Timestamp,
    pub ended_at: Timestamp,
}

impl Checkpoint {
    /// Begins a run.
    pub fn begin(&mut self, now: Timestamp) {
        *self = Self {
            begun_at: Some(now),
            part: Some(Part::List),
            last_round: self.last_round,
            revision: self.revision,
            saved_by: self.saved_by,
            due_after: self.due_after.take(),
            unseen_after: self.unseen_after.take(),
            quiet_runs: self.quiet_runs,
            left_open: self.left_open.take(),
            ..Self::default()
        };
    }

    /// Begins the list of this run anew.
    pub fn begin_anew(&mut self, now: Timestamp) {
        let (due, repaired) = (self.due, self.repaired);
        let mut findings = std::mem::take(&mut self.findings);
        findings.keep_repaired(repaired);
        self.begin(now);
        (self.begun_anew, self.due, self.repaired) = (true, due, repaired);
        self.findings = findings;
    }

    /// Leaves the list, which can't be read to its end.
    pub fn leave_list(&mut self) {
        (self.part, self.next, self.landmark, self.stuck) = (Some(Part::Unseen), None, None, 0);
    }

    /// Ends the run.
    pub fn end(&mut self) {
        (self.part, self.next, self.landmark, self.stuck) = (None, None, None, 0);
    }

    /// Whether a run has begun and not ended.
    pub fn is_under_way(&self) -> bool {
        self.part.is_some() || self.next.is_some()
    }

    /// Whether the run reads Microsoft's list.
    pub fn is_in_list(&self) -> bool {
        self.part != Some(Part::Unseen)
    }

    /// The differences that are not repaired as far as is known: those of the run under way, and those that
    /// the run before left and this one has not seen again.
    pub fn open_differences(&self) -> impl Iterator<Item = &Difference> {
        let seen = &self.findings.differences;
        let is_seen = |id| seen.iter().any(|difference| difference.subscription_id == id);
        let left = self.left_open.iter().flat_map(|left| &left.differences);
        let left = left.filter(move |difference| !is_seen(difference.subscription_id));
        seen.iter().filter(|difference| difference.is_open()).chain(left)
    }

    /// Whether there are more of them than are listed.
    pub fn has_more_open(&self) -> bool {
        // The counts of a run that has ended are in what it left.
        let count = if self.is_under_way() { self.left + self.failed } else { 0 };
        let listed = self.findings.differences.iter().filter(|difference| difference.is_open());
        count > listed.count() as u64 || self.left_open.as_ref().is_some_and(|left| left.more > 0)
    }

    /// What takes the place of this one when everything is to begin from the beginning.
    #[must_use]
    pub fn reset(&self) -> Self {
        Self { revision: self.revision + 1, ..Self::default() }
    }
}

/// Why a checkpoint was not saved.
#[derive(Debug, Error)]
pub enum CheckpointError {
    #[error("another run saved the checkpoint")]
    Conflict,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The table, as the reconciliation sees it beside [`Store`](super::Store).
///
/// Every read MUST be consistent.
#[async_trait]
pub trait Checkpoints: Send + Sync {
    /// The default where there is none.
    async fn checkpoint(&self) -> Result<Checkpoint, StoreError>;

    /// The deployment's first start; `None` where none is stored yet.
    async fn first_start(&self) -> Result<Option<FirstStart>, StoreError>;

    /// Stores the first start, or the end of its import.
    ///
    /// MUST return [`CommitError::Conflict`] where a first start is stored already, unless the stored one
    /// lacks the end of the import and this one has it.
    async fn save_first_start(&self, first: &FirstStart) -> Result<(), CommitError>;

    /// MUST return [`CheckpointError::Conflict`] unless the stored revision is one below, or 0 where there is
    /// no checkpoint or one without a revision.
    async fn save_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), CheckpointError>;

    /// Notes that the list which began then has shown these subscriptions. A later list's note takes the
    /// place of this one.
    async fn note_compared(
        &self,
        ids: &[SubscriptionId],
        begun_at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Which of these subscriptions have a note of the list that began then.
    async fn compared(
        &self,
        ids: &[SubscriptionId],
        begun_at: Timestamp,
    ) -> Result<HashSet<SubscriptionId>, StoreError>;
}
