//! The management API: changes that Microsoft carries out (4.6, 4.7, 5.2).

use std::time::Duration;

use emulator::{Call, ErrorForm, FaultKind, Purchase, Times, World};
use http::StatusCode;
use local::Options;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::test_env::{TestEnv, is_problem};

/// Requests a change and returns its operation.
async fn accepted(env: &TestEnv, id: Uuid, wanted: Value) -> Uuid {
    let answer = env.change(id, &wanted).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    let operation = answer.json()["operationId"].as_str().expect("an operation").to_owned();
    assert_eq!(answer.headers["location"], format!("/subscriptions/{id}/operations/{operation}"));
    operation.parse().expect("a GUID")
}

async fn operation_status(env: &TestEnv, id: Uuid, operation: Uuid) -> Value {
    let answer = env.get(&format!("/subscriptions/{id}/operations/{operation}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.json()["status"].clone()
}

#[tokio::test]
async fn t_12_a_change_takes_effect_only_at_the_webhook_and_can_be_followed() {
    for (wanted, event) in [
        (json!({ "planId": "team" }), "PlanChanged"),
        (json!({ "quantity": 20 }), "QuantityChanged"),
    ] {
        let env = TestEnv::new().await;
        let id = env.active(Purchase::per_seat("basic", 10)).await;
        let before = env.record(id).await.expect("a record").subscription;
        let operation = accepted(&env, id, wanted.clone()).await;

        assert_eq!(operation_status(&env, id, operation).await, "NotStarted");
        assert_eq!(operation_status(&env, id, operation).await, "InProgress");
        let listed = env.get(&format!("/subscriptions/{id}/operations")).await.json();
        assert_eq!(listed["operations"][0]["id"], operation.to_string());
        assert_eq!(listed["operations"][0]["operationRequestSource"], "Partner");
        let record = env.record(id).await.expect("a record");
        assert_eq!(record.subscription, before, "not in force yet (F-CHP-7)");
        assert_eq!(record.pending_operation.expect("a pending operation").id, operation.into());

        assert_eq!(env.deliver_statuses().await, [200]);
        assert_eq!(operation_status(&env, id, operation).await, "Succeeded");
        let record = env.record(id).await.expect("a record");
        assert_eq!(record.pending_operation, None);
        let microsoft = env.world(|world| world.subscription(id));
        assert_eq!(record.subscription.plan_id, microsoft.plan_id);
        assert_eq!(record.subscription.quantity, microsoft.quantity.map(u64::from));
        assert_eq!(env.event_names(id).await, ["Purchased", "Activated", event]);
        let none = env.get(&format!("/subscriptions/{id}/operations")).await.json();
        assert_eq!(none, json!({ "operations": [] }));
        // The client sends the requested field and no other (F-CHP-4).
        let sent: Vec<_> = env.world(|world| {
            let made = world.calls().iter().filter(|made| made.call == Call::UpdateSubscription);
            made.map(|made| made.request_body.clone().unwrap_or_default()).collect()
        });
        assert_eq!(sent, [wanted]);
    }
}

#[tokio::test]
async fn t_12_the_publishers_own_change_is_accepted_under_a_rejecting_policy() {
    // F-WHA-15: the publisher decided when it requested the change.
    let env = TestEnv::with(Options::default().with("CHANGE_POLICY", "reject")).await;
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    accepted(&env, id, json!({ "quantity": 11 })).await;
    assert_eq!(env.deliver_statuses().await, [200]);
    assert_eq!(env.record(id).await.expect("a record").subscription.quantity, Some(11));
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
        let env = TestEnv::new().await;
        let id = env.active(Purchase::per_seat("basic", 10)).await;
        let operation = accepted(&env, id, json!({ "planId": "team" })).await;
        env.world(|world| end(world, id, operation));
        assert_eq!(operation_status(&env, id, operation).await, status);
        assert!(env.deliver_statuses().await.iter().all(|status| *status == 200));
        env.advance(Duration::from_secs(120));
        env.system.reconcile().await.expect("a run");
        let record = env.record(id).await.expect("a record");
        assert_eq!(record.subscription.plan_id, "basic", "{status}");
        assert_eq!(record.pending_operation, None, "{status}: the wait is over");
        assert!(!env.event_names(id).await.contains(&"PlanChanged"), "{status}");
    }
}

#[tokio::test]
async fn t_12_an_impossible_change_is_refused_without_requesting_it() {
    let env = TestEnv::new().await;
    let seats = env.active(Purchase::per_seat("basic", 10)).await;
    let flat = env.active(Purchase::flat_rate("silver")).await;
    let pending = env.purchase(Purchase::flat_rate("silver"));
    let suspended = env.active(Purchase::per_seat("basic", 10)).await;
    env.world(|world| world.suspend(suspended)).expect("a suspension");
    let ended = env.active(Purchase::per_seat("basic", 10)).await;
    env.world(|world| world.unsubscribe(ended)).expect("an end");
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
        let answer = env.change(id, &wanted).await;
        is_problem(&answer, StatusCode::from_u16(status).expect("a status"), code);
    }
    assert_eq!(env.calls(Call::UpdateSubscription), 0);
}

#[tokio::test]
async fn t_12_plans_and_seats_not_on_offer_are_refused_without_requesting_them() {
    // F-CHP-8, F-CHQ-6, F-PLN-3.
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    let team = env.active(Purchase::per_seat("team", 10)).await;
    for (id, wanted, code) in [
        (id, json!({ "planId": "nothing-like-it" }), "plan_not_available"),
        (id, json!({ "planId": "silver" }), "plan_not_available"),
        (id, json!({ "quantity": 101 }), "quantity_out_of_limits"),
        (team, json!({ "quantity": 4 }), "quantity_out_of_limits"),
        (team, json!({ "quantity": 501 }), "quantity_out_of_limits"),
    ] {
        is_problem(&env.change(id, &wanted).await, StatusCode::CONFLICT, code);
    }
    assert_eq!(env.calls(Call::UpdateSubscription), 0);
    accepted(&env, team, json!({ "quantity": 500 })).await;
}

#[tokio::test]
async fn t_12_a_change_behind_a_pending_operation_is_refused() {
    // F-CHP-8: a pending operation locks the subscription, whether the customer's or ours. Ours has
    // not started and is in no list (F-OPL-1).
    let env = TestEnv::new().await;
    let customers = env.active(Purchase::per_seat("basic", 10)).await;
    env.world(|world| world.change_plan(customers, "team")).expect("a change");
    let ours = env.active(Purchase::per_seat("basic", 10)).await;
    accepted(&env, ours, json!({ "planId": "team" })).await;
    let requests = env.calls(Call::UpdateSubscription);
    for id in [customers, ours] {
        let answer = env.change(id, &json!({ "quantity": 20 })).await;
        is_problem(&answer, StatusCode::CONFLICT, "operation_pending");
    }
    assert_eq!(env.calls(Call::UpdateSubscription), requests);
    assert_eq!(env.deliver_statuses().await, [200, 200]);
    for id in [customers, ours] {
        accepted(&env, id, json!({ "quantity": 20 })).await;
    }
}

#[tokio::test]
async fn t_12_a_change_that_microsoft_refuses_is_a_conflict_with_its_reason() {
    // If plans and operations can't be fetched, Microsoft does the checks.
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    for call in [Call::ListAvailablePlans, Call::ListOperations] {
        env.fault(call, FaultKind::Status(400, ErrorForm::Nested), Times::Always);
    }
    for (wanted, reason) in [
        (json!({ "planId": "nothing-like-it" }), "catalog"),
        (json!({ "planId": "silver" }), "catalog"),
        (json!({ "quantity": 101 }), "1 to 100"),
    ] {
        let answer = env.change(id, &wanted).await;
        is_problem(&answer, StatusCode::CONFLICT, "refused");
        assert!(answer.body.contains(reason), "{}", answer.body);
    }
    env.world(|world| world.change_plan(id, "team")).expect("a change");
    let locked = env.change(id, &json!({ "quantity": 20 })).await;
    is_problem(&locked, StatusCode::CONFLICT, "refused");
    assert_eq!(env.record(id).await.expect("a record").pending_operation, None);
}

/// The subscription as Get returns it, with other customer operations.
fn allowing(env: &TestEnv, id: Uuid, allowed: &[&str]) -> String {
    let mut read: Value = env.world(|world| {
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
async fn t_13_a_change_not_allowed_for_the_customer_is_refused_without_requesting_it() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 10).by_reseller()).await;
    let direct = env.active(Purchase::per_seat("basic", 10)).await;
    // A subscription bought by a reseller (F-SEED-9).
    is_problem(
        &env.change(id, &json!({ "quantity": 3 })).await,
        StatusCode::CONFLICT,
        "not_allowed",
    );
    is_problem(
        &env.change(id, &json!({ "planId": "team" })).await,
        StatusCode::CONFLICT,
        "not_allowed",
    );
    is_problem(&env.cancel(id).await, StatusCode::CONFLICT, "not_allowed");
    // F-OBJ-11: a subset, in any order.
    for (allowed, may_change, may_cancel) in [
        (&["Read"][..], false, false),
        (&[], false, false),
        (&["Read", "Update"], true, false),
        (&["Update", "Read"], true, false),
        (&["Delete", "Read"], false, true),
        (&["Read", "Delete"], false, true),
    ] {
        let read = || FaultKind::Garbage(allowing(&env, direct, allowed));
        if !may_change {
            env.fault(Call::GetSubscription, read(), Times::Once);
            let answer = env.change(direct, &json!({ "quantity": 3 })).await;
            is_problem(&answer, StatusCode::CONFLICT, "not_allowed");
        }
        if !may_cancel {
            env.fault(Call::GetSubscription, read(), Times::Once);
            is_problem(&env.cancel(direct).await, StatusCode::CONFLICT, "not_allowed");
        }
    }
    assert_eq!(env.calls(Call::UpdateSubscription), 0);
    assert_eq!(env.calls(Call::DeleteSubscription), 0);
    for (allowed, status) in
        [(["Update", "Read", "Delete"], 202), (["Delete", "Read", "Update"], 202)]
    {
        let body = allowing(&env, direct, &allowed);
        env.fault(Call::GetSubscription, FaultKind::Garbage(body), Times::Once);
        let seats = env.record(direct).await.expect("a record").subscription.quantity;
        let wanted = json!({ "quantity": seats.expect("seats") + 1 });
        assert_eq!(env.change(direct, &wanted).await.status.as_u16(), status, "{allowed:?}");
        assert_eq!(env.deliver_statuses().await, [200]);
    }
}

#[tokio::test]
async fn t_28_a_request_with_an_unknown_outcome_is_not_retried() {
    // F-ERR-2: PATCH and DELETE are not repeated blindly.
    for kind in [
        FaultKind::LoseAnswer,
        FaultKind::Status(500, ErrorForm::Nested),
        FaultKind::Status(503, ErrorForm::Html),
    ] {
        let env = TestEnv::new().await;
        let id = env.active(Purchase::flat_rate("silver")).await;
        env.fault(Call::UpdateSubscription, kind.clone(), Times::Always);
        env.fault(Call::DeleteSubscription, kind.clone(), Times::Always);
        let changed = env.change(id, &json!({ "planId": "gold" })).await;
        is_problem(&changed, StatusCode::GATEWAY_TIMEOUT, "outcome_unknown");
        assert_eq!(env.calls(Call::UpdateSubscription), 1, "{kind:?}");
        // The webhook reports the outcome as usual.
        env.deliver_statuses().await;
        let cancelled = env.cancel(id).await;
        is_problem(&cancelled, StatusCode::GATEWAY_TIMEOUT, "outcome_unknown");
        assert_eq!(env.calls(Call::DeleteSubscription), 1, "{kind:?}");
        assert!(env.deliver_statuses().await.iter().all(|status| *status == 200));
        let record = env.record(id).await.expect("a record");
        let microsoft = env.world(|world| world.subscription(id));
        assert_eq!(record.status().as_str(), microsoft.status, "{kind:?}");
        assert_eq!(record.subscription.plan_id, microsoft.plan_id, "{kind:?}");
    }
}

#[tokio::test]
async fn t_28_a_throttled_request_is_retried() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    let throttled = FaultKind::RetryAfter(429, "3".to_owned());
    env.fault(Call::UpdateSubscription, throttled, Times::Once);
    let before = env.world(|world| world.now());
    accepted(&env, id, json!({ "planId": "gold" })).await;
    assert_eq!(env.calls(Call::UpdateSubscription), 2);
    let waited = env.world(|world| world.now()).duration_since(before);
    assert!(waited.as_secs() >= 3, "Retry-After is obeyed (F-ERR-1): {waited}");
}
