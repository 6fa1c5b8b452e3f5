//! Answers Microsoft's operations: accepts or rejects a requested change, confirms a reinstatement,
//! and follows an operation that is settled already. The webhook does this when Microsoft calls,
//! the reconciliation when a call was missed.

mod acknowledge;
mod reinstate;

use std::sync::Arc;

use thiserror::Error;
use tracing::warn;

use super::ledger::{Ledger, UpdateError};
use crate::domain::{
    Action, Decision, IncompleteObservation, Observation, Operation, Record, Requested,
    RequestedChange, Ruling, Staleness, Status, SubscriptionId, Verdict, apply, followed,
    is_settling, observe, proven_by, reinstated, reject, rejected_before,
};
use crate::host::error_class::ErrorClass;
use crate::microsoft::fulfillment::{FulfillmentError, Marketplace};
use crate::publisher::approval::{ChangeApproval, ChangeContext};
use crate::store::{Mark, OperationOutcome};

/// Why an operation has not been answered. Every variant means *don't know yet*: try again.
#[derive(Debug, Error)]
pub enum AnswerError {
    #[error(transparent)]
    Fulfillment(#[from] FulfillmentError),
    #[error(transparent)]
    Update(#[from] UpdateError),
    /// Microsoft accepts the change on its own after ten seconds (F-WHA-10).
    #[error("the acknowledgement may not have arrived: {0}")]
    Unacknowledged(#[source] FulfillmentError),
    /// Microsoft's copy does not show yet what the operation says has happened.
    #[error("Microsoft's copy is not up to date yet")]
    Settling,
    /// Microsoft does not know the operation, so there is no fact to decide about.
    #[error("Microsoft doesn't know the operation")]
    UnknownOperation,
}

impl AnswerError {
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Fulfillment(error) | Self::Unacknowledged(error) => error.class(),
            Self::Update(error) => error.class(),
            Self::Settling | Self::UnknownOperation => ErrorClass::MicrosoftUnavailable,
        }
    }
}

/// Answers operations.
pub struct Responder {
    pub marketplace: Arc<dyn Marketplace>,
    pub ledger: Ledger,
    pub approval: ChangeApproval,
}

impl Responder {
    /// Fetches what the product is sent with a question. Run it concurrently with Get Operation.
    pub async fn gather(&self, id: SubscriptionId) -> ChangeContext {
        self.approval.gather(&*self.marketplace, self.ledger.clock(), id).await
    }

    /// Accepts or rejects a requested plan or seat change within Microsoft's ten seconds
    /// (F-WHA-10), and records the result.
    pub async fn answer(
        &self,
        requested: &Requested,
        current: Option<Record>,
        context: &ChangeContext,
    ) -> Result<OperationOutcome, AnswerError> {
        let operation = requested.operation.as_ref().ok_or(AnswerError::UnknownOperation)?;
        let current = match current {
            Some(record) => record,
            None => self.create(requested).await?,
        };
        if operation.is_settled() && !operation.has_failed() {
            return self.follow(requested, operation, current).await;
        }
        let ruling = self.ruling(&current, requested, operation, context).await;
        if operation.is_settled() {
            return self.follow_ruled(requested, operation, &ruling, current).await;
        }
        match self.acknowledge(requested, ruling.verdict).await {
            Ok(()) => self.record_ruling(requested, operation, &ruling, current).await,
            Err(error) => self.unacknowledged(requested, operation, ruling, current, error).await,
        }
    }

    /// A change that we requested ourselves was decided before we asked Microsoft (F-WHA-15).
    async fn ruling(
        &self,
        current: &Record,
        requested: &Requested,
        operation: &Operation,
        context: &ChangeContext,
    ) -> Ruling {
        let own = requested.own_request(current, self.ledger.clock().now());
        match own.and_then(|own| own.ruling.clone()) {
            Some(ruling) => ruling,
            None => self.approval.decide(current, requested, operation, context).await,
        }
    }

    async fn record_ruling(
        &self,
        requested: &Requested,
        operation: &Operation,
        ruling: &Ruling,
        current: Record,
    ) -> Result<OperationOutcome, AnswerError> {
        let now = self.ledger.clock().now();
        let verdict = ruling.verdict;
        let outcome = match verdict {
            Verdict::Accept => OperationOutcome::Accepted,
            Verdict::Reject => OperationOutcome::Rejected,
        };
        let decided = RequestedChange::of(&current.subscription, operation);
        let is_overtaken = |record: &Record| {
            decided
                .as_ref()
                .is_some_and(|change| change.is_overtaken(&record.subscription, operation))
        };
        let rule = |record: Option<&Record>| {
            let cause = requested.cause_on(record, now);
            Ok(match (verdict, record) {
                // The next delivery follows the operation instead.
                (Verdict::Accept, Some(record)) if is_overtaken(record) => {
                    Decision::Stale(Staleness::Settling)
                }
                (Verdict::Accept, Some(record)) => {
                    apply(record, operation, &cause, now).ruled(ruling)
                }
                (Verdict::Reject, Some(record)) => {
                    reject(record, &requested.id, operation, &cause, ruling, now)
                }
                (_, None) => Decision::Unchanged,
            })
        };
        match self.commit(requested, Some(current), outcome, rule).await {
            Ok(()) => Ok(outcome),
            // Another delivery of this call followed the operation that this one settled: a rejection
            // stays a rejection. If it accepted the change before, both get the same answer.
            Err(AnswerError::Update(UpdateError::AlreadyMarked)) if verdict == Verdict::Reject => {
                let loaded = self.ledger.load_with_mark(requested.subscription, &requested.id);
                let (_, mark) = loaded.await.map_err(UpdateError::from)?;
                Ok(match mark.map(|mark| mark.outcome) {
                    Some(OperationOutcome::Accepted) => OperationOutcome::Accepted,
                    Some(_) | None => outcome,
                })
            }
            Err(error) => Err(error),
        }
    }

    /// Follows a settled operation for which there is a ruling. If it failed and the ruling rejects
    /// it, it failed because we rejected it: the acknowledgement went unanswered, or an earlier
    /// delivery was killed before it recorded the rejection.
    async fn follow_ruled(
        &self,
        requested: &Requested,
        operation: &Operation,
        ruling: &Ruling,
        current: Record,
    ) -> Result<OperationOutcome, AnswerError> {
        if operation.has_failed() && ruling.verdict == Verdict::Reject {
            return self.record_ruling(requested, operation, ruling, current).await;
        }
        self.follow(requested, operation, current).await
    }

    /// Adopts the result of a settled operation. Nothing is left to answer (F-WHS-5), and the
    /// subscription itself, not the operation, says what is in force now.
    async fn follow(
        &self,
        requested: &Requested,
        operation: &Operation,
        current: Record,
    ) -> Result<OperationOutcome, AnswerError> {
        let outcome = OperationOutcome::Followed;
        self.follow_as(requested, operation, current, outcome).await?;
        Ok(outcome)
    }

    /// Adopts the result of a change that Microsoft made although we rejected it (F-WHA-12). The
    /// mark keeps the rejection.
    pub async fn follow_overruled(
        &self,
        requested: &Requested,
        current: Record,
    ) -> Result<(), AnswerError> {
        let operation = requested.operation.as_ref().ok_or(AnswerError::UnknownOperation)?;
        self.follow_as(requested, operation, current, OperationOutcome::Noticed).await
    }

    async fn follow_as(
        &self,
        requested: &Requested,
        operation: &Operation,
        current: Record,
        outcome: OperationOutcome,
    ) -> Result<(), AnswerError> {
        let observed = self.marketplace.get_subscription(requested.subscription).await?;
        // A late read must not be marked as the operation's result.
        let now = self.ledger.clock().now();
        let shows =
            operation.is_visible_in(&observed) || observed.status() == Some(&Status::Unsubscribed);
        if !shows && is_settling(operation, Some(&current), now) {
            self.note_settled(requested, current).await;
            return Err(AnswerError::Settling);
        }
        let observed = proven_by(Some(operation), observed);
        self.adopt(requested, Some(current), &observed, outcome).await
    }

    /// Ends the wait for an operation that has ended. If the record holds a rejection that
    /// Microsoft turns out to have received, it records the rejection.
    pub async fn conclude(
        &self,
        requested: &Requested,
        current: Record,
    ) -> Result<(), AnswerError> {
        let now = self.ledger.clock().now();
        let operation = requested.operation.as_ref();
        let received = operation.and_then(|operation| {
            let ruling = rejected_before(&current, &requested.id, operation)?;
            Some((operation, ruling.clone()))
        });
        let current = match received {
            Some((operation, ruling)) => {
                self.record_ruling(requested, operation, &ruling, current).await?;
                self.ledger.load(requested.subscription).await.map_err(UpdateError::from)?
            }
            None => Some(current),
        };
        if let Some(record) = current {
            self.ledger.note(record, |record| record.forget_operation(&requested.id, now)).await?;
        }
        Ok(())
    }

    /// Adopts an observation as the result of an operation.
    pub async fn adopt(
        &self,
        requested: &Requested,
        current: Option<Record>,
        observed: &Observation,
        outcome: OperationOutcome,
    ) -> Result<(), AnswerError> {
        let now = self.ledger.clock().now();
        let rule = |record: Option<&Record>| {
            let cause = requested.cause_on(record, now);
            let confirmed =
                requested.operation.as_ref().filter(|operation| !operation.has_failed());
            let decision = match (&requested.action, confirmed) {
                (Action::Reinstate, Some(_)) => reinstated(record, observed, &cause, now)?,
                (_, Some(operation)) => followed(record, observed, operation, &cause, now)?,
                (_, None) => observe(record, observed, &cause, now)?,
            };
            Ok(match record {
                Some(record) if requested.ends_wait_of(record, observed, now) => {
                    decision.no_longer_awaiting(&requested.id, record, now)
                }
                Some(_) | None => decision,
            })
        };
        self.commit(requested, current, outcome, rule).await
    }

    async fn commit(
        &self,
        requested: &Requested,
        current: Option<Record>,
        outcome: OperationOutcome,
        rule: impl Fn(Option<&Record>) -> Result<Decision, IncompleteObservation> + Send + Sync,
    ) -> Result<(), AnswerError> {
        // A repeated notice does no harm, so it needs no mark. And its id is not verified: a mark
        // under it could pass for the answer to another action of that id (F-WHD-5).
        let mark = (outcome != OperationOutcome::Noticed).then(|| Mark {
            operation_id: requested.id.clone(),
            action: requested.action.clone(),
            outcome,
            at: self.ledger.clock().now(),
        });
        let now = self.ledger.clock().now();
        let rule = |record: Option<&Record>| {
            let decision = rule(record)?;
            let own = record.and_then(|record| requested.own_request(record, now));
            Ok(match own {
                Some(own) => decision.recognising(&requested.id, own),
                None => decision,
            })
        };
        let committed = self.ledger.update(requested.subscription, current, mark, rule).await?;
        match committed.stale {
            Some(Staleness::Settling) => Err(AnswerError::Settling),
            // A status that can't follow is a late read. The record is right.
            Some(Staleness::Impossible) | None => Ok(()),
        }
    }

    /// Creates the record of a subscription that is new to us (F-WHS-6).
    async fn create(&self, requested: &Requested) -> Result<Record, AnswerError> {
        let id = requested.subscription;
        warn!(subscription.id = %id, "a change of an unknown subscription; fetching it");
        let observed = self.marketplace.get_subscription(id).await?;
        // Another writer may create it first. Then the operation's own commit updates that record.
        let rule = |record: Option<&Record>| match record {
            Some(_) => Ok(Decision::Unchanged),
            None => observe(None, &observed, &requested.cause, self.ledger.clock().now()),
        };
        let committed = self.ledger.update(id, None, None, rule).await?;
        committed.record.ok_or(AnswerError::Settling)
    }

    /// Remembers that the operation has settled, so that a later call of Microsoft's knows for how
    /// long its copy has not shown the result.
    pub async fn note_settled(&self, requested: &Requested, current: Record) {
        let now = self.ledger.clock().now();
        self.note(requested, current, |record| record.note_settled(&requested.id, now)).await;
    }

    /// Keeps something about the operation with the record, for Microsoft's next call or the
    /// reconciliation. Without it, they decide anew.
    async fn note(
        &self,
        requested: &Requested,
        current: Record,
        rule: impl Fn(&Record) -> Decision + Send + Sync,
    ) {
        if let Err(error) = self.ledger.note(current, rule).await {
            warn!(
                subscription.id = %requested.subscription, operation.id = %requested.id, %error,
                class = error.class().name(), "could not keep a note about the operation"
            );
        }
    }
}
