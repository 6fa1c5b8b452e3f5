//! What each version wrote is read, whole.

use std::collections::BTreeSet;

use serde_json::Value;
use shared::domain::{Account, OperationId, Position, Status};
use shared::store::{IdempotencyStore, Refusals as _, Refused, Sort, Target};

use super::*;
use crate::store::idempotency::dynamodb;

/// A table that a version has written.
pub(super) struct Written {
    pub(super) version: String,
    pub(super) items: Items,
    pub(super) table: Table,
}

/// Each version's table.
pub(super) async fn tables() -> Vec<Written> {
    let mut tables = Vec::new();
    for version in versions() {
        let (items, table) = (golden(&version), Table::new().await);
        for item in items.values().flatten() {
            let item = item.as_object().expect("an item").iter();
            let item = item.map(|(name, value)| (name.clone(), attribute(value))).collect();
            let put = table.raw.put_item().table_name(TABLE).set_item(Some(item));
            put.send().await.expect("the database takes it");
        }
        tables.push(Written { version, items, table });
    }
    assert!(tables.len() > 1, "{}", tables.len());
    tables
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
        (kind, _) => panic!("no version wrote a {kind}"),
    }
}

/// The same in plain JSON, as the item's type writes itself.
pub(super) fn plain(value: &Value) -> Value {
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

/// Asserts that what was read is what was stored. It may have members that are newer than the item.
#[track_caller]
pub(super) fn assert_read(read: impl serde::Serialize, stored: &Value) {
    let read = serde_json::to_value(read).expect("it is JSON");
    assert!(holds(&read, stored), "read: {read}\nstored: {stored}");
}

fn holds(read: &Value, stored: &Value) -> bool {
    match (read, stored) {
        (Value::Object(read), Value::Object(stored)) => stored
            .iter()
            .all(|(name, stored)| read.get(name).is_some_and(|read| holds(read, stored))),
        (Value::Array(read), Value::Array(stored)) => {
            read.len() == stored.len()
                && read.iter().zip(stored).all(|(read, stored)| holds(read, stored))
        }
        (read, stored) => read == stored,
    }
}

pub(super) fn key<'a>(item: &'a Value, name: &str) -> &'a str {
    item[name]["S"].as_str().expect("a text")
}

fn subscription(item: &Value) -> SubscriptionId {
    key(item, "pk").strip_prefix("SUB#").expect("a subscription's").parse().expect("a GUID")
}

impl Written {
    pub(super) fn items(&self, kind: ItemKind) -> &[Value] {
        self.items.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// The items of a kind: their subscription, the end of their sort key, and their body.
    pub(super) fn bodies(&self, kind: ItemKind) -> Vec<(SubscriptionId, &str, Value)> {
        let items = &self.items[&kind];
        let end = |item| key(item, "sk").strip_prefix(kind.sort()).expect("the kind's");
        items.iter().map(|item| (subscription(item), end(item), plain(&item["body"]))).collect()
    }

    /// The subscriptions of the cursors, events and records that wait for this.
    pub(super) fn waiting(&self, list: &str) -> BTreeSet<SubscriptionId> {
        let waits = |item: &&Value| {
            item["outbox"]["S"].as_str().is_some_and(|key| key.split('#').next() == Some(list))
        };
        self.items.values().flatten().filter(waits).map(subscription).collect()
    }
}

#[tokio::test]
async fn records_are_read_and_found_by_status_and_offer() {
    for written in tables().await {
        let store = &written.table.store;
        for (id, _, body) in written.bodies(ItemKind::Record) {
            let record = store.load(id).await.expect("a read").expect("a record");
            assert_read(&record, &body);
            let offer_id = Some(record.subscription.offer_id.clone());
            for filter in [
                Filter::default(),
                Filter { status: Some(record.status().clone()), ..Filter::default() },
                Filter { offer_id, ..Filter::default() },
            ] {
                let page = store
                    .list(&ListQuery::default().only(filter.clone()), None)
                    .await
                    .expect("a list");
                assert!(page.items.contains(&record), "{filter:?} misses {id}");
            }
        }
    }
}

/// Sorted lists began with 0.1.0. An older record is in them from its next version on.
#[tokio::test]
async fn records_are_found_in_every_order_from_0_1_0_on() {
    for written in tables().await {
        for sort in Sort::ALL {
            let page = written.table.store.list(&ListQuery::by(ListBy::Sort(sort)), None).await;
            let listed: BTreeSet<_> = page.expect("a list").items.iter().map(Record::id).collect();
            let records = written.bodies(ItemKind::Record);
            let all = records.into_iter().map(|(id, ..)| id).collect();
            let expected = if written.version == "before-0.1.0" { BTreeSet::new() } else { all };
            assert_eq!(listed, expected, "{} {sort:?}", written.version);
        }
    }
}

#[tokio::test]
async fn an_older_record_is_in_the_sorted_lists_from_its_next_version_on() {
    let written = tables().await.swap_remove(0);
    let (store, records) = (&written.table.store, written.bodies(ItemKind::Record));
    let mut expected = BTreeSet::new();
    for (id, ..) in records {
        let record = store.load(id).await.expect("a read").expect("a record");
        if *record.status() == Status::Unsubscribed {
            continue; // It never has another version.
        }
        let mut renamed = json!(record.subscription);
        renamed["name"] = json!("Renamed");
        let observed: Observation = serde_json::from_value(renamed).expect("an observation");
        let now = record.updated_at + SignedDuration::from_hours(1);
        let decided = observe(Some(&record), &observed, &Cause::Reconciliation, now);
        let Ok(Decision::Commit(change)) = decided else { panic!("a change: {decided:?}") };
        store.commit(id, &unmarked(&change)).await.expect("committed");
        expected.insert(id);
    }
    assert!(!expected.is_empty());
    for sort in Sort::ALL {
        let page = store.list(&ListQuery::by(ListBy::Sort(sort)), None).await.expect("a list");
        assert_eq!(page.items.iter().map(Record::id).collect::<BTreeSet<_>>(), expected);
    }
}

/// The search began with 0.1.0. An older record is found from its next version on.
#[tokio::test]
async fn records_are_found_by_their_values_from_0_1_0_on() {
    for written in tables().await {
        for (id, ..) in written.bodies(ItemKind::Record) {
            let store = &written.table.store;
            let record = store.load(id).await.expect("a read").expect("a record");
            for term in record.search_terms().into_values() {
                let page = store.list(&ListQuery::by(ListBy::Search(term)), None).await;
                let is_found = page.expect("a list").items.contains(&record);
                assert_eq!(is_found, written.version != "before-0.1.0", "{id}");
            }
        }
    }
}

#[tokio::test]
async fn an_older_record_is_found_from_its_next_version_on() {
    let written = tables().await.swap_remove(0);
    for (id, ..) in written.bodies(ItemKind::Record) {
        let store = &written.table.store;
        let record = store.load(id).await.expect("a read").expect("a record");
        let change = record.reaffirm(record.updated_at);
        store.commit(id, &unmarked(&change)).await.expect("committed");
        let terms = record.search_terms();
        assert!(!terms.is_empty());
        for term in terms.into_values() {
            let page = store.list(&ListQuery::by(ListBy::Search(term)), None).await;
            assert!(page.expect("a list").items.contains(&change.record), "{id}");
        }
    }
}

#[tokio::test]
async fn the_marks_of_operations_are_read() {
    for written in tables().await {
        for (id, operation, body) in written.bodies(ItemKind::Mark) {
            let operation = OperationId::new(operation).expect("an operation's id");
            let read = written.table.store.load_with_mark(id, &operation).await;
            assert_read(read.expect("a read").1, &body);
        }
    }
}

#[tokio::test]
async fn events_are_read_in_their_order() {
    for Written { items, table, .. } in tables().await {
        let mut events = items[&ItemKind::Event].clone();
        events.sort_by_key(|item| key(item, "sk").to_owned());
        for id in events.iter().map(subscription).collect::<BTreeSet<_>>() {
            let of_it = events.iter().filter(|item| subscription(item) == id);
            let stored: Value = of_it.map(|item| plain(&item["body"])).collect();
            let history = table.store.events(id, 0).await.expect("a read");
            assert_read(history.items, &stored);
            let backlog = table.outbox.backlog(id, Position::default()).await.expect("a read");
            assert_read(backlog.events, &stored);
        }
    }
}

#[tokio::test]
async fn cursors_are_read_and_listed_as_due_or_parked() {
    for written in tables().await {
        let outbox = &written.table.outbox;
        for (id, target, body) in written.bodies(ItemKind::Cursor) {
            let target: Target = target.parse().expect("a target");
            let cursor = outbox.cursor(id, target).await.expect("a read");
            assert_read(cursor, &body);
        }
        let later = "2027-01-01T00:00:00Z".parse().expect("a timestamp");
        let due = outbox.due(later, None).await.expect("a read").items;
        let due: BTreeSet<_> = due.iter().map(|due| due.subscription()).collect();
        assert_eq!(due, written.waiting("DUE"));
        let parked = outbox.parked(None).await.expect("a read").items;
        let parked: BTreeSet<_> = parked.into_iter().map(|(id, _)| id).collect();
        assert_eq!(parked, written.waiting("PARKED"));
        assert!(!due.is_empty() && !parked.is_empty());
    }
}

/// Annotations began with 0.1.0.
#[tokio::test]
async fn annotations_are_read() {
    for Written { items, table, version } in tables().await {
        let stored = items.get(&ItemKind::Annotations).map_or(&[][..], Vec::as_slice);
        assert_eq!(stored.is_empty(), version == "before-0.1.0");
        for item in stored {
            let read = table.annotations.annotations(subscription(item)).await;
            assert_read(read.expect("a read").expect("annotations"), &plain(&item["body"]));
        }
    }
}

#[tokio::test]
async fn requests_with_an_idempotency_key_are_read() {
    for Written { items, table, .. } in tables().await {
        for item in &items[&ItemKind::IdempotencyRecord] {
            let body = plain(&item["body"]);
            let now = body["begunAt"].as_str().and_then(|at| at.parse().ok()).expect("a time");
            let name = key(item, "pk").strip_prefix("REQUEST#").expect("a request's");
            assert_read(dynamodb(&table).find(name, now).await.expect("a read"), &body);
        }
    }
}

#[tokio::test]
async fn the_checkpoint_is_read() {
    for Written { items, table, .. } in tables().await {
        let [item] = &items[&ItemKind::Checkpoint][..] else { panic!("there is one") };
        let checkpoint = table.checkpoints.checkpoint().await.expect("a read");
        assert_read(checkpoint, &plain(&item["body"]));
    }
}

/// Notes of what a list has shown began with 0.2.0.
#[tokio::test]
async fn what_a_list_has_shown_is_read() {
    for Written { items, table, version } in tables().await {
        let noted = table.checkpoints.compared(&[id(1)], noon()).await.expect("a read");
        assert_eq!(noted.contains(&id(1)), !matches!(&*version, "before-0.1.0" | "0.1.0"));
        assert_eq!(items.contains_key(&ItemKind::Compared), !noted.is_empty());
    }
}

/// They began with 0.2.0.
#[tokio::test]
async fn runs_a_dry_run_and_a_pause_are_read() {
    for Written { items, table, version } in tables().await {
        let stored = |kind| items.get(&kind).map_or(&[][..], Vec::as_slice);
        let of_kinds = [ItemKind::Run, ItemKind::DryRun, ItemKind::Pause].map(stored);
        let [runs, dry_runs, pauses] = of_kinds;
        let is_older = ["before-0.1.0", "0.1.0"].contains(&version.as_str());
        assert_eq!(of_kinds.map(<[Value]>::is_empty), [is_older; 3], "{version}");
        let listed = table.runs.runs(100, None).await.expect("a read").items;
        assert_eq!(listed.len(), runs.len());
        for (run, item) in listed.iter().rev().zip(runs) {
            assert_read(run, &plain(&item["body"]));
        }
        for item in dry_runs {
            assert_read(table.runs.dry_run().await.expect("a read"), &plain(&item["body"]));
        }
        for item in pauses {
            assert_read(table.runs.pause().await.expect("a read"), &plain(&item["body"]));
        }
    }
}

/// An epoch has no body: it is its version.
#[tokio::test]
async fn the_epoch_is_read() {
    for Written { items, table, version } in tables().await {
        let stored = items.get(&ItemKind::Epoch).map(|items| items[0]["version"]["N"].clone());
        assert_eq!(stored.is_none(), version == "before-0.1.0");
        let read = table.store.epoch().await.expect("a read").to_string();
        assert_eq!(json!(read), stored.unwrap_or(json!("0")));
    }
}

/// A refusal has no body: it is its key.
#[tokio::test]
async fn refusals_are_read() {
    for Written { items, table, version } in tables().await {
        let account =
            Account { tenant_id: Uuid::from_u128(10), object_id: Some(Uuid::from_u128(1)) };
        let refused = Refused::purchase_token(&account, "a token");
        let is_read = dynamodb(&table).is_refused(&refused, noon()).await.expect("a read");
        assert_eq!(is_read, version != "before-0.1.0");
        assert_eq!(items.contains_key(&ItemKind::Refusal), is_read);
    }
}

#[tokio::test]
async fn what_was_seen_last_is_read() {
    for Written { items, table, version } in tables().await {
        let stored = items.get(&ItemKind::Sighting).cloned().unwrap_or_default();
        assert_eq!(stored.is_empty(), version == "before-0.1.0");
        let seen = table.sightings.sightings().await.expect("a read");
        let seen: Vec<_> =
            seen.iter().map(|(sighting, at)| (sighting.name(), json!({ "at": at }))).collect();
        let stored = stored.iter().map(|item| (key(item, "sk").to_owned(), plain(&item["body"])));
        assert_eq!(seen, stored.collect::<Vec<_>>());
    }
}
