//! The publisher's own API: changes and cancellations, which Microsoft carries out (4.6 to 4.8, 5.2).

use std::time::Duration;

use emulator::{Call, ErrorForm, FaultKind, Purchase, Times, World};
use http::StatusCode;
use local::Options;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::scene::{Scene, is_problem};

/// Asks for a change and returns its operation.
async fn accepted(scene: &Scene, id: Uuid, wanted: Value) -> Uuid {
    let answer = scene.change(id, &wanted).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    let operation = answer.json()["operationId"].as_str().expect("an operation").to_owned();
    assert_eq!(answer.headers["location"], format!("/subscriptions/{id}/operations/{operation}"));
    operation.parse().expect("a GUID")
}

async fn operation_status(scene: &Scene, id: Uuid, operation: Uuid) -> Value {
    let answer = scene.get(&format!("/subscriptions/{id}/operations/{operation}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.json()["status"].clone()
}

#[tokio::test]
async fn t_12_a_change_is_followed_by_its_operation_and_in_force_at_the_webhook_only() {
    for (wanted, event) in [
        (json!({ "planId": "team" }), "PlanChanged"),
        (json!({ "quantity": 20 }), "QuantityChanged"),
    ] {
        let scene = Scene::new().await;
        let id = scene.active(Purchase::per_seat("basic", 10)).await;
        let before = scene.record(id).await.expect("a record").subscription;
        let operation = accepted(&scene, id, wanted.clone()).await;

        assert_eq!(operation_status(&scene, id, operation).await, "NotStarted");
        assert_eq!(operation_status(&scene, id, operation).await, "InProgress");
        let listed = scene.get(&format!("/subscriptions/{id}/operations")).await.json();
        assert_eq!(listed["operations"][0]["id"], operation.to_string());
        assert_eq!(listed["operations"][0]["operationRequestSource"], "Partner");
        let record = scene.record(id).await.expect("a record");
        assert_eq!(record.subscription, before, "nothing is in force yet (F-CHP-7)");
        assert_eq!(record.pending_operation.expect("a wait").id.0, operation);

        assert_eq!(scene.deliver_statuses().await, [200]);
        assert_eq!(operation_status(&scene, id, operation).await, "Succeeded");
        let record = scene.record(id).await.expect("a record");
        assert_eq!(record.pending_operation, None);
        let microsoft = scene.world(|world| world.subscription(id));
        assert_eq!(record.subscription.plan_id, microsoft.plan_id);
        assert_eq!(record.subscription.quantity, microsoft.quantity.map(u64::from));
        assert_eq!(scene.event_names(id).await, ["Purchased", "Activated", event]);
        let none = scene.get(&format!("/subscriptions/{id}/operations")).await.json();
        assert_eq!(none, json!({ "operations": [] }));
        // Never both fields in one request (F-CHP-4), and what was asked for is what is sent.
        let sent: Vec<_> = scene.world(|world| {
            let made = world.calls().iter().filter(|made| made.call == Call::UpdateSubscription);
            made.map(|made| made.request_body.clone().unwrap_or_default()).collect()
        });
        assert_eq!(sent, [wanted]);
    }
}

#[tokio::test]
async fn t_12_the_publishers_own_change_is_accepted_under_a_rejecting_policy() {
    // F-WHA-15: it was decided when it was asked for.
    let scene = Scene::with(Options::default().with("CHANGE_POLICY", "reject")).await;
    let id = scene.active(Purchase::per_seat("basic", 10)).await;
    accepted(&scene, id, json!({ "quantity": 11 })).await;
    assert_eq!(scene.deliver_statuses().await, [200]);
    assert_eq!(scene.record(id).await.expect("a record").subscription.quantity, Some(11));
}

/// How a change of a subscription ends at Microsoft, given its operation.
type End = fn(&mut World, Uuid, Uuid);

#[tokio::test]
async fn t_12_a_change_that_fails_or_is_in_conflict_changes_nothing() {
    let ends: [(&str, End); 2] = [
        ("Failed", |world, id, _| {
            world.suspend(id).expect("a suspension");
        }),
        ("Conflict", |world, _, operation| world.end_in_conflict(operation)),
    ];
    for (status, end) in ends {
        let scene = Scene::new().await;
        let id = scene.active(Purchase::per_seat("basic", 10)).await;
        let operation = accepted(&scene, id, json!({ "planId": "team" })).await;
        scene.world(|world| end(world, id, operation));
        assert_eq!(operation_status(&scene, id, operation).await, status);
        assert!(scene.deliver_statuses().await.iter().all(|status| *status == 200));
        scene.advance(Duration::from_secs(120));
        scene.stage.reconcile().await.expect("a run");
        let record = scene.record(id).await.expect("a record");
        assert_eq!(record.subscription.plan_id, "basic", "{status}");
        assert_eq!(record.pending_operation, None, "{status}: nothing is waited for any more");
        assert!(!scene.event_names(id).await.contains(&"PlanChanged"), "{status}");
    }
}

#[tokio::test]
async fn t_12_what_can_not_be_a_change_is_refused_without_asking_for_it() {
    let scene = Scene::new().await;
    let seats = scene.active(Purchase::per_seat("basic", 10)).await;
    let flat = scene.active(Purchase::flat_rate("silver")).await;
    let pending = scene.purchase(Purchase::flat_rate("silver"));
    let suspended = scene.active(Purchase::per_seat("basic", 10)).await;
    scene.world(|world| world.suspend(suspended)).expect("a suspension");
    let ended = scene.active(Purchase::per_seat("basic", 10)).await;
    scene.world(|world| world.unsubscribe(ended)).expect("an end");
    for (id, wanted, status, code) in [
        (seats, json!({ "planId": "team", "quantity": 5 }), 400, "invalid_change"),
        (seats, json!({}), 400, "invalid_change"),
        (seats, json!([]), 400, "invalid_change"),
        (seats, json!({ "quantity": 0 }), 400, "invalid_change"),
        (seats, json!({ "quantity": -3 }), 400, "invalid_change"),
        (seats, json!({ "quantity": 1_000_001 }), 400, "invalid_change"),
        (seats, json!({ "quantity": "5" }), 400, "invalid_change"),
        (seats, json!({ "planId": "" }), 400, "invalid_change"),
        (seats, json!({ "planId": "basic" }), 409, "already_in_force"),
        (seats, json!({ "quantity": 10 }), 409, "already_in_force"),
        (flat, json!({ "quantity": 3 }), 409, "flat_rate"),
        (pending, json!({ "planId": "gold" }), 409, "not_subscribed"),
        (suspended, json!({ "quantity": 3 }), 409, "not_subscribed"),
        (ended, json!({ "quantity": 3 }), 409, "not_subscribed"),
    ] {
        let answer = scene.change(id, &wanted).await;
        is_problem(&answer, StatusCode::from_u16(status).expect("a status"), code);
    }
    assert_eq!(scene.calls(Call::UpdateSubscription), 0);
}

#[tokio::test]
async fn t_12_plans_and_seats_that_are_not_offered_are_refused_without_asking_for_them() {
    // F-CHP-8, F-CHQ-6, F-PLN-3.
    let scene = Scene::new().await;
    let id = scene.active(Purchase::per_seat("basic", 10)).await;
    let team = scene.active(Purchase::per_seat("team", 10)).await;
    for (id, wanted, code) in [
        (id, json!({ "planId": "nothing-like-it" }), "plan_not_available"),
        (id, json!({ "planId": "silver" }), "plan_not_available"),
        (id, json!({ "quantity": 101 }), "quantity_out_of_limits"),
        (team, json!({ "quantity": 4 }), "quantity_out_of_limits"),
        (team, json!({ "quantity": 501 }), "quantity_out_of_limits"),
    ] {
        is_problem(&scene.change(id, &wanted).await, StatusCode::CONFLICT, code);
    }
    assert_eq!(scene.calls(Call::UpdateSubscription), 0);
    accepted(&scene, team, json!({ "quantity": 500 })).await;
}

#[tokio::test]
async fn t_12_one_change_is_asked_for_after_the_other() {
    // F-CHP-8: locked by a pending operation. The customer's own, or one of ours that has not begun
    // and is in no list (F-OPL-1).
    let scene = Scene::new().await;
    let customers = scene.active(Purchase::per_seat("basic", 10)).await;
    scene.world(|world| world.change_plan(customers, "team")).expect("a change");
    let ours = scene.active(Purchase::per_seat("basic", 10)).await;
    accepted(&scene, ours, json!({ "planId": "team" })).await;
    let asked = scene.calls(Call::UpdateSubscription);
    for id in [customers, ours] {
        let answer = scene.change(id, &json!({ "quantity": 20 })).await;
        is_problem(&answer, StatusCode::CONFLICT, "operation_pending");
    }
    assert_eq!(scene.calls(Call::UpdateSubscription), asked);
    assert_eq!(scene.deliver_statuses().await, [200, 200]);
    for id in [customers, ours] {
        accepted(&scene, id, json!({ "quantity": 20 })).await;
    }
}

#[tokio::test]
async fn t_12_what_microsoft_refuses_is_a_conflict_with_microsofts_reason() {
    // What can't be checked beforehand is left to Microsoft.
    let scene = Scene::new().await;
    let id = scene.active(Purchase::per_seat("basic", 10)).await;
    for call in [Call::ListAvailablePlans, Call::ListOperations] {
        scene.fault(call, FaultKind::Status(400, ErrorForm::Nested), Times::Always);
    }
    for (wanted, reason) in [
        (json!({ "planId": "nothing-like-it" }), "catalog"),
        (json!({ "planId": "silver" }), "catalog"),
        (json!({ "quantity": 101 }), "1 to 100"),
    ] {
        let answer = scene.change(id, &wanted).await;
        is_problem(&answer, StatusCode::CONFLICT, "refused");
        assert!(answer.body.contains(reason), "{}", answer.body);
    }
    scene.world(|world| world.change_plan(id, "team")).expect("a change");
    let locked = scene.change(id, &json!({ "quantity": 20 })).await;
    is_problem(&locked, StatusCode::CONFLICT, "refused");
    assert_eq!(scene.record(id).await.expect("a record").pending_operation, None);
}

/// The subscription as Get returns it, with other customer operations.
fn allowing(scene: &Scene, id: Uuid, allowed: &[&str]) -> String {
    let mut read: Value = scene.world(|world| {
        let token = world.entra().access_token();
        let path = format!("/saas/subscriptions/{id}?api-version=2018-08-31");
        let request = emulator::ApiRequest::new(http::Method::GET, &path)
            .with_header("authorization", &format!("Bearer {token}"));
        world.marketplace(&request).reply().expect("a reply").body_json()
    });
    read["allowedCustomerOperations"] = json!(allowed);
    read.to_string()
}

#[tokio::test]
async fn t_13_what_the_customer_may_not_do_is_refused_without_asking_microsoft() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::per_seat("basic", 10).by_reseller()).await;
    let direct = scene.active(Purchase::per_seat("basic", 10)).await;
    // As bought by a reseller (F-SEED-9).
    is_problem(
        &scene.change(id, &json!({ "quantity": 3 })).await,
        StatusCode::CONFLICT,
        "not_allowed",
    );
    is_problem(
        &scene.change(id, &json!({ "planId": "team" })).await,
        StatusCode::CONFLICT,
        "not_allowed",
    );
    is_problem(&scene.cancel(id).await, StatusCode::CONFLICT, "not_allowed");
    // F-OBJ-11: a subset, in any order.
    for (allowed, may_change, may_cancel) in [
        (&["Read"][..], false, false),
        (&[], false, false),
        (&["Read", "Update"], true, false),
        (&["Update", "Read"], true, false),
        (&["Delete", "Read"], false, true),
        (&["Read", "Delete"], false, true),
    ] {
        let read = || FaultKind::Garbage(allowing(&scene, direct, allowed));
        if !may_change {
            scene.fault(Call::GetSubscription, read(), Times::Once);
            let answer = scene.change(direct, &json!({ "quantity": 3 })).await;
            is_problem(&answer, StatusCode::CONFLICT, "not_allowed");
        }
        if !may_cancel {
            scene.fault(Call::GetSubscription, read(), Times::Once);
            is_problem(&scene.cancel(direct).await, StatusCode::CONFLICT, "not_allowed");
        }
    }
    assert_eq!(scene.calls(Call::UpdateSubscription), 0);
    assert_eq!(scene.calls(Call::DeleteSubscription), 0);
    for (allowed, status) in
        [(["Update", "Read", "Delete"], 202), (["Delete", "Read", "Update"], 202)]
    {
        let body = allowing(&scene, direct, &allowed);
        scene.fault(Call::GetSubscription, FaultKind::Garbage(body), Times::Once);
        let seats = scene.record(direct).await.expect("a record").subscription.quantity;
        let wanted = json!({ "quantity": seats.expect("seats") + 1 });
        assert_eq!(scene.change(direct, &wanted).await.status.as_u16(), status, "{allowed:?}");
        assert_eq!(scene.deliver_statuses().await, [200]);
    }
}

#[tokio::test]
async fn t_14_a_cancellation_is_in_force_at_the_webhook() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::flat_rate("silver")).await;
    let answer = scene.cancel(id).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    let operation = answer.json()["operationId"].as_str().expect("an id").to_owned();
    assert_eq!(answer.headers["location"], format!("/subscriptions/{id}/operations/{operation}"));
    let record = scene.record(id).await.expect("a record");
    assert_eq!(record.status().as_str(), "Subscribed", "only the webhook ends it (F-CAN-3)");
    assert_eq!(scene.deliver_statuses().await, [200]);
    let record = scene.record(id).await.expect("a record");
    assert_eq!(record.status().as_str(), "Unsubscribed");
    assert_eq!(record.pending_operation, None);
    assert_eq!(scene.event_names(id).await, ["Purchased", "Activated", "Unsubscribed"]);

    is_problem(&scene.cancel(id).await, StatusCode::CONFLICT, "unsubscribed");
    assert_eq!(scene.calls(Call::DeleteSubscription), 1);
}

#[tokio::test]
async fn f_can_6_a_purchase_can_be_cancelled_in_every_state_before_its_end() {
    let scene = Scene::new().await;
    let pending = scene.purchase(Purchase::flat_rate("silver"));
    let suspended = scene.active(Purchase::flat_rate("silver")).await;
    scene.world(|world| world.suspend(suspended)).expect("a suspension");
    for id in [pending, suspended] {
        assert_eq!(scene.cancel(id).await.status, StatusCode::ACCEPTED);
    }
    assert!(scene.deliver_statuses().await.iter().all(|status| *status == 200));
    for id in [pending, suspended] {
        let record = scene.record(id).await.expect("a record");
        assert_eq!(record.status().as_str(), "Unsubscribed");
    }
    assert_eq!(scene.event_names(pending).await, ["Purchased", "Unsubscribed"]);
}

#[tokio::test]
async fn t_14_a_cancellation_behind_a_pending_operation_is_for_later() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::flat_rate("silver")).await;
    scene.world(|world| world.change_plan(id, "gold")).expect("a change");
    is_problem(&scene.cancel(id).await, StatusCode::CONFLICT, "operation_pending");
    assert_eq!(scene.deliver_statuses().await, [200]);
    assert_eq!(scene.cancel(id).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn t_14_a_400_of_microsofts_is_a_refusal() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::flat_rate("silver")).await;
    for form in ErrorForm::ALL {
        scene.fault(Call::DeleteSubscription, FaultKind::Status(400, form), Times::Once);
        is_problem(&scene.cancel(id).await, StatusCode::CONFLICT, "refused");
    }
    assert_eq!(scene.record(id).await.expect("a record").pending_operation, None);
}

#[tokio::test]
async fn f_wha_7_a_reinstatement_is_declined_by_cancelling() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::flat_rate("silver")).await;
    scene.world(|world| world.suspend(id)).expect("a suspension");
    assert_eq!(scene.deliver_statuses().await, [200]);
    scene.world(|world| world.reinstate(id)).expect("a reinstatement");
    assert_eq!(scene.cancel(id).await.status, StatusCode::ACCEPTED);
    assert!(scene.deliver_statuses().await.iter().all(|status| *status == 200));
    assert_eq!(scene.world(|world| world.subscription(id).status), "Unsubscribed");
    assert_eq!(
        scene.event_names(id).await,
        ["Purchased", "Activated", "Suspended", "Unsubscribed"]
    );
}

#[tokio::test]
async fn t_28_a_request_that_may_have_been_carried_out_is_not_repeated() {
    // F-ERR-2: not blindly PATCH and DELETE.
    for kind in [
        FaultKind::LoseAnswer,
        FaultKind::Status(500, ErrorForm::Nested),
        FaultKind::Status(503, ErrorForm::Html),
    ] {
        let scene = Scene::new().await;
        let id = scene.active(Purchase::flat_rate("silver")).await;
        scene.fault(Call::UpdateSubscription, kind.clone(), Times::Always);
        scene.fault(Call::DeleteSubscription, kind.clone(), Times::Always);
        let changed = scene.change(id, &json!({ "planId": "gold" })).await;
        is_problem(&changed, StatusCode::GATEWAY_TIMEOUT, "outcome_unknown");
        assert_eq!(scene.calls(Call::UpdateSubscription), 1, "{kind:?}");
        // What became of it comes by the webhook as ever.
        scene.deliver_statuses().await;
        let cancelled = scene.cancel(id).await;
        is_problem(&cancelled, StatusCode::GATEWAY_TIMEOUT, "outcome_unknown");
        assert_eq!(scene.calls(Call::DeleteSubscription), 1, "{kind:?}");
        assert!(scene.deliver_statuses().await.iter().all(|status| *status == 200));
        let record = scene.record(id).await.expect("a record");
        let microsoft = scene.world(|world| world.subscription(id));
        assert_eq!(record.status().as_str(), microsoft.status, "{kind:?}");
        assert_eq!(record.subscription.plan_id, microsoft.plan_id, "{kind:?}");
    }
}

#[tokio::test]
async fn t_28_a_throttled_request_was_not_carried_out_and_is_repeated() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::flat_rate("silver")).await;
    let throttled = FaultKind::RetryAfter(429, "3".to_owned());
    scene.fault(Call::UpdateSubscription, throttled, Times::Once);
    let before = scene.world(|world| world.now());
    accepted(&scene, id, json!({ "planId": "gold" })).await;
    assert_eq!(scene.calls(Call::UpdateSubscription), 2);
    let waited = scene.world(|world| world.now()).duration_since(before);
    assert!(waited.as_secs() >= 3, "Retry-After is obeyed (F-ERR-1): {waited}");
}

#[tokio::test]
async fn an_answer_that_names_no_operation_is_still_accepted() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::flat_rate("silver")).await;
    scene.fault(Call::DeleteSubscription, FaultKind::Garbage(String::new()), Times::Once);
    let answer = scene.cancel(id).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(answer.json(), json!({ "operationId": null }));
    assert!(!answer.headers.contains_key("location"));
}
