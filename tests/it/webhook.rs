//! What Microsoft reports, and what comes of it (section 6.2).

use emulator::{Action, Call, Purchase};
use local::Options;
use serde_json::{Value, json};

use crate::scene::Scene;
use crate::webhook_calls::{ACTIONS, event_of};

fn reject() -> Options {
    Options::default().with("CHANGE_POLICY", "reject")
}

#[tokio::test]
async fn t_17_each_of_the_seven_actions_is_answered_200_and_takes_effect_once() {
    let scene = Scene::new().await;
    for action in ACTIONS {
        let (id, _) = scene.about_to(&action).await;
        assert_eq!(scene.deliver_statuses().await, [200], "{action:?}");
        assert_eq!(scene.count(id, event_of(&action)).await, 1, "{action:?}");
        scene.assert_agrees(id, &format!("{action:?}")).await;
    }
}

#[tokio::test]
async fn t_17_a_notice_is_never_acknowledged() {
    let scene = Scene::new().await;
    for action in [Action::Subscribe, Action::Renew, Action::Suspend, Action::Unsubscribe] {
        scene.about_to(&action).await;
        scene.world(|world| world.clear_calls());
        assert_eq!(scene.deliver_statuses().await, [200], "{action:?}");
        assert_eq!(scene.acknowledgements(), [] as [Value; 0], "{action:?}");
    }
}

#[tokio::test]
async fn t_15_changes_and_reinstatements_are_acknowledged_with_the_word_success_alone() {
    let scene = Scene::new().await;
    for action in [Action::ChangePlan, Action::ChangeQuantity, Action::Reinstate] {
        scene.about_to(&action).await;
        scene.world(|world| world.clear_calls());
        assert_eq!(scene.deliver_statuses().await, [200], "{action:?}");
        assert_eq!(scene.acknowledgements(), [json!({ "status": "Success" })], "{action:?}");
    }
}

#[tokio::test]
async fn t_18_a_rejected_change_is_refused_both_ways_and_leaves_everything_as_it_was() {
    let scene = Scene::with(reject()).await;
    for action in [Action::ChangePlan, Action::ChangeQuantity] {
        let (id, operation) = scene.about_to(&action).await;
        scene.world(|world| world.clear_calls());
        let statuses = scene.deliver_statuses().await;
        assert_eq!(statuses, [400], "{action:?}: F-WHA-12 wants a 4xx beside the PATCH");
        assert_eq!(scene.acknowledgements(), [json!({ "status": "Failure" })], "{action:?}");
        assert_eq!(scene.world(|world| world.operation(operation)).status, "Failed", "{action:?}");
        assert_eq!(scene.count(id, event_of(&action)).await, 0, "{action:?}");
        scene.assert_agrees(id, &format!("{action:?}")).await;
    }
}

#[tokio::test]
async fn t_18_a_policy_of_rejecting_touches_nothing_but_changes() {
    let scene = Scene::with(reject()).await;
    for action in ACTIONS {
        if matches!(action, Action::ChangePlan | Action::ChangeQuantity) {
            continue;
        }
        let (id, _) = scene.about_to(&action).await;
        assert_eq!(scene.deliver_statuses().await, [200], "{action:?}");
        assert_eq!(scene.count(id, event_of(&action)).await, 1, "{action:?}");
    }
}

#[tokio::test]
async fn t_18_a_change_that_microsoft_makes_in_spite_of_a_rejection_is_adopted() {
    // F-WHA-12: honour what Microsoft reports even when it is the rejected change.
    let scene = Scene::with(reject()).await;
    scene.world(|world| world.settings_mut().behaviour.failure_is_ignored = true);
    let (id, operation) = scene.about_to(&Action::ChangePlan).await;
    // Not through the queue, whose 4xx would refuse the change.
    let answer = scene.signed(scene.body_of(operation).to_string()).await;
    assert_eq!(answer.status, 400);
    scene.world(|world| world.lose_deliveries());
    scene.pass(600);
    assert_eq!(scene.world(|world| world.subscription(id)).plan_id, "team");
    scene.stage.reconcile().await.expect("a run");
    scene.assert_agrees(id, "after the reconciliation").await;
}

#[tokio::test]
async fn t_18_a_change_costs_two_calls_and_a_notice_one() {
    // F-WHA-10: the round trips inside the ten seconds are counted; a cold start adds keys and token.
    let made = |scene: &Scene| {
        scene.world(|world| {
            let calls: Vec<Call> = world.calls().iter().map(|made| made.call).collect();
            calls.into_iter().filter(|call| *call != Call::Webhook).collect::<Vec<_>>()
        })
    };
    let scene = Scene::new().await;
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
        scene.about_to(&action).await;
        scene.world(|world| world.clear_calls());
        assert_eq!(scene.deliver_statuses().await, [200]);
        assert_eq!(made(&scene), expected, "{action:?}, cold: {cold}");
    }
}

#[tokio::test]
async fn t_23_a_revert_is_accepted_without_effect_even_where_changes_are_rejected() {
    let scene = Scene::with(reject()).await;
    for action in [Action::ChangePlan, Action::ChangeQuantity] {
        let (id, _) = scene.about_to(&action).await;
        assert_eq!(scene.deliver_statuses().await, [400]);
        scene.pass(300);
        let before = scene.events(id).await;
        scene.world(|world| world.revert(id)).expect("a change was refused");
        scene.world(|world| world.clear_calls());
        assert_eq!(scene.deliver_statuses().await, [200], "{action:?} (F-WHA-14)");
        assert_eq!(scene.acknowledgements(), [json!({ "status": "Success" })]);
        assert_eq!(scene.events(id).await, before, "{action:?}");
    }
}

#[tokio::test]
async fn a_change_of_our_own_is_applied_at_the_webhook_and_not_before_whatever_the_policy() {
    // F-CHP-7, F-WHA-15; the last two settings: an operation that doesn't say who asked (F-OP-3).
    for (policy, says_who) in
        [("accept", true), ("reject", true), ("accept", false), ("reject", false)]
    {
        let scene = Scene::with(Options::default().with("CHANGE_POLICY", policy)).await;
        let id = scene.active(Purchase::per_seat("basic", 10)).await;
        let patch = scene.http.patch(scene.url(&format!("/subscriptions/{id}")));
        let accepted = scene.send(patch.body(json!({ "quantity": 25 }).to_string())).await;
        assert_eq!(accepted.status, 202, "{}", accepted.body);
        let quantity = async || scene.record(id).await.expect("a record").subscription.quantity;
        assert_eq!(quantity().await, Some(10), "only the webhook applies it");

        scene.pass(1);
        if !says_who {
            let operation = scene.world(|world| world.operations(id))[0];
            let mut body = scene.body_of(operation);
            let members = body.as_object_mut().expect("an object");
            members.remove("operationRequestSource");
            let garbage = emulator::FaultKind::Garbage(body.to_string());
            scene.world(|world| world.faults_mut().once(Call::GetOperation, garbage));
        }
        assert_eq!(scene.deliver_statuses().await, [200], "{policy}, says who: {says_who}");
        assert_eq!(quantity().await, Some(25));
        scene.assert_agrees(id, policy).await;
    }
}

#[tokio::test]
async fn a_cancellation_of_our_own_ends_the_subscription_at_the_webhook() {
    // F-CAN-3: then an `Unsubscribe` webhook; only then is the subscription over.
    let scene = Scene::new().await;
    let id = scene.active(Purchase::flat_rate("silver")).await;
    let answer = scene.send(scene.http.delete(scene.url(&format!("/subscriptions/{id}")))).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    assert_eq!(scene.count(id, "Unsubscribed").await, 0);
    scene.pass(1);
    assert_eq!(scene.deliver_statuses().await, [200]);
    assert_eq!(scene.count(id, "Unsubscribed").await, 1);
    let record = scene.record(id).await.expect("a record");
    assert_eq!(record.pending_operation, None, "nothing is waited for any more");
}

#[tokio::test]
async fn t_15_a_500_to_the_acknowledgement_of_our_own_change_costs_time_and_nothing_else() {
    // F-OPU-6: auto-acceptance takes over.
    let scene = Scene::new().await;
    scene.world(|world| world.settings_mut().behaviour.partner_update_fails = true);
    let id = scene.active(Purchase::per_seat("basic", 10)).await;
    let patch = scene.http.patch(scene.url(&format!("/subscriptions/{id}")));
    let accepted = scene.send(patch.body(json!({ "planId": "team" }).to_string())).await;
    assert_eq!(accepted.status, 202, "{}", accepted.body);
    scene.pass(1);
    scene.deliver_all().await;
    assert_eq!(scene.count(id, "PlanChanged").await, 1);
    scene.assert_agrees(id, "after the redelivery").await;
}

#[tokio::test]
async fn t_15_an_operation_that_is_settled_already_is_followed_and_not_acknowledged() {
    // F-WHS-5, F-OPU-4: accepted by itself after ten seconds, or ended otherwise.
    for (policy, fails) in [("accept", false), ("reject", false), ("accept", true)] {
        let scene = Scene::with(Options::default().with("CHANGE_POLICY", policy)).await;
        let (id, operation) = scene.about_to(&Action::ChangePlan).await;
        scene.world(|world| {
            if fails {
                world.end_in_conflict(operation);
            } else {
                world.lose_deliveries();
            }
        });
        scene.pass(60);
        scene.world(|world| world.clear_calls());
        let answer = scene.signed(scene.body_of(operation).to_string()).await;
        assert_eq!(answer.status, 200, "{policy}: nothing is left to refuse");
        assert_eq!(scene.acknowledgements(), [] as [Value; 0]);
        assert_eq!(scene.count(id, "PlanChanged").await, usize::from(!fails));
        scene.assert_agrees(id, policy).await;
    }
}

#[tokio::test]
async fn t_15_a_409_to_the_acknowledgement_is_no_error_and_the_operation_is_followed() {
    // F-OPU-4: the change was accepted by itself between our question and our answer.
    for (policy, word) in [("accept", "Success"), ("reject", "Failure")] {
        let scene = Scene::with(Options::default().with("CHANGE_POLICY", policy)).await;
        let (id, operation) = scene.about_to(&Action::ChangeQuantity).await;
        let open = scene.body_of(operation);
        scene.world(|world| world.lose_deliveries());
        scene.pass(30);
        scene.world(|world| {
            let still_open = emulator::FaultKind::Garbage(open.to_string());
            world.faults_mut().once(Call::GetOperation, still_open);
            world.clear_calls();
        });
        let answer = scene.signed(open.to_string()).await;
        assert_eq!(answer.status, 200, "{policy}: {}", answer.body);
        assert_eq!(scene.acknowledgements(), [json!({ "status": word })]);
        assert_eq!(scene.count(id, "QuantityChanged").await, 1, "{policy}");
        scene.assert_agrees(id, policy).await;
    }
}

#[tokio::test]
async fn a_change_or_notice_of_a_subscription_we_dont_know_creates_its_record() {
    // F-WHS-6; the purchases were made while nobody listened.
    let scene = Scene::new().await;
    for action in [Action::ChangePlan, Action::Renew, Action::Suspend, Action::Unsubscribe] {
        let id = scene.purchase(Purchase::per_seat("basic", 10).auto_activated());
        scene.world(|world| world.lose_deliveries());
        scene.pass(3600);
        scene
            .world(|world| match action {
                Action::ChangePlan => world.change_plan(id, "team"),
                Action::Renew => world.renew(id),
                Action::Suspend => world.suspend(id),
                _ => world.unsubscribe(id),
            })
            .expect("the state permits it");
        assert_eq!(scene.deliver_statuses().await, [200], "{action:?}");
        let names = scene.event_names(id).await;
        assert_eq!(names[..2], ["Purchased", "Activated"], "{action:?}");
        if action != Action::Renew {
            assert_eq!(names[2..], [event_of(&action)], "{action:?}");
        }
        scene.assert_agrees(id, &format!("{action:?}")).await;
    }
}

#[tokio::test]
async fn answers_hold_no_token_no_secret_and_nobodys_address() {
    let scene = Scene::with(reject()).await;
    let (_, operation) = scene.about_to(&Action::ChangePlan).await;
    let body = scene.body_of(operation).to_string();
    let token = scene.authorization(emulator::TokenVersion::V1);
    let tampered = format!("{token}x");
    let secret = scene.world(|world| world.settings().client_secret.clone());
    for answer in [
        scene.call(body.clone(), None).await,
        scene.call(body.clone(), Some(&tampered)).await,
        scene.call("adele@contoso.example", Some(&token)).await,
        scene.call(body, Some(&token)).await,
    ] {
        let told = format!("{:?} {}", answer.headers, answer.body);
        assert!(answer.status.as_u16() >= 400, "{answer:?}");
        let signature = token.rsplit('.').next().expect("a signature");
        for secret in [signature, secret.as_str(), "contoso", "adele"] {
            assert!(!told.contains(secret), "{told}");
        }
    }
}
