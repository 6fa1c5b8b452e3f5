//! Asks Microsoft whether a call is true (F-WHS-1). A genuine call may be ahead of Microsoft's own
//! reads.

use std::future::{Future, ready};
use std::time::Duration;

use shared::domain::{Observation, Operation, OperationId};
use shared::host::error_class::ErrorClass;
use shared::host::retry::{RetryPolicy, repeat};
use shared::microsoft::fulfillment::FulfillmentError;
use tracing::error;

use crate::failure::WebhookFailure;
use crate::{Claim, Reply, Webhook};

/// The pause before another look at what Microsoft's reads don't show yet.
const LAG_PAUSE: Duration = Duration::from_secs(1);

/// What Microsoft says about the operation that a call names.
pub(crate) enum Confirmation {
    /// It agrees with the call (F-WHS-2).
    Confirmed(Operation),
    /// It contradicts the call.
    Contradicted,
    /// Microsoft knows no such operation, or not yet.
    Unknown,
}

impl Confirmation {
    pub(crate) fn into_operation(self) -> Option<Operation> {
        match self {
            Self::Confirmed(operation) => Some(operation),
            Self::Contradicted | Self::Unknown => None,
        }
    }

    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }
}

impl Webhook {
    /// Reads the operation.
    pub(crate) async fn confirm(
        &self,
        claim: &Claim,
        id: &OperationId,
    ) -> Result<Confirmation, FulfillmentError> {
        match self.marketplace.get_operation(claim.subscription, id).await {
            Ok(operation) if claim.agrees_with(&operation) => {
                Ok(Confirmation::Confirmed(operation))
            }
            Ok(_) => {
                error!(
                    class = ErrorClass::Refused.name(),
                    metric = "unconfirmed_call",
                    "the call contradicts Microsoft's operation; nothing was done"
                );
                Ok(Confirmation::Contradicted)
            }
            Err(FulfillmentError::NotFound(_)) => Ok(Confirmation::Unknown),
            Err(error) => Err(error),
        }
    }

    /// Reads the subscription; `None` if Microsoft doesn't know it, or not yet.
    pub(crate) async fn observe(
        &self,
        claim: &Claim,
    ) -> Result<Option<Observation>, FulfillmentError> {
        match self.marketplace.get_subscription(claim.subscription).await {
            Ok(observed) => Ok(Some(observed)),
            Err(FulfillmentError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads again until the answer shows what the call says, or an error, or the deadline leaves
    /// no more time than the rest of the work needs. `first` is the answer of the first read.
    pub(crate) async fn until_shown<T: Send, F>(
        &self,
        first: T,
        read: impl FnMut() -> F + Send,
        shows: impl Fn(&T) -> bool + Send + Sync,
    ) -> Result<T, FulfillmentError>
    where
        F: Future<Output = Result<T, FulfillmentError>> + Send,
    {
        let pause = |answer: &Result<T, FulfillmentError>| {
            let shown = answer.as_ref().map_or(true, &shows);
            (!shown).then_some(LAG_PAUSE)
        };
        repeat(&*self.clock, &RetryPolicy::UNTIL_SHOWN, ready(Ok(first)), read, pause).await
    }

    /// Nothing confirms the call. A young call is repeated, since Microsoft's reads may lag; an old
    /// one is reported, and changes nothing.
    pub(crate) fn unconfirmed(
        &self,
        claim: &Claim,
        what: &'static str,
    ) -> Result<Reply, WebhookFailure> {
        if claim.is_young(self.clock.now()) {
            return Err(WebhookFailure::NotKnownYet(what));
        }
        error!(
            class = ErrorClass::Refused.name(),
            metric = "unconfirmed_call",
            "Microsoft knows no such {what}; nothing was done"
        );
        Ok(Reply::Handled)
    }
}
