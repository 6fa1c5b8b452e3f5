//! The port of what pages for people are made of.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;
use shared::domain::{Event, SubscriptionId};
use shared::store::{
    Agenda, AnnotationStore, Checkpoint, Checkpoints, Cursor, DueWork, Entry, Examinations, Found,
    ListQuery, Outbox, Overview, Page, Receivers, Runs, Store, StoreError, Undelivered, Wanted,
};

use crate::memory_store::{EVENT_PAGE, MemoryStore};
use crate::outbox::page;

#[async_trait]
impl Overview for MemoryStore {
    async fn look_up(&self, wanted: &BTreeSet<Wanted>) -> Result<Found, StoreError> {
        let mut found = Found::default();
        let stored = |checkpoint: Checkpoint| {
            (checkpoint != Checkpoint::default()).then_some(Ok(checkpoint))
        };
        for wanted in wanted {
            match *wanted {
                Wanted::Record(id) => {
                    found.records.extend(self.record(id).map(|record| (id, Ok(record))));
                }
                Wanted::Annotations(id) => {
                    let noted = self.annotations(id).await?;
                    found.annotations.extend(noted.map(|noted| (id, Ok(noted))));
                }
                Wanted::Cursor(id, target) => {
                    let cursor = self.cursor(id, target).await?;
                    if cursor != Cursor::default() {
                        found.cursors.insert((id, target), Ok(cursor));
                    }
                }
                Wanted::Receiver(target) => {
                    let state = self.receivers().await?.remove(&target);
                    found.receivers.extend(state.map(|state| (target, Ok(state))));
                }
                Wanted::Checkpoint => found.checkpoint = stored(self.checkpoint().await?),
                Wanted::DryRun => found.dry_run = stored(self.dry_run().await?),
                Wanted::Pause => found.pause = self.pause().await?.map(Ok),
                Wanted::FirstStart => found.first_start = self.first_start().await?.map(Ok),
                Wanted::Examination => {
                    found.examination = self.last_examination().await?.map(Ok);
                }
            }
        }
        Ok(found)
    }

    async fn list_ids(
        &self,
        query: &ListQuery,
        next: Option<&str>,
    ) -> Result<Page<SubscriptionId>, StoreError> {
        let Page { items, next } = self.list(query, next).await?;
        Ok(Page { items: items.iter().map(|record| record.id()).collect(), next })
    }

    async fn agenda(&self, by: Timestamp, limit: u8) -> Result<Agenda, StoreError> {
        let Page { items, next } = self.work(by, None).await?;
        let mut work: Vec<_> = items.into_iter().map(|due| due.id).collect();
        let has_more_work = next.is_some() || work.len() > limit.into();
        work.truncate(limit.into());
        let mut parked = self.outbox(|outbox| outbox.undelivered(true));
        parked.retain(|entry| entry.since.as_second() <= by.as_second());
        let has_more_parked = parked.len() > limit.into();
        parked.truncate(limit.into());
        Ok(Agenda { work, has_more_work, parked, has_more_parked })
    }

    async fn undelivered(
        &self,
        which: Undelivered,
        limit: u8,
        next: Option<&str>,
    ) -> Result<Page<Entry>, StoreError> {
        let is_parked = which == Undelivered::Parked;
        page(self.outbox(|outbox| outbox.undelivered(is_parked)), limit.into(), next)
    }

    /// Never splits the events of one version.
    async fn last_events(
        &self,
        id: SubscriptionId,
        until_version: u64,
    ) -> Result<Page<Event>, StoreError> {
        let mut items = self.history(id, 0);
        items.retain(|event| event.version <= until_version);
        items.reverse();
        let mut next = None;
        if items.len() > EVENT_PAGE {
            let first = items[EVENT_PAGE - 1].version;
            items.retain(|event| event.version > first);
            next = Some(first.to_string());
        }
        Ok(Page { items, next })
    }
}
