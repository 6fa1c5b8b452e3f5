//! Runs of the reconciliation that the API starts: here, in the same process.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use reconciliation::Reconciliation;
use shared::host::step_functions::{RunStarter, StartError};

/// If the host ends the process, a run ends with it. The timer's next run continues it.
pub(crate) struct InProcess {
    reconciliation: Arc<Reconciliation>,
    /// The names of the runs that this process has started.
    started: Mutex<HashSet<String>>,
}

impl InProcess {
    pub(crate) fn new(reconciliation: Arc<Reconciliation>) -> Self {
        Self { reconciliation, started: Mutex::default() }
    }
}

#[async_trait]
impl RunStarter for InProcess {
    async fn start(&self, name: &str, dry_run: bool) -> Result<(), StartError> {
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        if started.insert(name.to_owned()) {
            tokio::spawn(run(self.reconciliation.clone(), dry_run));
        }
        Ok(())
    }
}

/// Runs slices until one says that it was the last, or fails, which it logs itself.
async fn run(reconciliation: Arc<Reconciliation>, dry_run: bool) {
    loop {
        let slice = match dry_run {
            true => reconciliation.dry_slice().await,
            false => reconciliation.slice().await,
        };
        if slice.map_or(true, |report| report.finished) {
            return;
        }
    }
}
