use std::time::Duration;

use super::super::test_env::{Entra, ManualClock};
use super::*;

const ONCE: RetryPolicy = RetryPolicy {
    attempts: 1,
    first_pause: Duration::ZERO,
    attempt_timeout: Duration::from_secs(1),
    budget: Duration::ZERO,
    reserve: Duration::ZERO,
    outage_after: u32::MAX,
};

/// A key document as Entra publishes it, with a key of each of these kinds.
fn document(keys: &[(&str, &str, &str)]) -> String {
    let keys: Vec<_> = keys
        .iter()
        .map(|(kid, kty, usage)| {
            format!(r#"{{"kid":"{kid}","kty":"{kty}","use":"{usage}","n":"AQAB","e":"AQAB"}}"#)
        })
        .collect();
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

fn keys(retry: RetryPolicy) -> (Arc<ManualClock>, Arc<Entra>, SigningKeys) {
    let (clock, entra) = (ManualClock::at_noon(), Arc::new(Entra::default()));
    let keys = SigningKeys::new(entra.clone(), "https://entra.example", "t", retry, clock.clone());
    (clock, entra, keys)
}

fn just_before(end: SignedDuration) -> SignedDuration {
    end - SignedDuration::from_nanos(1)
}

const MOMENT: SignedDuration = SignedDuration::from_nanos(1);

#[tokio::test]
async fn a_key_is_used_for_less_than_a_day() {
    let (clock, entra, keys) = keys(ONCE);
    entra.answers(200, document(&[("a", "RSA", "sig")]));
    keys.get("a").await.expect("published");
    clock.forward(just_before(SignedDuration::from_hours(24)));
    keys.get("a").await.expect("cached");
    assert_eq!(entra.asked(), 1);
    clock.forward(MOMENT);
    entra.answers(200, document(&[("b", "RSA", "sig")]));
    assert!(matches!(keys.get("a").await, Err(SigningKeyError::Unknown)), "withdrawn");
    assert_eq!(entra.asked(), 2);
}

#[tokio::test]
async fn an_unknown_key_is_looked_up_again_after_a_minute() {
    let (clock, entra, keys) = keys(ONCE);
    entra.answers(200, document(&[("a", "RSA", "sig")]));
    assert!(matches!(keys.get("b").await, Err(SigningKeyError::Unknown)));
    clock.forward(just_before(SignedDuration::from_secs(60)));
    assert!(matches!(keys.get("b").await, Err(SigningKeyError::Unknown)));
    assert_eq!(entra.asked(), 1);
    clock.forward(MOMENT);
    entra.answers(200, document(&[("a", "RSA", "sig"), ("b", "RSA", "sig")]));
    keys.get("b").await.expect("now published");
}

#[tokio::test]
async fn a_failed_fetch_leaves_every_key_unknown_for_two_seconds() {
    let (clock, entra, keys) = keys(ONCE);
    entra.answers(503, "");
    assert!(matches!(keys.get("a").await, Err(SigningKeyError::Unavailable(_))));
    clock.forward(just_before(SignedDuration::from_secs(2)));
    assert!(matches!(keys.get("a").await, Err(SigningKeyError::Unavailable(_))));
    assert_eq!(entra.asked(), 1);
    clock.forward(MOMENT);
    entra.answers(200, document(&[("a", "RSA", "sig")]));
    keys.get("a").await.expect("published");
}

#[tokio::test]
async fn a_failed_fetch_is_retried_as_the_policy_says() {
    let twice = RetryPolicy { attempts: 2, budget: Duration::from_secs(1), ..ONCE };
    let (_, entra, keys) = keys(twice);
    entra.is_silent();
    entra.answers(200, document(&[("a", "RSA", "sig")]));
    keys.get("a").await.expect("fetched by the second attempt");
}

#[tokio::test]
async fn only_rsa_signing_keys_are_used() {
    let published =
        [("a", "RSA", "sig"), ("b", "RSA", "enc"), ("c", "EC", "sig"), ("d", "EC", "enc")];
    let (_, entra, keys) = keys(ONCE);
    entra.answers(200, document(&published));
    keys.get("a").await.expect("usable");
    for kid in ["b", "c", "d"] {
        assert!(matches!(keys.get(kid).await, Err(SigningKeyError::Unknown)), "{kid}");
    }
}

#[tokio::test]
async fn an_answer_without_usable_keys_counts_as_a_failed_fetch() {
    for body in [document(&[]), document(&[("a", "EC", "sig")]), "{}".into(), "<html>".into()] {
        let (_, entra, keys) = keys(ONCE);
        entra.answers(200, body.clone());
        assert!(matches!(keys.get("a").await, Err(SigningKeyError::Unavailable(_))), "{body}");
    }
}
