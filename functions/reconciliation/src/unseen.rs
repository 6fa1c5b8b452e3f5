//! The records that Microsoft's list did not show, read one by one.
//!
//! Only a run whose list broke off comes here. It goes through the table, begins with the record that changed
//! longest ago, and skips what its list has shown. Each of the others costs a call, so a run has a budget, and
//! the next such run goes on where this one stopped.

use jiff::Timestamp;
use shared::domain::{Record, Status, SubscriptionId, is_young};
use shared::host::error_class::ErrorClass;
use shared::microsoft::fulfillment::FulfillmentError;
use shared::store::{
    Checkpoint, Difference, Filter, LARGEST_PAGE, ListBy, ListQuery, Outcome, RunEnd,
};
use tracing::{error, warn};

use crate::findings::UNLISTED;
use crate::repair::{RepairError, Repaired};
use crate::summary::SliceEnd;
use crate::{Reconciliation, SliceError};

/// How many records a run reads one by one.
const BUDGET: u64 = 5000;

/// How many pages of records in a row may pass without an answer of Microsoft's until the run ends. The next
/// one tries the list first.
const MAX_SILENT_PAGES: u32 = 3;

/// What became of one record.
enum Looked {
    At(Result<Repaired, RepairError>),
    /// The slice's time was over.
    Not,
}

impl Reconciliation {
    /// Goes through the records until all of them, the budget or the slice's time is over.
    pub(crate) async fn unseen(
        &self,
        checkpoint: &mut Checkpoint,
        begun: Timestamp,
    ) -> Result<SliceEnd, SliceError> {
        if self.is_dry {
            self.conclude(checkpoint, RunEnd::Broken).await?;
            self.save(checkpoint).await?;
            return Ok(SliceEnd::Broken);
        }
        loop {
            let left = BUDGET.saturating_sub(checkpoint.unseen);
            let limit = u8::try_from(left).unwrap_or(LARGEST_PAGE).clamp(1, LARGEST_PAGE);
            let query = ListQuery { by: ListBy::Oldest, filter: Filter::default(), limit };
            let page = self.store.list(&query, checkpoint.unseen_after.as_deref()).await?;
            let is_whole = self.read_page(page.items, checkpoint, begun).await?;
            if is_whole {
                checkpoint.unseen_after = page.next;
            }
            let is_done = is_whole && checkpoint.unseen_after.is_none();
            let is_spent = checkpoint.unseen >= BUDGET;
            if is_done {
                self.conclude(checkpoint, RunEnd::Records).await?;
            } else if is_spent {
                self.conclude(checkpoint, RunEnd::Budget).await?;
            }
            self.save(checkpoint).await?;
            match (is_done, is_spent) {
                (true, _) => return Ok(SliceEnd::Records),
                (false, true) => return Ok(SliceEnd::Budget),
                (false, false) if self.is_over(begun) => return Ok(SliceEnd::Time),
                (false, false) => {}
            }
        }
    }

    /// Reads the subscriptions that the list has not shown. Returns whether there was time for all of them.
    async fn read_page(
        &self,
        records: Vec<Record>,
        checkpoint: &mut Checkpoint,
        begun: Timestamp,
    ) -> Result<bool, SliceError> {
        let records = self.not_compared(records, checkpoint).await?;
        let looks = records.into_iter().map(|record| async move {
            let (id, created) = (record.id(), record.subscription.created);
            let unchanged = Difference::new(id, Some(record.updated_at));
            if self.is_over(begun) {
                return (unchanged, created, Looked::Not);
            }
            (unchanged, created, Looked::At(self.look_again(id, record, begun).await))
        });
        let (mut seen, mut silence, mut is_whole) = (Vec::new(), None, true);
        for (unchanged, created, looked) in self.at_once(looks).await {
            let id = unchanged.subscription_id;
            let Looked::At(looked) = looked else {
                is_whole = false;
                continue;
            };
            match looked {
                Ok(repaired) => {
                    seen.push(id);
                    match repaired {
                        Repaired::Unchanged => {}
                        Repaired::Changed(difference) => {
                            checkpoint.repaired += 1;
                            checkpoint.findings.add(*difference);
                        }
                        Repaired::Left(difference) => {
                            checkpoint.left += 1;
                            checkpoint.findings.add(*difference);
                        }
                    }
                }
                // F-GET-4: it may be too new for Microsoft's copy.
                Err(RepairError::Fulfillment(FulfillmentError::NotFound(_)))
                    if is_young(created, self.clock.now()) =>
                {
                    seen.push(id);
                    checkpoint.left += 1;
                    checkpoint.findings.add(unchanged.ended(Outcome::Left, UNLISTED));
                }
                Err(RepairError::Fulfillment(FulfillmentError::NotFound(_))) => {
                    seen.push(id);
                    checkpoint.unlisted += 1;
                    checkpoint.findings.add(unchanged.ended(Outcome::Left, UNLISTED));
                    warn!(
                        subscription.id = %id, class = ErrorClass::Refused.name(),
                        "Microsoft no longer knows a subscription; its record stays as it is"
                    );
                }
                Err(error) => {
                    error!(
                        subscription.id = %id, %error, class = error.class().name(),
                        "could not reconcile a subscription; continuing with the next"
                    );
                    checkpoint.failed += 1;
                    let class = error.class().name();
                    checkpoint.findings.add(unchanged.ended(Outcome::Failed, class));
                    match error {
                        RepairError::Fulfillment(error) if is_silence(&error) => {
                            silence = Some(error);
                        }
                        _ => seen.push(id),
                    }
                }
            }
        }
        if let Some(error) = silence.filter(|_| seen.is_empty()) {
            return Err(self.stay(checkpoint, error).await);
        }
        checkpoint.stuck = 0;
        checkpoint.unseen += seen.len() as u64;
        checkpoint.examined += seen.len() as u64;
        // What changes moves to the end of the order, where this run would meet it again.
        if let Some(list) = checkpoint.begun_at {
            self.checkpoints.note_compared(&seen, list).await?;
        }
        Ok(is_whole)
    }

    /// The records that may still change and that the list has not shown.
    async fn not_compared(
        &self,
        mut records: Vec<Record>,
        checkpoint: &Checkpoint,
    ) -> Result<Vec<Record>, SliceError> {
        // A record that has ended may still wait for an operation.
        records.retain(|record| {
            *record.status() != Status::Unsubscribed || record.pending_operation.is_some()
        });
        let ids: Vec<SubscriptionId> = records.iter().map(Record::id).collect();
        if let Some(list) = checkpoint.begun_at {
            let compared = self.checkpoints.compared(&ids, list).await?;
            records.retain(|record| !compared.contains(&record.id()));
        }
        Ok(records)
    }

    /// Microsoft answered about none of a page's records: it is away, and the page waits for it.
    async fn stay(&self, checkpoint: &mut Checkpoint, error: FulfillmentError) -> SliceError {
        checkpoint.stuck += 1;
        if checkpoint.stuck >= MAX_SILENT_PAGES
            && let Err(error) = self.conclude(checkpoint, RunEnd::Broken).await
        {
            return error.into();
        }
        match self.save(checkpoint).await {
            Ok(()) => error.into(),
            Err(unsaved) => unsaved,
        }
    }
}

/// Whether the error says nothing about the subscription.
fn is_silence(error: &FulfillmentError) -> bool {
    match error {
        FulfillmentError::Unavailable { .. }
        | FulfillmentError::Unreachable { .. }
        | FulfillmentError::Token(_)
        | FulfillmentError::Unauthorized(_)
        | FulfillmentError::Misaddressed(_) => true,
        FulfillmentError::Refused(_)
        | FulfillmentError::NotFound(_)
        | FulfillmentError::Conflict(_)
        | FulfillmentError::Malformed(_) => false,
    }
}
