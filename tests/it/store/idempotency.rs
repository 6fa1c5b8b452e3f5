//! The contract of every idempotency store. Each case gets an empty store.

use shared::store::{
    BeginError, DynamoDbStore, IDEMPOTENCY_KEY_LIFETIME, IdempotencyRecord, IdempotencyStore,
    StoredResponse,
};

use super::*;

/// The idempotency store on DynamoDB.
pub(super) fn dynamodb(table: &Table) -> DynamoDbStore {
    DynamoDbStore::new(table.raw.clone(), TABLE.to_owned(), Arc::new(Stopped))
}

fn request(text: &str, begun_at: Timestamp) -> IdempotencyRecord {
    IdempotencyRecord { request: text.to_owned(), begun_at, response: None }
}

fn answered(request: &IdempotencyRecord) -> IdempotencyRecord {
    let answer = StoredResponse {
        status: 202,
        headers: vec![("location".to_owned(), "/there".to_owned())],
        body: r#"{"operationId":null}"#.to_owned(),
    };
    IdempotencyRecord { response: Some(answer), ..request.clone() }
}

fn second() -> SignedDuration {
    SignedDuration::from_secs(1)
}

pub(super) async fn a_request_is_stored_once_and_completed(store: &dyn IdempotencyStore) {
    let now = noon();
    assert_eq!(store.find("a", now).await.expect("a read"), None);
    let first = request("the first", now);
    store.begin("a", &first).await.expect("stored");
    for again in [first.clone(), request("another", now + second())] {
        let refused = store.begin("a", &again).await;
        assert!(matches!(refused, Err(BeginError::Taken)), "{refused:?}");
    }
    assert_eq!(store.find("a", now).await.expect("a read"), Some(first.clone()));
    store.complete("a", &answered(&first)).await.expect("completed");
    assert_eq!(store.find("a", now).await.expect("a read"), Some(answered(&first)));
    assert_eq!(store.find("b", now).await.expect("a read"), None, "another key");
    store.begin("b", &first).await.expect("stored under another key");
}

pub(super) async fn a_key_is_valid_for_a_day(store: &dyn IdempotencyStore) {
    let first = request("the first", noon());
    store.begin("a", &first).await.expect("stored");
    store.complete("a", &answered(&first)).await.expect("completed");
    let over = noon() + IDEMPOTENCY_KEY_LIFETIME;
    let last = store.find("a", over - second()).await.expect("a read");
    assert_eq!(last, Some(answered(&first)));
    let early = store.begin("a", &request("early", over - second())).await;
    assert!(matches!(early, Err(BeginError::Taken)), "{early:?}");
    assert_eq!(store.find("a", over).await.expect("a read"), None);
    let second = request("the second", over);
    store.begin("a", &second).await.expect("the key is free");
    assert_eq!(store.find("a", over).await.expect("a read"), Some(second));
}

pub(super) async fn an_abandoned_key_is_free(store: &dyn IdempotencyStore) {
    let first = request("the first", noon());
    store.begin("a", &first).await.expect("stored");
    store.abandon("a", &first).await.expect("abandoned");
    assert_eq!(store.find("a", noon()).await.expect("a read"), None);
    let second = request("the second", noon());
    store.begin("a", &second).await.expect("the key is free");
    assert_eq!(store.find("a", noon()).await.expect("a read"), Some(second));
}

pub(super) async fn only_one_of_many_requests_with_a_key_is_stored(store: &dyn IdempotencyStore) {
    let rivals = ["one", "two", "three"].map(|text| request(text, noon()));
    let (a, b, c) = tokio::join!(
        store.begin("a", &rivals[0]),
        store.begin("a", &rivals[1]),
        store.begin("a", &rivals[2]),
    );
    let outcomes = [a, b, c];
    let winners: Vec<_> =
        rivals.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok()).collect();
    let [(winner, _)] = winners[..] else { panic!("one wins: {outcomes:?}") };
    for outcome in &outcomes {
        assert!(matches!(outcome, Ok(()) | Err(BeginError::Taken)), "{outcome:?}");
    }
    assert_eq!(store.find("a", noon()).await.expect("a read").as_ref(), Some(winner));
}
