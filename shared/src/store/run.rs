//! The runs of the reconciliation that have ended, and whether runs are paused.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::checkpoint::Checkpoint;
use super::findings::{Findings, QuietRuns};
use super::{Page, StoreError};

/// The longest note of a pause, in characters.
pub const LONGEST_NOTE: usize = 500;

/// A run that ended, and that had something to say. Serialised in the table and in answers of the API:
/// members are only added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    pub begun_at: Timestamp,
    pub ended_at: Timestamp,
    pub end: RunEnd,
    /// It compared, and repaired nothing.
    #[serde(default)]
    pub dry_run: bool,
    /// Subscriptions compared.
    pub examined: u64,
    /// Records brought up to date; in a dry run, those that a run would bring up to date.
    pub repaired: u64,
    /// Differences that were left to the next run.
    pub left: u64,
    /// Subscriptions that failed.
    pub failed: u64,
    /// Records that the list did not show, and that were read one by one.
    #[serde(default)]
    pub unseen: u64,
    /// Of those, the ones whose subscription Microsoft does not know.
    #[serde(default)]
    pub unlisted: u64,
    #[serde(flatten)]
    pub findings: Findings,
}

/// Why a run ended. Serialised in the table and in answers of the API: variants are only added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RunEnd {
    /// At the end of the list: it was a full round.
    List,
    /// The list could not be read to its end, and every record that it did not show was read by itself.
    Records,
    /// The same, and the next such run reads the rest of the records.
    Budget,
    /// The list could not be read to its end, and nothing was read beside it: Microsoft did not answer, or
    /// it was a dry run.
    Broken,
}

/// Runs are paused. Serialised in the table and in answers of the API: members are only added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pause {
    pub since: Timestamp,
    /// Why, for people. At most [`LONGEST_NOTE`] characters.
    pub note: String,
    /// Who paused them, as the API's host names its caller; `None` where it doesn't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

impl Run {
    /// The run that a checkpoint ends with.
    pub fn of(checkpoint: &Checkpoint, end: RunEnd, dry_run: bool, ended_at: Timestamp) -> Self {
        Self {
            begun_at: checkpoint.begun_at.unwrap_or(ended_at),
            ended_at,
            end,
            dry_run,
            examined: checkpoint.examined,
            repaired: checkpoint.repaired,
            left: checkpoint.left,
            failed: checkpoint.failed,
            unseen: checkpoint.unseen,
            unlisted: checkpoint.unlisted,
            findings: checkpoint.findings.clone(),
        }
    }

    /// Ends the run in its checkpoint: it is counted among the quiet ones, or it had something to say.
    pub fn conclude(&self, checkpoint: &mut Checkpoint) {
        let quiet = || QuietRuns::and(checkpoint.quiet_runs, self.begun_at, self.ended_at);
        checkpoint.quiet_runs = self.is_quiet().then(quiet);
        checkpoint.findings = Findings::default();
    }

    /// Whether it compared everything, and found nothing.
    pub fn is_quiet(&self) -> bool {
        self.end == RunEnd::List && self.repaired == 0 && self.left == 0 && self.failed == 0
    }
}

/// The table, as the runs of the reconciliation are kept in it beside [`Checkpoints`](super::Checkpoints).
#[async_trait]
pub trait Runs: Send + Sync {
    /// Stores a run. It replaces one that began at the same time.
    async fn save_run(&self, run: &Run) -> Result<(), StoreError>;

    /// A page of runs, the latest first; `next` as the previous page gave it.
    async fn runs(&self, limit: u8, next: Option<&str>) -> Result<Page<Run>, StoreError>;

    /// MUST be consistent.
    async fn pause(&self) -> Result<Option<Pause>, StoreError>;

    /// `None` resumes.
    async fn save_pause(&self, pause: Option<&Pause>) -> Result<(), StoreError>;

    /// How far the dry run has come; the default where there was none. MUST be consistent.
    async fn dry_run(&self) -> Result<Checkpoint, StoreError>;

    async fn save_dry_run(&self, checkpoint: &Checkpoint) -> Result<(), StoreError>;
}
