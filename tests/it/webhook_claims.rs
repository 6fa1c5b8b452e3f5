//! Bodies that lie: T-20 and T-22.

use emulator::{Action, Call, FaultKind, Purchase};
use local::Options;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::scene::Scene;
use crate::webhook_calls::ACTIONS;

/// Changes one thing about a true body.
type Lie = fn(&mut Value, &Other);

/// What else exists in the same world.
struct Other {
    subscription: Uuid,
    operation: Uuid,
}

const UNKNOWN: Uuid = Uuid::from_u128(0xdead);

#[tokio::test]
async fn t_20_a_change_that_contradicts_its_operation_has_no_effect_and_is_answered_200() {
    // F-WHS-1, F-WHS-2; never a 4xx, which would refuse the true change (F-WHA-13).
    let lies: [(&str, Action, Lie); 9] = [
        ("an unknown id", Action::ChangePlan, |body, _| body["id"] = json!(UNKNOWN)),
        ("another's operation", Action::ChangePlan, |body, other| {
            body["id"] = json!(other.operation);
        }),
        ("another's subscription", Action::ChangePlan, |body, other| {
            body["subscriptionId"] = json!(other.subscription);
        }),
        ("an unknown subscription", Action::ChangePlan, |body, _| {
            body["subscriptionId"] = json!(UNKNOWN);
        }),
        ("another action", Action::ChangePlan, |body, _| body["action"] = json!("ChangeQuantity")),
        ("another plan", Action::ChangePlan, |body, _| body["planId"] = json!("gold")),
        ("another action", Action::ChangeQuantity, |body, _| body["action"] = json!("ChangePlan")),
        ("other seats", Action::ChangeQuantity, |body, _| body["quantity"] = json!(99)),
        ("an unknown id", Action::ChangeQuantity, |body, _| body["id"] = json!(UNKNOWN)),
    ];
    for (policy, truth, not_found_is_400) in [("accept", 200, false), ("reject", 400, true)] {
        let scene = Scene::with(Options::default().with("CHANGE_POLICY", policy)).await;
        scene.world(|world| world.settings_mut().behaviour.not_found_is_400 = not_found_is_400);
        for (what, action, lie) in &lies {
            let (subscription, operation) = scene.about_to(&Action::Renew).await;
            scene.deliver_all().await;
            let (id, true_operation) = scene.about_to(action).await;
            let mut body = scene.body_of(true_operation);
            lie(&mut body, &Other { subscription, operation });
            let before = (scene.events(id).await, scene.events(subscription).await);
            scene.world(|world| world.clear_calls());
            let case = format!("{action:?} with {what}, {policy}");

            assert_eq!(scene.signed(body.to_string()).await.status, 200, "{case}");
            assert_eq!(scene.acknowledgements(), [] as [Value; 0], "{case}");
            let after = (scene.events(id).await, scene.events(subscription).await);
            assert_eq!(after, before, "{case}");
            assert!(scene.record(UNKNOWN).await.is_none(), "{case}");

            assert_eq!(scene.deliver_statuses().await, [truth], "{case}: the true call");
            scene.assert_agrees(id, &case).await;
        }
    }
}

#[tokio::test]
async fn t_20_a_reinstatement_that_nothing_confirms_restores_nothing() {
    let scene = Scene::new().await;
    let (other, others) = scene.about_to(&Action::Reinstate).await;
    scene.deliver_all().await;
    let id = scene.active(Purchase::flat_rate("silver")).await;
    let suspension = scene.world(|world| world.suspend(id)).expect("a suspension");
    scene.deliver_all().await;
    scene.pass(600);
    let mut body = scene.body_of(suspension);
    body["action"] = json!("Reinstate");
    body["status"] = json!("InProgress");
    body["subscription"]["saasSubscriptionStatus"] = json!("Subscribed");
    let before = (scene.events(id).await, scene.events(other).await);
    scene.world(|world| world.clear_calls());
    for operation in [json!(suspension), json!(others), json!(UNKNOWN), Value::Null] {
        body["id"] = operation.clone();
        assert_eq!(scene.signed(body.to_string()).await.status, 200, "{operation}");
        assert_eq!(scene.acknowledgements(), [] as [Value; 0], "{operation}");
        assert_eq!((scene.events(id).await, scene.events(other).await), before, "{operation}");
    }
}

#[tokio::test]
async fn t_22_a_forged_notice_has_no_effect_while_microsoft_says_otherwise() {
    // F-WHS-3: Get Subscription decides, whatever the body embeds.
    let scene = Scene::new().await;
    let id = scene.active(Purchase::per_seat("basic", 10)).await;
    let change = scene.world(|world| world.change_quantity(id, 20)).expect("a change");
    assert_eq!(scene.deliver_statuses().await, [200]);
    scene.pass(600);
    let before = scene.events(id).await;
    for (word, status) in [
        ("Suspend", "Suspended"),
        ("suspend", "Suspended"),
        ("Unsubscribe", "Unsubscribed"),
        ("Renew", "Subscribed"),
        ("Subscribe", "Subscribed"),
        ("Reinstate", "Subscribed"),
    ] {
        for operation in [json!(UNKNOWN), json!(change), Value::Null] {
            let mut body = scene.body_of(change);
            body["id"] = operation.clone();
            body["action"] = json!(word);
            body["status"] = json!("Succeeded");
            body["planId"] = json!("team");
            body["quantity"] = json!(1);
            body["subscription"]["saasSubscriptionStatus"] = json!(status);
            body["subscription"]["planId"] = json!("team");
            let answer = scene.signed(body.to_string()).await;
            assert_eq!(answer.status, 200, "{word} {operation}");
            assert_eq!(scene.events(id).await, before, "{word} {operation}");
        }
    }
    scene.assert_agrees(id, "forged").await;
}

#[tokio::test]
async fn t_22_a_call_about_a_subscription_microsoft_doesnt_know_creates_nothing() {
    let scene = Scene::new().await;
    for action in ACTIONS {
        for operation in [json!(UNKNOWN), Value::Null] {
            let body =
                json!({ "id": operation, "subscriptionId": UNKNOWN, "action": action.as_str() });
            let answer = scene.signed(body.to_string()).await;
            assert_eq!(answer.status, 200, "{body}");
            assert!(scene.record(UNKNOWN).await.is_none(), "{body}");
        }
    }
}

#[tokio::test]
async fn t_20_an_answer_about_another_operation_or_subscription_confirms_nothing() {
    // Microsoft's own answer is of no use: asked for again, never rejected.
    let scene = Scene::with(Options::default().with("CHANGE_POLICY", "reject")).await;
    for (action, call) in [
        (Action::ChangePlan, Call::GetOperation),
        (Action::Reinstate, Call::GetOperation),
        (Action::Reinstate, Call::GetSubscription),
        (Action::Suspend, Call::GetSubscription),
    ] {
        let (other, others) = scene.about_to(&Action::Unsubscribe).await;
        scene.deliver_all().await;
        let (id, operation) = scene.about_to(&action).await;
        let body = match call {
            Call::GetOperation => scene.body_of(others),
            _ => scene.body_of(others)["subscription"].clone(),
        };
        let before = (scene.events(id).await, scene.events(other).await);
        scene.world(|world| {
            world.faults_mut().once(call, FaultKind::Garbage(body.to_string()));
            world.clear_calls();
        });
        let answer = scene.signed(scene.body_of(operation).to_string()).await;
        assert!(answer.status.is_server_error(), "{action:?}, {call:?}: {}", answer.status);
        assert_eq!(scene.acknowledgements(), [] as [Value; 0], "{action:?}, {call:?}");
        let after = (scene.events(id).await, scene.events(other).await);
        assert_eq!(after, before, "{action:?}, {call:?}");
        scene.world(|world| world.lose_deliveries());
    }
}
