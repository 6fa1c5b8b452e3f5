//! What of the events has reached the publisher's product, and what has not.
//!
//! The events are in the table and stay there, so what is kept beside them is small: a [`Cursor`] per
//! subscription and target, and a sign on every event that nobody has taken note of yet. An event is
//! never without both: it bears the sign, or lies before or at the place of a cursor, or after a
//! cursor that says that there is more.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Page, StoreError};
use crate::domain::{Event, Position, SubscriptionId};

/// An event that was just recorded is the table's stream to tell of; this much later whoever sweeps
/// looks after it. Shorter, and both carry it; longer, and an event that the stream lost is late.
pub const LEFT_TO_THE_STREAM: SignedDuration = SignedDuration::from_secs(120);

/// Where events go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// The publisher's HTTPS endpoint.
    Endpoint,
    /// The publisher's EventBridge bus.
    EventBus,
}

impl Target {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Endpoint, Self::EventBus];

    /// Its name, in keys and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Endpoint => "endpoint",
            Self::EventBus => "event-bus",
        }
    }
}

/// How far a target has got with a subscription's events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cursor {
    /// Grows by one each time it is saved; the guard against others who carry the same events.
    pub revision: u64,
    /// The last event that was taken.
    pub delivered: Position,
    /// What is known of the events after it.
    pub state: CursorState,
}

/// What is known of the events after a cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum CursorState {
    /// None, or they bear their sign.
    #[default]
    Flowing,
    /// There are some, to be carried at this time.
    Due {
        /// When.
        at: Timestamp,
        /// Why they have not been carried yet; nothing after a success, or where somebody asked.
        trouble: Option<Trouble>,
    },
    /// There are some, and they are kept until somebody asks for them: the target has taken nothing
    /// for too long.
    Parked {
        /// Since when.
        at: Timestamp,
        /// Why.
        trouble: Trouble,
    },
}

/// Failures in a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trouble {
    /// When the first of them was.
    pub since: Timestamp,
    /// How many there were.
    pub attempts: u32,
    /// The last of them, in words. Never holds what was sent or answered.
    pub last: String,
}

/// A part of what is to be carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// The next events, in order.
    pub events: Vec<Event>,
    /// There are more.
    pub more: bool,
}

/// One thing that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// The events of this version bear their sign.
    Signed(SubscriptionId, u64),
    /// A cursor's time has come.
    Cursor(SubscriptionId, Target),
}

impl Due {
    /// Whose.
    pub fn subscription(&self) -> SubscriptionId {
        match self {
            Self::Signed(id, _) | Self::Cursor(id, _) => *id,
        }
    }
}

/// Why a cursor was not saved.
#[derive(Debug, Error)]
pub enum CursorError {
    /// Somebody else saved that revision of it.
    #[error("the cursor was moved by somebody else")]
    Conflict,
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The table as whoever carries events sees it.
///
/// Every read of a cursor or of events MUST be consistent. The lists of what is due or parked may
/// lag, and name something that isn't any more.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// A target's place in a subscription's events; the default where there is none yet.
    async fn cursor(&self, id: SubscriptionId, target: Target) -> Result<Cursor, StoreError>;

    /// Saves a cursor.
    ///
    /// MUST return [`CursorError::Conflict`] if the saved one's revision isn't one below.
    async fn save_cursor(
        &self,
        id: SubscriptionId,
        target: Target,
        cursor: &Cursor,
    ) -> Result<(), CursorError>;

    /// The next events after a place, in order.
    async fn backlog(&self, id: SubscriptionId, after: Position) -> Result<Backlog, StoreError>;

    /// Takes the sign off the events of these versions: they are delivered, or a cursor knows of
    /// them.
    async fn settle(&self, id: SubscriptionId, versions: &BTreeSet<u64>) -> Result<(), StoreError>;

    /// A page of what is due by then, the oldest first; `next` as the page before gave it.
    async fn due(&self, by: Timestamp, next: Option<&str>) -> Result<Page<Due>, StoreError>;

    /// A page of the cursors that are parked; `next` likewise.
    async fn parked(
        &self,
        next: Option<&str>,
    ) -> Result<Page<(SubscriptionId, Target)>, StoreError>;
}
