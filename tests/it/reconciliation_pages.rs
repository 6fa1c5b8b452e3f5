//! The list that the reconciliation reads: pages, circles, slices and checkpoints (F-LST-4 to 8).

use std::time::Duration;

use emulator::{Call, ErrorForm, Fault, FaultKind, LastLink, Purchase, Settings, Times, World};
use local::Options;
use reconciliation::Report;
use serde_json::json;

use crate::probe::Probe;
use crate::test_env::{TestEnv, go_on_at};

const MINUTE: Duration = Duration::from_secs(60);

async fn reconciled(env: &TestEnv) -> Report {
    env.system.reconcile().await.expect("a run")
}

fn paged(size: usize) -> Settings {
    let mut settings = Settings::default();
    settings.behaviour.page_size = size;
    settings.behaviour.short_pages = true;
    settings
}

#[tokio::test]
async fn t_10_every_short_page_is_read_though_the_links_name_another_host() {
    for last in [LastLink::Absent, LastLink::Empty, LastLink::Null] {
        let env = TestEnv::with(Options { emulator: paged(9), ..Options::default() }).await;
        env.world(|world| world.settings_mut().behaviour.last_link = last);
        let all: Vec<_> = (0..40).map(|_| env.purchase(Purchase::flat_rate("auto"))).collect();
        env.world(World::lose_deliveries);
        let report = reconciled(&env).await;
        // The links name a host that doesn't exist, so following them would fail (F-GEN-8).
        assert_eq!((report.examined, report.repaired, report.failed), (40, 40, 0), "{last:?}");
        for id in all {
            assert_eq!(env.event_names(id).await, ["Purchased", "Activated"], "{last:?}");
        }
        assert!(env.calls(Call::ListSubscriptions) > 40 / 9, "{last:?}");
    }
}

/// A page without subscriptions that names a next one.
fn page_before(token: &str) -> FaultKind {
    let link =
        format!("https://elsewhere.example/api/saas/subscriptions?continuationToken={token}");
    FaultKind::Garbage(json!({ "subscriptions": [], "@nextLink": link }).to_string())
}

#[tokio::test]
async fn t_10_a_circular_list_ends() {
    for length in [1, 2, 3, 7] {
        let env = TestEnv::new().await;
        for page in 0..200 {
            let token = format!("t{}", page % length);
            env.fault(Call::ListSubscriptions, page_before(&token), Times::Once);
        }
        assert!(reconciled(&env).await.finished, "{length}");
        assert!(env.calls(Call::ListSubscriptions) < 100, "{length}");
        env.world(|world| world.faults_mut().clear());
        // The next run starts from the beginning.
        env.purchase(Purchase::flat_rate("silver"));
        assert_eq!(reconciled(&env).await.repaired, 1, "{length}");
    }
}

#[tokio::test]
async fn a_page_whose_link_leads_nowhere_is_dealt_with_before_the_list_begins_anew() {
    // F-LST-4.
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let subscription = json!({
        "id": id, "offerId": "flat-rate-1", "planId": "silver",
        "saasSubscriptionStatus": "PendingFulfillmentStart",
    });
    for link in [json!("later"), json!({ "href": "?page=2" })] {
        let page = json!({ "subscriptions": [subscription], "@nextLink": link }).to_string();
        env.fault(Call::ListSubscriptions, FaultKind::Garbage(page), Times::Once);
        let calls = env.calls(Call::ListSubscriptions);
        assert!(reconciled(&env).await.full_round, "{link}");
        assert_eq!(env.calls(Call::ListSubscriptions), calls + 2, "{link}");
        assert_eq!(env.count(id, "Purchased").await, 1, "{link}");
    }
}

#[tokio::test]
async fn a_slice_ends_with_its_budget_and_the_next_one_continues() {
    let options = Options { emulator: paged(2), ..Options::default() };
    let (env, probe) = Probe::env(options).await;
    let all: Vec<_> = (0..12).map(|_| env.purchase(Purchase::flat_rate("silver"))).collect();
    // A slice has time for more than two pages and for less than ten.
    probe.slow_down(&env, 2 * MINUTE);
    let mut examined = vec![0];
    loop {
        let report = env.system.reconciliation.slice().await.expect("a slice");
        assert!(report.examined > examined[examined.len() - 1], "every slice makes progress");
        examined.push(report.examined);
        let checkpoint = env.system.checkpoints.checkpoint().await.expect("a checkpoint");
        assert_eq!(checkpoint.next.is_none(), report.finished);
        if report.finished {
            assert_eq!((report.repaired, report.failed), (12, 0));
            break;
        }
    }
    assert_eq!(examined.last(), Some(&12), "each subscription is examined once: {examined:?}");
    assert!(examined.len() > 3, "several slices: {examined:?}");
    for id in all {
        assert_eq!(env.event_names(id).await, ["Purchased"]);
    }
}

#[tokio::test]
async fn an_interrupted_run_continues_from_its_last_checkpoint() {
    let options = Options { emulator: paged(2), ..Options::default() };
    let (env, probe) = Probe::env(options).await;
    for _ in 0..12 {
        env.purchase(Purchase::flat_rate("silver"));
    }
    probe.slow_down(&env, 2 * MINUTE);
    let first = env.system.reconciliation.slice().await.expect("a slice");
    env.fault(Call::ListSubscriptions, FaultKind::Status(500, ErrorForm::Nested), Times::Always);
    let broken = env.system.reconciliation.slice().await;
    assert!(broken.is_err(), "the run fails");
    env.world(|world| world.faults_mut().clear());
    let next = env.system.reconciliation.slice().await.expect("a slice");
    assert!(next.examined > first.examined);
    let last = reconciled(&env).await;
    assert_eq!((last.examined, last.repaired), (12, 12), "each subscription once");
}

#[tokio::test]
async fn an_expired_continuation_token_restarts_the_list() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    go_on_at(&env, "long ago").await;
    let report = reconciled(&env).await;
    assert_eq!((report.finished, report.examined, report.repaired), (true, 1, 1));
    assert_eq!(env.event_names(id).await, ["Purchased"]);
}

#[tokio::test]
async fn a_page_that_keeps_failing_restarts_the_list() {
    let env = TestEnv::new().await;
    env.purchase(Purchase::flat_rate("silver"));
    go_on_at(&env, "long ago").await;
    // Four attempts per slice (F-ERR-1), and three slices.
    let kind = FaultKind::Status(500, ErrorForm::Object);
    let fault = Fault { call: Call::ListSubscriptions, kind, times: Times::N(12) };
    env.world(|world| world.faults_mut().add(fault));
    for _ in 0..2 {
        env.system.reconcile().await.expect_err("Microsoft fails there");
    }
    let report = env.system.reconcile().await.expect("the list from its beginning");
    assert_eq!((report.finished, report.examined, report.repaired), (true, 1, 1));
}
