//! What a requested change meets (F-WHA-3, F-WHA-4, F-WHA-14, F-WHA-15).

use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::domain::{Action, Observation, observe};

mod rejections;
mod rules;

/// Subscribed to silver.
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

/// What stands where nobody is asked, under either policy.
fn verdicts(record: &Record, body: &Value) -> (Verdict, Verdict) {
    let of = |policy| match reviewed(record, body.clone(), policy) {
        Review::Settled(ruling) | Review::Open(ruling) => ruling.verdict,
    };
    (of(ChangePolicy::Accept), of(ChangePolicy::Reject))
}

/// Accepted whatever anybody would say, by this authority.
#[track_caller]
fn is_settled(record: &Record, body: &Value, by: DecidedBy) {
    for policy in [ChangePolicy::Accept, ChangePolicy::Reject] {
        let expected = Review::Settled(Ruling::accept(by));
        assert_eq!(reviewed(record, body.clone(), policy), expected, "{body}");
    }
}

#[test]
fn the_policy_decides_about_what_others_ask_for_unless_somebody_is_asked() {
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
        let verdicts = verdicts(&record, &asked);
        assert_eq!(verdicts, (Verdict::Accept, Verdict::Reject), "{asked}");
        let open = reviewed(&record, asked.clone(), ChangePolicy::Reject);
        assert!(matches!(&open, Review::Open(ruling) if ruling.by == DecidedBy::Policy), "{asked}");
    }
}

#[test]
fn what_we_asked_for_ourselves_is_accepted_and_nobody_is_asked() {
    let record = record(json!(10));
    for source in ["Partner", "partner", " Partner "] {
        for asked in [
            json!({ "action": "ChangePlan", "planId": "gold", "operationRequestSource": source }),
            json!({ "action": "ChangeQuantity", "quantity": 20, "operationRequestSource": source }),
            json!({ "action": "ChangeQuantity", "quantity": 20, "operationRequestedSource": source }),
        ] {
            is_settled(&record, &asked, DecidedBy::Publisher);
        }
    }
}

#[test]
fn t_23_a_change_to_what_is_in_force_is_accepted_and_nobody_is_asked() {
    for (record, asked) in [
        (record(json!(10)), json!({ "action": "ChangePlan", "planId": "silver", "quantity": 99 })),
        (
            record(json!(10)),
            json!({ "action": "ChangeQuantity", "planId": "x", "quantity": " 10" }),
        ),
        (record(json!(null)), json!({ "action": "ChangePlan", "planId": " silver " })),
    ] {
        is_settled(&record, &asked, DecidedBy::InForce);
    }
    // No seats asked for on a plan without seats is no value in force.
    let flat = verdicts(&record(json!(null)), &json!({ "action": "ChangeQuantity" }));
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

#[test]
fn a_change_is_overtaken_where_another_value_has_come_into_force_since_and_not_otherwise() {
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
        assert!(!overtaken(&now, &plan), "seats are no plan");
    }
    let mut now = before.clone();
    now.subscription.plan_id = "platinum".to_owned();
    assert!(overtaken(&now, &plan));
    assert!(!overtaken(&now, &seats));
    now.subscription.plan_id = "gold".to_owned();
    assert!(!overtaken(&now, &plan), "it is what was asked for");
}
