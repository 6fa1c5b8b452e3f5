//! The contract of every store. Each case gets an empty store.

use std::collections::{BTreeMap, BTreeSet};

use shared::domain::{Event, Status};
use shared::store::{CommitError, Page};

use super::*;

async fn commit(store: &dyn Store, change: &NextVersion) {
    store.commit(change.record.id(), &unmarked(change)).await.expect("committed");
}

async fn load(store: &dyn Store, id: SubscriptionId) -> Option<Record> {
    store.load(id).await.expect("a read")
}

async fn events(store: &dyn Store, id: SubscriptionId) -> Vec<Event> {
    store.events(id, 0).await.expect("a read").items
}

pub(super) async fn a_first_version_is_written_once(store: &dyn Store) {
    assert_eq!(load(store, id(1)).await, None);
    let purchase = first(id(1), "Subscribed");
    commit(store, &purchase).await;
    assert_eq!(load(store, id(1)).await, Some(purchase.record.clone()));

    let other = first(id(1), "Suspended");
    let refused = store.commit(id(1), &unmarked(&other)).await;
    assert!(matches!(refused, Err(CommitError::Conflict)), "{refused:?}");
    assert_eq!(load(store, id(1)).await, Some(purchase.record));
    assert_eq!(events(store, id(1)).await, purchase.events);
    assert_eq!(load(store, id(2)).await, None, "another subscription is not affected");
}

pub(super) async fn a_version_must_follow_the_previous_one(store: &dyn Store) {
    let one = first(id(1), "Subscribed");
    let two = next(&one.record, 20);
    let three = next(&two.record, 30);
    for early in [&two, &three] {
        let refused = store.commit(id(1), &unmarked(early)).await;
        assert!(
            matches!(refused, Err(CommitError::Conflict)),
            "there is no earlier version: {refused:?}"
        );
    }
    commit(store, &one).await;
    let skipped = store.commit(id(1), &unmarked(&three)).await;
    assert!(matches!(skipped, Err(CommitError::Conflict)), "{skipped:?}");
    commit(store, &two).await;
    let again = store.commit(id(1), &unmarked(&two)).await;
    assert!(matches!(again, Err(CommitError::Conflict)), "{again:?}");
    commit(store, &three).await;
    assert_eq!(load(store, id(1)).await, Some(three.record));
}

pub(super) async fn an_operation_is_marked_once(store: &dyn Store) {
    let one = first(id(1), "Subscribed");
    store.commit(id(1), &marked(Some(&one), &mark(7))).await.expect("committed");
    let two = next(&one.record, 20);
    for again in [marked(Some(&two), &mark(7)), marked(None, &mark(7))] {
        let refused = store.commit(id(1), &again).await;
        assert!(matches!(refused, Err(CommitError::AlreadyMarked)), "{refused:?}");
    }
    // For a late commit of an old version, the existing mark counts more than the conflict.
    let late = store.commit(id(1), &marked(Some(&one), &mark(7))).await;
    assert!(matches!(late, Err(CommitError::AlreadyMarked)), "{late:?}");
    assert_eq!(load(store, id(1)).await, Some(one.record));
    store.commit(id(1), &marked(Some(&two), &mark(8))).await.expect("another operation");
    store.commit(id(2), &marked(None, &mark(7))).await.expect("another subscription");
}

pub(super) async fn a_refused_commit_writes_nothing(store: &dyn Store) {
    let one = first(id(1), "Subscribed");
    commit(store, &one).await;
    let before = (load(store, id(1)).await, events(store, id(1)).await);

    let stale = first(id(1), "Suspended");
    let refused = store.commit(id(1), &marked(Some(&stale), &mark(1))).await;
    assert!(matches!(refused, Err(CommitError::Conflict)), "{refused:?}");
    let (_, found) = store.load_with_mark(id(1), &mark(1).operation_id).await.expect("a read");
    assert_eq!(found, None, "no mark without its change");

    store.commit(id(1), &marked(None, &mark(2))).await.expect("a mark alone");
    let two = next(&one.record, 20);
    let refused = store.commit(id(1), &marked(Some(&two), &mark(2))).await;
    assert!(matches!(refused, Err(CommitError::AlreadyMarked)), "{refused:?}");
    assert_eq!((load(store, id(1)).await, events(store, id(1)).await), before);
    commit(store, &two).await;
}

pub(super) async fn an_empty_commit_succeeds(store: &dyn Store) {
    store.commit(id(1), &Commit::default()).await.expect("nothing to do");
    assert_eq!(load(store, id(1)).await, None);
}

pub(super) async fn a_record_and_a_mark_are_read_together(store: &dyn Store) {
    let read = |number: usize, operation| async move {
        let operation = mark(operation).operation_id;
        store.load_with_mark(id(number), &operation).await.expect("a read")
    };
    assert_eq!(read(1, 1).await, (None, None));
    let one = first(id(1), "Subscribed");
    commit(store, &one).await;
    assert_eq!(read(1, 1).await, (Some(one.record.clone()), None));
    store.commit(id(1), &marked(None, &mark(1))).await.expect("a mark alone");
    assert_eq!(read(1, 1).await, (Some(one.record.clone()), Some(mark(1))));
    assert_eq!(read(1, 2).await, (Some(one.record), None));
    store.commit(id(2), &marked(None, &mark(1))).await.expect("a mark without a record");
    assert_eq!(read(2, 1).await, (None, Some(mark(1))));
    for outcome in [
        OperationOutcome::Accepted,
        OperationOutcome::Rejected,
        OperationOutcome::Followed,
        OperationOutcome::Noticed,
    ] {
        let written = Mark { outcome, ..mark(10 + outcome as u128) };
        store.commit(id(1), &marked(None, &written)).await.expect("committed");
        assert_eq!(read(1, 10 + outcome as u128).await.1, Some(written));
    }
}

pub(super) async fn only_one_of_many_writers_of_a_version_wins(store: &dyn Store) {
    let one = first(id(1), "Subscribed");
    commit(store, &one).await;
    let rivals: Vec<_> = (20..23).map(|seats| next(&one.record, seats)).collect();
    let commits: Vec<_> = rivals.iter().map(unmarked).collect();
    let (a, b, c) = tokio::join!(
        store.commit(id(1), &commits[0]),
        store.commit(id(1), &commits[1]),
        store.commit(id(1), &commits[2]),
    );
    let outcomes = [a, b, c];
    let winners: Vec<_> =
        rivals.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok()).collect();
    let [(winner, _)] = winners[..] else { panic!("one wins: {outcomes:?}") };
    for outcome in &outcomes {
        assert!(matches!(outcome, Ok(()) | Err(CommitError::Conflict)), "{outcome:?}");
    }
    assert_eq!(load(store, id(1)).await.as_ref(), Some(&winner.record));
    let events = store.events(id(1), 1).await.expect("a read").items;
    assert_eq!(events, winner.events, "the losers left no event");
}

pub(super) async fn only_one_of_many_answers_to_an_operation_wins(store: &dyn Store) {
    let answer = marked(None, &mark(1));
    let (a, b, c) = tokio::join!(
        store.commit(id(1), &answer),
        store.commit(id(1), &answer),
        store.commit(id(1), &answer),
    );
    let outcomes = [a, b, c];
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    for outcome in outcomes {
        // A store may report concurrent writes as Conflict, and the caller tries again.
        let expected =
            matches!(outcome, Ok(()) | Err(CommitError::AlreadyMarked | CommitError::Conflict));
        assert!(expected, "{outcome:?}");
    }
}

pub(super) async fn events_are_read_in_order_page_by_page(store: &dyn Store) {
    const VERSIONS: u64 = 105;
    let mut current = first(id(1), "Subscribed");
    let mut expected = current.events.clone();
    commit(store, &current).await;
    for version in 2..=VERSIONS {
        let plan = if version.is_multiple_of(2) { "gold" } else { "silver" };
        let observed = serde_json::from_value(json!({ "planId": plan, "quantity": version }));
        current = change(Some(&current.record), &observed.expect("an observation"));
        assert_eq!(current.events.len(), 2);
        expected.extend(current.events.clone());
        commit(store, &current).await;
    }
    commit(store, &first(id(2), "Subscribed")).await;
    store.commit(id(1), &marked(None, &mark(1))).await.expect("marks are no events");

    let (mut read, mut after, mut pages) = (Vec::new(), 0, 0);
    loop {
        let Page { items, next } = store.events(id(1), after).await.expect("a page");
        read.extend(items);
        pages += 1;
        match next {
            Some(next) => {
                let position: u64 = next.parse().expect("a version");
                assert!(position > after, "each page makes progress");
                assert_eq!(read.last().map(|event| event.version), Some(position));
                after = position;
            }
            None => break,
        }
    }
    assert!(pages > 1, "the list is longer than a page");
    assert_eq!(read, expected, "every event, in order, with whole versions");

    for after in [0, 9, 10, 99, 100, VERSIONS - 1] {
        let page = store.events(id(1), after).await.expect("a page").items;
        assert_eq!(page.first().map(|event| (event.version, event.index)), Some((after + 1, 0)));
    }
    for after in [VERSIONS, u64::MAX] {
        let page = store.events(id(1), after).await.expect("a page");
        assert_eq!((page.items, page.next), (Vec::new(), None));
    }
}

pub(super) async fn many_records_are_read_in_one_call(store: &dyn Store) {
    let mut wanted = Vec::new();
    for number in 0..130 {
        commit(store, &first(id(number), "Subscribed")).await;
        wanted.extend([id(number), id(1000 + number), id(number / 2)]);
    }
    let read = store.load_many(&wanted).await.expect("a read");
    assert_eq!(read.len(), 130, "each existing record once");
    for (id, record) in read {
        assert_eq!(record.expect("a good record").id(), id);
    }
    assert!(store.load_many(&[]).await.expect("nothing to read").is_empty());
    assert!(store.load_many(&[id(9999)]).await.expect("a read").is_empty());
}

/// The whole list. Asserts that each record is listed once, and that no page exceeds a hundred.
async fn list(store: &dyn Store, filter: &Filter) -> BTreeMap<SubscriptionId, Record> {
    let (mut found, mut next) = (BTreeMap::new(), None);
    let mut positions = BTreeSet::new();
    loop {
        let page = store
            .list(&ListQuery::default().only(filter.clone()), next.as_deref())
            .await
            .expect("a page");
        assert!(page.items.len() <= 100);
        for record in page.items {
            assert_eq!(found.insert(record.id(), record), None, "listed twice");
        }
        match page.next {
            Some(position) => {
                assert!(positions.insert(position.clone()), "each page makes progress");
                next = Some(position);
            }
            None => return found,
        }
    }
}

pub(super) fn filter(status: Option<&str>, offer: Option<&str>) -> Filter {
    let (status, offer_id) = (status.map(Status::from), offer.map(str::to_owned));
    Filter { status, offer_id, is_test: None, is_unclaimed: None }
}

const LISTED: usize = 215;

/// Every third subscription is Suspended. Every fourth is of the offer `few: 1`, the others of
/// `many`.
fn listed(number: usize) -> NextVersion {
    let status = if number.is_multiple_of(3) { "Suspended" } else { "Subscribed" };
    // An offer's id may hold a colon and blanks.
    let offer = if number.is_multiple_of(4) { "few: 1" } else { "many" };
    change(None, &seen(id(number), status, offer, 10))
}

pub(super) async fn records_are_listed_by_status_offer_both_or_neither(store: &dyn Store) {
    let mut all = BTreeMap::new();
    for number in 0..LISTED {
        let purchase = listed(number);
        store.commit(id(number), &marked(Some(&purchase), &mark(1))).await.expect("committed");
        all.insert(id(number), purchase.record);
    }
    for status in [None, Some("Subscribed"), Some("Suspended"), Some("Unsubscribed")] {
        for offer in [None, Some("many"), Some("few: 1"), Some("none")] {
            let expected: BTreeMap<_, _> = all
                .iter()
                .filter(|(_, record)| {
                    status.is_none_or(|status| record.status().as_str() == status)
                })
                .filter(|(_, record)| {
                    offer.is_none_or(|offer| record.subscription.offer_id == offer)
                })
                .map(|(id, record)| (*id, record.clone()))
                .collect();
            let found = list(store, &filter(status, offer)).await;
            assert_eq!(found.len(), expected.len(), "{status:?} {offer:?}");
            assert_eq!(found, expected, "{status:?} {offer:?}");
        }
    }
}

pub(super) async fn lists_reflect_changes(store: &dyn Store) {
    let one = first(id(1), "Subscribed");
    commit(store, &one).await;
    let subscribed = filter(Some("Subscribed"), None);
    let suspended = filter(Some("Suspended"), Some("offer"));
    assert_eq!(list(store, &subscribed).await.len(), 1);
    assert_eq!(list(store, &suspended).await.len(), 0);

    let two = change(Some(&one.record), &seen(id(1), "Suspended", "offer", 10));
    commit(store, &two).await;
    assert_eq!(list(store, &subscribed).await.len(), 0, "no longer listed");
    let moved = list(store, &suspended).await;
    assert_eq!(moved.get(&id(1)), Some(&two.record), "listed with its new version");
    assert_eq!(list(store, &Filter::default()).await.len(), 1);
}

pub(super) async fn a_malformed_list_position_is_refused(store: &dyn Store) {
    commit(store, &first(id(1), "Subscribed")).await;
    for filter in [Filter::default(), filter(Some("Subscribed"), None), filter(None, Some("offer"))]
    {
        for nonsense in ["", "x", ":", "not-a-guid:Subscribed", "{}"] {
            let refused =
                store.list(&ListQuery::default().only(filter.clone()), Some(nonsense)).await;
            assert!(matches!(refused, Err(StoreError::BadPosition)), "{nonsense}: {refused:?}");
        }
    }
}
