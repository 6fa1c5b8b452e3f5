//! The body of an error (F-GEN-9), and the retries that follow it (F-ERR-2).
#![no_main]

use bytes::Bytes;
use fuzz::{
    Message, OPERATION, RETRY, SUBSCRIPTION, Wire, assert_sent_to_the_marketplace_alone, client,
    now, run,
};
use libfuzzer_sys::fuzz_target;
use serde_json::json;
use shared::domain::{OperationId, SubscriptionId};
use shared::host::retry::{Transient, parse_retry_after};
use shared::lenient::value;
use shared::microsoft::fulfillment::{Acknowledgement, FulfillmentError, Marketplace, Refusal};

fuzz_target!(|input: &[u8]| {
    let answer = Message::read(input).answer();
    let status = answer.status().as_u16();
    says_no_more_than_a_word(status, answer.body());
    let wire = Wire::answering(answer.clone());
    let client = client(&wire);
    let (id, operation) = (SubscriptionId(SUBSCRIPTION), OperationId::from(OPERATION));
    let acknowledged = run(client.update_operation(id, &operation, Acknowledgement::Failure));
    let sent = wire.sent();
    assert_sent_to_the_marketplace_alone(&sent);
    let Err(error) = acknowledged else {
        assert!(answer.status().is_success());
        return;
    };
    assert!(!answer.status().is_success());
    assert!(sent.iter().all(|request| *request.body() == r#"{"status":"Failure"}"#));
    let asked = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
    let asked = asked.and_then(|value| parse_retry_after(value, now()));
    let patient = asked.is_none_or(|asked| asked <= RETRY.budget);
    match (status, &error) {
        (401 | 403, FulfillmentError::Unauthorized(_)) => assert_eq!(sent.len(), 2, "F-AUTH-12"),
        (400 | 404, FulfillmentError::NotFound(_)) => assert_eq!(sent.len(), 1, "F-OPU-3"),
        (400 | 405 | 415, FulfillmentError::Misaddressed(_)) => {
            assert_eq!(sent.len(), 1, "F-ERR-5");
        }
        (409, FulfillmentError::Conflict(_)) => assert_eq!(sent.len(), 1),
        (408 | 429 | 500.., FulfillmentError::Unavailable { .. })
        | (100..=199 | 300..=399, FulfillmentError::Unavailable { .. }) => {
            assert!(error.is_transient());
            assert_eq!(error.retry_after(), asked, "F-ERR-1");
            assert!(sent.len() <= RETRY.attempts as usize);
            assert!(patient || sent.len() == 1, "sent again before Microsoft's time");
        }
        (400..=499, FulfillmentError::Refused(_)) => assert_eq!(sent.len(), 1),
        _ => panic!("{status} became {error}"),
    }
});

fn says_no_more_than_a_word(status: u16, body: &Bytes) {
    let refusal = Refusal::parse(status, body);
    let said = match &refusal.code {
        Some(code) => {
            assert!(code.len() <= 64, "{code}");
            assert!(code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'), "{code}");
            format!("{status} {code}")
        }
        None => status.to_string(),
    };
    assert_eq!(refusal.to_string(), said);
    let Some(value) = value(body) else {
        assert_eq!(refusal, Refusal { status, ..Refusal::default() });
        return;
    };
    // All forms of F-GEN-9 are read alike.
    if value.is_object() && value.get("error").is_none() && value.get("Error").is_none() {
        for name in ["error", "Error"] {
            let nested = json!({ name: value }).to_string();
            assert_eq!(Refusal::parse(status, nested.as_bytes()), refusal);
        }
    }
}
