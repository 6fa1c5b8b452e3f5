use std::collections::VecDeque;
use std::sync::Mutex as StdMutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use uuid::Uuid;

use super::*;

/// A clock that only tests move.
#[derive(Debug)]
struct Clock(StdMutex<Timestamp>);

impl Clock {
    fn at_noon() -> Arc<Self> {
        Arc::new(Self(StdMutex::new("2026-11-22T12:00:00Z".parse().expect("a timestamp"))))
    }

    fn forward(&self, minutes: i64) {
        let mut now = self.0.lock().expect("no test panics while it holds the clock");
        *now += SignedDuration::from_mins(minutes);
    }
}

#[async_trait]
impl System for Clock {
    fn now(&self) -> Timestamp {
        *self.0.lock().expect("no test panics while it holds the clock")
    }

    async fn sleep(&self, _: Duration) {}

    fn new_id(&self) -> Uuid {
        Uuid::nil()
    }
}

/// Gives tokens that live an hour, numbered, until it is told to fail.
struct Provider {
    clock: Arc<Clock>,
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

fn cache() -> (Arc<Clock>, Arc<Provider>, TokenCache) {
    let clock = Clock::at_noon();
    let provider = Arc::new(Provider {
        clock: clock.clone(),
        given: AtomicUsize::new(0),
        failures: StdMutex::default(),
    });
    let cache = TokenCache::new(provider.clone(), clock.clone());
    (clock, provider, cache)
}

fn unavailable() -> TokenError {
    TokenError::Unavailable { reason: "503".into(), retry_after: None }
}

#[tokio::test]
async fn t_1_a_token_is_asked_for_once_and_used_until_five_minutes_before_its_end() {
    let (clock, provider, cache) = cache();
    assert_eq!(cache.get().await.expect("a token").expose(), "token-1");
    clock.forward(54);
    assert_eq!(cache.get().await.expect("a token").expose(), "token-1");
    clock.forward(2);
    assert_eq!(cache.get().await.expect("a token").expose(), "token-2");
    assert_eq!(provider.given.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn t_1_many_who_ask_at_once_share_one_request() {
    let (_, provider, cache) = cache();
    let (a, b, c) = tokio::join!(cache.get(), cache.get(), cache.get());
    for token in [a, b, c] {
        assert_eq!(token.expect("a token").expose(), "token-1");
    }
    assert_eq!(provider.given.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_failed_refresh_leaves_the_present_token_in_use_while_it_is_valid() {
    let (clock, provider, cache) = cache();
    cache.get().await.expect("a token");
    clock.forward(57);
    provider.failures.lock().expect("unpoisoned").push_back(unavailable());
    assert_eq!(cache.get().await.expect("the old token").expose(), "token-1");
    clock.forward(4);
    provider.failures.lock().expect("unpoisoned").push_back(unavailable());
    assert!(cache.get().await.is_err(), "an expired token is never given");
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
    assert!(!format!("{token:?}").contains("very-secret"));
    let body = br#"{"error":"invalid_client","error_description":"secret 'hunter2' is wrong","error_codes":[7000215]}"#;
    let refusal = refusal(401, body).to_string();
    assert_eq!(refusal, "Entra refused the client: 401 invalid_client AADSTS7000215");
}

#[test]
fn an_empty_token_is_none() {
    let asked_at: Timestamp = "2026-11-22T12:00:00Z".parse().expect("a timestamp");
    assert!(read_token(br#"{"access_token":"","expires_in":3599}"#, asked_at).is_none());
    assert!(read_token(br#"["abc",3599]"#, asked_at).is_none());
}
