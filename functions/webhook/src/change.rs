//! A plan or seat change that waits for our answer: ten seconds (F-WHA-3, F-WHA-4, F-WHA-10).

use shared::domain::{Operation, OperationId, OperationStatus, Record};
use shared::microsoft::fulfillment::FulfillmentError;
use shared::store::{Mark, OperationOutcome};
use tracing::warn;

use crate::confirmation::Confirmation;
use crate::failure::WebhookFailure;
use crate::{Claim, Reply, Webhook, answered_before, requested};

impl Webhook {
    pub(crate) async fn change(
        &self,
        claim: &Claim,
        id: &OperationId,
    ) -> Result<Reply, WebhookFailure> {
        let (confirmation, loaded, context) = tokio::join!(
            self.confirm(claim, id),
            self.ledger.load_with_mark(claim.subscription, id),
            self.responder.gather(claim.subscription),
        );
        let (current, mark) = loaded?;
        if let Some(mark) = mark {
            return self.repeated(claim, id, &mark, confirmation, current).await;
        }
        let read = || self.confirm(claim, id);
        let known = |confirmation: &Confirmation| !confirmation.is_unknown();
        let operation = match self.until_shown(confirmation?, read, known).await? {
            Confirmation::Confirmed(operation) => operation,
            Confirmation::Contradicted => return Ok(Reply::Handled),
            Confirmation::Unknown => return self.unconfirmed(claim, "operation"),
        };
        let requested = requested(claim, id, Some(operation));
        match self.responder.answer(&requested, current, &context).await {
            Ok(outcome) => Ok(outcome.into()),
            Err(failed) => self.failed(&requested, failed).await,
        }
    }

    /// A repeated call gets the same answer, unless Microsoft has made a change that we rejected: then
    /// its copy counts (F-WHA-12).
    async fn repeated(
        &self,
        claim: &Claim,
        id: &OperationId,
        mark: &Mark,
        confirmation: Result<Confirmation, FulfillmentError>,
        current: Option<Record>,
    ) -> Result<Reply, WebhookFailure> {
        let is_overruled = |operation: &Operation| {
            mark.outcome == OperationOutcome::Rejected
                && operation.status == Some(OperationStatus::Succeeded)
        };
        match (confirmation, current) {
            (Ok(Confirmation::Confirmed(operation)), Some(current)) if is_overruled(&operation) => {
                warn!("Microsoft made a change that the publisher rejected");
                let requested = requested(claim, id, Some(operation));
                match self.responder.follow_overruled(&requested, current).await {
                    Ok(()) => Ok(Reply::Handled),
                    Err(failed) => self.failed(&requested, failed).await,
                }
            }
            _ => Ok(answered_before(mark)),
        }
    }
}
