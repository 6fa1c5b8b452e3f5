//! The table's items, with the states that they had moments ago.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::refusal::Refusal;
use crate::value::{Item, Value, size};

/// The table's keys and its indexes, as `template.yaml` defines them.
pub(crate) const PARTITION: &str = "pk";
pub(crate) const SORT: &str = "sk";
const EXPIRES_AT: &str = "expires_at";

pub(crate) const INDEXES: [Index; 6] = [
    Index { name: "by-status", partition: "status", sort: "subscription_id", included: &[] },
    Index { name: "by-offer", partition: "offer_id", sort: "subscription_id", included: &[] },
    Index { name: "by-change", partition: "listed", sort: "last_change", included: FILTERS },
    Index { name: "by-term-end", partition: "listed", sort: "term_end", included: FILTERS },
    Index { name: "by-due", partition: "outbox", sort: "due_at", included: &[] },
    Index { name: "by-search", partition: "search", sort: "subscription_id", included: &["term"] },
];

const FILTERS: &[&str] = &["status", "offer_id"];

/// A global secondary index. It holds the table's keys, its own, and the attributes that it includes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Index {
    pub name: &'static str,
    pub partition: &'static str,
    pub sort: &'static str,
    pub included: &'static [&'static str],
}

/// DynamoDB's limit for an item, in bytes.
const LARGEST_ITEM: usize = 400 * 1024;

/// Older states than this many are forgotten.
const STATES: usize = 8;

/// Partition key and sort key.
pub(crate) type Key = (String, String);

/// A state of an item. `None`: it is absent.
struct State {
    since: Timestamp,
    item: Option<Arc<Item>>,
}

/// Every item, with its last states. The newest is the last one.
#[derive(Default)]
pub(crate) struct Items {
    states: BTreeMap<Key, VecDeque<State>>,
    expired_at: Timestamp,
}

impl Items {
    pub(crate) fn get(&self, key: &Key) -> Option<&Arc<Item>> {
        self.states.get(key)?.back()?.item.as_ref()
    }

    /// The item as it was then.
    pub(crate) fn get_at(&self, key: &Key, at: Timestamp) -> Option<&Arc<Item>> {
        let states = self.states.get(key)?;
        states.iter().rev().find(|state| state.since <= at)?.item.as_ref()
    }

    pub(crate) fn set(&mut self, key: Key, now: Timestamp, item: Option<Arc<Item>>) {
        let states = self.states.entry(key).or_default();
        states.push_back(State { since: now, item });
        if states.len() > STATES {
            states.pop_front();
            if let Some(oldest) = states.front_mut() {
                oldest.since = Timestamp::MIN;
            }
        }
    }

    /// Every item as it was then, in the order of their keys.
    pub(crate) fn all_at(&self, at: Timestamp) -> impl Iterator<Item = (&Key, &Arc<Item>)> {
        self.states.keys().filter_map(move |key| Some((key, self.get_at(key, at)?)))
    }

    /// The items of a partition as they were then, in the order of their sort keys.
    pub(crate) fn partition_at<'a>(
        &'a self,
        partition: &'a str,
        at: Timestamp,
    ) -> impl Iterator<Item = (&'a Key, &'a Arc<Item>)> {
        let first = (partition.to_owned(), String::new());
        let keys = self.states.range(first..).map(|(key, _)| key);
        keys.take_while(move |key| key.0 == partition)
            .filter_map(move |key| Some((key, self.get_at(key, at)?)))
    }

    /// Removes the items that expired longer ago than this.
    pub(crate) fn expire(&mut self, now: Timestamp, after: Duration) {
        const EVERY: SignedDuration = SignedDuration::from_mins(10);
        if now.duration_since(self.expired_at) < EVERY {
            return;
        }
        self.expired_at = now;
        let by = i128::from(now.as_second()) - i128::from(after.as_secs());
        let expired = |(key, states): (&Key, &VecDeque<State>)| {
            let at = states.back()?.item.as_ref()?.get(EXPIRES_AT)?.number()?;
            (at <= by).then(|| key.clone())
        };
        let expired: Vec<Key> = self.states.iter().filter_map(expired).collect();
        for key in expired {
            self.set(key, now, None);
        }
    }
}

/// Reads the key of a request, which has the two keys and nothing else.
pub(crate) fn key_alone(key: &Item) -> Result<Key, Refusal> {
    if key.len() != 2 {
        return Refusal::invalid(format!("the key {key:?} has not the table's two attributes"));
    }
    key_of(key)
}

/// The item's key.
pub(crate) fn key_of(item: &Item) -> Result<Key, Refusal> {
    let part = |name| match item.get(name).and_then(Value::text) {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Refusal::invalid(format!("an item with the key {name}: {:?}", item.get(name))),
    };
    Ok((part(PARTITION)?, part(SORT)?))
}

/// Checks an item that is to be stored, and returns its key.
pub(crate) fn check(item: &Item) -> Result<Key, Refusal> {
    for name in INDEXES.iter().flat_map(|index| [index.partition, index.sort]) {
        if item.get(name).is_some_and(|value| value.text().is_none_or(str::is_empty)) {
            return Refusal::invalid(format!("{name} is a key of an index and must be a string"));
        }
    }
    if item.get(EXPIRES_AT).is_some_and(|at| at.number().is_none()) {
        return Refusal::invalid("an item whose time to live is no whole number");
    }
    if size(item) > LARGEST_ITEM {
        return Refusal::invalid("an item of more than 400 KB");
    }
    key_of(item)
}
