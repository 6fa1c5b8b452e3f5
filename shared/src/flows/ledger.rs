//! Load, decide, commit; and again when somebody else was faster.

use thiserror::Error;
use tracing::{error, info};

use crate::domain::{
    Cause, Decision, Event, IncompleteObservation, Observation, Record, Staleness, SubscriptionId,
    observe,
};
use crate::store::{Commit, CommitError, Mark, Store, StoreError};
use crate::system::System;
use crate::telemetry;

/// How often a decision is made anew because of another writer. Writers of one subscription are
/// few; whoever loses this often has met something else.
const ATTEMPTS: u32 = 5;

/// What came of a fact.
#[derive(Debug)]
pub struct Committed {
    /// The record as it stands now; `None` if there is none.
    pub record: Option<Record>,
    /// What happened; empty where the record said so already.
    pub events: Vec<Event>,
    /// The fact was not believed.
    pub stale: Option<Staleness>,
}

/// Why nothing came of a fact.
#[derive(Debug, Error)]
pub enum DecideError {
    /// The table, or too many other writers.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The operation was answered meanwhile, by another delivery of the same call.
    #[error("the operation was answered meanwhile")]
    AlreadyMarked,
    /// A first observation that doesn't make a record.
    #[error(transparent)]
    Incomplete(#[from] IncompleteObservation),
}

/// Applies `rule` to the record, and commits what it decides together with the mark of the
/// operation that is answered by it.
///
/// `current` is the record as just loaded. A stale fact is answered by nothing: no mark is made.
pub async fn decide(
    store: &dyn Store,
    system: &dyn System,
    id: SubscriptionId,
    current: Option<Record>,
    mark: Option<Mark>,
    rule: impl Fn(Option<&Record>) -> Result<Decision, IncompleteObservation> + Send + Sync,
) -> Result<Committed, DecideError> {
    let mut current = current;
    for attempt in 1.. {
        let change = match rule(current.as_ref())? {
            Decision::Stale(staleness) => {
                info!(subscription.id = %id, ?staleness, "an observation was not adopted");
                return Ok(Committed {
                    record: current,
                    events: Vec::new(),
                    stale: Some(staleness),
                });
            }
            Decision::Unchanged if mark.is_none() => {
                return Ok(Committed { record: current, events: Vec::new(), stale: None });
            }
            // What the mark says was decided about this version of the record, and about no other.
            Decision::Unchanged => current.as_ref().map(|record| record.reaffirm(system.now())),
            Decision::Commit(mut change) => {
                for event in &mut change.events {
                    event.correlation_id = telemetry::correlation_id();
                }
                Some(change)
            }
        };
        let commit = Commit { change, mark: mark.clone() };
        match store.commit(id, &commit).await {
            Ok(()) => {
                let Some(change) = commit.change else {
                    return Ok(Committed { record: current, events: Vec::new(), stale: None });
                };
                for event in &change.events {
                    info!(
                        subscription.id = %id, event = event.kind.name(), version = event.version,
                        cause = ?event.cause, "recorded an event"
                    );
                }
                return Ok(Committed {
                    record: Some(change.record),
                    events: change.events,
                    stale: None,
                });
            }
            Err(CommitError::AlreadyMarked) => return Err(DecideError::AlreadyMarked),
            Err(CommitError::Conflict) if attempt < ATTEMPTS => {
                system.sleep(std::time::Duration::from_millis(u64::from(10 * attempt))).await;
                current = store.load(id).await?;
            }
            Err(CommitError::Conflict) => break,
            Err(CommitError::Store(error)) => return Err(error.into()),
        }
    }
    error!(subscription.id = %id, attempts = ATTEMPTS, "other writers kept changing the record");
    Err(StoreError::Unavailable("other writers kept changing the record".to_owned()).into())
}

/// Adopts an observation: the record becomes what Microsoft's copy says.
pub async fn adopt(
    store: &dyn Store,
    system: &dyn System,
    id: SubscriptionId,
    current: Option<Record>,
    observed: &Observation,
    cause: &Cause,
) -> Result<Committed, DecideError> {
    decide(store, system, id, current, None, |record| {
        observe(record, observed, cause, system.now())
    })
    .await
}
