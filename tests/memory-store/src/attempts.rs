//! The port of attempts.

use async_trait::async_trait;
use jiff::Timestamp;
use shared::domain::SubscriptionId;
use shared::store::{Attempt, Attempts, Page, StoreError};

use crate::memory_store::MemoryStore;

/// A position: when the last attempt of the page before began, and its receiver.
fn position(text: &str) -> Option<(Timestamp, String)> {
    let (at, receiver) = text.split_once('#')?;
    Some((at.parse().ok()?, receiver.to_owned()))
}

#[async_trait]
impl Attempts for MemoryStore {
    async fn save_attempt(&self, id: SubscriptionId, attempt: &Attempt) -> Result<(), StoreError> {
        let key = (id, attempt.at, attempt.receiver.clone());
        self.all_attempts(|all| all.insert(key, attempt.clone()));
        Ok(())
    }

    async fn attempts(
        &self,
        id: SubscriptionId,
        limit: u8,
        next: Option<&str>,
    ) -> Result<Page<Attempt>, StoreError> {
        let before = next.map(|next| position(next).ok_or(StoreError::BadPosition)).transpose()?;
        Ok(self.all_attempts(|all| {
            let mut rest = all.iter().rev().filter(|((owner, at, receiver), _)| {
                let is_before = before
                    .as_ref()
                    .is_none_or(|(last, name)| (*at, receiver.as_str()) < (*last, name.as_str()));
                *owner == id && is_before
            });
            let items: Vec<_> =
                rest.by_ref().take(limit.into()).map(|(_, attempt)| attempt.clone()).collect();
            let last = items.last().filter(|_| rest.next().is_some());
            let next = last.map(|attempt| format!("{}#{}", attempt.at, attempt.receiver));
            Page { items, next }
        }))
    }
}
