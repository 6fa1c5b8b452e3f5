//! The table's stream, in the form in which Lambda delivers it.

use delivery::{Failures, Records};
use serde_json::json;
use shared::domain::{Position, SubscriptionId};

/// A new event in the stream.
pub type Entry = (SubscriptionId, Position);

fn sequence_number((id, position): &Entry) -> String {
    format!("{id}-{}-{}", position.version, position.index)
}

/// The stream records of these events.
///
/// # Panics
/// Never: the delivery can read these records.
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

/// The events that Lambda delivers again: all from the first failed one on.
pub fn retried(mut entries: Vec<Entry>, failures: &Failures) -> Vec<Entry> {
    let failed = |entry: &Entry| {
        let number = sequence_number(entry);
        failures.batch_item_failures.iter().any(|failed| failed.item_identifier == number)
    };
    let first = entries.iter().position(failed).unwrap_or(entries.len());
    entries.split_off(first)
}
