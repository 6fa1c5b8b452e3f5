//! The metrics that alarms watch: each comes from the fault that it stands for, and from no other.

use std::collections::BTreeMap;
use std::time::Duration;

use emulator::{Call, ErrorForm, FaultKind, Forgery, Purchase, Times, TokenVersion, World};
use serde_json::json;

use crate::log_lines::Lines;
use crate::test_env::{TestEnv, go_on_at};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn metrics(of: &[(&str, &[i64])]) -> BTreeMap<String, Vec<i64>> {
    of.iter().map(|(name, values)| ((*name).to_owned(), values.to_vec())).collect()
}

/// What was counted since the last time, without the age that every slice measures.
fn counted(lines: &Lines) -> BTreeMap<String, Vec<i64>> {
    let mut counted = lines.take_metrics();
    counted.remove("oldest_comparison_seconds");
    counted
}

#[tokio::test]
async fn a_missed_call_is_drift_and_an_unvisited_purchase_is_none() {
    let (lines, _guard) = Lines::collect("info");
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    env.purchase(Purchase::flat_rate("silver"));
    env.system.reconcile().await.expect("a run");
    assert_eq!(counted(&lines), metrics(&[("full_round", &[1])]));
    env.world(|world| world.suspend(id)).expect("a suspension");
    env.world(World::lose_deliveries);
    env.advance(DAY);
    env.system.reconcile().await.expect("a run");
    assert_eq!(counted(&lines), metrics(&[("drift", &[1]), ("full_round", &[1])]));
}

#[tokio::test]
async fn a_run_that_fails_is_no_full_round() {
    let (lines, _guard) = Lines::collect("info");
    let env = TestEnv::new().await;
    env.fault(Call::ListSubscriptions, FaultKind::Garbage("{".to_owned()), Times::Once);
    env.system.reconcile().await.expect_err("the list can't be read");
    assert_eq!(counted(&lines), metrics(&[]));
}

#[tokio::test]
async fn each_slice_measures_how_long_ago_the_oldest_comparison_was() {
    let (lines, _guard) = Lines::collect("info");
    let env = TestEnv::new().await;
    let age = || -> i64 {
        let measured = lines.take_metrics();
        let [age] = measured["oldest_comparison_seconds"][..] else { panic!("one: {measured:?}") };
        age
    };
    env.fault(Call::ListSubscriptions, FaultKind::Garbage("{".to_owned()), Times::N(2));
    for days in [0, 1] {
        env.system.reconcile().await.expect_err("the list can't be read");
        assert!(age().abs_diff(days * 24 * 60 * 60) < 60, "no run has ever ended");
        env.advance(DAY);
    }
    env.system.reconcile().await.expect("a run");
    assert!(age() < 60);
    env.advance(DAY);
    env.fault(Call::ListSubscriptions, FaultKind::Garbage("{".to_owned()), Times::Once);
    env.system.reconcile().await.expect_err("the list can't be read");
    assert!(age().abs_diff(24 * 60 * 60) < 60, "since the last full round");
    env.system.dry_run().await.expect("a dry run");
    assert_eq!(lines.take_metrics(), metrics(&[]), "a dry run repairs nothing");
}

#[tokio::test]
async fn a_list_that_microsoft_does_not_continue_is_counted() {
    let (lines, _guard) = Lines::collect("info");
    let env = TestEnv::new().await;
    go_on_at(&env, "long ago").await;
    env.system.reconcile().await.expect("a run");
    assert_eq!(counted(&lines), metrics(&[("full_round", &[1]), ("list_restarted", &[1])]));
}

#[tokio::test]
async fn f_lc_3_a_purchase_that_lapses_soon_is_counted_once() {
    let (lines, _guard) = Lines::collect("info");
    let env = TestEnv::new().await;
    env.purchase(Purchase::flat_rate("silver"));
    env.advance(23 * DAY);
    for _ in 0..2 {
        env.system.reconcile().await.expect("a run");
        env.advance(DAY);
    }
    let expected = metrics(&[("activation_deadline", &[1]), ("full_round", &[1, 1])]);
    assert_eq!(counted(&lines), expected);
}

#[tokio::test]
async fn what_a_stranger_can_cause_is_counted_apart_from_failed_calls_of_microsoft() {
    let (lines, _guard) = Lines::collect("info");
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 5)).await;
    lines.take_metrics();
    for forgery in Forgery::ALL {
        let forged = env.microsoft().entra(|entra| entra.forge(forgery, TokenVersion::V2));
        let body = json!({ "subscriptionId": id, "action": "Suspend" }).to_string();
        env.microsoft()
            .deliver_raw(body, Some(format!("Bearer {forged}")))
            .await
            .expect("an answer");
    }
    let refused = lines.take_metrics();
    let names: Vec<_> = refused.keys().map(String::as_str).collect();
    assert_eq!(names, ["refused_caller"]);
    assert_eq!(refused["refused_caller"].len(), Forgery::ALL.len());

    env.world(|world| world.change_plan(id, "team")).expect("a change");
    env.fault(Call::GetOperation, FaultKind::Status(500, ErrorForm::Html), Times::N(20));
    env.deliver().await;
    let failed = lines.take_metrics();
    let names: Vec<_> = failed.keys().map(String::as_str).collect();
    assert_eq!(names, ["failed_call"]);
}
