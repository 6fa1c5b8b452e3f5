//! Copies what DynamoDB has written into the table in memory, which the invariants read.

use std::collections::BTreeSet;
use std::sync::Arc;

use memory_dynamodb::{Item, Value};
use memory_store::MemoryStore;
use serde::de::DeserializeOwned;
use shared::domain::{Event, NextVersion, Record, SubscriptionId};
use shared::store::{
    AnnotationStore as _, Attempt, Attempts as _, Checkpoints as _, Commit, Cursor, Outbox as _,
    ReceiverState, Receivers as _, Target,
};

use crate::io::Io;
use crate::simulated_store::{count_cursor, note_filters, ready, write};

/// Copies the items that one request has written. The table in memory keeps the rules of every
/// store, so it is a violation if it refuses what DynamoDB has accepted.
pub(super) fn copy(io: &Arc<Io>, table: &MemoryStore, operation: &str, written: &[Arc<Item>]) {
    let Some(first) = written.first() else { return };
    if sort(first) == "RECONCILIATION" {
        let saved = body(first).map(|checkpoint| ready(table.save_checkpoint(&checkpoint)));
        if !matches!(saved, Ok(Ok(()))) {
            io.violate(format!("DynamoDB has written a checkpoint that is none: {saved:?}"));
        }
        return;
    }
    if sort(first) == "FIRST_START" {
        let saved = body(first).map(|first| ready(table.save_first_start(&first)));
        if !matches!(saved, Ok(Ok(()))) {
            io.violate(format!("DynamoDB has written a first start that is none: {saved:?}"));
        }
        return;
    }
    if sort(first) == "COMPARED" {
        note_compared(io, table, written);
        return;
    }
    if first.get("pk").and_then(Value::text) == Some("RECEIVERS") {
        if let Err(what) = copy_receiver(io, table, operation, first) {
            io.violate(format!("DynamoDB has written a receiver that is none: {what}"));
        }
        return;
    }
    let Some(id) = subscription(first) else { return };
    let copied = match operation {
        "DeleteItem" => delete_cursor(table, id, first),
        _ if sort(first) == "ANNOTATIONS" => save_annotations(table, id, first),
        _ if sort(first).starts_with("ATTEMPT#") => save_attempt(io, table, id, first),
        "TransactWriteItems" => copy_commit(io, table, id, written),
        "UpdateItem" => update_event(table, id, first),
        _ => save_cursor(io, table, id, first),
    };
    if let Err(what) = copied {
        io.violate(format!("{id}: DynamoDB has written {what}"));
    }
}

/// The subscription that an item belongs to. Idempotency keys belong to none.
fn subscription(item: &Item) -> Option<SubscriptionId> {
    item.get("pk")?.text()?.strip_prefix("SUB#")?.parse().ok()
}

fn sort(item: &Item) -> &str {
    item.get("sk").and_then(Value::text).unwrap_or_default()
}

fn body<T: DeserializeOwned>(item: &Item) -> Result<T, String> {
    let body = item.get("body").and_then(Value::plain);
    let body = body.ok_or_else(|| format!("{} without a body", sort(item)))?;
    serde_json::from_value(body).map_err(|error| format!("{}: {error}", sort(item)))
}

fn copy_commit(
    io: &Arc<Io>,
    table: &MemoryStore,
    id: SubscriptionId,
    written: &[Arc<Item>],
) -> Result<(), String> {
    let (mut record, mut events, mut mark) = (None, Vec::new(), None);
    let mut found_by = BTreeSet::new();
    for item in written {
        if subscription(item) != Some(id) {
            return Err("a commit of several subscriptions".to_owned());
        }
        match sort(item).split('#').next() {
            Some("RECORD") => record = Some(body(item)?),
            Some("EVENT") => events.push(body(item)?),
            Some("OP") => mark = Some(body(item)?),
            Some("SEARCH") => {
                found_by.extend(item.get("term").and_then(Value::text).map(str::to_owned));
            }
            _ => return Err(format!("a commit with {}", sort(item))),
        }
    }
    if record.is_none() && !events.is_empty() {
        return Err("events without their record".to_owned());
    }
    let next = record.map(|record: Record| NextVersion {
        record,
        events,
        has_new_search_terms: !found_by.is_empty(),
    });
    if let Some(next) = &next {
        check_search(table, next, &found_by)?;
    }
    let commit = Commit { next, mark };
    let copied = write(io, table, id, &commit);
    copied.map_err(|refused| format!("a commit that a store must refuse: {refused}"))
}

/// The search items change with the searched values, and never without them.
fn check_search(
    table: &MemoryStore,
    next: &NextVersion,
    found_by: &BTreeSet<String>,
) -> Result<(), String> {
    let before = table.record(next.record.id());
    let before = before.as_ref().and_then(Record::search_digest);
    if (next.record.search_digest() != before) != next.has_new_search_terms {
        return Err(format!("a version with {} new search items", found_by.len()));
    }
    let terms = next.record.search_terms();
    let terms: BTreeSet<_> = terms.values().map(|term| term.as_str().to_owned()).collect();
    if next.has_new_search_terms && terms != *found_by {
        return Err("search items of other values than the record has".to_owned());
    }
    Ok(())
}

/// An event loses its people, or its pending mark.
fn update_event(table: &MemoryStore, id: SubscriptionId, item: &Item) -> Result<(), String> {
    let event: Event = body(item)?;
    let stored = table.history(id, 0).into_iter();
    if stored.clone().any(|stored| stored == event) {
        return settle(table, id, item);
    }
    if !stored.clone().any(|stored| stored.without_people() == event) {
        return Err(format!("another event: {event:?}"));
    }
    table.rewrite_event(&event);
    Ok(())
}

fn settle(table: &MemoryStore, id: SubscriptionId, event: &Item) -> Result<(), String> {
    let version = sort(event).strip_prefix("EVENT#").and_then(|key| key.split('#').next());
    let version = version.and_then(|version| version.parse().ok());
    let version = version.ok_or_else(|| format!("an update of {}", sort(event)))?;
    if event.contains_key("outbox") || event.contains_key("due_at") {
        return Err(format!("a settled event that is still due: {}", sort(event)));
    }
    ready(table.settle(id, &BTreeSet::from([version]))).map_err(|error| error.to_string())
}

fn copy_receiver(
    io: &Arc<Io>,
    table: &MemoryStore,
    operation: &str,
    item: &Item,
) -> Result<(), String> {
    let target: Target = sort(item).parse().map_err(|_| "another name".to_owned())?;
    let state: ReceiverState = body(item)?;
    let copied = match operation {
        "DeleteItem" => ready(table.delete_receiver(target, state.revision)),
        _ => ready(table.save_receiver(target, &state)),
    };
    note_filters(io, table, target, &state);
    copied.map_err(|refused| refused.to_string())
}

fn delete_cursor(table: &MemoryStore, id: SubscriptionId, item: &Item) -> Result<(), String> {
    let target = target_of(item)?;
    let cursor: Cursor = body(item)?;
    let deleted = ready(table.delete_cursor(id, target, cursor.revision));
    deleted.map_err(|refused| format!("no cursor that a store may delete: {refused}"))
}

fn target_of(item: &Item) -> Result<Target, String> {
    let name = sort(item).strip_prefix("DELIVERY#");
    let target = name.and_then(|name| name.parse().ok());
    target.ok_or_else(|| format!("an item {}", sort(item)))
}

fn save_cursor(
    io: &Io,
    table: &MemoryStore,
    id: SubscriptionId,
    item: &Item,
) -> Result<(), String> {
    let target = target_of(item)?;
    let cursor: Cursor = body(item)?;
    count_cursor(io, table, (id, target), &cursor);
    let saved = ready(table.save_cursor(id, target, &cursor));
    saved.map_err(|refused| format!("a cursor that a store must refuse: {refused}"))
}

fn note_compared(io: &Io, table: &MemoryStore, written: &[Arc<Item>]) {
    for item in written {
        let begun_at = body::<serde_json::Value>(item).map(|body| body["begunAt"].clone());
        let begun_at = begun_at.ok().and_then(|at| serde_json::from_value(at).ok());
        let noted = subscription(item).zip(begun_at);
        let noted = noted.map(|(id, begun_at)| ready(table.note_compared(&[id], begun_at)));
        if !matches!(noted, Some(Ok(()))) {
            io.violate(format!("DynamoDB has written a note that is none: {item:?}"));
        }
    }
}

/// An attempt is new, or it loses what the receiver wrote.
fn save_attempt(
    io: &Io,
    table: &MemoryStore,
    id: SubscriptionId,
    item: &Item,
) -> Result<(), String> {
    let attempt: Attempt = body(item)?;
    if !item.contains_key("expires_at") {
        return Err(format!("{} for ever", sort(item)));
    }
    io.count("attempt kept");
    ready(table.save_attempt(id, &attempt)).map_err(|error| error.to_string())
}

fn save_annotations(table: &MemoryStore, id: SubscriptionId, item: &Item) -> Result<(), String> {
    let saved = ready(table.save_annotations(id, &body(item)?));
    saved.map_err(|refused| format!("annotations that a store must refuse: {refused}"))
}
