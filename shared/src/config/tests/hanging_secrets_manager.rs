//! If Secrets Manager hangs while the signing key is read, the acknowledgement still has its time.

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::domain::{
    Action, Cause, DecidedBy, Decision, Observation, Operation, OperationId, Record, Requested,
    SubscriptionId, observe,
};
use crate::host::deadline::{self, DeadlineTransport};
use crate::host::http_client::SendError;
use crate::host::retry::RetryPolicy;
use crate::publisher::approval::{ChangeApproval, ChangeContext, RESERVED_FOR_ACK};

/// The SDK's own pauses between its attempts.
const SDK_PAUSES: Duration = Duration::from_millis(150);

fn noon() -> Timestamp {
    "2026-03-10T12:00:00Z".parse().expect("a timestamp")
}

/// Time passes only while the code waits.
#[derive(Debug)]
struct Waiting(tokio::time::Instant);

#[async_trait]
impl Clock for Waiting {
    fn now(&self) -> Timestamp {
        noon() + self.0.elapsed()
    }

    async fn sleep(&self, pause: Duration) {
        tokio::time::sleep(pause).await;
    }

    fn new_id(&self) -> Uuid {
        Uuid::from_u128(9)
    }
}

/// A transport on which no request gets an answer.
#[derive(Debug)]
struct Hanging;

#[async_trait]
impl Transport for Hanging {
    async fn send(
        &self,
        _: http::Request<Bytes>,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, SendError> {
        tokio::time::sleep(timeout).await;
        Err(SendError::NoAnswer("timed out".into()))
    }
}

fn dependencies(environment: &Environment) -> Dependencies {
    let clock: Arc<dyn Clock> = Arc::new(Waiting(tokio::time::Instant::now()));
    let transport: Arc<dyn Transport> = Arc::new(DeadlineTransport::new(Hanging, clock.clone()));
    let table = table(environment, &transport, clock.clone()).expect("complete settings");
    Dependencies {
        microsoft: Microsoft::read(environment, &transport).expect("complete settings"),
        store: table.clone(),
        checkpoints: table.clone(),
        due_work: table.clone(),
        runs: table.clone(),
        refusals: table.clone(),
        sightings: table.clone(),
        erasures: table.clone(),
        outbox: table.clone(),
        receiver_states: table.clone(),
        annotations: table.clone(),
        offer_settings: table,
        transport,
        clock,
    }
}

fn settings() -> Environment {
    environment(&[
        ("DECISION_URL", Some("https://api.contoso.example/decisions")),
        ("DECISION_SIGNING_KEY_ARN", Some(ARN)),
    ])
}

fn change() -> (Record, Requested) {
    let observed: Observation = serde_json::from_value(json!({
        "id": Uuid::from_u128(1), "offerId": "offer", "planId": "basic", "quantity": 10,
        "saasSubscriptionStatus": "Subscribed",
    }))
    .expect("an observation");
    let Ok(Decision::Commit(first)) = observe(None, &observed, &Cause::Landing, noon()) else {
        panic!("no record")
    };
    let operation: Operation = serde_json::from_value(json!({
        "id": Uuid::from_u128(2), "action": "ChangePlan", "planId": "team", "quantity": 10,
    }))
    .expect("an operation");
    let requested = Requested {
        subscription: SubscriptionId(Uuid::from_u128(1)),
        id: OperationId::from(Uuid::from_u128(2)),
        action: Action::ChangePlan,
        operation: Some(operation),
        cause: Cause::Reconciliation,
    };
    (first.record, requested)
}

#[tokio::test(start_paused = true)]
async fn t_18_an_unreadable_key_leaves_time_for_the_acknowledgement() {
    let (current, requested) = change();
    let operation = requested.operation.as_ref().expect("an operation");
    for left in [9000, 5500, 3300] {
        let environment = settings();
        let dependencies = dependencies(&environment);
        let approval = ChangeApproval::read(&environment, &dependencies).expect("settings");
        let clock = &dependencies.clock;
        let end = clock.now() + Duration::from_millis(left);
        let context = ChangeContext::default();
        let decided = approval.decide(&current, &requested, operation, &context);
        let ruling = deadline::with_deadline(end, decided).await;
        assert_eq!(ruling.by, DecidedBy::Fallback, "{left} ms");
        assert_eq!(ruling.reason.as_deref(), Some("no_signing_key"), "{left} ms");
        let remaining = Duration::try_from(end.duration_since(clock.now())).unwrap_or_default();
        assert!(remaining + SDK_PAUSES >= RESERVED_FOR_ACK, "{remaining:?} remain of {left} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_key_costs_no_more_time_than_fetching_the_plans() {
    let environment = settings();
    let dependencies = dependencies(&environment);
    let approval = ChangeApproval::read(&environment, &dependencies).expect("settings");
    let clock = &dependencies.clock;
    let retry = RetryPolicy::WITHIN_WEBHOOK;
    let marketplace = dependencies.microsoft.marketplace(retry, clock.clone());
    let begun = clock.now();
    let id = SubscriptionId(Uuid::from_u128(1));
    let context = approval.gather(&*marketplace, clock, id).await;
    assert!(context.plans.is_none());
    let limit = Duration::from_millis(1500) + SDK_PAUSES;
    assert!(clock.now() <= begun + limit, "{}", clock.now() - begun);
}
