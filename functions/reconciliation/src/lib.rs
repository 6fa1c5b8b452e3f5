//! Compares every subscription with Microsoft's copy, repairs the differences, and finishes work
//! that was interrupted.
//!
//! A slice begins with what is due. Then it reads pages of List Subscriptions, each with one batch
//! read of the same records. It ends with the list or with its time, and saves a checkpoint after
//! every page. A difference is read again by itself before it is adopted, since the list may lag.
//! Memory does not grow with the number of subscriptions. A run without differences writes nothing but its checkpoint. A
//! subscription that fails is logged and skipped.

mod credential_watch;
mod due_work;
mod importing;
mod repair;
mod summary;

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
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
use shared::store::{Checkpoint, Checkpoints, DueWork, Round, Store, StoreError};
use thiserror::Error;
use tracing::field::Empty;
use tracing::{error, info_span, warn};

use credential_watch::CredentialWatch;
use importing::Importing;
use repair::Repaired;
pub use summary::Report;
use summary::{SliceEnd, summarise};

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
    due_work: Arc<dyn DueWork>,
    ledger: Ledger,
    activation: ActivationFlow,
    responder: Responder,
    credentials: CredentialWatch,
    importing: Importing,
    clock: Arc<dyn Clock>,
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
        let importing = Importing::read(environment)?;
        let Dependencies { microsoft, store, checkpoints, due_work, clock, transport, .. } =
            dependencies;
        let credentials = CredentialWatch::new(credential_ends(environment, transport)?);
        let marketplace = microsoft.marketplace(RetryPolicy::SCHEDULED, clock.clone());
        let ledger = dependencies.ledger();
        Ok(Self {
            marketplace: marketplace.clone(),
            store: store.clone(),
            checkpoints: checkpoints.clone(),
            due_work: due_work.clone(),
            ledger: ledger.clone(),
            activation: ActivationFlow { marketplace: marketplace.clone(), ledger: ledger.clone() },
            responder: Responder { marketplace, ledger, approval },
            credentials,
            importing,
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
        self.resume_import(&checkpoint, begun).await?;
        if checkpoint.next.is_none() {
            checkpoint.begin(begun);
        }
        let ended = match self.do_due_work(&mut checkpoint, begun).await {
            Ok(()) => self.pages(&mut checkpoint, begun).await,
            Err(error) => Err(error.into()),
        };
        summarise(&checkpoint, ended.as_ref(), self.clock.now());
        if matches!(ended, Ok(SliceEnd::List)) {
            self.end_import(&checkpoint).await;
        }
        ended.map(|end| Report::new(&checkpoint, end))
    }

    /// Reads pages until the list or the slice's time ends.
    async fn pages(
        &self,
        checkpoint: &mut Checkpoint,
        begun: Timestamp,
    ) -> Result<SliceEnd, SliceError> {
        loop {
            let page = self.page(checkpoint).await?;
            self.reconcile(&page, checkpoint, begun).await?;
            checkpoint.next = match page.next {
                Ok(next) => next,
                // The next run starts over. The pages behind this one are unknown.
                Err(malformed) => {
                    let mut anew = checkpoint.clone();
                    anew.begin(self.clock.now());
                    self.checkpoints.save_checkpoint(&anew).await?;
                    return Err(FulfillmentError::from(malformed).into());
                }
            };
            checkpoint.pages += 1;
            checkpoint.stuck = 0;
            let end = self.end(checkpoint, begun);
            // After every page, so that a killed function loses no more than one.
            self.checkpoints.save_checkpoint(checkpoint).await?;
            if let Some(end) = end {
                return Ok(end);
            }
        }
    }

    /// Whether the slice ends with this page.
    fn end(&self, checkpoint: &mut Checkpoint, begun: Timestamp) -> Option<SliceEnd> {
        if self.detect_circle(checkpoint) {
            return Some(SliceEnd::Circle);
        }
        if checkpoint.next.is_none() {
            let ended_at = self.clock.now();
            let begun_at = checkpoint.begun_at.unwrap_or(ended_at);
            checkpoint.last_round = Some(Round { begun_at, ended_at });
            return Some(SliceEnd::List);
        }
        self.is_over(begun).then_some(SliceEnd::Time)
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
            checkpoint.begin(self.clock.now());
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
                Ok(Repaired::Unchanged) => {}
                Ok(Repaired::Changed) => checkpoint.repaired += 1,
                Ok(Repaired::Left) => checkpoint.left += 1,
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
    /// token closes the circle. Returns whether it is closed.
    fn detect_circle(&self, checkpoint: &mut Checkpoint) -> bool {
        let is_circle = checkpoint.next.is_some() && checkpoint.next == checkpoint.landmark;
        if is_circle {
            error!(
                pages = checkpoint.pages,
                class = ErrorClass::MicrosoftUnavailable.name(),
                "the list runs in a circle; ending the run"
            );
            checkpoint.next = None;
        } else if checkpoint.pages.is_power_of_two() {
            checkpoint.landmark.clone_from(&checkpoint.next);
        }
        is_circle
    }
}
