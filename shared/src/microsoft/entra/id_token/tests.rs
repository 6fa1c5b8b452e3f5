//! Edge cases. The integration tests verify whole tokens, signed with test keys, over HTTP.

use super::super::test_env::{Entra, ManualClock};
use super::*;
use jiff::SignedDuration;

const CLIENT: Uuid = Uuid::from_u128(2);
const TENANT: Uuid = Uuid::from_u128(1);

fn verifier() -> (Arc<ManualClock>, IdTokenVerifier) {
    let (clock, entra) = (ManualClock::at_noon(), Arc::new(Entra::default()));
    let authority = "https://entra.example".to_owned();
    let verifier =
        IdTokenVerifier::new(entra, authority, CLIENT, RetryPolicy::INTERACTIVE, clock.clone());
    (clock, verifier)
}

fn claims(exp: i64, iat: i64, nbf: Option<i64>) -> Claims {
    let claims = serde_json::json!({
        "aud": CLIENT, "iss": format!("https://entra.example/{TENANT}/v2.0"), "tid": TENANT,
        "exp": exp, "iat": iat, "nbf": nbf, "nonce": "n", "ver": "2.0",
    });
    serde_json::from_value(claims).expect("claims")
}

/// Whether the claims are accepted this long after noon.
fn after(by: SignedDuration, claims: impl Fn(i64) -> Claims) -> Result<(), InvalidToken> {
    let (clock, verifier) = verifier();
    let noon = clock.now().as_second();
    clock.forward(by);
    verifier.check(claims(noon), |nonce| nonce == "n").map(drop)
}

#[test]
fn clocks_may_differ_by_a_minute() {
    let minute = SignedDuration::from_secs(60);
    let moment = SignedDuration::from_nanos(1);
    let ends = |noon| claims(noon, noon - 3600, None);
    assert_eq!(after(minute - moment, ends), Ok(()));
    assert_eq!(after(minute, ends), Err(InvalidToken::Expired));
    for begins in [
        |noon| claims(noon + 3600, noon, None),
        |noon| claims(noon + 3600, noon - 3600, Some(noon)),
    ] {
        assert_eq!(after(-minute, begins), Ok(()));
        assert_eq!(after(-minute - moment, begins), Err(InvalidToken::NotYetValid));
    }
}

#[tokio::test]
async fn a_token_longer_than_sixteen_kilobytes_is_not_decoded() {
    let (_, verifier) = verifier();
    for (length, reason) in
        [(16 * 1024, InvalidToken::NotJwt), (16 * 1024 + 1, InvalidToken::TooLong)]
    {
        match verifier.verify(UnverifiedToken(&"A".repeat(length)), |_| true).await {
            Err(Refused::Invalid(why)) => assert_eq!(why, reason, "{length}"),
            other => panic!("{length}: {other:?}"),
        }
    }
}

#[test]
fn the_keys_of_a_sixty_fifth_tenant_empty_the_cache() {
    let (_, verifier) = verifier();
    let held = || verifier.keys.lock().expect("unpoisoned").len();
    for number in 0..64 {
        verifier.keys_of(Uuid::from_u128(number));
    }
    assert_eq!(held(), 64);
    verifier.keys_of(Uuid::from_u128(63));
    assert_eq!(held(), 64, "a known tenant");
    verifier.keys_of(Uuid::from_u128(64));
    assert_eq!(held(), 1);
}

#[test]
fn a_persons_debug_text_shows_ids_and_no_name() {
    let account = Account { tenant_id: TENANT, object_id: None };
    let (name, username) = (Some("Adele".to_owned()), Some("adele@contoso.example".to_owned()));
    let text = format!("{:?}", Person { account, name, username });
    assert!(text.contains(&TENANT.to_string()), "{text}");
    assert!(!text.contains("Adele") && !text.contains("adele"), "{text}");
}
