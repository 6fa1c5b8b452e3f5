//! Requests that Microsoft would refuse (F-CHP, F-CHQ, F-CAN), by buyers and by the publisher.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::domain::{Account, Cause, observe};

const PUBLISHER: Requester = Requester::Publisher { principal: None };

fn buyer_requester() -> Requester {
    Requester::Buyer { account: Account { tenant_id: Uuid::from_u128(2), object_id: None } }
}

fn record(changes: Value) -> Record {
    let mut copy = json!({
        "id": Uuid::from_u128(1), "offerId": "offer", "planId": "silver", "quantity": 10,
        "saasSubscriptionStatus": "Subscribed",
        "allowedCustomerOperations": ["Read", "Update", "Delete"],
    });
    for (name, value) in changes.as_object().expect("an object") {
        copy[name] = value.clone();
    }
    let observed = serde_json::from_value(copy).expect("an observation");
    match observe(None, &observed, &Cause::Landing, Timestamp::UNIX_EPOCH) {
        Ok(Decision::Commit(next)) => next.record,
        other => panic!("no record: {other:?}"),
    }
}

fn plans(plans: Value) -> Vec<Plan> {
    serde_json::from_value(plans).expect("plans")
}

fn plan(id: &str) -> ChangeRequest {
    ChangeRequest::Plan(id.to_owned())
}

#[test]
fn plans_and_seats_change_only_while_subscribed_and_cancelling_works_until_the_end() {
    for status in ["PendingFulfillmentStart", "Suspended", "Unsubscribed", "Migrating"] {
        let record = record(json!({ "saasSubscriptionStatus": status }));
        for request in [plan("gold"), ChangeRequest::Seats(20)] {
            let refused = Err(ChangeRefused::NotSubscribed(record.status().clone()));
            assert_eq!(request.check_record(&record), refused, "F-CHP-2: {status}");
        }
        let expected = if status == "Unsubscribed" { Err(ChangeRefused::Ended) } else { Ok(()) };
        assert_eq!(ChangeRequest::Cancel.check_record(&record), expected, "F-CAN-6: {status}");
    }
    for request in [plan("gold"), ChangeRequest::Seats(20), ChangeRequest::Cancel] {
        assert_eq!(request.check_record(&record(json!({}))), Ok(()));
    }
}

#[test]
fn only_operations_that_microsoft_allows_the_customer_are_requested() {
    let read_only = record(json!({ "allowedCustomerOperations": ["Read"] }));
    for (request, operation) in [
        (plan("gold"), CustomerOperation::Update),
        (ChangeRequest::Seats(20), CustomerOperation::Update),
        (ChangeRequest::Cancel, CustomerOperation::Delete),
    ] {
        let refused = Err(ChangeRefused::NotAllowed(operation));
        assert_eq!(request.check_record(&read_only), refused, "F-OBJ-11");
        let unlisted = record(json!({ "allowedCustomerOperations": null }));
        assert_eq!(request.check_record(&unlisted), Ok(()), "Microsoft lists none");
    }
}

#[test]
fn the_value_in_force_and_seats_on_a_flat_rate_are_refused() {
    let per_seat = record(json!({}));
    assert_eq!(plan("silver").check_record(&per_seat), Err(ChangeRefused::AlreadyInForce));
    let same = ChangeRequest::Seats(10).check_record(&per_seat);
    assert_eq!(same, Err(ChangeRefused::AlreadyInForce));
    let flat = record(json!({ "quantity": null }));
    assert_eq!(ChangeRequest::Seats(10).check_record(&flat), Err(ChangeRefused::FlatRate));
}

#[test]
fn a_plan_must_be_on_offer_and_a_buyers_plan_must_still_be_sold() {
    let record = record(json!({}));
    let listed = plans(json!([
        { "planId": "silver" },
        { "planId": "gold" },
        { "planId": "bronze", "isStopSell": true },
    ]));
    let refused = Err(ChangeRefused::PlanNotAvailable);
    for (wanted, listed, buyer, publisher) in [
        ("gold", &listed, Ok(()), Ok(())),
        ("bronze", &listed, refused.clone(), Ok(())),
        ("platinum", &listed, refused.clone(), refused.clone()),
        // Microsoft's list always holds the plan in force, so an empty list is no answer (F-PLN-3).
        ("gold", &Vec::new(), refused.clone(), Ok(())),
    ] {
        let check = |requester: &Requester| plan(wanted).check_plans(&record, listed, requester);
        assert_eq!(check(&buyer_requester()), buyer, "{wanted}");
        assert_eq!(check(&PUBLISHER), publisher, "{wanted}");
    }
}

#[test]
fn seats_must_stay_within_the_limits_of_the_plan_in_force() {
    let record = record(json!({}));
    let limited = plans(json!([{ "planId": "silver", "minQuantity": 5, "maxQuantity": 20 }]));
    let other = plans(json!([{ "planId": "gold", "minQuantity": 5, "maxQuantity": 20 }]));
    for (listed, least, most) in [
        (&limited, 5, 20),
        // F-CHQ-3 and F-PLN-8: Microsoft's own limits if those of the plan are unknown.
        (&other, 1, 1_000_000),
        (&Vec::new(), 1, 1_000_000),
    ] {
        for requester in [&buyer_requester(), &PUBLISHER] {
            let check = |seats| ChangeRequest::Seats(seats).check_plans(&record, listed, requester);
            assert_eq!((check(least), check(most)), (Ok(()), Ok(())));
            let refused = Err(ChangeRefused::SeatsOutOfLimits { least, most });
            assert_eq!((check(least - 1), check(most + 1)), (refused.clone(), refused));
        }
    }
}
