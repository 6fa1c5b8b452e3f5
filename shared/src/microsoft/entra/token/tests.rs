use std::collections::VecDeque;
use std::sync::Mutex as StdMutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::test_env::{Entra, ManualClock};
use super::*;

/// Issues numbered tokens that live an hour. Fails once for each queued failure.
struct Provider {
    clock: Arc<ManualClock>,
    given: AtomicUsize,
    failures: StdMutex<VecDeque<TokenError>>,
}

#[async_trait]
impl TokenProvider for Provider {
    async fn token(&self) -> Result<AccessToken, TokenError> {
        tokio::task::yield_now().await;
        if let Some(error) = self.failures.lock().expect("unpoisoned").pop_front() {
            return Err(error);
        }
        let number = self.given.fetch_add(1, Ordering::SeqCst) + 1;
        let expires_at = self.clock.now() + SignedDuration::from_hours(1);
        Ok(AccessToken::new(format!("token-{number}").into(), expires_at))
    }
}

fn cache() -> (Arc<ManualClock>, Arc<Provider>, TokenCache) {
    let clock = ManualClock::at_noon();
    let provider = Arc::new(Provider {
        clock: clock.clone(),
        given: AtomicUsize::new(0),
        failures: StdMutex::default(),
    });
    let cache = TokenCache::new(provider.clone(), clock.clone());
    (clock, provider, cache)
}

fn unavailable() -> TokenError {
    TokenError::Unavailable { status: 503, retry_after: None }
}

#[tokio::test]
async fn t_1_a_token_is_requested_once_and_used_until_five_minutes_before_expiry() {
    let (clock, provider, cache) = cache();
    assert_eq!(cache.get().await.expect("a token").expose(), "token-1");
    clock.forward(SignedDuration::from_mins(55) - SignedDuration::from_nanos(1));
    assert_eq!(cache.get().await.expect("a token").expose(), "token-1");
    clock.forward(SignedDuration::from_nanos(1));
    assert_eq!(cache.get().await.expect("a token").expose(), "token-2");
    assert_eq!(provider.given.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn t_1_concurrent_callers_share_one_token_request() {
    let (_, provider, cache) = cache();
    let (a, b, c) = tokio::join!(cache.get(), cache.get(), cache.get());
    for token in [a, b, c] {
        assert_eq!(token.expect("a token").expose(), "token-1");
    }
    assert_eq!(provider.given.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_failed_refresh_keeps_a_valid_token_in_use() {
    let (clock, provider, cache) = cache();
    cache.get().await.expect("a token");
    clock.forward(SignedDuration::from_hours(1) - SignedDuration::from_nanos(1));
    provider.failures.lock().expect("unpoisoned").push_back(unavailable());
    assert_eq!(cache.get().await.expect("the old token").expose(), "token-1");
    clock.forward(SignedDuration::from_nanos(1));
    provider.failures.lock().expect("unpoisoned").push_back(unavailable());
    assert!(cache.get().await.is_err(), "an expired token is never used");
}

#[tokio::test]
async fn a_refused_refresh_is_an_error_even_with_a_valid_token() {
    let (clock, provider, cache) = cache();
    cache.get().await.expect("a token");
    clock.forward(SignedDuration::from_mins(57));
    provider.failures.lock().expect("unpoisoned").push_back(refusal(401, b"{}"));
    assert!(matches!(cache.get().await, Err(TokenError::Refused { status: 401, .. })));
}

/// The token or error that this answer of Entra leads to.
async fn answered(status: u16, body: &'static str) -> Result<AccessToken, TokenError> {
    let entra = Arc::new(Entra::default());
    entra.answers(status, body);
    let credentials = ClientCredentials {
        transport: entra,
        authority: "https://entra.example".to_owned(),
        tenant_id: "tenant".to_owned(),
        client_id: "client".to_owned(),
        secret: ClientSecret::Given("secret".into()),
        resource: "resource".to_owned(),
        endpoint: TokenEndpoint::V2,
        timeout: Duration::from_secs(1),
        clock: ManualClock::at_noon(),
    };
    credentials.token().await
}

#[tokio::test]
async fn only_temporary_errors_are_transient_as_f_auth_15_says() {
    for (status, transient) in [(429, true), (500, true), (503, true), (400, false), (401, false)] {
        let error = answered(status, "{}").await.expect_err("no token");
        assert_eq!(error.is_transient(), transient, "{status}");
    }
    let asked = TokenError::Unavailable { status: 429, retry_after: Some(Duration::from_secs(7)) };
    assert_eq!(asked.retry_after(), Some(Duration::from_secs(7)));
    assert_eq!(unavailable().retry_after(), None);
}

#[tokio::test]
async fn t_2_callers_refused_together_get_one_fresh_token() {
    let (_, provider, cache) = cache();
    let refused = cache.get().await.expect("a token");
    let (a, b) = tokio::join!(cache.renew(&refused), cache.renew(&refused));
    assert_eq!(a.expect("a token").expose(), "token-2");
    assert_eq!(b.expect("a token").expose(), "token-2");
    assert_eq!(provider.given.load(Ordering::SeqCst), 2);
}

#[test]
fn t_1_expires_in_is_read_as_a_number_and_as_a_string() {
    let now: Timestamp = "2026-11-22T12:00:00Z".parse().expect("a timestamp");
    for body in [
        r#"{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"t"}"#,
        r#"{"token_type":"Bearer","expires_in":"3599","expires_on":"1","access_token":"t"}"#,
        // F-GEN-14.
        "\u{feff}{\"expires_in\":1,\"access_token\":\"t\",\"note\":\"\\ud83d\",\"expires_in\":3599}",
    ] {
        let token = read_token(body.as_bytes(), now).expect("a token");
        assert_eq!(token.expires_at, now + SignedDuration::from_secs(3599));
    }
    assert!(read_token(b"{}", now).is_none());
    assert!(read_token(b"<html>", now).is_none());
}

#[test]
fn a_token_and_a_refusal_print_nothing_secret() {
    let token = AccessToken::new("very-secret".to_owned().into(), Timestamp::UNIX_EPOCH);
    let text = format!("{token:?}");
    assert!(text.contains("1970-01-01") && !text.contains("very-secret"), "{text}");
    let body = br#"{"error":"invalid_client","error_description":"secret 'hunter2' is wrong","error_codes":[7000215]}"#;
    let refusal = refusal(401, body).to_string();
    assert_eq!(refusal, "Entra refused the client: 401 invalid_client AADSTS7000215");
    let text = br#"{"error":"invalid_client","error_codes":["7000215","?"]}"#;
    assert_eq!(super::refusal(401, text).to_string(), refusal, "numbers as text");
    // An error that is not one of Entra's codes may hold a secret, so it is not printed.
    let long = format!(r#"{{"error":"{}"}}"#, "a".repeat(65));
    for odd in [r#"{"error":"Secret 'hunter2'"}"#, &long, "{}", "<html>"] {
        let refusal = super::refusal(400, odd.as_bytes()).to_string();
        assert_eq!(refusal, "Entra refused the client: 400 without a reason", "{odd}");
    }
}

#[test]
fn an_empty_token_is_refused() {
    let asked_at: Timestamp = "2026-11-22T12:00:00Z".parse().expect("a timestamp");
    assert!(read_token(br#"{"access_token":"","expires_in":3599}"#, asked_at).is_none());
    assert!(read_token(br#"["abc",3599]"#, asked_at).is_none());
}
