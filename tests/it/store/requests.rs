//! What every store of requests with keys must do. A case gets one with nothing in it.

use shared::store::{
    BeginError, DynamoDbStore, IDEMPOTENCY_KEY_LIFETIME, IdempotencyRecord, IdempotencyStore,
    StoredResponse,
};

use super::*;

/// The table's own.
pub(super) fn desk(table: &Table) -> DynamoDbStore {
    DynamoDbStore::new(table.raw.clone(), TABLE.to_owned(), Arc::new(Stopped))
}

fn request(asked: &str, begun_at: Timestamp) -> IdempotencyRecord {
    IdempotencyRecord { request: asked.to_owned(), begun_at, response: None }
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

pub(super) async fn a_request_is_kept_once_and_answered(requests: &dyn IdempotencyStore) {
    let now = noon();
    assert_eq!(requests.find("a", now).await.expect("a read"), None);
    let first = request("the first", now);
    requests.begin("a", &first).await.expect("kept");
    for again in [first.clone(), request("another", now + second())] {
        let refused = requests.begin("a", &again).await;
        assert!(matches!(refused, Err(BeginError::Taken)), "{refused:?}");
    }
    assert_eq!(requests.find("a", now).await.expect("a read"), Some(first.clone()));
    requests.complete("a", &answered(&first)).await.expect("noted");
    assert_eq!(requests.find("a", now).await.expect("a read"), Some(answered(&first)));
    assert_eq!(requests.find("b", now).await.expect("a read"), None, "another key");
    requests.begin("b", &first).await.expect("kept under another key");
}

pub(super) async fn a_key_is_good_for_a_day(requests: &dyn IdempotencyStore) {
    let first = request("the first", noon());
    requests.begin("a", &first).await.expect("kept");
    requests.complete("a", &answered(&first)).await.expect("noted");
    let over = noon() + IDEMPOTENCY_KEY_LIFETIME;
    let last = requests.find("a", over - second()).await.expect("a read");
    assert_eq!(last, Some(answered(&first)));
    let early = requests.begin("a", &request("early", over - second())).await;
    assert!(matches!(early, Err(BeginError::Taken)), "{early:?}");
    assert_eq!(requests.find("a", over).await.expect("a read"), None);
    let second = request("the second", over);
    requests.begin("a", &second).await.expect("the key is free");
    assert_eq!(requests.find("a", over).await.expect("a read"), Some(second));
}

pub(super) async fn a_released_key_is_free(requests: &dyn IdempotencyStore) {
    let first = request("the first", noon());
    requests.begin("a", &first).await.expect("kept");
    requests.abandon("a", &first).await.expect("released");
    assert_eq!(requests.find("a", noon()).await.expect("a read"), None);
    let second = request("the second", noon());
    requests.begin("a", &second).await.expect("the key is free");
    assert_eq!(requests.find("a", noon()).await.expect("a read"), Some(second));
}

pub(super) async fn of_many_requests_with_one_key_one_is_kept(requests: &dyn IdempotencyStore) {
    let rivals = ["one", "two", "three"].map(|asked| request(asked, noon()));
    let (a, b, c) = tokio::join!(
        requests.begin("a", &rivals[0]),
        requests.begin("a", &rivals[1]),
        requests.begin("a", &rivals[2]),
    );
    let outcomes = [a, b, c];
    let winners: Vec<_> =
        rivals.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok()).collect();
    let [(winner, _)] = winners[..] else { panic!("one wins: {outcomes:?}") };
    for outcome in &outcomes {
        assert!(matches!(outcome, Ok(()) | Err(BeginError::Taken)), "{outcome:?}");
    }
    assert_eq!(requests.find("a", noon()).await.expect("a read").as_ref(), Some(winner));
}
