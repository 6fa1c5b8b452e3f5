//! Repairs run concurrently, and keep the pause that Microsoft asks one of them for.

use std::time::Duration;

use emulator::{Call, CallRecord, FaultKind, Times};
use jiff::{SignedDuration, Timestamp};
use local::Options;

use crate::reconciliation_breaks::{active, missed};
use crate::test_env::TestEnv;

fn gets(env: &TestEnv) -> Vec<CallRecord> {
    env.calls_of(Call::GetSubscription)
}

fn throttled(seconds: u64) -> FaultKind {
    FaultKind::RetryAfter(429, seconds.to_string())
}

fn since(calls: &[CallRecord], first: Timestamp) -> Vec<SignedDuration> {
    calls.iter().map(|call| call.at.duration_since(first)).collect()
}

#[tokio::test]
async fn f_err_1_after_a_429_no_repair_calls_microsoft_before_retry_after_is_over() {
    let env = TestEnv::with(Options::default()).await;
    let ids = active(&env, 30).await;
    missed(&env, &ids);
    env.world(|world| world.clear_calls());
    env.fault(Call::GetSubscription, throttled(20), Times::Once);
    let report = env.system.reconcile().await.expect("a run");
    assert_eq!((report.full_round, report.repaired, report.failed), (true, 30, 0));
    let calls = gets(&env);
    assert_eq!(calls.len(), 31, "the throttled one is repeated");
    let first = calls.iter().position(|call| call.status == Some(429)).expect("a 429");
    // Those that were on their way are answered at the same time.
    let pauses = since(&calls, calls[first].at);
    let pause = SignedDuration::from_secs(20);
    let within: Vec<_> = pauses.iter().filter(|at| at.is_positive() && **at < pause).collect();
    assert_eq!(within, Vec::<&SignedDuration>::new(), "{pauses:?}");
    let on_the_way = pauses.iter().filter(|at| at.is_zero()).count();
    assert!((1..=8).contains(&on_the_way), "{on_the_way}");
    assert!(pauses.iter().filter(|at| **at >= pause).count() >= 23, "{pauses:?}");
    for id in ids {
        assert_eq!(env.count(id, "Suspended").await, 1);
    }
}

#[tokio::test]
async fn f_err_1_a_pause_that_outlasts_the_work_leaves_the_rest_to_a_later_slice() {
    let env = TestEnv::with(Options::default()).await;
    let ids = active(&env, 12).await;
    missed(&env, &ids);
    env.world(|world| world.clear_calls());
    env.fault(Call::GetSubscription, throttled(3600), Times::Once);
    let begun = env.world(|world| world.now());
    let report = env.system.reconcile().await.expect("a run");
    let took = env.world(|world| world.now()).duration_since(begun);
    assert!(took < SignedDuration::from_mins(5), "{took}: the function must not wait so long");
    assert_eq!(report.repaired + report.failed, 12);
    assert!(report.failed > 0, "{report:?}");
    let calls = gets(&env).len();
    // Within the hour, no call reaches Microsoft, and the list is not given up.
    env.advance(Duration::from_secs(30 * 60));
    for _ in 0..4 {
        env.system.reconcile().await.expect_err("Microsoft asked us to wait");
    }
    assert_eq!((gets(&env).len(), env.calls(Call::ListSubscriptions)), (calls, 1));
    env.advance(Duration::from_secs(31 * 60));
    let report = env.system.reconcile().await.expect("a run");
    assert_eq!((report.full_round, report.failed), (true, 0));
    for id in ids {
        assert_eq!(env.count(id, "Suspended").await, 1);
    }
}
