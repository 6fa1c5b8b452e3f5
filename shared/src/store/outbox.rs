//! Which events have reached the publisher's product.
//!
//! The events stay in the table, so the outbox itself is small: a [`Cursor`] per subscription and
//! target, and a mark on each event that was recorded and not looked at yet.
//!
//! **Invariant:** every event is marked as pending, or is covered by a cursor: delivered up to it,
//! or behind a cursor that is `Due` or `Parked`. An event that [is not
//! announced](crate::domain::EventKind::is_announced) is never pending: it counts as delivered.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Page, ROLLOUT, ReceiverState, StoreError, Target};
use crate::domain::{Event, Position, SubscriptionId};

/// How far a target has received a subscription's events. Serialised in the table: members are only
/// added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cursor {
    /// Grows by one each time it is saved. Concurrent deliveries are detected by it.
    pub revision: u64,
    /// The last event that the target received, or that counts as delivered.
    pub delivered: Position,
    pub state: CursorState,
    /// When the receiver was added; `None` for one without a name of its own. A cursor of another time
    /// belongs to an earlier receiver of the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiver_added_at: Option<Timestamp>,
    /// When a delivery saved it; `None` for a receiver without a name of its own. One that flows is kept as
    /// long after that as the events that it covers: it may have been left by a receiver that was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved_at: Option<Timestamp>,
}

impl Cursor {
    /// As the receiver sees it that was added then: a cursor of an earlier receiver of its name is as none.
    #[must_use]
    pub fn of_receiver(&self, added_at: Option<Timestamp>) -> Self {
        if self.receiver_added_at == added_at {
            return self.clone();
        }
        Self { revision: self.revision, receiver_added_at: added_at, ..Self::default() }
    }
}

/// What we know about the events after a cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum CursorState {
    /// There are none, or they are marked as pending.
    #[default]
    Flowing,
    /// There are some. The next attempt is at this time.
    Due {
        at: Timestamp,
        /// The failures so far; `None` after a success, or after a request to send them again.
        trouble: Option<Trouble>,
    },
    /// There are some, and they wait for a request to send them again: the target has failed for
    /// too long.
    Parked { at: Timestamp, trouble: Trouble },
}

/// Failures in a row. Serialised in the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trouble {
    /// When the first one was.
    pub since: Timestamp,
    pub attempts: u32,
    /// The last one, in words. Never holds the request or the answer.
    pub last: String,
}

/// The next undelivered events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// In order.
    pub events: Vec<Event>,
    pub more: bool,
}

/// An item of the outbox index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// The events of this version are marked as pending.
    Pending(SubscriptionId, u64),
    /// A cursor's time has come.
    Cursor(SubscriptionId, Target),
}

impl Due {
    pub fn subscription(&self) -> SubscriptionId {
        match self {
            Self::Pending(id, _) | Self::Cursor(id, _) => *id,
        }
    }
}

/// An entry of the outbox index, and how long it is in there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub due: Due,
    /// When the event was recorded; or the first of the target's failures in a row; or, without a failure,
    /// when the cursor is due.
    pub since: Timestamp,
    /// Whether it waits for a request to send its events again.
    pub is_parked: bool,
}

impl Entry {
    /// Whether an earlier receiver of the name has left it: it was parked before this one was added, or so
    /// soon after that this one can't have failed for long enough. One that waits is not asked: the delivery
    /// reads it when it is due.
    pub fn is_left_behind(&self, state: Option<&ReceiverState>) -> bool {
        let added_at = state.and_then(|state| state.added_at);
        self.is_parked && added_at.is_some_and(|added_at| self.since < added_at + ROLLOUT)
    }
}

/// How much waits for the publisher's product.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Subscriptions with events that are not accepted yet and are sent by themselves.
    pub subscriptions: u64,
    /// How many of them wait for a target.
    pub by_target: BTreeMap<Target, u64>,
    /// Since when the first of them waits.
    pub oldest: Option<Timestamp>,
    /// Subscriptions with events that are parked at a target.
    pub parked: u64,
    /// Cursors of named endpoints that were removed: waiting and parked ones of names that are not among the
    /// targets, and parked ones of names that were added again since. A part of them, if there are many.
    pub strays: BTreeSet<(SubscriptionId, Target)>,
    /// Whether all were counted. If not, there are at least as many, and the oldest may be older.
    pub is_complete: bool,
}

impl Waiting {
    /// How many strays are named at a time. Each costs two round trips.
    const STRAYS: usize = 200;

    /// Counts entries, each subscription once. Cursors of other targets don't count: nobody sends to them.
    /// What waits for a paused target counts in `by_target` alone.
    pub fn count(
        entries: impl IntoIterator<Item = Entry>,
        targets: &[Target],
        states: &BTreeMap<Target, ReceiverState>,
        is_complete: bool,
    ) -> Self {
        let (mut waiting, mut parked) = (BTreeSet::new(), BTreeSet::new());
        let mut counted = Self { is_complete, ..Self::default() };
        for entry in entries {
            let Entry { due, since, is_parked } = entry;
            let target = match due {
                Due::Pending(..) => None,
                Due::Cursor(_, target)
                    if targets.contains(&target) && !entry.is_left_behind(states.get(&target)) =>
                {
                    Some(target)
                }
                Due::Cursor(id, target @ Target::Named(_)) => {
                    if counted.strays.len() < Self::STRAYS {
                        counted.strays.insert((id, target));
                    }
                    continue;
                }
                Due::Cursor(_, Target::Endpoint | Target::EventBus) => continue,
            };
            if is_parked {
                parked.insert(due.subscription());
                continue;
            }
            if let Some(target) = target {
                *counted.by_target.entry(target).or_default() += 1;
                if states.get(&target).is_some_and(|state| state.paused.is_some()) {
                    continue;
                }
            }
            waiting.insert(due.subscription());
            counted.oldest = Some(counted.oldest.map_or(since, |oldest| oldest.min(since)));
        }
        counted.subscriptions = waiting.len() as u64;
        counted.parked = parked.len() as u64;
        counted
    }

    /// For how many seconds the first subscription has waited; 0 if none waits.
    pub fn oldest_seconds(&self, now: Timestamp) -> u64 {
        let waited = self.oldest.map_or(0, |oldest| now.duration_since(oldest).as_secs());
        u64::try_from(waited).unwrap_or(0)
    }
}

/// Why a cursor was not saved.
#[derive(Debug, Error)]
pub enum CursorError {
    /// Another delivery saved that revision.
    #[error("another delivery moved the cursor")]
    Conflict,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The table, as the delivery sees it.
///
/// Every read of a cursor or of events MUST be consistent. The lists of due and parked items may
/// lag, and may hold items that are no longer due.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// The default where there is none yet.
    async fn cursor(&self, id: SubscriptionId, target: Target) -> Result<Cursor, StoreError>;

    /// The receivers that a subscription has cursors of, also those that are no longer configured.
    async fn cursors(&self, id: SubscriptionId) -> Result<Vec<Target>, StoreError>;

    /// MUST return [`CursorError::Conflict`] if the saved one's revision isn't one below.
    async fn save_cursor(
        &self,
        id: SubscriptionId,
        target: Target,
        cursor: &Cursor,
    ) -> Result<(), CursorError>;

    /// MUST return [`CursorError::Conflict`] if the saved one's revision isn't this one.
    async fn delete_cursor(
        &self,
        id: SubscriptionId,
        target: Target,
        revision: u64,
    ) -> Result<(), CursorError>;

    async fn backlog(&self, id: SubscriptionId, after: Position) -> Result<Backlog, StoreError>;

    /// Removes the pending mark from the events of these versions: a cursor covers them.
    async fn settle(&self, id: SubscriptionId, versions: &BTreeSet<u64>) -> Result<(), StoreError>;

    /// A page of the items that are due by then, the oldest first; `next` as the previous page gave
    /// it.
    async fn due(&self, by: Timestamp, next: Option<&str>) -> Result<Page<Due>, StoreError>;

    /// A page of the parked cursors; `next` likewise.
    async fn parked(
        &self,
        next: Option<&str>,
    ) -> Result<Page<(SubscriptionId, Target)>, StoreError>;

    /// Counts what waits for these targets, due or not. Cheap enough for every minute, so it MAY count only
    /// the entries that are due first, and MUST then say that it is not complete.
    /// `states` is what the table knows about the receivers.
    async fn waiting(
        &self,
        targets: &[Target],
        states: &BTreeMap<Target, ReceiverState>,
    ) -> Result<Waiting, StoreError>;
}
