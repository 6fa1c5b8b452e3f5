//! The records that a list which broke off did not show: which of them are read, and in which order.

use std::time::Duration;

use emulator::{Call, ErrorForm, FaultKind, Purchase, Times, World};
use local::Options;
use shared::store::{Checkpoint, Part};

use crate::log_lines::Lines;
use crate::probe::Probe;
use crate::reconciliation_breaks::{active, missed, page_fails, paged};
use crate::test_env::TestEnv;

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_record_that_microsoft_no_longer_knows_is_named_and_stays_as_it_is() {
    let (lines, _guard) = Lines::collect("info");
    let env = TestEnv::with(paged()).await;
    let ids = active(&env, 3).await;
    let ended = env.active(Purchase::flat_rate("silver")).await;
    env.world(|world| world.unsubscribe(ended)).expect("an end");
    env.deliver_statuses().await;
    env.advance(60 * MINUTE);
    env.world(World::clear_calls);
    page_fails(&env, 0, 400);
    // The oldest two. An ended record isn't asked for.
    let gone = FaultKind::Status(404, ErrorForm::Object);
    env.fault(Call::GetSubscription, gone, Times::N(2));
    let before = env.record(ids[0]).await;
    lines.take();
    let report = env.system.reconcile().await.expect("a run");
    assert_eq!((report.unseen, report.unlisted, report.failed), (3, 2, 0));
    assert_eq!(env.calls(Call::GetSubscription), 3);
    assert_eq!(env.record(ids[0]).await, before);
    let written = lines.take();
    let named: Vec<_> = written
        .iter()
        .filter(|line| line["message"].as_str().is_some_and(|it| it.contains("no longer knows")))
        .map(|line| line["subscription.id"].as_str().expect("an id").to_owned())
        .collect();
    assert_eq!(named.len(), 2);
    assert!(named.iter().all(|id| ids.iter().any(|known| known.to_string() == *id)), "{named:?}");
    let summary = written.iter().rfind(|line| line["examined"].is_u64()).expect("a summary");
    assert_eq!((&summary["unlisted"], &summary["unseen"]), (&2.into(), &3.into()));
}

#[tokio::test]
async fn f_get_4_a_purchase_that_is_too_new_for_microsofts_copy_is_left_and_not_unlisted() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    env.visit(id).await;
    page_fails(&env, 0, 400);
    let unknown = FaultKind::Status(404, ErrorForm::Object);
    env.fault(Call::GetSubscription, unknown, Times::Always);
    let report = env.system.reconcile().await.expect("a run");
    assert_eq!((report.unseen, report.unlisted, report.left), (1, 0, 1));
}

#[tokio::test]
async fn the_oldest_record_is_read_first_and_a_slice_goes_on_where_the_last_one_stopped() {
    let (env, probe) = Probe::env(Options::default()).await;
    let ids = active(&env, 40).await;
    missed(&env, &ids);
    page_fails(&env, 0, 400);
    // A slice has time for more than six of them, and for less than half.
    probe.slow_down_commits(&env, MINUTE / 2);
    let mut unseen = vec![0];
    loop {
        let report = env.system.reconciliation.slice().await.expect("a slice");
        assert!(report.unseen > unseen[unseen.len() - 1], "every slice makes progress: {unseen:?}");
        unseen.push(report.unseen);
        if report.finished {
            break;
        }
        let done = usize::try_from(report.repaired).expect("a small number");
        for (place, id) in ids.iter().enumerate() {
            assert_eq!(env.count(*id, "Suspended").await, usize::from(place < done), "{place}");
        }
    }
    assert!(unseen.len() > 3, "several slices: {unseen:?}");
    assert_eq!(env.calls(Call::GetSubscription), 40, "each record is read once");
}

#[tokio::test]
async fn while_microsoft_is_away_no_record_is_passed_over_and_the_next_run_tries_the_list_first() {
    let env = TestEnv::with(paged()).await;
    let ids = active(&env, 3).await;
    missed(&env, &ids);
    let away = FaultKind::Status(503, ErrorForm::Html);
    for call in [Call::ListSubscriptions, Call::GetSubscription] {
        env.fault(call, away.clone(), Times::Always);
    }
    for slice in 0..5 {
        env.system.reconcile().await.expect_err("Microsoft is away");
        let checkpoint = env.system.checkpoints.checkpoint().await.expect("a checkpoint");
        assert_eq!(checkpoint.unseen_after, None, "{slice}");
        assert_eq!(checkpoint.is_under_way(), slice < 4, "{slice}");
    }
    env.world(|world| world.faults_mut().clear());
    let report = env.system.reconcile().await.expect("a run");
    assert_eq!((report.full_round, report.repaired, report.unseen), (true, 3, 0));
}

#[tokio::test]
async fn a_run_reads_5000_records_by_themselves_and_the_next_one_goes_on_behind_them() {
    let env = TestEnv::with(paged()).await;
    let ids = active(&env, 3).await;
    missed(&env, &ids);
    page_fails(&env, 0, 400);
    let before = Checkpoint {
        begun_at: Some(env.world(|world| world.now())),
        part: Some(Part::Unseen),
        unseen: 4999,
        ..Checkpoint::default().reset()
    };
    env.system.checkpoints.save_checkpoint(&before).await.expect("nobody else saves it");
    let report = env.system.reconcile().await.expect("a run");
    assert_eq!((report.finished, report.full_round, report.unseen), (true, false, 5000));
    assert_eq!(env.count(ids[0], "Suspended").await, 1);
    assert_eq!(env.count(ids[1], "Suspended").await, 0);
    // This record would come first again.
    env.world(|world| world.reinstate(ids[1])).expect("a reinstatement");
    env.world(|world| world.lose_deliveries());
    let report = env.system.reconcile().await.expect("a run");
    assert_eq!((report.finished, report.full_round), (true, false));
    assert_eq!(env.count(ids[2], "Suspended").await, 1);
    let checkpoint = env.system.checkpoints.checkpoint().await.expect("a checkpoint");
    assert_eq!(checkpoint.unseen_after, None, "the next one begins at the oldest again");
}
