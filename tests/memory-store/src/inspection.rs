//! The ports of an examination.

use async_trait::async_trait;
use jiff::Timestamp;
use shared::domain::Event;
use shared::store::{Inspection, Sighting, Sightings, StoreError};

use crate::memory_store::MemoryStore;

#[async_trait]
impl Sightings for MemoryStore {
    async fn note(&self, sighting: &Sighting, at: Timestamp) -> Result<(), StoreError> {
        self.sightings(|seen| seen.insert(sighting.clone(), at));
        Ok(())
    }

    async fn sightings(&self) -> Result<Vec<(Sighting, Timestamp)>, StoreError> {
        Ok(MemoryStore::sightings(self, |seen| {
            seen.iter().map(|(sighting, at)| (sighting.clone(), *at)).collect()
        }))
    }
}

#[async_trait]
impl Inspection for MemoryStore {
    /// It has no index.
    async fn indexes(&self) -> Vec<(&'static str, Result<(), StoreError>)> {
        Vec::new()
    }

    async fn record_test(&self, event: &Event) -> Result<(), StoreError> {
        self.record_event(event);
        Ok(())
    }
}
