//! Reconciliation (F-LC-12, F-LST): Microsoft's state is adopted, whatever was missed.

use std::time::Duration;

use emulator::{Call, EmptyList, ErrorForm, FaultKind, Purchase, Times, World};
use http::Method;
use local::Options;
use reconciliation::Report;
use serde_json::json;
use uuid::Uuid;

use crate::probe::{Probe, corrupt};
use crate::scene::Scene;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn reconciled(scene: &Scene) -> Report {
    scene.stage.reconcile().await.expect("a run")
}

/// Both sides hold the same.
async fn agrees(scene: &Scene, id: Uuid) {
    let microsoft = scene.world(|world| world.subscription(id));
    let record = scene.record(id).await.expect("a record");
    assert_eq!(record.status().as_str(), microsoft.status);
    assert_eq!(record.subscription.plan_id, microsoft.plan_id);
    assert_eq!(record.subscription.quantity, microsoft.quantity.map(u64::from));
}

/// Somebody else than the functions activates.
fn activated_elsewhere(world: &mut World, id: Uuid) {
    let token = world.entra().access_token();
    let path = format!("/saas/subscriptions/{id}/activate?api-version=2018-08-31");
    let request = emulator::ApiRequest::new(Method::POST, &path)
        .with_header("authorization", &format!("Bearer {token}"))
        .with_json(&json!({}));
    let answer = world.marketplace(&request);
    assert_eq!(answer.reply().expect("a reply").status, 200);
}

/// What happens to a subscription while nobody listens.
type Missed = fn(&mut World, Uuid);

#[tokio::test]
async fn t_29_every_missed_webhook_is_made_up_for() {
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
            "a switch nobody is told of (F-OBJ-9)",
            |w, id| {
                w.toggle_auto_renew(id).expect("a switch");
            },
            &["DetailsChanged"],
        ),
    ];
    for (missed, happens, events) in cases {
        let scene = Scene::new().await;
        let id = scene.active(Purchase::per_seat("basic", 10)).await;
        scene.world(|world| {
            happens(world, id);
            world.lose_deliveries();
        });
        scene.advance(2 * MINUTE);
        let report = reconciled(&scene).await;
        assert_eq!(report.repaired, u64::from(!events.is_empty()), "{missed}");
        assert_eq!((report.examined, report.failed), (1, 0), "{missed}");
        agrees(&scene, id).await;
        assert_eq!(scene.event_names(id).await[2..], *events, "{missed}");
        // Once is enough.
        assert_eq!(reconciled(&scene).await.repaired, 0, "{missed}");
        assert_eq!(scene.event_names(id).await[2..], *events, "{missed}");
    }
}

#[tokio::test]
async fn t_29_a_missed_reinstatement_is_made_up_for() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::flat_rate("silver")).await;
    scene.world(|world| world.suspend(id)).expect("a suspension");
    assert_eq!(scene.deliver_statuses().await, [200]);
    scene.advance(DAY);
    scene.world(|world| world.reinstate(id)).expect("a reinstatement");
    scene.world(World::lose_deliveries);
    scene.advance(2 * MINUTE);
    reconciled(&scene).await;
    agrees(&scene, id).await;
    assert_eq!(scene.event_names(id).await, ["Purchased", "Activated", "Suspended", "Reinstated"]);
}

#[tokio::test]
async fn t_29_states_that_were_skipped_are_gone_through_in_order() {
    let cases: [(&str, Missed, &[&str]); 5] = [
        ("Pending to Subscribed", activated_elsewhere, &["Activated"]),
        (
            "Pending to Suspended",
            |w, id| {
                activated_elsewhere(w, id);
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
                activated_elsewhere(w, id);
                w.unsubscribe(id).expect("an end");
            },
            &["Activated", "Unsubscribed"],
        ),
        (
            "Pending to Subscribed on another plan",
            |w, id| {
                activated_elsewhere(w, id);
                w.change_plan(id, "gold").expect("a change");
            },
            &["Activated", "PlanChanged"],
        ),
    ];
    for (skipped, happens, events) in cases {
        let scene = Scene::new().await;
        let id = scene.purchase(Purchase::flat_rate("silver"));
        scene.visit(id).await;
        scene.world(|world| {
            happens(world, id);
            world.lose_deliveries();
        });
        scene.advance(2 * MINUTE);
        assert_eq!(reconciled(&scene).await.failed, 0, "{skipped}");
        agrees(&scene, id).await;
        assert_eq!(scene.event_names(id).await[1..], *events, "{skipped}");
    }
}

#[tokio::test]
async fn t_29_subscriptions_nobody_told_us_of_are_learnt() {
    let scene = Scene::new().await;
    let pending = scene.purchase(Purchase::flat_rate("silver"));
    let auto = scene.purchase(Purchase::flat_rate("auto"));
    let suspended = scene.purchase(Purchase::per_seat("basic", 3).auto_activated());
    let ended = scene.purchase(Purchase::flat_rate("gold"));
    scene.world(|world| {
        world.suspend(suspended).expect("a suspension");
        world.unsubscribe(ended).expect("an end");
        world.lose_deliveries();
    });
    let report = reconciled(&scene).await;
    assert_eq!((report.examined, report.repaired, report.failed), (4, 4, 0));
    for (id, events) in [
        (pending, &["Purchased"][..]),
        (auto, &["Purchased", "Activated"]),
        (suspended, &["Purchased", "Activated", "Suspended"]),
        (ended, &["Purchased", "Unsubscribed"]),
    ] {
        agrees(&scene, id).await;
        assert_eq!(scene.event_names(id).await, events);
    }
}

#[tokio::test]
async fn a_run_over_an_unchanged_publisher_writes_nothing_but_its_checkpoint() {
    let (scene, probe) = Probe::scene(Options::default()).await;
    for seats in 1..=3 {
        scene.active(Purchase::per_seat("basic", seats)).await;
    }
    scene.purchase(Purchase::flat_rate("silver"));
    let suspended = scene.active(Purchase::flat_rate("gold")).await;
    scene.world(|world| world.suspend(suspended)).expect("a suspension");
    let ended = scene.active(Purchase::flat_rate("gold")).await;
    scene.world(|world| world.unsubscribe(ended)).expect("an end");
    scene.deliver_statuses().await;
    scene.advance(2 * MINUTE);
    reconciled(&scene).await;
    let (commits, checkpoints) = probe.written();
    for run in 1..=3 {
        scene.advance(MINUTE);
        let report = reconciled(&scene).await;
        assert_eq!(
            report,
            Report { finished: true, examined: 6, repaired: 0, failed: 0 },
            "every run counts anew"
        );
        assert_eq!(probe.written(), (commits, checkpoints + run));
    }
}

#[tokio::test]
async fn a_publisher_without_subscriptions_is_no_failure() {
    // F-LST-6.
    let scene = Scene::new().await;
    for form in
        [EmptyList::EmptyBody, EmptyList::EmptyObject, EmptyList::NullArray, EmptyList::EmptyArray]
    {
        scene.world(|world| world.settings_mut().behaviour.empty_list = form);
        let report = reconciled(&scene).await;
        assert_eq!(
            report,
            Report { finished: true, examined: 0, repaired: 0, failed: 0 },
            "{form:?}"
        );
    }
}

#[tokio::test]
async fn one_bad_subscription_is_counted_and_stops_nobody_else() {
    let scene = Scene::new().await;
    let before = scene.active(Purchase::flat_rate("silver")).await;
    let bad = scene.active(Purchase::flat_rate("silver")).await;
    let after = scene.active(Purchase::flat_rate("silver")).await;
    corrupt(&scene, bad, "neither a record nor anything else").await;
    for id in [before, bad, after] {
        scene.world(|world| world.suspend(id)).expect("a suspension");
    }
    scene.world(World::lose_deliveries);
    scene.advance(2 * MINUTE);
    let report = reconciled(&scene).await;
    assert_eq!(report, Report { finished: true, examined: 3, repaired: 2, failed: 1 });
    for id in [before, after] {
        agrees(&scene, id).await;
    }
}

#[tokio::test]
async fn entries_of_the_list_that_can_not_be_read_are_counted() {
    let scene = Scene::new().await;
    let page = json!({ "subscriptions": [
        7, null, "text", [], {}, { "id": "not a GUID" }, { "id": Uuid::from_u128(1) },
        { "id": Uuid::from_u128(2), "offerId": "o", "planId": "p",
          "saasSubscriptionStatus": "Subscribed", "term": 5, "beneficiary": "x" },
    ] });
    scene.fault(Call::ListSubscriptions, FaultKind::Garbage(page.to_string()), Times::Once);
    let report = reconciled(&scene).await;
    assert_eq!((report.repaired, report.failed), (1, 7));
    assert_eq!(scene.event_names(Uuid::from_u128(2)).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn a_subscription_microsoft_can_not_tell_more_about_is_counted_and_stops_nobody_else() {
    let scene = Scene::new().await;
    let suspended = scene.active(Purchase::flat_rate("silver")).await;
    let other = scene.active(Purchase::flat_rate("silver")).await;
    scene.world(|world| world.suspend(suspended)).expect("a suspension");
    scene.world(|world| world.renew(other)).expect("a renewal");
    scene.world(World::lose_deliveries);
    scene.advance(2 * MINUTE);
    let broken = FaultKind::Status(500, ErrorForm::Nested);
    scene.fault(Call::ListOperations, broken, Times::Always);
    let report = reconciled(&scene).await;
    assert_eq!((report.examined, report.failed), (2, 1));
    agrees(&scene, suspended).await;
    agrees(&scene, other).await;
}

#[tokio::test]
async fn when_microsoft_or_the_table_is_away_the_run_is_to_be_repeated() {
    let (scene, probe) = Probe::scene(Options::default()).await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    for kind in [
        FaultKind::Status(500, ErrorForm::Html),
        FaultKind::Status(403, ErrorForm::BareString),
        FaultKind::Garbage("<html>".to_owned()),
        FaultKind::DropBefore,
    ] {
        scene.fault(Call::ListSubscriptions, kind.clone(), Times::Always);
        assert!(scene.stage.reconcile().await.is_err(), "{kind:?}");
        scene.world(|world| world.faults_mut().clear());
    }
    probe.is_away.store(true, std::sync::atomic::Ordering::SeqCst);
    assert!(scene.stage.reconcile().await.is_err());
    probe.is_away.store(false, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(reconciled(&scene).await.repaired, 1);
    agrees(&scene, id).await;
}
