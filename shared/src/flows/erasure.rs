//! Erases the personal data of an ended subscription. It is safe to begin again after any step, and to work
//! beside other writers:
//!
//! 1. The list of erasures names the subscription.
//! 2. One transaction: the record becomes a tombstone, and its event is recorded. From here on, no other
//!    writer changes the record.
//! 3. The items beside the record lose their people: events, annotations, and what is kept of
//!    failed deliveries. The search items are gone with the values, in the transactions of the record and of the
//!    annotations. Marks of operations hold no people.
//! 4. The record notes that the erasure is complete. Until then, a repeated call or the reconciliation goes
//!    on with step 3.
//!
//! What is stored under an idempotency key names an operation or a refusal, never a person, and is gone
//! after a day: a subscription that has ended accepts no more such requests.

use std::sync::Arc;

use thiserror::Error;
use tracing::info;

use super::ledger::{Ledger, UpdateError};
use crate::domain::{Annotations, Cause, Decision, ErasureRefused, Record, SubscriptionId};
use crate::host::error_class::ErrorClass;
use crate::publisher::receiver::ReceiverSettings;
use crate::store::{
    AnnotationStore, Cursor, CursorError, CursorState, Erasure, Erasures, Outbox, Receivers,
    SaveError, StoreError, Target, Trouble,
};

/// How often an item is written anew while another writer is faster.
const ATTEMPTS: u32 = 10;

/// What an erasure may touch.
#[derive(Clone)]
pub struct ErasureFlow {
    pub ledger: Ledger,
    pub erasures: Arc<dyn Erasures>,
    pub outbox: Arc<dyn Outbox>,
    pub annotations: Arc<dyn AnnotationStore>,
    /// The receivers that must have accepted every event before.
    pub receivers: Vec<ReceiverSettings>,
    /// What the table knows about them.
    pub receiver_states: Arc<dyn Receivers>,
}

/// Why an erasure was not carried out, or not completed.
#[derive(Debug, Error)]
pub enum ErasureError {
    #[error(transparent)]
    Refused(#[from] ErasureRefused),
    /// The record no longer is what the caller asked for.
    #[error("the record has changed")]
    Overtaken,
    #[error(transparent)]
    Update(#[from] UpdateError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ErasureError {
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Refused(_) | Self::Overtaken => ErrorClass::Refused,
            Self::Update(error) => error.class(),
            Self::Store(error) => error.class(),
        }
    }
}

impl ErasureFlow {
    /// Erases the personal data, as long as the record `holds`. If it was erased before, completes that.
    /// Returns the tombstone.
    pub async fn erase(
        &self,
        record: Record,
        cause: &Cause,
        holds: impl Fn(&Record) -> bool + Send + Sync,
    ) -> Result<Record, ErasureError> {
        if record.is_erased() {
            return self.finish(record).await;
        }
        let (id, now) = (record.id(), self.ledger.clock().now());
        record.may_be_erased(now)?;
        if self.has_undelivered_events(id).await? {
            return Err(ErasureRefused::Undelivered.into());
        }
        self.erasures.list_erasure(&Erasure { subscription: id, erased_at: now }).await?;
        let rule = |record: Option<&Record>| {
            let record = record.filter(|record| record.is_erased() || holds(record));
            Ok(record.map_or(Decision::Unchanged, |record| record.erase(cause, now)))
        };
        let erased = self.ledger.change(id, Some(record), None, rule).await?.record;
        let erased = erased.filter(Record::is_erased).ok_or(ErasureError::Overtaken)?;
        self.finish(erased).await
    }

    /// Repeats an erasure that this table has forgotten. `tombstone` is the record that another table holds,
    /// and `current` is the one of this table, if there is one.
    pub async fn erase_again(
        &self,
        current: Option<Record>,
        tombstone: &Record,
        cause: &Cause,
    ) -> Result<(), ErasureError> {
        let (id, now) = (tombstone.id(), self.ledger.clock().now());
        let erased_at = tombstone.erased_at.unwrap_or(now);
        self.erasures.list_erasure(&Erasure { subscription: id, erased_at }).await?;
        let rule = |record: Option<&Record>| Ok(Record::erase_again(record, tombstone, cause, now));
        let erased = self.ledger.change(id, current, None, rule).await?.record;
        self.finish(erased.ok_or(ErasureError::Overtaken)?).await?;
        Ok(())
    }

    /// Completes an erasure that has begun.
    pub async fn finish(&self, record: Record) -> Result<Record, ErasureError> {
        if !record.is_erasing() {
            return Ok(record);
        }
        let id = record.id();
        self.erasures.erase_events(id).await?;
        self.erase_annotations(id).await?;
        for target in self.outbox.cursors(id).await? {
            self.erase_trouble(id, target).await?;
        }
        self.erasures.erase_attempts(id).await?;
        let now = self.ledger.clock().now();
        let rule = |record: Option<&Record>| {
            Ok(record.map_or(Decision::Unchanged, |record| record.finish_erasure(now)))
        };
        let done = self.ledger.change(id, Some(record), None, rule).await?.record;
        info!(subscription.id = %id, "erased personal data");
        done.ok_or(ErasureError::Overtaken)
    }

    /// Whether a receiver has not accepted an event yet. An event is pending until every receiver's cursor
    /// covers it, so the cursors are read after the marks.
    async fn has_undelivered_events(&self, id: SubscriptionId) -> Result<bool, StoreError> {
        if self.receivers.is_empty() {
            return Ok(false);
        }
        if self.erasures.has_pending_events(id).await? {
            return Ok(true);
        }
        let states = self.receiver_states.receivers().await?;
        for receiver in &self.receivers {
            let cursor = self.outbox.cursor(id, receiver.target).await?;
            // What an earlier receiver of the name has left waits for nobody.
            if receiver.with(&states).own(&cursor).state != CursorState::Flowing {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn erase_annotations(&self, id: SubscriptionId) -> Result<(), StoreError> {
        for _ in 0..ATTEMPTS {
            let current = self.annotations.annotations(id).await?;
            let erased = Annotations::erased(current.as_ref(), self.ledger.clock().now());
            match self.annotations.save_annotations(id, &erased).await {
                Ok(()) => return Ok(()),
                Err(SaveError::Conflict) => {}
                Err(SaveError::Store(error)) => return Err(error),
            }
        }
        Err(StoreError::Contended)
    }

    /// Removes the words of the last failure, which a receiver that is no longer configured may have left.
    async fn erase_trouble(&self, id: SubscriptionId, target: Target) -> Result<(), StoreError> {
        for _ in 0..ATTEMPTS {
            let cursor = self.outbox.cursor(id, target).await?;
            let Some(cursor) = without_words(cursor) else { return Ok(()) };
            match self.outbox.save_cursor(id, target, &cursor).await {
                Ok(()) => return Ok(()),
                Err(CursorError::Conflict) => {}
                Err(CursorError::Store(error)) => return Err(error),
            }
        }
        Err(StoreError::Contended)
    }
}

/// The next revision of a cursor, if this one has words about a failure.
fn without_words(mut cursor: Cursor) -> Option<Cursor> {
    let trouble: &mut Trouble = match &mut cursor.state {
        CursorState::Due { trouble: Some(trouble), .. } | CursorState::Parked { trouble, .. } => {
            trouble
        }
        CursorState::Due { trouble: None, .. } | CursorState::Flowing => return None,
    };
    if trouble.last.is_empty() {
        return None;
    }
    trouble.last.clear();
    cursor.revision += 1;
    Some(cursor)
}
