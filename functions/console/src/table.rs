//! The table, as the pages read it: each page in at most three reads. What changes something is a call of
//! the API.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use shared::domain::{Event, SubscriptionId};
use shared::host::http::Problem;
use shared::publisher::receiver::ReceiverSettings;
use shared::store::{
    Attempts, Entry, Found, Overview, Page, ReceiverState, Runs, Store, StoreError, Target, Wanted,
};
use tracing::error;

use crate::answers::{Delivery, Record};
use crate::api::Refusal;
use crate::standing::{LastEvents, delivery};

/// What the pages may read.
pub(crate) struct Table {
    pub(crate) overview: Arc<dyn Overview>,
    pub(crate) attempts: Arc<dyn Attempts>,
    pub(crate) runs: Arc<dyn Runs>,
    pub(crate) store: Arc<dyn Store>,
    /// As the settings describe them.
    pub(crate) receivers: Vec<ReceiverSettings>,
}

/// Some subscriptions' records.
pub(crate) struct Read {
    pub(crate) records: Vec<Record>,
    /// How many could not be read.
    pub(crate) unreadable: usize,
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::BadPosition) {
            return Self::unreadable();
        }
        let class = error.class();
        error!(%error, class = class.name(), "could not use the table");
        let Problem { status, code, detail, .. } = Problem::of_class(class);
        Self { status, code: code.to_owned(), detail }
    }
}

impl Table {
    /// The receivers' states, as they are wanted.
    pub(crate) fn states(&self) -> impl Iterator<Item = Wanted> {
        self.receivers.iter().map(|receiver| Wanted::Receiver(receiver.target))
    }

    pub(crate) async fn look_up(&self, wanted: BTreeSet<Wanted>) -> Result<Found, Refusal> {
        Ok(self.overview.look_up(&wanted).await?)
    }

    /// How a subscription's events stand at each receiver.
    pub(crate) fn deliveries(
        &self,
        id: SubscriptionId,
        found: &mut Found,
        last: &Page<Event>,
    ) -> Result<Vec<Delivery>, Refusal> {
        let states = std::mem::take(&mut found.receivers).into_iter();
        let states: BTreeMap<_, _> = states
            .map(|(target, state)| Ok((target, state?)))
            .collect::<Result<_, StoreError>>()?;
        let last = LastEvents { events: &last.items, has_earlier: last.next.is_some() };
        let standing = self.receivers.iter().map(|receiver| {
            let cursor = found.cursors.remove(&(id, receiver.target)).transpose()?;
            Ok(delivery(receiver.with(&states), &cursor.unwrap_or_default(), last))
        });
        standing.collect()
    }

    /// The receiver that an entry's events wait for; `None` if nothing is sent for it any more: the settings
    /// no longer name the receiver, or an earlier one of its name has left the entry.
    pub(crate) fn receiver_of(
        &self,
        entry: &Entry,
        target: Target,
        states: &BTreeMap<Target, ReceiverState>,
    ) -> Option<&ReceiverSettings> {
        let receiver = self.receivers.iter().find(|receiver| receiver.target == target)?;
        (!entry.is_left_behind(states.get(&target))).then_some(receiver)
    }
}

/// The states of the receivers that can be read. The others are logged.
pub(crate) fn readable_states(found: &mut Found) -> BTreeMap<Target, ReceiverState> {
    let states = std::mem::take(&mut found.receivers).into_iter();
    states.filter_map(|(target, state)| Some((target, logged(state)?))).collect()
}

/// What can be read. An error is logged.
pub(crate) fn logged<T>(read: Result<T, StoreError>) -> Option<T> {
    read.inspect_err(|error| {
        error!(%error, class = error.class().name(), "left an item out of a page");
    })
    .ok()
}

/// The records of these subscriptions, each once, in this order.
pub(crate) fn records(found: &Found, ids: impl IntoIterator<Item = SubscriptionId>) -> Read {
    let mut read = Read { records: Vec::new(), unreadable: 0 };
    let mut seen = BTreeSet::new();
    for id in ids {
        match found.records.get(&id) {
            _ if !seen.insert(id) => {}
            None => {}
            Some(Ok(record)) => read.records.push(Record::of(record, None)),
            Some(Err(error)) => {
                error!(%error, class = error.class().name(), "left a record out of a page");
                read.unreadable += 1;
            }
        }
    }
    read
}
