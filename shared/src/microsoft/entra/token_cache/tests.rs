use std::collections::{BTreeSet, VecDeque};
use std::sync::Mutex as StdMutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;

use super::super::test_env::ManualClock;
use super::*;

/// Issues numbered tokens that live an hour. Fails once for each queued failure.
struct Provider {
    clock: Arc<ManualClock>,
    given: AtomicUsize,
    failures: StdMutex<VecDeque<TokenError>>,
    /// How long Entra takes.
    duration: StdMutex<SignedDuration>,
}

impl Provider {
    fn fails(&self, failures: impl IntoIterator<Item = TokenError>) {
        self.failures.lock().expect("unpoisoned").extend(failures);
    }

    fn takes(&self, duration: SignedDuration) {
        *self.duration.lock().expect("unpoisoned") = duration;
    }
}

#[async_trait]
impl TokenProvider for Provider {
    async fn token(&self) -> Result<AccessToken, TokenError> {
        tokio::task::yield_now().await;
        self.clock.forward(*self.duration.lock().expect("unpoisoned"));
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
        duration: StdMutex::default(),
    });
    let cache = TokenCache::new(provider.clone(), clock.clone());
    (clock, provider, cache)
}

fn unavailable() -> TokenError {
    TokenError::Unavailable { status: 503, retry_after: None }
}

fn refused() -> TokenError {
    TokenError::Refused {
        status: 401,
        error: "invalid_client".into(),
        codes: BTreeSet::new(),
        asserted: None,
    }
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
    provider.fails([unavailable()]);
    assert_eq!(cache.get().await.expect("the old token").expose(), "token-1");
    clock.forward(SignedDuration::from_nanos(1));
    provider.fails([unavailable()]);
    assert!(cache.get().await.is_err(), "an expired token is never used");
}

#[tokio::test]
async fn a_refused_refresh_keeps_a_valid_token_in_use_until_it_expires() {
    let (clock, provider, cache) = cache();
    cache.get().await.expect("a token");
    clock.forward(SignedDuration::from_mins(57));
    provider.fails([refused()]);
    assert_eq!(cache.get().await.expect("the old token").expose(), "token-1");
    clock.forward(SignedDuration::from_mins(3));
    provider.fails([refused()]);
    assert!(matches!(cache.get().await, Err(TokenError::Refused { status: 401, .. })));
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

#[tokio::test]
async fn after_a_failed_refresh_the_valid_token_is_used_for_half_a_minute_without_another_try() {
    let (clock, provider, cache) = cache();
    cache.get().await.expect("a token");
    clock.forward(SignedDuration::from_mins(57));
    provider.fails([unavailable()]);
    assert_eq!(cache.get().await.expect("the old token").expose(), "token-1");
    clock.forward(SignedDuration::from_secs(30) - SignedDuration::from_nanos(1));
    assert_eq!(cache.get().await.expect("the old token").expose(), "token-1");
    assert_eq!(provider.given.load(Ordering::SeqCst), 1);
    clock.forward(SignedDuration::from_nanos(1));
    assert_eq!(cache.get().await.expect("a token").expose(), "token-2");
}

#[tokio::test]
async fn a_call_with_a_valid_token_does_not_wait_for_a_refresh() {
    let (clock, provider, cache) = cache();
    cache.get().await.expect("a token");
    clock.forward(SignedDuration::from_mins(57));
    let (refreshing, meanwhile) = tokio::join!(cache.get(), cache.get());
    assert_eq!(refreshing.expect("a token").expose(), "token-2");
    assert_eq!(meanwhile.expect("the old token").expose(), "token-1");
    assert_eq!(provider.given.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_token_that_expires_during_a_failed_refresh_is_not_used() {
    let (clock, provider, cache) = cache();
    cache.get().await.expect("a token");
    clock.forward(SignedDuration::from_mins(57));
    provider.fails([unavailable()]);
    provider.takes(SignedDuration::from_mins(3));
    assert!(cache.get().await.is_err());
}
