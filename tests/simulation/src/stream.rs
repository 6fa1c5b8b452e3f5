//! The table's stream, as Lambda hands it over.

use delivery::{Failures, Records};
use serde_json::json;
use shared::domain::{Position, SubscriptionId};

/// A recorded event, as the stream names it.
pub type Entry = (SubscriptionId, Position);

fn sequence_number((id, position): &Entry) -> String {
    format!("{id}-{}-{}", position.version, position.index)
}

/// The records of some events.
///
/// # Panics
/// Never: they are what the delivery reads.
pub fn records<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Records {
    let record = |entry: &Entry| {
        let (id, position) = entry;
        let sort = format!("EVENT#{:020}#{:03}", position.version, position.index);
        json!({ "eventName": "INSERT", "dynamodb": {
            "Keys": { "pk": { "S": format!("SUB#{id}") }, "sk": { "S": sort } },
            "SequenceNumber": sequence_number(entry),
        }})
    };
    let all: Vec<_> = entries.into_iter().map(record).collect();
    Records::read(json!({ "Records": all })).expect("records are an array")
}

/// What Lambda hands over again: everything from the first failure on.
pub fn again(mut entries: Vec<Entry>, failures: &Failures) -> Vec<Entry> {
    let failed = |entry: &Entry| {
        let number = sequence_number(entry);
        failures.batch_item_failures.iter().any(|failed| failed.item_identifier == number)
    };
    let first = entries.iter().position(failed).unwrap_or(entries.len());
    entries.split_off(first)
}
