//! The items beside records and their delivery.

use std::collections::{BTreeMap, HashSet};

use async_trait::async_trait;
use jiff::Timestamp;
use shared::domain::{Annotations, Event, SubscriptionId};
use shared::store::{
    AnnotationStore, Attempt, Attempts, Checkpoint, CheckpointError, Checkpoints, CommitError,
    DueRecord, DueWork, Examination, Examinations, FirstStart, Inspection, OfferSettings, Page,
    Pause, ReceiverState, Receivers, Refusals, Refused, Run, Runs, SaveError, Sighting, Sightings,
    StoreError, StoredOffers, Target,
};

use super::{SimulatedStore, note_filters, ready};

#[async_trait]
impl Checkpoints for SimulatedStore {
    async fn checkpoint(&self) -> Result<Checkpoint, StoreError> {
        self.call("checkpoint", self.table.checkpoint()).await?
    }

    async fn save_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        let saved = self.call("save checkpoint", self.table.save_checkpoint(checkpoint)).await?;
        if matches!(saved, Err(CheckpointError::Conflict)) {
            self.io.count("refused: checkpoint moved");
        }
        saved
    }

    async fn first_start(&self) -> Result<Option<FirstStart>, StoreError> {
        self.call("first start", self.table.first_start()).await?
    }

    async fn save_first_start(&self, first: &FirstStart) -> Result<(), CommitError> {
        self.call("save first start", self.table.save_first_start(first)).await?
    }

    async fn note_compared(
        &self,
        ids: &[SubscriptionId],
        begun_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.call("note compared", self.table.note_compared(ids, begun_at)).await?
    }

    async fn compared(
        &self,
        ids: &[SubscriptionId],
        begun_at: Timestamp,
    ) -> Result<HashSet<SubscriptionId>, StoreError> {
        self.call("compared", self.table.compared(ids, begun_at)).await?
    }
}

#[async_trait]
impl AnnotationStore for SimulatedStore {
    async fn annotations(&self, id: SubscriptionId) -> Result<Option<Annotations>, StoreError> {
        self.call("annotations", self.table.annotations(id)).await?
    }

    async fn save_annotations(
        &self,
        id: SubscriptionId,
        annotations: &Annotations,
    ) -> Result<(), SaveError> {
        let saved = self.table.save_annotations(id, annotations);
        let saved = self.call("save annotations", saved).await?;
        match &saved {
            Ok(()) => self.io.count("annotated"),
            Err(SaveError::Conflict) => self.io.count("refused: annotations changed"),
            Err(SaveError::Store(_)) => {}
        }
        saved
    }
}

/// No effect: a failing write of an attempt changes no delivery.
#[async_trait]
impl Attempts for SimulatedStore {
    async fn save_attempt(&self, id: SubscriptionId, attempt: &Attempt) -> Result<(), StoreError> {
        self.io.count("attempt kept");
        self.table.save_attempt(id, attempt).await
    }

    async fn attempts(
        &self,
        id: SubscriptionId,
        limit: u8,
        next: Option<&str>,
    ) -> Result<Page<Attempt>, StoreError> {
        self.table.attempts(id, limit, next).await
    }
}

#[async_trait]
impl DueWork for SimulatedStore {
    async fn work(&self, by: Timestamp, next: Option<&str>) -> Result<Page<DueRecord>, StoreError> {
        self.call("due work", self.table.work(by, next)).await?
    }

    async fn ended(
        &self,
        by: Timestamp,
        next: Option<&str>,
    ) -> Result<Page<SubscriptionId>, StoreError> {
        self.call("ended", self.table.ended(by, next)).await?
    }
}

/// No effect: a failing memory of refusals changes no answer.
#[async_trait]
impl Refusals for SimulatedStore {
    async fn is_refused(&self, refused: &Refused, now: Timestamp) -> Result<bool, StoreError> {
        self.table.is_refused(refused, now).await
    }

    async fn remember(&self, refused: &Refused, now: Timestamp) -> Result<(), StoreError> {
        self.io.count("refusal remembered");
        self.table.remember(refused, now).await
    }
}

#[async_trait]
impl Sightings for SimulatedStore {
    async fn note(&self, sighting: &Sighting, at: Timestamp) -> Result<(), StoreError> {
        self.call("note", self.table.note(sighting, at)).await?
    }

    /// No effect: no seed examines the deployment.
    async fn sightings(&self) -> Result<Vec<(Sighting, Timestamp)>, StoreError> {
        Sightings::sightings(&self.table).await
    }
}

#[async_trait]
impl Runs for SimulatedStore {
    async fn save_run(&self, run: &Run) -> Result<(), StoreError> {
        self.call("save run", self.table.save_run(run)).await?
    }

    async fn runs(&self, limit: u8, next: Option<&str>) -> Result<Page<Run>, StoreError> {
        self.call("runs", self.table.runs(limit, next)).await?
    }

    async fn pause(&self) -> Result<Option<Pause>, StoreError> {
        self.call("pause", self.table.pause()).await?
    }

    async fn save_pause(&self, pause: Option<&Pause>) -> Result<(), StoreError> {
        self.call("save pause", self.table.save_pause(pause)).await?
    }

    async fn dry_run(&self) -> Result<Checkpoint, StoreError> {
        self.call("dry run", self.table.dry_run()).await?
    }

    async fn save_dry_run(&self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        self.call("save dry run", self.table.save_dry_run(checkpoint)).await?
    }
}

#[async_trait]
impl Receivers for SimulatedStore {
    async fn receivers(&self) -> Result<BTreeMap<Target, ReceiverState>, StoreError> {
        self.call("receivers", self.table.receivers()).await?
    }

    async fn save_receiver(&self, target: Target, state: &ReceiverState) -> Result<(), SaveError> {
        if state.paused.is_some() {
            self.io.count("a paused receiver written");
        }
        let save = || {
            let saved = ready(self.table.save_receiver(target, state));
            if saved.is_ok() {
                note_filters(&self.io, &self.table, target, state);
            }
            saved
        };
        self.effect(|| "table: save receiver".to_owned(), save).await?
    }

    async fn delete_receiver(&self, target: Target, revision: u64) -> Result<(), SaveError> {
        self.call("delete receiver", self.table.delete_receiver(target, revision)).await?
    }
}

#[async_trait]
impl OfferSettings for SimulatedStore {
    /// No effect: nobody here saves any, and a page without them is the same page.
    async fn offers(&self) -> Result<StoredOffers, StoreError> {
        self.table.offers().await
    }

    async fn save_offers(&self, offers: &StoredOffers) -> Result<(), SaveError> {
        self.table.save_offers(offers).await
    }
}

/// No effects: no seed examines the deployment.
#[async_trait]
impl Examinations for SimulatedStore {
    async fn last_examination(&self) -> Result<Option<Examination>, StoreError> {
        self.table.last_examination().await
    }

    async fn save_examination(&self, examination: &Examination) -> Result<(), StoreError> {
        self.table.save_examination(examination).await
    }
}

/// No effects: no seed examines the deployment.
#[async_trait]
impl Inspection for SimulatedStore {
    async fn indexes(&self) -> Vec<(&'static str, Result<(), StoreError>)> {
        self.table.indexes().await
    }

    async fn record_test(&self, event: &Event) -> Result<(), StoreError> {
        self.table.record_test(event).await
    }
}
