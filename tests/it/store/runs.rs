//! The runs of the reconciliation. Every implementation runs the contract.

use shared::store::{
    Checkpoint, Difference, FieldChange, Findings, Outcome, Pause, RepairAction, Run, RunEnd, Runs,
};

use super::*;

/// Findings with every member.
pub(crate) fn findings() -> Findings {
    let mut findings = Findings::default();
    let change = |field: &str, from, to| FieldChange { field: field.to_owned(), from, to };
    findings.add(Difference {
        actions: vec![
            RepairAction::RecordUpdated,
            RepairAction::OperationFinished,
            RepairAction::ActivationResumed,
            RepairAction::DeadlineAnnounced,
        ],
        changes: vec![
            change("planId", json!("silver"), json!("gold")),
            change("quantity", json!(null), json!(7)),
            change("name", json!(null), json!(null)),
        ],
        ..Difference::new(id(1), Some(noon()))
    });
    findings.add(Difference::new(id(2), Some(noon())).ended(Outcome::Left, "settling"));
    findings.add(Difference::new(id(3), None).ended(Outcome::Failed, "table"));
    findings.more_differences = 4;
    findings
}

fn checkpoint(minutes: i64) -> Checkpoint {
    let begun_at = Some(noon() + SignedDuration::from_mins(minutes));
    Checkpoint { begun_at, repaired: 1, findings: findings(), ..Checkpoint::default() }
}

fn run(minutes: i64, dry_run: bool) -> Run {
    Run::of(&checkpoint(minutes), RunEnd::List, dry_run, noon() + SignedDuration::from_hours(1))
}

async fn listed(runs: &dyn Runs, limit: u8) -> Vec<Run> {
    let (mut all, mut next) = (Vec::new(), None);
    loop {
        let page = runs.runs(limit, next.as_deref()).await.expect("a page");
        assert!(page.items.len() <= usize::from(limit));
        all.extend(page.items);
        next = page.next;
        if next.is_none() {
            return all;
        }
    }
}

async fn runs_are_listed_the_latest_first(runs: &dyn Runs) {
    assert_eq!(listed(runs, 2).await, []);
    // A fraction of a second must not change the order.
    let mut early = run(0, false);
    early.begun_at += SignedDuration::from_millis(5);
    for run in [&run(3, false), &run(0, false), &early, &run(0, true), &run(12, true)] {
        runs.save_run(run).await.expect("a write");
    }
    let expected = [run(12, true), run(3, false), early, run(0, true), run(0, false)];
    for limit in [1, 2, 5, 100] {
        assert_eq!(listed(runs, limit).await, expected, "{limit}");
    }
    let replaced = Run { repaired: 9, ..run(3, false) };
    runs.save_run(&replaced).await.expect("a write");
    assert_eq!(listed(runs, 100).await[1], replaced);
    for position in ["", "x", "PAUSE", "ROUND#", "RECONCILIATION"] {
        let refused = runs.runs(2, Some(position)).await;
        assert!(matches!(refused, Err(StoreError::BadPosition)), "{position}: {refused:?}");
    }
}

async fn a_pause_and_a_dry_run_are_stored_beside_the_runs(runs: &dyn Runs) {
    assert_eq!(runs.pause().await.expect("a read"), None);
    runs.save_pause(None).await.expect("nothing to resume");
    let pause = Pause { since: noon(), note: "why".to_owned(), by: Some("arn".to_owned()) };
    runs.save_pause(Some(&pause)).await.expect("a write");
    assert_eq!(runs.pause().await.expect("a read"), Some(pause));
    runs.save_pause(None).await.expect("a write");
    assert_eq!(runs.pause().await.expect("a read"), None);

    assert_eq!(runs.dry_run().await.expect("a read"), Checkpoint::default());
    runs.save_dry_run(&checkpoint(1)).await.expect("a write");
    assert_eq!(runs.dry_run().await.expect("a read"), checkpoint(1));
    assert_eq!(listed(runs, 100).await, []);
}

#[tokio::test]
async fn runs_are_stored_in_dynamodb() {
    runs_are_listed_the_latest_first(&*Table::new().await.runs).await;
    let table = Table::new().await;
    a_pause_and_a_dry_run_are_stored_beside_the_runs(&*table.runs).await;
    let checkpoint = table.checkpoints.checkpoint().await.expect("a read");
    assert_eq!(checkpoint, Checkpoint::default(), "a dry run has a checkpoint of its own");
}

#[tokio::test]
async fn runs_are_stored_in_memory() {
    runs_are_listed_the_latest_first(&memory_store::MemoryStore::default()).await;
    let table = memory_store::MemoryStore::default();
    a_pause_and_a_dry_run_are_stored_beside_the_runs(&table).await;
}

#[tokio::test]
async fn a_run_expires_with_the_events_that_it_led_to() {
    let table = Table::new().await;
    let run = run(0, false);
    table.runs.save_run(&run).await.expect("a write");
    let all = table.raw.scan().table_name(TABLE).send().await.expect("the database answers");
    let [item] = all.items() else { panic!("one item") };
    let at: i64 = item["expires_at"].as_n().expect("a number").parse().expect("seconds");
    assert_eq!(at - run.ended_at.as_second(), 400 * 24 * 60 * 60);
}
