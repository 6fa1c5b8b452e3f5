//! The list the reconciliation goes through: pages, circles, slices and checkpoints (F-LST-4 to 8).

use std::time::Duration;

use emulator::{Call, ErrorForm, Fault, FaultKind, LastLink, Purchase, Settings, Times, World};
use local::Options;
use reconciliation::Report;
use serde_json::json;
use shared::store::Checkpoint;

use crate::probe::Probe;
use crate::scene::Scene;

const MINUTE: Duration = Duration::from_secs(60);

async fn reconciled(scene: &Scene) -> Report {
    scene.stage.reconcile().await.expect("a run")
}

fn paged(size: usize) -> Settings {
    let mut settings = Settings::default();
    settings.behaviour.page_size = size;
    settings.behaviour.short_pages = true;
    settings
}

#[tokio::test]
async fn t_10_every_page_is_read_whatever_host_the_links_name_and_however_short_it_is() {
    for last in [LastLink::Absent, LastLink::Empty, LastLink::Null] {
        let scene = Scene::with(Options { emulator: paged(9), ..Options::default() }).await;
        scene.world(|world| world.settings_mut().behaviour.last_link = last);
        let all: Vec<_> = (0..40).map(|_| scene.purchase(Purchase::flat_rate("auto"))).collect();
        scene.world(World::lose_deliveries);
        let report = reconciled(&scene).await;
        // The links name a host that doesn't exist: whoever follows them gets nowhere (F-GEN-8).
        assert_eq!((report.examined, report.repaired, report.failed), (40, 40, 0), "{last:?}");
        for id in all {
            assert_eq!(scene.event_names(id).await, ["Purchased", "Activated"], "{last:?}");
        }
        assert!(scene.calls(Call::ListSubscriptions) > 40 / 9, "{last:?}");
    }
}

/// A page without subscriptions that names a next one.
fn page_before(token: &str) -> FaultKind {
    let link =
        format!("https://elsewhere.example/api/saas/subscriptions?continuationToken={token}");
    FaultKind::Garbage(json!({ "subscriptions": [], "@nextLink": link }).to_string())
}

#[tokio::test]
async fn t_10_a_list_that_runs_in_a_circle_ends() {
    for length in [1, 2, 3, 7] {
        let scene = Scene::new().await;
        for page in 0..200 {
            let token = format!("t{}", page % length);
            scene.fault(Call::ListSubscriptions, page_before(&token), Times::Once);
        }
        assert!(reconciled(&scene).await.finished, "{length}");
        assert!(scene.calls(Call::ListSubscriptions) < 100, "{length}");
        scene.world(|world| world.faults_mut().clear());
        // The next run begins anew.
        scene.purchase(Purchase::flat_rate("silver"));
        assert_eq!(reconciled(&scene).await.repaired, 1, "{length}");
    }
}

#[tokio::test]
async fn a_slice_ends_with_its_budget_and_the_next_one_goes_on_where_it_ended() {
    let options = Options { emulator: paged(2), ..Options::default() };
    let (scene, probe) = Probe::scene(options).await;
    let all: Vec<_> = (0..12).map(|_| scene.purchase(Purchase::flat_rate("silver"))).collect();
    // Longer than two pages may take, shorter than ten.
    probe.slow_down(&scene, 2 * MINUTE);
    let mut examined = vec![0];
    loop {
        let report = scene.stage.reconciliation.slice().await.expect("a slice");
        assert!(report.examined > examined[examined.len() - 1], "every slice comes further");
        examined.push(report.examined);
        let checkpoint = scene.stage.checkpoints.checkpoint().await.expect("a checkpoint");
        assert_eq!(checkpoint.next.is_none(), report.finished);
        if report.finished {
            assert_eq!((report.repaired, report.failed), (12, 0));
            break;
        }
    }
    assert_eq!(examined.last(), Some(&12), "nothing is examined twice: {examined:?}");
    assert!(examined.len() > 3, "in several slices: {examined:?}");
    for id in all {
        assert_eq!(scene.event_names(id).await, ["Purchased"]);
    }
}

#[tokio::test]
async fn a_run_that_breaks_off_goes_on_from_its_last_checkpoint() {
    let options = Options { emulator: paged(2), ..Options::default() };
    let (scene, probe) = Probe::scene(options).await;
    for _ in 0..12 {
        scene.purchase(Purchase::flat_rate("silver"));
    }
    probe.slow_down(&scene, 2 * MINUTE);
    let first = scene.stage.reconciliation.slice().await.expect("a slice");
    scene.fault(Call::ListSubscriptions, FaultKind::Status(500, ErrorForm::Nested), Times::Always);
    let broken = scene.stage.reconciliation.slice().await;
    assert!(broken.is_err(), "it is to be repeated");
    scene.world(|world| world.faults_mut().clear());
    let next = scene.stage.reconciliation.slice().await.expect("a slice");
    assert!(next.examined > first.examined);
    let last = reconciled(&scene).await;
    assert_eq!((last.examined, last.repaired), (12, 12), "nothing twice, nothing left out");
}

#[tokio::test]
async fn a_continuation_token_that_is_no_longer_taken_begins_the_list_anew() {
    let scene = Scene::new().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let stale = Checkpoint { next: Some("long ago".to_owned()), pages: 4, ..Checkpoint::default() };
    scene.stage.checkpoints.save_checkpoint(&stale).await.expect("a checkpoint");
    let report = reconciled(&scene).await;
    assert_eq!((report.finished, report.examined, report.repaired), (true, 1, 1));
    assert_eq!(scene.event_names(id).await, ["Purchased"]);
}

#[tokio::test]
async fn a_place_in_the_list_that_fails_again_and_again_is_given_up() {
    let scene = Scene::new().await;
    scene.purchase(Purchase::flat_rate("silver"));
    let stuck = Checkpoint { next: Some("long ago".to_owned()), pages: 4, ..Checkpoint::default() };
    scene.stage.checkpoints.save_checkpoint(&stuck).await.expect("a checkpoint");
    // Four tries a slice (F-ERR-1), and three slices.
    let kind = FaultKind::Status(500, ErrorForm::Object);
    let fault = Fault { call: Call::ListSubscriptions, kind, times: Times::N(12) };
    scene.world(|world| world.faults_mut().add(fault));
    for _ in 0..2 {
        scene.stage.reconcile().await.expect_err("Microsoft fails there");
    }
    let report = scene.stage.reconcile().await.expect("the list from its beginning");
    assert_eq!((report.finished, report.examined, report.repaired), (true, 1, 1));
}
