//! What a released version wrote is read, whole.
//!
//! `released-0.1.0.json` holds items of a table that version 0.1.0 kept: purchases that were
//! activated, changed by both sides, suspended and cancelled; an event that was not delivered yet;
//! a receiver that was down, with one cursor due and one parked; two changes with an idempotency key;
//! and the reconciliation's checkpoint. A release that changes what it writes adds a file of its own,
//! and leaves this one alone.

use std::collections::BTreeSet;

use serde_json::Value;
use shared::domain::{OperationId, Position};
use shared::store::{IdempotencyStore, Target};

use super::idempotency::dynamodb;
use super::*;

const RELEASED: &str = include_str!("released-0.1.0.json");

/// Items as DynamoDB's JSON has them.
fn released() -> Vec<Value> {
    serde_json::from_str(RELEASED).expect("JSON")
}

async fn table_of_the_release() -> Table {
    let table = Table::new().await;
    for item in released() {
        let item = item.as_object().expect("an item").iter();
        let item = item.map(|(name, value)| (name.clone(), attribute(value))).collect();
        let put = table.raw.put_item().table_name(TABLE).set_item(Some(item));
        put.send().await.expect("the database takes it");
    }
    table
}

fn typed(value: &Value) -> (&str, &Value) {
    let (kind, value) = value.as_object().and_then(|typed| typed.iter().next()).expect("typed");
    (kind, value)
}

fn attribute(value: &Value) -> AttributeValue {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    match typed(value) {
        ("S", value) => AttributeValue::S(text(value)),
        ("N", value) => AttributeValue::N(text(value)),
        ("BOOL", value) => AttributeValue::Bool(value == true),
        ("NULL", _) => AttributeValue::Null(true),
        ("L", list) => {
            AttributeValue::L(list.as_array().expect("a list").iter().map(attribute).collect())
        }
        ("M", map) => {
            let map = map.as_object().expect("a map").iter();
            AttributeValue::M(map.map(|(name, value)| (name.clone(), attribute(value))).collect())
        }
        (kind, _) => panic!("0.1.0 wrote no {kind}"),
    }
}

/// The same in plain JSON, as the item's type writes itself.
fn plain(value: &Value) -> Value {
    match typed(value) {
        ("N", number) => serde_json::from_str(number.as_str().expect("a text")).expect("a number"),
        ("NULL", _) => Value::Null,
        ("L", list) => list.as_array().expect("a list").iter().map(plain).collect(),
        ("M", map) => {
            let map = map.as_object().expect("a map").iter();
            map.map(|(name, value)| (name.clone(), plain(value))).collect()
        }
        (_, value) => value.clone(),
    }
}

fn sort_key(item: &Value) -> &str {
    item["sk"]["S"].as_str().expect("a sort key")
}

fn subscription(item: &Value) -> Option<SubscriptionId> {
    item["pk"]["S"].as_str()?.strip_prefix("SUB#")?.parse().ok()
}

/// The bodies of the released items whose sort key begins so, with their subscription.
fn bodies(prefix: &str) -> Vec<(SubscriptionId, String, Value)> {
    let items: Vec<_> = released()
        .iter()
        .filter(|item| sort_key(item).starts_with(prefix))
        .map(|item| {
            let id = subscription(item).expect("a subscription's");
            (id, sort_key(item).replace(prefix, ""), plain(&item["body"]))
        })
        .collect();
    assert!(!items.is_empty(), "the release wrote {prefix}");
    items
}

fn json_of(value: impl serde::Serialize) -> Value {
    serde_json::to_value(value).expect("it is JSON")
}

#[tokio::test]
async fn records_are_read_and_found_by_status_and_offer() {
    let table = table_of_the_release().await;
    for (id, _, body) in bodies("RECORD") {
        let record = table.store.load(id).await.expect("a read").expect("a record");
        assert_eq!(json_of(&record), body);
        let offer_id = Some(record.subscription.offer_id.clone());
        for filter in [
            Filter { status: Some(record.status().clone()), offer_id: None },
            Filter { status: None, offer_id },
        ] {
            let page = table.store.list(&filter, None, None).await.expect("a list");
            assert!(page.items.contains(&record), "{filter:?} misses {id}");
        }
    }
}

#[tokio::test]
async fn the_marks_of_operations_are_read() {
    let table = table_of_the_release().await;
    for (id, operation, body) in bodies("OP#") {
        let operation = OperationId::new(&operation).expect("an operation's id");
        let (_, mark) = table.store.load_with_mark(id, &operation).await.expect("a read");
        assert_eq!(json_of(mark), body);
    }
}

#[tokio::test]
async fn events_are_read_in_their_order() {
    let table = table_of_the_release().await;
    let written = bodies("EVENT#");
    for id in written.iter().map(|(id, ..)| *id).collect::<BTreeSet<_>>() {
        let expected: Vec<_> =
            written.iter().filter(|(of, ..)| *of == id).map(|(.., body)| body.clone()).collect();
        let history = table.store.events(id, 0).await.expect("a read");
        assert_eq!(json_of(history.items), json_of(&expected));
        let backlog = table.outbox.backlog(id, Position::default()).await.expect("a read");
        assert_eq!(json_of(backlog.events), json_of(&expected));
    }
}

#[tokio::test]
async fn cursors_are_read_and_listed_as_due_or_parked() {
    let table = table_of_the_release().await;
    for (id, _, body) in bodies("DELIVERY#endpoint") {
        let cursor = table.outbox.cursor(id, Target::Endpoint).await.expect("a read");
        assert_eq!(json_of(cursor), body);
    }
    let waiting = |state: &str| -> Vec<SubscriptionId> {
        let all = released();
        let all = all.iter().filter(|item| item["outbox"]["S"] == *state);
        all.filter_map(subscription).collect()
    };
    let later = "2027-01-01T00:00:00Z".parse().expect("a timestamp");
    let due = table.outbox.due(later, None).await.expect("a read").items;
    let due: BTreeSet<_> = due.iter().map(|due| due.subscription()).collect();
    assert_eq!(due, waiting("DUE").into_iter().collect());
    let parked = table.outbox.parked(None).await.expect("a read").items;
    assert_eq!(parked.into_iter().map(|(id, _)| id).collect::<Vec<_>>(), waiting("PARKED"));
}

#[tokio::test]
async fn requests_with_an_idempotency_key_are_read() {
    let table = table_of_the_release().await;
    let now = "2026-12-04T00:00:00Z".parse().expect("a timestamp");
    let mut read = 0;
    for item in released() {
        let Some(key) = item["pk"]["S"].as_str().and_then(|pk| pk.strip_prefix("REQUEST#")) else {
            continue;
        };
        let found = dynamodb(&table).find(key, now).await.expect("a read");
        assert_eq!(json_of(found), plain(&item["body"]));
        read += 1;
    }
    assert_eq!(read, 2);
}

#[tokio::test]
async fn the_checkpoint_is_read() {
    let table = table_of_the_release().await;
    let items = released();
    let run = items.iter().find(|item| item["pk"]["S"] == "RUN").expect("the release wrote it");
    let checkpoint = table.checkpoints.checkpoint().await.expect("a read");
    assert_eq!(json_of(checkpoint), plain(&run["body"]));
}
