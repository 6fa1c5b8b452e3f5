//! The customer has paid, and access is to be restored (F-WHA-7).

use shared::domain::OperationId;
use shared::microsoft::fulfillment::FulfillmentError;
use tracing::warn;

use crate::failure::WebhookFailure;
use crate::{Claim, Reply, Webhook, answered_before, requested, unknown_subscription};

impl Webhook {
    pub(crate) async fn reinstate(
        &self,
        claim: &Claim,
        id: OperationId,
    ) -> Result<Reply, WebhookFailure> {
        let (operation, observed, loaded) = tokio::join!(
            self.marketplace.get_operation(claim.subscription, id),
            self.marketplace.get_subscription(claim.subscription),
            self.ledger.load_with_mark(claim.subscription, id),
        );
        let (current, mark) = loaded?;
        if let Some(mark) = mark {
            return Ok(answered_before(&mark));
        }
        let observed = match observed {
            Err(FulfillmentError::NotFound(_)) => return Ok(unknown_subscription()),
            observed => observed?,
        };
        let requested = requested(claim, id, self.confirmed(claim, operation)?);
        match self.responder.reinstate(&requested, observed, current).await {
            Ok(Some(outcome)) => Ok(outcome.into()),
            Ok(None) => {
                warn!(
                    metric = "unconfirmed_call",
                    "nothing confirms the reinstatement; nothing was done"
                );
                Ok(Reply::Handled)
            }
            Err(failed) => self.failed(&requested, failed).await,
        }
    }
}
