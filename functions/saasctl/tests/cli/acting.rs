//! Commands that ask for something.

use emulator::{Call, ErrorForm, FaultKind, Purchase, Times};
use local::Options;
use serde_json::Value;

use crate::scene::Scene;

#[tokio::test]
async fn a_change_is_asked_for_and_is_not_in_force_yet() {
    // F-CHP-7.
    let scene = Scene::new().await;
    let id = scene.active(Purchase::per_seat("basic", 10)).await;
    let said = scene.run(&["change-plan", &id.to_string(), "team"]).await.done();
    let pending = scene.record(id).await.pending_operation.expect("a wait");
    assert!(said.contains(&format!("marketplace operations {id} {}", pending.id)), "{said}");
    assert_eq!(scene.record(id).await.subscription.plan_id, "basic");
    scene.deliver().await;
    assert_eq!(scene.record(id).await.subscription.plan_id, "team");

    let answer = scene.run(&["--json", "change-seats", &id.to_string(), "20"]).await.json();
    assert!(answer["operationId"].is_string(), "{answer}");
}

#[tokio::test]
async fn what_would_be_refused_is_said_with_its_code() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::per_seat("basic", 10)).await.to_string();
    for (arguments, code) in [
        (["change-plan", &id, "nothing-like-it"], "plan_not_available"),
        (["change-plan", &id, "basic"], "already_in_force"),
        (["change-seats", &id, "101"], "quantity_out_of_limits"),
        (["change-seats", &id, "1000001"], "invalid_change"),
    ] {
        scene.run(&arguments).await.failed(1, code);
    }
    let old = ["change-seats", &id, "11", "--if-version", "1"];
    scene.run(&old).await.failed(1, "version_mismatch");
    assert_eq!(scene.run(&["change-seats", &id, "0"]).await.code, 2, "that is no number of seats");
    assert_eq!(scene.calls(Call::UpdateSubscription), 0);
}

#[tokio::test]
async fn the_same_key_asks_once() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::per_seat("basic", 10)).await.to_string();
    let ask = ["--json", "change-seats", &id, "11", "--key", "order-1"];
    let first = scene.run(&ask).await.json();
    assert_eq!(scene.run(&ask).await.json(), first);
    assert_eq!(scene.calls(Call::UpdateSubscription), 1);
    let other = ["change-seats", &id, "12", "--key", "order-1"];
    scene.run(&other).await.failed(1, "idempotency_key_reused");
}

#[tokio::test]
async fn a_cancellation_is_asked_back_about() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::flat_rate("silver").named("Contoso Cloud")).await.to_string();
    for typed in ["no\n", "", "y\n", "\n"] {
        let said = scene.type_in(&["cancel", &id], typed).await.failed(1, "declined");
        assert!(said.contains("Contoso Cloud"), "it is said which one: {said}");
    }
    assert_eq!(scene.calls(Call::DeleteSubscription), 0);
    scene.type_in(&["cancel", &id], "yes\n").await.done();
    assert_eq!(scene.calls(Call::DeleteSubscription), 1);

    let other = scene.active(Purchase::flat_rate("silver")).await;
    scene.run(&["cancel", &other.to_string(), "--yes"]).await.done();
    scene.deliver().await;
    assert_eq!(scene.record(other).await.status().as_str(), "Unsubscribed");
}

#[tokio::test]
async fn an_outage_is_waited_out_a_little_and_then_reported() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::flat_rate("silver")).await.to_string();
    let ask = ["change-plan", &id, "gold", "--poll", "0"];
    scene.fault(Call::GetSubscription, FaultKind::Status(500, ErrorForm::Html), Times::Always);
    let said = scene.run(&ask).await.failed(3, "unavailable");
    assert_eq!(said.matches("asking again").count(), 2, "{said}");
    scene.world(|world| world.faults_mut().clear());
    scene.run(&ask).await.done();
    assert_eq!(scene.calls(Call::UpdateSubscription), 1);
}

#[tokio::test]
async fn a_lost_answer_of_microsofts_is_an_exit_code_of_its_own() {
    // F-ERR-2.
    let scene = Scene::new().await;
    let id = scene.active(Purchase::flat_rate("silver")).await.to_string();
    scene.fault(Call::UpdateSubscription, FaultKind::LoseAnswer, Times::Always);
    let ask = ["change-plan", &id, "gold", "--poll", "0"];
    let said = scene.run(&ask).await.failed(4, "outcome_unknown");
    assert!(said.contains("observe"), "{said}");
    assert_eq!(scene.calls(Call::UpdateSubscription), 1);
}

#[tokio::test]
async fn an_activation_is_told_once_and_shown() {
    let scene = Scene::new().await;
    let id = scene.world(|world| world.purchase(Purchase::flat_rate("silver")));
    for _ in 0..2 {
        let shown = scene.run(&["--json", "activate", &id.to_string()]).await.json();
        assert_eq!(shown["subscription"]["saasSubscriptionStatus"], "Subscribed");
    }
    assert_eq!(scene.calls(Call::Activate), 1);
    scene.world(|world| world.suspend(id)).expect("a suspension");
    scene.run(&["activate", &id.to_string()]).await.failed(1, "suspended");
}

#[tokio::test]
async fn microsofts_copy_is_looked_at_now() {
    // F-GET-3.
    let scene = Scene::new().await;
    let id = scene.active(Purchase::flat_rate("silver")).await;
    scene.world(|world| world.suspend(id)).expect("a suspension");
    assert_eq!(scene.record(id).await.status().as_str(), "Subscribed");
    let shown = scene.run(&["observe", &id.to_string()]).await.done();
    assert!(shown.contains("Suspended"), "{shown}");
    assert_eq!(scene.record(id).await.status().as_str(), "Suspended");
}

#[tokio::test]
async fn events_are_told_again_to_whoever_is_told() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::flat_rate("silver")).await.to_string();
    scene.run(&["redeliver", &id, "--from", "1"]).await.failed(1, "nobody_to_tell");

    let options = Options::default()
        .with("DELIVERY_ENDPOINT", "https://product.example/events")
        .with("DELIVERY_SIGNING_KEY", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let scene = Scene::with(options).await;
    let id = scene.active(Purchase::flat_rate("silver")).await.to_string();
    let said = scene.run(&["redeliver", &id, "--from", "1"]).await.done();
    assert_eq!(said, "Told again from version 1 on: endpoint.\n");
    let said = scene.run(&["--json", "redeliver", &id]).await.json();
    assert_eq!(
        (&said["targets"][0], &said["fromVersion"]),
        (&Value::from("endpoint"), &Value::Null)
    );
    scene.run(&["redeliver", &id, "--from", "999"]).await.failed(1, "unknown_version");
}
