//! The customer has paid, and access is to be restored (F-WHA-7).

use shared::domain::{Observation, OperationId, OperationStatus, Status};
use shared::microsoft::fulfillment::FulfillmentError;
use tracing::warn;

use crate::confirmation::Confirmation;
use crate::failure::WebhookFailure;
use crate::{Claim, Reply, Webhook, answered_before, requested};

impl Webhook {
    pub(crate) async fn reinstate(
        &self,
        claim: &Claim,
        id: &OperationId,
    ) -> Result<Reply, WebhookFailure> {
        let (read, loaded) = tokio::join!(
            self.confirm_and_observe(claim, id),
            self.ledger.load_with_mark(claim.subscription, id),
        );
        let (current, mark) = loaded?;
        if let Some(mark) = mark {
            return Ok(answered_before(&mark));
        }
        let (read, again) = (read?, || self.confirm_and_observe(claim, id));
        let waits = !is_shown(&read);
        let (confirmation, observed) = self.until_shown(read, again, is_shown).await?;
        // The record may have changed while we waited.
        let current = if waits { self.ledger.load(claim.subscription).await? } else { current };
        let Some(observed) = observed else {
            return self.unconfirmed(claim, "subscription");
        };
        let is_unknown = confirmation.is_unknown();
        // A read that ends the recorded suspension is news. Any other may be older than the
        // suspension, of which the record has not heard.
        let is_active = observed.status() == Some(&Status::Subscribed);
        let is_suspended =
            current.as_ref().is_some_and(|record| *record.status() == Status::Suspended);
        if is_unknown && is_active && !is_suspended && claim.is_young(self.clock.now()) {
            return self.unconfirmed(claim, "operation");
        }
        let requested = requested(claim, id, confirmation.into_operation());
        match self.responder.reinstate(&requested, observed, current).await {
            Ok(Some(outcome)) => Ok(outcome.into()),
            Ok(None) if is_unknown => self.unconfirmed(claim, "operation"),
            Ok(None) => {
                warn!(
                    metric = "unconfirmed_call",
                    "nothing confirms the reinstatement; the record is as Microsoft's copy"
                );
                Ok(Reply::Handled)
            }
            Err(failed) => self.failed(&requested, failed).await,
        }
    }

    async fn confirm_and_observe(
        &self,
        claim: &Claim,
        id: &OperationId,
    ) -> Result<(Confirmation, Option<Observation>), FulfillmentError> {
        let (confirmation, observed) = tokio::join!(self.confirm(claim, id), self.observe(claim));
        Ok((confirmation?, observed?))
    }
}

/// Whether nothing is left that another read could show.
fn is_shown((confirmation, observed): &(Confirmation, Option<Observation>)) -> bool {
    let Some(observed) = observed else { return false };
    let is_suspended = observed.status() == Some(&Status::Suspended);
    match confirmation {
        Confirmation::Confirmed(operation) => {
            !is_suspended || operation.status != Some(OperationStatus::Succeeded)
        }
        Confirmation::Contradicted => true,
        Confirmation::Unknown => !is_suspended,
    }
}
