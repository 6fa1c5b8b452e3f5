//! What every store of requests with keys must do. A case gets one with nothing in it.

use shared::store::{DynamoDbStore, KeepError, KeptAnswer, KeyedRequest, REQUEST_LIVES, Requests};

use super::*;

/// The table's own.
pub fn desk(table: &Table) -> DynamoDbStore {
    DynamoDbStore::new(table.raw.clone(), TABLE.to_owned(), Arc::new(Stopped))
}

fn request(asked: &str, begun_at: Timestamp) -> KeyedRequest {
    KeyedRequest { asked: asked.to_owned(), begun_at, answer: None }
}

fn answered(request: &KeyedRequest) -> KeyedRequest {
    let answer = KeptAnswer {
        status: 202,
        headers: vec![("location".to_owned(), "/there".to_owned())],
        body: r#"{"operationId":null}"#.to_owned(),
    };
    KeyedRequest { answer: Some(answer), ..request.clone() }
}

fn second() -> SignedDuration {
    SignedDuration::from_secs(1)
}

pub async fn a_request_is_kept_once_and_answered(requests: &dyn Requests) {
    let now = noon();
    assert_eq!(requests.request("a", now).await.expect("a read"), None);
    let first = request("the first", now);
    requests.keep_request("a", &first).await.expect("kept");
    for again in [first.clone(), request("another", now + second())] {
        let refused = requests.keep_request("a", &again).await;
        assert!(matches!(refused, Err(KeepError::Taken)), "{refused:?}");
    }
    assert_eq!(requests.request("a", now).await.expect("a read"), Some(first.clone()));
    requests.answer_request("a", &answered(&first)).await.expect("noted");
    assert_eq!(requests.request("a", now).await.expect("a read"), Some(answered(&first)));
    assert_eq!(requests.request("b", now).await.expect("a read"), None, "another key");
    requests.keep_request("b", &first).await.expect("kept under another key");
}

pub async fn a_key_is_good_for_a_day(requests: &dyn Requests) {
    let first = request("the first", noon());
    requests.keep_request("a", &first).await.expect("kept");
    requests.answer_request("a", &answered(&first)).await.expect("noted");
    let over = noon() + REQUEST_LIVES;
    let last = requests.request("a", over - second()).await.expect("a read");
    assert_eq!(last, Some(answered(&first)));
    let early = requests.keep_request("a", &request("early", over - second())).await;
    assert!(matches!(early, Err(KeepError::Taken)), "{early:?}");
    assert_eq!(requests.request("a", over).await.expect("a read"), None);
    let second = request("the second", over);
    requests.keep_request("a", &second).await.expect("the key is free");
    assert_eq!(requests.request("a", over).await.expect("a read"), Some(second));
}

pub async fn a_released_key_is_free(requests: &dyn Requests) {
    let first = request("the first", noon());
    requests.keep_request("a", &first).await.expect("kept");
    requests.release_request("a", &first).await.expect("released");
    assert_eq!(requests.request("a", noon()).await.expect("a read"), None);
    let second = request("the second", noon());
    requests.keep_request("a", &second).await.expect("the key is free");
    assert_eq!(requests.request("a", noon()).await.expect("a read"), Some(second));
}

pub async fn of_many_requests_with_one_key_one_is_kept(requests: &dyn Requests) {
    let rivals = ["one", "two", "three"].map(|asked| request(asked, noon()));
    let (a, b, c) = tokio::join!(
        requests.keep_request("a", &rivals[0]),
        requests.keep_request("a", &rivals[1]),
        requests.keep_request("a", &rivals[2]),
    );
    let outcomes = [a, b, c];
    let winners: Vec<_> =
        rivals.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok()).collect();
    let [(winner, _)] = winners[..] else { panic!("one wins: {outcomes:?}") };
    for outcome in &outcomes {
        assert!(matches!(outcome, Ok(()) | Err(KeepError::Taken)), "{outcome:?}");
    }
    assert_eq!(requests.request("a", noon()).await.expect("a read").as_ref(), Some(winner));
}
