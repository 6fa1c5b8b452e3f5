//! One subscription: compares Microsoft's copy with the record, and finishes interrupted work.

use jiff::Timestamp;
use shared::domain::{
    Action, ActivationRequest, Cause, Decision, IncompleteObservation, Observation, Operation,
    PendingOperation, Record, Requested, Staleness, Status, SubscriptionId, is_young, observe,
};
use shared::flows::activation::{Activated, ActivationError};
use shared::flows::answer::AnswerError;
use shared::flows::erasure::ErasureError;
use shared::flows::ledger::UpdateError;
use shared::host::error_class::ErrorClass;
use shared::microsoft::fulfillment::FulfillmentError;
use shared::store::{Difference, Outcome, RepairAction, StoreError};
use thiserror::Error;
use tracing::{info, warn};

use crate::Reconciliation;
use crate::findings::{SETTLING, TIME, changes};

/// Why one subscription could not be reconciled.
#[derive(Debug, Error)]
pub(crate) enum RepairError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Update(#[from] UpdateError),
    #[error(transparent)]
    Incomplete(#[from] IncompleteObservation),
    #[error(transparent)]
    Fulfillment(#[from] FulfillmentError),
    #[error(transparent)]
    Activation(#[from] ActivationError),
    #[error(transparent)]
    Answer(#[from] AnswerError),
    #[error(transparent)]
    Erasure(#[from] ErasureError),
    /// Microsoft's status can't follow the recorded one, and the record did not just change.
    #[error("Microsoft reports a status that can't follow the recorded one")]
    Impossible,
}

impl RepairError {
    pub(crate) fn class(&self) -> ErrorClass {
        match self {
            Self::Store(error) => error.class(),
            Self::Update(error) => error.class(),
            Self::Fulfillment(error) => error.class(),
            Self::Activation(error) => error.class(),
            Self::Answer(error) => error.class(),
            Self::Erasure(error) => error.class(),
            Self::Incomplete(_) => ErrorClass::MicrosoftUnavailable,
            Self::Impossible => ErrorClass::UnknownWord,
        }
    }
}

/// What became of one subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Repaired {
    Unchanged,
    /// In a dry run: it would be changed.
    Changed(Box<Difference>),
    /// There is a difference, or work to finish, that the next run looks at.
    Left(Box<Difference>),
}

fn left(difference: Difference, reason: &str) -> Repaired {
    Repaired::Left(Box::new(difference.ended(Outcome::Left, reason)))
}

impl Reconciliation {
    /// Brings one record up to date.
    pub(crate) async fn repair(
        &self,
        id: SubscriptionId,
        observed: &Observation,
        record: Option<Record>,
        begun: Timestamp,
    ) -> Result<Repaired, RepairError> {
        let record = match record {
            Some(record) if record.is_erased() => return self.tombstone(record).await,
            record => record,
        };
        if !self.differs(record.as_ref(), observed)? {
            return self.bring_up_to_date(id, observed, record, begun).await;
        }
        if self.is_over(begun) {
            info!(subscription.id = %id, "left a difference to the next run");
            let since = record.map(|record| record.updated_at);
            return Ok(left(Difference::new(id, since), TIME));
        }
        let read = self.marketplace.get_subscription(id).await?;
        self.bring_up_to_date(id, &read, record, begun).await
    }

    /// The same for a record whose entry of the list is not at hand.
    pub(crate) async fn look_again(
        &self,
        id: SubscriptionId,
        record: Record,
        begun: Timestamp,
    ) -> Result<Repaired, RepairError> {
        if record.is_erased() {
            return self.tombstone(record).await;
        }
        let read = self.marketplace.get_subscription(id).await?;
        self.bring_up_to_date(id, &read, Some(record), begun).await
    }

    /// Adopts what Microsoft shows, and finishes what was interrupted.
    async fn bring_up_to_date(
        &self,
        id: SubscriptionId,
        adopted: &Observation,
        record: Option<Record>,
        begun: Timestamp,
    ) -> Result<Repaired, RepairError> {
        // A purchase that the list shows before its buyer comes to the landing page is no drift.
        let is_known = record.is_some();
        let mut found = Difference::new(id, record.as_ref().map(|record| record.updated_at));
        let committed = self.adopt(id, record, adopted).await?;
        match committed.stale {
            Some(Staleness::Settling) => return Ok(left(found, SETTLING)),
            Some(Staleness::Impossible) => return Err(RepairError::Impossible),
            None => {}
        }
        let Some(record) = committed.record else { return Ok(Repaired::Unchanged) };
        if let [first, ..] = &committed.events[..] {
            found.actions.push(RepairAction::RecordUpdated);
            found.changes = changes(first.before.as_ref(), &record.subscription);
            self.report_drift(id, committed.events.len(), is_known);
        }
        if self.announce_deadline(&record).await? {
            found.actions.push(RepairAction::DeadlineAnnounced);
        }
        // Once the slice's time is over, work that takes several calls waits for the next run.
        let is_over = self.is_over(begun);
        if !is_over {
            self.restate(&record).await?;
            if self.sweep_operations(&record).await? {
                found.actions.push(RepairAction::OperationFinished);
            }
            if self.finish_activation(&record).await? {
                found.actions.push(RepairAction::ActivationResumed);
            }
        }
        let awaits_microsoft =
            matches!(record.activation, Some(ActivationRequest::AwaitsMicrosoft { .. }));
        Ok(match found.actions.is_empty() {
            false => Repaired::Changed(Box::new(found)),
            true if is_over && (awaits_microsoft || record.pending_operation.is_some()) => {
                left(found, TIME)
            }
            true => Repaired::Unchanged,
        })
    }

    fn report_drift(&self, id: SubscriptionId, events: usize, is_known: bool) {
        if self.is_dry {
            info!(subscription.id = %id, events, "a run would repair this record");
            return;
        }
        info!(
            subscription.id = %id, events, metric = is_known.then_some("drift"),
            "repaired a record"
        );
    }

    /// Whether the list shows news about a record. The list can be minutes behind (F-LST-9), so Get
    /// has to confirm it. A subscription without a record has no state that the list could undo.
    fn differs(
        &self,
        record: Option<&Record>,
        listed: &Observation,
    ) -> Result<bool, IncompleteObservation> {
        let Some(record) = record else { return Ok(false) };
        let decision = observe(Some(record), listed, &Cause::Reconciliation, self.clock.now())?;
        Ok(match decision {
            Decision::Commit(_) | Decision::Stale(Staleness::Impossible) => true,
            Decision::Unchanged | Decision::Stale(Staleness::Settling) => false,
        })
    }

    /// Repeats an activation that was begun and never confirmed.
    async fn finish_activation(&self, record: &Record) -> Result<bool, RepairError> {
        if record.activation_due().is_none_or(|due| self.clock.now() < due) {
            return Ok(false);
        }
        if self.is_dry {
            return Ok(true);
        }
        let finished = self.activation.finish(record.clone(), &Cause::Reconciliation).await?;
        let confirmed = matches!(finished, Activated::Confirmed(_));
        info!(subscription.id = %record.id(), confirmed, "resumed an activation");
        Ok(true)
    }

    async fn announce_deadline(&self, record: &Record) -> Result<bool, RepairError> {
        let now = self.clock.now();
        let announce = |record: &Record| record.announce_deadline(&Cause::Reconciliation, now);
        let rule = |record: Option<&Record>| Ok(record.map_or(Decision::Unchanged, announce));
        let announced = self.update(record.id(), Some(record.clone()), rule).await?;
        let is_near = !announced.events.is_empty();
        if is_near && !self.is_dry {
            warn!(
                subscription.id = %record.id(), metric = "activation_deadline",
                "Microsoft cancels a purchase within a week unless it is activated"
            );
        }
        Ok(is_near)
    }

    /// Tells the product what a restored record says, once.
    async fn restate(&self, record: &Record) -> Result<(), RepairError> {
        let now = self.clock.now();
        let restate = |record: &Record| record.restate(&Cause::Reconciliation, now);
        let rule = |record: Option<&Record>| Ok(record.map_or(Decision::Unchanged, restate));
        self.update(record.id(), Some(record.clone()), rule).await?;
        Ok(())
    }

    /// Answers operations whose call was missed, and ends the wait for one that has ended.
    async fn sweep_operations(&self, record: &Record) -> Result<bool, RepairError> {
        if record.operation_due().is_some_and(|due| self.clock.now() < due) {
            return Ok(false);
        }
        let waited_for = record.pending_operation.as_ref();
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
            Some(pending) if !answered => self.end_wait(record, pending).await,
            Some(_) | None => Ok(answered),
        }
    }

    async fn answer(&self, record: &Record, operation: Operation) -> Result<bool, RepairError> {
        let (Some(operation_id), Some(action)) = (operation.id.clone(), operation.action.clone())
        else {
            return Ok(false);
        };
        let id = record.id();
        let requested = Requested {
            subscription: id,
            id: operation_id,
            action,
            operation: Some(operation),
            cause: Cause::Reconciliation,
        };
        if self.is_dry {
            return Ok(is_answered(&requested.action));
        }
        warn!(
            subscription.id = %id, operation.id = %requested.id, action = %requested.action,
            "answering an operation whose webhook call was missed"
        );
        let current = self.store.load(id).await?;
        let answered = match requested.action {
            Action::ChangePlan | Action::ChangeQuantity => {
                let context = self.responder.gather(id).await;
                self.responder.answer(&requested, current, &context).await.map(|_| true)
            }
            Action::Reinstate => {
                let observed = self.marketplace.get_subscription(id).await?;
                let reinstated = self.responder.reinstate(&requested, observed, current).await;
                reinstated.map(|outcome| outcome.is_some())
            }
            Action::Subscribe
            | Action::Renew
            | Action::Suspend
            | Action::Unsubscribe
            | Action::Other(_) => Ok(false),
        };
        match answered {
            // The webhook is answering it, or has just done so.
            Err(AnswerError::Update(UpdateError::AlreadyMarked) | AnswerError::Settling) => {
                Ok(false)
            }
            answered => Ok(answered?),
        }
    }

    /// Ends the wait for an operation that has ended. Its result is in the observation.
    async fn end_wait(
        &self,
        record: &Record,
        pending: &PendingOperation,
    ) -> Result<bool, RepairError> {
        let id = record.id();
        let may_be_hidden = is_young(Some(pending.since), self.clock.now());
        let operation = match self.marketplace.get_operation(id, &pending.id).await {
            // F-OPG-5.
            Err(FulfillmentError::NotFound(_)) if may_be_hidden => return Ok(false),
            // Microsoft has forgotten it: it ended, and we can't know how.
            Err(FulfillmentError::NotFound(_)) => None,
            Ok(operation) if !operation.is_settled() => return Ok(false),
            ended => Some(ended?),
        };
        if self.is_dry {
            return Ok(true);
        }
        let Some(current) = self.store.load(id).await? else { return Ok(false) };
        let requested = Requested {
            subscription: id,
            id: pending.id.clone(),
            action: pending.action.clone(),
            operation,
            cause: Cause::Reconciliation,
        };
        self.responder.conclude(&requested, current).await?;
        Ok(true)
    }
}

/// Whether the publisher answers operations with this action. The others are notices.
fn is_answered(action: &Action) -> bool {
    match action {
        Action::ChangePlan | Action::ChangeQuantity | Action::Reinstate => true,
        Action::Subscribe
        | Action::Renew
        | Action::Suspend
        | Action::Unsubscribe
        | Action::Other(_) => false,
    }
}
