//! The table: one record per subscription, the events that led to it, and the operations answered.
//!
//! | item | partition key | sort key | written |
//! |---|---|---|---|
//! | record | `SUB#<id>` | `RECORD` | if the version is the expected one |
//! | operation mark | `SUB#<id>` | `OP#<operation id>` | if there is none yet |
//! | event | `SUB#<id>` | `EVENT#<version>#<index>` | with its record |
//! | search item | `SUB#<id>` | `SEARCH#<field>#<length>` | with what has the value |
//! | cursor | `SUB#<id>` | `DELIVERY#<target>` | if the revision is the expected one |
//! | attempt | `SUB#<id>` | `ATTEMPT#<when it began>#<target>` | when a receiver does not accept an event |
//! | annotations | `SUB#<id>` | `ANNOTATIONS` | if the revision is the expected one |
//! | idempotency record | `REQUEST#<key>` | `REQUEST` | if there is none, or only an expired one |
//! | note of a comparison | `SUB#<id>` | `COMPARED` | after a page of a list that was begun anew |
//! | checkpoint | `RUN` | `RECONCILIATION` | if the revision is the expected one |
//! | dry run | `RUN` | `DRY-RUN` | after each page of a dry run |
//! | run | `RUN` | `ROUND#<when it began>` | when a run ends that had something to say |
//! | pause | `RUN` | `PAUSE` | when an operator pauses the runs |
//! | erasure | `ERASED` | `<id>` | before its record is erased |
//! | epoch | `EPOCH` | `EPOCH` | by a restore, if it is greater than the stored one |
//! | refusal | `REFUSED#<digest>` | `REFUSED` | when Microsoft refuses a token or a code |
//! | sighting | `SEEN` | `WEBHOOK#<host>`, `SWEEP` | now and then, when it is seen |
//! | first start | `DEPLOYMENT` | `FIRST_START` | once, and once at the end of the import |
//! | receiver | `RECEIVERS` | `<target>` | if the revision is the expected one |
//! | offers | `OFFERS` | `SETTINGS` | if the revision is the expected one |
//! | last examination | `EXAMINATION` | `LAST` | after each examination |
//! | pace | `PACE` | `<target>` | if the revision is the expected one |
//!
//! Each user of the table has a trait of its own: [`Store`] for records, [`Outbox`] for the
//! delivery, [`Receivers`] for those it delivers to, [`Pacing`] for its rate limit, [`Attempts`] for its failures, [`AnnotationStore`] and [`IdempotencyStore`] for the publisher's
//! API, [`Checkpoints`], [`Runs`] and [`DueWork`] for the reconciliation, [`Refusals`] and [`OfferSettings`] for the landing page,
//! [`Erasures`] for erasures,
//! [`Restoration`] for a restore, [`Sightings`], [`Inspection`] and [`Examinations`] for an examination,
//! [`Overview`] for pages that people read.

mod annotations;
mod attempts;
mod checkpoint;
mod due_work;
mod dynamodb;
mod erasures;
mod error;
mod examination;
mod findings;
mod first_start;
mod head_start;
mod idempotency;
mod inspection;
mod item;
mod known_refusals;
mod list_query;
mod offer_settings;
mod outbox;
mod overview;
mod pacing;
mod receivers;
mod refusals;
mod restoration;
mod run;
mod sighting;
mod sort;
mod target;

use std::collections::HashMap;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use annotations::{AnnotationStore, SaveError};
pub use attempts::{Attempt, Attempts, SentRequest};
pub use checkpoint::{Checkpoint, CheckpointError, Checkpoints, Part, Round};
pub use due_work::{DueRecord, DueWork};
pub use dynamodb::DynamoDbStore;
pub use erasures::{Erasure, Erasures};
pub use error::{CommitError, Corruption, StoreError};
pub use examination::{Check, CheckOutcome, Examination, Examinations};
pub use findings::{Difference, FieldChange, Findings, LeftOpen, Outcome, QuietRuns, RepairAction};
pub use first_start::FirstStart;
pub use head_start::STREAM_HEAD_START;
pub use idempotency::{
    BeginError, IDEMPOTENCY_KEY_LIFETIME, IdempotencyRecord, IdempotencyStore, StoredResponse,
};
pub use inspection::Inspection;
pub use item::ItemKind;
pub use known_refusals::KnownRefusals;
pub use list_query::{Filter, LARGEST_PAGE, ListBy, ListQuery, Page};
pub use offer_settings::{LARGEST_OFFERS, OfferSettings, StoredOffers};
pub use outbox::{Backlog, Cursor, CursorError, CursorState, Due, Entry, Outbox, Trouble, Waiting};
pub use overview::{Agenda, Found, Overview, Undelivered, Wanted};
pub use pacing::Pacing;
pub use receivers::{CatchUp, EventFilter, FilterInUse, ROLLOUT, ReceiverState, Receivers};
pub use refusals::{REFUSAL_LIFETIME, Refusals, Refused};
pub use restoration::Restoration;
pub use run::{LONGEST_NOTE, Pause, Run, RunEnd, Runs};
pub use sighting::{Sighting, Sightings};
pub use sort::Sort;
pub use target::{EndpointName, NotAName, Target};

use crate::domain::{Action, Event, NextVersion, OperationId, Record, SubscriptionId};

/// The mark of an answered operation. It makes a second delivery get the same answer.
///
/// Serialised in the table: members are only added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mark {
    pub operation_id: OperationId,
    pub action: Action,
    pub outcome: OperationOutcome,
    /// When we answered.
    pub at: Timestamp,
}

/// What we did about an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OperationOutcome {
    /// We accepted it, and Microsoft received our acknowledgement.
    Accepted,
    Rejected,
    /// It was settled when we looked. We adopted Microsoft's state.
    Followed,
    /// A notice. We adopted Microsoft's state, which needs no mark.
    Noticed,
}

impl OperationOutcome {
    /// As serialised.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Followed => "followed",
            Self::Noticed => "noticed",
        }
    }
}

/// What one decision writes: all of it, or nothing.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    pub next: Option<NextVersion>,
    /// The operation that the decision answers.
    pub mark: Option<Mark>,
}

/// The records, as the functions see them.
///
/// Every read MUST be consistent: it shows everything that was committed before it began. The lists
/// are the exception; they may lag.
#[async_trait]
pub trait Store: Send + Sync {
    async fn load(&self, id: SubscriptionId) -> Result<Option<Record>, StoreError>;

    /// The record and an operation's mark, in one round trip.
    async fn load_with_mark(
        &self,
        id: SubscriptionId,
        operation: &OperationId,
    ) -> Result<(Option<Record>, Option<Mark>), StoreError>;

    /// The records of many subscriptions. The result leaves out subscriptions without a record. A
    /// record that can't be read MUST fail alone.
    async fn load_many(
        &self,
        ids: &[SubscriptionId],
    ) -> Result<HashMap<SubscriptionId, Result<Record, StoreError>>, StoreError>;

    /// Writes what one decision changes about a subscription: all of it, or nothing.
    ///
    /// MUST return [`CommitError::Conflict`] unless the stored version is one below the new one (for
    /// a [first version](Record::is_first_version): unless there is none), and
    /// [`CommitError::AlreadyMarked`] if the operation has a mark.
    ///
    /// From then on, the record MUST be found by its [search terms](Record::search_terms), and no longer by
    /// those of the version before.
    async fn commit(&self, id: SubscriptionId, commit: &Commit) -> Result<(), CommitError>;

    /// The version after which the versions of a new record begin: 0, unless the table was restored.
    async fn epoch(&self) -> Result<u64, StoreError>;

    /// A page of records; `next` as the previous page gave it. A record that can't be read is
    /// logged and left out.
    ///
    /// MUST list the records in the order of their [`Sort::key`]. Without an order, the pages MUST
    /// show every record once that fits the query throughout. No page has more than `query.limit` records; it
    /// may have fewer, or none, without being the last one.
    async fn list(&self, query: &ListQuery, next: Option<&str>)
    -> Result<Page<Record>, StoreError>;

    /// A page of a subscription's events after a version, in order.
    async fn events(
        &self,
        id: SubscriptionId,
        after_version: u64,
    ) -> Result<Page<Event>, StoreError>;
}
