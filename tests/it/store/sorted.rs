//! The contract of every store about lists in an order. Each case gets an empty store.

use std::collections::BTreeSet;

use shared::domain::Status;
use shared::store::Sort;

use super::contract::filter;
use super::*;

/// More than two pages.
const LISTED: usize = 215;

fn at(minutes: usize) -> Timestamp {
    noon() + SignedDuration::from_mins(i64::try_from(minutes).expect("a small number"))
}

/// The version that this observation makes at that time.
fn observed(current: Option<&Record>, observed: serde_json::Value, now: Timestamp) -> NextVersion {
    let observed: Observation = serde_json::from_value(observed).expect("an observation");
    match observe(current, &observed, &Cause::Reconciliation, now) {
        Ok(Decision::Commit(change)) => change,
        other => panic!("nothing to commit: {other:?}"),
    }
}

fn subscription(number: usize, status: &str, term_end: Option<Timestamp>) -> serde_json::Value {
    let offer = if number.is_multiple_of(2) { "even" } else { "odd" };
    json!({
        "id": id(number), "offerId": offer, "planId": "silver", "saasSubscriptionStatus": status,
        "term": { "termUnit": "P1M", "endDate": term_end },
    })
}

/// Every fifth purchase has no term yet, and every seventh has ended. Eleven terms end at a time, and every
/// time three records changed. No order is that of the ids.
fn purchase(number: usize) -> NextVersion {
    let scattered = number * 83 % LISTED;
    let term_end = at(scattered / 11 * 60);
    let (status, term_end) = match number {
        number if number.is_multiple_of(5) => ("PendingFulfillmentStart", None),
        number if number.is_multiple_of(7) => ("Unsubscribed", Some(term_end)),
        _ => ("Subscribed", Some(term_end)),
    };
    observed(None, subscription(number, status, term_end), at(scattered / 3))
}

async fn commit(store: &dyn Store, change: &NextVersion) {
    store.commit(change.record.id(), &unmarked(change)).await.expect("committed");
}

async fn purchases(store: &dyn Store) -> Vec<Record> {
    let mut all = Vec::new();
    for number in 0..LISTED {
        let purchase = purchase(number);
        commit(store, &purchase).await;
        all.push(purchase.record);
    }
    all
}

/// The whole list. Asserts that it has pages, and each record once.
async fn list(store: &dyn Store, filter: &Filter, sort: Sort) -> Vec<Record> {
    let (mut found, mut next) = (Vec::new(), None);
    let mut positions = BTreeSet::new();
    let query = ListQuery::by(ListBy::Sort(sort)).only(filter.clone());
    loop {
        let page = store.list(&query, next.as_deref()).await.expect("a page");
        assert!(page.items.len() <= 100);
        found.extend(page.items);
        let Some(position) = page.next else { break };
        assert!(positions.insert(position.clone()), "each page makes progress");
        next = Some(position);
    }
    let distinct: BTreeSet<_> = found.iter().map(Record::id).collect();
    assert_eq!(distinct.len(), found.len(), "a record is listed once");
    found
}

fn by_id(mut records: Vec<Record>) -> Vec<Record> {
    records.sort_by_key(Record::id);
    records
}

/// When the next renewal is due. Without one, a record comes last.
fn renewal(record: &Record) -> (bool, Option<Timestamp>) {
    let has_ended = *record.status() == Status::Unsubscribed;
    let end = record.subscription.term.end_date.filter(|_| !has_ended);
    (end.is_none(), end)
}

pub(super) async fn the_latest_change_comes_first(store: &dyn Store) {
    let all = purchases(store).await;
    let found = list(store, &Filter::default(), Sort::LastChange).await;
    assert!(found.is_sorted_by(|one, next| one.updated_at >= next.updated_at));
    assert_ne!(found[0].updated_at, found[LISTED - 1].updated_at);
    let mut oldest = Vec::new();
    let mut next = None;
    loop {
        let query = ListQuery { limit: 70, ..ListQuery::by(ListBy::Oldest) };
        let page = store.list(&query, next.as_deref()).await.expect("a page");
        oldest.extend(page.items);
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert!(oldest.iter().rev().eq(&found), "from the other end");
    assert_eq!(by_id(found), by_id(all));
}

pub(super) async fn the_next_end_of_a_term_comes_first_and_no_renewal_comes_last(
    store: &dyn Store,
) {
    let all = purchases(store).await;
    let found = list(store, &Filter::default(), Sort::TermEnd).await;
    assert!(found.is_sorted_by_key(renewal));
    assert_eq!(renewal(&found[0]).1, Some(noon()));
    assert!(renewal(&found[LISTED - 1]).0);
    assert_eq!(by_id(found), by_id(all));
}

pub(super) async fn a_filter_leaves_the_order_as_it_is(store: &dyn Store) {
    let all = purchases(store).await;
    for filter in [
        filter(Some("Subscribed"), None),
        filter(Some("Unsubscribed"), None),
        filter(Some("Suspended"), None),
        filter(None, Some("even")),
        filter(Some("Subscribed"), Some("odd")),
    ] {
        let wanted = all.iter().filter(|record| filter.is_met_by(record)).cloned().collect();
        let wanted = by_id(wanted);
        let changed = list(store, &filter, Sort::LastChange).await;
        assert!(changed.is_sorted_by(|one, next| one.updated_at >= next.updated_at));
        assert_eq!(by_id(changed), wanted, "{filter:?}");
        let ending = list(store, &filter, Sort::TermEnd).await;
        assert!(ending.is_sorted_by_key(renewal));
        assert_eq!(by_id(ending), wanted, "{filter:?}");
    }
}

pub(super) async fn a_change_moves_a_record_within_both_orders(store: &dyn Store) {
    let end = |hours: usize| Some(at(hours * 60));
    let mut records = Vec::new();
    for number in 1..=3 {
        let term = subscription(number, "Subscribed", end(number));
        let first = observed(None, term, at(number));
        commit(store, &first).await;
        records.push(first.record);
    }
    let numbers = async |sort| -> Vec<usize> {
        let found = list(store, &Filter::default(), sort).await;
        let number = |record: &Record| (1..=3).find(|number| id(*number) == record.id());
        found.iter().filter_map(number).collect()
    };
    assert_eq!(numbers(Sort::LastChange).await, [3, 2, 1]);
    assert_eq!(numbers(Sort::TermEnd).await, [1, 2, 3]);
    // A renewal.
    let renewed = subscription(1, "Subscribed", end(9));
    commit(store, &observed(Some(&records[0]), renewed, at(60))).await;
    assert_eq!(numbers(Sort::LastChange).await, [1, 3, 2]);
    assert_eq!(numbers(Sort::TermEnd).await, [2, 3, 1]);
    // A cancellation.
    let ended = subscription(2, "Unsubscribed", end(2));
    commit(store, &observed(Some(&records[1]), ended, at(120))).await;
    assert_eq!(numbers(Sort::LastChange).await, [2, 1, 3]);
    assert_eq!(numbers(Sort::TermEnd).await, [3, 1, 2]);
}

pub(super) async fn a_position_of_another_order_is_refused(store: &dyn Store) {
    purchases(store).await;
    let by = |sort: Option<Sort>| ListQuery::by(sort.map_or(ListBy::All, ListBy::Sort));
    let first = async |sort| {
        let page = store.list(&by(sort), None).await.expect("a page");
        page.next.expect("there are more")
    };
    for sort in Sort::ALL {
        let other = if sort == Sort::TermEnd { Sort::LastChange } else { Sort::TermEnd };
        for position in [&first(Some(other)).await, &first(None).await, "", "x", "termEnd #", " "] {
            let refused = store.list(&by(Some(sort)), Some(position)).await;
            assert!(matches!(refused, Err(StoreError::BadPosition)), "{position}: {refused:?}");
        }
        let position = first(Some(sort)).await;
        let refused = store.list(&by(None), Some(&position)).await;
        assert!(matches!(refused, Err(StoreError::BadPosition)), "{position}: {refused:?}");
    }
}
