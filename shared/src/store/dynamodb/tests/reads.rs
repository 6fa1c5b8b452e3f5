//! What reads ask of DynamoDB, and what an incomplete answer means.

use serde_json::Value;

use super::*;
use crate::domain::Position;
use crate::store::{Checkpoints as _, IdempotencyStore as _, Outbox as _, Target};

/// An answer that leaves the key of a record unprocessed.
fn unprocessed() -> String {
    let key = json!({ "pk": { "S": "SUB#x" }, "sk": { "S": "RECORD" } });
    let left = json!({ "table": { "Keys": [key], "ConsistentRead": true } });
    json!({ "Responses": { "table": [] }, "UnprocessedKeys": left }).to_string()
}

#[tokio::test]
async fn every_read_that_decides_something_is_consistent() {
    let env = Env::new();
    let (id, operation) = (SubscriptionId(Uuid::nil()), OperationId::from(Uuid::nil()));
    let store = &env.store;
    store.load(id).await.expect("a read");
    store.load_with_mark(id, &operation).await.expect("a read");
    env.answers([unprocessed()]);
    store.load_many(&[id]).await.expect("two reads");
    store.events(id, 0).await.expect("a read");
    store.checkpoint().await.expect("a read");
    store.cursor(id, Target::Endpoint).await.expect("a read");
    store.backlog(id, Position::default()).await.expect("a read");
    store.find("key", env.clock.now()).await.expect("a read");

    let requests = env.requests();
    assert_eq!(requests.len(), 9, "each read is one request, and one more for the key left over");
    for request in requests {
        let batch = &request["RequestItems"]["table"];
        let read = if batch.is_null() { &request } else { batch };
        assert_eq!(read["ConsistentRead"], Value::Bool(true), "{request}");
    }
}

#[tokio::test]
async fn keys_left_unprocessed_to_the_end_are_an_error_and_not_absent() {
    let (id, operation) = (SubscriptionId(Uuid::nil()), OperationId::from(Uuid::nil()));
    let is_throttled = |error| matches!(error, StoreError::Throttled { .. });
    for attempts in [1, READS.attempts] {
        let env = Env::new();
        let rounds = attempts * BATCH_ROUNDS;
        env.answers((0..rounds).map(|_| unprocessed()));
        // Without a deadline, every attempt of the policy is made.
        let read = env.store.load_many(&[id]).await;
        assert_eq!(read.is_err_and(is_throttled), attempts == READS.attempts);
        assert_eq!(env.asked(), rounds + u32::from(attempts == 1));
    }
    let env = Env::new();
    env.answers((0..READS.attempts * BATCH_ROUNDS).map(|_| unprocessed()));
    assert!(env.store.load_with_mark(id, &operation).await.is_err_and(is_throttled));
}

#[tokio::test]
async fn keys_left_unprocessed_are_read_until_the_last_round() {
    let env = Env::new();
    env.answers((1..BATCH_ROUNDS).map(|_| unprocessed()));
    let read = env.store.load_many(&[SubscriptionId(Uuid::nil())]).await;
    assert!(read.expect("the last round has read everything").is_empty());
    assert_eq!(env.asked(), BATCH_ROUNDS);
}
