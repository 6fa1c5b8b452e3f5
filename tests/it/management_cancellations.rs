//! The management API: cancellations, which Microsoft carries out (4.8).

use emulator::{Call, ErrorForm, FaultKind, Purchase, Times};
use http::StatusCode;
use serde_json::json;

use crate::test_env::{TestEnv, is_problem};

#[tokio::test]
async fn t_14_a_cancellation_takes_effect_only_at_the_webhook() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    let answer = env.cancel(id).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    let operation = answer.json()["operationId"].as_str().expect("an id").to_owned();
    assert_eq!(answer.headers["location"], format!("/subscriptions/{id}/operations/{operation}"));
    let record = env.record(id).await.expect("a record");
    assert_eq!(record.status().as_str(), "Subscribed", "only the webhook ends it (F-CAN-3)");
    assert_eq!(env.deliver_statuses().await, [200]);
    let record = env.record(id).await.expect("a record");
    assert_eq!(record.status().as_str(), "Unsubscribed");
    assert_eq!(record.pending_operation, None);
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated", "Unsubscribed"]);

    is_problem(&env.cancel(id).await, StatusCode::CONFLICT, "unsubscribed");
    assert_eq!(env.calls(Call::DeleteSubscription), 1);
}

#[tokio::test]
async fn f_can_6_a_purchase_can_be_cancelled_in_every_state_before_its_end() {
    let env = TestEnv::new().await;
    let pending = env.purchase(Purchase::flat_rate("silver"));
    let suspended = env.active(Purchase::flat_rate("silver")).await;
    env.world(|world| world.suspend(suspended)).expect("a suspension");
    for id in [pending, suspended] {
        assert_eq!(env.cancel(id).await.status, StatusCode::ACCEPTED);
    }
    assert!(env.deliver_statuses().await.iter().all(|status| *status == 200));
    for id in [pending, suspended] {
        let record = env.record(id).await.expect("a record");
        assert_eq!(record.status().as_str(), "Unsubscribed");
    }
    assert_eq!(env.event_names(pending).await, ["Purchased", "Unsubscribed"]);
}

#[tokio::test]
async fn t_14_a_cancellation_behind_a_pending_operation_is_refused() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    env.world(|world| world.change_plan(id, "gold")).expect("a change");
    is_problem(&env.cancel(id).await, StatusCode::CONFLICT, "operation_pending");
    assert_eq!(env.deliver_statuses().await, [200]);
    assert_eq!(env.cancel(id).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn t_14_a_400_from_microsoft_is_a_refusal() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    for form in ErrorForm::ALL {
        env.fault(Call::DeleteSubscription, FaultKind::Status(400, form), Times::Once);
        is_problem(&env.cancel(id).await, StatusCode::CONFLICT, "refused");
    }
    assert_eq!(env.record(id).await.expect("a record").pending_operation, None);
}

#[tokio::test]
async fn f_wha_7_a_reinstatement_is_declined_by_cancelling() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    env.world(|world| world.suspend(id)).expect("a suspension");
    assert_eq!(env.deliver_statuses().await, [200]);
    env.world(|world| world.reinstate(id)).expect("a reinstatement");
    assert_eq!(env.cancel(id).await.status, StatusCode::ACCEPTED);
    assert!(env.deliver_statuses().await.iter().all(|status| *status == 200));
    assert_eq!(env.world(|world| world.subscription(id).status), "Unsubscribed");
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated", "Suspended", "Unsubscribed"]);
}

#[tokio::test]
async fn an_answer_that_names_no_operation_is_still_accepted() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    env.fault(Call::DeleteSubscription, FaultKind::Garbage(String::new()), Times::Once);
    let answer = env.cancel(id).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(answer.json(), json!({ "operationId": null }));
    assert!(!answer.headers.contains_key("location"));
}
