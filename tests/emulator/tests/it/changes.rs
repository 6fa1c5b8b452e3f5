//! Changes of plan and seats, cancellation, and the operations behind them (4.6 to 4.8, section 5).

use crate::publisher::{
    acknowledge, active, answer_webhooks, call, get, operation_path, subscription_path, world,
};
use ::http::Method;
use emulator::{Purchase, Refused, World};
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

const TEN_SECONDS: Duration = Duration::from_secs(10);

fn patch(world: &mut World, id: Uuid, body: Value) -> u16 {
    call(world, Method::PATCH, &subscription_path(id), Some(body)).status
}

fn operation_status(world: &mut World, id: Uuid, operation: Uuid) -> String {
    let body = get(world, &operation_path(id, operation)).body_json();
    body["status"].as_str().unwrap().to_owned()
}

#[test]
fn an_acknowledged_change_is_applied() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    let operation = world.change_plan(id, "gold").unwrap();
    assert_eq!(
        world.subscription(id).plan_id,
        "silver",
        "nothing changes before the publisher answers"
    );
    let body = get(&mut world, &operation_path(id, operation)).body_json();
    assert_eq!(
        (&body["action"], &body["planId"], &body["status"]),
        (&json!("ChangePlan"), &json!("gold"), &json!("InProgress"))
    );
    assert_eq!(body["operationRequestSource"], "Azure");
    assert_eq!(body.get("quantity"), None, "a flat rate has none");
    let reply = acknowledge(&mut world, id, operation, "Success");
    assert_eq!((reply.status, reply.body.len()), (200, 0));
    assert_eq!(world.subscription(id).plan_id, "gold");
    assert_eq!(operation_status(&mut world, id, operation), "Succeeded");
}

#[test]
fn a_change_without_an_answer_is_applied_after_ten_seconds() {
    let mut world = world();
    let id = active(&mut world, Purchase::per_seat("basic", 10));
    let operation = world.change_quantity(id, 20).unwrap();
    answer_webhooks(&mut world, Some(200));
    world.advance(TEN_SECONDS - Duration::from_millis(1));
    assert_eq!(world.operation(operation).status, "InProgress");
    world.advance(Duration::from_millis(1));
    assert_eq!(world.operation(operation).status, "Succeeded");
    assert_eq!(world.subscription(id).quantity, Some(20));
    assert_eq!(acknowledge(&mut world, id, operation, "Failure").status, 409, "too late");
    assert_eq!(world.subscription(id).quantity, Some(20));
}

#[test]
fn a_server_error_does_not_extend_the_time_to_refuse() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    world.change_plan(id, "gold").unwrap();
    answer_webhooks(&mut world, Some(500));
    world.advance(TEN_SECONDS);
    assert_eq!(world.subscription(id).plan_id, "gold");
}

#[test]
fn the_time_to_refuse_does_not_start_while_the_publisher_is_unreachable() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    let operation = world.change_plan(id, "gold").unwrap();
    answer_webhooks(&mut world, None);
    world.advance(TEN_SECONDS);
    assert_eq!(world.operation(operation).status, "InProgress");
}

#[test]
fn a_4xx_in_time_refuses_the_change() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    let operation = world.change_plan(id, "gold").unwrap();
    answer_webhooks(&mut world, Some(400));
    assert_eq!(world.operation(operation).status, "Failed");
    world.advance(TEN_SECONDS);
    assert_eq!(world.subscription(id).plan_id, "silver");
    assert!(world.deliveries().is_empty(), "a refused webhook is not retried");
}

#[test]
fn a_failure_refuses_the_change_unless_microsoft_ignores_it() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    let operation = world.change_plan(id, "gold").unwrap();
    assert_eq!(acknowledge(&mut world, id, operation, "Failure").status, 200);
    assert_eq!(world.operation(operation).status, "Failed");
    world.settings_mut().behaviour.failure_is_ignored = true;
    let operation = world.change_plan(id, "gold").unwrap();
    answer_webhooks(&mut world, Some(200));
    assert_eq!(acknowledge(&mut world, id, operation, "Failure").status, 200);
    world.advance(TEN_SECONDS);
    assert_eq!(world.subscription(id).plan_id, "gold");
}

#[test]
fn a_misspelled_status_gets_a_200_and_changes_nothing() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    let operation = world.change_plan(id, "gold").unwrap();
    assert_eq!(acknowledge(&mut world, id, operation, "Succeeded").status, 200);
    assert_eq!(world.operation(operation).status, "InProgress");
}

#[test]
fn an_unknown_operation_is_a_404_or_a_400() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    let other = active(&mut world, Purchase::flat_rate("silver"));
    let operation = world.change_plan(id, "gold").unwrap();
    assert_eq!(get(&mut world, &operation_path(id, Uuid::nil())).status, 404);
    assert_eq!(
        get(&mut world, &operation_path(other, operation)).status,
        404,
        "another subscription's"
    );
    world.settings_mut().behaviour.not_found_is_400 = true;
    let reply = get(&mut world, &operation_path(id, Uuid::nil()));
    assert_eq!((reply.status, reply.body_json()["code"].as_str()), (400, Some("EntityNotFound")));
    assert_eq!(acknowledge(&mut world, id, Uuid::nil(), "Success").status, 400);
}

#[test]
fn f_opg_5_get_operation_knows_an_operation_late_or_never() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    world.settings_mut().behaviour.operation_delay = Duration::from_secs(5);
    let change = world.change_plan(id, "gold").unwrap();
    let status = |world: &mut World, operation| get(world, &operation_path(id, operation)).status;
    assert_eq!(status(&mut world, change), 404);
    world.advance(Duration::from_secs(5));
    assert_eq!(status(&mut world, change), 200);
    world.settings_mut().behaviour.keeps_changes_only = true;
    let suspension = world.suspend(id).unwrap();
    world.advance(Duration::from_secs(5));
    assert_eq!(status(&mut world, suspension), 404);
    assert_eq!(status(&mut world, change), 200);
}

#[test]
fn an_operations_id_may_be_no_guid_and_is_escaped_in_paths() {
    let mut world = world();
    world.settings_mut().oddities.operation_id_prefix = "op 1/".to_owned();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    let operation = world.change_plan(id, "gold").unwrap();
    let path = format!("{}/operations/op%201%2F{operation}", subscription_path(id));
    assert_eq!(get(&mut world, &path).body_json()["id"], format!("op 1/{operation}"));
    assert_eq!(get(&mut world, &operation_path(id, operation)).status, 404);
}

#[test]
fn list_operations_returns_only_operations_in_progress() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    let path = format!("{}/operations", subscription_path(id));
    assert_eq!(get(&mut world, &path).body_json(), json!({}));
    let operation = world.change_plan(id, "gold").unwrap();
    assert_eq!(get(&mut world, &path).body_json()["operations"][0]["id"], json!(operation));
    world.settings_mut().behaviour.operations_as_array = true;
    assert_eq!(get(&mut world, &path).body_json()[0]["id"], json!(operation));
    assert_eq!(acknowledge(&mut world, id, operation, "Success").status, 200);
    assert_eq!(get(&mut world, &path).body_json(), json!([]));
}

#[test]
fn a_publishers_change_goes_from_not_started_to_succeeded() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    let reply =
        call(&mut world, Method::PATCH, &subscription_path(id), Some(json!({ "planId": "gold" })));
    assert_eq!((reply.status, reply.body.len(), reply.header("retry-after")), (202, 0, Some("10")));
    let operation: Uuid = reply.header("operation-id").unwrap().parse().unwrap();
    // The id is the tracking id that the service made (F-CHP-5).
    assert_eq!(reply.header("x-ms-requestid"), reply.header("operation-id"));
    // The location is on another host (F-GEN-8).
    let location = url::Url::parse(reply.header("operation-location").unwrap()).unwrap();
    assert_eq!(location.host_str(), Some("main.prod.marketplaceapi.example"));
    assert!(location.path().ends_with(&operation_path(id, operation)));
    assert!(world.deliveries().is_empty());
    assert_eq!(operation_status(&mut world, id, operation), "NotStarted");
    assert_eq!(operation_status(&mut world, id, operation), "InProgress");
    let bodies = answer_webhooks(&mut world, Some(200));
    assert_eq!(
        (&bodies[0]["operationRequestSource"], &bodies[0]["planId"]),
        (&json!("Partner"), &json!("gold"))
    );
    assert_eq!(world.subscription(id).plan_id, "silver");
    world.advance(TEN_SECONDS);
    assert_eq!(operation_status(&mut world, id, operation), "Succeeded");
    assert_eq!(world.subscription(id).plan_id, "gold");
}

#[test]
fn an_acknowledgement_of_the_publishers_own_change_can_fail() {
    let mut world = world();
    world.settings_mut().behaviour.partner_update_fails = true;
    let id = active(&mut world, Purchase::flat_rate("silver"));
    let reply =
        call(&mut world, Method::PATCH, &subscription_path(id), Some(json!({ "planId": "gold" })));
    let operation: Uuid = reply.header("operation-id").unwrap().parse().unwrap();
    answer_webhooks(&mut world, Some(200));
    let reply = acknowledge(&mut world, id, operation, "Success");
    assert_eq!(
        (reply.status, reply.body_json()["error"]["code"].as_str()),
        (500, Some("UnexpectedError"))
    );
    world.advance(TEN_SECONDS);
    assert_eq!(
        world.subscription(id).plan_id,
        "gold",
        "without an answer, Microsoft applies it anyway"
    );
}

#[test]
fn an_invalid_change_is_refused() {
    let mut world = world();
    let flat = active(&mut world, Purchase::flat_rate("silver"));
    let seats = active(&mut world, Purchase::per_seat("basic", 10));
    let cases = [
        (flat, json!({ "planId": "gold", "quantity": 5 }), "both"),
        (flat, json!({}), "neither"),
        (flat, json!({ "planId": "silver" }), "the same plan"),
        (flat, json!({ "planId": "nothing" }), "no such plan"),
        (flat, json!({ "planId": "enterprise" }), "another customer's private plan"),
        (flat, json!({ "quantity": 5 }), "seats of a flat rate"),
        (seats, json!({ "quantity": 10 }), "the same seats"),
        (seats, json!({ "quantity": 0 }), "too few seats"),
        (seats, json!({ "quantity": 101 }), "too many seats"),
        (seats, json!({ "quantity": "20" }), "seats as text"),
    ];
    for (id, body, case) in cases {
        assert_eq!(patch(&mut world, id, body), 400, "{case}");
    }
    let csp = active(&mut world, Purchase::flat_rate("silver").by_reseller());
    assert_eq!(
        patch(&mut world, csp, json!({ "planId": "gold" })),
        400,
        "the customer may only read"
    );
    let pending = world.purchase(Purchase::flat_rate("silver"));
    assert_eq!(patch(&mut world, pending, json!({ "planId": "gold" })), 400, "not active");
    assert_eq!(patch(&mut world, Uuid::nil(), json!({ "planId": "gold" })), 404);
    world.change_plan(flat, "gold").unwrap();
    assert_eq!(patch(&mut world, flat, json!({ "planId": "platinum" })), 400, "locked");
}

#[test]
fn cancelling_ends_the_subscription_with_a_webhook() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    let reply = call(&mut world, Method::DELETE, &subscription_path(id), None);
    assert_eq!(reply.status, 202);
    let operation: Uuid = reply.header("operation-id").unwrap().parse().unwrap();
    assert_eq!(world.subscription(id).status, "Subscribed");
    let bodies = answer_webhooks(&mut world, Some(200));
    assert_eq!(
        (&bodies[0]["action"], &bodies[0]["status"]),
        (&json!("Unsubscribe"), &json!("Succeeded"))
    );
    assert_eq!(bodies[0]["subscription"]["saasSubscriptionStatus"], "Unsubscribed");
    assert_eq!(operation_status(&mut world, id, operation), "Succeeded");
    assert_eq!(world.subscription(id).status, "Unsubscribed");
    assert_eq!(
        call(&mut world, Method::DELETE, &subscription_path(id), None).status,
        400,
        "it has ended"
    );
}

#[test]
fn cancelling_is_refused_if_not_allowed_or_locked() {
    let mut world = world();
    let csp = active(&mut world, Purchase::flat_rate("silver").by_reseller());
    assert_eq!(call(&mut world, Method::DELETE, &subscription_path(csp), None).status, 400);
    let id = active(&mut world, Purchase::flat_rate("silver"));
    world.change_plan(id, "gold").unwrap();
    assert_eq!(call(&mut world, Method::DELETE, &subscription_path(id), None).status, 409);
    assert_eq!(call(&mut world, Method::DELETE, &subscription_path(Uuid::nil()), None).status, 404);
}

#[test]
fn after_a_refusal_microsoft_requests_the_current_value() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    assert_eq!(world.revert(id), Err(Refused::NothingToRevert));
    let operation = world.change_plan(id, "gold").unwrap();
    acknowledge(&mut world, id, operation, "Failure");
    answer_webhooks(&mut world, Some(200));
    world.revert(id).unwrap();
    let bodies = answer_webhooks(&mut world, Some(200));
    assert_eq!(
        (&bodies[0]["planId"], &bodies[0]["subscription"]["planId"]),
        (&json!("silver"), &json!("silver"))
    );
}
