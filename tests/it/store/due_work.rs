//! The contract of every store about what is due. Each case gets an empty store.

use std::collections::{BTreeMap, BTreeSet};

use shared::domain::{DecidedBy, Ruling, Verdict};
use shared::store::{Due, DueRecord, DueWork, Outbox, Page, Target};

use super::*;

/// A table as a store, as an outbox, and as what is due.
pub(super) struct DueTable<'a> {
    pub store: &'a dyn Store,
    pub outbox: &'a dyn Outbox,
    pub due_work: &'a dyn DueWork,
}

impl DueTable<'_> {
    async fn commit(&self, change: &NextVersion) {
        self.store.commit(change.record.id(), &unmarked(change)).await.expect("committed");
    }

    /// The record's next version by a decision.
    async fn decide(&self, decision: Decision) -> Record {
        let Decision::Commit(change) = decision else { panic!("nothing to commit: {decision:?}") };
        self.commit(&change).await;
        change.record
    }

    /// All due work, in order. Asserts that a page has no more than a hundred entries.
    async fn work(&self, by: Timestamp) -> Vec<SubscriptionId> {
        let (mut found, mut next) = (Vec::new(), None);
        loop {
            let Page { items, next: following } =
                self.due_work.work(by, next.as_deref()).await.expect("a page");
            assert!(items.len() <= 100);
            found.extend(items.into_iter().map(|due| due.id));
            next = following;
            if next.is_none() {
                return found;
            }
        }
    }

    async fn ended(&self, by: Timestamp) -> Vec<SubscriptionId> {
        let (mut found, mut next) = (Vec::new(), None);
        loop {
            let page = self.due_work.ended(by, next.as_deref()).await.expect("a page");
            assert!(page.items.len() <= 100);
            found.extend(page.items);
            next = page.next;
            if next.is_none() {
                return found;
            }
        }
    }
}

/// After everything else.
fn far() -> Timestamp {
    "2099-01-01T00:00:00Z".parse().expect("a timestamp")
}

fn minutes(minutes: i64) -> Timestamp {
    noon() + SignedDuration::from_mins(minutes)
}

fn purchase(number: usize) -> NextVersion {
    first(id(number), "PendingFulfillmentStart")
}

pub(super) async fn a_record_is_listed_from_the_time_of_its_work_until_it_is_done(
    table: DueTable<'_>,
) {
    let bought = purchase(1);
    table.commit(&bought).await;
    table.commit(&first(id(2), "Subscribed")).await;
    assert_eq!(table.work(far()).await, [], "nothing is due of its own");
    let begun = table.decide(bought.record.begin_activation(noon())).await;
    assert_eq!(table.work(minutes(2) - SignedDuration::from_secs(1)).await, []);
    assert_eq!(table.work(minutes(2)).await, [id(1)]);
    let again = table.decide(begun.begin_activation(minutes(30))).await;
    assert_eq!(table.work(minutes(31)).await, [], "it moves with its next attempt");
    assert_eq!(table.work(minutes(32)).await, [id(1)]);
    let noted = again.reaffirm(minutes(33));
    table.commit(&noted).await;
    assert_eq!(table.work(minutes(32)).await, [id(1)], "it stays in every other version");
    table.commit(&change(Some(&noted.record), &seen(id(1), "Subscribed", "offer", 10))).await;
    assert_eq!(table.work(far()).await, []);
    assert_eq!(table.ended(far()).await, []);
}

pub(super) async fn an_end_is_listed_by_its_time_once_no_work_is_left(table: DueTable<'_>) {
    let active = first(id(1), "Subscribed");
    table.commit(&active).await;
    let operation = mark(1).operation_id;
    let ruling = Ruling::new(Verdict::Reject, DecidedBy::Policy, "");
    let answered = active.record.await_answered(&operation, &Action::ChangePlan, &ruling, noon());
    let waiting = table.decide(answered).await;
    let ended = change(Some(&waiting), &seen(id(1), "Unsubscribed", "offer", 10));
    table.commit(&ended).await;
    let at = ended.record.updated_at;
    assert_eq!((table.work(at).await, table.ended(at).await), (vec![id(1)], vec![]));
    let done = table.decide(ended.record.forget_operation(&operation, minutes(500))).await;
    assert_eq!(table.work(far()).await, []);
    let is_listed = async || {
        let before = at - SignedDuration::from_secs(1);
        (table.ended(before).await, table.ended(at).await) == (vec![], vec![id(1)])
    };
    assert!(is_listed().await);
    table.commit(&done.reaffirm(minutes(900))).await;
    assert!(is_listed().await, "a later version changes nothing about it");
}

/// The outbox has the same index.
pub(super) async fn due_work_and_the_outbox_do_not_show_each_other(table: DueTable<'_>) {
    let bought = purchase(1);
    table.commit(&bought).await;
    table.decide(bought.record.begin_activation(noon())).await;
    table.commit(&first(id(2), "Unsubscribed")).await;
    let due = table.outbox.due(far(), None).await.expect("a page").items;
    let expected = [Due::Pending(id(1), 1), Due::Pending(id(2), 1)];
    assert_eq!(due.into_iter().collect::<BTreeSet<_>>(), BTreeSet::from(expected));
    for number in 1..=2 {
        table.outbox.settle(id(number), &BTreeSet::from([1])).await.expect("settled");
    }
    assert_eq!(table.outbox.due(far(), None).await.expect("a page").items, []);
    assert_eq!(table.outbox.parked(None).await.expect("a page").items, []);
    let waiting = table.outbox.waiting(&Target::UNNAMED, &BTreeMap::new()).await.expect("a count");
    assert_eq!((waiting.subscriptions, waiting.parked), (0, 0));
    assert_eq!(table.work(far()).await, [id(1)]);
    assert_eq!(table.ended(far()).await, [id(2)]);
}

pub(super) async fn the_oldest_work_comes_first_and_goes_on_behind_every_place(
    table: DueTable<'_>,
) {
    const MANY: usize = 215;
    for number in 0..MANY {
        let bought = purchase(number);
        table.commit(&bought).await;
        // Five at a time, and in no order of their ids.
        let at = minutes(i64::try_from(number * 83 % MANY / 5).expect("few"));
        table.decide(bought.record.begin_activation(at)).await;
    }
    let all = table.work(far()).await;
    let minute = |id: &SubscriptionId| {
        let number = (0..MANY).find(|number| super::id(*number) == *id).expect("one of them");
        number * 83 % MANY / 5
    };
    assert!(all.is_sorted_by_key(minute));
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), MANY);
    let first = table.due_work.work(far(), None).await.expect("a page").items;
    for (number, DueRecord { id, place }) in first.iter().enumerate().step_by(9) {
        assert_eq!(*id, all[number]);
        let rest = table.due_work.work(far(), Some(place)).await.expect("a page").items;
        let rest: Vec<_> = rest.into_iter().map(|due| due.id).collect();
        assert_eq!(rest, all[number + 1..number + 1 + rest.len()], "behind {place}");
        assert!(!rest.is_empty());
    }
    for nonsense in ["", "x", "a b", "later SUB#1"] {
        let work = table.due_work.work(noon(), Some(nonsense)).await.map(drop);
        let ended = table.due_work.ended(noon(), Some(nonsense)).await.map(drop);
        for refused in [work, ended] {
            assert!(matches!(refused, Err(StoreError::BadPosition)), "{nonsense}: {refused:?}");
        }
    }
}

/// An idle slice costs half a unit for each of the eight partition keys.
#[tokio::test]
async fn nothing_due_is_found_with_one_query_of_each_partition_key() {
    let (store, wire) = wire::store_and_table();
    store.commit(id(1), &unmarked(&first(id(1), "Subscribed"))).await.expect("committed");
    wire.asked();
    assert_eq!(store.work(far(), None).await.expect("a page").items, []);
    assert_eq!(wire.asked(), vec![("Query".to_owned(), 0); 8]);
}

/// Runs each case on a table of its own, of every store.
macro_rules! test_every_due_work {
    ($($case:ident),+ $(,)?) => {
        mod on_dynamodb {
            $(#[tokio::test]
            async fn $case() {
                let table = crate::store::Table::new().await;
                let (store, outbox, due_work) = (&*table.store, &*table.outbox, &*table.due_work);
                super::$case(super::DueTable { store, outbox, due_work }).await;
            })+
        }

        mod on_the_wire {
            $(#[tokio::test]
            async fn $case() {
                let table = crate::store::wire::store();
                let (store, outbox, due_work) = (&*table, &*table, &*table);
                super::$case(super::DueTable { store, outbox, due_work }).await;
            })+
        }

        mod in_memory {
            $(#[tokio::test]
            async fn $case() {
                let table = memory_store::MemoryStore::default();
                let (store, outbox, due_work) = (&table, &table, &table);
                super::$case(super::DueTable { store, outbox, due_work }).await;
            })+
        }
    };
}

test_every_due_work!(
    a_record_is_listed_from_the_time_of_its_work_until_it_is_done,
    an_end_is_listed_by_its_time_once_no_work_is_left,
    due_work_and_the_outbox_do_not_show_each_other,
    the_oldest_work_comes_first_and_goes_on_behind_every_place,
);
