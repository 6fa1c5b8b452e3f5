//! Operations whose id is no GUID (F-OP-5).

use emulator::{Action, Purchase};
use local::Options;
use serde_json::json;

use crate::test_env::TestEnv;
use crate::webhook_calls::{ACTIONS, event_of};
use crate::webhook_faults::CHANGES;

/// In front of each id. An address can't hold any of it but the letters as it is.
const PREFIX: &str = "change 1/é%2F?#";

async fn env(policy: &str) -> TestEnv {
    let env = TestEnv::with(Options::default().with("CHANGE_POLICY", policy)).await;
    env.world(|world| world.settings_mut().oddities.operation_id_prefix = PREFIX.to_owned());
    env
}

#[tokio::test]
async fn t_18_a_change_is_rejected_although_its_operations_id_is_no_guid() {
    let env = env("reject").await;
    for action in CHANGES {
        let (id, operation) = env.about_to(&action).await;
        let body = env.body_of(operation);
        assert_eq!(body["id"], format!("{PREFIX}{operation}"));
        env.world(|world| world.clear_calls());
        assert_eq!(env.deliver_statuses().await, [400], "{action:?}");
        assert_eq!(env.acknowledgements(), [json!({ "status": "Failure" })], "{action:?}");
        assert_eq!(env.world(|world| world.operation(operation)).status, "Failed", "{action:?}");
        assert_eq!(env.signed(body.to_string()).await.status, 400, "{action:?}, again");
        assert_eq!(env.acknowledgements().len(), 1, "{action:?}: the mark is found");
        assert_eq!(env.count(id, "ChangeRejected").await, 1, "{action:?}");
        env.assert_agrees(id, &format!("{action:?}")).await;
    }
}

#[tokio::test]
async fn t_17_every_action_takes_effect_although_its_operations_id_is_no_guid() {
    let env = env("accept").await;
    for action in ACTIONS {
        let (id, operation) = env.about_to(&action).await;
        assert_eq!(env.deliver_statuses().await, [200], "{action:?}");
        assert_eq!(env.count(id, event_of(&action)).await, 1, "{action:?}");
        let events = env.get(&format!("/subscriptions/{id}/events")).await.json();
        let last = events["events"].as_array().expect("a list").last().cloned();
        let named = last.expect("an event")["cause"]["operationId"].clone();
        assert_eq!(named, format!("{PREFIX}{operation}"), "{action:?}");
        env.assert_agrees(id, &format!("{action:?}")).await;
    }
}

#[tokio::test]
async fn t_12_our_own_change_is_followed_although_its_operations_id_is_no_guid() {
    let env = env("reject").await;
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    let accepted = env.change(id, &json!({ "quantity": 20 })).await;
    let operation = env.world(|world| world.operations(id))[0];
    assert_eq!(accepted.json()["operationId"], format!("{PREFIX}{operation}"));
    let location = accepted.headers["location"].to_str().expect("text").to_owned();
    let followed = env.get(&location).await;
    assert_eq!(followed.status, 200, "{location}: {}", followed.body);
    assert_eq!(followed.json()["id"], accepted.json()["operationId"]);
    env.pass(1);
    assert_eq!(env.deliver_statuses().await, [200], "we don't reject our own change");
    assert_eq!(env.record(id).await.expect("a record").pending_operation, None);
    env.assert_agrees(id, "followed").await;
}

#[tokio::test]
async fn t_29_the_reconciliation_answers_an_operation_whose_id_is_no_guid() {
    let env = env("accept").await;
    env.world(|world| {
        let behaviour = &mut world.settings_mut().behaviour;
        behaviour.acknowledgement_window = std::time::Duration::from_secs(24 * 60 * 60);
    });
    let (id, operation) = env.about_to(&Action::Reinstate).await;
    env.world(|world| world.lose_deliveries());
    env.pass(120);
    env.system.reconcile().await.expect("a run");
    assert_eq!(env.world(|world| world.operation(operation)).status, "Succeeded");
    assert_eq!(env.count(id, "Reinstated").await, 1);
    env.assert_agrees(id, "reinstated").await;
}
