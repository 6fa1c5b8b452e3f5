//! What pages for people are made of.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;
use shared::domain::{Event, SubscriptionId};
use shared::store::{
    Agenda, Entry, Found, ListQuery, Overview, Page, StoreError, Undelivered, Wanted,
};

use super::SimulatedStore;

#[async_trait]
impl Overview for SimulatedStore {
    async fn look_up(&self, wanted: &BTreeSet<Wanted>) -> Result<Found, StoreError> {
        self.call("look up", self.table.look_up(wanted)).await?
    }

    async fn list_ids(
        &self,
        query: &ListQuery,
        next: Option<&str>,
    ) -> Result<Page<SubscriptionId>, StoreError> {
        self.call("list ids", self.table.list_ids(query, next)).await?
    }

    async fn agenda(&self, by: Timestamp, limit: u8) -> Result<Agenda, StoreError> {
        self.call("agenda", self.table.agenda(by, limit)).await?
    }

    async fn undelivered(
        &self,
        which: Undelivered,
        limit: u8,
        next: Option<&str>,
    ) -> Result<Page<Entry>, StoreError> {
        self.call("undelivered", self.table.undelivered(which, limit, next)).await?
    }

    async fn last_events(
        &self,
        id: SubscriptionId,
        until_version: u64,
    ) -> Result<Page<Event>, StoreError> {
        self.call("last events", self.table.last_events(id, until_version)).await?
    }
}
