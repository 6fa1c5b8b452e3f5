//! The function's host: its settings, its way to the world, and its end at any step.

use std::collections::BTreeMap;
use std::fmt;
use std::future::pending;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use delivery::Delivery;
use http::{Request, Response};
use reconciliation::Reconciliation;
use shared::config::{Dependencies, Microsoft, table};
use shared::host::clock::Clock;
use shared::host::environment::{ConfigError, Environment};
use shared::host::http_client::{SendError, Transport};
use shared::store::DynamoDbStore;
use tokio::sync::Notify;

use crate::table::TABLE;
use crate::world::{PRODUCT, World};

/// How long the answers take.
#[derive(Clone, Copy, Debug)]
pub struct Latency {
    pub page: Duration,
    /// Any other call to Microsoft.
    pub call: Duration,
    /// A request to DynamoDB.
    pub table: Duration,
}

impl Latency {
    /// So long for a page, half of it for another call, and 5 ms for the table.
    pub fn of_page(page: Duration) -> Self {
        Self { page, call: page / 2, table: Duration::from_millis(5) }
    }
}

/// At which request of a slice the host ends the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kill {
    /// Counted from zero.
    pub request: u64,
    /// Whether the request still has its effect.
    pub after_effect: bool,
}

/// A host in which one function runs at a time.
pub struct Host {
    world: Arc<World>,
    clock: Arc<dyn Clock>,
    latency: Latency,
    /// Requests of this slice so far.
    requests: AtomicU64,
    kill: Mutex<Option<Kill>>,
    killed: Notify,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Host")
    }
}

impl Host {
    pub fn new(world: Arc<World>, clock: Arc<dyn Clock>, latency: Latency) -> Arc<Self> {
        Arc::new(Self {
            world,
            clock,
            latency,
            requests: AtomicU64::new(0),
            kill: Mutex::default(),
            killed: Notify::new(),
        })
    }

    /// The store that ships.
    ///
    /// # Panics
    /// Never: the settings are complete.
    pub fn store(self: &Arc<Self>) -> Arc<DynamoDbStore> {
        let transport: Arc<dyn Transport> = self.clone();
        table(&environment(), &transport, self.clock.clone()).expect("complete settings")
    }

    /// Starts the function, with empty caches.
    pub fn start(self: &Arc<Self>) -> Result<Reconciliation, ConfigError> {
        let environment = environment();
        Reconciliation::new(&environment, &self.dependencies(&environment)?)
    }

    /// Starts the delivery of events to the product.
    ///
    /// # Panics
    /// Never: the settings name a receiver.
    pub fn start_delivery(self: &Arc<Self>) -> Result<Delivery, ConfigError> {
        let environment = environment();
        let delivery = Delivery::beside(&environment, &self.dependencies(&environment)?)?;
        Ok(delivery.expect("a receiver"))
    }

    fn dependencies(
        self: &Arc<Self>,
        environment: &Environment,
    ) -> Result<Dependencies, ConfigError> {
        let transport: Arc<dyn Transport> = self.clone();
        let store = self.store();
        Ok(Dependencies {
            microsoft: Microsoft::read(environment, &transport)?,
            transport,
            store: store.clone(),
            due_work: store.clone(),
            checkpoints: store.clone(),
            runs: store.clone(),
            erasures: store.clone(),
            outbox: store.clone(),
            receiver_states: store.clone(),
            annotations: store.clone(),
            refusals: store.clone(),
            sightings: store.clone(),
            offer_settings: store,
            clock: self.clock.clone(),
        })
    }

    /// Runs a function's work to its end, or to the request at which the host ends it. `None`: it was
    /// ended, and dropped where it waited.
    pub async fn run<T>(&self, kill: Option<Kill>, work: impl Future<Output = T>) -> Option<T> {
        self.requests.store(0, Ordering::SeqCst);
        *self.kill.lock().unwrap_or_else(PoisonError::into_inner) = kill;
        tokio::select! {
            biased;
            () = self.killed.notified() => None,
            outcome = work => Some(outcome),
        }
    }

    fn latency(&self, request: &Request<Bytes>) -> Duration {
        let path = request.uri().path();
        if request.headers().contains_key("x-amz-target") {
            self.latency.table
        } else if path.trim_end_matches('/').ends_with("/subscriptions") {
            self.latency.page
        } else {
            self.latency.call
        }
    }

    /// The host ends the function: its request never returns.
    async fn end<T>(&self) -> T {
        self.killed.notify_one();
        pending().await
    }
}

#[async_trait]
impl Transport for Host {
    async fn send(
        &self,
        request: Request<Bytes>,
        _: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        let number = self.requests.fetch_add(1, Ordering::SeqCst);
        let kill = *self.kill.lock().unwrap_or_else(PoisonError::into_inner);
        let kill = kill.filter(|kill| kill.request == number);
        if kill.is_some_and(|kill| !kill.after_effect) {
            return self.end().await;
        }
        tokio::time::sleep(self.latency(&request)).await;
        let answer = self.world.answer(&request, self.clock.now());
        if kill.is_some() {
            return self.end().await;
        }
        Ok(answer)
    }
}

/// The settings, as names and values. All addresses begin with `base`.
pub(crate) fn settings(base: &str) -> BTreeMap<&'static str, String> {
    let tenant = "0f5b8a5e-4c8f-4f0b-9d5e-0f0f3c0c7a01";
    let client = "0f5b8a5e-4c8f-4f0b-9d5e-0f0f3c0c7a02";
    [
        ("MARKETPLACE_URL", &*format!("{base}/api")),
        ("ENTRA_AUTHORITY", base),
        ("ENTRA_TENANT_ID", tenant),
        ("ENTRA_CLIENT_ID", client),
        ("ENTRA_CLIENT_SECRET", "secret"),
        ("CHANGE_POLICY", "accept"),
        ("DELIVERY_ENDPOINT", &*format!("https://{PRODUCT}/events")),
        ("DELIVERY_SIGNING_KEY", "whsec_c2NhbGUtc2NhbGUtc2NhbGUtc2NhbGUtc2NhbGU="),
        ("TABLE_NAME", TABLE),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into()
}

fn environment() -> Environment {
    let settings = settings("https://world.example");
    Environment::from_fn(move |name| settings.get(name).cloned())
}
