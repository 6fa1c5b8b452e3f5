//! What the product is asked, for how long it is listened to, and what counts as its answer.

use std::sync::Mutex;

use async_trait::async_trait;
use http::StatusCode;
use jiff::SignedDuration;
use secrecy::SecretString;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::RESERVED;
use super::*;
use crate::config::{self, Environment, Foundation, Microsoft};
use crate::decision::Changes;
use crate::domain::{Cause, Decision, Observation, Operation, SubscriptionId, observe};

const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// It is always the same moment, and nobody waits.
#[derive(Debug)]
struct Noon;

#[async_trait]
impl System for Noon {
    fn now(&self) -> Timestamp {
        "2026-03-10T12:00:00Z".parse().expect("a timestamp")
    }

    async fn sleep(&self, _: Duration) {}

    fn new_id(&self) -> Uuid {
        Uuid::from_u128(9)
    }
}

/// A product with one answer, which remembers what it was asked and how long it would have had.
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
        self.asked.lock().expect("nobody panicked").push((request, timeout));
        let (status, body) =
            self.answer.ok_or_else(|| SendError::NoAnswer("timed out".to_owned()))?;
        let mut response = Response::new(Bytes::from_static(body.as_bytes()));
        *response.status_mut() = status;
        Ok(response)
    }
}

struct Scene {
    transport: Arc<Answering>,
    product: Product,
    current: Record,
    requested: Requested,
}

fn scene(answer: Option<(StatusCode, &'static str)>) -> Scene {
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
    Scene {
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
            id: OperationId(Uuid::from_u128(2)),
            action: Action::ChangePlan,
            operation,
            cause: Cause::Reconciliation,
        },
    }
}

impl Scene {
    async fn ask(&self, plans: Option<Value>) -> Result<Ruling, Silence> {
        let plans = plans.map(|plans| serde_json::from_str(&plans.to_string()).expect("plans"));
        let change = RequestedChange::of(&self.current, &self.requested.operation);
        let change = change.expect("it is about a plan");
        self.product.ask(&self.current, &self.requested, &change, &Briefing { plans }).await
    }

    fn asked(&self) -> (Request<Bytes>, Duration) {
        self.transport.asked.lock().expect("nobody panicked").pop().expect("it was asked")
    }
}

#[tokio::test]
async fn the_question_says_what_is_asked_and_is_signed_as_events_are() {
    let scene = scene(Some((StatusCode::OK, r#"{"decision":"accept"}"#)));
    let plans = json!([
        { "planId": "basic", "minQuantity": 1, "maxQuantity": 100 },
        { "planId": "team", "minQuantity": 5 },
    ]);
    assert_eq!(scene.ask(Some(plans)).await, Ok(Ruling::accept(Authority::Product)));
    let (request, timeout) = scene.asked();
    assert_eq!((request.method(), timeout), (&Method::POST, PATIENCE));
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
async fn plans_that_are_not_known_are_left_out() {
    let scene = scene(Some((StatusCode::OK, r#"{"decision":"accept"}"#)));
    for plans in [None, Some(json!([])), Some(json!([{ "planId": "basic" }]))] {
        scene.ask(plans.clone()).await.expect("a decision");
        let body: Value = serde_json::from_slice(scene.asked().0.body()).expect("JSON");
        assert_eq!(body.get("limits"), None, "F-PLN-8: a plan may be missing");
        assert_eq!(body.get("plans").is_some(), plans.is_some());
    }
}

#[tokio::test]
async fn an_answer_is_read_tolerantly() {
    let accept = |reason: Option<&str>| Ruling {
        verdict: Verdict::Accept,
        by: Authority::Product,
        reason: reason.map(str::to_owned),
    };
    for (body, expected) in [
        (r#"{"decision":"accept"}"#, accept(None)),
        ("\u{feff} {\"decision\":\" Accept \",\"reason\":\"\",\"more\":[1]}", accept(None)),
        (r#"{"reason":" fits\nthe plan","decision":"ACCEPT"}"#, accept(Some("fits the plan"))),
        (r#"{"decision":"accept","reason":{"text":"x"}}"#, accept(None)),
        (
            r#"{"decision":"reject","reason":"ask sales@contoso.example"}"#,
            Ruling::new(Verdict::Reject, Authority::Product, "ask …"),
        ),
    ] {
        for status in [StatusCode::OK, StatusCode::CREATED] {
            assert_eq!(scene(Some((status, body))).ask(None).await, Ok(expected.clone()), "{body}");
        }
    }
}

#[tokio::test]
async fn silence_errors_and_nonsense_are_no_decision() {
    assert_eq!(scene(None).ask(None).await, Err(Silence::NoAnswer));
    for status in [302, 400, 401, 409, 429, 500, 503] {
        let status = StatusCode::from_u16(status).expect("a status");
        let answered = scene(Some((status, r#"{"decision":"reject"}"#))).ask(None).await;
        assert_eq!(answered, Err(Silence::Error), "{status}");
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
        let answered = scene(Some((StatusCode::OK, body))).ask(None).await;
        assert_eq!(answered, Err(Silence::Nonsense), "{body}");
    }
    let long = format!(r#"{{"decision":"reject","reason":"{}"}}"#, "x".repeat(LARGEST_ANSWER));
    let answered = scene(Some((StatusCode::OK, Box::leak(long.into_boxed_str())))).ask(None).await;
    assert_eq!(answered, Err(Silence::Nonsense));
}

#[tokio::test]
async fn t_18_the_product_gets_only_the_time_that_the_acknowledgement_does_not_need() {
    let scene = scene(Some((StatusCode::OK, r#"{"decision":"accept"}"#)));
    let seconds = |seconds| Noon.now() + SignedDuration::from_secs(seconds);
    deadline::until(seconds(9), scene.ask(None)).await.expect("a decision");
    assert_eq!(scene.asked().1, PATIENCE, "with all of the webhook's time left");
    deadline::until(seconds(4), scene.ask(None)).await.expect("a decision");
    assert_eq!(scene.asked().1, Duration::from_millis(1500), "RESERVED stays");
    for late in [2, 1, 0, -5] {
        let answered = deadline::until(seconds(late), scene.ask(None)).await;
        assert_eq!(answered, Err(Silence::NoTime), "{late} s left");
    }
    assert_eq!(patience(Some(RESERVED + LEAST)), Some(LEAST));
    assert_eq!(patience(Some(RESERVED + LEAST - Duration::from_millis(1))), None);
}

#[tokio::test]
async fn without_a_key_nobody_is_asked() {
    let mut scene = scene(Some((StatusCode::OK, r#"{"decision":"accept"}"#)));
    let no_key = ClientSecret::Given(SecretString::from("no key"));
    scene.product.keys = KeyRing::new(no_key, Arc::new(Noon));
    assert_eq!(scene.ask(None).await, Err(Silence::NoKey));
}

/// Time passes while everybody waits, and only then.
#[derive(Debug)]
struct Waiting(tokio::time::Instant);

#[async_trait]
impl System for Waiting {
    fn now(&self) -> Timestamp {
        Noon.now() + self.0.elapsed()
    }

    async fn sleep(&self, pause: Duration) {
        tokio::time::sleep(pause).await;
    }

    fn new_id(&self) -> Uuid {
        Uuid::from_u128(9)
    }
}

/// Nobody answers.
#[derive(Debug)]
struct Hanging;

#[async_trait]
impl Transport for Hanging {
    async fn send(
        &self,
        _: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        tokio::time::sleep(timeout).await;
        Err(SendError::NoAnswer("timed out".to_owned()))
    }
}

/// A product whose signing key is in a Secrets Manager that hangs.
fn without_secrets_manager(system: &Arc<dyn System>) -> Product {
    let transport: Arc<dyn Transport> = Arc::new(deadline::Punctual::new(Hanging, system.clone()));
    let environment = Environment::from_fn(|name| {
        let value = match name {
            "DECISION_URL" => "https://api.contoso.example/decisions",
            "DECISION_SIGNING_KEY_ARN" => "arn:aws:secretsmanager:eu-north-1:1:secret:key",
            "ENTRA_TENANT_ID" | "ENTRA_CLIENT_ID" => "8d7b0a3e-5f4c-4c7d-9f2a-6f1e0c2b9a11",
            "ENTRA_CLIENT_SECRET" | "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => "given",
            "AWS_REGION" => "eu-north-1",
            "TABLE_NAME" => "table",
            _ => return None,
        };
        Some(value.to_owned())
    });
    let foundation = Foundation {
        microsoft: Microsoft::read(&environment, &transport).expect("complete settings"),
        store: config::store(&environment, &transport, system.clone()).expect("complete settings"),
        system: system.clone(),
    };
    let changes = Changes::read(&environment, &foundation).expect("complete settings");
    changes.product.expect("there is an address")
}

#[tokio::test(start_paused = true)]
async fn t_18_a_key_that_cannot_be_had_takes_nothing_of_the_acknowledgements_time() {
    // The SDK pauses between its tries.
    let pauses = Duration::from_millis(150);
    for left in [9000, 5500, 3300] {
        let system: Arc<dyn System> = Arc::new(Waiting(tokio::time::Instant::now()));
        let mut scene = scene(None);
        scene.product = without_secrets_manager(&system);
        let end = system.now() + Duration::from_millis(left);
        let answered = deadline::until(end, scene.ask(None)).await;
        assert_eq!(answered, Err(Silence::NoKey), "{left} ms");
        let still = Duration::try_from(end.duration_since(system.now())).unwrap_or_default();
        assert!(still + pauses >= RESERVED, "of {left} ms there are {still:?} left");
    }
    // And while others are asked, no more than they.
    let system: Arc<dyn System> = Arc::new(Waiting(tokio::time::Instant::now()));
    let product = without_secrets_manager(&system);
    let begun = system.now();
    let others = Duration::from_millis(1500);
    deadline::within(begun, others, product.make_ready()).await;
    assert!(system.now() <= begun + others + pauses, "{}", system.now() - begun);
}
