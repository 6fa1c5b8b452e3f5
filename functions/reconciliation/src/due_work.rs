//! What is due about records, before the list: activations under way, open operations, deadlines, and what
//! a restore left to be told.
//!
//! The table has an index of it, so it doesn't wait for its page of the list, which may come half a day
//! later. A slice looks once at each. One that stays due, for instance because Microsoft is still at work,
//! holds up no other: the next slice continues behind the last one that this slice looked at.

use std::collections::HashMap;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use jiff::{SignedDuration, Timestamp};
use shared::domain::{Record, SubscriptionId};
use shared::host::error_class::ErrorClass;
use shared::microsoft::fulfillment::FulfillmentError;
use shared::store::{Checkpoint, Difference, DueRecord, Page, StoreError};
use tracing::{error, warn};

use crate::repair::{RepairError, Repaired};
use crate::{Reconciliation, SliceError};

/// How much of a slice's time it takes at most before the list goes on.
const SHARE: SignedDuration = SignedDuration::from_secs(60);

/// How many records it looks at at a time. Each waits for Microsoft.
const CONCURRENT: usize = 8;

fn count(checkpoint: &mut Checkpoint, repaired: Option<Difference>) {
    if let Some(difference) = repaired {
        checkpoint.repaired += 1;
        checkpoint.findings.add(difference);
    }
}

impl Reconciliation {
    /// Looks at what is due, the oldest first, and saves how far it came if there was anything. What fails
    /// is logged: the list goes on.
    pub(crate) async fn do_due_work(
        &self,
        checkpoint: &mut Checkpoint,
        begun: Timestamp,
    ) -> Result<(), SliceError> {
        // A dry run finds it at its page of the list.
        if self.is_dry {
            return Ok(());
        }
        let before = (checkpoint.due, checkpoint.due_after.clone());
        if let Err(error) = self.due_pages(checkpoint, begun).await {
            error!(
                %error, class = error.class().name(),
                "could not read what is due; continuing with the list"
            );
        }
        if before != (checkpoint.due, checkpoint.due_after.clone()) {
            self.save(checkpoint).await?;
        }
        Ok(())
    }

    async fn due_pages(
        &self,
        checkpoint: &mut Checkpoint,
        begun: Timestamp,
    ) -> Result<(), StoreError> {
        loop {
            let page = self.due_work.work(begun, checkpoint.due_after.as_deref()).await;
            let Page { items, next } = page.inspect_err(|error| {
                if matches!(error, StoreError::BadPosition) {
                    checkpoint.due_after = None;
                }
            })?;
            let ids: Vec<_> = items.iter().map(|due| due.id).collect();
            let records =
                if ids.is_empty() { HashMap::new() } else { self.store.load_many(&ids).await? };
            if !self.due_page(items, records, checkpoint, begun).await {
                return Ok(());
            }
            checkpoint.due_after = next;
            if checkpoint.due_after.is_none() {
                return Ok(());
            }
        }
    }

    /// Returns whether there is time for another page. If there isn't, the checkpoint says how far this one
    /// went: at least to its first record, so that every slice makes progress.
    async fn due_page(
        &self,
        items: Vec<DueRecord>,
        mut records: HashMap<SubscriptionId, Result<Record, StoreError>>,
        checkpoint: &mut Checkpoint,
        begun: Timestamp,
    ) -> bool {
        let mut in_flight = FuturesUnordered::new();
        let mut is_over = false;
        for DueRecord { id, place } in items {
            // The index lags: the record may have nothing left to do, or be gone.
            let is_due = |record: &Record| record.work_due().is_some_and(|due| due <= begun);
            let record = records.remove(&id).filter(|read| read.as_ref().map_or(true, is_due));
            checkpoint.due_after = Some(place);
            let Some(record) = record else { continue };
            if in_flight.len() >= CONCURRENT
                && let Some(repaired) = in_flight.next().await
            {
                count(checkpoint, repaired);
            }
            checkpoint.due += 1;
            in_flight.push(self.look_at(id, record, begun));
            is_over = self.clock.now().duration_since(begun) >= SHARE;
            if is_over {
                break;
            }
        }
        while let Some(repaired) = in_flight.next().await {
            count(checkpoint, repaired);
        }
        !is_over
    }

    /// Returns what this changed, if anything. What failed or was left is counted at its page of the list.
    async fn look_at(
        &self,
        id: SubscriptionId,
        record: Result<Record, StoreError>,
        begun: Timestamp,
    ) -> Option<Difference> {
        let repaired = match record {
            Ok(record) => self.look_again(id, record, begun).await,
            Err(corrupt) => Err(corrupt.into()),
        };
        match repaired {
            Ok(Repaired::Changed(difference)) => Some(*difference),
            Ok(Repaired::Unchanged | Repaired::Left(_)) => None,
            Err(RepairError::Fulfillment(FulfillmentError::NotFound(_))) => {
                warn!(
                    subscription.id = %id, class = ErrorClass::Refused.name(),
                    "Microsoft knows no such subscription, and its record has work due"
                );
                None
            }
            Err(error) => {
                error!(
                    subscription.id = %id, %error, class = error.class().name(),
                    "could not do what is due about a subscription; continuing with the next"
                );
                None
            }
        }
    }
}
