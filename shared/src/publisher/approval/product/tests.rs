//! The question to the product, its time limits, and the answers that count as a decision.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use http::StatusCode;
use jiff::SignedDuration;
use secrecy::SecretString;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::{MIN_PRODUCT_TIME, PRODUCT_TIMEOUT, RESERVED_FOR_ACK};
use super::*;
use crate::domain::{Cause, Decision, Observation, Operation, SubscriptionId, observe};

const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A stopped clock.
#[derive(Debug)]
struct Noon;

#[async_trait]
impl Clock for Noon {
    fn now(&self) -> Timestamp {
        "2026-03-10T12:00:00Z".parse().expect("a timestamp")
    }

    async fn sleep(&self, _: Duration) {}

    fn new_id(&self) -> Uuid {
        Uuid::from_u128(9)
    }
}

/// A product that gives one fixed answer and records the requests with their timeouts.
#[derive(Debug)]
struct Answering {
    answer: Option<(StatusCode, &'static str)>,
    asked: Mutex<Vec<(Request<Bytes>, Duration)>>,
}

#[async_trait]
impl Transport for Answering {
    async fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        self.asked.lock().expect("no test panicked").push((request, timeout));
        let (status, body) = self.answer.ok_or_else(|| SendError::NoAnswer("timed out".into()))?;
        let mut response = Response::new(Bytes::from_static(body.as_bytes()));
        *response.status_mut() = status;
        Ok(response)
    }
}

struct TestEnv {
    transport: Arc<Answering>,
    product: Product,
    current: Record,
    requested: Requested,
}

fn env(answer: Option<(StatusCode, &'static str)>) -> TestEnv {
    let transport = Arc::new(Answering { answer, asked: Mutex::default() });
    let observed: Observation = serde_json::from_value(json!({
        "id": Uuid::from_u128(1), "offerId": "offer", "planId": "basic", "quantity": 10,
        "saasSubscriptionStatus": "Subscribed",
    }))
    .expect("an observation");
    let Ok(Decision::Commit(born)) = observe(None, &observed, &Cause::Landing, Noon.now()) else {
        panic!("no record")
    };
    let operation: Operation = serde_json::from_value(json!({
        "id": Uuid::from_u128(2), "action": "ChangePlan", "planId": "team", "quantity": 10,
    }))
    .expect("an operation");
    TestEnv {
        product: Product::new(
            http::Uri::from_static("https://api.contoso.example/decisions"),
            ClientSecret::Given(SecretString::from(KEY)),
            None,
            transport.clone(),
            Arc::new(Noon),
        ),
        transport,
        current: born.record,
        requested: Requested {
            subscription: SubscriptionId(Uuid::from_u128(1)),
            id: OperationId::from(Uuid::from_u128(2)),
            action: Action::ChangePlan,
            operation: Some(operation),
            cause: Cause::Reconciliation,
        },
    }
}

impl TestEnv {
    async fn ask(&self, plans: Option<Value>) -> Result<Ruling, NoDecision> {
        let plans = plans.map(|plans| serde_json::from_str(&plans.to_string()).expect("plans"));
        let operation = self.requested.operation.as_ref().expect("an operation");
        let change = RequestedChange::of(&self.current.subscription, operation);
        let change = change.expect("a change of plan");
        self.product.ask(&self.current, &self.requested, &change, &ChangeContext { plans }).await
    }

    fn asked(&self) -> (Request<Bytes>, Duration) {
        self.transport.asked.lock().expect("no test panicked").pop().expect("the product was asked")
    }
}

#[tokio::test]
async fn the_question_describes_the_change_and_is_signed_like_an_event() {
    let env = env(Some((StatusCode::OK, r#"{"decision":"accept"}"#)));
    let plans = json!([
        { "planId": "basic", "minQuantity": 1, "maxQuantity": 100 },
        { "planId": "team", "minQuantity": 5 },
    ]);
    assert_eq!(env.ask(Some(plans)).await, Ok(Ruling::accept(DecidedBy::Product)));
    let (request, timeout) = env.asked();
    assert_eq!((request.method(), timeout), (&Method::POST, PRODUCT_TIMEOUT));
    assert_eq!(request.uri().to_string(), "https://api.contoso.example/decisions");
    let body: Value = serde_json::from_slice(request.body()).expect("JSON");
    assert_eq!(body["type"], "saas-fulfillment.decision.v1");
    assert_eq!(body["operationId"], Uuid::from_u128(2).to_string());
    assert_eq!(body["deadline"], "2026-03-10T12:00:03Z");
    assert_eq!(body["action"], "ChangePlan");
    assert_eq!(body["change"], json!({ "of": "plan", "from": "basic", "to": "team" }));
    assert_eq!(body["subscription"]["quantity"], 10);
    assert_eq!(body["limits"], json!({ "planId": "team", "minQuantity": 5 }));
    assert_eq!(body["plans"][0]["maxQuantity"], 100);

    let keys = WebhookKeys::parse(KEY).expect("a key");
    let signed = keys.headers(&Uuid::from_u128(2).to_string(), Noon.now(), request.body());
    for (name, value) in &signed {
        assert_eq!(request.headers().get(name), Some(value), "{name}");
    }
}

#[tokio::test]
async fn unknown_plans_and_limits_are_left_out_of_the_question() {
    let env = env(Some((StatusCode::OK, r#"{"decision":"accept"}"#)));
    for plans in [None, Some(json!([])), Some(json!([{ "planId": "basic" }]))] {
        env.ask(plans.clone()).await.expect("a decision");
        let body: Value = serde_json::from_slice(env.asked().0.body()).expect("JSON");
        assert_eq!(body.get("limits"), None, "F-PLN-8: a plan may be missing");
        assert_eq!(body.get("plans").is_some(), plans.is_some());
    }
}

#[tokio::test]
async fn the_products_answer_is_read_tolerantly() {
    let accept = |reason: Option<&str>| Ruling {
        verdict: Verdict::Accept,
        by: DecidedBy::Product,
        reason: reason.map(str::to_owned),
        principal: None,
    };
    for (body, expected) in [
        (r#"{"decision":"accept"}"#, accept(None)),
        ("\u{feff} {\"decision\":\" Accept \",\"reason\":\"\",\"more\":[1]}", accept(None)),
        (r#"{"reason":" fits\nthe plan","decision":"ACCEPT"}"#, accept(Some("fits the plan"))),
        (r#"{"decision":"accept","reason":{"text":"x"}}"#, accept(None)),
        (
            r#"{"decision":"reject","reason":"ask sales@contoso.example"}"#,
            Ruling::new(Verdict::Reject, DecidedBy::Product, "ask …"),
        ),
    ] {
        for status in [StatusCode::OK, StatusCode::CREATED] {
            assert_eq!(env(Some((status, body))).ask(None).await, Ok(expected.clone()), "{body}");
        }
    }
}

#[tokio::test]
async fn no_answer_an_error_status_or_an_unreadable_body_is_no_decision() {
    assert_eq!(env(None).ask(None).await, Err(NoDecision::NoAnswer));
    for status in [302, 400, 401, 409, 429, 500, 503] {
        let status = StatusCode::from_u16(status).expect("a status");
        let answered = env(Some((status, r#"{"decision":"reject"}"#))).ask(None).await;
        assert_eq!(answered, Err(NoDecision::ErrorStatus), "{status}");
    }
    for body in [
        "",
        "reject",
        "\"reject\"",
        "[\"reject\"]",
        "{}",
        "{\"decision\":null}",
        "{\"decision\":true}",
        "{\"decision\":\"maybe\"}",
        "{\"decision\":\"reject",
        "<html></html>",
    ] {
        let answered = env(Some((StatusCode::OK, body))).ask(None).await;
        assert_eq!(answered, Err(NoDecision::Unreadable), "{body}");
    }
    let long = format!(r#"{{"decision":"reject","reason":"{}"}}"#, "x".repeat(LARGEST_ANSWER));
    let answered = env(Some((StatusCode::OK, Box::leak(long.into_boxed_str())))).ask(None).await;
    assert_eq!(answered, Err(NoDecision::Unreadable));
}

#[tokio::test]
async fn t_18_the_product_gets_only_the_time_that_the_acknowledgement_does_not_need() {
    let env = env(Some((StatusCode::OK, r#"{"decision":"accept"}"#)));
    let seconds = |seconds| Noon.now() + SignedDuration::from_secs(seconds);
    deadline::with_deadline(seconds(9), env.ask(None)).await.expect("a decision");
    assert_eq!(env.asked().1, PRODUCT_TIMEOUT, "with all of the webhook's time left");
    deadline::with_deadline(seconds(4), env.ask(None)).await.expect("a decision");
    assert_eq!(env.asked().1, Duration::from_millis(1500), "RESERVED_FOR_ACK stays");
    for late in [2, 1, 0, -5] {
        let answered = deadline::with_deadline(seconds(late), env.ask(None)).await;
        assert_eq!(answered, Err(NoDecision::NoTime), "{late} s left");
    }
    let least = RESERVED_FOR_ACK + MIN_PRODUCT_TIME;
    assert_eq!(time_for_product(Some(least)), Some(MIN_PRODUCT_TIME));
    assert_eq!(time_for_product(Some(least - Duration::from_millis(1))), None);
}

#[tokio::test]
async fn without_a_signing_key_the_product_is_not_asked() {
    let mut env = env(Some((StatusCode::OK, r#"{"decision":"accept"}"#)));
    let no_key = ClientSecret::Given(SecretString::from("no key"));
    env.product.keys = KeyRing::new(no_key, Arc::new(Noon));
    assert_eq!(env.ask(None).await, Err(NoDecision::NoKey));
}

#[tokio::test]
async fn an_operations_id_that_is_no_header_text_is_escaped_in_the_header() {
    let mut env = env(Some((StatusCode::OK, r#"{"decision":"accept"}"#)));
    env.requested.id = OperationId::new("change 1/é").expect("an id");
    env.ask(None).await.expect("a decision");
    let (request, _) = env.asked();
    assert_eq!(request.headers()["webhook-id"], "change%201%2F%C3%A9");
    let question: Value = serde_json::from_slice(request.body()).expect("JSON");
    assert_eq!(question["operationId"], "change 1/é");
}
