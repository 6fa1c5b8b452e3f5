//! Edge cases. The integration tests verify whole tokens, signed with test keys, over HTTP.

use std::sync::Arc;
use std::time::Duration;

use super::super::test_env::{Entra, ManualClock};
use super::*;
use crate::host::clock::Clock;
use crate::host::retry::RetryPolicy;

const TENANT: Uuid = Uuid::from_u128(1);
const CLIENT: Uuid = Uuid::from_u128(2);
const MARKETPLACE: Uuid = Uuid::from_u128(3);

fn verifier() -> WebhookTokenVerifier {
    let authority = "https://entra.example".to_owned();
    let (entra, clock) = (Arc::new(Entra::default()), ManualClock::at_noon());
    let keys =
        SigningKeys::new(entra, &authority, TENANT, CLIENT, RetryPolicy::WITHIN_WEBHOOK, clock);
    let (tenant_id, client_id, caller) = (TENANT, CLIENT, MARKETPLACE);
    WebhookTokenVerifier::new(keys, Expected { tenant_id, client_id, caller, authority })
}

fn claims(now: Timestamp) -> Claims {
    Claims {
        aud: CLIENT,
        iss: format!("https://sts.windows.net/{TENANT}/"),
        tid: TENANT,
        exp: now.as_second() + 3600,
        nbf: None,
        ver: None,
        appid: Some(MARKETPLACE),
        azp: None,
    }
}

fn now() -> Timestamp {
    ManualClock::at_noon().now()
}

#[test]
fn clocks_may_differ_by_a_minute_as_f_whj_5_allows() {
    let (verifier, now) = (verifier(), now());
    let minute = Duration::from_secs(60);
    let moment = Duration::from_nanos(1);
    let ends = Claims { exp: now.as_second(), ..claims(now) };
    assert!(verifier.check(&ends, now + minute - moment).is_ok());
    let refused = verifier.check(&ends, now + minute);
    assert!(matches!(refused, Err(InvalidToken::Expired)), "{refused:?}");
    let begins = Claims { nbf: Some(now.as_second()), ..claims(now) };
    assert!(verifier.check(&begins, now - minute).is_ok());
    let refused = verifier.check(&begins, now - minute - moment);
    assert!(matches!(refused, Err(InvalidToken::NotYetValid)), "{refused:?}");
}

#[tokio::test]
async fn a_token_longer_than_sixteen_kilobytes_is_not_decoded() {
    let verifier = verifier();
    for (length, reason) in
        [(16 * 1024, InvalidToken::NotJwt), (16 * 1024 + 1, InvalidToken::TooLong)]
    {
        match verifier.verify(UnverifiedToken(&"A".repeat(length)), now()).await {
            Err(Refused::Invalid(why)) => assert_eq!(why, reason, "{length}"),
            other => panic!("{length}: {other:?}"),
        }
    }
}
