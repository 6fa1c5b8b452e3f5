//! The port of what is due about records.

use async_trait::async_trait;
use jiff::Timestamp;
use shared::domain::{Record, SubscriptionId};
use shared::store::{DueRecord, DueWork, Page, StoreError};

use crate::memory_store::MemoryStore;

/// Entries per page, as in the DynamoDB store.
const PAGE: usize = 100;

/// When an entry is due, in whole seconds, and its subscription.
type Place = (i64, SubscriptionId);

fn position((at, id): Place) -> String {
    format!("{at} {id}")
}

fn parse(position: &str) -> Result<Place, StoreError> {
    let place = || {
        let (at, id) = position.split_once(' ')?;
        Some((at.parse().ok()?, id.parse().ok()?))
    };
    place().ok_or(StoreError::BadPosition)
}

impl MemoryStore {
    fn due(
        &self,
        by: Timestamp,
        next: Option<&str>,
        due_at: impl Fn(&Record) -> Option<Timestamp>,
    ) -> Result<Page<Place>, StoreError> {
        let after = next.map(parse).transpose()?;
        let mut all: Vec<Place> = self.records(|records| {
            let due = |record: &Record| Some((due_at(record)?.as_second(), record.id()));
            records.values().filter_map(due).collect()
        });
        all.retain(|place| place.0 <= by.as_second() && after.is_none_or(|after| *place > after));
        all.sort_unstable();
        let more = all.len() > PAGE;
        all.truncate(PAGE);
        let next = all.last().filter(|_| more).copied().map(position);
        Ok(Page { items: all, next })
    }
}

#[async_trait]
impl DueWork for MemoryStore {
    async fn work(&self, by: Timestamp, next: Option<&str>) -> Result<Page<DueRecord>, StoreError> {
        let Page { items, next } = self.due(by, next, Record::work_due)?;
        let record = |place: Place| DueRecord { id: place.1, place: position(place) };
        Ok(Page { items: items.into_iter().map(record).collect(), next })
    }

    async fn ended(
        &self,
        by: Timestamp,
        next: Option<&str>,
    ) -> Result<Page<SubscriptionId>, StoreError> {
        let is_idle = |record: &Record| !record.is_erased() && record.work_due().is_none();
        let ended = |record: &Record| record.ended_at().filter(|_| is_idle(record));
        let Page { items, next } = self.due(by, next, ended)?;
        Ok(Page { items: items.into_iter().map(|(_, id)| id).collect(), next })
    }
}
