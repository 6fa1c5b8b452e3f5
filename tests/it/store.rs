//! The table. The contract is held against every store there is; what only DynamoDB's items show
//! is looked at here.

mod contract;
mod outbox;
mod requests;

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use local::{Database, database};
use serde_json::json;
use shared::domain::{
    Action, Cause, Decision, NextVersion, Observation, OperationId, Record, SubscriptionId, observe,
};
use shared::host::clock::Clock;
use shared::host::environment::Environment;
use shared::host::http_client::{HttpClient, Transport};
use shared::host::retry::Transient;
use shared::store::{
    Checkpoints, Commit, Filter, Mark, OperationOutcome, Outbox, Store, StoreError,
};
use uuid::Uuid;

/// Nothing waits here.
#[derive(Debug)]
struct Stopped;

#[async_trait]
impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        noon()
    }

    async fn sleep(&self, _: std::time::Duration) {}

    fn new_id(&self) -> Uuid {
        Uuid::new_v4()
    }
}

/// The table on the embedded database, and a way past the store.
struct Table {
    store: Arc<dyn Store>,
    outbox: Arc<dyn Outbox>,
    checkpoints: Arc<dyn Checkpoints>,
    raw: aws_sdk_dynamodb::Client,
    database: Option<Database>,
}

const TABLE: &str = "subscriptions";

impl Table {
    async fn new() -> Self {
        let table = Self::without_table().await;
        database::create_table(&table.raw, TABLE).await.expect("the table is made");
        table
    }

    async fn without_table() -> Self {
        let database = Database::start(None).await.expect("the database starts");
        let url = database.url().to_owned();
        let raw = database::client(&url, "us-east-1");
        let environment = Environment::from_fn(move |name| match name {
            "TABLE_NAME" => Some(TABLE.to_owned()),
            "AWS_ENDPOINT_URL_DYNAMODB" => Some(url.clone()),
            "AWS_REGION" => Some("us-east-1".to_owned()),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("local".to_owned()),
            _ => None,
        });
        let transport: Arc<dyn Transport> = Arc::new(HttpClient::default());
        let store = shared::config::table(&environment, &transport, Arc::new(Stopped))
            .expect("the settings are fine");
        Self {
            outbox: store.clone(),
            checkpoints: store.clone(),
            store,
            raw,
            database: Some(database),
        }
    }

    /// Every item of a subscription, by sort key.
    async fn items(&self, id: SubscriptionId) -> Vec<HashMap<String, AttributeValue>> {
        let query = self.raw.query().table_name(TABLE).key_condition_expression("pk = :pk");
        let partition = AttributeValue::S(format!("SUB#{id}"));
        let answer = query.expression_attribute_values(":pk", partition).send().await;
        answer.expect("the database answers").items.unwrap_or_default()
    }

    /// Writes over the item of a record, keeping these attributes only, and a body that is none.
    async fn corrupt(&self, id: SubscriptionId, kept: &[&str]) {
        let mut items = self.items(id).await;
        items.retain(|item| sort(item) == "RECORD");
        let mut item = items.pop().expect("a record");
        item.retain(|name, _| kept.contains(&name.as_str()));
        item.insert("body".into(), AttributeValue::S("not a record".into()));
        let put = self.raw.put_item().table_name(TABLE).set_item(Some(item));
        put.send().await.expect("the database takes it");
    }
}

const ATTRIBUTES: [&str; 6] = ["pk", "sk", "version", "status", "offer_id", "subscription_id"];

fn sort(item: &HashMap<String, AttributeValue>) -> &str {
    item["sk"].as_s().expect("a sort key")
}

fn noon() -> Timestamp {
    "2026-03-10T12:00:00Z".parse().expect("a timestamp")
}

fn id(number: usize) -> SubscriptionId {
    SubscriptionId(Uuid::from_u128(0x5e1f_0000 + number as u128))
}

fn seen(id: SubscriptionId, status: &str, offer: &str, seats: u64) -> Observation {
    serde_json::from_value(json!({
        "id": id, "offerId": offer, "planId": "silver", "quantity": seats,
        "saasSubscriptionStatus": status, "name": format!("{status} at {offer}"),
    }))
    .expect("an observation")
}

/// What the rules make of an observation. An hour passes with every version, so that nothing settles.
fn change(current: Option<&Record>, observed: &Observation) -> NextVersion {
    let hours = current.map_or(0, |record| i64::try_from(record.version).expect("few versions"));
    let now = noon() + SignedDuration::from_hours(hours);
    match observe(current, observed, &Cause::Reconciliation, now) {
        Ok(Decision::Commit(change)) => change,
        other => panic!("nothing to commit: {other:?}"),
    }
}

/// The first version of a subscription to the offer `offer`, with ten seats.
fn first(id: SubscriptionId, status: &str) -> NextVersion {
    change(None, &seen(id, status, "offer", 10))
}

/// The next version, with another number of seats.
fn next(record: &Record, seats: u64) -> NextVersion {
    let subscription = &record.subscription;
    let status = subscription.saas_subscription_status.as_str();
    change(Some(record), &seen(record.id(), status, &subscription.offer_id, seats))
}

fn mark(number: u128) -> Mark {
    Mark {
        operation_id: OperationId(Uuid::from_u128(number)),
        action: Action::ChangePlan,
        outcome: OperationOutcome::Accepted,
        at: noon(),
    }
}

fn of(change: &NextVersion) -> Commit {
    Commit { next: Some(change.clone()), mark: None }
}

fn marked(change: Option<&NextVersion>, mark: &Mark) -> Commit {
    Commit { next: change.cloned(), mark: Some(mark.clone()) }
}

/// Runs each case of the contract on a table of its own.
macro_rules! hold_on_every_store {
    ($($case:ident),+ $(,)?) => {
        mod on_dynamodb {
            $(#[tokio::test]
            async fn $case() {
                let table = super::Table::new().await;
                super::contract::$case(&*table.store).await;
            })+
        }

        /// The one the simulation stands on.
        mod in_memory {
            $(#[tokio::test]
            async fn $case() {
                super::contract::$case(&simulation::MemoryStore::default()).await;
            })+
        }
    };
}

hold_on_every_store!(
    a_first_version_is_written_once,
    a_version_follows_the_one_before_and_no_other,
    an_operation_is_marked_once,
    a_refused_commit_writes_nothing_at_all,
    a_commit_of_nothing_is_no_failure,
    a_record_and_a_mark_are_read_together,
    of_many_writers_of_one_version_one_wins,
    of_many_answers_to_one_operation_one_wins,
    events_are_read_in_order_page_by_page,
    many_records_are_read_at_once,
    records_are_listed_by_status_by_offer_by_both_and_all,
    lists_follow_changes,
    a_list_that_goes_on_from_nonsense_is_refused,
);

#[tokio::test]
async fn a_checkpoint_is_kept_on_dynamodb() {
    let table = Table::new().await;
    contract::a_checkpoint_is_kept(&*table.store, &*table.checkpoints).await;
}

#[tokio::test]
async fn a_checkpoint_is_kept_in_memory() {
    let table = simulation::MemoryStore::default();
    contract::a_checkpoint_is_kept(&table, &table).await;
}

/// The same for what is to be carried to the publisher's product.
macro_rules! hold_on_every_outbox {
    ($($case:ident),+ $(,)?) => {
        mod outbox_on_dynamodb {
            $(#[tokio::test]
            async fn $case() {
                let table = super::Table::new().await;
                let (store, outbox) = (&*table.store, &*table.outbox);
                super::outbox::$case(super::outbox::Faces { store, outbox }).await;
            })+
        }

        mod outbox_in_memory {
            $(#[tokio::test]
            async fn $case() {
                let table = simulation::MemoryStore::default();
                let (store, outbox) = (&table, &table);
                super::outbox::$case(super::outbox::Faces { store, outbox }).await;
            })+
        }
    };
}

hold_on_every_outbox!(
    a_cursor_is_moved_from_the_revision_it_had_and_from_no_other,
    of_many_who_move_a_cursor_one_wins,
    a_backlog_goes_on_from_any_place,
    events_are_due_until_they_are_settled,
    a_cursor_is_due_at_its_time_and_parked_until_it_is_moved,
    what_is_due_is_listed_the_oldest_first_page_by_page,
);

/// The same for requests that carry keys.
macro_rules! hold_on_every_desk {
    ($($case:ident),+ $(,)?) => {
        mod requests_on_dynamodb {
            $(#[tokio::test]
            async fn $case() {
                let table = super::Table::new().await;
                super::requests::$case(&super::requests::desk(&table)).await;
            })+
        }

        mod requests_in_memory {
            $(#[tokio::test]
            async fn $case() {
                super::requests::$case(&simulation::MemoryStore::default()).await;
            })+
        }
    };
}

hold_on_every_desk!(
    a_request_is_kept_once_and_answered,
    a_key_is_good_for_a_day,
    a_released_key_is_free,
    of_many_requests_with_one_key_one_is_kept,
);

#[tokio::test]
async fn events_and_marks_expire_and_records_never() {
    let table = Table::new().await;
    let purchase = first(id(1), "Suspended");
    table.store.commit(id(1), &marked(Some(&purchase), &mark(1))).await.expect("committed");
    let day = 24 * 60 * 60;
    let items = table.items(id(1)).await;
    assert_eq!(items.len(), 1 + 1 + purchase.events.len(), "record, mark, events");
    for item in items {
        let lives = item.get("expires_at").map(|at| {
            let at: i64 = at.as_n().expect("TTL wants a number").parse().expect("of seconds");
            at - noon().as_second()
        });
        match sort(&item) {
            "RECORD" => assert_eq!(lives, None, "T-25: data is kept"),
            // Long beyond the eight hours of redelivery (F-WHD-4).
            mark if mark.starts_with("OP#") => assert_eq!(lives, Some(90 * day)),
            event if event.starts_with("EVENT#") => assert_eq!(lives, Some(400 * day)),
            other => panic!("an item nobody knows: {other}"),
        }
    }
}

#[tokio::test]
async fn only_records_have_a_place_in_the_lists() {
    let table = Table::new().await;
    let purchase = first(id(1), "Subscribed");
    table.store.commit(id(1), &marked(Some(&purchase), &mark(1))).await.expect("committed");
    for item in table.items(id(1)).await {
        let listed = ["status", "offer_id", "subscription_id"].map(|key| item.contains_key(key));
        assert_eq!(listed, [sort(&item) == "RECORD"; 3], "{}", sort(&item));
    }
}

#[tokio::test]
async fn a_record_that_can_not_be_read_fails_alone() {
    for kept in [&ATTRIBUTES[..], &["pk", "sk"]] {
        let table = Table::new().await;
        let ids: Vec<_> = (0..5).map(id).collect();
        for id in &ids {
            table.store.commit(*id, &of(&first(*id, "Subscribed"))).await.expect("committed");
        }
        table.corrupt(id(2), kept).await;
        let read = table.store.load_many(&ids).await.expect("the others are fine");
        assert_eq!(read.len(), 5, "{kept:?}: a record that can't be read isn't a missing one");
        for (id_read, record) in read {
            match record {
                Ok(record) => assert_eq!(record.id(), id_read),
                Err(error) => {
                    assert_eq!(id_read, id(2));
                    assert!(matches!(&error, StoreError::Corrupt { .. }), "{error}");
                    assert!(error.to_string().contains(&id(2).to_string()), "{error}");
                    assert!(!error.is_transient());
                }
            }
        }
        let alone = table.store.load(id(2)).await;
        assert!(matches!(alone, Err(StoreError::Corrupt { .. })), "{alone:?}");
        let listed = table.store.list(&Filter::default(), None).await.expect("a list");
        let listed: Vec<_> = listed.items.iter().map(Record::id).collect();
        assert_eq!((listed.len(), listed.contains(&id(2))), (4, false), "{kept:?}");
    }
}

#[tokio::test]
async fn a_table_that_is_not_there_is_refused_and_one_that_is_away_is_worth_another_try() {
    let mut table = Table::without_table().await;
    let refused = table.store.load(id(1)).await.expect_err("no table");
    assert!(matches!(refused, StoreError::Refused { .. }) && !refused.is_transient(), "{refused}");
    table.database = None;
    // The server may take a moment to let go of its last connection, and answers until then.
    let away = loop {
        match table.store.load(id(1)).await.expect_err("no table, or nobody there") {
            StoreError::Refused { .. } => tokio::task::yield_now().await,
            away => break away,
        }
    };
    assert!(matches!(away, StoreError::Unavailable { .. }) && away.is_transient(), "{away}");
}
