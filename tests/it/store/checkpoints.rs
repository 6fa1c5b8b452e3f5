//! The contract of every store about the reconciliation's progress.

use std::collections::HashSet;

use shared::store::{
    Checkpoint, CheckpointError, Checkpoints, LeftOpen, Part, QuietRuns, Round, Sort,
};

use super::runs::findings;
use super::*;

/// Runs each case on a table of its own, in each store.
macro_rules! test_every_store {
    ($($case:ident),+ $(,)?) => {
        mod on_dynamodb {
            $(#[tokio::test]
            async fn $case() {
                let table = crate::store::Table::new().await;
                super::$case(&*table.store, &*table.checkpoints).await;
            })+
        }

        mod on_the_wire {
            $(#[tokio::test]
            async fn $case() {
                let store = crate::store::wire::store();
                super::$case(&*store, &*store).await;
            })+
        }

        /// The store of the simulation.
        mod in_memory {
            $(#[tokio::test]
            async fn $case() {
                let store = memory_store::MemoryStore::default();
                super::$case(&store, &store).await;
            })+
        }
    };
}

test_every_store!(
    a_checkpoint_is_stored_unless_another_was_saved_since,
    what_a_list_has_shown_is_noted_until_a_later_list_shows_it,
);

async fn a_checkpoint_is_stored_unless_another_was_saved_since(
    store: &dyn Store,
    checkpoints: &dyn Checkpoints,
) {
    assert_eq!(checkpoints.checkpoint().await.expect("a read"), Checkpoint::default());
    let there = Checkpoint {
        next: Some(r#"[{"token":"+RID:x==","range":{"min":"","max":"FF"}}]"#.to_owned()),
        pages: 7,
        landmark: Some("token".to_owned()),
        examined: 613,
        repaired: 2,
        failed: 1,
        stuck: 1,
        left: 3,
        due: 5,
        due_after: Some("a place".to_owned()),
        begun_at: Some(noon()),
        last_round: Some(Round { begun_at: noon(), ended_at: noon() }),
        revision: 1,
        saved_by: Some(Uuid::from_u128(7)),
        part: Some(Part::Unseen),
        begun_anew: true,
        unseen: 17,
        unlisted: 1,
        unseen_after: Some(Sort::LastChange.position("a key")),
        findings: findings(),
        quiet_runs: Some(QuietRuns {
            count: 3,
            since: noon(),
            last_begun_at: noon(),
            last_ended_at: noon(),
        }),
        left_open: Some(LeftOpen { since: noon(), differences: findings().differences, more: 7 }),
    };
    checkpoints.save_checkpoint(&there).await.expect("a write");
    assert_eq!(checkpoints.checkpoint().await.expect("a read"), there);
    for revision in [0, 1, 3] {
        let other = Checkpoint { revision, ..Checkpoint::default() };
        let refused = checkpoints.save_checkpoint(&other).await;
        assert!(matches!(refused, Err(CheckpointError::Conflict)), "{revision}: {refused:?}");
    }
    assert_eq!(checkpoints.checkpoint().await.expect("a read"), there);
    checkpoints.save_checkpoint(&there.reset()).await.expect("a write");
    let reset = Checkpoint { revision: 2, ..Checkpoint::default() };
    assert_eq!(checkpoints.checkpoint().await.expect("a read"), reset);
    let listed = store.list(&ListQuery::default(), None).await.expect("a list");
    assert_eq!(listed.items, [], "a checkpoint is not a record");
}

async fn what_a_list_has_shown_is_noted_until_a_later_list_shows_it(
    store: &dyn Store,
    checkpoints: &dyn Checkpoints,
) {
    // More than two writes and one read take.
    let ids: Vec<_> = (0..110).map(id).collect();
    let (early, late) = (noon(), noon() + SignedDuration::from_secs(1));
    let compared = async |list| checkpoints.compared(&ids, list).await.expect("a read");
    let noted = |ids: &[SubscriptionId]| ids.iter().copied().collect::<HashSet<_>>();
    assert_eq!(compared(early).await, HashSet::new());
    // A page may show a subscription twice.
    let page = [&ids[..60], &ids[..1]].concat();
    checkpoints.note_compared(&page, early).await.expect("a write");
    checkpoints.note_compared(&[], early).await.expect("nothing to write");
    assert_eq!(compared(early).await, noted(&ids[..60]));
    assert_eq!(compared(late).await, HashSet::new());
    checkpoints.note_compared(&ids[50..], late).await.expect("a write");
    assert_eq!(compared(early).await, noted(&ids[..50]));
    assert_eq!(compared(late).await, noted(&ids[50..]));
    let listed = store.list(&ListQuery::default(), None).await.expect("a list");
    assert_eq!(listed.items, [], "a note is not a record");
}

/// 0.1.0 writes a checkpoint without a revision, and beside this version during a deployment.
#[tokio::test]
async fn a_checkpoint_of_an_earlier_version_is_read_and_replaced() {
    let table = Table::new().await;
    let checkpoints = &*table.checkpoints;
    let mine = |revision| Checkpoint { revision, pages: 9, ..Checkpoint::default() };
    for round in 0..2 {
        let body = HashMap::from([
            ("next".to_owned(), AttributeValue::S("token".to_owned())),
            ("pages".to_owned(), AttributeValue::N("4".to_owned())),
            ("landmark".to_owned(), AttributeValue::Null(true)),
            ("examined".to_owned(), AttributeValue::N("380".to_owned())),
            ("repaired".to_owned(), AttributeValue::N("2".to_owned())),
            ("failed".to_owned(), AttributeValue::N("1".to_owned())),
        ]);
        let put = table.raw.put_item().table_name(TABLE);
        let put = put.item("pk", AttributeValue::S("RUN".to_owned()));
        let put = put.item("sk", AttributeValue::S("RECONCILIATION".to_owned()));
        put.item("body", AttributeValue::M(body)).send().await.expect("the item is stored");
        if round > 0 {
            let refused = checkpoints.save_checkpoint(&mine(2)).await;
            assert!(matches!(refused, Err(CheckpointError::Conflict)), "{refused:?}");
        }
        let read = checkpoints.checkpoint().await.expect("a read");
        assert_eq!((read.next.as_deref(), read.pages, read.revision), (Some("token"), 4, 0));
        assert!(read.is_under_way() && read.is_in_list() && !read.begun_anew, "{read:?}");
        checkpoints.save_checkpoint(&mine(1)).await.expect("a write");
        assert_eq!(checkpoints.checkpoint().await.expect("a read"), mine(1));
    }
}
