//! The answer of the publisher's product to a question about a change. The parts of an input:
//! `DECISION_FALLBACK` (`accept`, `reject`, or neither), and the product's answer.
#![no_main]

use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use fuzz::{Message, OPERATION, SUBSCRIPTION, Still, Wire, now, parts, run};
use http::{Method, Request, Response, Uri};
use libfuzzer_sys::fuzz_target;
use ring::hmac;
use secrecy::SecretString;
use serde_json::{Value, json};
use shared::domain::{
    Action, Cause, ChangePolicy, ChangeRules, DecidedBy, Decision, OperationId, Record, Requested,
    Ruling, SubscriptionId, Verdict, observe,
};
use shared::host::secret::ClientSecret;
use shared::lenient::value;
use shared::publisher::approval::{ChangeApproval, ChangeContext, PRODUCT_TIMEOUT, Product};

const PRODUCT: &str = "https://product.example/decisions";

const KEY: &[u8; 32] = b"what questions are signed with..";

/// The maximum size of an answer.
const MAX_ANSWER: usize = 16 * 1024;

/// A customer's change that no rule decides, so the product does.
fn change() -> &'static (Record, Requested) {
    static CHANGE: OnceLock<(Record, Requested)> = OnceLock::new();
    CHANGE.get_or_init(|| {
        let observed = json!({
            "id": SUBSCRIPTION, "offerId": "northwind-crm", "planId": "silver", "quantity": 10,
            "saasSubscriptionStatus": "Subscribed",
        });
        let observed = serde_json::from_value(observed).expect("a subscription");
        let Ok(Decision::Commit(change)) = observe(None, &observed, &Cause::Landing, now()) else {
            panic!("a new subscription makes a record")
        };
        let operation = json!({ "id": OPERATION, "action": "ChangePlan", "planId": "gold" });
        let requested = Requested {
            subscription: SubscriptionId(SUBSCRIPTION),
            id: OperationId::from(OPERATION),
            action: Action::ChangePlan,
            operation: Some(serde_json::from_value(operation).expect("an operation")),
            cause: Cause::Reconciliation,
        };
        (change.record, requested)
    })
}

/// The ruling for this answer.
fn decided(fallback: Option<ChangePolicy>, answer: Response<Bytes>) -> Ruling {
    let wire = Wire::answering(answer);
    let secret = SecretString::from(format!("whsec_{}", STANDARD.encode(KEY)));
    let product = Product::new(
        Uri::from_static(PRODUCT),
        ClientSecret::Given(secret),
        fallback,
        wire.clone(),
        Arc::new(Still),
    );
    let changes = ChangeApproval {
        policy: ChangePolicy::Accept,
        rules: ChangeRules::default(),
        product: Some(product),
    };
    let (record, requested) = change();
    let operation = requested.operation.as_ref().expect("an operation");
    let ruling = run(changes.decide(record, requested, operation, &ChangeContext::default()));
    let [request] = &wire.sent()[..] else { panic!("exactly one question") };
    assert_signed_question(request);
    ruling
}

/// The question goes to the product only, signed as in Standard Webhooks, with the operation's id.
fn assert_signed_question(request: &Request<Bytes>) {
    assert_eq!((request.method(), request.uri().to_string().as_str()), (&Method::POST, PRODUCT));
    let header = |name| request.headers()[name].to_str().expect("text").to_owned();
    assert_eq!(header("webhook-id"), OPERATION.to_string());
    assert_eq!(header("webhook-timestamp"), now().as_second().to_string());
    let signed =
        [format!("{OPERATION}.{}.", now().as_second()).as_bytes(), request.body()].concat();
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, KEY), &signed);
    assert_eq!(header("webhook-signature"), format!("v1,{}", STANDARD.encode(signature)));
    let question: Value = serde_json::from_slice(request.body()).expect("JSON");
    assert_eq!(question["operationId"], OPERATION.to_string());
    let deadline: jiff::Timestamp =
        question["deadline"].as_str().and_then(|at| at.parse().ok()).expect("a time");
    assert!(deadline <= now() + PRODUCT_TIMEOUT);
}

/// The decision in an answer, read independently of the code.
fn word(answer: &Value) -> Option<Verdict> {
    let word = answer.as_object()?.get("decision")?.as_str()?.trim().to_ascii_lowercase();
    [Verdict::Accept, Verdict::Reject].into_iter().find(|verdict| verdict.name() == word)
}

/// A reason is one line of at most 200 characters without an e-mail address.
fn assert_kept_in_bounds(ruling: &Ruling) {
    let Some(reason) = &ruling.reason else { return };
    assert!((1..=200).contains(&reason.chars().count()), "{reason}");
    assert!(!reason.contains('@') && !reason.contains(char::is_control), "{reason}");
    assert_eq!(reason.trim(), reason);
}

fuzz_target!(|input: &[u8]| {
    let [fallback, answer] = parts(input);
    let fallback = match fallback {
        b"accept" => Some(ChangePolicy::Accept),
        b"reject" => Some(ChangePolicy::Reject),
        _ => None,
    };
    let answer = Message::read(answer).answer();
    let (status, body) = (answer.status(), answer.body().clone());
    let ruling = decided(fallback, answer);
    assert_kept_in_bounds(&ruling);
    let unmarked = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&body);
    // The code skips numbers out of range in members that it doesn't read.
    let read = value(unmarked);
    match ruling.by {
        DecidedBy::Product => {
            assert!(status.is_success() && body.len() <= MAX_ANSWER, "{status}");
            assert!(unmarked.trim_ascii_start().starts_with(b"{"));
            assert!(read.as_ref().is_none_or(|read| word(read) == Some(ruling.verdict)));
        }
        DecidedBy::Fallback => {
            let otherwise = fallback.unwrap_or(ChangePolicy::Accept).verdict();
            assert_eq!(ruling.verdict, otherwise, "without a decision, the fallback applies");
            let reason =
                if status.is_success() { "no_decision_in_answer" } else { "error_answered" };
            assert_eq!(ruling.reason.as_deref(), Some(reason));
        }
        by => panic!("decided by {by:?}"),
    }
    // A decision counts if no member is repeated, even if the answer holds other members.
    let Some(read) = read.filter(Value::is_object) else { return };
    let each_once = read.to_string();
    if each_once.len() > MAX_ANSWER {
        return;
    }
    let again = decided(fallback, Response::new(each_once.into()));
    assert_eq!((again.by == DecidedBy::Product).then_some(again.verdict), word(&read), "{read}");
    let reason = read["reason"].as_str().unwrap_or_default();
    let is_plain = reason.len() <= 200 && reason.bytes().all(|byte| matches!(byte, b'!'..=b'~'));
    if again.by == DecidedBy::Product && is_plain && !reason.is_empty() && !reason.contains('@') {
        assert_eq!(again.reason.as_deref(), Some(reason));
    }
});
