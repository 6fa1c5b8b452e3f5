//! The port of the reconciliation's runs.

use async_trait::async_trait;
use jiff::Timestamp;
use shared::store::{Checkpoint, Page, Pause, Run, Runs, StoreError};

use crate::memory_store::MemoryStore;

/// A position: when the last run of the page before began, and whether it was a dry run.
fn position(text: &str) -> Option<(Timestamp, bool)> {
    match text.strip_suffix("#dry") {
        Some(begun) => Some((begun.parse().ok()?, true)),
        None => Some((text.parse().ok()?, false)),
    }
}

#[async_trait]
impl Runs for MemoryStore {
    async fn save_run(&self, run: &Run) -> Result<(), StoreError> {
        self.run_table(|table| table.runs.insert((run.begun_at, run.dry_run), run.clone()));
        Ok(())
    }

    async fn runs(&self, limit: u8, next: Option<&str>) -> Result<Page<Run>, StoreError> {
        let before = next.map(|next| position(next).ok_or(StoreError::BadPosition)).transpose()?;
        Ok(self.run_table(|table| {
            let runs = table.runs.iter().rev();
            let mut rest = runs.filter(|(key, _)| before.is_none_or(|before| **key < before));
            let items: Vec<_> =
                rest.by_ref().take(limit.into()).map(|(_, run)| run.clone()).collect();
            let last = items.last().filter(|_| rest.next().is_some());
            let next = last
                .map(|run| format!("{}{}", run.begun_at, if run.dry_run { "#dry" } else { "" }));
            Page { items, next }
        }))
    }

    async fn pause(&self) -> Result<Option<Pause>, StoreError> {
        Ok(self.run_table(|table| table.pause.clone()))
    }

    async fn save_pause(&self, pause: Option<&Pause>) -> Result<(), StoreError> {
        self.run_table(|table| table.pause = pause.cloned());
        Ok(())
    }

    async fn dry_run(&self) -> Result<Checkpoint, StoreError> {
        Ok(self.run_table(|table| table.dry_run.clone()))
    }

    async fn save_dry_run(&self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        self.run_table(|table| table.dry_run = checkpoint.clone());
        Ok(())
    }
}
