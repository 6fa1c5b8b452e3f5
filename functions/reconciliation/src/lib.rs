//! Compares every subscription with Microsoft's copy, repairs the differences, and finishes work
//! that was interrupted.
//!
//! A slice reads pages of List Subscriptions, each with one batch read of the same records. It ends
//! with the list or with its time, and saves a checkpoint after every page. A difference is read
//! again by itself before it is adopted, since the list may lag. Memory does not grow with the
//! number of subscriptions. A run without differences writes nothing but its checkpoint. A
//! subscription that fails is logged and skipped.

mod credential_watch;
mod repair;

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use shared::config::{Dependencies, credential_ends};
use shared::domain::Observation;
use shared::flows::activation::ActivationFlow;
use shared::flows::answer::Responder;
use shared::flows::ledger::Ledger;
use shared::host::clock::Clock;
use shared::host::correlation;
use shared::host::environment::{ConfigError, Environment};
use shared::host::error_class::ErrorClass;
use shared::host::retry::RetryPolicy;
use shared::microsoft::fulfillment::{FulfillmentError, Marketplace, SubscriptionPage};
use shared::publisher::approval::ChangeApproval;
use shared::store::{Checkpoint, Checkpoints, Store, StoreError};
use thiserror::Error;
use tracing::field::Empty;
use tracing::{error, info, info_span, warn};

use credential_watch::CredentialWatch;

/// How long a slice starts new pages, repairs, activations and operations. After that, it only
/// compares the rest of its page, which takes far less time than the function's timeout leaves.
const SLICE_BUDGET: SignedDuration = SignedDuration::from_secs(180);

/// How often in a row Microsoft may fail to return the next page before the list starts over.
const MAX_PAGE_FAILURES: u32 = 3;

/// What the reconciliation may touch.
pub struct Reconciliation {
    marketplace: Arc<dyn Marketplace>,
    store: Arc<dyn Store>,
    checkpoints: Arc<dyn Checkpoints>,
    ledger: Ledger,
    activation: ActivationFlow,
    responder: Responder,
    credentials: CredentialWatch,
    clock: Arc<dyn Clock>,
}

/// The result of a slice. The counts are of the whole run so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The run reached the end of the list.
    pub finished: bool,
    /// Subscriptions compared.
    pub examined: u64,
    /// Records brought up to date.
    pub repaired: u64,
    /// Subscriptions that failed.
    pub failed: u64,
}

/// Why a slice ended early. The next one continues from the last checkpoint.
#[derive(Debug, Error)]
pub enum SliceError {
    #[error(transparent)]
    Fulfillment(#[from] FulfillmentError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SliceError {
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Fulfillment(error) => error.class(),
            Self::Store(error) => error.class(),
        }
    }
}

impl Reconciliation {
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        Self::new(environment, &Dependencies::read(environment)?)
    }

    pub fn new(
        environment: &Environment,
        dependencies: &Dependencies,
    ) -> Result<Self, ConfigError> {
        let approval = ChangeApproval::read(environment, dependencies)?;
        let Dependencies { microsoft, store, checkpoints, clock, transport } = dependencies;
        let credentials = CredentialWatch::new(credential_ends(environment, transport)?);
        let marketplace = microsoft.marketplace(RetryPolicy::SCHEDULED, clock.clone());
        let ledger = dependencies.ledger();
        Ok(Self {
            marketplace: marketplace.clone(),
            store: store.clone(),
            checkpoints: checkpoints.clone(),
            ledger: ledger.clone(),
            activation: ActivationFlow { marketplace: marketplace.clone(), ledger: ledger.clone() },
            responder: Responder { marketplace, ledger, approval },
            credentials,
            clock: clock.clone(),
        })
    }

    /// Runs one slice.
    pub async fn slice(&self) -> Result<Report, SliceError> {
        let span = info_span!("reconciliation", correlation_id = Empty);
        correlation::in_span(self.clock.new_id(), span, self.logged_run()).await
    }

    /// Erases the future's type: the compiler limits how deep the types of futures may nest.
    fn logged_run(&self) -> Pin<Box<dyn Future<Output = Result<Report, SliceError>> + Send + '_>> {
        Box::pin(async {
            // First, because a run fails when a credential has ended.
            self.credentials.look(self.clock.now()).await;
            self.run().await.inspect_err(|error| {
                error!(
                    %error, class = error.class().name(),
                    "the reconciliation stopped early; the next run continues"
                );
            })
        })
    }

    async fn run(&self) -> Result<Report, SliceError> {
        let begun = self.clock.now();
        let mut checkpoint = self.checkpoints.checkpoint().await?;
        if checkpoint.next.is_none() {
            checkpoint = Checkpoint::default();
        }
        let report = loop {
            let page = self.page(&mut checkpoint).await?;
            self.reconcile(&page, &mut checkpoint, begun).await?;
            checkpoint.next = match page.next {
                Ok(next) => next,
                // The next run starts over. The pages behind this one are unknown.
                Err(malformed) => {
                    self.checkpoints.save_checkpoint(&Checkpoint::default()).await?;
                    return Err(FulfillmentError::from(malformed).into());
                }
            };
            checkpoint.pages += 1;
            checkpoint.stuck = 0;
            self.detect_circle(&mut checkpoint);
            // After every page, so that a killed function loses no more than one.
            self.checkpoints.save_checkpoint(&checkpoint).await?;
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
            metric = report.finished.then_some("full_round"),
            "reconciled a slice"
        );
        Ok(report)
    }

    pub(crate) fn is_over(&self, begun: Timestamp) -> bool {
        self.clock.now().duration_since(begun) >= SLICE_BUDGET
    }

    /// The next page of the run. If Microsoft no longer accepts the continuation token, or keeps
    /// failing at it, the list starts over.
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
        if refused || checkpoint.stuck >= MAX_PAGE_FAILURES {
            warn!(
                %error, class = error.class().name(), metric = "list_restarted",
                "continuation token no longer accepted; restarting the list"
            );
            *checkpoint = Checkpoint::default();
            return Ok(self.marketplace.list_subscriptions(None).await?);
        }
        self.checkpoints.save_checkpoint(checkpoint).await?;
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
            error!(
                count = nameless,
                class = ErrorClass::UnknownWord.name(),
                "could not read entries of the list"
            );
            checkpoint.failed += nameless as u64;
        }
        let mut met = HashSet::with_capacity(ids.len());
        for observed in &page.subscriptions {
            let Some(id) = observed.id() else { continue };
            // The list can repeat an entry (F-LST-10). Its record has been used up, so it would pass
            // for a new subscription's, whose state is adopted without a read.
            if !met.insert(id) {
                continue;
            }
            let repaired = match records.remove(&id).transpose() {
                Ok(record) => self.repair(id, observed, record, begun).await,
                Err(corrupt) => Err(corrupt.into()),
            };
            checkpoint.examined += 1;
            match repaired {
                Ok(changed) => checkpoint.repaired += u64::from(changed),
                Err(error) => {
                    error!(
                        subscription.id = %id, %error, class = error.class().name(),
                        "could not reconcile a subscription; continuing with the next"
                    );
                    checkpoint.failed += 1;
                }
            }
        }
        Ok(())
    }

    /// Ends a list that runs in a circle (F-LST-8). It remembers one token only: the token of each
    /// page whose number is a power of two becomes the landmark, and a later page with the same
    /// token closes the circle.
    fn detect_circle(&self, checkpoint: &mut Checkpoint) {
        if checkpoint.next.is_some() && checkpoint.next == checkpoint.landmark {
            error!(
                pages = checkpoint.pages,
                class = ErrorClass::MicrosoftUnavailable.name(),
                "the list runs in a circle; ending the run"
            );
            checkpoint.next = None;
        } else if checkpoint.pages.is_power_of_two() {
            checkpoint.landmark.clone_from(&checkpoint.next);
        }
    }
}
