//! Requests with keys, in memory.

use async_trait::async_trait;
use jiff::Timestamp;
use shared::store::{KeepError, KeyedRequest, REQUEST_LIVES, Requests, StoreError};

use crate::store::{MemoryStore, SimulatedStore};

#[async_trait]
impl Requests for MemoryStore {
    async fn request(&self, key: &str, now: Timestamp) -> Result<Option<KeyedRequest>, StoreError> {
        Ok(self.requests(|requests| {
            let kept = requests.get(key).cloned();
            kept.filter(|kept| now.duration_since(kept.begun_at) < REQUEST_LIVES)
        }))
    }

    async fn keep_request(&self, key: &str, request: &KeyedRequest) -> Result<(), KeepError> {
        self.requests(|requests| {
            let lives = |kept: &&KeyedRequest| {
                request.begun_at.duration_since(kept.begun_at) < REQUEST_LIVES
            };
            if requests.get(key).as_ref().is_some_and(lives) {
                return Err(KeepError::Taken);
            }
            requests.insert(key.to_owned(), request.clone());
            Ok(())
        })
    }

    async fn answer_request(&self, key: &str, request: &KeyedRequest) -> Result<(), StoreError> {
        self.requests(|requests| drop(requests.insert(key.to_owned(), request.clone())));
        Ok(())
    }

    async fn release_request(&self, key: &str, _: &KeyedRequest) -> Result<(), StoreError> {
        self.requests(|requests| drop(requests.remove(key)));
        Ok(())
    }
}

#[async_trait]
impl Requests for SimulatedStore {
    async fn request(&self, key: &str, now: Timestamp) -> Result<Option<KeyedRequest>, StoreError> {
        self.at_once("request", self.table.request(key, now)).await?
    }

    async fn keep_request(&self, key: &str, request: &KeyedRequest) -> Result<(), KeepError> {
        self.at_once("keep request", self.table.keep_request(key, request)).await?
    }

    async fn answer_request(&self, key: &str, request: &KeyedRequest) -> Result<(), StoreError> {
        self.at_once("answer request", self.table.answer_request(key, request)).await?
    }

    async fn release_request(&self, key: &str, request: &KeyedRequest) -> Result<(), StoreError> {
        self.at_once("release request", self.table.release_request(key, request)).await?
    }
}
