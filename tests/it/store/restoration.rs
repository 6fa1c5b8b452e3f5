//! The contract of every restorable table.

use shared::store::{CommitError, Restoration};

use super::*;

/// Runs each case on a table of its own.
macro_rules! test_every_restorable_table {
    ($($case:ident),+ $(,)?) => {
        mod on_dynamodb {
            $(#[tokio::test]
            async fn $case() {
                let table = super::super::Table::new().await;
                let (store, restoration) = (&*table.store, &*table.restoration);
                let table = super::RestorableTable { store, restoration };
                super::$case(table).await;
            })+
        }

        mod on_the_wire {
            $(#[tokio::test]
            async fn $case() {
                let table = super::super::wire::store();
                let (store, restoration) = (&*table, &*table);
                let table = super::RestorableTable { store, restoration };
                super::$case(table).await;
            })+
        }

        mod in_memory {
            $(#[tokio::test]
            async fn $case() {
                let table = memory_store::MemoryStore::default();
                let (store, restoration) = (&table, &table);
                let table = super::RestorableTable { store, restoration };
                super::$case(table).await;
            })+
        }
    };
}

test_every_restorable_table!(
    an_epoch_only_grows,
    a_new_record_may_begin_after_an_epoch,
    a_record_is_replaced_only_from_its_version,
    every_subscription_is_listed_page_by_page,
);

struct RestorableTable<'a> {
    pub store: &'a dyn Store,
    pub restoration: &'a dyn Restoration,
}

const EPOCH: u64 = 1_773_144_000_000;

async fn an_epoch_only_grows(table: RestorableTable<'_>) {
    let RestorableTable { store, restoration } = table;
    assert_eq!(store.epoch().await.expect("a read"), 0);
    restoration.begin_epoch(EPOCH).await.expect("the first one");
    for earlier in [1, EPOCH - 1, EPOCH] {
        let refused = restoration.begin_epoch(earlier).await;
        assert!(matches!(refused, Err(CommitError::Conflict)), "{earlier}: {refused:?}");
    }
    assert_eq!(store.epoch().await.expect("a read"), EPOCH);
    restoration.begin_epoch(EPOCH + 1).await.expect("a later one");
    assert_eq!(store.epoch().await.expect("a read"), EPOCH + 1);
}

async fn a_new_record_may_begin_after_an_epoch(table: RestorableTable<'_>) {
    let store = table.store;
    let mut purchase = first(id(1), "Subscribed");
    purchase.begin_after(EPOCH);
    store.commit(id(1), &unmarked(&purchase)).await.expect("committed");
    let again = store.commit(id(1), &unmarked(&purchase)).await;
    assert!(matches!(again, Err(CommitError::Conflict)), "{again:?}");
    assert_eq!(store.events(id(1), EPOCH).await.expect("a read").items, purchase.events);
    let reaffirmed = purchase.record.reaffirm(noon());
    store.commit(id(1), &unmarked(&reaffirmed)).await.expect("the next version");
    let mut absent = first(id(2), "Subscribed");
    absent.begin_after(EPOCH);
    let early = absent.record.reaffirm(noon());
    let refused = store.commit(id(2), &unmarked(&early)).await;
    assert!(
        matches!(refused, Err(CommitError::Conflict)),
        "there is no first version: {refused:?}"
    );
}

async fn a_record_is_replaced_only_from_its_version(table: RestorableTable<'_>) {
    let RestorableTable { store, restoration } = table;
    let purchase = first(id(1), "Subscribed").record;
    let raised = purchase.raise(EPOCH);
    let refused = restoration.replace(1, &raised).await;
    assert!(matches!(refused, Err(CommitError::Conflict)), "there is no record: {refused:?}");
    store.commit(id(1), &unmarked(&first(id(1), "Subscribed"))).await.expect("committed");
    let refused = restoration.replace(2, &raised).await;
    assert!(matches!(refused, Err(CommitError::Conflict)), "it has version 1: {refused:?}");
    restoration.replace(1, &raised).await.expect("replaced");
    assert_eq!(store.load(id(1)).await.expect("a read"), Some(raised.clone()));
    let late = store.commit(id(1), &unmarked(&purchase.reaffirm(noon()))).await;
    assert!(matches!(late, Err(CommitError::Conflict)), "decided about version 1: {late:?}");
    store.commit(id(1), &unmarked(&raised.reaffirm(noon()))).await.expect("the next version");
}

async fn every_subscription_is_listed_page_by_page(table: RestorableTable<'_>) {
    let RestorableTable { store, restoration } = table;
    let ids: Vec<_> = (0..105).map(id).collect();
    for id in &ids {
        store.commit(*id, &unmarked(&first(*id, "Subscribed"))).await.expect("committed");
    }
    let (mut listed, mut next, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = restoration.subscriptions(next.as_deref()).await.expect("a page");
        listed.extend(page.items);
        pages += 1;
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    listed.sort_unstable();
    assert_eq!((listed, pages), (ids, 2));
}

#[tokio::test]
async fn an_unreadable_record_is_listed() {
    let table = Table::new().await;
    table.store.commit(id(1), &unmarked(&first(id(1), "Subscribed"))).await.expect("committed");
    table.corrupt(id(1), &ATTRIBUTES).await;
    let listed = table.restoration.subscriptions(None).await.expect("a page");
    assert_eq!(listed.items, [id(1)]);
}
