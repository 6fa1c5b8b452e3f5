//! Activation (4.2): by the buyer's confirmation and by the publisher's product. 200 is a receipt,
//! not the end; Get Subscription is.

use std::time::Duration;

use emulator::{Call, ErrorForm, FaultKind, Purchase, Times};
use http::StatusCode;
use local::Options;
use serde_json::json;
use uuid::Uuid;

use crate::probe::Probe;
use crate::scene::Scene;

const MINUTE: Duration = Duration::from_secs(60);

async fn status(scene: &Scene, id: Uuid) -> String {
    scene.record(id).await.expect("a record").status().as_str().to_owned()
}

async fn slow(delay: Duration) -> Scene {
    let scene = Scene::new().await;
    scene.world(|world| world.settings_mut().behaviour.activation_delay = delay);
    scene
}

/// What the body of every Activate so far was.
fn activate_bodies(scene: &Scene) -> Vec<serde_json::Value> {
    scene.world(|world| {
        let activations = world.calls().iter().filter(|made| made.call == Call::Activate);
        activations.map(|made| made.request_body.clone().unwrap_or_default()).collect()
    })
}

#[tokio::test]
async fn t_9_a_confirmation_activates_and_shows_it() {
    let scene = Scene::new().await;
    let id = scene.purchase(Purchase::per_seat("basic", 7));
    scene.visit(id).await;
    let page = scene.confirm(id).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("subscription is active"), "{}", page.body);
    assert_eq!(scene.event_names(id).await, ["Purchased", "Activated"]);
    // F-ACT-2: what satisfies every source.
    assert_eq!(activate_bodies(&scene), [json!({ "planId": "basic", "quantity": 7 })]);
}

#[tokio::test]
async fn f_act_2_a_flat_rate_purchase_is_activated_without_a_quantity() {
    let scene = Scene::new().await;
    scene.active(Purchase::flat_rate("gold")).await;
    assert_eq!(activate_bodies(&scene), [json!({ "planId": "gold" })]);
}

#[tokio::test]
async fn t_9_a_200_that_takes_a_moment_is_waited_for() {
    let scene = slow(Duration::from_secs(2)).await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let answer = scene.activate(id).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json()["subscription"]["saasSubscriptionStatus"], "Subscribed");
    assert_eq!(scene.event_names(id).await, ["Purchased", "Activated"]);
    assert_eq!(scene.calls(Call::Activate), 1);
}

#[tokio::test]
async fn t_9_a_200_that_takes_long_is_answered_202_and_finished_by_the_reconciliation() {
    let scene = slow(5 * MINUTE).await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let answer = scene.activate(id).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let body = answer.json();
    assert_eq!(body["subscription"]["saasSubscriptionStatus"], "PendingFulfillmentStart");
    assert_eq!(body["activation"]["state"], "awaitsMicrosoft");
    assert_eq!(scene.event_names(id).await, ["Purchased"], "nothing is active yet (F-ACT-3)");

    // The buyer who comes back in the meantime has nothing more to press (F-LP-10).
    let page = scene.visit(id).await;
    assert!(page.body.contains("being set up"), "{}", page.body);
    assert!(!page.body.contains("<button"));

    scene.advance(3 * MINUTE);
    scene.stage.reconcile().await.expect("a run");
    assert_eq!(status(&scene, id).await, "PendingFulfillmentStart");
    scene.advance(3 * MINUTE);
    scene.stage.reconcile().await.expect("a run");
    assert_eq!(scene.event_names(id).await, ["Purchased", "Activated"]);
    let record = scene.record(id).await.expect("a record");
    assert_eq!(record.activation, None, "nothing is waited for any more");
    assert_eq!(record.status().as_str(), "Subscribed");
}

#[tokio::test]
async fn t_9_the_page_of_a_slow_activation_says_that_it_is_under_way() {
    let scene = slow(5 * MINUTE).await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let page = scene.confirm(id).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("being set up"), "{}", page.body);
    scene.advance(6 * MINUTE);
    assert!(scene.visit(id).await.body.contains("subscription is active"));
    assert_eq!(scene.event_names(id).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn t_9_a_400_on_a_subscription_that_is_subscribed_is_success() {
    // F-ACT-7: the answer to the first Activate is lost, and the second one is refused because the
    // subscription is active already.
    let scene = Scene::new().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    scene.fault(Call::Activate, FaultKind::LoseAnswer, Times::Once);
    let answer = scene.activate(id).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let statuses: Vec<_> = scene.world(|world| {
        let made = world.calls().iter().filter(|made| made.call == Call::Activate);
        made.map(|made| made.status).collect()
    });
    assert_eq!(statuses, [None, Some(400)]);
    assert_eq!(scene.event_names(id).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn t_9_every_answer_to_activate_is_settled_by_reading_the_subscription() {
    // Carried out, and answered by something in between (F-ACT-7).
    let scene = Scene::new().await;
    for (status, form) in [400, 404, 409, 500, 502, 503]
        .into_iter()
        .flat_map(|status| ErrorForm::ALL.map(|form| (status, form)))
    {
        let id = scene.purchase(Purchase::flat_rate("silver"));
        scene.fault(Call::Activate, FaultKind::LoseAnswer, Times::Once);
        scene.fault(Call::Activate, FaultKind::Status(status, form), Times::N(5));
        let answer = scene.activate(id).await;
        scene.world(|world| world.faults_mut().clear());
        assert_eq!(answer.status, StatusCode::OK, "{status} {form:?}: {}", answer.body);
        assert_eq!(scene.event_names(id).await, ["Purchased", "Activated"], "{status} {form:?}");
    }
}

#[tokio::test]
async fn t_9_a_refusal_of_a_pending_purchase_is_told_and_forgotten() {
    let scene = Scene::new().await;
    for refusal in [400, 404] {
        let id = scene.purchase(Purchase::flat_rate("silver"));
        scene.fault(Call::Activate, FaultKind::Status(refusal, ErrorForm::Object), Times::Once);
        let answer = scene.activate(id).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{refusal}");
        assert_eq!(answer.json()["code"], "refused");
        let record = scene.record(id).await.expect("a record");
        assert_eq!(record.activation, None, "nothing is waited for");
        assert_eq!(scene.event_names(id).await, ["Purchased"]);

        scene.fault(Call::Activate, FaultKind::Status(refusal, ErrorForm::Object), Times::Once);
        let page = scene.confirm(id).await;
        assert_eq!(page.status, StatusCode::CONFLICT, "{refusal}");
        assert!(page.body.contains("did not accept"), "{}", page.body);
        // And the buyer may try again.
        assert!(scene.confirm(id).await.body.contains("subscription is active"));
    }
}

#[tokio::test]
async fn t_9_a_missing_answer_that_was_carried_out_is_success() {
    let scene = Scene::new().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    scene.fault(Call::Activate, FaultKind::LoseAnswer, Times::Always);
    let answer = scene.activate(id).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(scene.event_names(id).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn t_9_when_microsoft_can_not_be_told_the_reconciliation_tells_it() {
    let scene = Scene::new().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    scene.fault(Call::Activate, FaultKind::Status(503, ErrorForm::Empty), Times::Always);
    let answer = scene.activate(id).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    scene.world(|world| world.faults_mut().clear());
    assert_eq!(scene.event_names(id).await, ["Purchased"]);

    // Not while whoever began it may still be at it.
    let before = scene.calls(Call::Activate);
    scene.stage.reconcile().await.expect("a run");
    assert_eq!(scene.calls(Call::Activate), before);

    scene.advance(3 * MINUTE);
    scene.stage.reconcile().await.expect("a run");
    assert_eq!(scene.calls(Call::Activate), before + 1);
    assert_eq!(scene.event_names(id).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn t_9_when_neither_the_answer_nor_the_subscription_can_be_had_the_outcome_stays_open() {
    let scene = Scene::new().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    scene.visit(id).await;
    scene.fault(Call::Activate, FaultKind::LoseAnswer, Times::Always);
    let token = scene.world(|world| world.purchase_token(id));
    // The activation function looks at the subscription first; that one read succeeds.
    scene.fault(Call::GetSubscription, FaultKind::Delay(Duration::ZERO), Times::Once);
    scene.fault(Call::GetSubscription, FaultKind::Status(500, ErrorForm::Nested), Times::Always);
    let form = scene.http.post(scene.url("/landing")).form(&[("token", token)]);
    let page = scene.send(form).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("being set up"), "{}", page.body);
    scene.world(|world| world.faults_mut().clear());
    assert_eq!(status(&scene, id).await, "PendingFulfillmentStart");
    scene.stage.reconcile().await.expect("a run");
    assert_eq!(scene.event_names(id).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn t_9_an_activation_that_fails_at_microsoft_ends_the_purchase() {
    // F-ACT-3: an Unsubscribe follows.
    let scene = Scene::new().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    scene.world(|world| world.let_activation_fail(id));
    let answer = scene.activate(id).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert_eq!(answer.json()["code"], "unsubscribed");
    assert_eq!(scene.deliver_statuses().await, [200]);
    assert_eq!(scene.event_names(id).await, ["Purchased", "Unsubscribed"], "never active");
}

#[tokio::test]
async fn t_9_an_activation_that_fails_later_ends_the_purchase() {
    let scene = slow(5 * MINUTE).await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    scene.world(|world| world.let_activation_fail(id));
    assert_eq!(scene.activate(id).await.status, StatusCode::ACCEPTED);
    scene.advance(6 * MINUTE);
    assert_eq!(scene.deliver_statuses().await, [200]);
    assert_eq!(scene.event_names(id).await, ["Purchased", "Unsubscribed"]);
    assert_eq!(scene.record(id).await.expect("a record").activation, None);
}

#[tokio::test]
async fn t_24_the_landing_page_and_auto_activation_may_race() {
    // F-LC-4, F-ACT-7, F-ACT-8: the subscription is active before the webhook tells so.
    let scene = Scene::new().await;
    let id = scene.purchase(Purchase::flat_rate("silver").auto_activated());
    let page = scene.confirm(id).await;
    assert!(page.body.contains("subscription is active"), "{}", page.body);
    assert_eq!(scene.deliver_statuses().await, [200]);
    assert_eq!(scene.calls(Call::Activate), 0);
    assert_eq!(scene.event_names(id).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn f_act_4_and_5_what_can_not_be_activated_is_not_asked_for() {
    let scene = Scene::new().await;
    let suspended = scene.active(Purchase::flat_rate("silver")).await;
    scene.world(|world| world.suspend(suspended)).expect("a suspension");
    let ended = scene.purchase(Purchase::flat_rate("silver"));
    scene.world(|world| world.unsubscribe(ended)).expect("an end");
    let asked = scene.calls(Call::Activate);
    for (id, code) in [(suspended, "suspended"), (ended, "unsubscribed")] {
        let answer = scene.activate(id).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{code}");
        assert_eq!(answer.json()["code"], code);
    }
    let unknown = scene.activate(Uuid::from_u128(1)).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert_eq!(unknown.json()["code"], "unknown_subscription");
    assert_eq!(scene.calls(Call::Activate), asked);
}

#[tokio::test]
async fn activation_answers_problems_for_what_is_no_activation() {
    let scene = Scene::new().await;
    let post = |path: &str| scene.send(scene.http.post(scene.url(path)));
    let answer = post("/subscriptions/not-a-guid/activate").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.json()["code"], "malformed_id");
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    let answer = scene.get(&format!("/subscriptions/{}/activate", Uuid::from_u128(1))).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(answer.json()["code"], "no_route");
}

#[tokio::test]
async fn an_unreachable_microsoft_or_table_is_503_and_nothing_is_begun() {
    let (scene, probe) = Probe::scene(Options::default()).await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    for call in [Call::Token, Call::GetSubscription] {
        scene.fault(call, FaultKind::Status(500, ErrorForm::Html), Times::Always);
        let answer = scene.activate(id).await;
        scene.world(|world| world.faults_mut().clear());
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{call:?}");
        assert_eq!(answer.json()["code"], "unavailable");
    }
    probe.is_away.store(true, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(scene.activate(id).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(scene.confirm(id).await.status, StatusCode::SERVICE_UNAVAILABLE);
    probe.is_away.store(false, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(scene.calls(Call::Activate), 0, "Microsoft isn't told what we can't note");
    assert_eq!(scene.activate(id).await.status, StatusCode::OK);
}

#[tokio::test]
async fn t_9_an_activation_that_stays_refused_is_given_up_in_the_end() {
    let scene = Scene::new().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    scene.fault(Call::Activate, FaultKind::Status(503, ErrorForm::Empty), Times::N(3));
    assert_eq!(scene.activate(id).await.status, StatusCode::ACCEPTED);
    scene.fault(Call::Activate, FaultKind::Status(400, ErrorForm::Object), Times::Always);
    for _ in 0..6 {
        scene.advance(3 * MINUTE);
        scene.stage.reconcile().await.expect("a run");
    }
    assert_eq!(scene.record(id).await.expect("a record").activation, None);
    let asked = scene.calls(Call::Activate);
    scene.advance(3 * MINUTE);
    scene.stage.reconcile().await.expect("a run");
    assert_eq!(scene.calls(Call::Activate), asked, "nobody asks for ever");
    scene.world(|world| world.faults_mut().clear());
    assert_eq!(scene.activate(id).await.status, StatusCode::OK, "and the buyer may try again");
}
