//! Forged bodies with a valid token: T-20 and T-22.

use emulator::{Action, Call, FaultKind, Purchase};
use local::Options;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::test_env::TestEnv;
use crate::webhook_calls::ACTIONS;

/// Changes one member of a genuine body.
type Forge = fn(&mut Value, &Other);

/// Another subscription of the same publisher, and an operation of it.
struct Other {
    subscription: Uuid,
    operation: Uuid,
}

const UNKNOWN: Uuid = Uuid::from_u128(0xdead);

/// Dates the call so far back that Microsoft's reads would know what it is about.
fn make_old(env: &TestEnv, body: &mut Value) {
    let now = env.world(|world| world.now());
    body["timeStamp"] = json!(now - jiff::SignedDuration::from_mins(15));
}

#[tokio::test]
async fn t_20_a_change_that_contradicts_its_operation_has_no_effect_and_is_answered_200() {
    // F-WHS-1, F-WHS-2: never a 4xx, which would reject the genuine change (F-WHA-13).
    let forgeries: [(&str, Action, Forge); 9] = [
        ("an unknown id", Action::ChangePlan, |body, _| body["id"] = json!(UNKNOWN)),
        ("another subscription's operation", Action::ChangePlan, |body, other| {
            body["id"] = json!(other.operation);
        }),
        ("another subscription", Action::ChangePlan, |body, other| {
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
    for (policy, genuine, not_found_is_400) in [("accept", 200, false), ("reject", 400, true)] {
        let env = TestEnv::with(Options::default().with("CHANGE_POLICY", policy)).await;
        env.world(|world| world.settings_mut().behaviour.not_found_is_400 = not_found_is_400);
        for (forgery, action, forge) in &forgeries {
            let (subscription, operation) = env.about_to(&Action::Renew).await;
            env.deliver_all().await;
            let (id, genuine_operation) = env.about_to(action).await;
            let mut body = env.body_of(genuine_operation);
            forge(&mut body, &Other { subscription, operation });
            let before = (env.events(id).await, env.events(subscription).await);
            env.world(|world| world.clear_calls());
            let case = format!("{action:?} with {forgery}, {policy}");

            // A young call may be ahead of Microsoft's reads. It is no rejection either.
            let young = env.signed(body.to_string()).await.status.as_u16();
            assert!(young == 200 || (500..600).contains(&young), "{case}: {young}");
            make_old(&env, &mut body);
            assert_eq!(env.signed(body.to_string()).await.status, 200, "{case}");
            assert_eq!(env.acknowledgements(), [] as [Value; 0], "{case}");
            let after = (env.events(id).await, env.events(subscription).await);
            assert_eq!(after, before, "{case}");
            assert!(env.record(UNKNOWN).await.is_none(), "{case}");

            assert_eq!(env.deliver_statuses().await, [genuine], "{case}: the genuine call");
            env.assert_agrees(id, &case).await;
        }
    }
}

#[tokio::test]
async fn t_20_an_unconfirmed_reinstatement_restores_nothing() {
    let env = TestEnv::new().await;
    let (other, others) = env.about_to(&Action::Reinstate).await;
    env.deliver_all().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    let suspension = env.world(|world| world.suspend(id)).expect("a suspension");
    env.deliver_all().await;
    env.pass(600);
    let mut body = env.body_of(suspension);
    body["action"] = json!("Reinstate");
    body["status"] = json!("InProgress");
    body["subscription"]["saasSubscriptionStatus"] = json!("Subscribed");
    let before = (env.events(id).await, env.events(other).await);
    env.world(|world| world.clear_calls());
    make_old(&env, &mut body);
    for operation in [json!(suspension), json!(others), json!(UNKNOWN), Value::Null] {
        body["id"] = operation.clone();
        assert_eq!(env.signed(body.to_string()).await.status, 200, "{operation}");
        assert_eq!(env.acknowledgements(), [] as [Value; 0], "{operation}");
        assert_eq!((env.events(id).await, env.events(other).await), before, "{operation}");
    }
}

#[tokio::test]
async fn t_22_a_forged_notice_has_no_effect() {
    // F-WHS-3: Get Subscription decides, not the subscription in the body.
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    let change = env.world(|world| world.change_quantity(id, 20)).expect("a change");
    assert_eq!(env.deliver_statuses().await, [200]);
    env.pass(600);
    let before = env.events(id).await;
    for (word, status) in [
        ("Suspend", "Suspended"),
        ("suspend", "Suspended"),
        ("Unsubscribe", "Unsubscribed"),
        ("Renew", "Subscribed"),
        ("Subscribe", "Subscribed"),
        ("Reinstate", "Subscribed"),
    ] {
        for operation in [json!(UNKNOWN), json!(change), Value::Null] {
            let mut body = env.body_of(change);
            make_old(&env, &mut body);
            body["id"] = operation.clone();
            body["action"] = json!(word);
            body["status"] = json!("Succeeded");
            body["planId"] = json!("team");
            body["quantity"] = json!(1);
            body["subscription"]["saasSubscriptionStatus"] = json!(status);
            body["subscription"]["planId"] = json!("team");
            let answer = env.signed(body.to_string()).await;
            assert_eq!(answer.status, 200, "{word} {operation}");
            assert_eq!(env.events(id).await, before, "{word} {operation}");
        }
    }
    env.assert_agrees(id, "forged").await;
}

#[tokio::test]
async fn t_22_a_call_about_a_subscription_unknown_to_microsoft_creates_nothing() {
    let env = TestEnv::new().await;
    for action in ACTIONS {
        for operation in [json!(UNKNOWN), Value::Null] {
            let body =
                json!({ "id": operation, "subscriptionId": UNKNOWN, "action": action.as_str() });
            let answer = env.signed(body.to_string()).await;
            assert_eq!(answer.status, 200, "{body}");
            assert!(env.record(UNKNOWN).await.is_none(), "{body}");
        }
    }
}

#[tokio::test]
async fn t_20_an_answer_about_another_operation_or_subscription_confirms_nothing() {
    // Microsoft's answer is unusable, so the webhook answers 5xx and rejects nothing.
    let env = TestEnv::with(Options::default().with("CHANGE_POLICY", "reject")).await;
    for (action, call) in [
        (Action::ChangePlan, Call::GetOperation),
        (Action::Reinstate, Call::GetOperation),
        (Action::Reinstate, Call::GetSubscription),
        (Action::Suspend, Call::GetSubscription),
    ] {
        let (other, others) = env.about_to(&Action::Unsubscribe).await;
        env.deliver_all().await;
        let (id, operation) = env.about_to(&action).await;
        let body = match call {
            Call::GetOperation => env.body_of(others),
            _ => env.body_of(others)["subscription"].clone(),
        };
        let before = (env.events(id).await, env.events(other).await);
        env.world(|world| {
            world.faults_mut().once(call, FaultKind::Garbage(body.to_string()));
            world.clear_calls();
        });
        let answer = env.signed(env.body_of(operation).to_string()).await;
        assert!(answer.status.is_server_error(), "{action:?}, {call:?}: {}", answer.status);
        assert_eq!(env.acknowledgements(), [] as [Value; 0], "{action:?}, {call:?}");
        let after = (env.events(id).await, env.events(other).await);
        assert_eq!(after, before, "{action:?}, {call:?}");
        env.world(|world| world.lose_deliveries());
    }
}

#[tokio::test]
async fn t_20_a_notice_that_names_an_open_change_does_not_end_the_wait_for_it() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 3)).await;
    env.change(id, &json!({ "quantity": 8 })).await;
    let operation = env.world(|world| world.operations(id)[0]);
    env.world(emulator::World::lose_deliveries);
    let waits = || async { env.record(id).await.expect("a record").pending_operation };
    let before = waits().await;
    assert!(before.is_some(), "it waits for the end of its own change");
    for action in ["Renew", "Subscribe", "Suspend", "Unsubscribe"] {
        let call = json!({ "id": operation, "subscriptionId": id, "action": action });
        env.signed(call.to_string()).await;
        assert_eq!(waits().await, before, "{action}");
    }
    env.advance(std::time::Duration::from_secs(120));
    env.system.reconcile().await.expect("a run");
    assert_eq!(env.record(id).await.expect("a record").subscription.quantity, Some(8));
    env.assert_agrees(id, "its change, whose own call was lost").await;
}
