//! Load, decide, commit; and decide again when another writer came first.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tracing::{error, info};

use crate::domain::{
    Cause, Decision, Event, IncompleteObservation, Observation, OperationId, Record, Staleness,
    SubscriptionId, observe,
};
use crate::host::clock::Clock;
use crate::host::correlation;
use crate::host::error_class::ErrorClass;
use crate::store::{Commit, CommitError, Mark, Store, StoreError};

/// How many times we decide about one fact. A subscription has few writers, so more conflicts than
/// this have another reason.
const ATTEMPTS: u32 = 5;

/// The records, and the one way to change them: a rule decides about the current version, and the
/// result is committed under that version.
#[derive(Clone)]
pub struct Ledger {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
}

/// The result of a fact.
#[derive(Debug)]
pub struct Committed {
    /// The record afterwards; `None` if there is none.
    pub record: Option<Record>,
    /// Empty where the record already said so.
    pub events: Vec<Event>,
    /// Why the fact was not adopted.
    pub stale: Option<Staleness>,
}

impl Committed {
    fn without_change(record: Option<Record>) -> Self {
        Self { record, events: Vec::new(), stale: None }
    }
}

/// Why a fact had no result.
#[derive(Debug, Error)]
pub enum UpdateError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Every attempt met another writer.
    #[error("other writers kept changing the record")]
    Contended,
    /// Another delivery of the same call answered the operation meanwhile.
    #[error("the operation was answered meanwhile")]
    AlreadyMarked,
    #[error(transparent)]
    Incomplete(#[from] IncompleteObservation),
}

impl UpdateError {
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Store(error) => error.class(),
            Self::Contended | Self::AlreadyMarked => ErrorClass::Table,
            Self::Incomplete(_) => ErrorClass::MicrosoftUnavailable,
        }
    }
}

impl Ledger {
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    pub async fn load(&self, id: SubscriptionId) -> Result<Option<Record>, StoreError> {
        self.store.load(id).await
    }

    /// The record and an operation's mark, in one round trip.
    pub async fn load_with_mark(
        &self,
        id: SubscriptionId,
        operation: &OperationId,
    ) -> Result<(Option<Record>, Option<Mark>), StoreError> {
        self.store.load_with_mark(id, operation).await
    }

    /// Applies `rule` to the record, and commits its decision together with `mark`.
    ///
    /// `current` is the record as just loaded. A stale fact commits nothing, and no mark either. Nor does
    /// any fact about a subscription whose personal data was erased.
    pub async fn update(
        &self,
        id: SubscriptionId,
        current: Option<Record>,
        mark: Option<Mark>,
        rule: impl Fn(Option<&Record>) -> Result<Decision, IncompleteObservation> + Send + Sync,
    ) -> Result<Committed, UpdateError> {
        if current.as_ref().is_some_and(Record::is_erased) {
            return Ok(Committed::without_change(current));
        }
        let rule = |record: Option<&Record>| match record {
            Some(record) if record.is_erased() => Ok(Decision::Unchanged),
            record => rule(record),
        };
        self.change(id, current, mark, rule).await
    }

    /// The same for any record, which only an erasure may change.
    pub(super) async fn change(
        &self,
        id: SubscriptionId,
        current: Option<Record>,
        mark: Option<Mark>,
        rule: impl Fn(Option<&Record>) -> Result<Decision, IncompleteObservation> + Send + Sync,
    ) -> Result<Committed, UpdateError> {
        let mut current = current;
        for attempt in 1..=ATTEMPTS {
            // Read before the rule decides: a next version that waits for it would make the future of
            // every caller larger.
            let epoch = if current.is_none() { self.store.epoch().await? } else { 0 };
            let next = match rule(current.as_ref())? {
                Decision::Stale(staleness) => {
                    info!(subscription.id = %id, staleness = staleness.name(), "a fact was not adopted");
                    return Ok(Committed {
                        stale: Some(staleness),
                        ..Committed::without_change(current)
                    });
                }
                Decision::Unchanged if mark.is_none() => {
                    return Ok(Committed::without_change(current));
                }
                // The mark records a decision about this version of the record, and about no other.
                Decision::Unchanged => {
                    current.as_ref().map(|record| record.reaffirm(self.clock.now()))
                }
                Decision::Commit(mut next) => {
                    if current.is_none() {
                        next.begin_after(epoch);
                    }
                    for event in &mut next.events {
                        event.correlation_id = correlation::current();
                    }
                    Some(next)
                }
            };
            let commit = Commit { next, mark: mark.clone() };
            match self.store.commit(id, &commit).await {
                Ok(()) => {
                    let Some(next) = commit.next else {
                        return Ok(Committed::without_change(current));
                    };
                    for event in &next.events {
                        info!(
                            subscription.id = %id, event = event.kind.name(),
                            version = event.version, cause = event.cause.name(), "recorded an event"
                        );
                    }
                    return Ok(Committed {
                        record: Some(next.record),
                        events: next.events,
                        stale: None,
                    });
                }
                Err(CommitError::AlreadyMarked) => return Err(UpdateError::AlreadyMarked),
                Err(CommitError::Conflict) if attempt < ATTEMPTS => {
                    self.clock.sleep(Duration::from_millis(u64::from(10 * attempt))).await;
                    current = self.store.load(id).await?;
                }
                Err(CommitError::Conflict) => {}
                Err(CommitError::Store(error)) => return Err(error.into()),
            }
        }
        error!(
            subscription.id = %id, attempts = ATTEMPTS, class = UpdateError::Contended.class().name(),
            "other writers kept changing the record"
        );
        Err(UpdateError::Contended)
    }

    /// Adopts an observation: the record becomes Microsoft's copy.
    pub async fn adopt(
        &self,
        id: SubscriptionId,
        current: Option<Record>,
        observed: &Observation,
        cause: &Cause,
    ) -> Result<Committed, UpdateError> {
        let rule = |record: Option<&Record>| observe(record, observed, cause, self.clock.now());
        self.update(id, current, None, rule).await
    }

    /// Applies a rule that needs a record, and returns the record afterwards.
    pub async fn note(
        &self,
        record: Record,
        rule: impl Fn(&Record) -> Decision + Send + Sync,
    ) -> Result<Record, UpdateError> {
        let rule = |record: Option<&Record>| Ok(record.map_or(Decision::Unchanged, &rule));
        let committed = self.update(record.id(), Some(record.clone()), None, rule).await?;
        Ok(committed.record.unwrap_or(record))
    }
}
