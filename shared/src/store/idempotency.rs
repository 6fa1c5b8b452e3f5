//! Requests that carry an `Idempotency-Key`, and their responses.
//!
//! A request begins right before we ask Microsoft for a change that must not be requested twice
//! (F-ERR-2), and completes right after. In between, its outcome is unknown.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::StoreError;

/// How long a key is remembered. If callers retried for longer, Microsoft would be asked twice.
pub const IDEMPOTENCY_KEY_LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// A request under its key. Serialised in the table: members are only added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IdempotencyRecord {
    /// The request in one line. The same key with another line is another request.
    #[serde(rename = "asked")]
    pub request: String,
    pub begun_at: Timestamp,
    /// `None` while the outcome is unknown.
    #[serde(default, rename = "answer", skip_serializing_if = "Option::is_none")]
    pub response: Option<StoredResponse>,
}

/// The response that a repeated request gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredResponse {
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

#[derive(Debug, Error)]
pub enum BeginError {
    #[error("the key is taken")]
    Taken,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The table, as the publisher's API sees it beside [`Store`](super::Store).
///
/// A record that is older than [`IDEMPOTENCY_KEY_LIFETIME`] or was abandoned MUST count as absent,
/// even if it is still in the table.
#[async_trait]
pub trait IdempotencyStore: Send + Sync {
    /// The record under a key. MUST be consistent.
    async fn find(
        &self,
        key: &str,
        now: Timestamp,
    ) -> Result<Option<IdempotencyRecord>, StoreError>;

    /// Stores a request that is about to be carried out.
    ///
    /// MUST return [`BeginError::Taken`] if there is a record under the key.
    async fn begin(&self, key: &str, record: &IdempotencyRecord) -> Result<(), BeginError>;

    /// Stores the response.
    async fn complete(&self, key: &str, record: &IdempotencyRecord) -> Result<(), StoreError>;

    /// Frees the key: nothing was carried out.
    async fn abandon(&self, key: &str, record: &IdempotencyRecord) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// As written by version 0.1.0: the names are a contract with the table.
    #[test]
    fn an_idempotency_record_keeps_the_member_names_of_the_stored_format() {
        let stored = json!({
            "asked": "DELETE 6f1d5a2e-0c57-4d0a-9a53-3b8c1e7f0a11",
            "begunAt": "2026-03-10T12:00:00Z",
            "answer": { "status": 202, "headers": [["retry-after", "10"]], "body": "{}" },
        });
        let record: IdempotencyRecord = serde_json::from_value(stored.clone()).expect("a record");
        assert_eq!(record.response.as_ref().map(|response| response.status), Some(202));
        assert_eq!(serde_json::to_value(&record).expect("JSON"), stored);
    }
}
