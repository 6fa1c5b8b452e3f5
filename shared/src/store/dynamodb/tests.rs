//! What the store does when DynamoDB refuses for a moment.

mod reads;

use std::collections::VecDeque;
use std::sync::Mutex;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::Config;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region};
use bytes::Bytes;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::domain::{Action, OperationId};
use crate::host::deadline::{WEBHOOK_TIME, with_deadline};
use crate::host::http_client::{SendError, Transport, for_aws};
use crate::store::OperationOutcome;

/// DynamoDB with scripted answers. Without one, it answers that all is well.
#[derive(Debug, Default)]
struct Scripted {
    answers: Mutex<VecDeque<String>>,
    requests: Mutex<Vec<serde_json::Value>>,
}

#[async_trait]
impl Transport for Scripted {
    async fn send(
        &self,
        request: Request<Bytes>,
        _: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        let request = serde_json::from_slice(request.body()).expect("JSON");
        self.requests.lock().expect("no test panicked").push(request);
        let answer = self.answers.lock().expect("no test panicked").pop_front();
        let body = answer.unwrap_or_else(|| "{}".to_owned());
        let status = if body.contains("__type") { 400 } else { 200 };
        let answer = Response::builder().status(status).body(Bytes::from(body));
        Ok(answer.expect("a status"))
    }
}

/// Sleeping moves it.
#[derive(Debug)]
struct Moving(Mutex<Timestamp>);

#[async_trait]
impl Clock for Moving {
    fn now(&self) -> Timestamp {
        *self.0.lock().expect("no test panicked")
    }

    async fn sleep(&self, pause: Duration) {
        let pause = SignedDuration::try_from(pause).expect("a short pause");
        *self.0.lock().expect("no test panicked") += pause;
    }

    fn new_id(&self) -> Uuid {
        Uuid::nil()
    }
}

struct Env {
    table: Arc<Scripted>,
    clock: Arc<Moving>,
    store: DynamoDbStore,
}

impl Env {
    fn new() -> Self {
        let table = Arc::new(Scripted::default());
        let clock = Arc::new(Moving(Mutex::new(Timestamp::UNIX_EPOCH)));
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(for_aws(table.clone()))
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .region(Region::new("eu-north-1"))
            // The SDK repeats no cancelled transaction, and other calls for a moment only.
            .retry_config(RetryConfig::disabled())
            .build();
        let client = Client::from_conf(config);
        let store = DynamoDbStore::new(client, "table".to_owned(), clock.clone());
        Self { table, clock, store }
    }

    fn answers(&self, answers: impl IntoIterator<Item = String>) {
        self.table.answers.lock().expect("no test panicked").extend(answers);
    }

    /// How often DynamoDB was asked since the last time.
    fn asked(&self) -> u32 {
        u32::try_from(self.requests().len()).expect("few requests")
    }

    /// What DynamoDB was asked since the last time.
    fn requests(&self) -> Vec<serde_json::Value> {
        std::mem::take(&mut *self.table.requests.lock().expect("no test panicked"))
    }

    /// Commits a mark, with this much of the webhook's time left.
    async fn commit(&self, left: SignedDuration) -> Result<(), CommitError> {
        let now = self.clock.now();
        let mark = Mark {
            operation_id: OperationId::from(Uuid::nil()),
            action: Action::ChangePlan,
            outcome: OperationOutcome::Rejected,
            at: now,
        };
        let commit = Commit { next: None, mark: Some(mark) };
        let id = SubscriptionId(Uuid::nil());
        with_deadline(now + left, self.store.commit(id, &commit)).await
    }

    async fn load(&self, left: SignedDuration) -> Result<(), StoreError> {
        let (id, operation) = (SubscriptionId(Uuid::nil()), OperationId::from(Uuid::nil()));
        let read = self.store.load_with_mark(id, &operation);
        with_deadline(self.clock.now() + left, read).await.map(drop)
    }
}

fn refusal(code: &str) -> String {
    json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{code}") }).to_string()
}

/// A transaction that is cancelled, with the reason for each of its items.
fn cancelled(reasons: &[&str]) -> String {
    let reasons: Vec<_> = reasons.iter().map(|code| json!({ "Code": code })).collect();
    let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    json!({ "__type": kind, "Message": "cancelled", "CancellationReasons": reasons }).to_string()
}

#[tokio::test]
async fn a_throttled_transaction_is_tried_again_until_it_is_written() {
    for reason in ["ThrottlingError", "ProvisionedThroughputExceeded"] {
        let env = Env::new();
        env.answers([cancelled(&["None", reason]), cancelled(&[reason])]);
        env.answers([refusal("ThrottlingException")]);
        env.commit(WEBHOOK_TIME).await.expect("written");
        assert_eq!(env.asked(), 4, "{reason}");
    }
}

#[tokio::test]
async fn a_condition_that_fails_is_answered_at_once_also_beside_throttling() {
    let env = Env::new();
    env.answers([cancelled(&["ThrottlingError", "TransactionConflict"])]);
    let conflict = env.commit(WEBHOOK_TIME).await;
    assert!(matches!(conflict, Err(CommitError::Conflict)), "{conflict:?}");
    env.answers([cancelled(&["ConditionalCheckFailed", "ThrottlingError"])]);
    let marked = env.commit(WEBHOOK_TIME).await;
    assert!(matches!(marked, Err(CommitError::AlreadyMarked)), "{marked:?}");
    assert_eq!(env.asked(), 2);
}

#[tokio::test]
async fn a_commit_that_may_have_been_written_is_not_repeated() {
    let env = Env::new();
    env.answers([refusal("InternalServerError")]);
    let unknown = env.commit(WEBHOOK_TIME).await;
    assert!(
        matches!(unknown, Err(CommitError::Store(StoreError::Unavailable { .. }))),
        "{unknown:?}"
    );
    assert_eq!(env.asked(), 1);
}

#[tokio::test]
async fn a_table_that_stays_throttled_is_given_up_within_the_deadline() {
    let env = Env::new();
    let begun = env.clock.now();
    env.answers((0..100).map(|_| cancelled(&["ThrottlingError"])));
    let throttled = env.commit(SignedDuration::from_secs(1)).await;
    assert!(
        matches!(throttled, Err(CommitError::Store(StoreError::Throttled { .. }))),
        "{throttled:?}"
    );
    assert!(env.clock.now().duration_since(begun) < SignedDuration::from_secs(1));
    assert!(env.asked() > 1);
    // In an outage, not every caller waits.
    for _ in 0..2 {
        env.commit(WEBHOOK_TIME).await.expect_err("throttled");
    }
    env.asked();
    env.commit(WEBHOOK_TIME).await.expect_err("throttled");
    assert_eq!(env.asked(), 1);
}

#[tokio::test]
async fn a_read_is_tried_again_while_the_deadline_leaves_time_for_what_follows() {
    let env = Env::new();
    for code in ["ThrottlingException", "InternalServerError"] {
        env.answers([refusal(code), refusal(code)]);
        env.load(WEBHOOK_TIME).await.expect("an answer");
        assert_eq!(env.asked(), 3, "{code}");
    }
    let reserve = SignedDuration::try_from(RetryPolicy::WITHIN_WEBHOOK.reserve).expect("short");
    env.answers([refusal("ThrottlingException")]);
    env.load(reserve).await.expect_err("no time is left to try again");
    assert_eq!(env.asked(), 1);
    env.answers([refusal("AccessDeniedException")]);
    env.load(WEBHOOK_TIME).await.expect_err("a refusal");
    assert_eq!(env.asked(), 1);
}
