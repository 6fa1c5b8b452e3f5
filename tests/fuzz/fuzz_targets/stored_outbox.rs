//! DynamoDB's answers about delivery cursors, pending events and idempotency keys: items of other
//! versions of this software, of other software, and arbitrary data. The parts of an input: the
//! answer to a read, a list's continuation token as a caller might send it, the answer to a write.
#![no_main]

use std::collections::BTreeSet;

use bytes::Bytes;
use fuzz::{DYNAMODB, Message, SUBSCRIPTION, now, parts, run, table_alone};
use http::Response;
use jiff::{SignedDuration, Timestamp};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use shared::domain::{Position, SubscriptionId};
use shared::store::{
    BeginError, Cursor, CursorError, CursorState, IDEMPOTENCY_KEY_LIFETIME, IdempotencyRecord,
    IdempotencyStore, Outbox, Page, StoreError, Target,
};

const ID: SubscriptionId = SubscriptionId(SUBSCRIPTION);

const KEY: &str = "1d9b6f0e";

/// Sets the answer to every call to the table.
fn answer(answer: Response<Bytes>) {
    table_alone().0.reset(Box::new(move |_| answer.clone()));
}

/// The same, except that of the keys that a list of waiting entries is spread over, one alone has some.
fn answer_once_per_list(body: &Bytes) {
    let body = body.clone();
    table_alone().0.reset(Box::new(move |request| {
        let request: Value = serde_json::from_slice(request.body()).expect("a request in JSON");
        let key = request["ExpressionAttributeValues"][":key"]["S"].as_str();
        let is_empty = key.is_some_and(|key| key.contains('#'));
        Response::new(if is_empty { Bytes::from_static(b"{}") } else { body.clone() })
    }));
}

fn answer_text(body: impl Into<Bytes>) {
    answer(Response::new(body.into()));
}

/// The last request, if there was one.
fn sent() -> Option<Value> {
    let sent = table_alone().0.sent();
    let last = sent.last()?;
    assert!(last.uri().to_string().starts_with(DYNAMODB));
    Some(serde_json::from_slice(last.body()).expect("a request in JSON"))
}

/// A cursor replaces its previous revision only, and is read back unchanged.
fn saved_and_read_again(cursor: &Cursor) {
    let (_, store) = table_alone();
    answer_text("{}");
    let saved = run(store.save_cursor(ID, Target::EventBus, cursor));
    let Some(before) = cursor.revision.checked_sub(1) else {
        assert!(matches!(saved, Err(CursorError::Conflict)) && sent().is_none());
        return;
    };
    saved.expect("a cursor is always written");
    let put = sent().expect("a request");
    if before == 0 {
        assert_eq!(put["ConditionExpression"], "attribute_not_exists(#pk)");
    } else {
        assert_eq!(put["ConditionExpression"], "#version = :expected");
        assert_eq!(put["ExpressionAttributeValues"][":expected"]["N"], before.to_string());
    }
    let item = &put["Item"];
    assert_eq!(item["version"]["N"], cursor.revision.to_string());
    assert_eq!(item["pk"]["S"], format!("SUB#{SUBSCRIPTION}"));
    assert_eq!(item["sk"]["S"], "DELIVERY#event-bus");
    assert!(
        item.get("expires_at").is_none(),
        "a cursor must not expire, or all events would be sent again"
    );
    // Due and parked cursors are in the index; a cursor that is up to date is not.
    let (list, at) = match &cursor.state {
        CursorState::Flowing => (None, None),
        CursorState::Due { at, .. } => (Some("DUE"), Some(at)),
        CursorState::Parked { at, .. } => (Some("PARKED"), Some(at)),
    };
    let kind = item["outbox"]["S"].as_str().and_then(|key| key.split('#').next());
    assert_eq!(kind, list);
    let due_at = item["due_at"]["S"].as_str().and_then(|key| key.split('#').next());
    assert_eq!(due_at.is_some(), at.is_some());
    // Years before year 1 don't survive a round trip.
    if let (Some(due_at), Some(at)) = (due_at, at.filter(|at| **at >= Timestamp::UNIX_EPOCH)) {
        let due_at: Timestamp = due_at.parse().expect("a time");
        assert_eq!(due_at.as_second(), at.as_second());
    }
    answer_text(json!({ "Item": item }).to_string());
    assert_eq!(run(store.cursor(ID, Target::EventBus)).expect("as it was saved"), *cursor);
}

/// An idempotency record lives for a day, can be abandoned at once, and is read back unchanged.
fn kept_and_read_again(request: &IdempotencyRecord) {
    let (_, store) = table_alone();
    answer_text("{}");
    // The largest timestamps overflow when a duration is added.
    if run(store.begin(KEY, request)).is_err() {
        return;
    }
    let kept = sent().expect("a request");
    let condition = "attribute_not_exists(#pk) OR #expires_at <= :now";
    assert_eq!(kept["ConditionExpression"], condition);
    assert_eq!(kept["Item"]["pk"]["S"], format!("REQUEST#{KEY}"));
    run(store.complete(KEY, request)).expect("a request that could be kept");
    assert_eq!(sent().expect("a request")["Item"], kept["Item"]);
    run(store.abandon(KEY, request)).expect("a request that could be kept");
    let released = sent().expect("a request")["Item"].clone();

    let (begun, moment) = (request.begun_at, SignedDuration::from_secs(1));
    let read = |item: &Value, at: Timestamp| {
        answer_text(json!({ "Item": item }).to_string());
        run(store.find(KEY, at)).expect("as it was kept")
    };
    assert_eq!(read(&kept["Item"], begun).as_ref(), Some(request));
    assert_eq!(read(&released, begun), None, "given free");
    if let Ok(last) = begun.checked_add(IDEMPOTENCY_KEY_LIFETIME) {
        assert_eq!(read(&kept["Item"], last - moment).as_ref(), Some(request));
        assert_eq!(read(&kept["Item"], last), None, "a day old");
    }
}

/// A continuation token continues its own list and is refused otherwise.
fn goes_on(place: &str) {
    answer_text("{}");
    let page = run(table_alone().1.due(now(), Some(place)));
    let parts: Vec<_> = place.split(' ').collect();
    match page {
        Ok(_) => {
            let start = &sent().expect("a request")["ExclusiveStartKey"];
            let key = ["due_at", "pk", "sk"].map(|name| start[name]["S"].as_str().expect("text"));
            assert_eq!(parts[..3], key);
            assert!(key.iter().all(|part| !part.is_empty()));
            assert!(start["outbox"]["S"].as_str().expect("text").starts_with("DUE"));
        }
        Err(StoreError::BadPosition) => {
            assert!(sent().is_none());
            assert!(parts.len() < 3 || parts[..3].contains(&""), "{place}");
        }
        Err(error) => panic!("{error}"),
    }
}

/// The most entries on a page.
const LONGEST_PAGE: usize = 100;

/// The next page starts after the key that the answer names.
fn next_is_where_it_ended<T>(page: &Page<T>, body: &Value) {
    let Some(next) = page.next.as_ref().filter(|_| items(body).len() <= LONGEST_PAGE) else {
        return;
    };
    let last = &body["LastEvaluatedKey"];
    let parts = ["due_at", "pk", "sk"].map(|name| last[name]["S"].as_str().expect("text"));
    assert_eq!(*next, parts.join(" "));
    goes_on(next);
}

/// The items of an answer that can be read.
fn items(body: &Value) -> Vec<&Value> {
    body["Items"].as_array().into_iter().flatten().collect()
}

/// Whether a receiver can have this name.
fn is_name(name: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_lowercase();
    name.len() <= 20
        && name.starts_with(is_letter)
        && name.chars().all(|c| is_letter(c) || c.is_ascii_digit() || c == '-')
}

fn listed(body: &Bytes, read: Option<&Value>) {
    let (_, store) = table_alone();
    answer_once_per_list(body);
    let due = run(store.due(now(), None));
    let parked = run(store.parked(None));
    let backlog = run(store.backlog(ID, Position::default()));
    let Some(read) = read else {
        assert!(due.map_or(true, |page| page.items.is_empty()));
        assert!(parked.map_or(true, |page| page.items.is_empty()));
        assert!(backlog.map_or(true, |backlog| backlog.events.is_empty()));
        return;
    };
    let key = |item: &Value, name: &str| item[name]["S"].as_str().unwrap_or_default().to_owned();
    if let Ok(page) = due {
        // A due entry is read from its keys, and an unreadable one doesn't hide the others.
        let readable = items(read).into_iter().filter(|item| {
            let id = key(item, "pk").strip_prefix("SUB#").map(uuid::Uuid::try_parse);
            let sort = key(item, "sk");
            let version = sort.strip_prefix("EVENT#").and_then(|rest| rest.split_once('#'));
            let is_signed = version.is_some_and(|(version, _)| version.parse::<u64>().is_ok());
            let is_cursor = sort.strip_prefix("DELIVERY#").is_some_and(is_name);
            let is_in_index = item["due_at"]["S"].is_string();
            matches!(id, Some(Ok(_))) && (is_signed || is_cursor) && is_in_index
        });
        // Behind the key that the answer names, other entries may be missing.
        if page.next.is_none() {
            assert_eq!(page.items.len(), readable.count());
        }
        next_is_where_it_ended(&page, read);
    }
    if let Ok(page) = parked {
        next_is_where_it_ended(&page, read);
    }
    if let Ok(backlog) = backlog {
        // An unreadable event stops the events after it.
        assert_eq!(backlog.events.len(), items(read).len());
        let versions: BTreeSet<_> = backlog.events.iter().map(|event| event.version).collect();
        answer_text("{}");
        run(store.settle(ID, &versions)).expect("a sign is always taken off");
        assert_eq!(table_alone().0.sent().len(), versions.len());
    }
}

/// The result of a write follows DynamoDB's answer.
fn written(answered: Message, cursor: &Cursor, request: &IdempotencyRecord) {
    let (_, store) = table_alone();
    let (answered, says) = (answered.body.clone(), answered.answer());
    let succeeds = says.status().is_success();
    let names = ["ConditionalCheckFailedException", "TransactionConflictException"];
    let header = says.headers().get("x-amzn-errortype").cloned();
    let text = [&answered[..], header.as_ref().map_or(&b""[..], |value| value.as_bytes())].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    let conflicts = names.iter().any(|name| text.contains(name));
    answer(says);
    match run(store.save_cursor(ID, Target::Endpoint, cursor)) {
        Ok(()) => assert!(succeeds),
        Err(CursorError::Conflict) => assert!(!succeeds && conflicts, "{text}"),
        Err(CursorError::Store(_)) => {}
    }
    match run(store.begin(KEY, request)) {
        Ok(()) => assert!(succeeds),
        Err(BeginError::Taken) => assert!(!succeeds && conflicts, "{text}"),
        Err(BeginError::Store(_)) => {}
    }
}

fuzz_target!(|input: &[u8]| {
    let [body, place, answered] = parts(input);
    let (_, store) = table_alone();
    let body = Bytes::copy_from_slice(body);
    answer_text(body.clone());
    let cursor = run(store.cursor(ID, Target::Endpoint));
    let request = run(store.find(KEY, now()));
    let read: Option<Value> = serde_json::from_slice(&body).ok();
    // An invalid answer yields nothing. The SDK skips invalid members that it doesn't read; then
    // there is no item.
    if read.is_none() && !body.is_empty() {
        assert!(cursor.as_ref().map_or(true, |cursor| *cursor == Cursor::default()));
        assert!(matches!(request, Ok(None) | Err(_)));
    }
    let mut cursor = cursor.unwrap_or_default();
    saved_and_read_again(&cursor);
    if let Ok(Some(request)) = &request {
        kept_and_read_again(request);
    }
    listed(&body, read.as_ref());
    if let Ok(place) = std::str::from_utf8(place) {
        goes_on(place);
    }
    if !answered.is_empty() {
        cursor.revision = cursor.revision.max(1);
        let request_line = "DELETE 33333333-3333-4333-8333-333333333333".to_owned();
        let otherwise =
            IdempotencyRecord { request: request_line, begun_at: now(), response: None };
        let request = request.ok().flatten().unwrap_or(otherwise);
        written(Message::read(answered), &cursor, &request);
    }
});
