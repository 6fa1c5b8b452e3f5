//! The reconciliation adopts Microsoft's state after missed webhooks (F-LC-12, F-LST).

use std::time::Duration;

use emulator::{Call, EmptyList, ErrorForm, FaultKind, Purchase, Times, World};
use http::Method;
use local::Options;
use reconciliation::Report;
use serde_json::json;
use uuid::Uuid;

use crate::probe::{Probe, corrupt};
use crate::test_env::TestEnv;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn reconciled(env: &TestEnv) -> Report {
    env.system.reconcile().await.expect("a run")
}

/// A full round over nothing.
fn round() -> Report {
    Report { finished: true, full_round: true, ..Report::default() }
}

/// Asserts that our record equals Microsoft's copy.
async fn assert_agrees(env: &TestEnv, id: Uuid) {
    let microsoft = env.world(|world| world.subscription(id));
    let record = env.record(id).await.expect("a record");
    assert_eq!(record.status().as_str(), microsoft.status);
    assert_eq!(record.subscription.plan_id, microsoft.plan_id);
    assert_eq!(record.subscription.quantity, microsoft.quantity.map(u64::from));
}

/// Activates the subscription without our functions.
pub(crate) fn activate_elsewhere(world: &mut World, id: Uuid) {
    let token = world.entra().access_token();
    let path = format!("/saas/subscriptions/{id}/activate?api-version=2018-08-31");
    let request = emulator::ApiRequest::new(Method::POST, &path)
        .with_header("authorization", &format!("Bearer {token}"))
        .with_json(&json!({}));
    let answer = world.marketplace(&request);
    assert_eq!(answer.reply().expect("a reply").status, 200);
}

/// Changes of a subscription whose webhook calls are lost.
type Missed = fn(&mut World, Uuid);

#[tokio::test]
async fn t_29_every_missed_webhook_is_repaired() {
    let cases: [(&str, Missed, &[&str]); 9] = [
        (
            "ChangePlan",
            |w, id| {
                w.change_plan(id, "team").expect("a change");
            },
            &["PlanChanged"],
        ),
        (
            "ChangeQuantity",
            |w, id| {
                w.change_quantity(id, 30).expect("a change");
            },
            &["QuantityChanged"],
        ),
        (
            "Renew",
            |w, id| {
                w.renew(id).expect("a renewal");
            },
            &["Renewed"],
        ),
        (
            "Suspend",
            |w, id| {
                w.suspend(id).expect("a suspension");
            },
            &["Suspended"],
        ),
        (
            "Unsubscribe",
            |w, id| {
                w.unsubscribe(id).expect("an end");
            },
            &["Unsubscribed"],
        ),
        (
            "ChangePlan and Suspend",
            |w, id| {
                w.change_plan(id, "team").expect("a change");
                w.lose_deliveries();
                w.advance(MINUTE);
                w.suspend(id).expect("a suspension");
            },
            &["PlanChanged", "Suspended"],
        ),
        (
            "ChangePlan, ChangeQuantity, Renew and Unsubscribe",
            |w, id| {
                w.change_plan(id, "team").expect("a change");
                w.lose_deliveries();
                w.advance(MINUTE);
                w.change_quantity(id, 40).expect("a change");
                w.lose_deliveries();
                w.advance(MINUTE);
                w.renew(id).expect("a renewal");
                w.unsubscribe(id).expect("an end");
            },
            &["PlanChanged", "QuantityChanged", "Renewed", "Unsubscribed"],
        ),
        (
            "Suspend and Reinstate",
            |w, id| {
                w.suspend(id).expect("a suspension");
                w.lose_deliveries();
                w.advance(DAY);
                w.reinstate(id).expect("a reinstatement");
            },
            &[],
        ),
        (
            "auto-renewal, which has no webhook (F-OBJ-9)",
            |w, id| {
                w.toggle_auto_renew(id).expect("a switch");
            },
            &["DetailsChanged"],
        ),
    ];
    for (missed, change, events) in cases {
        let env = TestEnv::new().await;
        let id = env.active(Purchase::per_seat("basic", 10)).await;
        env.world(|world| {
            change(world, id);
            world.lose_deliveries();
        });
        env.advance(2 * MINUTE);
        let report = reconciled(&env).await;
        assert_eq!(report.repaired, u64::from(!events.is_empty()), "{missed}");
        assert_eq!((report.examined, report.failed), (1, 0), "{missed}");
        assert_agrees(&env, id).await;
        assert_eq!(env.event_names(id).await[2..], *events, "{missed}");
        // A second run repairs nothing.
        assert_eq!(reconciled(&env).await.repaired, 0, "{missed}");
        assert_eq!(env.event_names(id).await[2..], *events, "{missed}");
    }
}

#[tokio::test]
async fn t_29_a_missed_reinstatement_is_repaired() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    env.world(|world| world.suspend(id)).expect("a suspension");
    assert_eq!(env.deliver_statuses().await, [200]);
    env.advance(DAY);
    env.world(|world| world.reinstate(id)).expect("a reinstatement");
    env.world(World::lose_deliveries);
    env.advance(2 * MINUTE);
    reconciled(&env).await;
    assert_agrees(&env, id).await;
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated", "Suspended", "Reinstated"]);
}

#[tokio::test]
async fn t_29_events_of_skipped_states_are_recorded_in_order() {
    let cases: [(&str, Missed, &[&str]); 5] = [
        ("Pending to Subscribed", activate_elsewhere, &["Activated"]),
        (
            "Pending to Suspended",
            |w, id| {
                activate_elsewhere(w, id);
                w.suspend(id).expect("a suspension");
            },
            &["Activated", "Suspended"],
        ),
        (
            "Pending to Unsubscribed, never active",
            |w, id| {
                w.unsubscribe(id).expect("an end");
            },
            &["Unsubscribed"],
        ),
        (
            "Pending to Unsubscribed, by way of Subscribed",
            |w, id| {
                activate_elsewhere(w, id);
                w.unsubscribe(id).expect("an end");
            },
            &["Activated", "Unsubscribed"],
        ),
        (
            "Pending to Subscribed on another plan",
            |w, id| {
                activate_elsewhere(w, id);
                w.change_plan(id, "gold").expect("a change");
            },
            &["Activated", "PlanChanged"],
        ),
    ];
    for (skipped, change, events) in cases {
        let env = TestEnv::new().await;
        let id = env.purchase(Purchase::flat_rate("silver"));
        env.visit(id).await;
        env.world(|world| {
            change(world, id);
            world.lose_deliveries();
        });
        env.advance(2 * MINUTE);
        assert_eq!(reconciled(&env).await.failed, 0, "{skipped}");
        assert_agrees(&env, id).await;
        assert_eq!(env.event_names(id).await[1..], *events, "{skipped}");
    }
}

#[tokio::test]
async fn t_29_unreported_subscriptions_are_recorded() {
    let env = TestEnv::new().await;
    let pending = env.purchase(Purchase::flat_rate("silver"));
    let auto = env.purchase(Purchase::flat_rate("auto"));
    let suspended = env.purchase(Purchase::per_seat("basic", 3).auto_activated());
    let ended = env.purchase(Purchase::flat_rate("gold"));
    env.world(|world| {
        world.suspend(suspended).expect("a suspension");
        world.unsubscribe(ended).expect("an end");
        world.lose_deliveries();
    });
    let report = reconciled(&env).await;
    assert_eq!((report.examined, report.repaired, report.failed), (4, 4, 0));
    for (id, events) in [
        (pending, &["Purchased"][..]),
        (auto, &["Purchased", "Activated"]),
        (suspended, &["Purchased", "Activated", "Suspended"]),
        (ended, &["Purchased", "Unsubscribed"]),
    ] {
        assert_agrees(&env, id).await;
        assert_eq!(env.event_names(id).await, events);
    }
}

#[tokio::test]
async fn a_run_without_changes_writes_only_its_checkpoint() {
    let (env, probe) = Probe::env(Options::default()).await;
    for seats in 1..=3 {
        env.active(Purchase::per_seat("basic", seats)).await;
    }
    env.purchase(Purchase::flat_rate("silver"));
    let suspended = env.active(Purchase::flat_rate("gold")).await;
    env.world(|world| world.suspend(suspended)).expect("a suspension");
    let ended = env.active(Purchase::flat_rate("gold")).await;
    env.world(|world| world.unsubscribe(ended)).expect("an end");
    env.deliver_statuses().await;
    env.advance(2 * MINUTE);
    reconciled(&env).await;
    let (commits, checkpoints) = probe.written();
    for run in 1..=3 {
        env.advance(MINUTE);
        let report = reconciled(&env).await;
        assert_eq!(report, Report { examined: 6, ..round() }, "each run counts from zero");
        assert_eq!(probe.written(), (commits, checkpoints + run));
    }
}

#[tokio::test]
async fn an_empty_list_of_subscriptions_is_no_failure() {
    // F-LST-6.
    let env = TestEnv::new().await;
    for form in
        [EmptyList::EmptyBody, EmptyList::EmptyObject, EmptyList::NullArray, EmptyList::EmptyArray]
    {
        env.world(|world| world.settings_mut().behaviour.empty_list = form);
        let report = reconciled(&env).await;
        assert_eq!(report, round(), "{form:?}");
    }
}

#[tokio::test]
async fn one_corrupt_record_is_counted_and_stops_no_other() {
    let env = TestEnv::new().await;
    let before = env.active(Purchase::flat_rate("silver")).await;
    let bad = env.active(Purchase::flat_rate("silver")).await;
    let after = env.active(Purchase::flat_rate("silver")).await;
    corrupt(&env, bad, "neither a record nor anything else").await;
    for id in [before, bad, after] {
        env.world(|world| world.suspend(id)).expect("a suspension");
    }
    env.world(World::lose_deliveries);
    env.advance(2 * MINUTE);
    let report = reconciled(&env).await;
    assert_eq!(report, Report { examined: 3, repaired: 2, failed: 1, ..round() });
    for id in [before, after] {
        assert_agrees(&env, id).await;
    }
}

#[tokio::test]
async fn unreadable_list_entries_are_counted() {
    let env = TestEnv::new().await;
    let page = json!({ "subscriptions": [
        7, null, "text", [], {}, { "id": "not a GUID" }, { "id": Uuid::from_u128(1) },
        { "id": Uuid::from_u128(2), "offerId": "o", "planId": "p",
          "saasSubscriptionStatus": "Subscribed", "term": 5, "beneficiary": "x" },
    ] });
    env.fault(Call::ListSubscriptions, FaultKind::Garbage(page.to_string()), Times::Once);
    let report = reconciled(&env).await;
    assert_eq!((report.repaired, report.failed), (1, 7));
    assert_eq!(env.event_names(Uuid::from_u128(2)).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn a_subscription_whose_operations_fail_is_counted_and_stops_no_other() {
    let env = TestEnv::new().await;
    let suspended = env.active(Purchase::flat_rate("silver")).await;
    let other = env.active(Purchase::flat_rate("silver")).await;
    env.world(|world| world.suspend(suspended)).expect("a suspension");
    env.world(|world| world.renew(other)).expect("a renewal");
    env.world(World::lose_deliveries);
    env.advance(2 * MINUTE);
    let broken = FaultKind::Status(500, ErrorForm::Nested);
    env.fault(Call::ListOperations, broken, Times::Always);
    let report = reconciled(&env).await;
    assert_eq!((report.examined, report.failed), (2, 1));
    assert_agrees(&env, suspended).await;
    assert_agrees(&env, other).await;
}

#[tokio::test]
async fn a_run_fails_while_microsoft_or_the_table_is_down() {
    let (env, probe) = Probe::env(Options::default()).await;
    for kind in [
        FaultKind::Status(500, ErrorForm::Html),
        FaultKind::Status(403, ErrorForm::BareString),
        FaultKind::Garbage("<html>".to_owned()),
        FaultKind::DropBefore,
    ] {
        env.fault(Call::ListSubscriptions, kind.clone(), Times::Always);
        assert!(env.system.reconcile().await.is_err(), "{kind:?}");
        env.world(|world| world.faults_mut().clear());
        assert!(reconciled(&env).await.full_round, "{kind:?}");
    }
    let id = env.purchase(Purchase::flat_rate("silver"));
    probe.is_down.store(true, std::sync::atomic::Ordering::SeqCst);
    assert!(env.system.reconcile().await.is_err());
    probe.is_down.store(false, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(reconciled(&env).await.repaired, 1);
    assert_agrees(&env, id).await;
}
