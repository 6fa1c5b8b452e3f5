//! The expected events come from the life cycle of the specification (section 7), not from the
//! code.

use serde_json::{Value, json};
use uuid::Uuid;

use jiff::SignedDuration;

use super::*;
use crate::domain::{
    Event, EventKind, NextVersion, OperationId, Party, SETTLING_WINDOW, Subscription,
    SubscriptionId,
};

mod lifecycle;
mod replay;
mod settling;
mod terms;

const ID: Uuid = Uuid::from_u128(0x5e1f_0001);

/// The four statuses of F-OBJ-3, and an undocumented one (F-GEN-10).
const STATUSES: [&str; 5] =
    ["PendingFulfillmentStart", "Subscribed", "Suspended", "Unsubscribed", "Migrating"];

fn time(text: &str) -> Timestamp {
    text.parse().expect("a timestamp")
}

fn noon() -> Timestamp {
    time("2026-03-10T12:00:00Z")
}

/// Long after every read around `noon` has settled.
fn later() -> Timestamp {
    noon() + SignedDuration::from_hours(24)
}

fn observation(body: Value) -> Observation {
    serde_json::from_value(body).expect("a tolerant reader takes any object")
}

fn cause() -> Cause {
    Cause::Reconciliation
}

/// Microsoft's copy in this status: plan silver, ten seats, and dates where F-OBJ-6 promises them.
fn copy(status: &str) -> Value {
    let mut copy = json!({
        "id": ID, "publisherId": "fabrikam", "offerId": "offer", "name": "Contoso",
        "saasSubscriptionStatus": status, "planId": "silver", "quantity": 10,
        "term": { "termUnit": "P1M" },
        "beneficiary": { "emailId": "a@contoso.example", "tenantId": Uuid::from_u128(7) },
        "autoRenew": true, "allowedCustomerOperations": ["Delete", "Update", "Read"],
        "created": "2026-03-01T22:59:45.5468572Z",
    });
    if matches!(status, "Subscribed" | "Suspended" | "Migrating") {
        copy["term"] =
            json!({ "termUnit": "P1M", "startDate": "2026-03-04", "endDate": "2026-04-03" });
    }
    copy
}

/// The copy with these fields replaced.
fn with(mut copy: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().expect("changes are an object") {
        copy[name] = value.clone();
    }
    copy
}

fn decide(current: Option<&Record>, copy: Value, now: Timestamp) -> Decision {
    observe(current, &observation(copy), &cause(), now).expect("enough to make a record")
}

fn change(decision: Decision) -> NextVersion {
    match decision {
        Decision::Commit(change) => change,
        other => panic!("nothing is committed: {other:?}"),
    }
}

/// The record of a subscription first observed at noon as this copy.
fn record_of(copy: Value) -> Record {
    change(decide(None, copy, noon())).record
}

fn record(status: &str) -> Record {
    record_of(copy(status))
}

fn names(change: &NextVersion) -> Vec<&'static str> {
    change.events.iter().map(|event| event.kind.name()).collect()
}

/// The events that the record gains when this copy is observed a day later.
fn events(record: &Record, copy: Value) -> Vec<&'static str> {
    match decide(Some(record), copy, later()) {
        Decision::Commit(change) => names(&change),
        Decision::Unchanged => Vec::new(),
        Decision::Stale(staleness) => panic!("not believed: {staleness:?}"),
    }
}

#[test]
fn each_event_starts_from_the_previous_events_result() {
    let purchase = change(decide(None, copy("Subscribed"), noon()));
    assert_eq!(purchase.events[0].before, None, "nothing comes before a purchase");
    assert_eq!(purchase.events[1].before.as_ref(), Some(&purchase.events[0].subscription));
    let everything = with(copy("Suspended"), json!({ "planId": "gold", "quantity": 20 }));
    let changed = change(decide(Some(&purchase.record), everything, later()));
    assert_eq!(names(&changed), ["PlanChanged", "QuantityChanged", "Suspended"]);
    let mut expected = purchase.record.subscription;
    for event in changed.events {
        assert_eq!(event.before.as_ref(), Some(&expected), "{}", event.kind.name());
        expected = event.subscription;
    }
}

#[test]
fn a_late_read_of_a_suspension_that_the_record_missed_is_not_adopted_after_its_reinstatement() {
    let reinstated = change(reinstate(&record("Subscribed"), &cause(), later()));
    assert_eq!(names(&reinstated), [""; 0]);
    let soon = later() + SETTLING_WINDOW / 2;
    let late = decide(Some(&reinstated.record), copy("Suspended"), soon);
    assert_eq!(late, Decision::Stale(Staleness::Settling));
    let next_suspension =
        decide(Some(&reinstated.record), copy("Suspended"), later() + SETTLING_WINDOW);
    assert_eq!(names(&change(next_suspension)), ["Suspended"]);
}
