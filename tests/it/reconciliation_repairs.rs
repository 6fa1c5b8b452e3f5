//! What the reconciliation leaves alone, finishes, announces, and answers in the webhook's place.

use std::time::Duration;

use emulator::{Call, ErrorForm, FaultKind, Purchase, Settings, Times, World};
use http::StatusCode;
use local::Options;
use serde_json::json;
use shared::domain::{Action, DecidedBy, Decision, OperationId, Ruling, SubscriptionId, Verdict};
use shared::store::Commit;
use uuid::Uuid;

use crate::scene::Scene;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn reconcile(scene: &Scene) -> reconciliation::Report {
    scene.stage.reconcile().await.expect("a run")
}

async fn plan(scene: &Scene, id: Uuid) -> String {
    scene.record(id).await.expect("a record").subscription.plan_id
}

/// A scene in which nothing is accepted by itself, as was seen in 2021 (D-5).
async fn patient(options: Options) -> Scene {
    let mut emulator = Settings::default();
    emulator.behaviour.acknowledgement_window = DAY;
    Scene::with(Options { emulator, ..options }).await
}

#[tokio::test]
async fn a_late_read_does_not_undo_what_was_just_committed() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::flat_rate("silver")).await;
    scene.advance(5 * MINUTE);
    scene.world(|world| world.change_plan(id, "gold")).expect("a change");
    assert_eq!(scene.deliver_statuses().await, [200]);
    scene.advance(Duration::from_secs(5));
    scene.world(|world| {
        world.settings_mut().behaviour.stale_reads = Some(Duration::from_secs(30));
    });
    let report = reconcile(&scene).await;
    assert_eq!((report.repaired, report.failed), (0, 0));
    assert_eq!(plan(&scene, id).await, "gold");
    assert_eq!(scene.event_names(id).await, ["Purchased", "Activated", "PlanChanged"]);
    scene.advance(2 * MINUTE);
    assert_eq!(reconcile(&scene).await.repaired, 0);
    assert_eq!(plan(&scene, id).await, "gold");
}

#[tokio::test]
async fn a_change_that_was_really_taken_back_is_seen_once_the_reads_have_settled() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::flat_rate("silver")).await;
    scene.advance(5 * MINUTE);
    scene.world(|world| world.change_plan(id, "gold")).expect("a change");
    assert_eq!(scene.deliver_statuses().await, [200]);
    scene.world(|world| world.change_plan(id, "silver")).expect("a change");
    scene.world(World::lose_deliveries);
    scene.advance(Duration::from_secs(11));
    assert_eq!(scene.world(|world| world.subscription(id).plan_id), "silver");
    reconcile(&scene).await;
    scene.advance(2 * MINUTE);
    reconcile(&scene).await;
    assert_eq!(plan(&scene, id).await, "silver");
    assert_eq!(
        scene.event_names(id).await,
        ["Purchased", "Activated", "PlanChanged", "PlanChanged"]
    );
}

#[tokio::test]
async fn t_25_an_end_is_final_whatever_microsofts_reads_say_later() {
    for status in ["Subscribed", "Suspended", "PendingFulfillmentStart", "SomethingNew"] {
        let scene = Scene::new().await;
        let id = scene.active(Purchase::flat_rate("silver")).await;
        scene.world(|world| world.unsubscribe(id)).expect("an end");
        assert_eq!(scene.deliver_statuses().await, [200]);
        scene.advance(DAY);
        scene.world(|world| {
            world.settings_mut().oddities.subscription_status = Some(status.to_owned());
        });
        let ended = scene.record(id).await;
        reconcile(&scene).await;
        scene.visit(id).await;
        scene.confirm(id).await;
        assert_eq!(scene.activate(id).await.status, StatusCode::CONFLICT, "{status}");
        let answer = scene.change(id, &json!({ "planId": "gold" })).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{status}");
        assert_eq!(scene.record(id).await, ended, "{status}");
        assert_eq!(scene.event_names(id).await, ["Purchased", "Activated", "Unsubscribed"]);
        assert_eq!(scene.calls(Call::Activate), 1, "{status}");
    }
}

#[tokio::test]
async fn t_25_what_was_suspended_or_ended_is_kept_with_its_history() {
    // F-LC-6: fully recoverable for 30 days; F-LC-8: kept for at least 7 days after the end.
    let scene = Scene::new().await;
    let suspended = scene.active(Purchase::per_seat("basic", 12).named("Kept")).await;
    let ended = scene.active(Purchase::flat_rate("silver")).await;
    scene.world(|world| {
        world.suspend(suspended).expect("a suspension");
        world.unsubscribe(ended).expect("an end");
    });
    scene.deliver_statuses().await;
    scene.advance(29 * DAY);
    reconcile(&scene).await;
    let record = scene.record(suspended).await.expect("a record");
    assert_eq!(record.status().as_str(), "Suspended");
    assert_eq!(record.subscription.quantity, Some(12));
    assert_eq!(record.subscription.name.as_deref(), Some("Kept"));

    // Thirty days without payment end it (F-LC-6, Q-4).
    scene.advance(10 * DAY);
    assert_eq!(scene.deliver_statuses().await, [200]);
    reconcile(&scene).await;
    for (id, history) in [
        (suspended, &["Purchased", "Activated", "Suspended", "Unsubscribed"][..]),
        (ended, &["Purchased", "Activated", "Unsubscribed"]),
    ] {
        assert_eq!(scene.record(id).await.expect("a record").status().as_str(), "Unsubscribed");
        assert_eq!(scene.event_names(id).await, history);
        assert_eq!(scene.get(&format!("/subscriptions/{id}")).await.status, StatusCode::OK);
    }
    scene.advance(60 * DAY);
    reconcile(&scene).await;
    assert!(scene.record(ended).await.is_some());
    let record = scene.record(suspended).await.expect("a record");
    assert_eq!(record.subscription.quantity, Some(12), "F-OBJ-5: its seats are still known");
}

#[tokio::test]
async fn f_lc_6_a_suspension_is_undone_without_loss_on_its_last_day() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::per_seat("basic", 12)).await;
    scene.world(|world| world.suspend(id)).expect("a suspension");
    scene.deliver_statuses().await;
    scene.advance(29 * DAY);
    scene.world(|world| world.reinstate(id)).expect("a reinstatement");
    assert_eq!(scene.deliver_statuses().await, [200]);
    let record = scene.record(id).await.expect("a record");
    assert_eq!(record.status().as_str(), "Subscribed");
    assert_eq!(record.subscription.quantity, Some(12));
}

#[tokio::test]
async fn f_lc_3_an_approaching_deadline_is_announced_once_a_week_before() {
    let scene = Scene::new().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let active = scene.active(Purchase::flat_rate("silver")).await;
    scene.advance(22 * DAY);
    reconcile(&scene).await;
    assert_eq!(scene.event_names(id).await, ["Purchased"]);
    scene.advance(DAY);
    for _ in 0..2 {
        reconcile(&scene).await;
        scene.advance(DAY);
    }
    assert_eq!(scene.event_names(id).await, ["Purchased", "ActivationDeadlineApproaching"]);
    assert_eq!(scene.event_names(active).await, ["Purchased", "Activated"]);
    // And it may still be activated.
    assert_eq!(scene.activate(id).await.status, StatusCode::OK);
    assert_eq!(
        scene.event_names(id).await,
        ["Purchased", "ActivationDeadlineApproaching", "Activated"]
    );
}

#[tokio::test]
async fn f_lc_3_a_purchase_nobody_activated_ends_with_its_deadline() {
    let scene = Scene::new().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    scene.visit(id).await;
    scene.advance(31 * DAY);
    scene.world(World::lose_deliveries);
    reconcile(&scene).await;
    assert_eq!(scene.event_names(id).await, ["Purchased", "Unsubscribed"]);
}

#[tokio::test]
async fn t_29_a_change_whose_webhook_was_lost_is_followed_even_where_it_would_have_been_rejected() {
    // F-WHA-10: silence was consent; F-WHA-12: what Microsoft reports is honoured.
    let scene = Scene::with(Options::default().with("CHANGE_POLICY", "reject")).await;
    let id = scene.active(Purchase::flat_rate("silver")).await;
    let operation = scene.world(|world| world.change_plan(id, "gold")).expect("a change");
    scene.world(World::lose_deliveries);
    scene.advance(2 * MINUTE);
    assert_eq!(scene.world(|world| world.operation(operation).status), "Succeeded");
    reconcile(&scene).await;
    assert_eq!(plan(&scene, id).await, "gold");
    assert_eq!(scene.event_names(id).await, ["Purchased", "Activated", "PlanChanged"]);
    assert_eq!(scene.calls(Call::UpdateOperation), 0, "nothing is left to answer (F-WHS-5)");
}

#[tokio::test]
async fn d_5_an_acknowledgement_that_did_not_arrive_is_repeated() {
    let scene = patient(Options::default()).await;
    let id = scene.active(Purchase::flat_rate("silver")).await;
    let operation = scene.world(|world| world.change_plan(id, "gold")).expect("a change");
    let broken = FaultKind::Status(500, ErrorForm::Nested);
    scene.fault(Call::UpdateOperation, broken, Times::Always);
    let statuses = scene.deliver_statuses().await;
    assert!(statuses.iter().all(|status| *status >= 500), "F-WHA-13: {statuses:?}");
    assert_eq!(plan(&scene, id).await, "silver", "not in force before Microsoft knows");
    scene.world(|world| world.faults_mut().clear());

    // Not while the call may still be under way.
    reconcile(&scene).await;
    assert_eq!(scene.world(|world| world.operation(operation).status), "InProgress");
    scene.advance(2 * MINUTE);
    reconcile(&scene).await;
    assert_eq!(scene.world(|world| world.operation(operation).status), "Succeeded");
    assert_eq!(plan(&scene, id).await, "gold");
    assert_eq!(scene.record(id).await.expect("a record").pending_operation, None);
    // The redelivery is answered as if it had been the first (F-WHD-5).
    assert_eq!(scene.deliver_statuses().await, [200]);
    assert_eq!(scene.event_names(id).await, ["Purchased", "Activated", "PlanChanged"]);
}

#[tokio::test]
async fn t_29_our_own_change_whose_webhook_was_lost_is_acknowledged() {
    let scene = patient(Options::default().with("CHANGE_POLICY", "reject")).await;
    let id = scene.active(Purchase::per_seat("basic", 3)).await;
    assert_eq!(scene.change(id, &json!({ "quantity": 8 })).await.status, StatusCode::ACCEPTED);
    scene.world(World::lose_deliveries);
    scene.advance(2 * MINUTE);
    reconcile(&scene).await;
    let record = scene.record(id).await.expect("a record");
    assert_eq!(record.subscription.quantity, Some(8));
    assert_eq!(record.pending_operation, None);
    assert_eq!(scene.world(|world| world.subscription(id).quantity), Some(8));
    assert_eq!(scene.event_names(id).await, ["Purchased", "Activated", "QuantityChanged"]);
    assert_eq!(reconcile(&scene).await.repaired, 0);
}

#[tokio::test]
async fn t_29_a_reinstatement_that_waits_for_a_lost_webhook_is_confirmed() {
    // F-WHA-11, where Microsoft still waits for the acknowledgement.
    let scene = patient(Options::default()).await;
    let id = scene.active(Purchase::flat_rate("silver")).await;
    scene.world(|world| world.suspend(id)).expect("a suspension");
    scene.deliver_statuses().await;
    scene.advance(DAY);
    scene.world(|world| world.reinstate(id)).expect("a reinstatement");
    scene.world(World::lose_deliveries);
    scene.advance(2 * MINUTE);
    assert_eq!(scene.world(|world| world.subscription(id).status), "Suspended");
    reconcile(&scene).await;
    assert_eq!(scene.world(|world| world.subscription(id).status), "Subscribed");
    assert_eq!(scene.record(id).await.expect("a record").status().as_str(), "Subscribed");
    assert_eq!(scene.event_names(id).await, ["Purchased", "Activated", "Suspended", "Reinstated"]);
}

#[tokio::test]
async fn an_operation_that_has_ended_is_waited_for_no_longer() {
    let ends: [fn(&mut World, Uuid, Uuid); 2] = [
        |world, _, operation| world.end_in_conflict(operation),
        |world, id, _| {
            world.suspend(id).expect("a suspension");
        },
    ];
    for end in ends {
        let scene = Scene::new().await;
        let id = scene.active(Purchase::per_seat("basic", 3)).await;
        let answer = scene.change(id, &json!({ "quantity": 8 })).await;
        let operation = answer.json()["operationId"].as_str().expect("an id").to_owned();
        scene.world(|world| end(world, id, operation.parse().expect("a GUID")));
        scene.world(World::lose_deliveries);
        assert!(scene.record(id).await.expect("a record").pending_operation.is_some());
        scene.advance(2 * MINUTE);
        reconcile(&scene).await;
        let record = scene.record(id).await.expect("a record");
        assert_eq!(record.pending_operation, None);
        assert_eq!(record.subscription.quantity, Some(3));
    }
}

#[tokio::test]
async fn a_rejection_that_one_delivery_told_is_not_told_again_for_another_that_did_not_know() {
    let scene = patient(Options::default().with("CHANGE_POLICY", "reject")).await;
    let id = scene.active(Purchase::per_seat("basic", 3)).await;
    let operation = scene.world(|world| world.change_quantity(id, 8)).expect("a change");
    assert_eq!(scene.deliver_statuses().await, [400]);
    assert_eq!(scene.event_names(id).await, ["Purchased", "Activated", "ChangeRejected"]);
    // The other one, at the same moment, heard nothing from Microsoft, and noted that last.
    let record = scene.record(id).await.expect("a record");
    let ruling = Ruling::new(Verdict::Reject, DecidedBy::Policy, "");
    let now = scene.world(|world| world.now());
    let noted =
        record.await_answered(OperationId(operation), &Action::ChangeQuantity, &ruling, now);
    let Decision::Commit(change) = noted else { panic!("nothing is noted: {noted:?}") };
    let commit = Commit { next: Some(change), mark: None };
    scene.stage.store.commit(SubscriptionId(id), &commit).await.expect("committed");
    scene.advance(2 * MINUTE);
    reconcile(&scene).await;
    assert_eq!(scene.record(id).await.expect("a record").pending_operation, None);
    assert_eq!(scene.event_names(id).await, ["Purchased", "Activated", "ChangeRejected"]);
}

#[tokio::test]
async fn an_operation_microsoft_has_forgotten_is_waited_for_no_longer() {
    // F-OPG-3: with 404 or with 400.
    for status in [404, 400] {
        let scene = patient(Options::default()).await;
        let id = scene.active(Purchase::per_seat("basic", 3)).await;
        assert_eq!(scene.change(id, &json!({ "quantity": 8 })).await.status, StatusCode::ACCEPTED);
        scene.fault(Call::ListOperations, FaultKind::Garbage("{}".to_owned()), Times::Always);
        let forgotten = FaultKind::Status(status, ErrorForm::Object);
        scene.fault(Call::GetOperation, forgotten, Times::Always);
        scene.advance(2 * MINUTE);
        assert_eq!(reconcile(&scene).await.failed, 0, "{status}");
        assert_eq!(scene.record(id).await.expect("a record").pending_operation, None, "{status}");
    }
}

#[tokio::test]
async fn outstanding_operations_are_found_in_every_form_of_their_list() {
    // F-OPL-2.
    for as_array in [false, true] {
        let scene = patient(Options::default()).await;
        scene.world(|world| world.settings_mut().behaviour.operations_as_array = as_array);
        let id = scene.active(Purchase::per_seat("basic", 3)).await;
        assert_eq!(scene.change(id, &json!({ "quantity": 8 })).await.status, StatusCode::ACCEPTED);
        scene.world(World::lose_deliveries);
        scene.advance(2 * MINUTE);
        reconcile(&scene).await;
        let record = scene.record(id).await.expect("a record");
        assert_eq!(record.subscription.quantity, Some(8), "{as_array}");
    }
}
