//! Telling Microsoft that an account is configured, and making sure that it has happened.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use thiserror::Error;
use tracing::{info, warn};

use crate::commit::{Committed, DecideError, adopt, decide};
use crate::domain::{ActivationRequest, Cause, Decision, Record, Status, SubscriptionId};
use crate::fulfillment::{FulfillmentError, Marketplace, Refusal};
use crate::store::Store;
use crate::system::System;

/// Pauses before each look whether the activation has happened (F-ACT-3). Together they are what a
/// person waits for in front of a page; what takes longer, the reconciliation finishes.
const CONFIRM: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

/// How long an activation that was begun may take to show: "some minutes" (F-ACT-3). Until then, a
/// refusal of another attempt may only mean that the first one is being carried out (F-ACT-4).
/// Shorter, and an impatient buyer is told that an activation failed which is under way; longer,
/// and one that was really refused is repeated that much longer.
const TAKES: SignedDuration = SignedDuration::from_mins(10);

/// How far an activation has come.
#[derive(Clone)]
pub enum Activated {
    /// Microsoft's copy says Subscribed: billing has begun.
    Confirmed(Record),
    /// Microsoft was told, or will be: the reconciliation finishes it.
    Requested(Record),
}

/// Why an activation won't happen, or isn't known to.
#[derive(Debug, Error)]
pub enum ActivationError {
    /// Payment is due; a suspended subscription can't be activated (F-ACT-4).
    #[error("the subscription is suspended")]
    Suspended,
    /// It is over (F-ACT-5).
    #[error("the subscription is unsubscribed")]
    Unsubscribed,
    /// Microsoft knows no such subscription.
    #[error("no such subscription")]
    Unknown,
    /// Microsoft said no, and the subscription still isn't active.
    #[error("Microsoft refused the activation: {0}")]
    Refused(Refusal),
    /// Microsoft can't be asked now.
    #[error(transparent)]
    Fulfillment(FulfillmentError),
    /// The table.
    #[error(transparent)]
    Decide(#[from] DecideError),
}

impl From<FulfillmentError> for ActivationError {
    fn from(error: FulfillmentError) -> Self {
        match error {
            FulfillmentError::NotFound(_) => Self::Unknown,
            error => Self::Fulfillment(error),
        }
    }
}

/// Activates subscriptions. Twice is the same as once.
pub struct Activation {
    /// Microsoft.
    pub marketplace: Arc<dyn Marketplace>,
    /// The table.
    pub store: Arc<dyn Store>,
    /// Time.
    pub system: Arc<dyn System>,
}

impl Activation {
    /// Activates a subscription, or finds that it is active.
    pub async fn activate(
        &self,
        id: SubscriptionId,
        cause: &Cause,
    ) -> Result<Activated, ActivationError> {
        let current = self.store.load(id).await.map_err(DecideError::from)?;
        let record = self.observe(id, current, cause).await?;
        match record.status() {
            Status::PendingFulfillmentStart => self.tell(record, cause, &CONFIRM).await,
            Status::Subscribed => Ok(Activated::Confirmed(record)),
            Status::Suspended => Err(ActivationError::Suspended),
            Status::Unsubscribed => Err(ActivationError::Unsubscribed),
            // Microsoft decides about words we don't know.
            Status::Other(_) => self.tell(record, cause, &CONFIRM).await,
        }
    }

    /// Tells Microsoft once more about an activation that was begun and not confirmed.
    pub async fn finish(
        &self,
        record: Record,
        cause: &Cause,
    ) -> Result<Activated, ActivationError> {
        // Nobody waits: what isn't confirmed at once, the next run sees.
        self.tell(record, cause, &[Duration::ZERO]).await
    }

    async fn tell(
        &self,
        record: Record,
        cause: &Cause,
        looks: &[Duration],
    ) -> Result<Activated, ActivationError> {
        let id = record.id();
        let now = self.system.now();
        // Noted before Microsoft is told: whatever dies in between, the reconciliation finishes it.
        let begun = self.note(record, |record| record.begin_activation(now)).await?;
        if *begun.status() == Status::Subscribed {
            return Ok(Activated::Confirmed(begun));
        }
        let earlier = begun_at(&begun).filter(|since| *since != now);
        info!(subscription.id = %id, "activating");
        match self.marketplace.activate(&begun.subscription).await {
            Ok(()) => self.confirm(begun, cause, looks).await,
            Err(error) => self.settle(begun, cause, error, earlier).await,
        }
    }

    async fn confirm(
        &self,
        mut record: Record,
        cause: &Cause,
        looks: &[Duration],
    ) -> Result<Activated, ActivationError> {
        for pause in looks {
            self.system.sleep(*pause).await;
            match self.observe(record.id(), Some(record.clone()), cause).await {
                Ok(observed) if *observed.status() == Status::Subscribed => {
                    return Ok(Activated::Confirmed(observed));
                }
                Ok(observed) if *observed.status() == Status::Unsubscribed => {
                    return Err(ActivationError::Unsubscribed);
                }
                Ok(observed) => record = observed,
                // Microsoft was told; that it can't be asked now changes nothing.
                Err(ActivationError::Fulfillment(error)) => {
                    warn!(subscription.id = %record.id(), %error, "the activation can't be confirmed yet");
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        info!(subscription.id = %record.id(), "the activation is under way");
        Ok(Activated::Requested(record))
    }

    /// Activate failed: the subscription says what that means (F-ACT-7). `earlier` is when another
    /// attempt began.
    async fn settle(
        &self,
        record: Record,
        cause: &Cause,
        error: FulfillmentError,
        earlier: Option<Timestamp>,
    ) -> Result<Activated, ActivationError> {
        let id = record.id();
        let observed = match self.observe(id, Some(record.clone()), cause).await {
            Ok(observed) => observed,
            Err(ActivationError::Fulfillment(unread)) => {
                warn!(subscription.id = %id, %error, %unread, "the outcome of the activation is not known yet");
                return Ok(Activated::Requested(record));
            }
            Err(error) => return Err(error),
        };
        match (observed.status(), error) {
            (Status::Subscribed, _) => Ok(Activated::Confirmed(observed)),
            (Status::Suspended, _) => Err(ActivationError::Suspended),
            (Status::Unsubscribed, _) => Err(ActivationError::Unsubscribed),
            (
                Status::PendingFulfillmentStart | Status::Other(_),
                FulfillmentError::Refused(refusal)
                | FulfillmentError::NotFound(refusal)
                | FulfillmentError::Conflict(refusal),
            ) => {
                let now = self.system.now();
                if earlier.is_some_and(|since| now.duration_since(since) < TAKES) {
                    info!(subscription.id = %id, %refusal, "an earlier activation may be under way");
                    return Ok(Activated::Requested(observed));
                }
                self.note(observed, |record| record.abandon_activation(now)).await?;
                Err(ActivationError::Refused(refusal))
            }
            (Status::PendingFulfillmentStart | Status::Other(_), error) => {
                warn!(subscription.id = %id, %error, "Microsoft could not be told; to be repeated");
                Ok(Activated::Requested(observed))
            }
        }
    }

    async fn observe(
        &self,
        id: SubscriptionId,
        current: Option<Record>,
        cause: &Cause,
    ) -> Result<Record, ActivationError> {
        let observed = self.marketplace.get_subscription(id).await?;
        let Committed { record, .. } =
            adopt(&*self.store, &*self.system, id, current, &observed, cause).await?;
        record.ok_or(ActivationError::Unknown)
    }

    async fn note(
        &self,
        record: Record,
        rule: impl Fn(&Record) -> Decision + Send + Sync,
    ) -> Result<Record, ActivationError> {
        let id = record.id();
        let rule = |record: Option<&Record>| Ok(record.map_or(Decision::Unchanged, &rule));
        let noted =
            decide(&*self.store, &*self.system, id, Some(record.clone()), None, rule).await?;
        Ok(noted.record.unwrap_or(record))
    }
}

/// When Microsoft was first told, as the record has it.
fn begun_at(record: &Record) -> Option<Timestamp> {
    match record.activation {
        Some(ActivationRequest::AwaitsMicrosoft { since }) => Some(since),
        Some(ActivationRequest::AwaitsPublisher { .. }) | None => None,
    }
}
