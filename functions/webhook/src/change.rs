//! A plan or seat change that waits for our answer: ten seconds (F-WHA-3, F-WHA-4, F-WHA-10).

use shared::domain::OperationId;

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
            return Ok(answered_before(&mark));
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
}
