//! Calls that come twice, late, at once or in the wrong order (F-WHD-5): T-19 and T-24.

use std::time::Duration;

use emulator::{Action, Purchase, WebhookForm};
use local::Options;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::scene::Scene;
use crate::webhook_calls::{ACTIONS, event_of};

fn reject() -> Options {
    Options::default().with("CHANGE_POLICY", "reject")
}

#[tokio::test]
async fn t_19_a_second_delivery_at_once_changes_nothing() {
    let scene = Scene::new().await;
    for action in ACTIONS {
        let (id, _) = scene.about_to(&action).await;
        scene.world(|world| world.duplicate_next_delivery());
        assert_eq!(scene.deliver_statuses().await, [200, 200], "{action:?}");
        assert_eq!(scene.count(id, event_of(&action)).await, 1, "{action:?}");
        scene.assert_agrees(id, &format!("{action:?}")).await;
    }
}

#[tokio::test]
async fn t_19_a_second_delivery_hours_later_is_answered_as_the_first_and_changes_nothing() {
    for (policy, change) in [("accept", 200), ("reject", 400)] {
        let scene = Scene::with(Options::default().with("CHANGE_POLICY", policy)).await;
        for action in ACTIONS {
            let (id, operation) = scene.about_to(&action).await;
            let expected = match action {
                Action::ChangePlan | Action::ChangeQuantity => change,
                _ => 200,
            };
            assert_eq!(scene.deliver_statuses().await, [expected], "{action:?}, {policy}");
            let before = scene.events(id).await;
            scene.world(|world| world.clear_calls());
            for _ in 0..2 {
                scene.pass(4 * 3600);
                let answer = scene.signed(scene.body_of(operation).to_string()).await;
                assert_eq!(answer.status, expected, "{action:?}, {policy}");
            }
            assert_eq!(scene.acknowledgements(), [] as [Value; 0], "{action:?}, {policy}");
            assert_eq!(scene.events(id).await, before, "{action:?}, {policy}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t_19_deliveries_at_the_same_moment_lead_to_one_event() {
    let scene = Scene::new().await;
    for action in ACTIONS {
        let (id, operation) = scene.about_to(&action).await;
        let body = scene.body_of(operation).to_string();
        let call = || scene.signed(body.clone());
        let (a, b, c, d) = tokio::join!(call(), call(), call(), call());
        for answer in [a, b, c, d] {
            // Whoever lost every race is told to come again.
            assert!(answer.status == 200 || answer.status.is_server_error(), "{action:?}");
        }
        assert_eq!(scene.signed(body.clone()).await.status, 200, "{action:?}");
        assert_eq!(scene.count(id, event_of(&action)).await, 1, "{action:?}");
        scene.assert_agrees(id, &format!("{action:?}")).await;
        scene.world(|world| world.lose_deliveries());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t_19_a_change_rejected_several_times_at_the_same_moment_stays_rejected() {
    let scene = Scene::with(reject()).await;
    for action in [Action::ChangePlan, Action::ChangeQuantity] {
        let (id, operation) = scene.about_to(&action).await;
        let body = scene.body_of(operation).to_string();
        let call = || scene.signed(body.clone());
        let (a, b, c) = tokio::join!(call(), call(), call());
        let statuses = [a, b, c].map(|answer| answer.status.as_u16());
        assert!(statuses.contains(&400), "{statuses:?}");
        assert_eq!(scene.world(|world| world.operation(operation)).status, "Failed");
        assert_eq!(scene.count(id, event_of(&action)).await, 0);
        assert_eq!(scene.count(id, "ChangeRejected").await, 1);
        scene.assert_agrees(id, &format!("{action:?}")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t_19_different_operations_at_the_same_moment_are_all_recorded() {
    let scene = Scene::new().await;
    for _ in 0..5 {
        let id = scene.active(Purchase::per_seat("basic", 10)).await;
        scene.pass(600);
        let operations = scene.world(|world| {
            [
                world.change_quantity(id, 20).expect("a change"),
                world.renew(id).expect("a renewal"),
                world.queue_notice(id, Action::Subscribe).expect("a notice"),
            ]
        });
        let bodies = operations.map(|operation| scene.body_of(operation).to_string());
        let [change, renewal, notice] = bodies;
        tokio::join!(scene.signed(change), scene.signed(renewal), scene.signed(notice));
        scene.deliver_all().await;
        for event in ["QuantityChanged", "Renewed"] {
            assert_eq!(scene.count(id, event).await, 1, "{event}");
        }
        scene.assert_agrees(id, "all at once").await;
    }
}

#[tokio::test]
async fn t_19_an_operation_is_known_by_its_id_and_its_action() {
    // F-WHD-5: a notice that carries a change's id must not pass for the change.
    for (policy, expected) in [("accept", 200), ("reject", 400)] {
        let scene = Scene::with(Options::default().with("CHANGE_POLICY", policy)).await;
        for word in ["Renew", "Subscribe", "Suspend", "Unsubscribe", "Reinstate"] {
            let (id, operation) = scene.about_to(&Action::ChangePlan).await;
            let mut notice = scene.body_of(operation);
            notice["action"] = json!(word);
            assert_eq!(scene.signed(notice.to_string()).await.status, 200, "{word}");
            scene.world(|world| world.clear_calls());
            assert_eq!(scene.deliver_statuses().await, [expected], "{word}, {policy}");
            assert_eq!(scene.acknowledgements().len(), 1, "{word}, {policy}");
            scene.assert_agrees(id, word).await;
        }
    }
}

#[tokio::test]
async fn t_19_a_late_suspend_does_not_suspend_what_was_reinstated() {
    // The suspension's own call arrives after the reinstatement's: minutes, or a moment.
    for between in [0, 30, 600] {
        let scene = Scene::new().await;
        let id = scene.active(Purchase::flat_rate("silver")).await;
        let suspension = scene.world(|world| world.suspend(id)).expect("a suspension");
        scene.world(|world| world.hold(suspension));
        scene.pass(between);
        scene.world(|world| world.reinstate(id)).expect("a reinstatement");
        assert_eq!(scene.deliver_statuses().await, [200], "{between} s");
        scene.pass(between);
        scene.world(|world| world.release(suspension));
        scene.deliver_all().await;
        let record = scene.record(id).await.expect("a record");
        assert_eq!(record.status().as_str(), "Subscribed", "{between} s");
        assert_eq!(scene.count(id, "Suspended").await, scene.count(id, "Reinstated").await);
        scene.assert_agrees(id, &format!("{between} s")).await;
    }
}

#[tokio::test]
async fn t_19_a_repeated_suspend_does_not_suspend_what_was_reinstated() {
    for between in [0, 30, 600] {
        let scene = Scene::new().await;
        let id = scene.active(Purchase::flat_rate("silver")).await;
        let suspension = scene.world(|world| world.suspend(id)).expect("a suspension");
        assert_eq!(scene.deliver_statuses().await, [200]);
        scene.pass(between);
        scene.world(|world| world.reinstate(id)).expect("a reinstatement");
        assert_eq!(scene.deliver_statuses().await, [200], "{between} s");
        scene.pass(between);
        scene.signed(scene.body_of(suspension).to_string()).await;
        assert_eq!(scene.count(id, "Suspended").await, 1, "{between} s");
        scene.assert_agrees(id, &format!("{between} s")).await;
    }
}

#[tokio::test]
async fn t_19_a_life_told_backwards_ends_as_it_ended() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::per_seat("basic", 10)).await;
    scene.pass(600);
    scene.world(|world| {
        world.renew(id).expect("a renewal");
        world.suspend(id).expect("a suspension");
        world.unsubscribe(id).expect("an end");
        world.reverse_pending();
    });
    scene.deliver_all().await;
    let names = scene.event_names(id).await;
    assert_eq!(names.last(), Some(&"Unsubscribed"), "{names:?}");
    assert_eq!(scene.count(id, "Unsubscribed").await, 1, "{names:?}");
    scene.assert_agrees(id, "backwards").await;
}

#[tokio::test]
async fn t_19_nothing_that_arrives_after_the_end_brings_a_subscription_back() {
    // F-LC-8.
    let scene = Scene::new().await;
    for action in ACTIONS {
        let (id, operation) = scene.about_to(&action).await;
        let body = scene.body_of(operation);
        scene.world(|world| {
            world.lose_deliveries();
            if world.subscription(id).status != "Unsubscribed" {
                world.unsubscribe(id).expect("an end");
            }
        });
        scene.deliver_all().await;
        scene.pass(120);
        let answer = scene.signed(body.to_string()).await;
        assert_eq!(answer.status, 200, "{action:?}");
        let names = scene.event_names(id).await;
        if action != Action::Unsubscribe {
            assert_eq!(names.last(), Some(&"Unsubscribed"), "{action:?}: {names:?}");
        }
        let record = scene.record(id).await.expect("a record");
        assert_eq!(record.status().as_str(), "Unsubscribed", "{action:?}");
    }
}

#[tokio::test]
async fn a_late_read_right_after_a_change_does_not_undo_it() {
    for form in [WebhookForm::Full, WebhookForm::Sparse, WebhookForm::VeryOld] {
        let scene = Scene::new().await;
        let id = scene.active(Purchase::per_seat("basic", 10)).await;
        scene.pass(600);
        scene.world(|world| world.change_plan(id, "team")).expect("a change");
        assert_eq!(scene.deliver_statuses().await, [200]);
        scene.world(|world| {
            world.settings_mut().behaviour.stale_reads = Some(Duration::from_secs(5));
            world.settings_mut().behaviour.webhook_form = form;
            world.queue_notice(id, Action::Renew).expect("a notice");
        });
        scene.pass(1);
        scene.deliver_statuses().await;
        let plan = async || scene.record(id).await.expect("a record").subscription.plan_id;
        assert_eq!(plan().await, "team", "{form:?}");
        scene.stage.reconcile().await.expect("a run");
        assert_eq!(plan().await, "team", "{form:?}: nor does a late list");
        scene.deliver_all().await;
        assert_eq!(scene.count(id, "PlanChanged").await, 1, "{form:?}");
        scene.assert_agrees(id, &format!("{form:?}")).await;
    }
}

#[tokio::test]
async fn a_late_read_that_shows_one_change_and_not_yet_another_undoes_neither() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::per_seat("basic", 10)).await;
    scene.pass(600);
    let renewal = scene.world(|world| {
        world.change_quantity(id, 20).expect("a change");
        let renewal = world.renew(id).expect("a renewal");
        world.hold(renewal);
        renewal
    });
    scene.pass(3);
    assert_eq!(scene.deliver_statuses().await, [200]);
    // The new term, and the old seats.
    scene.world(|world| {
        world.settings_mut().behaviour.stale_reads = Some(Duration::from_secs(2));
        world.release(renewal);
    });
    scene.pass(1);
    scene.deliver_statuses().await;
    let quantity = scene.record(id).await.expect("a record").subscription.quantity;
    assert_eq!(quantity, Some(20));
    scene.deliver_all().await;
    for event in ["QuantityChanged", "Renewed"] {
        assert_eq!(scene.count(id, event).await, 1, "{event}");
    }
    scene.assert_agrees(id, "settled").await;
}

#[tokio::test]
async fn a_notice_that_is_ahead_of_microsofts_copy_is_asked_for_again() {
    for action in [Action::Suspend, Action::Unsubscribe] {
        let scene = Scene::new().await;
        let id = scene.active(Purchase::flat_rate("silver")).await;
        scene.pass(600);
        scene
            .world(|world| {
                world.settings_mut().behaviour.stale_reads = Some(Duration::from_secs(5));
                if action == Action::Suspend { world.suspend(id) } else { world.unsubscribe(id) }
            })
            .expect("the state permits it");
        let statuses = scene.deliver_statuses().await;
        assert!(statuses[0] >= 500, "{action:?}: {statuses:?}");
        scene.deliver_all().await;
        assert_eq!(scene.count(id, event_of(&action)).await, 1, "{action:?}");
        scene.assert_agrees(id, &format!("{action:?}")).await;
    }
}

async fn provisioned_once(scene: &Scene, id: Uuid, case: &str) {
    assert_eq!(scene.event_names(id).await, ["Purchased", "Activated"], "{case}");
    scene.assert_agrees(id, case).await;
}

#[tokio::test]
async fn t_24_a_purchase_that_activates_itself_is_provisioned_once_by_its_call() {
    for form in [WebhookForm::Full, WebhookForm::Sparse, WebhookForm::VeryOld] {
        let scene = Scene::new().await;
        scene.world(|world| world.settings_mut().behaviour.webhook_form = form);
        let id = scene.purchase(Purchase::flat_rate("auto"));
        scene.world(|world| world.duplicate_next_delivery());
        assert_eq!(scene.deliver_statuses().await, [200, 200], "{form:?}");
        provisioned_once(&scene, id, &format!("{form:?}")).await;
        // Manage visits come later (F-LC-4).
        scene.visit(id).await;
        provisioned_once(&scene, id, "after a visit").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t_24_the_call_and_the_landing_page_at_the_same_moment_provision_once() {
    let scene = Scene::new().await;
    for round in 0..5 {
        let id = scene.purchase(Purchase::flat_rate("auto"));
        tokio::join!(scene.deliver(), scene.visit(id), scene.visit(id));
        scene.deliver_all().await;
        provisioned_once(&scene, id, &format!("visited, round {round}")).await;

        let id = scene.purchase(Purchase::flat_rate("auto"));
        tokio::join!(scene.deliver(), scene.confirm(id), scene.confirm(id));
        scene.deliver_all().await;
        provisioned_once(&scene, id, &format!("confirmed, round {round}")).await;
    }
}

#[tokio::test]
async fn t_24_a_subscribe_beside_a_renewal_is_no_news() {
    // F-WHA-19; before it or after it.
    for subscribe_first in [true, false] {
        let scene = Scene::new().await;
        let id = scene.active(Purchase::flat_rate("silver")).await;
        scene.pass(600);
        scene.world(|world| {
            world.settings_mut().behaviour.webhook_form = WebhookForm::Sparse;
            world.renew(id).expect("a renewal");
            world.queue_notice(id, Action::Subscribe).expect("a notice");
            if subscribe_first {
                world.reverse_pending();
            }
        });
        assert_eq!(scene.deliver_statuses().await, [200, 200]);
        assert_eq!(scene.event_names(id).await, ["Purchased", "Activated", "Renewed"]);
        scene.assert_agrees(id, "renewed").await;
    }
}

#[tokio::test]
async fn t_24_a_subscribe_in_any_other_state_changes_nothing() {
    let scene = Scene::new().await;
    for end in ["Suspended", "Unsubscribed"] {
        let id = scene.active(Purchase::flat_rate("silver")).await;
        scene
            .world(|world| match end {
                "Suspended" => world.suspend(id),
                _ => world.unsubscribe(id),
            })
            .expect("the state permits it");
        scene.deliver_all().await;
        let before = scene.events(id).await;
        scene.world(|world| world.queue_notice(id, Action::Subscribe)).expect("a notice");
        assert_eq!(scene.deliver_statuses().await, [200], "{end}");
        assert_eq!(scene.events(id).await, before, "{end}");
    }
}

#[tokio::test]
async fn t_24_a_second_suspension_right_after_a_reinstatement_is_no_late_read_of_the_first() {
    // Its operation is younger than the reinstatement, and proves it without another delivery.
    let scene = Scene::new().await;
    let (id, _) = scene.about_to(&Action::Reinstate).await;
    assert_eq!(scene.deliver_statuses().await, [200]);
    scene.pass(5);
    scene.world(|world| world.suspend(id)).expect("a suspension");
    assert_eq!(scene.deliver_statuses().await, [200]);
    assert_eq!(scene.count(id, "Suspended").await, 2);
    scene.assert_agrees(id, "suspended again").await;
}
