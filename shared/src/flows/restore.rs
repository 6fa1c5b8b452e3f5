//! Prepares a table that was restored to a point in time for the functions.
//!
//! The product has received events that the table has forgotten. Without this, new events would reuse
//! their ids, and the product would skip them. The order of the steps makes it safe to begin again
//! after any of them, and to work beside other writers:
//!
//! 1. An epoch begins. Purchases that the table doesn't know get versions after it.
//! 2. Every record's version rises past the epoch, each under the version that was read.
//! 3. The erasures in the list of the former table are repeated, where this table has forgotten them.
//!    The versions have risen, so the product has not seen the ids of their events. A subscription that
//!    this table doesn't know becomes a tombstone, too: Microsoft still knows its people.
//! 4. The reconciliation starts its list anew. It finds what Microsoft knows and the table doesn't,
//!    and restates every record once.
//!
//! Each run begins an epoch of its own, so a run that was cut off is simply begun again.

use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use thiserror::Error;

use super::erasure::{ErasureError, ErasureFlow};
use super::ledger::{Ledger, UpdateError};
use crate::domain::{Cause, Record, SubscriptionId};
use crate::host::clock::Clock;
use crate::store::{
    AnnotationStore, CheckpointError, Checkpoints, CommitError, Erasures, Outbox, Receivers,
    Restoration, Store, StoreError, Target,
};

/// How many records are written at a time. More would exceed what a new table takes, which a restored
/// one is.
const CONCURRENT_WRITES: usize = 8;

/// How often one record is tried while others keep writing it.
const ATTEMPTS: u32 = 5;

/// How often all records are read. The list of records may lag behind a writer that changes a status,
/// so the last reading must find none that is left.
const PASSES: u32 = 10;

/// The ports of the restored table.
#[derive(Clone)]
pub struct RestoredTable {
    pub store: Arc<dyn Store>,
    pub restoration: Arc<dyn Restoration>,
    pub checkpoints: Arc<dyn Checkpoints>,
    pub outbox: Arc<dyn Outbox>,
    pub receivers: Arc<dyn Receivers>,
    pub annotations: Arc<dyn AnnotationStore>,
    pub erasures: Arc<dyn Erasures>,
}

/// The ports of the table that the restored one replaces. It knows the erasures since the point in time.
#[derive(Clone)]
pub struct FormerTable {
    pub store: Arc<dyn Store>,
    pub erasures: Arc<dyn Erasures>,
}

/// What a restore has done.
#[derive(Debug, PartialEq, Eq)]
pub struct Restored {
    /// All versions from now on are greater.
    pub epoch: u64,
    /// Records whose version rose.
    pub raised: u64,
    /// Erasures that were repeated.
    pub erased: u64,
    /// Records that can't be read, each with the reason. Their versions did not rise, or their erasure was
    /// not repeated.
    pub unreadable: Vec<(SubscriptionId, String)>,
    /// Deliveries that were parked at the point in time, and wait for a request to send them again.
    pub parked: Vec<(SubscriptionId, Target)>,
}

/// Why a restore ended early. Begun again, it does the rest.
#[derive(Debug, Error)]
pub enum RestoreError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The epoch is the time, and the table has versions of a later one.
    #[error(
        "this machine's clock is behind the one of an earlier restore, which began epoch {0}; \
         set the clock"
    )]
    ClockIsBehind(u64),
    #[error("other writers kept changing the records; stop the functions")]
    Contended,
}

impl From<ErasureError> for RestoreError {
    fn from(error: ErasureError) -> Self {
        match error {
            ErasureError::Store(error) | ErasureError::Update(UpdateError::Store(error)) => {
                error.into()
            }
            // A repeated erasure is refused by no rule.
            ErasureError::Refused(_) | ErasureError::Overtaken | ErasureError::Update(_) => {
                Self::Contended
            }
        }
    }
}

/// Prepares a restored table, and repeats the erasures of the former one, if it can be read. Calls
/// `progress` with the number of records raised so far.
pub async fn restore(
    table: &RestoredTable,
    former: Option<&FormerTable>,
    clock: Arc<dyn Clock>,
    mut progress: impl FnMut(u64) + Send,
) -> Result<Restored, RestoreError> {
    let epoch = u64::try_from(clock.now().as_millisecond()).unwrap_or_default();
    match table.restoration.begin_epoch(epoch).await {
        Ok(()) => {}
        Err(CommitError::Store(error)) => return Err(error.into()),
        Err(CommitError::Conflict | CommitError::AlreadyMarked) => {
            return Err(RestoreError::ClockIsBehind(table.store.epoch().await?));
        }
    }
    let mut raised = 0;
    let mut unreadable = Vec::new();
    for pass in 1.. {
        let before = raised;
        unreadable = raise_all(table, epoch, &mut raised, &mut progress).await?;
        if raised == before {
            break;
        }
        if pass == PASSES {
            return Err(RestoreError::Contended);
        }
    }
    let mut erased = 0;
    if let Some(former) = former {
        erased = erase_again(table, former, clock, &mut unreadable).await?;
    }
    begin_anew(&*table.checkpoints).await?;
    Ok(Restored { epoch, raised, erased, unreadable, parked: parked(&*table.outbox).await? })
}

/// Repeats the erasures that the table has forgotten. Returns how many there were.
async fn erase_again(
    table: &RestoredTable,
    former: &FormerTable,
    clock: Arc<dyn Clock>,
    unreadable: &mut Vec<(SubscriptionId, String)>,
) -> Result<u64, RestoreError> {
    let flow = ErasureFlow {
        ledger: Ledger::new(table.store.clone(), clock),
        erasures: table.erasures.clone(),
        outbox: table.outbox.clone(),
        annotations: table.annotations.clone(),
        // It was allowed before.
        receivers: Vec::new(),
        receiver_states: table.receivers.clone(),
    };
    let (mut erased, mut next) = (0, None);
    loop {
        let page = former.erasures.erasures(next.as_deref()).await?;
        let ids: Vec<_> = page.items.iter().map(|entry| entry.subscription).collect();
        let tombstones = former.store.load_many(&ids).await?;
        let mut restored = table.store.load_many(&ids).await?;
        for (id, tombstone) in tombstones {
            let read = tombstone.and_then(|tombstone| {
                let current = restored.remove(&id).transpose()?;
                Ok((tombstone, current))
            });
            let (tombstone, current) = match read {
                Ok(read) => read,
                Err(error) => {
                    unreadable.push((id, error.to_string()));
                    continue;
                }
            };
            let is_done = current.as_ref().is_some_and(|it| it.is_erased() && !it.is_erasing());
            // The former table may list an erasure that was cut off before it began.
            if is_done || !tombstone.is_erased() {
                continue;
            }
            flow.erase_again(current, &tombstone, &Cause::Reconciliation).await?;
            erased += 1;
        }
        next = page.next;
        if next.is_none() {
            return Ok(erased);
        }
    }
}

/// The next run of the reconciliation begins from the beginning. One that is under way ends when it tries to
/// save its checkpoint.
async fn begin_anew(checkpoints: &dyn Checkpoints) -> Result<(), RestoreError> {
    for _ in 0..ATTEMPTS {
        let reset = checkpoints.checkpoint().await?.reset();
        match checkpoints.save_checkpoint(&reset).await {
            Ok(()) => return Ok(()),
            Err(CheckpointError::Conflict) => {}
            Err(CheckpointError::Store(error)) => return Err(error.into()),
        }
    }
    Err(RestoreError::Contended)
}

/// Raises every record that is below the epoch. Returns those that can't be read.
async fn raise_all(
    table: &RestoredTable,
    epoch: u64,
    raised: &mut u64,
    progress: &mut (impl FnMut(u64) + Send),
) -> Result<Vec<(SubscriptionId, String)>, RestoreError> {
    let mut unreadable = Vec::new();
    let mut next = None;
    loop {
        let page = table.restoration.subscriptions(next.as_deref()).await?;
        let mut below = Vec::new();
        for (id, record) in table.store.load_many(&page.items).await? {
            match record {
                Ok(record) => below.extend(below_epoch(record, epoch)?),
                Err(error @ StoreError::Corrupt { .. }) => unreadable.push((id, error.to_string())),
                Err(error) => return Err(error.into()),
            }
        }
        let writes = below.into_iter().map(|record| raise(table, record, epoch));
        let mut writes = stream::iter(writes).buffer_unordered(CONCURRENT_WRITES);
        while let Some(written) = writes.next().await {
            written?;
            *raised += 1;
            progress(*raised);
        }
        next = page.next;
        if next.is_none() {
            return Ok(unreadable);
        }
    }
}

/// The record, if its version has not risen yet.
fn below_epoch(record: Record, epoch: u64) -> Result<Option<Record>, RestoreError> {
    match record.version {
        version if version <= epoch => Ok(Some(record)),
        _ if record.epoch == epoch => Ok(None),
        _ => Err(RestoreError::ClockIsBehind(record.epoch)),
    }
}

async fn raise(table: &RestoredTable, record: Record, epoch: u64) -> Result<(), RestoreError> {
    let mut current = record;
    for _ in 0..ATTEMPTS {
        match table.restoration.replace(current.version, &current.raise(epoch)).await {
            Ok(()) => return Ok(()),
            Err(CommitError::Store(error)) => return Err(error.into()),
            Err(CommitError::Conflict | CommitError::AlreadyMarked) => {}
        }
        // Another writer was faster. Nobody deletes records.
        let stored = table.store.load(current.id()).await?;
        match stored.map(|record| below_epoch(record, epoch)).transpose()?.flatten() {
            Some(record) => current = record,
            None => return Ok(()),
        }
    }
    Err(RestoreError::Contended)
}

async fn parked(outbox: &dyn Outbox) -> Result<Vec<(SubscriptionId, Target)>, StoreError> {
    let mut parked = Vec::new();
    let mut next = None;
    loop {
        let page = outbox.parked(next.as_deref()).await?;
        parked.extend(page.items);
        next = page.next;
        if next.is_none() {
            return Ok(parked);
        }
    }
}
