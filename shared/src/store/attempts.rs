//! Attempts to deliver an event that a receiver did not accept; of test events, also those that it accepted.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Page, StoreError};
use crate::domain::SubscriptionId;

/// One attempt to deliver an event to a receiver. Serialised in the table and in answers of the API: members
/// are only added.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// When it began.
    pub at: Timestamp,
    /// The receiver's name.
    pub receiver: String,
    pub event_id: String,
    /// The event's `type`, as the receiver sees it.
    pub event_type: String,
    /// The HTTP status; `None` without an answer, and at an event bus.
    pub status: Option<u16>,
    /// Until the answer's head was here, or until it was clear that there is none.
    pub latency_ms: u64,
    /// Why the receiver did not accept the event, in our words; `None` if it did.
    pub reason: Option<String>,
    /// The class of that failure.
    pub class: Option<String>,
    /// The beginning of the answer's text. It may name people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// What was sent, of a test event alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<SentRequest>,
}

/// A request with an event. Serialised as its [`Attempt`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentRequest {
    /// Those that belong to the event and its signature; none at an event bus.
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Attempt {
    /// The same without what a receiver wrote and was sent.
    #[must_use]
    pub fn without_text(&self) -> Self {
        Self { answer: None, request: None, ..self.clone() }
    }
}

/// Shows nothing of it.
impl fmt::Debug for SentRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentRequest").finish_non_exhaustive()
    }
}

/// Shows nothing that a receiver wrote or was sent.
impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("at", &self.at)
            .field("receiver", &self.receiver)
            .field("event_id", &self.event_id)
            .field("event_type", &self.event_type)
            .field("status", &self.status)
            .field("latency_ms", &self.latency_ms)
            .field("reason", &self.reason)
            .field("class", &self.class)
            .finish_non_exhaustive()
    }
}

/// The table, as attempts are kept in it. [`Erasures`](super::Erasures) removes what they say about people.
#[async_trait]
pub trait Attempts: Send + Sync {
    /// Stores an attempt for thirty days. It replaces one of the same receiver that began at the same time.
    async fn save_attempt(&self, id: SubscriptionId, attempt: &Attempt) -> Result<(), StoreError>;

    /// A page of a subscription's attempts, the latest first; `next` as the previous page gave it. MUST be
    /// consistent.
    async fn attempts(
        &self,
        id: SubscriptionId,
        limit: u8,
        next: Option<&str>,
    ) -> Result<Page<Attempt>, StoreError>;
}
