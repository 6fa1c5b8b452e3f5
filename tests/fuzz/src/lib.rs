//! Code that the targets share: a network whose answers come from the fuzzer's input.
//!
//! An input is readable text. A line of `====` separates its parts. If a part is an HTTP message,
//! it has a line with the status, the headers, an empty line, and the body.

mod keys;
pub mod landing_page;
mod message;
pub mod schema;
pub mod sign_in;
pub mod table;
mod wire;

use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use http::StatusCode;
use jiff::Timestamp;
use secrecy::SecretString;
use shared::config::{Dependencies, Microsoft};
use shared::host::clock::Clock;
use shared::host::environment::Environment;
use shared::host::http_client::Transport;
use shared::host::retry::RetryPolicy;
use shared::microsoft::entra::{AccessToken, TokenCache, TokenError, TokenProvider};
use shared::microsoft::fulfillment::{Client, Endpoint};
use shared::store::{
    DynamoDbStore, OfferSettings, SaveError, Sighting, Sightings, StoreError, StoredOffers,
};
use tokio::runtime::{Builder, Runtime};
use uuid::Uuid;

pub use keys::{Key, key, stranger};
pub use message::{Message, members, parts};
pub use wire::{Responses, Wire, assert_sent_to_the_marketplace_alone, status};

/// The client's `MARKETPLACE_URL`.
pub const MARKETPLACE: &str = "https://marketplace.example/api";

/// The client's `ENTRA_AUTHORITY`.
pub const ENTRA: &str = "https://entra.example";

/// The store's endpoint.
pub const DYNAMODB: &str = "https://dynamodb.example";

pub const TENANT: Uuid = Uuid::from_u128(0x11111111_1111_4111_8111_111111111111);

pub const APP: Uuid = Uuid::from_u128(0x22222222_2222_4222_8222_222222222222);

/// The subscription in the seeds.
pub const SUBSCRIPTION: Uuid = Uuid::from_u128(0x33333333_3333_4333_8333_333333333333);

/// The operation in the seeds.
pub const OPERATION: Uuid = Uuid::from_u128(0x44444444_4444_4444_8444_444444444444);

/// The access token that Entra issues.
pub const ACCESS_TOKEN: &str = "access-token-of-the-publisher";

/// The current time, which never changes.
pub fn now() -> Timestamp {
    Timestamp::from_second(1_795_348_800).expect("a time of this century")
}

/// A clock that stands still.
#[derive(Debug)]
pub struct Still;

#[async_trait]
impl Clock for Still {
    fn now(&self) -> Timestamp {
        now()
    }

    async fn sleep(&self, _: Duration) {}

    fn new_id(&self) -> Uuid {
        Uuid::from_u128(0x55555555_5555_4555_8555_555555555555)
    }
}

/// Always returns the same token.
struct OneToken;

#[async_trait]
impl TokenProvider for OneToken {
    async fn token(&self) -> Result<AccessToken, TokenError> {
        let expires = now() + jiff::SignedDuration::from_hours(1);
        Ok(AccessToken::new(SecretString::from(ACCESS_TOKEN), expires))
    }
}

/// Three attempts, and any `Retry-After` of up to a minute.
pub const RETRY: RetryPolicy = RetryPolicy {
    attempts: 3,
    first_pause: Duration::from_secs(1),
    attempt_timeout: Duration::from_secs(1),
    budget: Duration::from_secs(60),
    reserve: Duration::ZERO,
    outage_after: u32::MAX,
    waits_together: false,
};

/// The fulfillment API over a wire.
pub fn client(wire: &Arc<Wire>) -> Client {
    let clock = Arc::new(Still);
    let tokens = Arc::new(TokenCache::new(Arc::new(OneToken), clock.clone()));
    let endpoint = Endpoint { base: MARKETPLACE.to_owned(), retry: RETRY };
    Client::new(wire.clone(), endpoint, tokens, clock)
}

/// The table over a wire, without the SDK's own retries and timeouts.
pub fn store(wire: &Arc<Wire>) -> DynamoDbStore {
    use aws_sdk_dynamodb::config::retry::RetryConfig;
    use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
    use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(shared::host::http_client::for_aws(wire.clone()))
        .credentials_provider(Credentials::new("key", "secret", None, None, "fuzz"))
        .region(Region::new("eu-north-1"))
        .endpoint_url(DYNAMODB)
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .build();
    let client = aws_sdk_dynamodb::Client::from_conf(config);
    DynamoDbStore::new(client, "table".to_owned(), Arc::new(Still))
}

/// The table over a wire of its own, created once per process.
pub fn table_alone() -> &'static (Arc<Wire>, DynamoDbStore) {
    static TABLE: OnceLock<(Arc<Wire>, DynamoDbStore)> = OnceLock::new();
    TABLE.get_or_init(|| {
        let wire = Wire::answering(status(StatusCode::OK));
        let store = store(&wire);
        (wire, store)
    })
}

/// The settings that every function needs, the additional ones in `own`, and their clients over a
/// wire.
pub fn dependencies(
    wire: &Arc<Wire>,
    own: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
) -> (Environment, Dependencies) {
    let environment = Environment::from_fn(move |name| {
        Some(match name {
            "MARKETPLACE_URL" => MARKETPLACE.to_owned(),
            "ENTRA_AUTHORITY" => ENTRA.to_owned(),
            "ENTRA_TENANT_ID" => TENANT.to_string(),
            "ENTRA_CLIENT_ID" => APP.to_string(),
            "ENTRA_CLIENT_SECRET" => "secret".to_owned(),
            name => return own(name),
        })
    });
    let transport: Arc<dyn Transport> = wire.clone();
    let dependencies = Dependencies {
        microsoft: Microsoft::read(&environment, &transport).expect("complete settings"),
        transport,
        store: Arc::new(store(wire)),
        checkpoints: Arc::new(store(wire)),
        due_work: Arc::new(store(wire)),
        runs: Arc::new(store(wire)),
        refusals: Arc::new(store(wire)),
        sightings: Arc::new(Unnoted),
        erasures: Arc::new(store(wire)),
        outbox: Arc::new(store(wire)),
        receiver_states: Arc::new(store(wire)),
        annotations: Arc::new(store(wire)),
        offer_settings: Arc::new(NoOffers),
        clock: Arc::new(Still),
    };
    (environment, dependencies)
}

/// Holds no settings of offers: a process reads them once a minute, and each input must find the same process.
pub struct NoOffers;

#[async_trait]
impl OfferSettings for NoOffers {
    async fn offers(&self) -> Result<StoredOffers, StoreError> {
        Ok(StoredOffers::default())
    }

    async fn save_offers(&self, _: &StoredOffers) -> Result<(), SaveError> {
        Ok(())
    }
}

/// Notes nothing: a process notes what it saw once an hour, and each input must find the same process.
pub struct Unnoted;

#[async_trait]
impl Sightings for Unnoted {
    async fn note(&self, _: &Sighting, _: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }

    async fn sightings(&self) -> Result<Vec<(Sighting, Timestamp)>, StoreError> {
        Ok(Vec::new())
    }
}

/// Runs a future to its end.
pub fn run<F: Future>(future: F) -> F::Output {
    thread_local! {
        static RUNTIME: Runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}
