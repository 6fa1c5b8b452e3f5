//! DynamoDB's answers: items of other versions of this software, of other software, and arbitrary
//! data.
#![no_main]

use bytes::Bytes;
use fuzz::{OPERATION, SUBSCRIPTION, run, table_alone};
use http::Response;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use shared::domain::{Event, NextVersion, OperationId, Record, SearchTerm, SubscriptionId};
use shared::store::{
    AnnotationStore as _, Checkpoint, Checkpoints as _, Commit, ListBy, ListQuery, Mark, Store,
};

/// Sets the answer to every call to the table.
fn answer(body: Bytes) {
    table_alone().0.reset(Box::new(move |_| Response::new(body.clone())));
}

fuzz_target!(|body: &[u8]| {
    let (_, store) = table_alone();
    let (id, operation) = (SubscriptionId(SUBSCRIPTION), OperationId::from(OPERATION));
    answer(Bytes::copy_from_slice(body));
    let record = run(store.load(id)).ok().flatten();
    let (found, mark) = run(store.load_with_mark(id, &operation)).unwrap_or_default();
    let events = run(store.events(id, 0)).map(|page| page.items).unwrap_or_default();
    let checkpoint = run(store.checkpoint());
    let annotations = run(store.annotations(id)).ok().flatten();
    // An invalid answer yields nothing.
    if serde_json::from_slice::<Value>(body).is_err() && !body.is_empty() {
        assert!(record.is_none() && found.is_none() && mark.is_none() && events.is_empty());
        // The SDK skips invalid members that it doesn't read. Then there is no item, and no
        // checkpoint.
        assert!(
            checkpoint.as_ref().map_or(true, |checkpoint| *checkpoint == Checkpoint::default())
        );
    }
    // An unreadable record doesn't hide the others.
    if let Ok(many) = run(store.load_many(&[id]))
        && let Some(found) = found
        && let Some(Ok(record)) = many.get(&id)
    {
        assert_eq!(record.id() == found.id(), *record == found || record.id() != id);
    }
    for by in [ListBy::All, ListBy::Search(SearchTerm::of("contoso").expect("long enough"))] {
        let listed = run(store.list(&ListQuery::by(by), None));
        drop(listed);
    }
    if let Ok(checkpoint) = checkpoint
        && checkpoint.revision > 0
    {
        answer(Bytes::from_static(b"{}"));
        run(store.save_checkpoint(&checkpoint)).expect("a checkpoint is always written");
        answer(json!({ "Item": sent()["Item"] }).to_string().into());
        assert_eq!(run(store.checkpoint()).expect("a checkpoint as it was written"), checkpoint);
    }
    if let Some(annotations) = annotations.filter(|annotations| annotations.revision > 0) {
        answer(Bytes::from_static(b"{}"));
        run(store.save_annotations(id, &annotations)).expect("annotations are always written");
        let written = &sent()["TransactItems"][0]["Put"]["Item"];
        answer(json!({ "Item": written }).to_string().into());
        let again = run(store.annotations(id)).expect("annotations as they were written");
        assert_eq!(again, Some(annotations));
    }
    if let Some(record) = record.filter(|record| record.version > 0) {
        written_and_read_again(record, events, mark);
    }
});

/// The last request.
fn sent() -> Value {
    let sent = table_alone().0.sent();
    let last = sent.last().expect("a request");
    serde_json::from_slice(last.body()).expect("a request in JSON")
}

/// A committed record is read back unchanged.
fn written_and_read_again(record: Record, events: Vec<Event>, mark: Option<Mark>) {
    let (_, store) = table_alone();
    let id = record.id();
    let commit = Commit { next: Some(NextVersion::of(record, events)), mark };
    answer(Bytes::from_static(b"{}"));
    // The largest timestamps overflow when a duration is added.
    if run(store.commit(id, &commit)).is_err() {
        return;
    }
    let items: Vec<Value> = sent()["TransactItems"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| item["Put"]["Item"].clone())
        // What it is found by is not read back, and comes last.
        .filter(|item| item["search"].is_null() && !item.is_null())
        .collect();
    let Commit { next: Some(NextVersion { record, events, .. }), mark } = commit else { return };
    let marks = usize::from(mark.is_some());
    answer(json!({ "Item": items[marks] }).to_string().into());
    assert_eq!(run(store.load(id)).expect("a record as it was written"), Some(record.clone()));
    answer(json!({ "Items": items[marks + 1..] }).to_string().into());
    assert_eq!(run(store.events(id, 0)).expect("events as they were written").items, events);
    if let Some(mark) = mark {
        answer(json!({ "Responses": { "table": items[..2] } }).to_string().into());
        let both = run(store.load_with_mark(id, &mark.operation_id));
        assert_eq!(both.expect("both as they were written"), (Some(record), Some(mark)));
    }
}
