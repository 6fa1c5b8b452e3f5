//! The contract of every table that personal data is erased from.

use std::collections::BTreeSet;

use shared::domain::{Event, Position, Status};
use shared::store::{Erasure, Erasures, Outbox};

use super::*;

/// Runs each case on a table of its own.
macro_rules! test_every_erasable_table {
    ($($case:ident),+ $(,)?) => {
        mod on_dynamodb {
            $(#[tokio::test]
            async fn $case() {
                let table = super::super::Table::new().await;
                let (store, outbox) = (&*table.store, &*table.outbox);
                super::$case(super::ErasableTable { store, outbox, erasures: &*table.erasures }).await;
            })+
        }

        mod on_the_wire {
            $(#[tokio::test]
            async fn $case() {
                let table = super::super::wire::store();
                let (store, outbox, erasures) = (&*table, &*table, &*table);
                super::$case(super::ErasableTable { store, outbox, erasures }).await;
            })+
        }

        mod in_memory {
            $(#[tokio::test]
            async fn $case() {
                let table = memory_store::MemoryStore::default();
                let (store, outbox, erasures) = (&table, &table, &table);
                super::$case(super::ErasableTable { store, outbox, erasures }).await;
            })+
        }
    };
}

test_every_erasable_table!(
    events_lose_their_people_and_nothing_else,
    events_are_pending_until_each_is_settled,
    every_listed_erasure_is_read_page_by_page,
    an_erased_record_is_found_by_its_id_alone,
);

struct ErasableTable<'a> {
    store: &'a dyn Store,
    outbox: &'a dyn Outbox,
    erasures: &'a dyn Erasures,
}

async fn history(store: &dyn Store, id: SubscriptionId) -> Vec<Event> {
    let (mut events, mut after) = (Vec::new(), 0);
    loop {
        let page = store.events(id, after).await.expect("a read");
        events.extend(page.items);
        match page.next {
            Some(next) => after = next.parse().expect("a version"),
            None => return events,
        }
    }
}

async fn events_lose_their_people_and_nothing_else(table: ErasableTable<'_>) {
    let ErasableTable { store, outbox, erasures } = table;
    // More than a page.
    let mut change = first(id(1), "Subscribed");
    for seats in 11..=130 {
        store.commit(id(1), &unmarked(&change)).await.expect("committed");
        change = next(&change.record, seats);
    }
    store.commit(id(2), &unmarked(&first(id(2), "Subscribed"))).await.expect("committed");
    let before = history(store, id(1)).await;
    assert!(before.len() > 110, "{}", before.len());
    assert!(before.iter().all(|event| event.subscription.name.is_some()));
    let due = || async { outbox.due(noon() + SignedDuration::from_hours(999), None).await };
    let waiting = due().await.expect("a page").items;
    for _ in 0..2 {
        erasures.erase_events(id(1)).await.expect("erased");
        let after = history(store, id(1)).await;
        let expected: Vec<_> = before.iter().map(Event::without_people).collect();
        assert_eq!(after, expected);
        assert!(after.iter().all(|event| event.subscription.name.is_none()));
    }
    assert_eq!(due().await.expect("a page").items, waiting, "the marks stay");
    let other = history(store, id(2)).await;
    assert!(other.iter().all(|event| event.subscription.name.is_some()), "{other:?}");
    erasures.erase_events(id(3)).await.expect("nothing to do");
}

async fn events_are_pending_until_each_is_settled(table: ErasableTable<'_>) {
    let ErasableTable { store, outbox, erasures } = table;
    let pending = async || erasures.has_pending_events(id(1)).await.expect("a read");
    assert!(!pending().await);
    let one = first(id(1), "Subscribed");
    let two = next(&one.record, 20);
    for change in [&one, &two] {
        store.commit(id(1), &unmarked(change)).await.expect("committed");
    }
    assert!(pending().await);
    outbox.settle(id(1), &BTreeSet::from([2])).await.expect("settled");
    assert!(pending().await, "version 1 is pending");
    outbox.settle(id(1), &BTreeSet::from([1])).await.expect("settled");
    assert!(!pending().await);
    store.commit(id(2), &unmarked(&first(id(2), "Subscribed"))).await.expect("committed");
    assert!(!pending().await, "another subscription's");
    assert_eq!(
        outbox.backlog(id(1), Position::default()).await.expect("a read").events.len(),
        one.events.len() + two.events.len()
    );
}

async fn every_listed_erasure_is_read_page_by_page(table: ErasableTable<'_>) {
    let erasures = table.erasures;
    let at = |hours| noon() + SignedDuration::from_hours(hours);
    let entry = |number, hours| Erasure { subscription: id(number), erased_at: at(hours) };
    let expected: Vec<_> = (0..105).map(|number| entry(number, 24)).collect();
    for number in 0..105 {
        erasures.list_erasure(&entry(number, 23)).await.expect("listed");
    }
    for later in &expected {
        erasures.list_erasure(later).await.expect("replaced");
    }
    let (mut listed, mut next, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = erasures.erasures(next.as_deref()).await.expect("a page");
        listed.extend(page.items);
        pages += 1;
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    listed.sort_unstable_by_key(|entry: &Erasure| entry.subscription);
    assert_eq!((listed, pages), (expected, 2));
    let refused = erasures.erasures(Some("a place")).await;
    assert!(matches!(refused, Err(StoreError::BadPosition)), "{refused:?}");
}

async fn an_erased_record_is_found_by_its_id_alone(table: ErasableTable<'_>) {
    let ErasableTable { store, .. } = table;
    let ended = first(id(1), "Unsubscribed");
    store.commit(id(1), &unmarked(&ended)).await.expect("committed");
    let found = async |text: &str| {
        let term = shared::domain::SearchTerm::of(text).expect("long enough");
        store.list(&ListQuery::by(ListBy::Search(term)), None).await.expect("a list").items.len()
    };
    assert_eq!((found("Unsubscribed at").await, found(&id(1).to_string()).await), (1, 1));
    let erased = ended.record.erase(&Cause::Reconciliation, noon());
    let Decision::Commit(erased) = erased else { panic!("not erased: {erased:?}") };
    store.commit(id(1), &unmarked(&erased)).await.expect("committed");
    assert_eq!((found("Unsubscribed at").await, found(&id(1).to_string()).await), (0, 1));
    let only = Filter { status: Some(Status::Unsubscribed), ..Filter::default() };
    let listed = store.list(&ListQuery::default().only(only), None).await.expect("a list");
    assert_eq!(listed.items, [erased.record], "it is listed as before");
}
