//! The reconciliation: what its runs found, and starting, pausing and resuming it.

use emulator::{Purchase, World};
use local::test_env::TestEnv;
use serde_json::json;
use uuid::Uuid;

use crate::test_env::Saasctl as _;

const POLL: [&str; 2] = ["--poll", "0.01"];

/// A subscription whose seats Microsoft has changed without a call.
async fn drifted() -> (TestEnv, Uuid) {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    env.advance(std::time::Duration::from_secs(3600));
    env.world(|world| world.change_quantity(id, 12)).expect("a change");
    env.world(World::lose_deliveries);
    env.advance(std::time::Duration::from_secs(60));
    (env, id)
}

#[tokio::test]
async fn drift_shows_what_differed_and_a_dry_run_what_differs() {
    let (env, id) = drifted().await;
    let nothing = env.run(&["drift"]).await.done();
    assert!(nothing.contains("Last full round") && nothing.contains("none yet"), "{nothing}");

    let dry = env.run(&[&["drift", "--dry-run"][..], &POLL].concat()).await;
    let (report, progress) = (dry.stdout.clone(), dry.stderr.clone());
    dry.done();
    assert!(progress.contains("started dry-run-"), "{progress}");
    for said in [&format!("{id}  would be repaired"), "quantity 10 → 12", "1 would be repaired"] {
        assert!(report.contains(said), "{said}: {report}");
    }
    assert_eq!(env.recorded(id).await.subscription.quantity, Some(10), "it repaired nothing");

    env.advance(std::time::Duration::from_secs(60));
    env.system.reconcile().await.expect("a run");
    let shown = env.run(&["drift"]).await.done();
    for said in [&format!("{id}  repaired"), "quantity 10 → 12", "Dry run of", "Run of"] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    let one = env.run(&["--json", "drift", "--limit", "1"]).await.json();
    assert_eq!(one["runs"].as_array().map(Vec::len), Some(1));
    assert!(one["next"].is_string());
}

#[tokio::test]
async fn a_run_is_started_now_and_waited_for() {
    let (env, id) = drifted().await;
    let run = env.run(&[&["--json", "reconcile", "--wait"][..], &POLL].concat()).await.json();
    assert_eq!(run["differences"][0]["subscriptionId"], id.to_string());
    assert_eq!(env.recorded(id).await.subscription.quantity, Some(12));
    env.advance(std::time::Duration::from_secs(60));
    let quiet = env.run(&[&["reconcile", "--wait"][..], &POLL].concat()).await.done();
    assert_eq!(quiet, "Nothing differed.\n");
    let started = env.run(&["reconcile", "--key", "a"]).await.done();
    assert!(started.starts_with("Started the run run-"), "{started}");
    assert_eq!(env.run(&["reconcile", "--key", "a"]).await.done(), started);
}

#[tokio::test]
async fn a_wait_whose_time_is_over_leaves_the_run_alone() {
    let (env, _) = drifted().await;
    // The page never comes, so no run ever ends.
    let page = emulator::FaultKind::Garbage("{".to_owned());
    env.fault(emulator::Call::ListSubscriptions, page, emulator::Times::Always);
    let late = ["reconcile", "--wait", "--timeout", "0", "--poll", "0"];
    let failed = env.run(&late).await.failed(5, "run_under_way");
    assert!(failed.contains("saasctl drift"), "{failed}");
}

#[tokio::test]
async fn a_pause_is_shown_with_its_note_and_refuses_a_run() {
    let env = TestEnv::new().await;

    assert_eq!(env.run(&["pause-runs"]).await.code, 2, "it needs a note");
    env.run(&["pause-runs", "--note", " "]).await.failed(1, "malformed_request");
    let paused = env.run(&["pause-runs", "--note", "Microsoft repairs its list"]).await;
    assert_eq!(paused.done(), "The reconciliation is paused.\n");
    let shown = env.run(&["drift"]).await.done();
    assert!(shown.contains("Paused") && shown.contains("Microsoft repairs its list"), "{shown}");
    let refused = env.run(&["reconcile"]).await.failed(1, "reconciliation_paused");
    assert!(refused.contains("saasctl resume-runs"), "{refused}");
    let resumed = env.run(&["--json", "resume-runs"]).await.json();
    assert_eq!(resumed, json!({ "pause": null }));
    env.run(&["reconcile"]).await.done();
}
