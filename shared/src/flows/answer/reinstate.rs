//! Reinstatements: Microsoft says that payment is back (F-WHA-7).

use tracing::info;

use super::{AnswerError, Responder};
use crate::domain::{
    Observation, Record, Requested, Status, Verdict, is_settling, proven_by, reinstate,
};
use crate::flows::ledger::UpdateError;
use crate::microsoft::fulfillment::FulfillmentError;
use crate::store::OperationOutcome;

impl Responder {
    /// Restores access if the operation or the subscription confirms it.
    ///
    /// `observed` is the subscription as it is now. `Ok(None)`: nothing confirms the reinstatement,
    /// and the record is as `observed`.
    pub async fn reinstate(
        &self,
        requested: &Requested,
        observed: Observation,
        current: Option<Record>,
    ) -> Result<Option<OperationOutcome>, AnswerError> {
        let operation = requested.operation.as_ref();
        let open = operation.is_some_and(|operation| !operation.is_settled());
        if open {
            self.acknowledge_reinstatement(requested).await?;
        }
        // What is reinstated has been active, so this read is older than the suspension.
        let is_outdated = observed.status() == Some(&Status::PendingFulfillmentStart);
        if observed.status() != Some(&Status::Suspended) && !is_outdated {
            let observed = proven_by(operation, observed);
            // A mark is committed under the record's version. Where the record seems to show the
            // result already, it proves that no other writer has recorded the suspension since.
            let is_active = observed.status() == Some(&Status::Subscribed);
            let outcome = match operation {
                Some(operation) if is_active && !operation.has_failed() => {
                    OperationOutcome::Accepted
                }
                Some(_) | None => OperationOutcome::Noticed,
            };
            self.adopt(requested, current, &observed, outcome).await?;
            return Ok(Some(outcome));
        }
        let now = self.ledger.clock().now();
        match operation {
            Some(_) if open && !is_outdated => {
                let current = self.heard_of_suspension(requested, &observed, current).await?;
                let rule = |record: Option<&Record>| {
                    let cause = requested.cause_on(record, now);
                    Ok(reinstate(record.unwrap_or(&current), &cause, now))
                };
                let outcome = OperationOutcome::Accepted;
                self.commit(requested, Some(current.clone()), outcome, rule).await?;
                Ok(Some(outcome))
            }
            Some(operation) if open || is_settling(operation, current.as_ref(), now) => {
                if let Some(record) = current.filter(|_| !open) {
                    self.note_settled(requested, record).await;
                }
                Err(AnswerError::Settling)
            }
            Some(_) | None => {
                self.adopt(requested, current, &observed, OperationOutcome::Noticed).await?;
                Ok(None)
            }
        }
    }

    /// The record once it has heard of the suspension that ends. Before that, a reinstatement can't
    /// follow it.
    async fn heard_of_suspension(
        &self,
        requested: &Requested,
        observed: &Observation,
        current: Option<Record>,
    ) -> Result<Record, AnswerError> {
        match current {
            None => self.create(requested).await,
            Some(record) if *record.status() == Status::PendingFulfillmentStart => {
                let outcome = OperationOutcome::Noticed;
                self.adopt(requested, Some(record), observed, outcome).await?;
                let loaded = self.ledger.load(requested.subscription).await;
                loaded.map_err(UpdateError::from)?.ok_or(AnswerError::Settling)
            }
            Some(record) => Ok(record),
        }
    }

    /// Best effort: older documents require an acknowledgement, the newest does not (F-WHA-11).
    async fn acknowledge_reinstatement(&self, requested: &Requested) -> Result<(), AnswerError> {
        let Err(error) = self.acknowledge(requested, Verdict::Accept).await else { return Ok(()) };
        info!(operation.id = %requested.id, %error, "a best-effort acknowledgement failed");
        // A conflict: it was settled meanwhile, or a cancellation declined it (F-CAN-7).
        if matches!(error, FulfillmentError::Conflict(_)) {
            let id = requested.subscription;
            let again = self.marketplace.get_operation(id, &requested.id).await?;
            if again.is_settled() {
                return Err(AnswerError::Settling);
            }
        }
        Ok(())
    }
}
