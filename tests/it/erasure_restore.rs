//! A restored table has forgotten erasures, and Microsoft still knows the people.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use emulator::Purchase;
use uuid::Uuid;

use crate::erasure_env::{DAY, end, erased, find, items};
use crate::restore_env::{CutOff, RestoreEnv};

const WORDS: [&str; 2] = ["adele@contoso.example", "Contoso production"];

/// A table whose point in time is before three of four erasures, and their subscriptions: erased before it,
/// ended before it, active then, and bought later. What the table became is kept as the former one.
async fn lost() -> (RestoreEnv, [Uuid; 4], crate::restore_env::Copy) {
    let mut env = RestoreEnv::new().await;
    let purchase = || Purchase::per_seat("basic", 10);
    let [before, ended, active] = [
        env.env.active(purchase()).await,
        env.env.active(purchase()).await,
        env.env.active(purchase()).await,
    ];
    end(&env.env, before).await;
    env.env.advance(8 * DAY);
    env.tell().await;
    erased(&env.env, before).await;
    end(&env.env, ended).await;
    env.tell().await;
    let copy = env.copy().await;

    end(&env.env, active).await;
    let later = env.env.active(purchase()).await;
    end(&env.env, later).await;
    env.env.advance(8 * DAY);
    env.tell().await;
    for id in [ended, active, later] {
        erased(&env.env, id).await;
    }
    env.tell().await;
    assert_eq!(find(&items(&env.env).await, &WORDS), None);
    env.keep_as_former().await;
    (env, [before, ended, active, later], copy)
}

async fn assert_is_erased(env: &RestoreEnv, ids: &[Uuid]) {
    assert_eq!(find(&items(&env.env).await, &WORDS), None);
    let former = env.former.as_ref().expect("it is kept");
    for id in ids {
        let record = env.env.record(*id).await.expect("a record");
        let tombstone = former.store.load(record.id()).await.expect("a read").expect("a record");
        assert!(record.is_erased() && !record.is_erasing(), "{record:?}");
        assert_eq!(record.subscription, tombstone.subscription);
        assert_eq!(record.erased_at, tombstone.erased_at);
        assert!(record.version > tombstone.version, "{record:?}");
    }
    let table = env.table_over(Arc::new(shared::host::http_client::HttpClient::default()));
    let mut listed: Vec<_> = table.erasures.erasures(None).await.expect("a page").items;
    let mut expected = former.erasures.erasures(None).await.expect("a page").items;
    listed.sort_by_key(|entry| entry.subscription);
    expected.sort_by_key(|entry| entry.subscription);
    assert_eq!(listed, expected);
}

#[tokio::test]
async fn erasures_since_the_point_in_time_are_repeated_and_told_again() {
    let (env, ids, copy) = lost().await;
    let told = env.product.events().len();
    env.put_back(&copy).await;
    assert!(find(&items(&env.env).await, &WORDS).is_some(), "the point in time knows the people");
    let restored = env.restore().await;
    assert_eq!((restored.raised, restored.erased, &restored.unreadable[..]), (3, 3, &[][..]));
    assert_is_erased(&env, &ids).await;
    env.reconcile().await;
    assert_is_erased(&env, &ids).await;
    env.assert_product_agrees(&ids);
    let events = env.product.events();
    let erasures = events[told..]
        .iter()
        .filter(|event| event["type"] == "saas-fulfillment.subscription.personal-data-erased.v1");
    let mut again: Vec<_> = erasures.map(crate::restore_env::subject).collect();
    again.sort_unstable();
    let mut expected = ids[1..].to_vec();
    expected.sort_unstable();
    assert_eq!(again, expected, "with ids that the product has not seen");
    // A second run finds nothing to erase.
    let restored = env.restore().await;
    assert_eq!((restored.raised, restored.erased), (4, 0));
}

#[tokio::test]
async fn a_restore_that_was_cut_off_between_erasures_is_begun_again() {
    let (env, ids, copy) = lost().await;
    let mut cuts = 0;
    for loses_the_answer in [false, true] {
        for requests in (0..).step_by(3) {
            env.missed(|_| {});
            env.put_back(&copy).await;
            let left = AtomicU32::new(requests);
            let cut = Arc::new(CutOff { left, loses_the_answer, was_cut: false.into() });
            let ended = env.restore_over(cut.clone()).await;
            if !cut.was_cut.load(Ordering::SeqCst) {
                ended.expect("nothing was cut off");
                break;
            }
            cuts += 1;
            ended.expect_err("it was cut off");
            env.missed(|_| {});
            let restored = env.restore().await;
            assert_eq!(restored.unreadable, []);
            assert_is_erased(&env, &ids).await;
        }
    }
    assert!(cuts > 15, "{cuts}");
}

#[tokio::test]
async fn without_the_former_table_the_restored_ones_own_list_is_kept() {
    let (mut env, [before, ..], copy) = lost().await;
    env.put_back(&copy).await;
    env.former = None;
    let restored = env.restore().await;
    assert_eq!((restored.raised, restored.erased), (3, 0));
    env.reconcile().await;
    assert!(env.env.record(before).await.expect("a record").is_erased());
    let table = env.table_over(Arc::new(shared::host::http_client::HttpClient::default()));
    let listed = table.erasures.erasures(None).await.expect("a page").items;
    assert_eq!(listed.iter().map(|entry| entry.subscription.0).collect::<Vec<_>>(), [before]);
}
