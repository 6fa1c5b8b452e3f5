//! The runs of the reconciliation that have ended, and whether runs are paused.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::checkpoint::Checkpoint;
use super::findings::{Difference, Findings, LeftOpen, QuietRuns};
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
        // A dry run repairs nothing, so it leaves nothing either.
        checkpoint.left_open = self.left_open().filter(|_| !self.dry_run);
        checkpoint.findings = Findings::default();
    }

    fn left_open(&self) -> Option<LeftOpen> {
        let count = self.left + self.failed;
        let open = self.findings.differences.iter().filter(|difference| difference.is_open());
        // What differed is in the run itself. The checkpoint is written with every page of the next run.
        let short = |difference: &Difference| Difference {
            actions: Vec::new(),
            changes: Vec::new(),
            ..difference.clone()
        };
        let differences: Vec<_> = open.map(short).collect();
        let more = count.saturating_sub(differences.len() as u64);
        (count > 0).then_some(LeftOpen { since: self.ended_at, differences, more })
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

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::domain::SubscriptionId;
    use crate::store::Outcome;
    use crate::store::findings::MOST_DIFFERENCES;

    fn difference(number: u128) -> Difference {
        Difference::new(SubscriptionId(uuid::Uuid::from_u128(number)), None)
    }

    /// Ends a run, a minute after it began.
    fn end(checkpoint: &mut Checkpoint, dry_run: bool) {
        let ended_at = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(1);
        Run::of(checkpoint, RunEnd::List, dry_run, ended_at).conclude(checkpoint);
        checkpoint.end();
    }

    fn open(checkpoint: &Checkpoint) -> Vec<u128> {
        let open = checkpoint.open_differences();
        open.map(|difference| difference.subscription_id.0.as_u128()).collect()
    }

    #[test]
    fn what_a_run_left_stays_open_until_the_next_run_has_seen_it_or_has_ended() {
        let mut checkpoint = Checkpoint::default();
        checkpoint.begin(Timestamp::UNIX_EPOCH);
        checkpoint.findings.add(difference(1));
        for number in [2, 3] {
            checkpoint.findings.add(difference(number).ended(Outcome::Left, "settling"));
        }
        checkpoint.findings.add(difference(4).ended(Outcome::Failed, "table"));
        (checkpoint.repaired, checkpoint.left, checkpoint.failed) = (1, 5, 1);
        assert_eq!(open(&checkpoint), [2, 3, 4]);
        assert!(checkpoint.has_more_open());
        end(&mut checkpoint, false);
        assert_eq!(open(&checkpoint), [2, 3, 4], "the run has ended");
        assert_eq!(checkpoint.left_open.as_ref().map(|left| left.more), Some(3));

        checkpoint.begin(Timestamp::UNIX_EPOCH);
        assert_eq!(open(&checkpoint), [2, 3, 4], "the next one has begun");
        checkpoint.findings.add(difference(3));
        checkpoint.findings.add(difference(4).ended(Outcome::Left, "time"));
        assert_eq!(open(&checkpoint), [4, 2], "one is repaired, and another one left again");
        (checkpoint.repaired, checkpoint.left) = (1, 1);
        assert!(checkpoint.has_more_open(), "those of the run before");
        end(&mut checkpoint, false);
        assert_eq!(open(&checkpoint), [4], "the run did not see the other one differ");
        assert!(!checkpoint.has_more_open(), "all are listed");

        checkpoint.begin(Timestamp::UNIX_EPOCH);
        end(&mut checkpoint, false);
        assert_eq!(checkpoint.left_open, None, "it found nothing");
    }

    #[test]
    fn a_run_whose_repairs_fill_its_list_has_open_differences_that_are_not_listed() {
        let mut checkpoint = Checkpoint::default();
        checkpoint.begin(Timestamp::UNIX_EPOCH);
        for number in 0..MOST_DIFFERENCES as u128 {
            checkpoint.findings.add(difference(number));
            checkpoint.repaired += 1;
        }
        assert!(!checkpoint.has_more_open());
        checkpoint.findings.add(difference(1000).ended(Outcome::Failed, "table"));
        checkpoint.failed = 1;
        assert!(open(&checkpoint).is_empty() && checkpoint.has_more_open());
        end(&mut checkpoint, false);
        assert!(open(&checkpoint).is_empty() && checkpoint.has_more_open(), "the run has ended");
        checkpoint.begin(Timestamp::UNIX_EPOCH);
        end(&mut checkpoint, false);
        assert!(!checkpoint.has_more_open(), "the next one found nothing");
    }

    #[test]
    fn a_dry_run_leaves_nothing_open() {
        let mut checkpoint = Checkpoint::default();
        checkpoint.begin(Timestamp::UNIX_EPOCH);
        checkpoint.findings.add(difference(1).ended(Outcome::Left, "settling"));
        checkpoint.left = 1;
        end(&mut checkpoint, true);
        assert_eq!(checkpoint.left_open, None);
    }
}
