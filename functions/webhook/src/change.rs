//! A plan or seat change that waits for our answer: ten seconds (F-WHA-3, F-WHA-4, F-WHA-10).

use shared::domain::OperationId;

use crate::failure::WebhookFailure;
use crate::{Claim, Reply, Webhook, answered_before, requested};

impl Webhook {
    pub(crate) async fn change(
        &self,
        claim: &Claim,
        id: OperationId,
    ) -> Result<Reply, WebhookFailure> {
        let (operation, loaded, context) = tokio::join!(
            self.marketplace.get_operation(claim.subscription, id),
            self.ledger.load_with_mark(claim.subscription, id),
            self.responder.gather(claim.subscription),
        );
        let (current, mark) = loaded?;
        if let Some(mark) = mark {
            return Ok(answered_before(&mark));
        }
        let Some(operation) = self.confirmed(claim, operation)? else {
            return Ok(Reply::Handled);
        };
        let requested = requested(claim, id, Some(operation));
        match self.responder.answer(&requested, current, &context).await {
            Ok(outcome) => Ok(outcome.into()),
            Err(failed) => self.failed(&requested, failed).await,
        }
    }
}
