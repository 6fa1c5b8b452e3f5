//! Erases the personal data of subscriptions that ended long ago, and completes erasures that were cut off.

use futures_util::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use shared::config::Retention;
use shared::domain::{Cause, ErasureRefused, Record};
use shared::flows::erasure::ErasureError;
use shared::store::{Difference, RepairAction, StoreError};
use tracing::{error, info};

use crate::Reconciliation;
use crate::repair::{RepairError, Repaired};

/// How long a slice looks for personal data to erase. The rest waits for the next slice, which begins with
/// the oldest again.
const BUDGET: SignedDuration = SignedDuration::from_secs(30);

/// How many subscriptions are erased at a time.
const CONCURRENT: usize = 8;

/// What became of one subscription.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Erased,
    /// Its events are not delivered, or the index lags behind the record.
    Postponed,
    Failed,
}

impl Reconciliation {
    /// Completes the erasure of a tombstone. There is nothing else to do about one.
    pub(crate) async fn tombstone(&self, record: Record) -> Result<Repaired, RepairError> {
        if !record.is_erasing() {
            return Ok(Repaired::Unchanged);
        }
        let mut found = Difference::new(record.id(), Some(record.updated_at));
        found.actions.push(RepairAction::ErasureFinished);
        if !self.is_dry {
            self.erasure.finish(record).await?;
        }
        Ok(Repaired::Changed(Box::new(found)))
    }

    /// Erases what `RETENTION_DAYS` no longer keeps, the first that ended first.
    pub(crate) async fn apply_retention(&self) {
        let Some(Retention(kept)) = self.retention.filter(|_| !self.is_dry) else { return };
        let begun = self.clock.now();
        let Ok(by) = begun.checked_sub(kept) else { return };
        if let Err(error) = self.erase_ended(by, begun).await {
            error!(
                %error, class = error.class().name(),
                "could not look for personal data to erase; the next run tries again"
            );
        }
    }

    async fn erase_ended(&self, by: Timestamp, begun: Timestamp) -> Result<(), StoreError> {
        let (mut erased, mut postponed, mut failed) = (0_u64, 0_u64, 0_u64);
        let mut next = None;
        loop {
            let page = self.due_work.ended(by, next.as_deref()).await?;
            let mut records = self.store.load_many(&page.items).await?;
            let records: Vec<_> = page.items.iter().filter_map(|id| records.remove(id)).collect();
            let erasures = records.into_iter().map(|record| self.erase_one(record, by));
            let mut erasures = stream::iter(erasures).buffer_unordered(CONCURRENT);
            while let Some(outcome) = erasures.next().await {
                match outcome {
                    Outcome::Erased => erased += 1,
                    Outcome::Postponed => postponed += 1,
                    Outcome::Failed => failed += 1,
                }
            }
            next = page.next;
            if next.is_none() || self.clock.now().duration_since(begun) >= BUDGET {
                break;
            }
        }
        if erased + postponed + failed > 0 {
            info!(erased, postponed, failed, "applied the retention of personal data");
        }
        Ok(())
    }

    async fn erase_one(&self, record: Result<Record, StoreError>, by: Timestamp) -> Outcome {
        // The index lags. What was erased meanwhile may have to be completed.
        let is_due = |record: &Record| record.is_erased() || record.ended_by(by);
        let erased = match record {
            Ok(record) if !is_due(&record) => return Outcome::Postponed,
            Ok(record) => {
                let id = record.id();
                let erased = self.erasure.erase(record, &Cause::Reconciliation, is_due).await;
                erased.map(drop).map_err(|error| (Some(id), error))
            }
            Err(corrupt) => Err((None, ErasureError::from(corrupt))),
        };
        match erased {
            Ok(()) => Outcome::Erased,
            Err((
                _,
                ErasureError::Refused(
                    ErasureRefused::NotEnded
                    | ErasureRefused::TooEarly { .. }
                    | ErasureRefused::Undelivered,
                )
                | ErasureError::Overtaken,
            )) => Outcome::Postponed,
            Err((id, error)) => {
                error!(
                    subscription.id = id.map(tracing::field::display), %error,
                    class = error.class().name(),
                    "could not erase personal data; the next run tries again"
                );
                Outcome::Failed
            }
        }
    }
}
