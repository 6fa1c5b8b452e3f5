//! Answering what Microsoft asks: accept or reject a requested change, confirm a reinstatement,
//! follow what is settled already. The webhook does this when it is called, the reconciliation when
//! a call was missed.

use std::sync::Arc;

use thiserror::Error;
use tracing::{info, warn};

use crate::commit::{DecideError, decide};
use crate::deadline;
use crate::decision::{Briefing, Changes};
use crate::domain::{
    Action, Cause, Decision, Observation, Operation, OperationId, OperationStatus, Record,
    RequestedChange, Ruling, Staleness, Status, SubscriptionId, Verdict, apply, observe, reinstate,
    reject, rejected_before,
};
use crate::fulfillment::{Acknowledgement, FulfillmentError, Marketplace};
use crate::store::{Mark, Outcome, Store};
use crate::system::System;

/// An operation to be answered: requested of us, and fetched from Microsoft.
#[derive(Debug)]
pub struct Requested {
    /// Whose.
    pub subscription: SubscriptionId,
    /// Its id.
    pub id: OperationId,
    /// What it does.
    pub action: Action,
    /// What Get Operation returned.
    pub operation: Operation,
    /// How we learned of it.
    pub cause: Cause,
}

/// Why an operation has not been answered. All of it is *don't know yet*: to be repeated.
#[derive(Debug, Error)]
pub enum AnswerError {
    /// Microsoft.
    #[error(transparent)]
    Fulfillment(#[from] FulfillmentError),
    /// The table.
    #[error(transparent)]
    Decide(#[from] DecideError),
    /// The acknowledgement may not have arrived; Microsoft accepts by itself after ten seconds.
    #[error("the acknowledgement may not have arrived: {0}")]
    Unacknowledged(FulfillmentError),
    /// Microsoft's copy doesn't show yet what Microsoft says has happened.
    #[error("Microsoft's copy is not up to date yet")]
    Settling,
}

/// Answers operations.
pub struct Operations {
    /// Microsoft.
    pub marketplace: Arc<dyn Marketplace>,
    /// The table.
    pub store: Arc<dyn Store>,
    /// Time.
    pub system: Arc<dyn System>,
    /// How plan and seat changes are decided.
    pub changes: Changes,
}

impl Operations {
    /// Gathers what whoever decides about a change is told. To be done beside whatever else has to be
    /// asked first.
    pub async fn brief(&self, id: SubscriptionId) -> Briefing {
        self.changes.brief(&*self.marketplace, &self.system, id).await
    }

    /// Accepts or rejects a requested plan or seat change, within Microsoft's ten seconds
    /// (F-WHA-10), and records what follows from it.
    pub async fn answer(
        &self,
        requested: &Requested,
        current: Option<Record>,
        briefing: &Briefing,
    ) -> Result<Outcome, AnswerError> {
        let current = match current {
            Some(record) => record,
            None => self.create(requested).await?,
        };
        let operation = &requested.operation;
        if operation.is_settled() && !has_failed(operation) {
            return self.follow(requested, operation, current).await;
        }
        let ruling = self.changes.decide(&current, requested, briefing).await;
        if operation.is_settled() {
            return self.follow_ruled(requested, operation, &ruling, current).await;
        }
        if let Err(error) = self.acknowledge(requested, ruling.verdict).await {
            // A conflict means settled meanwhile (F-OPU-4); of anything else the outcome isn't
            // known, and the operation itself knows best (F-OPU-6).
            warn!(
                subscription.id = %requested.subscription, operation.id = %requested.id, %error,
                "the acknowledgement failed; reading the operation"
            );
            let again = self.marketplace.get_operation(requested.subscription, requested.id).await;
            if let Ok(operation) = again
                && operation.is_settled()
            {
                return self.follow_ruled(requested, &operation, &ruling, current).await;
            }
            // Another delivery of the call may have got through: this one is answered alike then.
            let loaded = self.store.load_with_mark(requested.subscription, requested.id).await;
            if let Ok((_, Some(mark))) = loaded {
                return Ok(mark.outcome);
            }
            self.note_unacknowledged(requested, &ruling, current).await;
            // The 4xx of the answer rejects as well (F-WHA-12). No mark is made, and nothing is told yet:
            // should the answer be lost too, the operation ends otherwise.
            if ruling.verdict == Verdict::Reject && self.is_heard(requested) {
                return Ok(Outcome::Rejected);
            }
            return Err(AnswerError::Unacknowledged(error));
        }
        self.record_ruling(requested, &ruling, current).await
    }

    /// Whether Microsoft is still waiting for an answer to its call: after ten seconds it has accepted the
    /// change (F-WHA-10), and a refusal would contradict what is in force.
    fn is_heard(&self, requested: &Requested) -> bool {
        let now = self.system.now();
        let asked = requested.operation.time_stamp;
        matches!(requested.cause, Cause::Webhook { .. })
            && deadline::left(now).is_none_or(|left| !left.is_zero())
            && asked.is_none_or(|asked| now.duration_since(asked) < deadline::OF_WEBHOOK)
    }

    async fn acknowledge(
        &self,
        requested: &Requested,
        verdict: Verdict,
    ) -> Result<(), FulfillmentError> {
        let acknowledgement = Acknowledgement::from(verdict);
        info!(
            subscription.id = %requested.subscription, operation.id = %requested.id,
            action = %requested.action, status = acknowledgement.as_str(), "acknowledging a requested change"
        );
        self.marketplace
            .update_operation(requested.subscription, requested.id, acknowledgement)
            .await
    }

    async fn record_ruling(
        &self,
        requested: &Requested,
        ruling: &Ruling,
        current: Record,
    ) -> Result<Outcome, AnswerError> {
        let now = self.system.now();
        let verdict = ruling.verdict;
        let outcome = match verdict {
            Verdict::Accept => Outcome::Accepted,
            Verdict::Reject => Outcome::Rejected,
        };
        let decided = RequestedChange::of(&current, &requested.operation);
        let rule = |record: Option<&Record>| {
            Ok(match (verdict, record) {
                // The next delivery follows the operation instead.
                (Verdict::Accept, Some(record))
                    if decided.as_ref().is_some_and(|change| {
                        change.is_overtaken(record, &requested.operation)
                    }) =>
                {
                    Decision::Stale(Staleness::Settling)
                }
                (Verdict::Accept, Some(record)) => {
                    apply(record, &requested.operation, &requested.cause, now).ruled(ruling)
                }
                (Verdict::Reject, Some(record)) => rejected(requested, record, ruling, now),
                (_, None) => Decision::Unchanged,
            })
        };
        match self.decide(requested, Some(current), outcome, rule).await {
            Ok(_) => Ok(outcome),
            // Another delivery of this call followed what this one did. A rejection stays one.
            Err(AnswerError::Decide(DecideError::AlreadyMarked)) if verdict == Verdict::Reject => {
                Ok(outcome)
            }
            Err(error) => Err(error),
        }
    }

    /// Follows an operation that is settled and was decided about. One that has failed and is rejected was
    /// rejected: by ourselves, whose acknowledgement went unanswered, or by somebody who died before it
    /// was told.
    async fn follow_ruled(
        &self,
        requested: &Requested,
        operation: &Operation,
        ruling: &Ruling,
        current: Record,
    ) -> Result<Outcome, AnswerError> {
        if has_failed(operation) && ruling.verdict == Verdict::Reject {
            return self.record_ruling(requested, ruling, current).await;
        }
        self.follow(requested, operation, current).await
    }

    /// Adopts what became of an operation that is settled: nothing is left to answer (F-WHS-5), and
    /// the subscription itself, not the operation, says what is in force now.
    async fn follow(
        &self,
        requested: &Requested,
        operation: &Operation,
        current: Record,
    ) -> Result<Outcome, AnswerError> {
        let observed = self.marketplace.get_subscription(requested.subscription).await?;
        // A late read must not be marked as what became of it.
        if is_recent(operation, self.system.now()) && !shows(operation, &observed) {
            return Err(AnswerError::Settling);
        }
        let observed = proven_by(operation, observed);
        self.adopt(requested, Some(current), &observed, Outcome::Followed).await?;
        Ok(Outcome::Followed)
    }

    /// Ends the wait for an operation that has ended, as `requested` says how. A rejection that waited to see
    /// whether Microsoft has heard it, and Microsoft has, is told.
    pub async fn conclude(
        &self,
        requested: &Requested,
        current: Record,
    ) -> Result<(), AnswerError> {
        let (id, now) = (requested.subscription, self.system.now());
        let heard = rejected_before(&current, requested.id, &requested.operation).cloned();
        let current = match heard {
            Some(ruling) => {
                self.record_ruling(requested, &ruling, current).await?;
                self.store.load(id).await.map_err(DecideError::from)?
            }
            None => Some(current),
        };
        let rule = |record: Option<&Record>| {
            let forget = |record: &Record| record.forget_operation(requested.id, now);
            Ok(record.map_or(Decision::Unchanged, forget))
        };
        decide(&*self.store, &*self.system, id, current, None, rule).await?;
        Ok(())
    }

    /// Restores access if the operation or the subscription confirms it (F-WHA-7).
    ///
    /// `operation` is `None` where Microsoft doesn't know it; `observed` is the subscription now.
    /// `Ok(None)`: nothing confirms the reinstatement, and nothing was done.
    pub async fn reinstate(
        &self,
        requested: &Requested,
        operation: Option<&Operation>,
        observed: Observation,
        current: Option<Record>,
    ) -> Result<Option<Outcome>, AnswerError> {
        let open = operation.is_some_and(|operation| !operation.is_settled());
        if open && let Err(error) = self.acknowledge(requested, Verdict::Accept).await {
            // None is needed by the newest documentation, one was by older ones (F-WHA-11).
            info!(operation.id = %requested.id, %error, "a best-effort acknowledgement failed");
            // Settled meanwhile: accepted by itself, or declined by a cancellation (F-CAN-7).
            if matches!(error, FulfillmentError::Conflict(_)) {
                let id = requested.subscription;
                let again = self.marketplace.get_operation(id, requested.id).await?;
                if again.is_settled() {
                    return Err(AnswerError::Settling);
                }
            }
        }
        if observed.status() != Some(&Status::Suspended) {
            let observed =
                operation.map_or(observed.clone(), |operation| proven_by(operation, observed));
            self.adopt(requested, current, &observed, Outcome::Noticed).await?;
            return Ok(Some(Outcome::Noticed));
        }
        let now = self.system.now();
        match operation {
            Some(_) if open => {
                let current = match current {
                    Some(record) => record,
                    None => self.create(requested).await?,
                };
                let rule = |record: Option<&Record>| {
                    Ok(reinstate(record.unwrap_or(&current), &requested.cause, now))
                };
                self.decide(requested, Some(current.clone()), Outcome::Accepted, rule).await?;
                Ok(Some(Outcome::Accepted))
            }
            // It succeeded just now, and the copy doesn't show it yet.
            Some(operation) if is_recent(operation, now) => Err(AnswerError::Settling),
            Some(_) | None => Ok(None),
        }
    }

    /// Adopts an observation in answer to an operation.
    pub async fn adopt(
        &self,
        requested: &Requested,
        current: Option<Record>,
        observed: &Observation,
        outcome: Outcome,
    ) -> Result<(), AnswerError> {
        let now = self.system.now();
        let rule = |record: Option<&Record>| {
            let decision = observe(record, observed, &requested.cause, now)?;
            Ok(match record {
                Some(record) => decision.no_longer_awaiting(requested.id, record, now),
                None => decision,
            })
        };
        self.decide(requested, current, outcome, rule).await
    }

    async fn decide(
        &self,
        requested: &Requested,
        current: Option<Record>,
        outcome: Outcome,
        rule: impl Fn(Option<&Record>) -> Result<Decision, crate::domain::IncompleteObservation>
        + Send
        + Sync,
    ) -> Result<(), AnswerError> {
        // A notice is repeated without harm, and its id is not held against Microsoft's operation: a
        // mark could pass for the answer to another action of that id (F-WHD-5).
        let mark = (outcome != Outcome::Noticed).then(|| Mark {
            operation_id: requested.id,
            action: requested.action.clone(),
            outcome,
            at: self.system.now(),
        });
        let committed =
            decide(&*self.store, &*self.system, requested.subscription, current, mark, rule)
                .await?;
        match committed.stale {
            Some(Staleness::Settling) => Err(AnswerError::Settling),
            // What can't follow is a late read: the record is right, and there is nothing to do.
            Some(Staleness::Impossible) | None => Ok(()),
        }
    }

    /// A change of a subscription we don't know: its record is made first (F-WHS-6).
    async fn create(&self, requested: &Requested) -> Result<Record, AnswerError> {
        warn!(subscription.id = %requested.subscription, "a change of an unknown subscription; fetching it");
        let id = requested.subscription;
        let observed = self.marketplace.get_subscription(id).await?;
        // Somebody else may create it first: what the operation changes there comes with its mark.
        let rule = |record: Option<&Record>| match record {
            Some(_) => Ok(Decision::Unchanged),
            None => observe(None, &observed, &requested.cause, self.system.now()),
        };
        let committed = decide(&*self.store, &*self.system, id, None, None, rule).await?;
        committed.record.ok_or(AnswerError::Settling)
    }

    /// So that a redelivery is answered alike, and the reconciliation looks after it if none comes.
    async fn note_unacknowledged(&self, requested: &Requested, ruling: &Ruling, current: Record) {
        let now = self.system.now();
        let rule = |record: Option<&Record>| {
            Ok(record.map_or(Decision::Unchanged, |record| {
                record.await_answered(requested.id, &requested.action, ruling, now)
            }))
        };
        let id = requested.subscription;
        if let Err(error) = decide(&*self.store, &*self.system, id, Some(current), None, rule).await
        {
            warn!(subscription.id = %id, operation.id = %requested.id, %error, "the open operation was not noted");
        }
    }
}

fn rejected(
    requested: &Requested,
    record: &Record,
    ruling: &Ruling,
    now: jiff::Timestamp,
) -> Decision {
    reject(record, requested.id, &requested.operation, &requested.cause, ruling, now)
}

fn has_failed(operation: &Operation) -> bool {
    operation.status == Some(OperationStatus::Failed)
}

/// An observation that shows what the operation brought about is as young as the operation.
pub fn proven_by(operation: &Operation, observed: Observation) -> Observation {
    let shown = operation.status == Some(OperationStatus::Succeeded) && shows(operation, &observed);
    observed.as_of(operation.time_stamp.filter(|_| shown))
}

fn shows(operation: &Operation, observed: &Observation) -> bool {
    let status = observed.status();
    match &operation.action {
        Some(Action::ChangePlan) => {
            operation.plan_id.is_some() && operation.plan_id == observed.plan_id
        }
        Some(Action::ChangeQuantity) => {
            operation.quantity.is_some() && operation.quantity == observed.quantity
        }
        Some(Action::Subscribe | Action::Renew | Action::Reinstate) => {
            status == Some(&Status::Subscribed)
        }
        Some(Action::Suspend) => status == Some(&Status::Suspended),
        Some(Action::Unsubscribe) => status == Some(&Status::Unsubscribed),
        Some(Action::Other(_)) | None => false,
    }
}

/// Whether an operation is so young that Microsoft's copy may not show it yet.
pub fn is_recent(operation: &Operation, now: jiff::Timestamp) -> bool {
    operation.status == Some(OperationStatus::Succeeded)
        && operation
            .time_stamp
            .is_some_and(|at| now.duration_since(at) < crate::domain::SETTLING_WINDOW)
}
