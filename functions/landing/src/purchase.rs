//! The purchase behind a token: what it is, whose it is, and its activation.

use std::sync::Arc;

use shared::activation::{Activated, Activation, ActivationError};
use shared::commit::{Committed, DecideError, adopt, decide};
use shared::domain::{
    Account, Cause, Decision, IncompleteObservation, Record, SignUp, Status, observe,
};
use shared::fulfillment::{FulfillmentError, Marketplace, PurchaseToken};
use shared::store::Store;
use shared::system::System;
use tracing::field::display;
use tracing::{Span, info};

use crate::Mode;

/// Why a visit ends without the page it was for.
pub enum Failure {
    /// The token is none of Microsoft's, or too old (F-RES-8).
    Token,
    /// The purchase is somebody else's (F-LP-9).
    Stranger,
    /// Microsoft refuses the activation.
    Refused,
    /// Microsoft or the table; to be tried again.
    NotNow(String),
}

/// Purchases, as Microsoft and the table have them.
pub struct Purchases {
    /// Microsoft.
    pub marketplace: Arc<dyn Marketplace>,
    /// The table.
    pub store: Arc<dyn Store>,
    /// Time.
    pub system: Arc<dyn System>,
    /// Tells Microsoft.
    pub activation: Activation,
    /// Who activates.
    pub mode: Mode,
}

impl Purchases {
    /// Who bought what: Microsoft's answer, and the record that follows from it. Where somebody
    /// signed in, a stranger learns and changes nothing.
    pub async fn open(
        &self,
        token: &PurchaseToken,
        account: Option<&Account>,
    ) -> Result<Record, Failure> {
        let observed = self.marketplace.resolve(token).await?;
        let id = observed
            .id()
            .ok_or_else(|| Failure::NotNow("Resolve named no subscription".to_owned()))?;
        Span::current().record("subscription.id", display(id));
        info!("resolved a purchase");
        let current = self.store.load(id).await.map_err(DecideError::from)?;
        let (store, system) = (&*self.store, &*self.system);
        let committed = match account {
            None => {
                let cause = &Cause::Landing;
                adopt(store, system, id, current, &observed, cause).await?
            }
            Some(account) => {
                let found = observed.bind(current.as_ref(), account)?.ok_or(Failure::Stranger)?;
                let rule = |record: Option<&Record>| {
                    let now = system.now();
                    let decision = observe(record, &observed, &Cause::Landing, now)?;
                    Ok(decision.binding(found, record, now))
                };
                decide(store, system, id, current, None, rule).await?
            }
        };
        committed.record.ok_or_else(|| Failure::NotNow("no record came of a purchase".to_owned()))
    }

    /// The buyer confirms, and tells something. Again is the same as once (F-LP-10). Returns the
    /// record as it is then.
    pub async fn confirm(
        &self,
        record: Record,
        sign_up: Option<&SignUp>,
    ) -> Result<Record, Failure> {
        if *record.status() != Status::PendingFulfillmentStart {
            return Ok(record);
        }
        let record = match sign_up {
            Some(sign_up) => {
                let now = self.system.now();
                self.note(record, |record| record.keep_sign_up(sign_up, now)).await?
            }
            None => record,
        };
        match self.mode {
            Mode::OnConfirm => self.activate(record).await,
            Mode::ByPublisher => self.hand_over(record).await,
        }
    }

    async fn activate(&self, record: Record) -> Result<Record, Failure> {
        match self.activation.activate(record.id(), &Cause::Landing).await {
            Ok(Activated::Confirmed(record) | Activated::Requested(record)) => Ok(record),
            Err(ActivationError::Suspended | ActivationError::Unsubscribed) => {
                let now = self.store.load(record.id()).await.map_err(DecideError::from)?;
                Ok(now.unwrap_or(record))
            }
            Err(ActivationError::Refused(_)) => Err(Failure::Refused),
            Err(
                failed @ (ActivationError::Unknown
                | ActivationError::Fulfillment(_)
                | ActivationError::Decide(_)),
            ) => Err(Failure::NotNow(failed.to_string())),
        }
    }

    async fn hand_over(&self, record: Record) -> Result<Record, Failure> {
        let now = self.system.now();
        self.note(record, |record| record.request_activation(&Cause::Landing, now)).await
    }

    async fn note(
        &self,
        record: Record,
        rule: impl Fn(&Record) -> Decision + Send + Sync,
    ) -> Result<Record, Failure> {
        let id = record.id();
        let rule = |record: Option<&Record>| Ok(record.map_or(Decision::Unchanged, &rule));
        let Committed { record: noted, .. } =
            decide(&*self.store, &*self.system, id, Some(record.clone()), None, rule).await?;
        Ok(noted.unwrap_or(record))
    }
}

impl From<FulfillmentError> for Failure {
    fn from(error: FulfillmentError) -> Self {
        match error {
            FulfillmentError::Refused(_) | FulfillmentError::NotFound(_) => Self::Token,
            error => Self::NotNow(error.to_string()),
        }
    }
}

impl From<DecideError> for Failure {
    fn from(error: DecideError) -> Self {
        Self::NotNow(error.to_string())
    }
}

impl From<IncompleteObservation> for Failure {
    fn from(error: IncompleteObservation) -> Self {
        Self::NotNow(error.to_string())
    }
}
