//! A record as the shipped store writes it, to be repeated for many subscriptions.

use jiff::{SignedDuration, Timestamp};
use memory_dynamodb::{Item, Value};
use shared::domain::{Cause, Decision, NextVersion, SubscriptionId, observe};

use crate::clock::beginning;
use crate::customers::{State, wire};

/// How long ago the records were written: no read is taken for a late one.
pub(crate) const AGE: SignedDuration = SignedDuration::from_hours(24 * 30);

/// The record of one subscription in one state.
pub struct Template {
    pub state: State,
    pub id: SubscriptionId,
    pub item: Item,
}

impl Template {
    /// The same record of another subscription.
    pub fn record(&self, id: SubscriptionId, created: &str) -> Item {
        let (from, to) = (self.id.to_string(), id.to_string());
        let mut item = renamed(&self.item, &from, &to);
        // It tells which search items the table holds, also by the subscription's id.
        let record = serde_json::to_value(purchase(id, &self.state, created).record);
        let digest =
            record.ok().and_then(|record| Some(record["searchDigest"].as_str()?.to_owned()));
        if let (Some(Value::M(body)), Some(digest)) = (item.get_mut("body"), digest) {
            body.insert("searchDigest".to_owned(), Value::S(digest));
        }
        item
    }
}

/// A subscription that was met for the first time in this state.
///
/// # Panics
/// Never: a purchase is news.
pub(crate) fn purchase(id: SubscriptionId, state: &State, created: &str) -> NextVersion {
    let observed = serde_json::from_value(wire(id, state, created)).expect("an observation");
    let then: Timestamp = beginning() - AGE;
    match observe(None, &observed, &Cause::Reconciliation, then) {
        Ok(Decision::Commit(next)) => next,
        other => panic!("a purchase is news: {other:?}"),
    }
}

fn renamed(item: &Item, from: &str, to: &str) -> Item {
    item.iter().map(|(name, value)| (name.clone(), renamed_in(value, from, to))).collect()
}

fn renamed_in(value: &Value, from: &str, to: &str) -> Value {
    match value {
        Value::S(text) => Value::S(text.replace(from, to)),
        Value::L(entries) => {
            Value::L(entries.iter().map(|entry| renamed_in(entry, from, to)).collect())
        }
        Value::M(members) => Value::M(renamed(members, from, to)),
        other => other.clone(),
    }
}
