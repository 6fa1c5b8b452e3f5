//! One subscription: Microsoft's copy against the record, and what was left half done.

use jiff::{SignedDuration, Timestamp};
use shared::activation::{Activated, ActivationError};
use shared::commit::{DecideError, adopt, decide};
use shared::domain::{
    Action, ActivationRequest, Cause, Decision, Observation, Operation, OperationId,
    PendingOperation, Record, Staleness, Status, SubscriptionId,
};
use shared::fulfillment::FulfillmentError;
use shared::operations::{AnswerError, Requested};
use shared::store::StoreError;
use thiserror::Error;
use tracing::{info, warn};

use crate::Reconciliation;

/// Why one subscription could not be dealt with.
#[derive(Debug, Error)]
pub(crate) enum RepairError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Decide(#[from] DecideError),
    #[error(transparent)]
    Fulfillment(#[from] FulfillmentError),
    #[error(transparent)]
    Activation(#[from] ActivationError),
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// Microsoft's copy can't follow ours, and didn't just change.
    #[error("Microsoft reports a status that can't follow the recorded one")]
    Impossible,
}

/// An activation is left to whoever began it for as long as they may still be at it.
const ACTIVATION_GRACE: SignedDuration = SignedDuration::from_mins(2);

/// An operation that waits is looked at once its ten seconds (F-WHA-10) are well over.
const OPERATION_GRACE: SignedDuration = SignedDuration::from_mins(1);

impl Reconciliation {
    /// Brings one record up to date. `true` if anything differed.
    pub(crate) async fn repair(
        &self,
        id: SubscriptionId,
        observed: &Observation,
        record: Option<Record>,
        begun: Timestamp,
    ) -> Result<bool, RepairError> {
        let cause = Cause::Reconciliation;
        let committed = adopt(&*self.store, &*self.system, id, record, observed, &cause).await?;
        match committed.stale {
            Some(Staleness::Settling) => return Ok(false),
            Some(Staleness::Impossible) => return Err(RepairError::Impossible),
            None => {}
        }
        let Some(record) = committed.record else { return Ok(false) };
        let mut changed = !committed.events.is_empty();
        if changed {
            info!(subscription.id = %id, events = committed.events.len(), metric = "drift", "repaired a record");
        }
        changed |= self.announce_deadline(&record).await?;
        // What takes several calls waits for the next slice once this one's time is over.
        if !self.is_over(begun) {
            changed |= self.sweep(&record).await?;
            changed |= self.finish_activation(&record).await?;
        }
        Ok(changed)
    }

    /// Tells Microsoft again about an activation that nobody finished.
    async fn finish_activation(&self, record: &Record) -> Result<bool, RepairError> {
        match record.activation {
            Some(ActivationRequest::AwaitsMicrosoft { since })
                if self.system.now().duration_since(since) >= ACTIVATION_GRACE =>
            {
                let finished =
                    self.activation.finish(record.clone(), &Cause::Reconciliation).await?;
                let confirmed = matches!(finished, Activated::Confirmed(_));
                info!(subscription.id = %record.id(), confirmed, "took up an activation");
                Ok(true)
            }
            Some(
                ActivationRequest::AwaitsMicrosoft { .. }
                | ActivationRequest::AwaitsPublisher { .. },
            )
            | None => Ok(false),
        }
    }

    async fn announce_deadline(&self, record: &Record) -> Result<bool, RepairError> {
        let now = self.system.now();
        let rule = |record: Option<&Record>| {
            Ok(record.map_or(Decision::Unchanged, |record| {
                record.announce_deadline(&Cause::Reconciliation, now)
            }))
        };
        let id = record.id();
        let announced =
            decide(&*self.store, &*self.system, id, Some(record.clone()), None, rule).await?;
        Ok(!announced.events.is_empty())
    }

    /// Answers operations whose call was missed, and lets go of one that has ended.
    async fn sweep(&self, record: &Record) -> Result<bool, RepairError> {
        let waited_for = record.pending_operation.as_ref();
        let since = waited_for.map(|pending| self.system.now().duration_since(pending.since));
        if since.is_some_and(|since| since < OPERATION_GRACE) {
            return Ok(false);
        }
        if waited_for.is_none() && *record.status() != Status::Suspended {
            return Ok(false);
        }
        let id = record.id();
        let outstanding = match self.marketplace.list_operations(id).await {
            Err(FulfillmentError::NotFound(_)) => Vec::new(),
            outstanding => outstanding?,
        };
        let mut answered = false;
        for operation in outstanding {
            answered |= self.answer(record, operation).await?;
        }
        match waited_for {
            Some(pending) if !answered => self.let_go(record, pending).await,
            Some(_) | None => Ok(answered),
        }
    }

    async fn answer(&self, record: &Record, operation: Operation) -> Result<bool, RepairError> {
        let (Some(operation_id), Some(action)) =
            (operation.id.map(OperationId), operation.action.clone())
        else {
            return Ok(false);
        };
        let id = record.id();
        let requested = Requested {
            subscription: id,
            id: operation_id,
            action,
            operation,
            cause: Cause::Reconciliation,
        };
        warn!(subscription.id = %id, operation.id = %operation_id, action = %requested.action, "an operation was left unanswered");
        let current = self.store.load(id).await?;
        let answered = match requested.action {
            Action::ChangePlan | Action::ChangeQuantity => {
                let briefing = self.operations.brief(id).await;
                self.operations.answer(&requested, current, &briefing).await.map(|_| true)
            }
            Action::Reinstate => {
                let observed = self.marketplace.get_subscription(id).await?;
                let operation = Some(&requested.operation);
                self.operations
                    .reinstate(&requested, operation, observed, current)
                    .await
                    .map(|outcome| outcome.is_some())
            }
            Action::Subscribe
            | Action::Renew
            | Action::Suspend
            | Action::Unsubscribe
            | Action::Other(_) => Ok(false),
        };
        match answered {
            // The webhook is at it, or was just now.
            Err(AnswerError::Decide(DecideError::AlreadyMarked) | AnswerError::Settling) => {
                Ok(false)
            }
            answered => Ok(answered?),
        }
    }

    /// Lets go of an operation that has ended; what it brought about is in the observation.
    async fn let_go(
        &self,
        record: &Record,
        pending: &PendingOperation,
    ) -> Result<bool, RepairError> {
        let id = record.id();
        let operation = match self.marketplace.get_operation(id, pending.id).await {
            // Forgotten: it ended, and nobody knows how.
            Err(FulfillmentError::NotFound(_)) => Operation::default(),
            Ok(operation) if !operation.is_settled() => return Ok(false),
            ended => ended?,
        };
        let Some(current) = self.store.load(id).await? else { return Ok(false) };
        let requested = Requested {
            subscription: id,
            id: pending.id,
            action: pending.action.clone(),
            operation,
            cause: Cause::Reconciliation,
        };
        self.operations.conclude(&requested, current).await?;
        Ok(true)
    }
}
