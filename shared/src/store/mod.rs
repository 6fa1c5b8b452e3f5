//! The table: one record per subscription, the events that made it, the operations answered.
//!
//! | item | partition key | sort key | written |
//! |---|---|---|---|
//! | record | `SUB#<id>` | `RECORD` | if the version is the expected one |
//! | operation mark | `SUB#<id>` | `OP#<operation id>` | if there is none yet |
//! | event | `SUB#<id>` | `EVENT#<version>#<index>` | with its record |
//! | cursor | `SUB#<id>` | `DELIVERY#<target>` | if the revision is the expected one |
//! | request | `REQUEST#<key>` | `REQUEST` | if there is none, or only an expired one |
//! | checkpoint | `RUN` | `RECONCILIATION` | after each page of a list |

mod dynamodb;
mod item;
mod outbox;
mod requests;

use std::collections::HashMap;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use dynamodb::DynamoDbStore;
pub use outbox::{
    Backlog, Cursor, CursorError, CursorState, Due, LEFT_TO_THE_STREAM, Outbox, Target, Trouble,
};
pub use requests::{KeepError, KeptAnswer, KeyedRequest, REQUEST_LIVES, Requests};

use crate::domain::{Action, Change, Event, OperationId, Record, Status, SubscriptionId};
use crate::retry::Transient;

/// What was done about an operation; its presence makes a second delivery answer like the first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mark {
    /// The operation.
    pub operation_id: OperationId,
    /// What it was about.
    pub action: Action,
    /// How it ended for us.
    pub outcome: Outcome,
    /// When we answered.
    pub at: Timestamp,
}

/// How an operation ended for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// We accepted it, and Microsoft took our acknowledgement.
    Accepted,
    /// We rejected it.
    Rejected,
    /// It was settled when we looked: accepted by itself, or failed. Microsoft's state was adopted.
    Followed,
    /// A notice: Microsoft's state was adopted. Needs no mark, and gets none.
    Noticed,
}

/// What one decision writes, all of it or nothing.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// The record's next version and its events.
    pub change: Option<Change>,
    /// The operation that is answered by it.
    pub mark: Option<Mark>,
}

/// Why a commit was not made.
#[derive(Debug, Error)]
pub enum CommitError {
    /// Somebody else committed that version of the record.
    #[error("the record was changed by somebody else")]
    Conflict,
    /// Somebody else answered that operation.
    #[error("the operation was answered by somebody else")]
    AlreadyMarked,
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is wrong with the table.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Throttled, broken or silent; whether a write was made isn't known.
    #[error("the table is unavailable: {0}")]
    Unavailable(String),
    /// Not where a list can be gone on with.
    #[error("not a position in this list")]
    BadPosition,
    /// The table refused the request: it doesn't exist, or the role may not do this.
    #[error("the table refused the request: {0}")]
    Refused(String),
    /// An item is not as this program writes it.
    #[error("the item {key} can't be read: {reason}")]
    Corrupt {
        /// Its keys.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Transient for StoreError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable(_) => true,
            Self::BadPosition | Self::Refused(_) | Self::Corrupt { .. } => false,
        }
    }
}

/// Which records are listed.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those with this status.
    pub status: Option<Status>,
    /// Those of this offer.
    pub offer_id: Option<String>,
}

/// A part of a longer list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The part.
    pub items: Vec<T>,
    /// What to ask for the next part with; `None` at the end.
    pub next: Option<String>,
}

/// How far a run of the reconciliation has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Checkpoint {
    /// The continuation token of the page to go on with; `None` when the next run begins anew.
    pub next: Option<String>,
    /// Pages read in this run.
    pub pages: u64,
    /// A continuation token seen earlier in this run, to notice a list that runs in a circle
    /// (F-LST-8).
    pub landmark: Option<String>,
    /// Subscriptions compared in this run.
    pub examined: u64,
    /// Records brought up to date in this run.
    pub repaired: u64,
    /// Subscriptions that could not be dealt with in this run.
    pub failed: u64,
    /// How often in a row the list could not be gone on with from here.
    #[serde(default)]
    pub stuck: u32,
}

/// The table as the functions see it.
///
/// Every read MUST be consistent: it shows all that was committed before it began. The lists are
/// the exception; they may lag.
#[async_trait]
pub trait Store: Send + Sync {
    /// The record of a subscription.
    async fn load(&self, id: SubscriptionId) -> Result<Option<Record>, StoreError>;

    /// The record and an operation's mark, in one round trip.
    async fn load_with_mark(
        &self,
        id: SubscriptionId,
        operation: OperationId,
    ) -> Result<(Option<Record>, Option<Mark>), StoreError>;

    /// The records of many subscriptions; those without one are left out. A record that can't be
    /// read fails alone.
    async fn load_many(
        &self,
        ids: &[SubscriptionId],
    ) -> Result<HashMap<SubscriptionId, Result<Record, StoreError>>, StoreError>;

    /// Writes what one decision changes about a subscription, all of it or nothing.
    ///
    /// MUST return [`CommitError::Conflict`] if the record's version isn't one below the new one,
    /// and [`CommitError::AlreadyMarked`] if the operation has a mark.
    async fn commit(&self, id: SubscriptionId, commit: &Commit) -> Result<(), CommitError>;

    /// A page of records; `next` as the page before gave it. A record that can't be read is
    /// reported and left out.
    async fn list(&self, filter: &Filter, next: Option<&str>) -> Result<Page<Record>, StoreError>;

    /// A page of a subscription's events in order, after the given version.
    async fn events(
        &self,
        id: SubscriptionId,
        after_version: u64,
    ) -> Result<Page<Event>, StoreError>;

    /// How far the reconciliation has come.
    async fn checkpoint(&self) -> Result<Checkpoint, StoreError>;

    /// Notes how far the reconciliation has come.
    async fn save_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), StoreError>;
}
