//! The customer has paid, and access is to be restored (F-WHA-7).

use shared::domain::{Observation, OperationId, OperationStatus, Record, Status};
use shared::microsoft::fulfillment::FulfillmentError;
use tracing::warn;

use crate::confirmation::Confirmation;
use crate::failure::WebhookFailure;
use crate::{Claim, Reply, Webhook, answered_before, requested};

/// What the operation and the subscription say.
type Read = (Confirmation, Option<Observation>);

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
        // A read that ends the recorded suspension is news. Any other may be older than the
        // suspension, of which the record has not heard.
        let now = self.clock.now();
        let has_heard = |record: Option<&Record>| {
            record.is_some_and(|record| {
                *record.status() == Status::Suspended
                    || record.left_recently(&Status::Suspended, now)
            })
        };
        let may_be_older = claim.is_young(now) && !has_heard(current.as_ref());
        let is_shown = |read: &Read| is_shown(read, may_be_older);
        let (read, again) = (read?, || self.confirm_and_observe(claim, id));
        let waits = !is_shown(&read);
        let (confirmation, observed) = self.until_shown(read, again, is_shown).await?;
        // The record may have changed while we waited.
        let current = if waits { self.ledger.load(claim.subscription).await? } else { current };
        let Some(observed) = observed else {
            return self.unconfirmed(claim, "subscription");
        };
        let is_unknown = confirmation.is_unknown();
        let is_active = observed.status() == Some(&Status::Subscribed);
        if is_unknown && is_active && may_be_older && !has_heard(current.as_ref()) {
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
    ) -> Result<Read, FulfillmentError> {
        let (confirmation, observed) = tokio::join!(self.confirm(claim, id), self.observe(claim));
        Ok((confirmation?, observed?))
    }
}

/// Whether nothing is left that another read could show. `may_be_older`: a read of an active
/// subscription may be older than its suspension.
fn is_shown((confirmation, observed): &Read, may_be_older: bool) -> bool {
    let Some(observed) = observed else { return false };
    let is_inactive =
        matches!(observed.status(), Some(Status::Suspended | Status::PendingFulfillmentStart));
    match confirmation {
        Confirmation::Confirmed(operation) => {
            !is_inactive || operation.status != Some(OperationStatus::Succeeded)
        }
        Confirmation::Contradicted => true,
        Confirmation::Unknown => !is_inactive && !may_be_older,
    }
}
