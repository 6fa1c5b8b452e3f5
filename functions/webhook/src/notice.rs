//! A notice: Microsoft has already made the change, and the subscription shows it (F-WHS-3).

use shared::domain::{OperationId, Record, Staleness, Status, is_recent, proven_by};
use shared::microsoft::fulfillment::FulfillmentError;
use shared::store::OperationOutcome;

use crate::failure::WebhookFailure;
use crate::{Claim, Reply, Webhook, requested, unknown_subscription};

impl Webhook {
    pub(crate) async fn notice(
        &self,
        claim: &Claim,
        id: OperationId,
    ) -> Result<Reply, WebhookFailure> {
        let (observed, current) = tokio::join!(
            self.marketplace.get_subscription(claim.subscription),
            self.ledger.load(claim.subscription),
        );
        let current = current?;
        let mut observed = match observed {
            Err(FulfillmentError::NotFound(_)) => return Ok(unknown_subscription()),
            observed => observed?,
        };
        let mut operation = None;
        if self.is_contradicted(claim, observed.status(), current.as_ref()) {
            // Either our read is stale or the notice is early, and the operation's timestamp tells
            // which. Without an operation, we rely on the subscription alone.
            let found = self.marketplace.get_operation(claim.subscription, id).await;
            operation = self.confirmed(claim, found)?;
            observed = proven_by(operation.as_ref(), observed);
            let is_recent =
                operation.as_ref().is_some_and(|operation| is_recent(operation, self.clock.now()));
            if is_recent && !claim.action.led_to(observed.status()) {
                return Err(WebhookFailure::Settling);
            }
        }
        let requested = requested(claim, id, operation);
        let outcome = OperationOutcome::Noticed;
        match self.responder.adopt(&requested, current, &observed, outcome).await {
            Ok(()) => Ok(Reply::Handled),
            Err(failed) => self.failed(&requested, failed).await,
        }
    }

    /// Whether the subscription or the record contradicts the notice. If so, the caller fetches the
    /// operation, which costs one more round trip.
    fn is_contradicted(
        &self,
        claim: &Claim,
        status: Option<&Status>,
        current: Option<&Record>,
    ) -> bool {
        let stale_read = current.zip(status).is_some_and(|(record, status)| {
            status != record.status() && record.left_recently(status, self.clock.now())
        });
        stale_read || !claim.action.led_to(status)
    }

    /// The call names no operation. We adopt Microsoft's copy and ignore the call's claims.
    pub(crate) async fn look(&self, claim: &Claim) -> Result<Reply, WebhookFailure> {
        let id = claim.subscription;
        let (observed, current) =
            tokio::join!(self.marketplace.get_subscription(id), self.ledger.load(id));
        let current = current?;
        let observed = match observed {
            Err(FulfillmentError::NotFound(_)) => return Ok(unknown_subscription()),
            observed => observed?,
        };
        match self.ledger.adopt(id, current, &observed, &claim.cause()).await?.stale {
            Some(Staleness::Settling) => Err(WebhookFailure::Settling),
            Some(Staleness::Impossible) | None => Ok(Reply::Handled),
        }
    }
}
