//! The purchase behind a token: what was bought, who may see it, and its activation.

use std::sync::Arc;

use shared::domain::{Account, Cause, IncompleteObservation, Record, SignUp, Status, observe};
use shared::flows::activation::{Activated, ActivationError, ActivationFlow};
use shared::flows::ledger::{Ledger, UpdateError};
use shared::flows::request_change::ChangeFlow;
use shared::microsoft::fulfillment::{FulfillmentError, Marketplace, PurchaseToken};
use thiserror::Error;
use tracing::field::display;
use tracing::{Span, info};

use crate::Mode;

/// Why a visit ends on another page than the one it was for.
#[derive(Debug, Error)]
pub(crate) enum VisitError {
    /// Microsoft does not accept the purchase token, or no longer (F-RES-8).
    #[error("Microsoft does not accept the purchase token")]
    Token,
    /// The visitor is neither beneficiary nor purchaser (F-LP-9).
    #[error("the purchase belongs to someone else")]
    Stranger,
    #[error("Microsoft refuses the activation")]
    ActivationRefused,
    #[error("Resolve named no subscription")]
    NoSubscription,
    #[error("there is no record of the purchase")]
    NoRecord,
    #[error(transparent)]
    Fulfillment(FulfillmentError),
    #[error(transparent)]
    Activation(ActivationError),
    #[error(transparent)]
    Update(#[from] UpdateError),
    #[error(transparent)]
    Incomplete(#[from] IncompleteObservation),
}

/// The landing page's access to purchases.
pub(crate) struct Purchases {
    pub(crate) marketplace: Arc<dyn Marketplace>,
    pub(crate) ledger: Ledger,
    pub(crate) activation: ActivationFlow,
    pub(crate) changes: ChangeFlow,
    pub(crate) mode: Mode,
}

impl Purchases {
    /// Resolves a purchase and records it. `account` is `None` where sign-in is off. A stranger sees
    /// nothing and changes nothing.
    pub(crate) async fn open(
        &self,
        token: &PurchaseToken,
        account: Option<&Account>,
    ) -> Result<Record, VisitError> {
        let resolved = self.marketplace.resolve(token).await;
        let observed = resolved.map_err(|error| match error {
            FulfillmentError::Refused(_) | FulfillmentError::NotFound(_) => VisitError::Token,
            error => VisitError::Fulfillment(error),
        })?;
        let id = observed.id().ok_or(VisitError::NoSubscription)?;
        Span::current().record("subscription.id", display(id));
        info!("resolved a purchase");
        let current = self.ledger.load(id).await.map_err(UpdateError::from)?;
        let committed = match account {
            None => self.ledger.adopt(id, current, &observed, &Cause::Landing).await?,
            Some(account) => {
                let known = current.as_ref().map(|record| &record.subscription);
                let found = observed.identify(known, account)?.ok_or(VisitError::Stranger)?;
                let rule = |record: Option<&Record>| {
                    let now = self.ledger.clock().now();
                    let decision = observe(record, &observed, &Cause::Landing, now)?;
                    Ok(decision.identifying(found, record, now))
                };
                self.ledger.update(id, current, None, rule).await?
            }
        };
        committed.record.ok_or(VisitError::NoRecord)
    }

    /// The buyer confirms, with answers. A second confirmation changes nothing (F-LP-10). Returns the
    /// record afterwards.
    pub(crate) async fn confirm(
        &self,
        record: Record,
        sign_up: Option<&SignUp>,
    ) -> Result<Record, VisitError> {
        if *record.status() != Status::PendingFulfillmentStart {
            return Ok(record);
        }
        let now = self.ledger.clock().now();
        let record = match sign_up {
            Some(sign_up) => {
                self.ledger.note(record, |record| record.keep_sign_up(sign_up, now)).await?
            }
            None => record,
        };
        match self.mode {
            Mode::OnConfirm => self.activate(record).await,
            Mode::ByPublisher => {
                let now = self.ledger.clock().now();
                let request = |record: &Record| record.request_activation(&Cause::Landing, now);
                Ok(self.ledger.note(record, request).await?)
            }
        }
    }

    async fn activate(&self, record: Record) -> Result<Record, VisitError> {
        match self.activation.activate(record.id(), &Cause::Landing).await {
            Ok(Activated::Confirmed(record) | Activated::Requested(record)) => Ok(record),
            Err(ActivationError::Suspended | ActivationError::Unsubscribed) => {
                let now = self.ledger.load(record.id()).await.map_err(UpdateError::from)?;
                Ok(now.unwrap_or(record))
            }
            Err(ActivationError::Refused(_)) => Err(VisitError::ActivationRefused),
            Err(
                failed @ (ActivationError::Unknown
                | ActivationError::Fulfillment(_)
                | ActivationError::Update(_)),
            ) => Err(VisitError::Activation(failed)),
        }
    }
}
