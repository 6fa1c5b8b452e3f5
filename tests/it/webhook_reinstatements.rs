//! Reinstatements whose reads or operations lag, or that nothing confirms (F-WHA-7, F-OPG-5).

use std::time::Duration;

use emulator::{Action, Call, ErrorForm, FaultKind, Purchase, Times};
use local::Options;
use serde_json::json;
use uuid::Uuid;

use crate::probe::Probe;
use crate::reconciliation::activate_elsewhere;
use crate::test_env::TestEnv;

/// Within one call, the webhook reads again for three seconds and more.
const A_MOMENT: Duration = Duration::from_secs(2);

/// Longer than a call of the webhook takes.
const LONG: Duration = Duration::from_secs(30);

#[tokio::test]
async fn f_wha_7_a_reinstatement_without_an_operation_is_seen_in_the_subscription() {
    let env = TestEnv::new().await;
    env.world(|world| world.settings_mut().behaviour.keeps_changes_only = true);
    let (id, operation) = env.about_to(&Action::Reinstate).await;
    let body = env.body_of(operation);
    assert!(env.deliver_statuses().await[0] >= 500, "it is still suspended");
    assert_eq!(env.count(id, "Reinstated").await, 0);
    // Microsoft completes it without us.
    env.world(|world| {
        world.lose_deliveries();
        let token = world.entra().access_token();
        let path =
            format!("/saas/subscriptions/{id}/operations/{operation}?api-version=2018-08-31");
        let request = emulator::ApiRequest::new(http::Method::PATCH, &path)
            .with_header("authorization", &format!("Bearer {token}"))
            .with_json(&json!({ "status": "Success" }));
        assert_eq!(world.marketplace(&request).reply().expect("a reply").status, 200);
        world.settings_mut().behaviour.stale_reads = Some(A_MOMENT);
    });
    assert_eq!(env.signed(body.to_string()).await.status, 200);
    assert_eq!(env.count(id, "Reinstated").await, 1);
    env.assert_agrees(id, "reinstated").await;
}

#[tokio::test]
async fn a_reinstatement_restores_access_where_the_record_missed_activation_and_suspension() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    env.visit(id).await;
    env.world(|world| {
        activate_elsewhere(world, id);
        world.suspend(id).expect("a suspension");
        world.lose_deliveries();
        world.reinstate(id).expect("a reinstatement");
    });
    assert_eq!(env.deliver_statuses().await, [200]);
    assert_eq!(env.record(id).await.expect("a record").status().as_str(), "Subscribed");
    let events = ["Purchased", "Activated", "Suspended", "Reinstated"];
    assert_eq!(env.event_names(id).await, events);
    env.assert_agrees(id, "a reinstatement of an unheard suspension").await;
}

#[tokio::test]
async fn a_reinstatement_is_not_lost_if_a_visit_records_the_suspension_meanwhile() {
    let (env, probe) = Probe::env(Options::default()).await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    env.advance(Duration::from_secs(60));
    let before = env.record(id).await;
    env.world(|world| {
        world.suspend(id).expect("a suspension");
        world.lose_deliveries();
    });
    env.visit(id).await;
    assert_eq!(env.count(id, "Suspended").await, 1);
    env.advance(Duration::from_secs(1));
    // The webhook reads the record before the visit changes it, and Get shows neither.
    env.world(|world| {
        world.reinstate(id).expect("a reinstatement");
        world.settings_mut().behaviour.stale_reads = Some(Duration::from_secs(30));
    });
    *probe.overtaken.lock().expect("no test panics here") = before;
    assert_eq!(env.deliver_statuses().await, [503]);
    env.world(|world| world.settings_mut().behaviour.stale_reads = None);
    assert_eq!(env.redeliver().await, [200]);
    assert_eq!(env.count(id, "Reinstated").await, 1);
    env.assert_agrees(id, "reinstated").await;
}

#[tokio::test]
async fn f_wha_7_a_reinstatement_whose_read_is_older_than_the_activation_is_a_5xx_and_then_recovers()
 {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::per_seat("basic", 10));
    env.visit(id).await;
    env.world(|world| {
        world.advance(LONG);
        activate_elsewhere(world, id);
        world.suspend(id).expect("a suspension");
        world.lose_deliveries();
        world.reinstate(id).expect("a reinstatement");
        world.settings_mut().behaviour.stale_reads = Some(LONG);
    });
    assert!(env.deliver_statuses().await[0] >= 500);
    env.world(|world| world.settings_mut().behaviour.stale_reads = None);
    assert_eq!(env.redeliver().await, [200]);
    env.assert_agrees(id, "reinstated").await;
}

#[tokio::test]
async fn f_whs_2_a_reinstatement_that_nothing_confirms_commits_nothing() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    let version = env.record(id).await.expect("a record").version;
    let reinstatement = json!({
        "id": Uuid::from_u128(7), "activityId": Uuid::from_u128(7), "subscriptionId": id,
        "publisherId": "fabrikam", "offerId": "per-seat-1", "planId": "basic", "quantity": 10,
        "action": "Reinstate", "status": "InProgress",
    });
    assert_eq!(env.signed(reinstatement.to_string()).await.status, 200);
    assert_eq!(env.record(id).await.expect("a record").version, version);
}

#[tokio::test]
async fn f_opg_5_a_repeated_reinstatement_without_an_operation_is_a_200() {
    let env = TestEnv::new().await;
    env.world(|world| {
        world.settings_mut().behaviour.keeps_changes_only = true;
        world.settings_mut().behaviour.reinstates_early = true;
    });
    let (id, operation) = env.about_to(&Action::Reinstate).await;
    let body = env.body_of(operation).to_string();
    assert_eq!(env.deliver_statuses().await, [200]);
    assert_eq!(env.signed(body).await.status, 200);
    assert_eq!(env.count(id, "Reinstated").await, 1);
}

#[tokio::test]
async fn f_opg_5_a_reinstatement_of_an_unheard_suspension_waits_for_its_operation() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    env.advance(Duration::from_secs(60));
    // Neither the operation nor Get shows anything of it yet.
    env.fault(Call::GetOperation, FaultKind::Status(404, ErrorForm::Object), Times::Always);
    env.world(|world| {
        world.settings_mut().behaviour.stale_reads = Some(LONG);
        world.suspend(id).expect("a suspension");
        world.lose_deliveries();
        world.reinstate(id).expect("a reinstatement");
    });
    assert_eq!(env.deliver_statuses().await, [503]);
    env.world(|world| {
        world.faults_mut().clear();
        world.settings_mut().behaviour.stale_reads = None;
    });
    assert_eq!(env.redeliver().await, [200]);
    env.assert_agrees(id, "reinstated").await;
}
