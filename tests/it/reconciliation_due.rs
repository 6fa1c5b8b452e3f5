//! What is due about records doesn't wait for its page of the list.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use emulator::{Call, ErrorForm, FaultKind, Purchase, Settings, Times, World};
use http::StatusCode;
use local::Options;
use local::system::Ports;
use memory_store::MemoryStore;
use serde_json::json;
use shared::domain::{Cause, Decision, Observation, SubscriptionId, observe};
use shared::store::{Checkpoint, Commit, Store as _};
use uuid::Uuid;

use crate::log_lines::Lines;
use crate::probe::{Probe, corrupt};
use crate::restore_env::RestoreEnv;
use crate::test_env::TestEnv;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// From now on, no page of the list is reached.
fn hide_the_list(env: &TestEnv) {
    env.fault(Call::ListSubscriptions, FaultKind::Status(500, ErrorForm::Nested), Times::Always);
}

/// What a slice saves that reaches no page of the list.
async fn slice_without_list(env: &TestEnv) -> Checkpoint {
    let checkpoints = &env.system.checkpoints;
    let stored = checkpoints.checkpoint().await.expect("a checkpoint");
    let new = Checkpoint { due_after: stored.due_after.clone(), ..stored.reset() };
    checkpoints.save_checkpoint(&new).await.expect("saved");
    hide_the_list(env);
    let failed = env.system.reconciliation.slice().await.expect_err("the list fails").to_string();
    assert!(failed.contains("500"), "{failed}");
    env.world(|world| world.faults_mut().clear());
    checkpoints.checkpoint().await.expect("a checkpoint")
}

/// An environment in which Microsoft accepts no change on its own.
async fn env_without_auto_acceptance() -> TestEnv {
    let mut emulator = Settings::default();
    emulator.behaviour.acknowledgement_window = DAY;
    TestEnv::with(Options { emulator, ..Options::default() }).await
}

#[tokio::test]
async fn an_activation_under_way_is_finished_though_the_list_does_not_show_it() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    env.fault(Call::Activate, FaultKind::Status(500, ErrorForm::Object), Times::Always);
    assert_ne!(env.activate(id).await.status, StatusCode::OK);
    env.world(|world| world.faults_mut().clear());
    assert_eq!(slice_without_list(&env).await.due, 0, "it is left to the function that began it");
    env.advance(3 * MINUTE);
    let checkpoint = slice_without_list(&env).await;
    assert_eq!((checkpoint.due, checkpoint.repaired, checkpoint.due_after), (1, 1, None));
    assert_eq!(env.record(id).await.expect("a record").status().as_str(), "Subscribed");
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated"]);
    env.advance(3 * MINUTE);
    assert_eq!(slice_without_list(&env).await.due, 0, "it is done");
}

#[tokio::test]
async fn an_open_operation_is_ended_though_the_list_does_not_show_it() {
    let env = env_without_auto_acceptance().await;
    let id = env.active(Purchase::per_seat("basic", 3)).await;
    assert_eq!(env.change(id, &json!({ "quantity": 8 })).await.status, StatusCode::ACCEPTED);
    env.world(World::lose_deliveries);
    env.advance(2 * MINUTE);
    let checkpoint = slice_without_list(&env).await;
    assert_eq!((checkpoint.due, checkpoint.repaired), (1, 1));
    let record = env.record(id).await.expect("a record");
    assert_eq!((record.subscription.quantity, record.pending_operation), (Some(8), None));
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated", "QuantityChanged"]);
}

#[tokio::test]
async fn f_lc_3_a_deadline_is_announced_though_the_list_does_not_show_the_purchase() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    env.visit(id).await;
    env.advance(22 * DAY);
    assert_eq!(slice_without_list(&env).await.due, 0);
    env.advance(DAY);
    for due in [1, 0] {
        assert_eq!(slice_without_list(&env).await.due, due);
        assert_eq!(env.event_names(id).await, ["Purchased", "ActivationDeadlineApproaching"]);
    }
}

#[tokio::test]
async fn a_restored_record_is_restated_though_the_list_does_not_show_it() {
    let env = RestoreEnv::new().await;
    let id = env.env.active(Purchase::flat_rate("silver")).await;
    env.tell().await;
    env.restore().await;
    env.env.advance(14 * MINUTE);
    assert_eq!(slice_without_list(&env.env).await.due, 0, "Microsoft's copy may lag");
    env.env.advance(MINUTE);
    assert_eq!(slice_without_list(&env.env).await.due, 1);
    assert_eq!(env.env.event_names(id).await, ["Purchased", "Activated", "DetailsChanged"]);
    assert_eq!(slice_without_list(&env.env).await.due, 0);
}

#[tokio::test]
async fn where_nothing_is_due_a_slice_asks_once_and_writes_nothing_more() {
    let (env, probe) = Probe::env(Options::default()).await;
    env.active(Purchase::flat_rate("silver")).await;
    let pending = env.purchase(Purchase::flat_rate("gold"));
    env.visit(pending).await;
    env.system.reconcile().await.expect("a run");
    let (commits, checkpoints) = probe.written();
    let asked = probe.due_pages.load(Ordering::SeqCst);
    let report = env.system.reconcile().await.expect("a run");
    assert_eq!((report.due, report.examined), (0, 2));
    assert_eq!(probe.written(), (commits, checkpoints + 1), "the list's page");
    assert_eq!(probe.due_pages.load(Ordering::SeqCst), asked + 1);
}

#[tokio::test]
async fn what_stays_due_is_looked_at_once_in_a_slice() {
    let env = env_without_auto_acceptance().await;
    let id = env.active(Purchase::per_seat("basic", 3)).await;
    assert_eq!(env.change(id, &json!({ "quantity": 8 })).await.status, StatusCode::ACCEPTED);
    env.world(World::lose_deliveries);
    // Microsoft shows the operation nowhere yet (F-OPG-5).
    env.advance(2 * MINUTE);
    for slice in 1..=3 {
        env.fault(Call::ListOperations, FaultKind::Garbage("{}".to_owned()), Times::Always);
        env.fault(Call::GetOperation, FaultKind::Status(404, ErrorForm::Object), Times::Always);
        let checkpoint = slice_without_list(&env).await;
        assert_eq!((checkpoint.due, checkpoint.repaired, checkpoint.due_after), (1, 0, None));
        assert_eq!(env.calls(Call::GetOperation), slice);
    }
    assert!(env.record(id).await.expect("a record").pending_operation.is_some());
}

/// A purchase whose deadline is near, as the table holds it.
async fn purchase_of(store: &MemoryStore, id: Uuid, created: jiff::Timestamp) {
    let observed: Observation = serde_json::from_value(json!({
        "id": id, "offerId": "flat-rate-1", "planId": "silver", "created": created,
        "saasSubscriptionStatus": "PendingFulfillmentStart",
    }))
    .expect("an observation");
    let decided = observe(None, &observed, &Cause::Landing, created).expect("enough");
    let Decision::Commit(next) = decided else { panic!("a record: {decided:?}") };
    let commit = Commit { next: Some(next), mark: None };
    store.commit(SubscriptionId(id), &commit).await.expect("committed");
}

#[tokio::test]
async fn of_two_thousand_that_are_due_at_once_none_starves_behind_those_that_fail() {
    let (table, lines) = (MemoryStore::default(), Lines::collect("warn"));
    let ports = Arc::new(table.clone());
    let options = Options {
        wrap_store: Some(Box::new(move |_| Ports {
            store: ports.clone(),
            checkpoints: ports.clone(),
            due_work: ports,
        })),
        ..Options::default()
    };
    let (env, probe) = Probe::env(options).await;
    let now = || env.world(|world| world.now());
    // The oldest are unknown to Microsoft, and stay due for ever.
    for number in 0..500 {
        purchase_of(&table, Uuid::from_u128(0xdead_0000 + number), now()).await;
    }
    env.advance(SECOND);
    let known: Vec<_> = (0..1500).map(|_| env.purchase(Purchase::flat_rate("silver"))).collect();
    for id in &known {
        purchase_of(&table, *id, now()).await;
    }
    env.advance(24 * DAY);
    // A slice has time for a page and a part of the next one.
    probe.slow_down(&env, 30 * SECOND);
    let announced = || {
        let is_announced = |id: &&Uuid| {
            table.record(SubscriptionId(**id)).is_some_and(|record| record.deadline_announced)
        };
        known.iter().filter(is_announced).count()
    };
    // Microsoft is too busy for the list. So the run waits with it, and doesn't turn to the table.
    let busy = FaultKind::Status(429, ErrorForm::Nested);
    env.fault(Call::ListSubscriptions, busy, Times::Always);
    let (mut slices, mut before) = (0, 0);
    while announced() < known.len() {
        env.system.reconciliation.slice().await.expect_err("the list fails");
        let checkpoint = env.system.checkpoints.checkpoint().await.expect("a checkpoint");
        slices += 1;
        let due = checkpoint.due - std::mem::replace(&mut before, checkpoint.due);
        assert!((1..=110).contains(&due), "slice {slices}: {due}");
        assert!(slices <= 20, "{} are announced", announced());
    }
    let refused =
        |lines: &Lines| lines.take().iter().filter(|line| line["class"] == "refused").count();
    assert_eq!(refused(&lines.0), 500, "each is logged once, in its slice");
    // Then it begins with the oldest again.
    for _ in 0..2 {
        env.system.reconciliation.slice().await.expect_err("the list fails");
    }
    assert!(refused(&lines.0) > 90);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_holds_up_no_other() {
    let env = TestEnv::new().await;
    let ids: Vec<_> = (0..3).map(|_| env.purchase(Purchase::flat_rate("silver"))).collect();
    for id in &ids {
        env.visit(*id).await;
    }
    corrupt(&env, ids[1], "neither a record nor anything else").await;
    env.advance(23 * DAY);
    let checkpoint = slice_without_list(&env).await;
    assert_eq!((checkpoint.due, checkpoint.repaired, checkpoint.failed), (3, 2, 0));
    for id in [ids[0], ids[2]] {
        assert_eq!(env.event_names(id).await, ["Purchased", "ActivationDeadlineApproaching"]);
    }
    let report = env.system.reconcile().await.expect("a run");
    assert_eq!((report.examined, report.failed), (3, 1), "it is counted at its page");
}

#[tokio::test]
async fn what_is_due_begins_anew_behind_a_place_that_no_version_wrote() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    env.visit(id).await;
    env.advance(23 * DAY);
    let nonsense =
        Checkpoint { due_after: Some("behind".to_owned()), ..Checkpoint::default().reset() };
    env.system.checkpoints.save_checkpoint(&nonsense).await.expect("saved");
    assert_eq!(slice_without_list(&env).await.due_after, None);
    assert_eq!(slice_without_list(&env).await.due, 1);
}

#[tokio::test]
async fn a_table_that_does_not_list_what_is_due_does_not_stop_the_list() {
    let (env, probe) = Probe::env(Options::default()).await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    probe.hides_due_work.store(true, Ordering::SeqCst);
    let report = env.system.reconcile().await.expect("a run");
    assert_eq!((report.finished, report.repaired), (true, 1));
    assert_eq!(env.event_names(id).await, ["Purchased"]);
}
