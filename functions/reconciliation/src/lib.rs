//! Compares every subscription with Microsoft's copy, repairs the differences, and finishes work
//! that was interrupted.
//!
//! A slice begins with what is due. Then it reads pages of List Subscriptions, each with one batch
//! read of the same records. It ends with the list or with its time, and saves a checkpoint after
//! every page. A difference is read again by itself before it is adopted, since the list may lag.
//! Memory does not grow with the number of subscriptions. A run without differences writes nothing but its
//! checkpoint. A subscription that fails is logged and skipped. What a list that breaks off does not show
//! is read from the table's side.
//!
//! Two slices at once do no harm: records are committed under their versions, and of two slices that go on
//! from the same checkpoint only one can save the next.

mod credential_watch;
mod dry_run;
mod due_work;
mod findings;
mod importing;
mod list;
mod repair;
mod retention;
mod summary;
mod unseen;

use std::pin::Pin;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use shared::config::{Dependencies, Retention, credential_ends};
use shared::flows::activation::ActivationFlow;
use shared::flows::answer::Responder;
use shared::flows::erasure::ErasureFlow;
use shared::flows::ledger::Ledger;
use shared::host::clock::Clock;
use shared::host::correlation;
use shared::host::environment::{ConfigError, Environment};
use shared::host::error_class::ErrorClass;
use shared::host::retry::RetryPolicy;
use shared::microsoft::fulfillment::{FulfillmentError, Marketplace};
use shared::publisher::approval::ChangeApproval;
use shared::store::{
    Checkpoint, CheckpointError, Checkpoints, DueWork, Run, RunEnd, Runs, Store, StoreError,
};
use thiserror::Error;
use tracing::field::Empty;
use tracing::{error, info_span};

use credential_watch::CredentialWatch;
use dry_run::{CONTINUED_WITHIN, DryRunCheckpoints};
use importing::Importing;
pub use summary::Report;
use summary::{SliceEnd, oldest, summarise};

/// How long a slice starts new pages, repairs, activations and operations. After that, it only
/// compares the rest of its page, which takes far less time than the function's timeout leaves.
const SLICE_BUDGET: SignedDuration = SignedDuration::from_secs(180);

/// How many subscriptions are worked on concurrently: a repair takes a round trip or several. Microsoft
/// documents no limit of its own; it answers 429.
const MAX_CONCURRENT: usize = 8;

/// What the reconciliation may touch.
#[derive(Clone)]
pub struct Reconciliation {
    marketplace: Arc<dyn Marketplace>,
    store: Arc<dyn Store>,
    checkpoints: Arc<dyn Checkpoints>,
    due_work: Arc<dyn DueWork>,
    runs: Arc<dyn Runs>,
    ledger: Ledger,
    activation: Arc<ActivationFlow>,
    responder: Arc<Responder>,
    erasure: Arc<ErasureFlow>,
    /// `None`: personal data is erased on request alone.
    retention: Option<Retention>,
    credentials: Arc<CredentialWatch>,
    importing: Arc<Importing>,
    clock: Arc<dyn Clock>,
    /// Compares, and repairs nothing.
    is_dry: bool,
}

/// Why a slice ended early. The next one continues from the last checkpoint.
#[derive(Debug, Error)]
pub enum SliceError {
    #[error(transparent)]
    Fulfillment(#[from] FulfillmentError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another slice saved a checkpoint since this one read it.
    #[error("another run has gone on")]
    Overtaken,
}

impl SliceError {
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Fulfillment(error) => error.class(),
            Self::Store(error) => error.class(),
            Self::Overtaken => ErrorClass::Table,
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
        let Dependencies {
            microsoft, store, checkpoints, due_work, runs, clock, transport, ..
        } = dependencies;
        let credentials = CredentialWatch::new(credential_ends(environment, transport)?);
        let marketplace = microsoft.marketplace(RetryPolicy::SCHEDULED, clock.clone());
        let ledger = dependencies.ledger();
        Ok(Self {
            marketplace: marketplace.clone(),
            store: store.clone(),
            checkpoints: checkpoints.clone(),
            due_work: due_work.clone(),
            runs: runs.clone(),
            ledger: ledger.clone(),
            activation: Arc::new(ActivationFlow {
                marketplace: marketplace.clone(),
                ledger: ledger.clone(),
            }),
            responder: Arc::new(Responder { marketplace, ledger, approval }),
            erasure: Arc::new(dependencies.erasure(environment)?),
            retention: Retention::read(environment)?,
            credentials: Arc::new(credentials),
            importing: Arc::new(importing),
            clock: clock.clone(),
            is_dry: false,
        })
    }

    /// Runs the slice that an event asks for: with `{"dryRun": true}`, one of a dry run. The event of the schedule
    /// says nothing, since the checkpoint knows where to continue.
    pub async fn invoke(&self, event: &Value) -> Result<Report, SliceError> {
        match event["dryRun"] == true {
            true => self.dry_slice().await,
            false => self.slice().await,
        }
    }

    /// Runs one slice. While runs are paused, it only says so.
    pub async fn slice(&self) -> Result<Report, SliceError> {
        let span = info_span!("reconciliation", correlation_id = Empty);
        correlation::in_span(self.clock.new_id(), span, self.logged_run()).await
    }

    /// Runs one slice of a dry run, also while runs are paused.
    pub async fn dry_slice(&self) -> Result<Report, SliceError> {
        let (runs, real) = (self.runs.clone(), self.checkpoints.clone());
        let checkpoints = Arc::new(DryRunCheckpoints { runs, real });
        let importing = Arc::new(self.importing.anew());
        let dry = Self { checkpoints, importing, is_dry: true, ..self.clone() };
        let span = info_span!("reconciliation", correlation_id = Empty, dry_run = true);
        correlation::in_span(self.clock.new_id(), span, dry.logged_run()).await
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
        // Also if runs are paused: a purchase that is made meanwhile is no customer from before.
        self.resume_import(&checkpoint, begun).await?;
        let first_start = self.first_start();
        if !self.is_dry
            && let Some(pause) = self.runs.pause().await?
        {
            return Ok(Report::paused(oldest(&checkpoint, first_start, begun), &pause));
        }
        if !checkpoint.is_under_way() || self.is_too_old(&checkpoint) {
            checkpoint.begin(begun);
        }
        let ended = match self.go_on(&mut checkpoint, begun).await {
            Err(SliceError::Overtaken) => Ok(SliceEnd::Overtaken),
            ended => ended,
        };
        // A dry run repairs nothing, so it counts for nothing.
        let oldest = oldest(&checkpoint, first_start, self.clock.now()).filter(|_| !self.is_dry);
        summarise(&checkpoint, ended.as_ref(), self.is_dry, oldest);
        if !self.is_dry && matches!(ended, Ok(SliceEnd::List)) {
            self.end_import(&checkpoint).await;
        }
        ended.map(|end| Report::new(&checkpoint, end))
    }

    /// Whether this is a dry run that was cut off long ago.
    fn is_too_old(&self, checkpoint: &Checkpoint) -> bool {
        let begun = checkpoint.begun_at.filter(|_| self.is_dry);
        begun.is_some_and(|begun| self.clock.now().duration_since(begun) > CONTINUED_WITHIN)
    }

    /// Ends the run, and leaves behind what it has to say. A run without differences writes nothing but its
    /// checkpoint, which the caller saves.
    pub(crate) async fn conclude(
        &self,
        checkpoint: &mut Checkpoint,
        end: RunEnd,
    ) -> Result<(), StoreError> {
        let run = Run::of(checkpoint, end, self.is_dry, self.clock.now());
        if self.is_dry || !run.is_quiet() {
            self.runs.save_run(&run).await?;
        }
        run.conclude(checkpoint);
        checkpoint.end();
        Ok(())
    }

    /// Does what is due, and goes on where the run is, until it or the slice ends.
    async fn go_on(
        &self,
        checkpoint: &mut Checkpoint,
        begun: Timestamp,
    ) -> Result<SliceEnd, SliceError> {
        self.do_due_work(checkpoint, begun).await?;
        // Before the pages, which may take all of the slice's time or fail.
        self.apply_retention().await;
        if checkpoint.is_in_list()
            && let Some(end) = self.pages(checkpoint, begun).await?
        {
            return Ok(end);
        }
        self.unseen(checkpoint, begun).await
    }

    pub(crate) fn is_over(&self, begun: Timestamp) -> bool {
        self.clock.now().duration_since(begun) >= SLICE_BUDGET
    }

    /// Saves how far the run has come, unless another slice has gone on from where this one did.
    pub(crate) async fn save(&self, checkpoint: &mut Checkpoint) -> Result<(), SliceError> {
        checkpoint.revision += 1;
        checkpoint.saved_by = correlation::current();
        match self.checkpoints.save_checkpoint(checkpoint).await {
            Ok(()) => Ok(()),
            Err(CheckpointError::Store(error)) => Err(error.into()),
            // The answer to our own attempt may have been lost before a repetition met what it wrote.
            Err(CheckpointError::Conflict) => match self.checkpoints.checkpoint().await? {
                stored if stored == *checkpoint => Ok(()),
                _ => Err(SliceError::Overtaken),
            },
        }
    }

    /// Runs the work on different subscriptions, up to [`MAX_CONCURRENT`] at a time.
    pub(crate) async fn at_once<F: Future>(
        &self,
        work: impl IntoIterator<Item = F>,
    ) -> Vec<F::Output> {
        let mut done = Vec::new();
        let mut in_flight = FuturesUnordered::new();
        for one in work {
            if in_flight.len() >= MAX_CONCURRENT
                && let Some(one) = in_flight.next().await
            {
                done.push(one);
            }
            in_flight.push(one);
        }
        while let Some(one) = in_flight.next().await {
            done.push(one);
        }
        done
    }
}
