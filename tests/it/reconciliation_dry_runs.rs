//! A dry run says what a run would do, and changes nothing.

use std::time::Duration;

use emulator::{Call, Purchase, Settings};
use local::Options;
use reconciliation::Report;
use serde_json::{Value, json};
use shared::store::{Checkpoint, Run};
use uuid::Uuid;

use crate::log_lines::Lines;
use crate::probe::Probe;
use crate::test_env::TestEnv;

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn runs(env: &TestEnv) -> Vec<Run> {
    env.system.runs.runs(100, None).await.expect("a page").items
}

/// The differences of a run by subscription.
fn differences(run: &Run) -> Vec<Value> {
    let mut differences: Vec<Value> =
        run.findings.differences.iter().map(|found| json!(found)).collect();
    differences.sort_by_key(|found| found["subscriptionId"].to_string());
    differences
}

/// Every kind of work that a run does: a missed change, an unknown purchase, an activation that was begun,
/// a missed operation, an operation that ended, and a deadline.
async fn work() -> (TestEnv, std::sync::Arc<Probe>, [Uuid; 5]) {
    let mut emulator = Settings::default();
    emulator.behaviour.acknowledgement_window = 40 * DAY;
    let (env, probe) = Probe::env(Options { emulator, ..Options::default() }).await;
    let lapsing = env.purchase(Purchase::flat_rate("silver"));
    env.visit(lapsing).await;
    env.advance(24 * DAY);
    let renamed = env.active(Purchase::flat_rate("silver")).await;
    let reinstated = env.active(Purchase::flat_rate("silver")).await;
    env.world(|world| world.suspend(reinstated)).expect("a suspension");
    assert_eq!(env.deliver_statuses().await, [200]);
    let begun = env.purchase(Purchase::flat_rate("silver"));
    env.visit(begun).await;
    env.world(|world| world.settings_mut().behaviour.activation_delay = 40 * DAY);
    assert_eq!(env.activate(begun).await.status, 202);
    env.advance(HOUR);
    env.world(|world| {
        world.suspend(renamed).expect("a suspension");
        world.reinstate(reinstated).expect("a reinstatement");
    });
    let unknown = env.purchase(Purchase::flat_rate("silver"));
    env.world(|world| world.lose_deliveries());
    env.advance(Duration::from_secs(120));
    (env, probe, [lapsing, renamed, reinstated, begun, unknown])
}

#[tokio::test]
async fn a_dry_run_says_what_a_run_then_does() {
    let (env, probe, ids) = work().await;
    let checkpoint = env.system.checkpoints.checkpoint().await.expect("a read");
    let mut before = Vec::new();
    for id in ids {
        before.push((env.record(id).await, env.event_names(id).await));
    }
    let written = probe.written();
    let (lines, guard) = Lines::collect("info");
    let dry = env.system.dry_run().await.expect("a dry run");
    let said = lines.take();
    drop(guard);
    assert_eq!(probe.written(), written, "no record and no checkpoint of the run");
    let calls = [Call::UpdateOperation, Call::Activate].map(|call| env.calls(call));
    assert_eq!(calls, [0, 3], "nothing is answered or activated");
    let mut after = Vec::new();
    for id in ids {
        after.push((env.record(id).await, env.event_names(id).await));
    }
    assert_eq!(after, before);
    assert_eq!(env.system.checkpoints.checkpoint().await.expect("a read"), checkpoint);
    for line in &said {
        for counted in ["drift", "full_round", "activation_deadline"] {
            assert_ne!(line["metric"], counted, "a dry run counts for nothing: {line}");
        }
        assert_eq!(line.get("metrics"), None, "{line}");
    }
    let [dry_run] = &runs(&env).await[..] else { panic!("one run") };
    assert!(dry_run.dry_run);
    assert_eq!((dry_run.repaired, dry_run.examined), (5, 5), "{dry_run:?}");

    let report = env.system.reconcile().await.expect("a run");
    // A dry run finds what is due at its page of the list.
    assert_eq!(Report { due: 0, ..report }, dry);
    let all = runs(&env).await;
    let run = all.iter().find(|run| !run.dry_run).expect("a run");
    assert_eq!(differences(run), differences(dry_run));
    env.advance(Duration::from_secs(1));
    assert_eq!(env.system.dry_run().await.expect("a dry run").repaired, 0);
    let all = runs(&env).await;
    assert_eq!(all.len(), 3, "a dry run is recorded also if nothing differs: {all:?}");
}

#[tokio::test]
async fn the_event_asks_for_a_dry_run_and_that_of_the_schedule_does_not() {
    let scheduled: Value =
        serde_json::from_str(include_str!("../../events/reconciliation/scheduled.json"))
            .expect("JSON");
    for (event, is_dry) in [
        (json!({ "dryRun": true }), true),
        (json!({ "dryRun": false }), false),
        (json!({}), false),
        (json!(null), false),
        (scheduled, false),
    ] {
        let env = TestEnv::new().await;
        let id = env.purchase(Purchase::flat_rate("silver"));
        let report = env.system.reconciliation.invoke(&event).await.expect("a slice");
        assert_eq!(report.repaired, 1, "{event}");
        assert_eq!(env.record(id).await.is_none(), is_dry, "{event}");
    }
}

#[tokio::test]
async fn a_dry_run_goes_on_while_the_run_is_paused_and_disturbs_none_that_is_cut_off() {
    let mut emulator = Settings::default();
    emulator.behaviour.page_size = 2;
    let (env, probe) = Probe::env(Options { emulator, ..Options::default() }).await;
    for _ in 0..8 {
        env.purchase(Purchase::flat_rate("silver"));
    }
    probe.slow_down(&env, Duration::from_secs(120));
    assert!(!env.system.reconciliation.slice().await.expect("a slice").finished);
    let cut_off = env.system.checkpoints.checkpoint().await.expect("a read");
    let note = json!({ "note": "for a test" }).to_string();
    env.send(env.http.post(env.url("/reconciliations/pause")).body(note)).await;
    let dry = env.system.dry_run().await.expect("a dry run");
    assert_eq!(dry.examined, 8);
    assert_eq!(env.system.checkpoints.checkpoint().await.expect("a read"), cut_off);
    env.send(env.http.post(env.url("/reconciliations/resume"))).await;
    let report = env.system.reconcile().await.expect("a run");
    assert_eq!((report.examined, report.repaired), (8, 8));
}

#[tokio::test]
async fn a_dry_run_that_was_cut_off_is_continued_for_a_day_and_then_begun_anew() {
    let mut emulator = Settings::default();
    emulator.behaviour.page_size = 2;
    let (env, probe) = Probe::env(Options { emulator, ..Options::default() }).await;
    for _ in 0..8 {
        env.purchase(Purchase::flat_rate("silver"));
    }
    probe.slow_down(&env, Duration::from_secs(120));
    let begun = async || -> Checkpoint { env.system.runs.dry_run().await.expect("a read") };
    assert!(!env.system.reconciliation.dry_slice().await.expect("a slice").finished);
    let first = begun().await.begun_at;
    env.advance(HOUR);
    env.system.reconciliation.dry_slice().await.expect("a slice");
    assert_eq!(begun().await.begun_at, first);
    env.advance(25 * HOUR);
    env.system.reconciliation.dry_slice().await.expect("a slice");
    assert_ne!(begun().await.begun_at, first);
}
