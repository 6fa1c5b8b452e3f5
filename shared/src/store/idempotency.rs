//! Requests that carry a key of their own (`Idempotency-Key`), and what they were answered.
//!
//! A request is kept right before Microsoft is asked for something that must not be asked for twice
//! (F-ERR-2), and its answer right after. Between the two, nobody knows what became of it.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::StoreError;

/// How long a key is good for. Shorter than callers go on repeating, and Microsoft is asked twice;
/// longer, and a key can't be used for anything else for no reason.
pub const REQUEST_LIVES: SignedDuration = SignedDuration::from_hours(24);

/// A request, as kept under its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyedRequest {
    /// What was asked for, in one line; the same key with another line is another request.
    pub asked: String,
    /// When it was kept, right before Microsoft was asked.
    pub begun_at: Timestamp,
    /// What it was answered; `None` while that isn't known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<KeptAnswer>,
}

/// An answer that is given again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptAnswer {
    /// HTTP status.
    pub status: u16,
    /// Headers, by name.
    pub headers: Vec<(String, String)>,
    /// The body's text.
    pub body: String,
}

/// Why a request was not kept.
#[derive(Debug, Error)]
pub enum KeepError {
    /// There is one under that key.
    #[error("the key is taken")]
    Taken,
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The table as whoever answers repeated requests sees it.
///
/// What is older than [`REQUEST_LIVES`], or was released, MUST count as not there, whether or not it
/// is still in the table.
#[async_trait]
pub trait Requests: Send + Sync {
    /// The request under a key. MUST be consistent.
    async fn request(&self, key: &str, now: Timestamp) -> Result<Option<KeyedRequest>, StoreError>;

    /// Keeps a request that is about to be carried out.
    ///
    /// MUST return [`KeepError::Taken`] if there is one under the key.
    async fn keep_request(&self, key: &str, request: &KeyedRequest) -> Result<(), KeepError>;

    /// Notes what a kept request was answered.
    async fn answer_request(&self, key: &str, request: &KeyedRequest) -> Result<(), StoreError>;

    /// Gives the key free: nothing was carried out.
    async fn release_request(&self, key: &str, request: &KeyedRequest) -> Result<(), StoreError>;
}
