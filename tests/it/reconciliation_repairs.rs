//! The reconciliation ignores late reads, finishes pending operations, announces deadlines, and
//! answers operations in the webhook's place.

use std::time::Duration;

use emulator::{Call, ErrorForm, FaultKind, Purchase, Settings, Times, World};
use http::StatusCode;
use local::Options;
use serde_json::json;
use shared::domain::{Action, DecidedBy, Decision, OperationId, Ruling, SubscriptionId, Verdict};
use shared::store::Commit;
use uuid::Uuid;

use crate::test_env::TestEnv;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn reconcile(env: &TestEnv) -> reconciliation::Report {
    env.system.reconcile().await.expect("a run")
}

async fn plan(env: &TestEnv, id: Uuid) -> String {
    env.record(id).await.expect("a record").subscription.plan_id
}

/// An environment in which Microsoft accepts no change on its own, as was observed in 2021 (D-5).
async fn env_without_auto_acceptance(options: Options) -> TestEnv {
    let mut emulator = Settings::default();
    emulator.behaviour.acknowledgement_window = DAY;
    TestEnv::with(Options { emulator, ..options }).await
}

#[tokio::test]
async fn a_late_read_does_not_undo_a_recent_commit() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    env.advance(5 * MINUTE);
    env.world(|world| world.change_plan(id, "gold")).expect("a change");
    assert_eq!(env.deliver_statuses().await, [200]);
    env.advance(Duration::from_secs(5));
    env.world(|world| {
        world.settings_mut().behaviour.stale_reads = Some(Duration::from_secs(30));
    });
    let report = reconcile(&env).await;
    assert_eq!((report.repaired, report.failed), (0, 0));
    assert_eq!(plan(&env, id).await, "gold");
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated", "PlanChanged"]);
    env.advance(2 * MINUTE);
    assert_eq!(reconcile(&env).await.repaired, 0);
    assert_eq!(plan(&env, id).await, "gold");
}

#[tokio::test]
async fn a_real_revert_is_adopted_once_the_reads_have_settled() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    env.advance(5 * MINUTE);
    env.world(|world| world.change_plan(id, "gold")).expect("a change");
    assert_eq!(env.deliver_statuses().await, [200]);
    env.world(|world| world.change_plan(id, "silver")).expect("a change");
    env.world(World::lose_deliveries);
    env.advance(Duration::from_secs(11));
    assert_eq!(env.world(|world| world.subscription(id).plan_id), "silver");
    reconcile(&env).await;
    env.advance(2 * MINUTE);
    reconcile(&env).await;
    assert_eq!(plan(&env, id).await, "silver");
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated", "PlanChanged", "PlanChanged"]);
}

#[tokio::test]
async fn t_25_an_end_stays_final_against_any_later_read() {
    for status in ["Subscribed", "Suspended", "PendingFulfillmentStart", "SomethingNew"] {
        let env = TestEnv::new().await;
        let id = env.active(Purchase::flat_rate("silver")).await;
        env.world(|world| world.unsubscribe(id)).expect("an end");
        assert_eq!(env.deliver_statuses().await, [200]);
        env.advance(DAY);
        env.world(|world| {
            world.settings_mut().oddities.subscription_status = Some(status.to_owned());
        });
        let ended = env.record(id).await;
        reconcile(&env).await;
        env.visit(id).await;
        env.confirm(id).await;
        assert_eq!(env.activate(id).await.status, StatusCode::CONFLICT, "{status}");
        let answer = env.change(id, &json!({ "planId": "gold" })).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{status}");
        assert_eq!(env.record(id).await, ended, "{status}");
        assert_eq!(env.event_names(id).await, ["Purchased", "Activated", "Unsubscribed"]);
        assert_eq!(env.calls(Call::Activate), 1, "{status}");
    }
}

#[tokio::test]
async fn t_25_suspended_and_ended_subscriptions_keep_their_history() {
    // F-LC-6: recoverable for 30 days. F-LC-8: kept for at least 7 days after the end.
    let env = TestEnv::new().await;
    let suspended = env.active(Purchase::per_seat("basic", 12).named("Kept")).await;
    let ended = env.active(Purchase::flat_rate("silver")).await;
    env.world(|world| {
        world.suspend(suspended).expect("a suspension");
        world.unsubscribe(ended).expect("an end");
    });
    env.deliver_statuses().await;
    env.advance(29 * DAY);
    reconcile(&env).await;
    let record = env.record(suspended).await.expect("a record");
    assert_eq!(record.status().as_str(), "Suspended");
    assert_eq!(record.subscription.quantity, Some(12));
    assert_eq!(record.subscription.name.as_deref(), Some("Kept"));

    // Thirty days without payment end the subscription (F-LC-6, Q-4).
    env.advance(10 * DAY);
    assert_eq!(env.deliver_statuses().await, [200]);
    reconcile(&env).await;
    for (id, history) in [
        (suspended, &["Purchased", "Activated", "Suspended", "Unsubscribed"][..]),
        (ended, &["Purchased", "Activated", "Unsubscribed"]),
    ] {
        assert_eq!(env.record(id).await.expect("a record").status().as_str(), "Unsubscribed");
        assert_eq!(env.event_names(id).await, history);
        assert_eq!(env.get(&format!("/subscriptions/{id}")).await.status, StatusCode::OK);
    }
    env.advance(60 * DAY);
    reconcile(&env).await;
    assert!(env.record(ended).await.is_some());
    let record = env.record(suspended).await.expect("a record");
    assert_eq!(record.subscription.quantity, Some(12), "F-OBJ-5: the record keeps its seats");
}

#[tokio::test]
async fn f_lc_6_a_reinstatement_on_the_last_day_loses_nothing() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 12)).await;
    env.world(|world| world.suspend(id)).expect("a suspension");
    env.deliver_statuses().await;
    env.advance(29 * DAY);
    env.world(|world| world.reinstate(id)).expect("a reinstatement");
    assert_eq!(env.deliver_statuses().await, [200]);
    let record = env.record(id).await.expect("a record");
    assert_eq!(record.status().as_str(), "Subscribed");
    assert_eq!(record.subscription.quantity, Some(12));
}

#[tokio::test]
async fn f_lc_3_an_approaching_deadline_is_announced_once_a_week_before() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let active = env.active(Purchase::flat_rate("silver")).await;
    env.advance(22 * DAY);
    reconcile(&env).await;
    assert_eq!(env.event_names(id).await, ["Purchased"]);
    env.advance(DAY);
    for _ in 0..2 {
        reconcile(&env).await;
        env.advance(DAY);
    }
    assert_eq!(env.event_names(id).await, ["Purchased", "ActivationDeadlineApproaching"]);
    assert_eq!(env.event_names(active).await, ["Purchased", "Activated"]);
    // The purchase can still be activated.
    assert_eq!(env.activate(id).await.status, StatusCode::OK);
    assert_eq!(
        env.event_names(id).await,
        ["Purchased", "ActivationDeadlineApproaching", "Activated"]
    );
}

#[tokio::test]
async fn f_lc_3_an_unactivated_purchase_ends_with_its_deadline() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    env.visit(id).await;
    env.advance(31 * DAY);
    env.world(World::lose_deliveries);
    reconcile(&env).await;
    assert_eq!(env.event_names(id).await, ["Purchased", "Unsubscribed"]);
}

#[tokio::test]
async fn t_29_a_change_with_a_lost_webhook_is_adopted_even_under_a_rejecting_policy() {
    // F-WHA-10: no answer counts as acceptance. F-WHA-12: we adopt what Microsoft reports.
    let env = TestEnv::with(Options::default().with("CHANGE_POLICY", "reject")).await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    let operation = env.world(|world| world.change_plan(id, "gold")).expect("a change");
    env.world(World::lose_deliveries);
    env.advance(2 * MINUTE);
    assert_eq!(env.world(|world| world.operation(operation).status), "Succeeded");
    reconcile(&env).await;
    assert_eq!(plan(&env, id).await, "gold");
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated", "PlanChanged"]);
    assert_eq!(env.calls(Call::UpdateOperation), 0, "the operation is settled (F-WHS-5)");
}

#[tokio::test]
async fn d_5_a_lost_acknowledgement_is_repeated() {
    let env = env_without_auto_acceptance(Options::default()).await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    let operation = env.world(|world| world.change_plan(id, "gold")).expect("a change");
    let broken = FaultKind::Status(500, ErrorForm::Nested);
    env.fault(Call::UpdateOperation, broken, Times::Always);
    let statuses = env.deliver_statuses().await;
    assert!(statuses.iter().all(|status| *status >= 500), "F-WHA-13: {statuses:?}");
    assert_eq!(plan(&env, id).await, "silver", "not in force before Microsoft has the answer");
    env.world(|world| world.faults_mut().clear());

    // The reconciliation waits as long as the call may still be running.
    reconcile(&env).await;
    assert_eq!(env.world(|world| world.operation(operation).status), "InProgress");
    env.advance(2 * MINUTE);
    reconcile(&env).await;
    assert_eq!(env.world(|world| world.operation(operation).status), "Succeeded");
    assert_eq!(plan(&env, id).await, "gold");
    assert_eq!(env.record(id).await.expect("a record").pending_operation, None);
    // The redelivery gets the same answer as a first delivery (F-WHD-5).
    assert_eq!(env.deliver_statuses().await, [200]);
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated", "PlanChanged"]);
}

#[tokio::test]
async fn t_29_our_own_change_with_a_lost_webhook_is_acknowledged() {
    let env = env_without_auto_acceptance(Options::default().with("CHANGE_POLICY", "reject")).await;
    let id = env.active(Purchase::per_seat("basic", 3)).await;
    assert_eq!(env.change(id, &json!({ "quantity": 8 })).await.status, StatusCode::ACCEPTED);
    env.world(World::lose_deliveries);
    env.advance(2 * MINUTE);
    reconcile(&env).await;
    let record = env.record(id).await.expect("a record");
    assert_eq!(record.subscription.quantity, Some(8));
    assert_eq!(record.pending_operation, None);
    assert_eq!(env.world(|world| world.subscription(id).quantity), Some(8));
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated", "QuantityChanged"]);
    assert_eq!(reconcile(&env).await.repaired, 0);
}

#[tokio::test]
async fn t_29_a_reinstatement_with_a_lost_webhook_is_acknowledged() {
    // F-WHA-11: Microsoft still waits for the acknowledgement.
    let env = env_without_auto_acceptance(Options::default()).await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    env.world(|world| world.suspend(id)).expect("a suspension");
    env.deliver_statuses().await;
    env.advance(DAY);
    env.world(|world| world.reinstate(id)).expect("a reinstatement");
    env.world(World::lose_deliveries);
    env.advance(2 * MINUTE);
    assert_eq!(env.world(|world| world.subscription(id).status), "Suspended");
    reconcile(&env).await;
    assert_eq!(env.world(|world| world.subscription(id).status), "Subscribed");
    assert_eq!(env.record(id).await.expect("a record").status().as_str(), "Subscribed");
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated", "Suspended", "Reinstated"]);
}

#[tokio::test]
async fn an_operation_that_failed_ends_the_wait() {
    let ends: [fn(&mut World, Uuid, Uuid); 2] = [
        |world, _, operation| world.end_in_conflict(operation),
        |world, id, _| {
            world.suspend(id).expect("a suspension");
        },
    ];
    for end in ends {
        let env = TestEnv::new().await;
        let id = env.active(Purchase::per_seat("basic", 3)).await;
        let answer = env.change(id, &json!({ "quantity": 8 })).await;
        let operation = answer.json()["operationId"].as_str().expect("an id").to_owned();
        env.world(|world| end(world, id, operation.parse().expect("a GUID")));
        env.world(World::lose_deliveries);
        assert!(env.record(id).await.expect("a record").pending_operation.is_some());
        env.advance(2 * MINUTE);
        reconcile(&env).await;
        let record = env.record(id).await.expect("a record");
        assert_eq!(record.pending_operation, None);
        assert_eq!(record.subscription.quantity, Some(3));
    }
}

#[tokio::test]
async fn a_rejection_is_recorded_once_when_two_deliveries_race() {
    let env = env_without_auto_acceptance(Options::default().with("CHANGE_POLICY", "reject")).await;
    let id = env.active(Purchase::per_seat("basic", 3)).await;
    let operation = env.world(|world| world.change_quantity(id, 8)).expect("a change");
    assert_eq!(env.deliver_statuses().await, [400]);
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated", "ChangeRejected"]);
    // A concurrent delivery got no answer from Microsoft and recorded its wait last.
    let record = env.record(id).await.expect("a record");
    let ruling = Ruling::new(Verdict::Reject, DecidedBy::Policy, "");
    let now = env.world(|world| world.now());
    let noted =
        record.await_answered(&OperationId::from(operation), &Action::ChangeQuantity, &ruling, now);
    let Decision::Commit(change) = noted else { panic!("no new version: {noted:?}") };
    let commit = Commit { next: Some(change), mark: None };
    env.system.store.commit(SubscriptionId(id), &commit).await.expect("committed");
    env.advance(2 * MINUTE);
    reconcile(&env).await;
    assert_eq!(env.record(id).await.expect("a record").pending_operation, None);
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated", "ChangeRejected"]);
}

#[tokio::test]
async fn an_operation_unknown_to_microsoft_ends_the_wait_after_fifteen_minutes() {
    // F-OPG-3: with 404 or with 400. F-OPG-5: before that, Microsoft may not show it yet.
    for status in [404, 400] {
        let env = env_without_auto_acceptance(Options::default()).await;
        let id = env.active(Purchase::per_seat("basic", 3)).await;
        assert_eq!(env.change(id, &json!({ "quantity": 8 })).await.status, StatusCode::ACCEPTED);
        env.fault(Call::ListOperations, FaultKind::Garbage("{}".to_owned()), Times::Always);
        let forgotten = FaultKind::Status(status, ErrorForm::Object);
        env.fault(Call::GetOperation, forgotten, Times::Always);
        for (minutes, waits) in [(2, true), (12, true), (2, false)] {
            env.advance(minutes * MINUTE);
            assert_eq!(reconcile(&env).await.failed, 0, "{status}");
            let record = env.record(id).await.expect("a record");
            assert_eq!(record.pending_operation.is_some(), waits, "{status}");
        }
    }
}

#[tokio::test]
async fn outstanding_operations_are_found_in_every_form_of_their_list() {
    // F-OPL-2.
    for as_array in [false, true] {
        let env = env_without_auto_acceptance(Options::default()).await;
        env.world(|world| world.settings_mut().behaviour.operations_as_array = as_array);
        let id = env.active(Purchase::per_seat("basic", 3)).await;
        assert_eq!(env.change(id, &json!({ "quantity": 8 })).await.status, StatusCode::ACCEPTED);
        env.world(World::lose_deliveries);
        env.advance(2 * MINUTE);
        reconcile(&env).await;
        let record = env.record(id).await.expect("a record");
        assert_eq!(record.subscription.quantity, Some(8), "{as_array}");
    }
}
