//! The effect of each webhook action, its acknowledgement, and the change policy (section 6.2).

use emulator::{Action, Call, Purchase};
use local::Options;
use serde_json::{Value, json};

use crate::test_env::TestEnv;
use crate::webhook_calls::{ACTIONS, event_of};

fn reject() -> Options {
    Options::default().with("CHANGE_POLICY", "reject")
}

#[tokio::test]
async fn t_17_each_of_the_seven_actions_is_answered_200_and_takes_effect_once() {
    let env = TestEnv::new().await;
    for action in ACTIONS {
        let (id, _) = env.about_to(&action).await;
        assert_eq!(env.deliver_statuses().await, [200], "{action:?}");
        assert_eq!(env.count(id, event_of(&action)).await, 1, "{action:?}");
        env.assert_agrees(id, &format!("{action:?}")).await;
    }
}

#[tokio::test]
async fn t_17_a_notice_is_never_acknowledged() {
    let env = TestEnv::new().await;
    for action in [Action::Subscribe, Action::Renew, Action::Suspend, Action::Unsubscribe] {
        env.about_to(&action).await;
        env.world(|world| world.clear_calls());
        assert_eq!(env.deliver_statuses().await, [200], "{action:?}");
        assert_eq!(env.acknowledgements(), [] as [Value; 0], "{action:?}");
    }
}

#[tokio::test]
async fn t_15_changes_and_reinstatements_are_acknowledged_with_success_only() {
    let env = TestEnv::new().await;
    for action in [Action::ChangePlan, Action::ChangeQuantity, Action::Reinstate] {
        env.about_to(&action).await;
        env.world(|world| world.clear_calls());
        assert_eq!(env.deliver_statuses().await, [200], "{action:?}");
        assert_eq!(env.acknowledgements(), [json!({ "status": "Success" })], "{action:?}");
    }
}

#[tokio::test]
async fn t_18_a_rejection_is_sent_both_ways_and_changes_nothing() {
    let env = TestEnv::with(reject()).await;
    for action in [Action::ChangePlan, Action::ChangeQuantity] {
        let (id, operation) = env.about_to(&action).await;
        env.world(|world| world.clear_calls());
        let statuses = env.deliver_statuses().await;
        assert_eq!(statuses, [400], "{action:?}: F-WHA-12 wants a 4xx beside the PATCH");
        assert_eq!(env.acknowledgements(), [json!({ "status": "Failure" })], "{action:?}");
        assert_eq!(env.world(|world| world.operation(operation)).status, "Failed", "{action:?}");
        assert_eq!(env.count(id, event_of(&action)).await, 0, "{action:?}");
        env.assert_agrees(id, &format!("{action:?}")).await;
    }
}

#[tokio::test]
async fn t_18_a_rejecting_policy_affects_only_changes() {
    let env = TestEnv::with(reject()).await;
    for action in ACTIONS {
        if matches!(action, Action::ChangePlan | Action::ChangeQuantity) {
            continue;
        }
        let (id, _) = env.about_to(&action).await;
        assert_eq!(env.deliver_statuses().await, [200], "{action:?}");
        assert_eq!(env.count(id, event_of(&action)).await, 1, "{action:?}");
    }
}

#[tokio::test]
async fn t_18_a_change_that_microsoft_makes_despite_a_rejection_is_adopted() {
    // F-WHA-12: we adopt what Microsoft reports, even a change that we rejected.
    let env = TestEnv::with(reject()).await;
    env.world(|world| world.settings_mut().behaviour.failure_is_ignored = true);
    let (id, operation) = env.about_to(&Action::ChangePlan).await;
    // The call bypasses the emulator's queue, where a 4xx would refuse the change.
    let answer = env.signed(env.body_of(operation).to_string()).await;
    assert_eq!(answer.status, 400);
    env.world(|world| world.lose_deliveries());
    env.pass(600);
    assert_eq!(env.world(|world| world.subscription(id)).plan_id, "team");
    env.system.reconcile().await.expect("a run");
    env.assert_agrees(id, "after the reconciliation").await;
}

#[tokio::test]
async fn t_18_a_change_costs_two_calls_and_a_notice_one() {
    // F-WHA-10: these round trips must fit in the ten seconds. A cold start adds keys and token.
    let calls_made = |env: &TestEnv| {
        env.world(|world| {
            let calls: Vec<Call> = world.calls().iter().map(|made| made.call).collect();
            calls.into_iter().filter(|call| *call != Call::Webhook).collect::<Vec<_>>()
        })
    };
    let env = TestEnv::new().await;
    for (action, cold, expected) in [
        (
            Action::ChangePlan,
            true,
            vec![Call::Keys, Call::Token, Call::GetOperation, Call::UpdateOperation],
        ),
        (Action::ChangeQuantity, false, vec![Call::GetOperation, Call::UpdateOperation]),
        (Action::Renew, false, vec![Call::GetSubscription]),
        (Action::Suspend, false, vec![Call::GetSubscription]),
        (Action::Unsubscribe, false, vec![Call::GetSubscription]),
        (Action::Subscribe, false, vec![Call::GetSubscription]),
    ] {
        env.about_to(&action).await;
        env.world(|world| world.clear_calls());
        assert_eq!(env.deliver_statuses().await, [200]);
        assert_eq!(calls_made(&env), expected, "{action:?}, cold: {cold}");
    }
}

#[tokio::test]
async fn t_23_a_revert_is_accepted_without_effect_even_under_a_rejecting_policy() {
    let env = TestEnv::with(reject()).await;
    for action in [Action::ChangePlan, Action::ChangeQuantity] {
        let (id, _) = env.about_to(&action).await;
        assert_eq!(env.deliver_statuses().await, [400]);
        env.pass(300);
        let before = env.events(id).await;
        env.world(|world| world.revert(id)).expect("a change was refused");
        env.world(|world| world.clear_calls());
        assert_eq!(env.deliver_statuses().await, [200], "{action:?} (F-WHA-14)");
        assert_eq!(env.acknowledgements(), [json!({ "status": "Success" })]);
        assert_eq!(env.events(id).await, before, "{action:?}");
    }
}

#[tokio::test]
async fn our_own_change_is_applied_only_at_the_webhook_under_either_policy() {
    // F-CHP-7, F-WHA-15. The last two cases have an operation without a source (F-OP-3).
    for (policy, has_source) in
        [("accept", true), ("reject", true), ("accept", false), ("reject", false)]
    {
        let env = TestEnv::with(Options::default().with("CHANGE_POLICY", policy)).await;
        let id = env.active(Purchase::per_seat("basic", 10)).await;
        let patch = env.http.patch(env.url(&format!("/subscriptions/{id}")));
        let accepted = env.send(patch.body(json!({ "quantity": 25 }).to_string())).await;
        assert_eq!(accepted.status, 202, "{}", accepted.body);
        let quantity = async || env.record(id).await.expect("a record").subscription.quantity;
        assert_eq!(quantity().await, Some(10), "only the webhook applies it");

        env.pass(1);
        if !has_source {
            let operation = env.world(|world| world.operations(id))[0];
            let mut body = env.body_of(operation);
            let members = body.as_object_mut().expect("an object");
            members.remove("operationRequestSource");
            let garbage = emulator::FaultKind::Garbage(body.to_string());
            env.world(|world| world.faults_mut().once(Call::GetOperation, garbage));
        }
        assert_eq!(env.deliver_statuses().await, [200], "{policy}, with source: {has_source}");
        assert_eq!(quantity().await, Some(25));
        env.assert_agrees(id, policy).await;
    }
}

#[tokio::test]
async fn our_own_cancellation_ends_the_subscription_at_the_webhook() {
    // F-CAN-3: only the `Unsubscribe` webhook ends the subscription.
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    let answer = env.send(env.http.delete(env.url(&format!("/subscriptions/{id}")))).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    assert_eq!(env.count(id, "Unsubscribed").await, 0);
    env.pass(1);
    assert_eq!(env.deliver_statuses().await, [200]);
    assert_eq!(env.count(id, "Unsubscribed").await, 1);
    let record = env.record(id).await.expect("a record");
    assert_eq!(record.pending_operation, None, "the wait is over");
}

#[tokio::test]
async fn t_15_a_500_to_the_acknowledgement_of_our_own_change_only_delays_it() {
    // F-OPU-6: auto-acceptance takes over.
    let env = TestEnv::new().await;
    env.world(|world| world.settings_mut().behaviour.partner_update_fails = true);
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    let patch = env.http.patch(env.url(&format!("/subscriptions/{id}")));
    let accepted = env.send(patch.body(json!({ "planId": "team" }).to_string())).await;
    assert_eq!(accepted.status, 202, "{}", accepted.body);
    env.pass(1);
    env.deliver_all().await;
    assert_eq!(env.count(id, "PlanChanged").await, 1);
    env.assert_agrees(id, "after the redelivery").await;
}

#[tokio::test]
async fn t_15_a_settled_operation_is_adopted_and_not_acknowledged() {
    // F-WHS-5, F-OPU-4: Microsoft accepted the change after ten seconds, or it ended in conflict.
    for (policy, fails) in [("accept", false), ("reject", false), ("accept", true)] {
        let env = TestEnv::with(Options::default().with("CHANGE_POLICY", policy)).await;
        let (id, operation) = env.about_to(&Action::ChangePlan).await;
        env.world(|world| {
            if fails {
                world.end_in_conflict(operation);
            } else {
                world.lose_deliveries();
            }
        });
        env.pass(60);
        env.world(|world| world.clear_calls());
        let answer = env.signed(env.body_of(operation).to_string()).await;
        assert_eq!(answer.status, 200, "{policy}: too late to reject");
        assert_eq!(env.acknowledgements(), [] as [Value; 0]);
        assert_eq!(env.count(id, "PlanChanged").await, usize::from(!fails));
        env.assert_agrees(id, policy).await;
    }
}

#[tokio::test]
async fn t_15_a_409_to_the_acknowledgement_is_no_error_and_the_outcome_is_adopted() {
    // F-OPU-4: Microsoft accepted the change between our read and our acknowledgement.
    for (policy, word) in [("accept", "Success"), ("reject", "Failure")] {
        let env = TestEnv::with(Options::default().with("CHANGE_POLICY", policy)).await;
        let (id, operation) = env.about_to(&Action::ChangeQuantity).await;
        let open = env.body_of(operation);
        env.world(|world| world.lose_deliveries());
        env.pass(30);
        env.world(|world| {
            let still_open = emulator::FaultKind::Garbage(open.to_string());
            world.faults_mut().once(Call::GetOperation, still_open);
            world.clear_calls();
        });
        let answer = env.signed(open.to_string()).await;
        assert_eq!(answer.status, 200, "{policy}: {}", answer.body);
        assert_eq!(env.acknowledgements(), [json!({ "status": word })]);
        assert_eq!(env.count(id, "QuantityChanged").await, 1, "{policy}");
        env.assert_agrees(id, policy).await;
    }
}

#[tokio::test]
async fn a_change_or_notice_about_an_unknown_subscription_creates_its_record() {
    // F-WHS-6: the webhook calls of the purchases were lost.
    let env = TestEnv::new().await;
    for action in [Action::ChangePlan, Action::Renew, Action::Suspend, Action::Unsubscribe] {
        let id = env.purchase(Purchase::per_seat("basic", 10).auto_activated());
        env.world(|world| world.lose_deliveries());
        env.pass(3600);
        env.world(|world| match action {
            Action::ChangePlan => world.change_plan(id, "team"),
            Action::Renew => world.renew(id),
            Action::Suspend => world.suspend(id),
            _ => world.unsubscribe(id),
        })
        .expect("the state permits it");
        assert_eq!(env.deliver_statuses().await, [200], "{action:?}");
        let names = env.event_names(id).await;
        assert_eq!(names[..2], ["Purchased", "Activated"], "{action:?}");
        if action != Action::Renew {
            assert_eq!(names[2..], [event_of(&action)], "{action:?}");
        }
        env.assert_agrees(id, &format!("{action:?}")).await;
    }
}

#[tokio::test]
async fn answers_hold_no_token_secret_or_email_address() {
    let env = TestEnv::with(reject()).await;
    let (_, operation) = env.about_to(&Action::ChangePlan).await;
    let body = env.body_of(operation).to_string();
    let token = env.authorization(emulator::TokenVersion::V1);
    let tampered = format!("{token}x");
    let secret = env.world(|world| world.settings().client_secret.clone());
    for answer in [
        env.call(body.clone(), None).await,
        env.call(body.clone(), Some(&tampered)).await,
        env.call("adele@contoso.example", Some(&token)).await,
        env.call(body, Some(&token)).await,
    ] {
        let text = format!("{:?} {}", answer.headers, answer.body);
        assert!(answer.status.as_u16() >= 400, "{answer:?}");
        let signature = token.rsplit('.').next().expect("a signature");
        for secret in [signature, secret.as_str(), "contoso", "adele"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}
