//! What a requested change meets (F-WHA-3, F-WHA-4, F-WHA-14, F-WHA-15).

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::domain::{Cause, Decision, Observation, observe};

/// Subscribed to silver.
fn record(quantity: Value) -> Record {
    let observed: Observation = serde_json::from_value(json!({
        "id": Uuid::from_u128(1), "offerId": "offer", "planId": "silver", "quantity": quantity,
        "saasSubscriptionStatus": "Subscribed",
    }))
    .expect("an observation");
    match observe(None, &observed, &Cause::Landing, Timestamp::UNIX_EPOCH) {
        Ok(Decision::Commit(change)) => change.record,
        other => panic!("no record: {other:?}"),
    }
}

fn operation(body: Value) -> Operation {
    serde_json::from_value(body).expect("an operation")
}

fn verdicts(record: &Record, body: Value) -> (Verdict, Verdict) {
    let operation = operation(body);
    (
        review(record, &operation, ChangePolicy::Accept),
        review(record, &operation, ChangePolicy::Reject),
    )
}

#[test]
fn the_policy_decides_about_what_others_ask_for() {
    let record = record(json!(10));
    for asked in [
        json!({ "action": "ChangePlan", "planId": "gold", "quantity": 10 }),
        json!({ "action": "ChangeQuantity", "planId": "silver", "quantity": 20 }),
        json!({ "action": "ChangePlan", "planId": "gold", "operationRequestSource": "Azure" }),
        json!({ "action": "changeplan", "planId": "gold", "operationRequestSource": "Reseller" }),
        // Nothing in an incomplete change proves that it takes another one back.
        json!({ "action": "ChangePlan" }),
        json!({ "action": "ChangeQuantity", "quantity": "" }),
        json!({ "planId": "silver", "quantity": 10 }),
    ] {
        let verdicts = verdicts(&record, asked.clone());
        assert_eq!(verdicts, (Verdict::Accept, Verdict::Reject), "{asked}");
    }
}

#[test]
fn what_we_asked_for_ourselves_is_accepted_whatever_the_policy() {
    let record = record(json!(10));
    for source in ["Partner", "partner", " Partner "] {
        for asked in [
            json!({ "action": "ChangePlan", "planId": "gold", "operationRequestSource": source }),
            json!({ "action": "ChangeQuantity", "quantity": 20, "operationRequestSource": source }),
            json!({ "action": "ChangeQuantity", "quantity": 20, "operationRequestedSource": source }),
        ] {
            let verdicts = verdicts(&record, asked.clone());
            assert_eq!(verdicts, (Verdict::Accept, Verdict::Accept), "{asked}");
        }
    }
}

#[test]
fn t_23_a_change_to_what_is_in_force_is_accepted_whatever_the_policy() {
    for (record, asked) in [
        (record(json!(10)), json!({ "action": "ChangePlan", "planId": "silver", "quantity": 99 })),
        (
            record(json!(10)),
            json!({ "action": "ChangeQuantity", "planId": "x", "quantity": " 10" }),
        ),
        (record(json!(null)), json!({ "action": "ChangePlan", "planId": " silver " })),
    ] {
        let verdicts = verdicts(&record, asked.clone());
        assert_eq!(verdicts, (Verdict::Accept, Verdict::Accept), "{asked}");
    }
    // No seats asked for on a plan without seats is no value in force.
    let flat = verdicts(&record(json!(null)), json!({ "action": "ChangeQuantity" }));
    assert_eq!(flat, (Verdict::Accept, Verdict::Reject));
}

#[test]
fn a_policy_is_read_by_its_exact_name() {
    assert_eq!("accept".parse(), Ok(ChangePolicy::Accept));
    assert_eq!("reject".parse(), Ok(ChangePolicy::Reject));
    for wrong in ["", "Accept", "deny", "accept "] {
        assert_eq!(wrong.parse::<ChangePolicy>(), Err(UnknownPolicy), "{wrong:?}");
    }
    assert_eq!(ChangePolicy::default(), ChangePolicy::Accept);
}
