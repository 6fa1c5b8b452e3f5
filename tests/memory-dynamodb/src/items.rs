//! The table's items, with the states that they had moments ago.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
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

/// An entry of an index: its two keys, and those of the table.
type Entry = (String, String, Key);

/// The order of an index's partition: its sort key, and the table's keys.
pub(crate) type Position = (String, Key);

/// Every item, with its last states. The newest is the last one.
#[derive(Default)]
pub(crate) struct Items {
    states: BTreeMap<Key, VecDeque<State>>,
    /// The entries of each index, with how many of the states have them.
    entries: BTreeMap<&'static str, BTreeMap<Entry, usize>>,
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
        for (index, entry) in entries(&key, item.as_deref()) {
            *self.entries.entry(index).or_default().entry(entry).or_default() += 1;
        }
        let states = self.states.entry(key.clone()).or_default();
        states.push_back(State { since: now, item });
        let forgotten = if states.len() > STATES { states.pop_front() } else { None };
        if let (Some(_), Some(oldest)) = (&forgotten, states.front_mut()) {
            oldest.since = Timestamp::MIN;
        }
        let gone = forgotten.and_then(|state| state.item);
        for (index, entry) in entries(&key, gone.as_deref()) {
            let kept = self.entries.entry(index).or_default();
            match kept.get_mut(&entry) {
                Some(states) if *states > 1 => *states -= 1,
                _ => drop(kept.remove(&entry)),
            }
        }
    }

    /// The items of an index's partition as they were then, in its order, after this position.
    pub(crate) fn in_index<'a>(
        &'a self,
        index: Index,
        partition: &'a str,
        at: Timestamp,
        after: Option<Position>,
        is_descending: bool,
    ) -> Box<dyn Iterator<Item = (Position, &'a Arc<Item>)> + 'a> {
        let entry = |(sort, key): Position| Bound::Excluded((partition.to_owned(), sort, key));
        let none = || (String::new(), (String::new(), String::new()));
        let first = Bound::Included((partition.to_owned(), String::new(), none().1));
        // No text lies between a partition key and the same with a zero behind it.
        let last = Bound::Excluded((format!("{partition}\0"), String::new(), none().1));
        let range = match (after.map(entry), is_descending) {
            (None, _) => (first, last),
            (Some(after), false) => (after, last),
            (Some(after), true) => (first, after),
        };
        let entries = self.entries.get(index.name).map(|entries| entries.range(range));
        let entries = entries.into_iter().flatten();
        let shown = move |((_, sort, key), _): (&'a Entry, &'a usize)| {
            let item = self.get_at(key, at)?;
            let is = |name, text: &str| item.get(name).and_then(Value::text) == Some(text);
            let is_in_it = is(index.partition, partition) && is(index.sort, sort);
            is_in_it.then(|| ((sort.clone(), key.clone()), item))
        };
        if is_descending {
            Box::new(entries.rev().filter_map(shown))
        } else {
            Box::new(entries.filter_map(shown))
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

/// The entries that an item has in the indexes.
fn entries<'a>(
    key: &'a Key,
    item: Option<&'a Item>,
) -> impl Iterator<Item = (&'static str, Entry)> + use<'a> {
    INDEXES.into_iter().filter_map(move |index| {
        let text = |name: &str| item?.get(name)?.text().map(str::to_owned);
        Some((index.name, (text(index.partition)?, text(index.sort)?, key.clone())))
    })
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

#[cfg(test)]
mod tests {
    use rand::rngs::SmallRng;
    use rand::{Rng, SeedableRng};

    use super::*;

    fn due(number: u8, shard: u8, at: u8) -> Item {
        let text = |text: String| Value::S(text);
        let attributes = [
            (PARTITION, format!("SUB#{number}")),
            (SORT, "RECORD".to_owned()),
            ("outbox", format!("DUE#{shard}")),
            ("due_at", at.to_string()),
        ];
        attributes.map(|(name, value)| (name.to_owned(), text(value))).into()
    }

    #[test]
    fn an_index_shows_the_items_that_its_partition_had_at_that_time() {
        let mut rng = SmallRng::seed_from_u64(5);
        let mut items = Items::default();
        let by_due = INDEXES[4];
        // Each item has more states than are kept.
        for second in 0..300 {
            let number = rng.random_range(0..10);
            let item = rng
                .random_ratio(3, 4)
                .then(|| due(number, rng.random_range(0..2), rng.random_range(0..4)));
            let key = (format!("SUB#{number}"), "RECORD".to_owned());
            let time = |second| Timestamp::from_second(second).expect("a time");
            items.set(key, time(second), item.map(Arc::new));
            let at = time(rng.random_range(0..=second));
            for shard in ["DUE#0", "DUE#1"] {
                let is_in = |item: &Item| item["outbox"].text() == Some(shard);
                let shown = items.all_at(at).filter(|(_, item)| is_in(item));
                let mut expected: Vec<Position> = shown
                    .map(|(key, item)| {
                        (item["due_at"].text().expect("text").to_owned(), key.clone())
                    })
                    .collect();
                expected.sort_unstable();
                let positions = |after: Option<Position>, is_descending| -> Vec<Position> {
                    let entries = items.in_index(by_due, shard, at, after, is_descending);
                    entries.map(|(position, _)| position).collect()
                };
                assert_eq!(positions(None, false), expected);
                if let Some(start) = expected.get(1).cloned() {
                    assert_eq!(positions(Some(start.clone()), false), expected[2..]);
                    assert_eq!(positions(Some(start), true), expected[..1]);
                }
            }
        }
    }
}
