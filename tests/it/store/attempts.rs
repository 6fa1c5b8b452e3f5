//! Attempts that failed. Every implementation runs the contract.

use shared::store::{Attempt, Attempts, Erasures};

use super::*;

/// An attempt so many milliseconds after noon.
fn attempt(receiver: &str, millis: i64) -> Attempt {
    Attempt {
        at: noon() + SignedDuration::from_millis(millis),
        receiver: receiver.to_owned(),
        event_id: format!("{}-7-0", id(1)),
        event_type: "saas-fulfillment.subscription.renewed.v1".to_owned(),
        status: Some(503),
        latency_ms: 118,
        reason: Some("answered 503".to_owned()),
        class: Some("product".to_owned()),
        answer: Some("Adele is unknown".to_owned()),
        request: None,
    }
}

async fn listed(attempts: &dyn Attempts, number: usize, limit: u8) -> Vec<Attempt> {
    let (mut all, mut next) = (Vec::new(), None);
    loop {
        let page = attempts.attempts(id(number), limit, next.as_deref()).await.expect("a page");
        assert!(page.items.len() <= usize::from(limit));
        all.extend(page.items);
        next = page.next;
        if next.is_none() {
            return all;
        }
    }
}

async fn attempts_are_listed_the_latest_first(attempts: &dyn Attempts) {
    assert_eq!(listed(attempts, 1, 2).await, []);
    // A fraction of a second must not change the order.
    let expected = [
        attempt("endpoint", 12_000),
        attempt("event-bus", 3_005),
        attempt("endpoint", 3_005),
        attempt("endpoint", 3_000),
        attempt("event-bus", 0),
    ];
    for number in [3, 0, 4, 1, 2] {
        attempts.save_attempt(id(1), &expected[number]).await.expect("a write");
    }
    attempts.save_attempt(id(2), &attempt("endpoint", 5_000)).await.expect("a write");
    for limit in [1, 2, 5, 100] {
        assert_eq!(listed(attempts, 1, limit).await, expected, "{limit}");
    }
    assert_eq!(listed(attempts, 2, 100).await, [attempt("endpoint", 5_000)]);
    let accepted = Attempt {
        status: None,
        reason: None,
        class: None,
        answer: None,
        ..attempt("endpoint", 12_000)
    };
    attempts.save_attempt(id(1), &accepted).await.expect("a write");
    assert_eq!(listed(attempts, 1, 100).await[0], accepted, "the same attempt");
    for position in ["", "x", "ATTEMPT#", "ATTEMPT#noon#endpoint", "RECORD"] {
        let refused = attempts.attempts(id(1), 2, Some(position)).await;
        assert!(matches!(refused, Err(StoreError::BadPosition)), "{position}: {refused:?}");
    }
}

async fn an_erasure_removes_what_receivers_wrote(attempts: &dyn Attempts, erasures: &dyn Erasures) {
    // More than a page.
    for number in 0..=110 {
        attempts.save_attempt(id(1), &attempt("endpoint", number)).await.expect("a write");
    }
    attempts.save_attempt(id(2), &attempt("endpoint", 0)).await.expect("a write");
    for _ in 0..2 {
        erasures.erase_attempts(id(1)).await.expect("erased");
        let expected: Vec<_> =
            (0..=110).rev().map(|number| attempt("endpoint", number).without_text()).collect();
        assert_eq!(listed(attempts, 1, 100).await, expected);
        assert!(expected.iter().all(|attempt| attempt.answer.is_none()));
    }
    assert_eq!(listed(attempts, 2, 100).await, [attempt("endpoint", 0)], "another subscription's");
    erasures.erase_attempts(id(3)).await.expect("nothing to do");
}

#[tokio::test]
async fn attempts_are_stored_in_dynamodb() {
    attempts_are_listed_the_latest_first(&*Table::new().await.attempts).await;
    let table = Table::new().await;
    an_erasure_removes_what_receivers_wrote(&*table.attempts, &*table.erasures).await;
}

#[tokio::test]
async fn attempts_are_stored_on_the_wire() {
    attempts_are_listed_the_latest_first(&*wire::store()).await;
    let store = wire::store();
    an_erasure_removes_what_receivers_wrote(&*store, &*store).await;
}

#[tokio::test]
async fn attempts_are_stored_in_memory() {
    attempts_are_listed_the_latest_first(&memory_store::MemoryStore::default()).await;
    let table = memory_store::MemoryStore::default();
    an_erasure_removes_what_receivers_wrote(&table, &table).await;
}

#[tokio::test]
async fn an_attempt_expires_after_thirty_days_also_once_it_was_erased() {
    let table = Table::new().await;
    table.attempts.save_attempt(id(1), &attempt("endpoint", 0)).await.expect("a write");
    for is_erased in [false, true] {
        if is_erased {
            table.erasures.erase_attempts(id(1)).await.expect("erased");
        }
        let items = table.items(id(1)).await;
        let [item] = &items[..] else { panic!("one item: {items:?}") };
        assert_eq!(sort(item), "ATTEMPT#2026-03-10T12:00:00.000000000Z#endpoint");
        let at: i64 = item["expires_at"].as_n().expect("a number").parse().expect("seconds");
        assert_eq!(at - noon().as_second(), 30 * 24 * 60 * 60);
        assert_eq!(format!("{item:?}").contains("Adele"), !is_erased);
    }
}
