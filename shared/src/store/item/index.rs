//! The attributes that the table's indexes are made of. An item is in an index if it has the attributes of
//! its keys.

use jiff::Timestamp;

use crate::domain::{Record, SubscriptionId};
use crate::store::Sort;

/// Records alone have these.
pub(in crate::store) const STATUS: &str = "status";
pub(in crate::store) const OFFER: &str = "offer_id";
pub(in crate::store) const SUBSCRIPTION: &str = "subscription_id";
pub(in crate::store) const LISTED: &str = "listed";

/// The keys of the index of what is due. Pending events and waiting cursors have them, and records with due
/// work or an end.
pub(in crate::store) const OUTBOX: &str = "outbox";
pub(in crate::store) const DUE_AT: &str = "due_at";
/// What an entry of that index waits for. It begins the entry's partition key there.
pub(in crate::store) const DUE: &str = "DUE";
pub(in crate::store) const PARKED: &str = "PARKED";
/// A record, until its work is done.
pub(in crate::store) const WORK: &str = "WORK";
/// The record of a subscription that has ended, without work.
pub(in crate::store) const ENDED: &str = "ENDED";

/// Over how many partition keys an index is spread whose sort key grows with time. DynamoDB writes to one
/// of them 1,000 times a second at most, and can't split it. With fewer, so many fewer changes can be
/// recorded. A list asks each of them. If this number falls, entries under the last keys are no longer
/// found.
const SHARDS: u8 = 8;

fn shard(id: SubscriptionId) -> u8 {
    let [.., last] = id.0.into_bytes();
    last % SHARDS
}

/// The partition key of a subscription's entries in the index of what is due.
pub(in crate::store) fn outbox_key(kind: &str, id: SubscriptionId) -> String {
    format!("{kind}#{}", shard(id))
}

/// Every partition key that pending events or cursors have. Those from before 0.1.0 have the kind alone.
pub(in crate::store) fn outbox_keys(kind: &str) -> impl Iterator<Item = String> {
    std::iter::once(kind.to_owned()).chain(sharded_keys(kind))
}

/// Every partition key that records have, by what they wait for.
pub(in crate::store) fn sharded_keys(kind: &str) -> impl Iterator<Item = String> {
    (0..SHARDS).map(move |shard| format!("{kind}#{shard}"))
}

/// Every partition key of the indexes that sort records.
pub(in crate::store) fn list_keys() -> impl Iterator<Item = String> {
    (0..SHARDS).map(list_key)
}

fn list_key(shard: u8) -> String {
    format!("RECORD#{shard}")
}

/// The attribute that holds a record's [`Sort::key`].
pub(in crate::store) const fn sort_attribute(sort: Sort) -> &'static str {
    match sort {
        Sort::LastChange => "last_change",
        Sort::TermEnd => "term_end",
    }
}

/// The attributes by which a record is listed.
pub(in crate::store) fn of_record(record: &Record) -> impl Iterator<Item = (&'static str, String)> {
    let sorted = Sort::ALL.into_iter().map(|sort| (sort_attribute(sort), sort.key(record)));
    let listed = [
        (STATUS, record.status().as_str().to_owned()),
        (OFFER, record.subscription.offer_id.clone()),
        (SUBSCRIPTION, record.id().to_string()),
        (LISTED, list_key(shard(record.id()))),
    ];
    listed.into_iter().chain(sorted)
}

/// What a record waits for in the index of what is due, and when.
pub(in crate::store) fn due(record: &Record) -> Option<(&'static str, Timestamp)> {
    let work = record.work_due().map(|at| (WORK, at));
    // Nothing is left to erase of a tombstone.
    let ended_at = record.ended_at().filter(|_| !record.is_erased());
    work.or_else(|| ended_at.map(|at| (ENDED, at)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn entries_are_spread_over_every_partition_key_that_is_asked() {
        let asked: Vec<String> = outbox_keys(DUE).collect();
        assert_eq!(asked[0], "DUE", "entries from before 0.1.0 are found, too");
        assert_eq!(asked[1..], sharded_keys(DUE).collect::<Vec<_>>());
        let (mut due, mut listed) = (BTreeMap::new(), BTreeMap::new());
        for number in 0..8000_u128 {
            let id = SubscriptionId(uuid::Uuid::from_u128(number * 0x9e37_79b9_7f4a_7c15));
            *due.entry(outbox_key(DUE, id)).or_default() += 1;
            *listed.entry(list_key(shard(id))).or_default() += 1;
        }
        let keys = |entries: &BTreeMap<String, u32>| entries.keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&due), asked[1..]);
        assert_eq!(keys(&listed), list_keys().collect::<Vec<_>>());
        for entries in [due, listed] {
            assert!(entries.values().all(|entries| (900..1100).contains(entries)), "{entries:?}");
        }
    }
}
