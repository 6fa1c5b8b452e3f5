//! How a requested change is decided (F-WHA-3, F-WHA-4, F-WHA-14, F-WHA-15).

use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::domain::{Action, Observation, observe};

mod rejections;
mod rules;

/// A subscription to the plan silver.
fn record(quantity: Value) -> Record {
    record_of("offer", quantity)
}

fn record_of(offer: &str, quantity: Value) -> Record {
    let observed: Observation = serde_json::from_value(json!({
        "id": Uuid::from_u128(1), "offerId": offer, "planId": "silver", "quantity": quantity,
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

fn reviewed(record: &Record, body: Value, policy: ChangePolicy) -> Review {
    review(record, &operation(body), &ChangeRules::default(), policy)
}

/// The verdict without asking the product, under either policy.
fn verdicts(record: &Record, body: &Value) -> (Verdict, Verdict) {
    let under = |policy| match reviewed(record, body.clone(), policy) {
        Review::Settled(ruling) | Review::Open(ruling) => ruling.verdict,
    };
    (under(ChangePolicy::Accept), under(ChangePolicy::Reject))
}

/// The change is accepted under either policy without asking the product, for this reason.
#[track_caller]
fn is_accepted_by(record: &Record, body: &Value, by: DecidedBy) {
    for policy in [ChangePolicy::Accept, ChangePolicy::Reject] {
        let expected = Review::Settled(Ruling::accept(by));
        assert_eq!(reviewed(record, body.clone(), policy), expected, "{body}");
    }
}

#[test]
fn the_policy_is_the_default_verdict_for_changes_requested_by_others() {
    let record = record(json!(10));
    for asked in [
        json!({ "action": "ChangePlan", "planId": "gold", "quantity": 10 }),
        json!({ "action": "ChangeQuantity", "planId": "silver", "quantity": 20 }),
        json!({ "action": "ChangePlan", "planId": "gold", "operationRequestSource": "Azure" }),
        json!({ "action": "changeplan", "planId": "gold", "operationRequestSource": "Reseller" }),
        // An incomplete change does not prove that it reverts another one.
        json!({ "action": "ChangePlan" }),
        json!({ "action": "ChangeQuantity", "quantity": "" }),
        json!({ "planId": "silver", "quantity": 10 }),
    ] {
        let verdicts = verdicts(&record, &asked);
        assert_eq!(verdicts, (Verdict::Accept, Verdict::Reject), "{asked}");
        let open = reviewed(&record, asked.clone(), ChangePolicy::Reject);
        assert!(matches!(&open, Review::Open(ruling) if ruling.by == DecidedBy::Policy), "{asked}");
    }
}

#[test]
fn our_own_change_is_accepted_without_asking_the_product() {
    let record = record(json!(10));
    for source in ["Partner", "partner", " Partner "] {
        for asked in [
            json!({ "action": "ChangePlan", "planId": "gold", "operationRequestSource": source }),
            json!({ "action": "ChangeQuantity", "quantity": 20, "operationRequestSource": source }),
            json!({ "action": "ChangeQuantity", "quantity": 20, "operationRequestedSource": source }),
        ] {
            is_accepted_by(&record, &asked, DecidedBy::Publisher);
        }
    }
}

#[test]
fn t_23_a_change_to_the_value_in_force_is_accepted_without_asking_the_product() {
    for (record, asked) in [
        (record(json!(10)), json!({ "action": "ChangePlan", "planId": "silver", "quantity": 99 })),
        (
            record(json!(10)),
            json!({ "action": "ChangeQuantity", "planId": "x", "quantity": " 10" }),
        ),
        (record(json!(null)), json!({ "action": "ChangePlan", "planId": " silver " })),
    ] {
        is_accepted_by(&record, &asked, DecidedBy::InForce);
    }
    // A missing quantity is no value in force, even on a plan without seats.
    let flat = verdicts(&record(json!(null)), &json!({ "action": "ChangeQuantity" }));
    assert_eq!(flat, (Verdict::Accept, Verdict::Reject));
}

#[test]
fn a_policy_is_parsed_by_its_exact_name() {
    assert_eq!("accept".parse(), Ok(ChangePolicy::Accept));
    assert_eq!("reject".parse(), Ok(ChangePolicy::Reject));
    for wrong in ["", "Accept", "deny", "accept "] {
        assert_eq!(wrong.parse::<ChangePolicy>(), Err(UnknownPolicy), "{wrong:?}");
    }
    assert_eq!(ChangePolicy::default(), ChangePolicy::Accept);
}

#[test]
fn a_change_is_overtaken_only_if_another_value_came_into_force_since() {
    let before = record(json!(10));
    let seats = operation(json!({ "action": "ChangeQuantity", "quantity": 20 }));
    let plan = operation(json!({ "action": "ChangePlan", "planId": "gold" }));
    let overtaken = |now: &Record, operation: &Operation| {
        RequestedChange::of(&before.subscription, operation)
            .expect("a change")
            .is_overtaken(&now.subscription, operation)
    };
    for (now, overtakes) in [(json!(10), false), (json!(33), true), (json!(20), false)] {
        let now = record(now);
        assert_eq!(overtaken(&now, &seats), overtakes, "{now:?}");
        assert!(!overtaken(&now, &plan), "other seats do not overtake a plan");
    }
    let mut now = before.clone();
    now.subscription.plan_id = "platinum".to_owned();
    assert!(overtaken(&now, &plan));
    assert!(!overtaken(&now, &seats));
    now.subscription.plan_id = "gold".to_owned();
    assert!(!overtaken(&now, &plan), "the requested plan itself");
}
