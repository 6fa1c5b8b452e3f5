//! The port of erasures.

use async_trait::async_trait;
use jiff::Timestamp;
use shared::domain::{Event, SubscriptionId};
use shared::store::{Erasure, Erasures, Page, StoreError};

use crate::memory_store::MemoryStore;

/// Entries per page, as in the DynamoDB store.
const PAGE: usize = 100;

/// The page of these entries that begins at a place.
fn page<T>(all: Vec<T>, next: Option<&str>) -> Result<Page<T>, StoreError> {
    let from: usize = next.map_or(Ok(0), str::parse).map_err(|_| StoreError::BadPosition)?;
    let end = from.saturating_add(PAGE);
    let next = (all.len() > end).then(|| end.to_string());
    Ok(Page { items: all.into_iter().skip(from).take(PAGE).collect(), next })
}

impl MemoryStore {
    /// Replaces the event at its position.
    pub fn rewrite_event(&self, event: &Event) {
        let is_it = |stored: &Event| stored.position() == event.position();
        self.rewrite_events(event.subscription_id, |stored| {
            if is_it(stored) { event.clone() } else { stored.clone() }
        });
    }
}

#[async_trait]
impl Erasures for MemoryStore {
    async fn has_pending_events(&self, id: SubscriptionId) -> Result<bool, StoreError> {
        Ok(self.outbox(|outbox| outbox.has_pending(id)))
    }

    async fn list_erasure(&self, erasure: &Erasure) -> Result<(), StoreError> {
        self.erased(|list| list.insert(erasure.subscription, erasure.erased_at));
        Ok(())
    }

    async fn erase_events(&self, id: SubscriptionId) -> Result<(), StoreError> {
        self.rewrite_events(id, |event| event.without_people());
        Ok(())
    }

    async fn erase_attempts(&self, id: SubscriptionId) -> Result<(), StoreError> {
        self.all_attempts(|all| {
            for (_, attempt) in all.iter_mut().filter(|((owner, _, _), _)| *owner == id) {
                *attempt = attempt.without_text();
            }
        });
        Ok(())
    }

    async fn erasures(&self, next: Option<&str>) -> Result<Page<Erasure>, StoreError> {
        let entry =
            |(id, at): (&SubscriptionId, &Timestamp)| Erasure { subscription: *id, erased_at: *at };
        page(self.erased(|list| list.iter().map(entry).collect()), next)
    }
}
