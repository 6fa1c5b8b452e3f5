//! The runs of the reconciliation as records: what each one found and did, and quiet runs.

use std::time::Duration;

use emulator::{Call, ErrorForm, FaultKind, Purchase, Settings, Times, World};
use local::Options;
use reconciliation::Report;
use serde_json::{Value, json};
use shared::store::{Checkpoint, Difference, Outcome, QuietRuns, Run, RunEnd};
use uuid::Uuid;

use crate::log_lines::Lines;
use crate::probe::{Probe, corrupt};
use crate::test_env::TestEnv;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

async fn reconcile(env: &TestEnv) -> Report {
    env.system.reconcile().await.expect("a run")
}

/// The runs that are recorded, the latest first.
async fn runs(env: &TestEnv) -> Vec<Run> {
    env.system.runs.runs(100, None).await.expect("a page").items
}

async fn checkpoint(env: &TestEnv) -> Checkpoint {
    env.system.checkpoints.checkpoint().await.expect("a read")
}

fn difference(run: &Run, id: Uuid) -> &Difference {
    let found = run.findings.differences.iter().find(|found| found.subscription_id.0 == id);
    found.unwrap_or_else(|| panic!("{id} is not in {run:?}"))
}

#[tokio::test]
async fn a_run_without_differences_leaves_no_record_and_is_counted() {
    let env = TestEnv::new().await;
    env.active(Purchase::flat_rate("silver")).await;
    let begun = env.system.clock.now();
    for _ in 0..3 {
        reconcile(&env).await;
        env.advance(HOUR);
    }
    assert_eq!(runs(&env).await, []);
    let quiet = checkpoint(&env).await.quiet_runs.expect("quiet runs");
    assert_eq!(quiet.count, 3);
    assert!(quiet.since.duration_since(begun).as_secs() < 60, "{quiet:?}");
    let last = quiet.last_ended_at.duration_since(begun).as_secs();
    assert!(last.abs_diff(2 * 60 * 60) < 60, "{quiet:?}");

    let missed = env.purchase(Purchase::flat_rate("silver"));
    reconcile(&env).await;
    let [run] = &runs(&env).await[..] else { panic!("one run") };
    assert_eq!(difference(run, missed).outcome, Outcome::Repaired);
    assert_eq!(checkpoint(&env).await.quiet_runs, None, "they came before that run");
    reconcile(&env).await;
    let quiet = checkpoint(&env).await.quiet_runs;
    assert!(matches!(quiet, Some(QuietRuns { count: 1, .. })), "{quiet:?}");
    assert_eq!(runs(&env).await.len(), 1);
}

#[tokio::test]
async fn a_repair_is_recorded_with_what_differed_and_since_when() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    let since = env.record(id).await.expect("a record").updated_at;
    env.advance(HOUR);
    env.world(|world| {
        world.change_quantity(id, 12).expect("a change");
        world.rename(id, "Adele Vance's own").expect("a name");
        world.lose_deliveries();
    });
    env.advance(MINUTE);
    reconcile(&env).await;
    let [run] = &runs(&env).await[..] else { panic!("one run") };
    assert_eq!((run.examined, run.repaired, run.left, run.failed), (1, 1, 0, 0));
    assert_eq!((run.end, run.dry_run), (RunEnd::List, false));
    assert!(run.begun_at <= run.ended_at);
    let expected = json!({
        "subscriptionId": id, "since": since, "outcome": "repaired", "actions": ["recordUpdated"],
        "changes": [{ "field": "quantity", "from": 10, "to": 12 }, { "field": "name" }],
    });
    assert_eq!(json!(difference(run, id)), expected);
    assert!(!json!(run).to_string().contains("Adele"), "a name may be a person's");
}

#[tokio::test]
async fn what_was_left_and_what_failed_is_counted_by_its_reason() {
    let (env, probe) = Probe::env(Options::default()).await;
    let [broken, unread] = [env.active(Purchase::flat_rate("silver")).await, {
        env.active(Purchase::flat_rate("gold")).await
    }];
    corrupt(&env, broken, "nonsense").await;
    env.advance(HOUR);
    env.world(|world| {
        world.suspend(unread).expect("a suspension");
        world.lose_deliveries();
    });
    env.fault(Call::GetSubscription, FaultKind::Status(500, ErrorForm::Nested), Times::Always);
    reconcile(&env).await;
    let [run] = &runs(&env).await[..] else { panic!("one run") };
    assert_eq!((run.examined, run.failed), (2, 2));
    let classes = json!({ "microsoft_unavailable": 1, "table": 1 });
    assert_eq!(json!(run.findings.failed_by_class), classes);
    let failed = difference(run, unread);
    assert_eq!(failed.outcome, Outcome::Failed);
    assert_eq!(failed.reason.as_deref(), Some("microsoft_unavailable"));
    assert!(failed.since.is_some() && difference(run, broken).since.is_none());

    // The time of the slice is over before its first difference is read.
    env.world(|world| world.faults_mut().clear());
    probe.slow_down(&env, 10 * MINUTE);
    env.advance(HOUR);
    reconcile(&env).await;
    let latest = &runs(&env).await[0];
    assert_eq!(json!(latest.findings.left_by_reason), json!({ "time": 1 }));
    let left = difference(latest, unread);
    assert_eq!((left.outcome, left.reason.as_deref()), (Outcome::Left, Some("time")));
}

#[tokio::test]
async fn the_differences_of_all_slices_are_in_one_record() {
    let mut emulator = Settings::default();
    emulator.behaviour.page_size = 2;
    let (env, probe) = Probe::env(Options { emulator, ..Options::default() }).await;
    let all: Vec<_> = (0..8).map(|_| env.purchase(Purchase::flat_rate("silver"))).collect();
    env.world(World::lose_deliveries);
    probe.slow_down(&env, 2 * MINUTE);
    let first = env.system.reconciliation.slice().await.expect("a slice");
    assert!(!first.finished && first.repaired > 0, "{first:?}");
    assert_eq!(runs(&env).await, [], "it goes on");
    let so_far = checkpoint(&env).await;
    assert_eq!(so_far.findings.differences.len() as u64, first.repaired);
    reconcile(&env).await;
    let [run] = &runs(&env).await[..] else { panic!("one run") };
    assert_eq!(run.repaired, 8);
    assert_eq!(Some(run.begun_at), so_far.begun_at);
    for id in all {
        assert_eq!(difference(run, id).since, None, "it was unknown");
    }
    assert!(checkpoint(&env).await.findings.is_empty());
}

#[tokio::test]
async fn the_list_of_differences_is_bounded_and_the_rest_is_counted() {
    let env = TestEnv::new().await;
    for _ in 0..70 {
        env.purchase(Purchase::flat_rate("silver"));
    }
    env.world(World::lose_deliveries);
    reconcile(&env).await;
    let [run] = &runs(&env).await[..] else { panic!("one run") };
    assert_eq!((run.findings.differences.len(), run.findings.more_differences), (50, 20));
    assert_eq!(run.repaired, 70);
}

#[tokio::test]
async fn a_run_that_ends_before_the_end_of_the_list_is_recorded_with_its_reason() {
    let link = "https://elsewhere.example/api/saas/subscriptions?continuationToken=t";
    for link in [json!(link), json!("later")] {
        let env = TestEnv::new().await;
        let page = json!({ "subscriptions": [], "@nextLink": link }).to_string();
        env.fault(Call::ListSubscriptions, FaultKind::Garbage(page), Times::N(100));
        reconcile(&env).await;
        let [run] = &runs(&env).await[..] else { panic!("one run") };
        assert_eq!((run.end, run.examined), (RunEnd::Records, 0));
        assert_eq!(checkpoint(&env).await.quiet_runs, None);
    }
}

#[tokio::test]
async fn a_run_that_is_cut_off_before_its_last_checkpoint_is_recorded_once() {
    let mut emulator = Settings::default();
    emulator.behaviour.page_size = 2;
    let (env, probe) = Probe::env(Options { emulator, ..Options::default() }).await;
    for _ in 0..6 {
        env.purchase(Purchase::flat_rate("silver"));
    }
    env.world(World::lose_deliveries);
    probe.slow_down(&env, 2 * MINUTE);
    assert!(!env.system.reconciliation.slice().await.expect("a slice").finished);
    let so_far = checkpoint(&env).await;
    reconcile(&env).await;
    assert_eq!(runs(&env).await.len(), 1);
    // The function was killed when the run was stored, and its checkpoint was not.
    let revision = checkpoint(&env).await.revision + 1;
    let so_far = Checkpoint { revision, ..so_far };
    env.system.checkpoints.save_checkpoint(&so_far).await.expect("a write");
    reconcile(&env).await;
    let [run] = &runs(&env).await[..] else { panic!("one run") };
    assert_eq!(Some(run.begun_at), so_far.begun_at);
    assert_eq!(run.examined, 6);
    assert_eq!(run.repaired, so_far.repaired, "the others had been repaired");
}

#[tokio::test]
async fn a_paused_reconciliation_compares_nothing_says_so_and_writes_nothing() {
    let (lines, _guard) = Lines::collect("info");
    let (env, probe) = Probe::env(Options::default()).await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    reconcile(&env).await;
    env.world(|world| {
        world.suspend(id).expect("a suspension");
        world.lose_deliveries();
    });
    let note = json!({ "note": "adele@contoso.example repairs it" }).to_string();
    let paused = env.http.post(env.url("/reconciliations/pause")).body(note);
    assert_eq!(env.send(paused).await.status, 200);
    env.advance(HOUR);
    lines.take();
    let (written, calls) = (probe.written(), env.calls(Call::Any));
    let report = env.system.reconciliation.slice().await.expect("a slice");
    assert_eq!(report, Report { finished: true, ..Report::default() });
    assert_eq!((probe.written(), env.calls(Call::Any)), (written, calls));
    let said: Vec<Value> = lines.take();
    let line = said.iter().find(|line| line["paused_since"].is_string()).expect("a line");
    assert_eq!(line["level"], "INFO", "{line}");
    let age = line["oldest_comparison_seconds"].as_u64().expect("an age");
    assert!(age.abs_diff(HOUR.as_secs()) < 60, "{line}");
    assert!(!json!(said).to_string().contains("adele"), "a note is for those who read the API");

    env.send(env.http.post(env.url("/reconciliations/resume"))).await;
    assert_eq!(reconcile(&env).await.repaired, 1);
}
