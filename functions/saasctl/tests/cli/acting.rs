//! Commands that change something.

use emulator::{Call, ErrorForm, FaultKind, Purchase, Times};
use local::Options;
use local::test_env::TestEnv;
use serde_json::Value;

use crate::test_env::Saasctl as _;

#[tokio::test]
async fn a_change_takes_effect_only_with_its_webhook() {
    // F-CHP-7.
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    let said = env.run(&["change-plan", &id.to_string(), "team"]).await.done();
    let pending = env.recorded(id).await.pending_operation.expect("a pending operation");
    assert!(said.contains(&format!("saasctl operations {id} {}", pending.id)), "{said}");
    assert_eq!(env.recorded(id).await.subscription.plan_id, "basic");
    env.deliver_webhooks().await;
    assert_eq!(env.recorded(id).await.subscription.plan_id, "team");

    let answer = env.run(&["--json", "change-seats", &id.to_string(), "20"]).await.json();
    assert!(answer["operationId"].is_string(), "{answer}");
}

#[tokio::test]
async fn the_reason_of_a_change_stands_in_the_history() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    let reason = ["--reason", "By phone on 3 March"];
    env.run(&[&["change-plan", &id.to_string(), "team"], &reason[..]].concat()).await.done();
    env.deliver_webhooks().await;
    let history = env.run(&["history", &id.to_string()]).await.done();
    assert!(history.contains("accepted by publisher: By phone on 3 March"), "{history}");
}

#[tokio::test]
async fn an_invalid_change_is_refused_with_its_code() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 10)).await.to_string();
    for (arguments, code) in [
        (["change-plan", &id, "nothing-like-it"], "plan_not_available"),
        (["change-plan", &id, "basic"], "already_in_force"),
        (["change-seats", &id, "101"], "quantity_out_of_limits"),
        (["change-seats", &id, "1000001"], "invalid_change"),
    ] {
        env.run(&arguments).await.failed(1, code);
    }
    let old = ["change-seats", &id, "11", "--if-version", "1"];
    env.run(&old).await.failed(1, "version_mismatch");
    assert_eq!(env.run(&["change-seats", &id, "0"]).await.code, 2, "0 is not a number of seats");
    assert_eq!(env.calls(Call::UpdateSubscription), 0);
}

#[tokio::test]
async fn requests_with_the_same_key_are_carried_out_once() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 10)).await.to_string();
    let ask = ["--json", "change-seats", &id, "11", "--key", "order-1"];
    let first = env.run(&ask).await.json();
    assert_eq!(env.run(&ask).await.json(), first);
    assert_eq!(env.calls(Call::UpdateSubscription), 1);
    let other = ["change-seats", &id, "12", "--key", "order-1"];
    env.run(&other).await.failed(1, "idempotency_key_reused");
}

#[tokio::test]
async fn cancel_needs_a_confirmation() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver").named("Contoso Cloud")).await.to_string();
    for typed in ["no\n", "", "y\n", "\n"] {
        let said = env.type_in(&["cancel", &id], typed).await.failed(1, "declined");
        assert!(said.contains("Contoso Cloud"), "the prompt names the subscription: {said}");
    }
    assert_eq!(env.calls(Call::DeleteSubscription), 0);
    env.type_in(&["cancel", &id], "yes\n").await.done();
    assert_eq!(env.calls(Call::DeleteSubscription), 1);

    let other = env.active(Purchase::flat_rate("silver")).await;
    env.run(&["cancel", &other.to_string(), "--yes"]).await.done();
    env.deliver_webhooks().await;
    assert_eq!(env.recorded(other).await.status().as_str(), "Unsubscribed");
}

#[tokio::test]
async fn a_change_is_retried_before_an_outage_is_reported() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await.to_string();
    let ask = ["change-plan", &id, "gold", "--poll", "0"];
    env.fault(Call::GetSubscription, FaultKind::Status(500, ErrorForm::Html), Times::Always);
    let said = env.run(&ask).await.failed(3, "unavailable");
    assert_eq!(said.matches("retrying").count(), 2, "{said}");
    env.world(|world| world.faults_mut().clear());
    env.run(&ask).await.done();
    assert_eq!(env.calls(Call::UpdateSubscription), 1);
}

#[tokio::test]
async fn a_lost_answer_from_microsoft_has_its_own_exit_code() {
    // F-ERR-2.
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await.to_string();
    env.fault(Call::UpdateSubscription, FaultKind::LoseAnswer, Times::Always);
    let ask = ["change-plan", &id, "gold", "--poll", "0"];
    let said = env.run(&ask).await.failed(4, "outcome_unknown");
    assert!(said.contains("observe"), "{said}");
    assert_eq!(env.calls(Call::UpdateSubscription), 1);
}

#[tokio::test]
async fn activate_calls_microsoft_once_and_shows_the_record() {
    let env = TestEnv::new().await;
    let id = env.world(|world| world.purchase(Purchase::flat_rate("silver")));
    for _ in 0..2 {
        let shown = env.run(&["--json", "activate", &id.to_string()]).await.json();
        assert_eq!(shown["subscription"]["saasSubscriptionStatus"], "Subscribed");
    }
    assert_eq!(env.calls(Call::Activate), 1);
    env.world(|world| world.suspend(id)).expect("a suspension");
    env.run(&["activate", &id.to_string()]).await.failed(1, "suspended");
}

#[tokio::test]
async fn observe_reads_microsofts_copy() {
    // F-GET-3.
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    env.world(|world| world.suspend(id)).expect("a suspension");
    assert_eq!(env.recorded(id).await.status().as_str(), "Subscribed");
    let ran = env.run(&["observe", &id.to_string()]).await;
    let said = "Microsoft was asked just now. Its copy differed, and is recorded:\n";
    assert!(ran.stderr.contains(said), "{ran:?}");
    assert!(ran.stderr.contains("\n  saasSubscriptionStatus Subscribed → Suspended\n"), "{ran:?}");
    let shown = ran.done();
    assert!(shown.contains("Suspended"), "{shown}");
    let again = env.run(&["observe", &id.to_string()]).await;
    assert!(again.stderr.contains("Its copy is what was recorded."), "{again:?}");
    let json = env.run(&["observe", &id.to_string(), "--json"]).await;
    assert_eq!(json.stderr, "", "a program gets JSON alone");
    assert_eq!(json.json()["subscription"]["saasSubscriptionStatus"], "Suspended");
    assert_eq!(env.recorded(id).await.status().as_str(), "Suspended");
}

#[tokio::test]
async fn redeliver_needs_a_receiver_and_a_known_version() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await.to_string();
    env.run(&["redeliver", &id, "--from", "1"]).await.failed(1, "nobody_to_tell");

    let options = Options::default()
        .with("DELIVERY_ENDPOINT", "https://product.example/events")
        .with("DELIVERY_SIGNING_KEY", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let env = TestEnv::with(options).await;
    let id = env.active(Purchase::flat_rate("silver")).await.to_string();
    let said = env.run(&["redeliver", &id, "--from", "1"]).await.done();
    assert_eq!(
        said,
        "Events are due again from version 1, to: endpoint.\nThe next sweep sends them.\n"
    );
    let said = env.run(&["--json", "redeliver", &id]).await.json();
    assert_eq!(
        (&said["targets"][0], &said["fromVersion"]),
        (&Value::from("endpoint"), &Value::Null)
    );
    env.run(&["redeliver", &id, "--from", "999"]).await.failed(1, "unknown_version");
}
