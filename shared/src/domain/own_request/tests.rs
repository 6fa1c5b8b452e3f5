//! When Microsoft's operation is the one that we requested.

use serde_json::{Value, json};
use uuid::Uuid;

use super::*;

fn now() -> Timestamp {
    "2026-03-10T12:00:00Z".parse().expect("a timestamp")
}

fn id(number: u128) -> OperationId {
    OperationId::from(Uuid::from_u128(number))
}

fn request(operation_id: Option<OperationId>) -> OwnRequest {
    OwnRequest {
        action: Action::ChangePlan,
        plan_id: Some("gold".to_owned()),
        quantity: None,
        requester: Requester::Publisher { principal: None },
        ruling: None,
        at: now(),
        operation_id,
    }
}

fn operation(members: Value) -> Operation {
    let mut body = json!({ "action": "ChangePlan", "planId": "gold", "quantity": 3 });
    for (name, value) in members.as_object().expect("an object") {
        body[name] = value.clone();
    }
    serde_json::from_value(body).expect("an operation")
}

#[test]
fn an_operation_without_a_known_id_is_ours_if_its_values_source_and_time_agree() {
    let ours = |members: Value| {
        let operation = operation(members);
        let asked = operation.time_stamp.unwrap_or(now());
        request(None).led_to(&id(1), &Action::ChangePlan, Some(&operation), asked)
    };
    for members in [
        json!({}),
        json!({ "operationRequestSource": "Partner" }),
        json!({ "timeStamp": "2026-03-10T12:00:01Z" }),
        json!({ "timeStamp": "2026-03-10T11:59:58Z" }),
        json!({ "planId": null }),
    ] {
        assert!(ours(members.clone()), "{members}");
    }
    for members in [
        json!({ "planId": "platinum" }),
        json!({ "operationRequestSource": "Azure" }),
        json!({ "timeStamp": "2026-03-10T14:00:00Z" }),
        json!({ "timeStamp": "2026-03-09T12:00:00Z" }),
    ] {
        assert!(!ours(members.clone()), "{members}");
    }
    assert!(!request(None).led_to(&id(1), &Action::ChangePlan, None, now()), "nothing proves it");
}

#[test]
fn an_operation_with_another_id_than_the_known_one_is_not_ours() {
    let known = request(Some(id(1)));
    let same = operation(json!({}));
    assert!(known.led_to(&id(1), &Action::ChangePlan, Some(&same), now()));
    assert!(!known.led_to(&id(2), &Action::ChangePlan, Some(&same), now()));
}

#[test]
fn a_notice_of_another_action_is_not_ours_although_it_names_our_operation() {
    let known = request(Some(id(1)));
    assert!(!known.led_to(&id(1), &Action::Suspend, None, now()));
}

#[test]
fn a_request_is_stored_under_names_that_later_versions_read() {
    let account = Account { tenant_id: Uuid::from_u128(2), object_id: Some(Uuid::from_u128(3)) };
    let stored = OwnRequest {
        requester: Requester::Buyer { account },
        ruling: Some(Ruling::accept(crate::domain::DecidedBy::Product)),
        ..request(Some(id(1)))
    };
    let expected = json!({
        "action": "ChangePlan", "planId": "gold", "at": "2026-03-10T12:00:00Z",
        "requester": { "by": "buyer", "account": {
            "tenantId": "00000000-0000-0000-0000-000000000002",
            "objectId": "00000000-0000-0000-0000-000000000003",
        } },
        "decision": { "verdict": "accept", "by": "product" },
        "operationId": "00000000-0000-0000-0000-000000000001",
    });
    assert_eq!(serde_json::to_value(&stored).expect("JSON"), expected);
    assert_eq!(serde_json::from_value::<OwnRequest>(expected).expect("a request"), stored);
}
