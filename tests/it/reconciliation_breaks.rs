//! A list that breaks off: it begins anew once, and what it does not show is read from the table's side.

use std::time::Duration;

use emulator::{Call, FaultKind, Purchase, Settings, Times};
use local::Options;
use reconciliation::Report;
use serde_json::{Value, json};
use shared::domain::SubscriptionId;
use uuid::Uuid;

use crate::log_lines::Lines;
use crate::test_env::TestEnv;

const MINUTE: Duration = Duration::from_secs(60);

/// Two subscriptions a page.
pub(crate) fn paged() -> Options {
    let mut emulator = Settings::default();
    emulator.behaviour.page_size = 2;
    Options { emulator, ..Options::default() }
}

/// Active subscriptions, the first one the oldest.
pub(crate) async fn active(env: &TestEnv, number: usize) -> Vec<Uuid> {
    let mut ids = Vec::new();
    for _ in 0..number {
        ids.push(env.active(Purchase::flat_rate("silver")).await);
        env.advance(MINUTE);
    }
    ids
}

/// Microsoft suspends these, and its calls are lost.
pub(crate) fn missed(env: &TestEnv, ids: &[Uuid]) {
    env.world(|world| {
        for id in ids {
            world.suspend(*id).expect("a suspension");
        }
        world.lose_deliveries();
    });
    env.advance(2 * MINUTE);
}

pub(crate) fn page_fails(env: &TestEnv, place: usize, status: u16) {
    env.world(|world| {
        world.settings_mut().behaviour.failing_page = Some(place);
        world.settings_mut().behaviour.failing_page_status = status;
        world.clear_calls();
    });
}

/// Slices until the run ends, as the state machine repeats them; and how many of them failed.
async fn run(env: &TestEnv) -> (Report, usize) {
    for failed in 0..20 {
        if let Ok(report) = env.system.reconcile().await {
            return (report, failed);
        }
    }
    panic!("the run never ends");
}

/// The lines with this metric.
fn with_metric(lines: &[Value], metric: &str) -> Vec<Value> {
    lines.iter().filter(|line| line["metric"] == metric).cloned().collect()
}

#[tokio::test]
async fn t_29_behind_a_page_that_always_fails_every_record_is_repaired_in_the_same_run() {
    // A refusal is believed at once. A failure may pass: three slices in a row meet it.
    for (status, failed_slices) in [(400, 0), (404, 0), (500, 4)] {
        let (lines, _guard) = Lines::collect("info");
        let env = TestEnv::with(paged()).await;
        let ids = active(&env, 8).await;
        missed(&env, &ids[1..7]);
        page_fails(&env, 4, status);
        lines.take();
        let (report, failed) = run(&env).await;
        assert_eq!(failed, failed_slices, "{status}");
        assert_eq!((report.repaired, report.unseen), (6, 4), "{status}");
        assert_eq!((report.full_round, report.failed, report.unlisted), (false, 0, 0), "{status}");
        for id in &ids[1..7] {
            env.assert_agrees(*id, &status.to_string()).await;
            assert_eq!(env.count(*id, "Suspended").await, 1, "{status}");
        }
        let written = lines.take();
        assert_eq!(with_metric(&written, "list_restarted").len(), 1, "{status}");
        let ended = with_metric(&written, "list_not_ended");
        assert_eq!(ended.len(), 1, "{status}");
        assert_eq!((&ended[0]["level"], &ended[0]["pages"]), (&"ERROR".into(), &2.into()));
        assert!(ended[0]["class"].is_string() && ended[0]["error"].is_string(), "{}", ended[0]);
        assert_eq!(with_metric(&written, "full_round"), [Value::Null; 0], "{status}");
        // Both times the two pages before it, and the page itself: a refusal is tried once, a failure four
        // times in each of three slices (F-ERR-1).
        let tries = if status == 500 { 2 * 12 } else { 2 };
        let asked = 2 * 2 + tries;
        assert_eq!(env.calls(Call::ListSubscriptions), asked, "{status}");
        let checkpoint = env.system.checkpoints.checkpoint().await.expect("a checkpoint");
        assert_eq!((checkpoint.last_round, checkpoint.is_under_way()), (None, false), "{status}");
    }
}

#[tokio::test]
async fn t_29_a_first_page_that_always_fails_leaves_no_record_unread() {
    for (status, failed_slices) in [(400, 0), (500, 2)] {
        let (lines, _guard) = Lines::collect("info");
        let env = TestEnv::with(paged()).await;
        let ids = active(&env, 3).await;
        missed(&env, &ids);
        page_fails(&env, 0, status);
        lines.take();
        let (report, failed) = run(&env).await;
        assert_eq!(failed, failed_slices, "{status}");
        assert_eq!((report.full_round, report.repaired, report.unseen), (false, 3, 3), "{status}");
        let written = lines.take();
        assert_eq!(with_metric(&written, "list_restarted").len(), 0, "there is nothing before it");
        assert_eq!(with_metric(&written, "list_not_ended").len(), 1, "{status}");
        assert_eq!(env.count(ids[2], "Suspended").await, 1, "{status}");
    }
}

#[tokio::test]
async fn a_list_that_begins_anew_and_ends_is_a_full_round() {
    let env = TestEnv::with(paged()).await;
    let ids = active(&env, 6).await;
    missed(&env, &ids);
    env.world(|world| world.clear_calls());
    // The link to the second page, once.
    let empty = json!({ "subscriptions": [], "@nextLink": "https://elsewhere.example/api/saas/\
        subscriptions?continuationToken=lost" });
    env.fault(Call::ListSubscriptions, FaultKind::Garbage(empty.to_string()), Times::Once);
    let report = env.system.reconcile().await.expect("a run");
    assert_eq!((report.full_round, report.repaired, report.unseen), (true, 6, 0));
    assert_eq!(env.calls(Call::GetSubscription), 6, "each difference is confirmed once");
}

#[tokio::test]
async fn a_link_that_always_leads_nowhere_ends_the_run() {
    let env = TestEnv::with(paged()).await;
    let ids = active(&env, 4).await;
    missed(&env, &ids);
    let listed = json!({ "id": ids[0], "offerId": "flat-rate-1", "planId": "silver",
        "saasSubscriptionStatus": "Suspended" });
    let page = json!({ "subscriptions": [listed], "@nextLink": "later" }).to_string();
    env.fault(Call::ListSubscriptions, FaultKind::Garbage(page), Times::Always);
    let report = env.system.reconcile().await.expect("a run");
    assert_eq!((report.full_round, report.repaired, report.unseen), (false, 4, 3));
    assert_eq!(env.calls(Call::ListSubscriptions), 2, "it begins anew once");
}

#[tokio::test]
async fn f_lst_8_behind_a_list_that_runs_in_a_circle_every_record_is_read() {
    let env = TestEnv::new().await;
    let ids = active(&env, 3).await;
    missed(&env, &ids);
    let link = "https://elsewhere.example/api/saas/subscriptions?continuationToken=t";
    let page = json!({ "subscriptions": [], "@nextLink": link }).to_string();
    env.fault(Call::ListSubscriptions, FaultKind::Garbage(page), Times::Always);
    let report = env.system.reconcile().await.expect("a run");
    assert_eq!((report.finished, report.full_round), (true, false));
    assert_eq!((report.repaired, report.unseen), (3, 3));
}

#[tokio::test]
async fn a_run_without_trouble_notes_nothing() {
    let env = TestEnv::with(paged()).await;
    let ids = active(&env, 5).await;
    assert!(env.system.reconcile().await.expect("a run").full_round);
    let checkpoint = env.system.checkpoints.checkpoint().await.expect("a checkpoint");
    let ids: Vec<_> = ids.into_iter().map(SubscriptionId).collect();
    let list = checkpoint.begun_at.expect("a list began");
    assert!(env.system.checkpoints.compared(&ids, list).await.expect("a read").is_empty());
}
