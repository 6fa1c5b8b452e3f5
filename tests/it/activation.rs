//! Activation (4.2) by the buyer's confirmation and by the publisher's product. Microsoft's 200
//! only confirms that it received the request. Get Subscription shows the outcome.

use std::time::Duration;

use emulator::{Call, ErrorForm, FaultKind, Purchase, Times};
use http::StatusCode;
use local::Options;
use serde_json::json;
use uuid::Uuid;

use crate::probe::Probe;
use crate::reconciliation::activate_elsewhere;
use crate::test_env::TestEnv;

const MINUTE: Duration = Duration::from_secs(60);

async fn status(env: &TestEnv, id: Uuid) -> String {
    env.record(id).await.expect("a record").status().as_str().to_owned()
}

async fn env_with_activation_delay(delay: Duration) -> TestEnv {
    let env = TestEnv::new().await;
    env.world(|world| world.settings_mut().behaviour.activation_delay = delay);
    env
}

/// The request bodies of all Activate calls.
fn activate_bodies(env: &TestEnv) -> Vec<serde_json::Value> {
    env.world(|world| {
        let activations = world.calls().iter().filter(|made| made.call == Call::Activate);
        activations.map(|made| made.request_body.clone().unwrap_or_default()).collect()
    })
}

#[tokio::test]
async fn t_9_a_confirmation_activates_the_subscription_and_shows_it() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::per_seat("basic", 7));
    env.visit(id).await;
    let page = env.confirm(id).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("subscription is active"), "{}", page.body);
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated"]);
    // F-ACT-2: this body satisfies every version of the documentation.
    assert_eq!(activate_bodies(&env), [json!({ "planId": "basic", "quantity": 7 })]);
}

#[tokio::test]
async fn f_act_2_a_flat_rate_purchase_is_activated_without_a_quantity() {
    let env = TestEnv::new().await;
    env.active(Purchase::flat_rate("gold")).await;
    assert_eq!(activate_bodies(&env), [json!({ "planId": "gold" })]);
}

#[tokio::test]
async fn t_9_an_activation_that_takes_seconds_is_waited_for() {
    let env = env_with_activation_delay(Duration::from_secs(2)).await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let answer = env.activate(id).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json()["subscription"]["saasSubscriptionStatus"], "Subscribed");
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated"]);
    assert_eq!(env.calls(Call::Activate), 1);
}

#[tokio::test]
async fn t_9_a_slow_activation_is_answered_202_and_finished_by_the_reconciliation() {
    let env = env_with_activation_delay(5 * MINUTE).await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let answer = env.activate(id).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let body = answer.json();
    assert_eq!(body["subscription"]["saasSubscriptionStatus"], "PendingFulfillmentStart");
    assert_eq!(body["activation"]["state"], "awaitsMicrosoft");
    assert_eq!(env.event_names(id).await, ["Purchased"], "not active yet (F-ACT-3)");

    // A buyer who comes back in the meantime sees no button (F-LP-10).
    let page = env.visit(id).await;
    assert!(page.body.contains("being activated"), "{}", page.body);
    assert!(!page.body.contains("<button"));

    env.advance(3 * MINUTE);
    env.system.reconcile().await.expect("a run");
    assert_eq!(status(&env, id).await, "PendingFulfillmentStart");
    env.advance(3 * MINUTE);
    env.system.reconcile().await.expect("a run");
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated"]);
    let record = env.record(id).await.expect("a record");
    assert_eq!(record.activation, None, "the wait is over");
    assert_eq!(record.status().as_str(), "Subscribed");
}

#[tokio::test]
async fn t_9_the_page_of_a_slow_activation_says_that_it_is_under_way() {
    let env = env_with_activation_delay(5 * MINUTE).await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let page = env.confirm(id).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("being activated"), "{}", page.body);
    env.advance(6 * MINUTE);
    assert!(env.visit(id).await.body.contains("subscription is active"));
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn t_9_a_400_for_an_active_subscription_counts_as_success() {
    // F-ACT-7: the answer to the first Activate is lost. Microsoft refuses the second one because
    // the subscription is active by then.
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    env.fault(Call::Activate, FaultKind::LoseAnswer, Times::Once);
    let answer = env.activate(id).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let statuses: Vec<_> = env.world(|world| {
        let made = world.calls().iter().filter(|made| made.call == Call::Activate);
        made.map(|made| made.status).collect()
    });
    assert_eq!(statuses, [None, Some(400)]);
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn t_9_every_answer_to_activate_is_settled_by_reading_the_subscription() {
    // Microsoft carried it out, but a proxy answered (F-ACT-7).
    let env = TestEnv::new().await;
    for (status, form) in [400, 404, 409, 500, 502, 503]
        .into_iter()
        .flat_map(|status| ErrorForm::ALL.map(|form| (status, form)))
    {
        let id = env.purchase(Purchase::flat_rate("silver"));
        env.fault(Call::Activate, FaultKind::LoseAnswer, Times::Once);
        env.fault(Call::Activate, FaultKind::Status(status, form), Times::N(5));
        let answer = env.activate(id).await;
        env.world(|world| world.faults_mut().clear());
        assert_eq!(answer.status, StatusCode::OK, "{status} {form:?}: {}", answer.body);
        assert_eq!(env.event_names(id).await, ["Purchased", "Activated"], "{status} {form:?}");
    }
}

#[tokio::test]
async fn t_9_a_refused_activation_is_reported_and_can_be_tried_again() {
    let env = TestEnv::new().await;
    for refusal in [400, 404] {
        let id = env.purchase(Purchase::flat_rate("silver"));
        env.fault(Call::Activate, FaultKind::Status(refusal, ErrorForm::Object), Times::Once);
        let answer = env.activate(id).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{refusal}");
        assert_eq!(answer.json()["code"], "refused");
        let record = env.record(id).await.expect("a record");
        assert_eq!(record.activation, None, "the record awaits no activation");
        assert_eq!(env.event_names(id).await, ["Purchased"]);

        env.fault(Call::Activate, FaultKind::Status(refusal, ErrorForm::Object), Times::Once);
        let page = env.confirm(id).await;
        assert_eq!(page.status, StatusCode::CONFLICT, "{refusal}");
        assert!(page.body.contains("did not accept"), "{}", page.body);
        // The buyer can try again.
        assert!(env.confirm(id).await.body.contains("subscription is active"));
    }
}

#[tokio::test]
async fn t_9_an_activation_whose_answer_is_lost_counts_as_success() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    env.fault(Call::Activate, FaultKind::LoseAnswer, Times::Always);
    let answer = env.activate(id).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn t_9_the_reconciliation_repeats_an_activation_that_did_not_reach_microsoft() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    env.fault(Call::Activate, FaultKind::Status(503, ErrorForm::Empty), Times::Always);
    let answer = env.activate(id).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    env.world(|world| world.faults_mut().clear());
    assert_eq!(env.event_names(id).await, ["Purchased"]);

    // The reconciliation waits as long as the first request may still be running.
    let before = env.calls(Call::Activate);
    env.system.reconcile().await.expect("a run");
    assert_eq!(env.calls(Call::Activate), before);

    env.advance(3 * MINUTE);
    env.system.reconcile().await.expect("a run");
    assert_eq!(env.calls(Call::Activate), before + 1);
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn t_9_an_activation_without_answer_or_read_stays_open_until_reconciled() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    env.visit(id).await;
    env.fault(Call::Activate, FaultKind::LoseAnswer, Times::Always);
    let token = env.world(|world| world.purchase_token(id));
    // The activation reads the subscription first. That one read succeeds.
    env.fault(Call::GetSubscription, FaultKind::Delay(Duration::ZERO), Times::Once);
    env.fault(Call::GetSubscription, FaultKind::Status(500, ErrorForm::Nested), Times::Always);
    let form = env.http.post(env.url("/landing")).form(&[("token", token)]);
    let page = env.send(form).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("being activated"), "{}", page.body);
    env.world(|world| world.faults_mut().clear());
    assert_eq!(status(&env, id).await, "PendingFulfillmentStart");
    env.system.reconcile().await.expect("a run");
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn t_9_an_activation_that_fails_at_microsoft_ends_the_purchase() {
    // F-ACT-3: an Unsubscribe follows.
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    env.world(|world| world.let_activation_fail(id));
    let answer = env.activate(id).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert_eq!(answer.json()["code"], "unsubscribed");
    assert_eq!(env.deliver_statuses().await, [200]);
    assert_eq!(env.event_names(id).await, ["Purchased", "Unsubscribed"], "never active");
}

#[tokio::test]
async fn t_9_an_activation_that_fails_later_ends_the_purchase() {
    let env = env_with_activation_delay(5 * MINUTE).await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    env.world(|world| world.let_activation_fail(id));
    assert_eq!(env.activate(id).await.status, StatusCode::ACCEPTED);
    env.advance(6 * MINUTE);
    assert_eq!(env.deliver_statuses().await, [200]);
    assert_eq!(env.event_names(id).await, ["Purchased", "Unsubscribed"]);
    assert_eq!(env.record(id).await.expect("a record").activation, None);
}

#[tokio::test]
async fn t_24_the_landing_page_and_auto_activation_may_race() {
    // F-LC-4, F-ACT-7, F-ACT-8: the subscription is active before its webhook call arrives.
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver").auto_activated());
    let page = env.confirm(id).await;
    assert!(page.body.contains("subscription is active"), "{}", page.body);
    assert_eq!(env.deliver_statuses().await, [200]);
    assert_eq!(env.calls(Call::Activate), 0);
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn f_act_4_and_5_a_suspended_or_ended_subscription_is_never_activated() {
    let env = TestEnv::new().await;
    let suspended = env.active(Purchase::flat_rate("silver")).await;
    env.world(|world| world.suspend(suspended)).expect("a suspension");
    let ended = env.purchase(Purchase::flat_rate("silver"));
    env.world(|world| world.unsubscribe(ended)).expect("an end");
    let activations = env.calls(Call::Activate);
    for (id, code) in [(suspended, "suspended"), (ended, "unsubscribed")] {
        let answer = env.activate(id).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{code}");
        assert_eq!(answer.json()["code"], code);
    }
    let unknown = env.activate(Uuid::from_u128(1)).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert_eq!(unknown.json()["code"], "unknown_subscription");
    assert_eq!(env.calls(Call::Activate), activations);
}

#[tokio::test]
async fn malformed_activation_requests_are_answered_with_a_problem() {
    let env = TestEnv::new().await;
    let post = |path: &str| env.send(env.http.post(env.url(path)));
    let answer = post("/subscriptions/not-a-guid/activate").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.json()["code"], "malformed_id");
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    let answer = env.get(&format!("/subscriptions/{}/activate", Uuid::from_u128(1))).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.headers["allow"], "POST");
    assert_eq!(answer.json()["code"], "method_not_allowed");
    let answer = post("/subscriptions/a/b/activate").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(answer.json()["code"], "no_route");
}

#[tokio::test]
async fn an_unreachable_microsoft_or_table_is_503_and_begins_no_activation() {
    let (env, probe) = Probe::env(Options::default()).await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    for call in [Call::Token, Call::GetSubscription] {
        env.fault(call, FaultKind::Status(500, ErrorForm::Html), Times::Always);
        let answer = env.activate(id).await;
        env.world(|world| world.faults_mut().clear());
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{call:?}");
        assert_eq!(answer.json()["code"], "microsoft_unavailable");
    }
    probe.is_down.store(true, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(env.activate(id).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(env.confirm(id).await.status, StatusCode::SERVICE_UNAVAILABLE);
    probe.is_down.store(false, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(env.calls(Call::Activate), 0, "no activation begins that we can't record");
    assert_eq!(env.activate(id).await.status, StatusCode::OK);
}

#[tokio::test]
async fn t_9_an_activation_that_stays_refused_is_given_up() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    env.fault(Call::Activate, FaultKind::Status(503, ErrorForm::Empty), Times::N(3));
    assert_eq!(env.activate(id).await.status, StatusCode::ACCEPTED);
    env.fault(Call::Activate, FaultKind::Status(400, ErrorForm::Object), Times::Always);
    for _ in 0..6 {
        env.advance(3 * MINUTE);
        env.system.reconcile().await.expect("a run");
    }
    assert_eq!(env.record(id).await.expect("a record").activation, None);
    let activations = env.calls(Call::Activate);
    env.advance(3 * MINUTE);
    env.system.reconcile().await.expect("a run");
    assert_eq!(env.calls(Call::Activate), activations, "the reconciliation has given up");
    env.world(|world| world.faults_mut().clear());
    assert_eq!(env.activate(id).await.status, StatusCode::OK, "the buyer can try again");
}

#[tokio::test]
async fn a_refusal_beside_a_late_read_does_not_abandon_the_activation() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    env.visit(id).await;
    env.world(|world| activate_elsewhere(world, id));
    env.advance(10 * MINUTE);
    env.world(|world| world.change_plan(id, "gold")).expect("a change");
    assert_eq!(env.deliver_statuses().await, [200]);
    // The read shows the plan from before the change, so the record doesn't believe its status.
    let late = Some(Duration::from_secs(20));
    env.world(|world| world.settings_mut().behaviour.stale_reads = late);
    assert_eq!(env.activate(id).await.status, StatusCode::ACCEPTED);
    env.world(|world| world.settings_mut().behaviour.stale_reads = None);
    env.advance(2 * MINUTE);
    assert_eq!(env.activate(id).await.status, StatusCode::OK);
    env.assert_agrees(id, "an activation that had happened").await;
}
