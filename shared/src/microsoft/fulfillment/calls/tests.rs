//! When each read was made: a caller may use it much later.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::super::Endpoint;
use super::*;
use crate::host::clock::Clock;
use crate::host::http_client::{SendError, Transport};
use crate::host::retry::RetryPolicy;
use crate::microsoft::entra::{AccessToken, TokenCache, TokenError, TokenProvider};

/// Microsoft, which takes seconds to answer each call.
#[derive(Debug)]
struct Slow {
    now: Mutex<Timestamp>,
    body: Value,
}

#[async_trait]
impl Transport for Slow {
    async fn send(&self, _: Request<Bytes>, _: Duration) -> Result<Response<Bytes>, SendError> {
        self.sleep(Duration::from_secs(3)).await;
        Ok(Response::new(Bytes::from(self.body.to_string())))
    }
}

#[async_trait]
impl Clock for Slow {
    fn now(&self) -> Timestamp {
        *self.now.lock().expect("no test panicked")
    }

    async fn sleep(&self, pause: Duration) {
        let pause = SignedDuration::try_from(pause).expect("a short pause");
        *self.now.lock().expect("no test panicked") += pause;
    }

    fn new_id(&self) -> Uuid {
        Uuid::nil()
    }
}

struct Provider;

#[async_trait]
impl TokenProvider for Provider {
    async fn token(&self) -> Result<AccessToken, TokenError> {
        Ok(AccessToken::new("token".into(), Timestamp::MAX))
    }
}

fn client(body: Value) -> Client {
    let microsoft = Arc::new(Slow { now: Mutex::new(Timestamp::UNIX_EPOCH), body });
    let tokens = Arc::new(TokenCache::new(Arc::new(Provider), microsoft.clone()));
    let base = "https://marketplace.example/api".to_owned();
    let endpoint = Endpoint { base, retry: RetryPolicy::SCHEDULED };
    Client::new(microsoft.clone(), endpoint, tokens, microsoft)
}

#[tokio::test]
async fn every_read_is_dated_by_when_it_was_asked_for() {
    let id = SubscriptionId(Uuid::from_u128(1));
    let body = json!({ "id": id, "offerId": "offer", "planId": "silver",
                       "saasSubscriptionStatus": "Subscribed" });
    let asked = Some(Timestamp::UNIX_EPOCH);

    let read = client(body.clone()).get_subscription(id).await.expect("a subscription");
    assert_eq!(read.read_at, asked);

    let listed = client(json!({ "subscriptions": [body, body] })).list_subscriptions(None).await;
    let dates = listed.expect("a page").subscriptions.into_iter().map(|read| read.read_at);
    assert_eq!(dates.collect::<Vec<_>>(), [asked, asked]);

    let token = PurchaseToken::new("a token").expect("a token");
    let resolved = client(json!({ "id": id, "subscription": body })).resolve(&token).await;
    assert_eq!(resolved.expect("a subscription").read_at, asked);
}
