//! Tells Microsoft that an account is set up, and makes sure that the activation has happened.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use thiserror::Error;
use tracing::{info, warn};

use super::ledger::{Ledger, UpdateError};
use crate::domain::{ActivationRequest, Cause, Record, Ruling, Staleness, Status, SubscriptionId};
use crate::host::error_class::ErrorClass;
use crate::microsoft::fulfillment::{FulfillmentError, Marketplace, Refusal};

/// Pauses before each read that may confirm the activation (F-ACT-3). Together they are as long as
/// a person waits for a page. The reconciliation finishes an activation that takes longer.
const CONFIRM_PAUSES: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

/// How long a begun activation may take until Microsoft shows it: "some minutes" (F-ACT-3). Until
/// then, a refusal of another attempt may only mean that the first one is under way (F-ACT-4). If
/// this is too short, an impatient buyer sees a failure that is none. If it is too long, we repeat
/// an activation that Microsoft really refused.
const ACTIVATION_SETTLE_TIME: SignedDuration = SignedDuration::from_mins(10);

/// How far an activation has come.
#[derive(Clone)]
pub enum Activated {
    /// Microsoft's copy says Subscribed: billing has begun.
    Confirmed(Record),
    /// Microsoft was told, or will be: the reconciliation finishes it.
    Requested(Record),
}

/// Why an activation won't happen, or may not have happened.
#[derive(Debug, Error)]
pub enum ActivationError {
    /// Payment is due; a suspended subscription can't be activated (F-ACT-4).
    #[error("the subscription is suspended")]
    Suspended,
    /// It has ended (F-ACT-5).
    #[error("the subscription is unsubscribed")]
    Unsubscribed,
    /// The publisher has declined the purchase.
    #[error("the publisher has declined the purchase")]
    Declined,
    /// Microsoft knows no such subscription.
    #[error("no such subscription")]
    Unknown,
    /// Microsoft refused, and the subscription still isn't active.
    #[error("Microsoft refused the activation: {0}")]
    Refused(Refusal),
    #[error(transparent)]
    Fulfillment(FulfillmentError),
    #[error(transparent)]
    Update(#[from] UpdateError),
}

impl ActivationError {
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Suspended
            | Self::Unsubscribed
            | Self::Declined
            | Self::Unknown
            | Self::Refused(_) => ErrorClass::Refused,
            Self::Fulfillment(error) => error.class(),
            Self::Update(error) => error.class(),
        }
    }
}

impl From<FulfillmentError> for ActivationError {
    fn from(error: FulfillmentError) -> Self {
        match error {
            FulfillmentError::NotFound(_) => Self::Unknown,
            error => Self::Fulfillment(error),
        }
    }
}

/// Activates subscriptions. A second activation of the same subscription changes nothing.
pub struct ActivationFlow {
    pub marketplace: Arc<dyn Marketplace>,
    pub ledger: Ledger,
}

impl ActivationFlow {
    /// Activates a subscription, or finds that it is active. `approval` is the publisher's decision about the
    /// purchase, if it has made one.
    pub async fn activate(
        &self,
        id: SubscriptionId,
        cause: &Cause,
        approval: Option<&Ruling>,
    ) -> Result<Activated, ActivationError> {
        let current = self.ledger.load(id).await.map_err(UpdateError::from)?;
        let (record, _) = self.observe(id, current, cause).await?;
        match record.status() {
            Status::PendingFulfillmentStart => {
                self.request(record, cause, approval, &CONFIRM_PAUSES).await
            }
            Status::Subscribed => Ok(Activated::Confirmed(record)),
            Status::Suspended => Err(ActivationError::Suspended),
            Status::Unsubscribed => Err(ActivationError::Unsubscribed),
            // We let Microsoft decide about a status that we don't know.
            Status::Other(_) => self.request(record, cause, approval, &CONFIRM_PAUSES).await,
        }
    }

    /// Repeats an activation that was begun and not confirmed.
    pub async fn finish(
        &self,
        record: Record,
        cause: &Cause,
    ) -> Result<Activated, ActivationError> {
        // No one waits for this one. If a single read does not confirm it, the next run looks
        // again.
        self.request(record, cause, None, &[Duration::ZERO]).await
    }

    async fn request(
        &self,
        record: Record,
        cause: &Cause,
        approval: Option<&Ruling>,
        pauses: &[Duration],
    ) -> Result<Activated, ActivationError> {
        let (id, version, attempted) = (record.id(), record.version, begun_at(&record));
        let begin =
            |record: &Record| record.begin_approved_activation(approval, self.ledger.clock().now());
        // Noted before Microsoft is told: after a crash in between, the reconciliation finishes it.
        let begun = self.ledger.note(record, begin).await?;
        if *begun.status() == Status::Subscribed {
            return Ok(Activated::Confirmed(begun));
        }
        if begun.declined().is_some() {
            return Err(ActivationError::Declined);
        }
        // A writer that came first may have begun an attempt, too.
        let is_next = begun.version == version + 1;
        let earlier = if is_next { attempted } else { Some(begun.updated_at) };
        info!(subscription.id = %id, "activating");
        match self.marketplace.activate(&begun.subscription).await {
            Ok(()) => self.confirm(begun, cause, pauses).await,
            Err(error) => self.settle(begun, cause, error, earlier).await,
        }
    }

    async fn confirm(
        &self,
        mut record: Record,
        cause: &Cause,
        pauses: &[Duration],
    ) -> Result<Activated, ActivationError> {
        let id = record.id();
        for pause in pauses {
            self.ledger.clock().sleep(*pause).await;
            match self.observe(id, Some(record.clone()), cause).await {
                Ok((observed, _)) if *observed.status() == Status::Subscribed => {
                    return Ok(Activated::Confirmed(observed));
                }
                Ok((observed, _)) if *observed.status() == Status::Unsubscribed => {
                    return Err(ActivationError::Unsubscribed);
                }
                Ok((observed, _)) => record = observed,
                // Microsoft has the request, whether or not we can read its result.
                Err(ActivationError::Fulfillment(error)) => {
                    warn!(
                        subscription.id = %id, %error, class = error.class().name(),
                        "could not confirm the activation yet"
                    );
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        info!(subscription.id = %id, "the activation is under way");
        Ok(Activated::Requested(record))
    }

    /// Activate failed, and the subscription tells what that means (F-ACT-7). `earlier` is when
    /// another attempt may have begun.
    async fn settle(
        &self,
        record: Record,
        cause: &Cause,
        error: FulfillmentError,
        earlier: Option<Timestamp>,
    ) -> Result<Activated, ActivationError> {
        let (id, version) = (record.id(), record.version);
        let (observed, stale) = match self.observe(id, Some(record.clone()), cause).await {
            Ok(observed) => observed,
            Err(ActivationError::Fulfillment(unread)) => {
                warn!(
                    subscription.id = %id, %error, %unread, class = error.class().name(),
                    "the outcome of the activation is not known yet"
                );
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
                let now = self.ledger.clock().now();
                let is_young =
                    |since: &Timestamp| now.duration_since(*since) < ACTIVATION_SETTLE_TIME;
                let latest = match earlier.filter(is_young) {
                    // Microsoft refuses what it may have accepted from this very attempt.
                    _ if refusal.follows_unanswered => observed,
                    Some(since) => {
                        let resume =
                            |record: &Record| record.resume_activation(version, since, now);
                        self.ledger.note(observed, resume).await?
                    }
                    // A late read tells as little about why Microsoft refuses.
                    None if stale.is_some() => observed,
                    None => {
                        let abandon = |record: &Record| record.abandon_activation(version, now);
                        self.ledger.note(observed, abandon).await?
                    }
                };
                match (latest.status(), latest.activation) {
                    (Status::Subscribed, _) => Ok(Activated::Confirmed(latest)),
                    (_, None) => Err(ActivationError::Refused(refusal)),
                    (_, Some(_)) => {
                        info!(
                            subscription.id = %id, %refusal,
                            "another activation may be under way"
                        );
                        Ok(Activated::Requested(latest))
                    }
                }
            }
            (Status::PendingFulfillmentStart | Status::Other(_), error) => {
                warn!(
                    subscription.id = %id, %error, class = error.class().name(),
                    "could not tell Microsoft; the next run retries"
                );
                Ok(Activated::Requested(observed))
            }
        }
    }

    /// Reads the subscription, and adopts what it shows unless the read is stale.
    async fn observe(
        &self,
        id: SubscriptionId,
        current: Option<Record>,
        cause: &Cause,
    ) -> Result<(Record, Option<Staleness>), ActivationError> {
        let observed = self.marketplace.get_subscription(id).await?;
        let committed = self.ledger.adopt(id, current, &observed, cause).await?;
        Ok((committed.record.ok_or(ActivationError::Unknown)?, committed.stale))
    }
}

/// When the last attempt began that may be under way, according to the record.
fn begun_at(record: &Record) -> Option<Timestamp> {
    match record.activation {
        Some(ActivationRequest::AwaitsMicrosoft { since }) => Some(since),
        Some(ActivationRequest::AwaitsPublisher { .. }) | None => None,
    }
}
