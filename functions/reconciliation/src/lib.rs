//! Compares every subscription with Microsoft's copy, repairs what differs, and finishes what was
//! left half done.
//!
//! One slice reads pages of List Subscriptions, each with one batch read of the same records, until
//! the list or its time ends, and notes how far it came. Memory doesn't grow with the number of
//! subscriptions; a run in which nothing differs writes nothing but its checkpoint. One bad
//! subscription is reported and skipped.

mod repair;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use shared::activation::Activation;
use shared::config::{ConfigError, Environment, Foundation};
use shared::decision::Changes;
use shared::domain::Observation;
use shared::fulfillment::{FulfillmentError, Marketplace, SubscriptionPage};
use shared::operations::Operations;
use shared::retry::RetryPolicy;
use shared::store::{Checkpoint, Store, StoreError};
use shared::system::System;
use shared::telemetry;
use thiserror::Error;
use tracing::field::Empty;
use tracing::{error, info, info_span, warn};

/// Nothing but the comparison itself is begun later than this after the slice began: no page, no
/// activation, no operation. The rest of a page then takes well less than what is left of the
/// function's timeout.
const SLICE: SignedDuration = SignedDuration::from_secs(180);

/// A place in the list that could not be gone on from so often is given up.
const MOST_STUCK: u32 = 3;

/// What the reconciliation may touch.
pub struct Reconciliation {
    marketplace: Arc<dyn Marketplace>,
    store: Arc<dyn Store>,
    system: Arc<dyn System>,
    activation: Activation,
    operations: Operations,
}

/// What a slice came to; counts are of the whole run so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The list is at its end.
    pub finished: bool,
    /// Subscriptions compared.
    pub examined: u64,
    /// Records that differed, and were brought up to date.
    pub repaired: u64,
    /// Subscriptions that could not be dealt with.
    pub failed: u64,
}

/// Why a slice ended before its time; the next one goes on from the last checkpoint.
#[derive(Debug, Error)]
pub enum SliceError {
    /// Microsoft.
    #[error(transparent)]
    Fulfillment(#[from] FulfillmentError),
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Reconciliation {
    /// The function as its settings describe it.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let foundation = Foundation::read(environment)?;
        Self::new(environment, &foundation)
    }

    /// The function on a given foundation.
    pub fn new(environment: &Environment, foundation: &Foundation) -> Result<Self, ConfigError> {
        let changes = Changes::read(environment, foundation)?;
        let Foundation { microsoft, store, system } = foundation;
        let marketplace = microsoft.marketplace(RetryPolicy::SCHEDULED, system.clone());
        Ok(Self {
            marketplace: marketplace.clone(),
            store: store.clone(),
            system: system.clone(),
            activation: Activation {
                marketplace: marketplace.clone(),
                store: store.clone(),
                system: system.clone(),
            },
            operations: Operations {
                marketplace,
                store: store.clone(),
                system: system.clone(),
                changes,
            },
        })
    }

    /// Runs one slice.
    pub async fn slice(&self) -> Result<Report, SliceError> {
        telemetry::within(
            self.system.new_id(),
            info_span!("reconciliation", correlation_id = Empty),
            self.run(),
        )
        .await
    }

    async fn run(&self) -> Result<Report, SliceError> {
        let begun = self.system.now();
        let mut checkpoint = self.store.checkpoint().await?;
        if checkpoint.next.is_none() {
            checkpoint = Checkpoint::default();
        }
        let report = loop {
            let page = self.page(&mut checkpoint).await?;
            self.reconcile(&page, &mut checkpoint, begun).await?;
            checkpoint.next = page.next;
            checkpoint.pages += 1;
            checkpoint.stuck = 0;
            self.notice_circle(&mut checkpoint);
            // After every page: whatever ends the function, what was done stays done.
            self.store.save_checkpoint(&checkpoint).await?;
            let finished = checkpoint.next.is_none();
            if finished || self.is_over(begun) {
                break Report {
                    finished,
                    examined: checkpoint.examined,
                    repaired: checkpoint.repaired,
                    failed: checkpoint.failed,
                };
            }
        };
        info!(
            finished = report.finished,
            examined = report.examined,
            repaired = report.repaired,
            failed = report.failed,
            metric = "drift",
            "reconciled a slice"
        );
        Ok(report)
    }

    /// Whether the slice's time is over.
    pub(crate) fn is_over(&self, begun: Timestamp) -> bool {
        self.system.now().duration_since(begun) >= SLICE
    }

    /// The page the run goes on with. Where Microsoft doesn't take the continuation token, or fails
    /// at it again and again, the list is begun anew.
    async fn page(&self, checkpoint: &mut Checkpoint) -> Result<SubscriptionPage, SliceError> {
        let error = match self.marketplace.list_subscriptions(checkpoint.next.as_deref()).await {
            Ok(page) => return Ok(page),
            Err(error) => error,
        };
        if checkpoint.next.is_none() {
            return Err(error.into());
        }
        checkpoint.stuck += 1;
        let refused = matches!(error, FulfillmentError::Refused(_) | FulfillmentError::NotFound(_));
        if refused || checkpoint.stuck >= MOST_STUCK {
            warn!(%error, "the list can't be gone on with; beginning anew");
            *checkpoint = Checkpoint::default();
            return Ok(self.marketplace.list_subscriptions(None).await?);
        }
        self.store.save_checkpoint(checkpoint).await?;
        Err(error.into())
    }

    async fn reconcile(
        &self,
        page: &SubscriptionPage,
        checkpoint: &mut Checkpoint,
        begun: Timestamp,
    ) -> Result<(), SliceError> {
        let ids: Vec<_> = page.subscriptions.iter().filter_map(Observation::id).collect();
        let mut records = self.store.load_many(&ids).await?;
        let nameless = page.subscriptions.len() - ids.len() + page.unreadable;
        if nameless > 0 {
            error!(count = nameless, "entries of the list can't be read");
            checkpoint.failed += nameless as u64;
        }
        for observed in &page.subscriptions {
            let Some(id) = observed.id() else { continue };
            let repaired = match records.remove(&id).transpose() {
                Ok(record) => self.repair(id, observed, record, begun).await,
                Err(corrupt) => Err(corrupt.into()),
            };
            checkpoint.examined += 1;
            match repaired {
                Ok(changed) => checkpoint.repaired += u64::from(changed),
                Err(error) => {
                    error!(subscription.id = %id, %error, "a subscription could not be reconciled; going on");
                    checkpoint.failed += 1;
                }
            }
        }
        Ok(())
    }

    /// Ends a list that runs in a circle (F-LST-8), remembering no more than one token: the token
    /// of every page whose number is a power of two is the landmark that later ones must not meet.
    fn notice_circle(&self, checkpoint: &mut Checkpoint) {
        if checkpoint.next.is_some() && checkpoint.next == checkpoint.landmark {
            error!(pages = checkpoint.pages, "the list runs in a circle; ending the run");
            checkpoint.next = None;
        } else if checkpoint.pages.is_power_of_two() {
            checkpoint.landmark.clone_from(&checkpoint.next);
        }
    }
}
