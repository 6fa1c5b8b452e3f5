//! The import of the customers from before the deployment's first start.
//!
//! It is under way from the first slice to the end of the first full round in which nothing failed and
//! nothing was left. Later, a subscription without a record is news, whatever its age.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use shared::domain::{Cause, Import, ImportPolicy, Observation, Record, SubscriptionId, observe};
use shared::flows::ledger::{Committed, UpdateError};
use shared::host::environment::{ConfigError, Environment};
use shared::store::{Checkpoint, CommitError, FirstStart, StoreError};
use tracing::{error, info};

use crate::Reconciliation;

pub(crate) struct Importing {
    policy: ImportPolicy,
    state: Mutex<State>,
}

/// As the last slice found it.
#[derive(Clone, Copy, Default)]
struct State {
    first: Option<FirstStart>,
    import: Option<Import>,
}

impl Importing {
    pub(crate) fn read(environment: &Environment) -> Result<Self, ConfigError> {
        const PURPOSE: &str = "whether your product is told of the customers from before: \
             `silent` or `announce`";
        let policy = environment.parse_or("IMPORT", ImportPolicy::default(), PURPOSE)?;
        Ok(Self { policy, state: Mutex::default() })
    }

    /// The same policy, for a run that is none of this one's.
    pub(crate) fn anew(&self) -> Self {
        Self { policy: self.policy, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reconciliation {
    /// Reads whether the import is under way. The first slice of a deployment begins it.
    ///
    /// A restored table imports nothing: it may have forgotten a customer whose changes the product knows.
    pub(crate) async fn resume_import(
        &self,
        checkpoint: &Checkpoint,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let first = match self.checkpoints.first_start().await? {
            Some(first) => first,
            None => self.begin_import(checkpoint, now).await?,
        };
        let is_under_way = first.imported_at.is_none() && self.store.epoch().await? == 0;
        let policy = self.importing.policy;
        let import = is_under_way.then_some(Import { started_at: first.started_at, policy });
        *self.importing.state() = State { first: Some(first), import };
        Ok(())
    }

    /// The deployment's first start, as this slice found it.
    pub(crate) fn first_start(&self) -> Option<Timestamp> {
        self.importing.state().first.map(|first| first.started_at)
    }

    /// A checkpoint without a first start comes from 0.1.0, which announced every subscription. An import
    /// in the middle of its work would be silent about a part of them, so there is none.
    async fn begin_import(
        &self,
        checkpoint: &Checkpoint,
        now: Timestamp,
    ) -> Result<FirstStart, StoreError> {
        let is_new = *checkpoint == Checkpoint::default();
        let first = FirstStart { started_at: now, imported_at: (!is_new).then_some(now) };
        match self.checkpoints.save_first_start(&first).await {
            Ok(()) => Ok(first),
            // Another slice was faster.
            Err(CommitError::Conflict | CommitError::AlreadyMarked) => {
                Ok(self.checkpoints.first_start().await?.unwrap_or(first))
            }
            Err(CommitError::Store(error)) => Err(error),
        }
    }

    /// Ends the import after a full round, if one is under way. A subscription that failed or was left would
    /// be announced later, so the import then goes on. If the end can't be stored, the next full round ends
    /// it.
    pub(crate) async fn end_import(&self, checkpoint: &Checkpoint) {
        let state = *self.importing.state();
        let Some(first @ FirstStart { imported_at: None, .. }) = state.first else { return };
        if checkpoint.failed > 0 || checkpoint.left > 0 {
            return;
        }
        let first = FirstStart { imported_at: Some(self.clock.now()), ..first };
        match self.checkpoints.save_first_start(&first).await {
            Ok(()) => info!("the import has ended"),
            Err(CommitError::Conflict | CommitError::AlreadyMarked) => {}
            Err(CommitError::Store(error)) => error!(
                %error, class = error.class().name(),
                "could not record the end of the import; the next full round ends it"
            ),
        }
    }

    /// Adopts an observation. Where a subscription has no record, the import decides how it begins.
    pub(crate) async fn adopt(
        &self,
        id: SubscriptionId,
        current: Option<Record>,
        observed: &Observation,
    ) -> Result<Committed, UpdateError> {
        let cause = Cause::Reconciliation;
        let import = self.importing.state().import;
        let rule = |record: Option<&Record>| match &import {
            Some(import) => import.adopt(record, observed, &cause, self.clock.now()),
            None => observe(record, observed, &cause, self.clock.now()),
        };
        self.update(id, current, rule).await
    }
}
