//! A record as the shipped store writes it, to be repeated for many subscriptions.

use memory_dynamodb::{Item, Value};
use shared::domain::SubscriptionId;

use crate::customers::State;

/// The record of one subscription in one state.
pub struct Template {
    pub state: State,
    pub id: SubscriptionId,
    pub item: Item,
}

impl Template {
    /// The same record of another subscription.
    pub fn record(&self, id: SubscriptionId) -> Item {
        let (from, to) = (self.id.to_string(), id.to_string());
        renamed(&self.item, &from, &to)
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
