//! The summary of each slice of the reconciliation.

use std::time::Duration;

use emulator::{Call, ErrorForm, FaultKind, Purchase, Settings, Times};
use local::Options;
use serde_json::{Value, json};

use crate::log_lines::Lines;
use crate::probe::Probe;
use crate::test_env::TestEnv;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The last summary of a slice.
fn summary(lines: &Lines) -> Value {
    let text = lines.text();
    let mut lines = text.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    lines.rfind(|line: &Value| line["examined"].is_u64()).expect("a slice ended")
}

fn is_about(value: &Value, expected: Duration) -> bool {
    value.as_u64().is_some_and(|seconds| seconds.abs_diff(expected.as_secs()) < 60)
}

#[tokio::test]
async fn a_failing_list_shows_how_long_ago_every_subscription_was_compared() {
    let (lines, _guard) = Lines::collect("info");
    let env = TestEnv::new().await;
    env.active(Purchase::flat_rate("silver")).await;
    env.advance(10 * MINUTE);
    env.system.reconcile().await.expect("a run");
    let well = summary(&lines);
    assert_eq!((&well["level"], &well["finished"]), (&"INFO".into(), &true.into()), "{well}");
    assert_eq!((&well["examined"], &well["left"]), (&1.into(), &0.into()), "{well}");
    assert_eq!(well.get("not_examined"), None, "{well}");
    assert!(is_about(&well["oldest_comparison_seconds"], Duration::ZERO), "{well}");
    let ended = well["last_full_round"].as_str().expect("a time").to_owned();

    env.fault(Call::ListSubscriptions, FaultKind::Status(500, ErrorForm::Nested), Times::Always);
    env.advance(DAY);
    env.system.reconcile().await.expect_err("the list fails");
    let failed = summary(&lines);
    assert_eq!(
        (&failed["level"], &failed["finished"]),
        (&"WARN".into(), &false.into()),
        "{failed}"
    );
    let reason = failed["not_examined"].as_str().expect("a reason");
    assert!(reason.starts_with("the slice failed: "), "{reason}");
    assert!(is_about(&failed["oldest_comparison_seconds"], DAY), "{failed}");
    assert_eq!(failed["last_full_round"], ended, "{failed}");
    assert_eq!(failed.get("metric"), None, "{failed}");
}

#[tokio::test]
async fn a_slice_whose_time_is_over_says_so_and_is_no_full_round() {
    let (lines, _guard) = Lines::collect("info");
    let mut emulator = Settings::default();
    emulator.behaviour.page_size = 2;
    let (env, probe) = Probe::env(Options { emulator, ..Options::default() }).await;
    for _ in 0..12 {
        env.purchase(Purchase::flat_rate("silver"));
    }
    probe.slow_down(&env, 2 * MINUTE);
    env.system.reconciliation.slice().await.expect("a slice");
    let first = summary(&lines);
    let reason = first["not_examined"].as_str().expect("a reason");
    assert!(reason.starts_with("the slice's time was over"), "{reason}");
    assert_eq!(first["finished"], false, "{first}");
    let oldest = first["oldest_comparison_seconds"].as_u64().expect("an age");
    assert!(oldest > 2 * MINUTE.as_secs(), "since the first run began: {first}");
    for absent in ["metric", "last_full_round"] {
        assert_eq!(first.get(absent), None, "no round has ended yet: {first}");
    }
    env.system.reconcile().await.expect("a run");
    let last = summary(&lines);
    assert_eq!((&last["metric"], &last["examined"]), (&"full_round".into(), &12.into()), "{last}");
    let oldest = last["oldest_comparison_seconds"].as_u64().expect("an age");
    assert!(oldest > 10 * MINUTE.as_secs(), "since the round began, several slices ago: {last}");
}

#[tokio::test]
async fn a_list_that_runs_in_a_circle_ends_the_run_and_is_no_full_round() {
    let (lines, _guard) = Lines::collect("info");
    let env = TestEnv::new().await;
    let link = "https://elsewhere.example/api/saas/subscriptions?continuationToken=t";
    let page = json!({ "subscriptions": [], "@nextLink": link }).to_string();
    env.fault(Call::ListSubscriptions, FaultKind::Garbage(page), Times::N(100));
    assert!(env.system.reconcile().await.expect("a run").finished);
    let line = summary(&lines);
    let reason = line["not_examined"].as_str().expect("a reason");
    assert!(reason.starts_with("the list could not be read to its end"), "{reason}");
    assert_eq!((&line["level"], &line["finished"]), (&"WARN".into(), &false.into()), "{line}");
    assert_eq!((line.get("metric"), line.get("last_full_round")), (None, None), "{line}");
}

#[tokio::test]
async fn a_difference_that_may_be_a_late_read_is_counted_as_left() {
    let (lines, _guard) = Lines::collect("info");
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    env.system.reconcile().await.expect("a run");
    env.world(|world| world.suspend(id)).expect("a suspension");
    env.deliver_statuses().await;
    // Microsoft's copy falls back to what it was before the call.
    let former = json!({ "id": id, "saasSubscriptionStatus": "Subscribed", "offerId": "flat-rate-1",
        "planId": "silver" });
    let page = json!({ "subscriptions": [former] }).to_string();
    env.fault(Call::ListSubscriptions, FaultKind::Garbage(page), Times::Once);
    env.system.reconcile().await.expect("a run");
    let line = summary(&lines);
    assert_eq!(
        (&line["repaired"], &line["left"], &line["failed"]),
        (&0.into(), &1.into(), &0.into()),
        "{line}"
    );
    assert_eq!(line["level"], "WARN", "{line}");
}
