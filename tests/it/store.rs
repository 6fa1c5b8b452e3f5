//! The table. Every implementation of the store runs the contract. The tests of DynamoDB's items
//! are here.

mod annotations;
mod attempts;
mod checkpoints;
mod contract;
mod due_work;
mod erasures;
mod examinations;
mod first_start;
mod golden;
mod idempotency;
mod items;
mod offers;
mod outbox;
mod overview;
mod pacing;
mod receivers;
mod refusals;
mod restoration;
pub(crate) mod runs;
mod search;
mod search_units;
mod sightings;
mod sorted;
mod table;
mod wire;

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use memory_dynamodb::Behaviour;
use serde_json::json;
use shared::domain::{
    Action, Cause, Decision, NextVersion, Observation, OperationId, Record, SubscriptionId, observe,
};
use shared::host::retry::Transient;
use shared::store::{Commit, Filter, ListBy, ListQuery, Mark, OperationOutcome, Store, StoreError};
use table::{Stopped, TABLE, Table};
use uuid::Uuid;

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

/// The version that the rules make of an observation. Each version is an hour later, so that no
/// read counts as late.
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
        operation_id: OperationId::from(Uuid::from_u128(number)),
        action: Action::ChangePlan,
        outcome: OperationOutcome::Accepted,
        at: noon(),
    }
}

fn unmarked(change: &NextVersion) -> Commit {
    Commit { next: Some(change.clone()), mark: None }
}

fn marked(change: Option<&NextVersion>, mark: &Mark) -> Commit {
    Commit { next: change.cloned(), mark: Some(mark.clone()) }
}

/// Runs each case of a part of the contract on a table of its own.
macro_rules! test_every_store {
    ($name:ident: $part:ident, $($case:ident),+ $(,)?) => {
        mod $name {
            mod on_dynamodb {
                $(#[tokio::test]
                async fn $case() {
                    let table = crate::store::Table::new().await;
                    crate::store::$part::$case(&*table.store).await;
                })+
            }

            mod on_the_wire {
                $(#[tokio::test]
                async fn $case() {
                    crate::store::$part::$case(&*crate::store::wire::store()).await;
                })+
            }

            /// The store of the simulation.
            mod in_memory {
                $(#[tokio::test]
                async fn $case() {
                    crate::store::$part::$case(&memory_store::MemoryStore::default()).await;
                })+
            }
        }
    };
}

test_every_store!(
    records: contract,
    a_first_version_is_written_once,
    a_version_must_follow_the_previous_one,
    an_operation_is_marked_once,
    a_refused_commit_writes_nothing,
    an_empty_commit_succeeds,
    a_record_and_a_mark_are_read_together,
    only_one_of_many_writers_of_a_version_wins,
    only_one_of_many_answers_to_an_operation_wins,
    events_are_read_in_order_page_by_page,
    many_records_are_read_in_one_call,
    records_are_listed_by_status_offer_both_or_neither,
    lists_reflect_changes,
    a_malformed_list_position_is_refused,
);

test_every_store!(
    sorted_lists: sorted,
    the_latest_change_comes_first,
    the_next_end_of_a_term_comes_first_and_no_renewal_comes_last,
    a_filter_leaves_the_order_as_it_is,
    a_change_moves_a_record_within_both_orders,
    a_position_of_another_order_is_refused,
);

test_every_store!(
    searches: search,
    a_subscription_is_found_by_the_beginning_of_every_searched_value,
    a_value_is_no_longer_found_after_a_change,
    an_unchanged_value_is_found_after_every_change,
    a_search_is_filtered_by_status_and_offer,
    a_search_has_pages_without_losses_and_doubles,
    a_malformed_search_position_is_refused,
);

/// DynamoDB may end a page between two entries of a subscription.
#[tokio::test]
async fn a_search_is_whole_where_pages_end_early() {
    for page_size in [1, 2, 3, 8] {
        let store = || wire::store_with(Behaviour { page_size, ..Behaviour::default() });
        search::a_search_has_pages_without_losses_and_doubles(&*store()).await;
    }
}

/// DynamoDB may end a page early, also without an entry that a filter wants.
#[tokio::test]
async fn a_sorted_list_is_whole_where_pages_end_early() {
    for page_size in [1, 3, 8] {
        let store = || wire::store_with(Behaviour { page_size, ..Behaviour::default() });
        sorted::the_latest_change_comes_first(&*store()).await;
        sorted::a_filter_leaves_the_order_as_it_is(&*store()).await;
    }
}

/// The same for the events that are pending for the publisher's product.
macro_rules! test_every_outbox {
    ($($case:ident),+ $(,)?) => {
        mod outbox_on_dynamodb {
            $(#[tokio::test]
            async fn $case() {
                let table = super::Table::new().await;
                let (store, outbox) = (&*table.store, &*table.outbox);
                super::outbox::$case(super::outbox::OutboxTable { store, outbox }).await;
            })+
        }

        mod outbox_on_the_wire {
            $(#[tokio::test]
            async fn $case() {
                let table = super::wire::store();
                let (store, outbox) = (&*table, &*table);
                super::outbox::$case(super::outbox::OutboxTable { store, outbox }).await;
            })+
        }

        mod outbox_in_memory {
            $(#[tokio::test]
            async fn $case() {
                let table = memory_store::MemoryStore::default();
                let (store, outbox) = (&table, &table);
                super::outbox::$case(super::outbox::OutboxTable { store, outbox }).await;
            })+
        }
    };
}

test_every_outbox!(
    a_cursor_moves_only_from_its_current_revision,
    only_one_of_many_moves_of_a_cursor_wins,
    a_backlog_can_be_read_from_any_position,
    events_are_due_until_they_are_settled,
    a_cursor_is_due_at_its_time_and_parked_until_it_is_moved,
    due_entries_are_listed_oldest_first_and_page_by_page,
    what_waits_is_counted_by_subscription_and_target,
);

/// The same for requests with idempotency keys.
macro_rules! test_every_idempotency_store {
    ($($case:ident),+ $(,)?) => {
        mod idempotency_on_dynamodb {
            $(#[tokio::test]
            async fn $case() {
                let table = super::Table::new().await;
                super::idempotency::$case(&super::idempotency::dynamodb(&table)).await;
            })+
        }

        mod idempotency_on_the_wire {
            $(#[tokio::test]
            async fn $case() {
                super::idempotency::$case(&*super::wire::store()).await;
            })+
        }

        mod idempotency_in_memory {
            $(#[tokio::test]
            async fn $case() {
                super::idempotency::$case(&memory_store::MemoryStore::default()).await;
            })+
        }
    };
}

test_every_idempotency_store!(
    a_request_is_stored_once_and_completed,
    a_key_is_valid_for_a_day,
    an_abandoned_key_is_free,
    only_one_of_many_requests_with_a_key_is_stored,
);

#[tokio::test]
async fn an_unreadable_record_fails_alone() {
    for kept in [&ATTRIBUTES[..], &["pk", "sk"]] {
        let table = Table::new().await;
        let ids: Vec<_> = (0..5).map(id).collect();
        for id in &ids {
            table.store.commit(*id, &unmarked(&first(*id, "Subscribed"))).await.expect("committed");
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
        let listed = table.store.list(&ListQuery::default(), None).await.expect("a list");
        let listed: Vec<_> = listed.items.iter().map(Record::id).collect();
        assert_eq!((listed.len(), listed.contains(&id(2))), (4, false), "{kept:?}");
    }
}

#[tokio::test]
async fn a_missing_table_is_a_refusal_and_an_unreachable_one_is_transient() {
    let mut table = Table::without_table().await;
    let refused = table.store.load(id(1)).await.expect_err("no table");
    assert!(matches!(refused, StoreError::Refused { .. }) && !refused.is_transient(), "{refused}");
    table.database = None;
    // The server may answer until it has closed its last connection.
    let unreachable = loop {
        match table.store.load(id(1)).await.expect_err("no table or no server") {
            StoreError::Refused { .. } => tokio::task::yield_now().await,
            other => break other,
        }
    };
    assert!(matches!(unreachable, StoreError::Unavailable { .. }), "{unreachable}");
    assert!(unreachable.is_transient(), "{unreachable}");
}
