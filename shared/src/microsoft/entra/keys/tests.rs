use std::time::Duration;

use jiff::SignedDuration;

use super::super::test_env::{Entra, ManualClock};
use super::*;

const TENANT: Uuid = Uuid::from_u128(1);
const CLIENT: Uuid = Uuid::from_u128(2);

const ONCE: RetryPolicy = RetryPolicy {
    attempts: 1,
    first_pause: Duration::ZERO,
    attempt_timeout: Duration::from_secs(1),
    budget: Duration::ZERO,
    reserve: Duration::ZERO,
    outage_after: u32::MAX,
    waits_together: false,
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
    let authority = "https://entra.example";
    let keys = SigningKeys::new(entra.clone(), authority, TENANT, CLIENT, retry, clock.clone());
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
    entra.answers(200, document(&[]));
    assert!(matches!(keys.get("a").await, Err(SigningKeyError::Unknown)), "withdrawn");
    assert_eq!(entra.asked(), 3);
}

#[tokio::test]
async fn a_new_key_is_found_at_once_after_an_unknown_one_as_f_whj_4_says() {
    let (_, entra, keys) = keys(ONCE);
    entra.answers(200, document(&[("a", "RSA", "sig")]));
    entra.answers(200, document(&[]));
    assert!(matches!(keys.get("b").await, Err(SigningKeyError::Unknown)));
    entra.answers(200, document(&[("a", "RSA", "sig"), ("b", "RSA", "sig")]));
    keys.get("b").await.expect("now published");
}

#[tokio::test]
async fn after_five_fetches_in_a_minute_an_unknown_key_stays_unconfirmed_and_a_cached_one_works() {
    let (clock, entra, keys) = keys(ONCE);
    for _ in 0..5 {
        entra.answers(200, document(&[("a", "RSA", "sig")]));
        entra.answers(200, document(&[]));
        assert!(matches!(keys.get("invented").await, Err(SigningKeyError::Unknown)));
        clock.forward(SignedDuration::from_secs(10));
    }
    assert_eq!(entra.asked(), 10);
    // A minute after the first fetch, there is one again.
    clock.forward(just_before(SignedDuration::from_secs(10)));
    let refused = keys.get("new").await;
    assert!(matches!(refused, Err(SigningKeyError::Unconfirmed(_))), "{:?}", refused.err());
    keys.get("a").await.expect("cached");
    assert_eq!(entra.asked(), 10);
    clock.forward(MOMENT);
    entra.answers(200, document(&[("a", "RSA", "sig"), ("new", "RSA", "sig")]));
    keys.get("new").await.expect("published");
    let refused = keys.get("invented").await;
    assert!(matches!(refused, Err(SigningKeyError::Unconfirmed(_))), "{:?}", refused.err());
}

#[tokio::test]
async fn a_failed_fetch_leaves_an_unknown_key_unconfirmed_and_cached_ones_in_use() {
    let (_, entra, keys) = keys(ONCE);
    entra.answers(200, document(&[("a", "RSA", "sig")]));
    keys.get("a").await.expect("published");
    entra.answers(503, "");
    assert!(matches!(keys.get("b").await, Err(SigningKeyError::Unconfirmed(_))));
    assert!(matches!(keys.get("b").await, Err(SigningKeyError::Unconfirmed(_))));
    keys.get("a").await.expect("cached");
    assert_eq!(entra.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_cached_key_is_returned_while_entra_hangs_over_another_one() {
    let (_, entra, keys) = keys(ONCE);
    entra.answers(200, document(&[("a", "RSA", "sig")]));
    keys.get("a").await.expect("published");
    entra.hangs();
    tokio::select! {
        biased;
        _ = keys.get("invented") => panic!("Entra hangs"),
        key = tokio::time::timeout(Duration::from_secs(1), keys.get("a")) => {
            key.expect("no wait for the other call").expect("cached");
        }
    }
    assert_eq!(entra.asked(), 2);
}

#[tokio::test]
async fn concurrent_calls_share_the_fetch_of_an_unknown_key() {
    let (_, entra, keys) = keys(ONCE);
    entra.answers(200, document(&[("a", "RSA", "sig")]));
    entra.answers(200, document(&[]));
    let (b, also_b, a) = tokio::join!(keys.get("b"), keys.get("b"), keys.get("a"));
    assert!(matches!(b, Err(SigningKeyError::Unknown)));
    assert!(matches!(also_b, Err(SigningKeyError::Unknown)));
    a.expect("published");
    assert_eq!(entra.asked(), 2);
}

#[tokio::test]
async fn a_key_that_is_published_for_the_application_only_is_found_and_cached_as_f_whj_10_says() {
    let (clock, entra, keys) = keys(ONCE);
    entra.answers(200, document(&[("a", "RSA", "sig")]));
    entra.answers(200, document(&[("own", "RSA", "sig")]));
    keys.get("own").await.expect("published for the application");
    let list = format!("https://entra.example/{TENANT}/discovery/v2.0/keys");
    assert_eq!(entra.addresses(), [list.clone(), format!("{list}?appid={CLIENT}")]);
    keys.get("a").await.expect("published for all");
    clock.forward(just_before(SignedDuration::from_hours(24)));
    keys.get("own").await.expect("cached");
    assert_eq!(entra.asked(), 2);
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
        entra.answers(200, document(&published));
        entra.answers(200, document(&published));
        assert!(matches!(keys.get(kid).await, Err(SigningKeyError::Unknown)), "{kid}");
    }
}

#[tokio::test]
async fn a_key_list_is_read_with_a_byte_order_mark_and_broken_entries_as_f_gen_14_says() {
    let good = document(&[("a", "RSA", "sig")]);
    let broken = r#"{"keys":[7,{"kid":"\ud83d","kty":"RSA"},{"kid":1e999},"#;
    let (_, entra, keys) = keys(ONCE);
    entra.answers(200, format!("\u{feff}{}", good.replace(r#"{"keys":["#, broken)));
    keys.get("a").await.expect("published");
}

#[tokio::test]
async fn an_answer_without_usable_keys_counts_as_a_failed_fetch() {
    for body in [document(&[]), document(&[("a", "EC", "sig")]), "{}".into(), "<html>".into()] {
        let (_, entra, keys) = keys(ONCE);
        entra.answers(200, body.clone());
        assert!(matches!(keys.get("a").await, Err(SigningKeyError::Unavailable(_))), "{body}");
    }
}
