//! What pages for people are made of, in as few reads of the table as it takes.
//!
//! A read is one page of an index, asked under all of its partition keys at the same time, or one batch of
//! up to a hundred items by their keys. Its cost doesn't grow with the number of subscriptions.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_trait::async_trait;
use jiff::Timestamp;

use super::{
    Checkpoint, Cursor, Entry, Examination, FirstStart, ListQuery, Page, Pause, ReceiverState,
    StoreError, Target,
};
use crate::domain::{Annotations, Event, Record, SubscriptionId};

/// An item that is read with others in one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    Record(SubscriptionId),
    Annotations(SubscriptionId),
    Cursor(SubscriptionId, Target),
    Receiver(Target),
    Checkpoint,
    DryRun,
    Pause,
    FirstStart,
    /// The last one.
    Examination,
}

/// The items of a batch that there are.
#[derive(Debug, Default)]
pub struct Found {
    pub records: HashMap<SubscriptionId, Result<Record, StoreError>>,
    pub annotations: HashMap<SubscriptionId, Result<Annotations, StoreError>>,
    pub cursors: HashMap<(SubscriptionId, Target), Result<Cursor, StoreError>>,
    pub receivers: BTreeMap<Target, Result<ReceiverState, StoreError>>,
    pub checkpoint: Option<Result<Checkpoint, StoreError>>,
    pub dry_run: Option<Result<Checkpoint, StoreError>>,
    pub pause: Option<Result<Pause, StoreError>>,
    pub first_start: Option<Result<FirstStart, StoreError>>,
    pub examination: Option<Result<Examination, StoreError>>,
}

/// Deliveries that a receiver has not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undelivered {
    /// They are sent by themselves. What is sent next comes first.
    Waiting,
    /// They are sent on request alone. What was parked first comes first.
    Parked,
}

/// What is to be done about subscriptions, from one read.
#[derive(Clone, Debug, Default)]
pub struct Agenda {
    /// The records whose [work](Record::work_due) is due, the oldest first.
    pub work: Vec<SubscriptionId>,
    pub has_more_work: bool,
    /// The parked deliveries, the oldest first.
    pub parked: Vec<Entry>,
    pub has_more_parked: bool,
}

/// The table, as pages for people see it.
///
/// What is read by its key MUST be consistent. Lists may lag, and name keys alone: a caller MUST read the
/// items themselves.
#[async_trait]
pub trait Overview: Send + Sync {
    /// Reads all of them, in one batch for each hundred. An item that can't be read MUST fail alone.
    async fn look_up(&self, wanted: &BTreeSet<Wanted>) -> Result<Found, StoreError>;

    /// The subscriptions of a page of [`Store::list`](super::Store::list), without their records. Some may
    /// not meet the filter.
    async fn list_ids(
        &self,
        query: &ListQuery,
        next: Option<&str>,
    ) -> Result<Page<SubscriptionId>, StoreError>;

    /// Of each list, at most so many entries that are due by then.
    async fn agenda(&self, by: Timestamp, limit: u8) -> Result<Agenda, StoreError>;

    /// A page of deliveries; `next` as the previous page gave it.
    async fn undelivered(
        &self,
        which: Undelivered,
        limit: u8,
        next: Option<&str>,
    ) -> Result<Page<Entry>, StoreError>;

    /// A page of a subscription's events, the latest first, from this version back; `next` is the version
    /// from which the next page goes back. No page splits a version.
    async fn last_events(
        &self,
        id: SubscriptionId,
        until_version: u64,
    ) -> Result<Page<Event>, StoreError>;
}
