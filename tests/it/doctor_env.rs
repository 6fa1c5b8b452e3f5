//! The management function beside a running system, with faults of a deployment.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use local::Options;
use local::receiver::Receiver;
use management::Management;
use serde_json::Value;
use shared::config::{Dependencies, ManagementSettings, Microsoft};
use shared::host::clock::Clock;
use shared::host::deadline::DeadlineTransport;
use shared::host::environment::Environment;
use shared::host::http::{GatewayHost, Handler, Request as ApiRequest};
use shared::host::http_client::{HttpClient, SendError, Transport};
use shared::store::{DynamoDbStore, Sighting, Sightings as _};
use uuid::Uuid;

use crate::test_env::TestEnv;

/// The API's own host, as API Gateway names it.
pub(crate) const OWN_HOST: &str = "k7wq2m9xva.execute-api.eu-north-1.amazonaws.com";

/// What peers answer instead of their own answer, if anything.
type Answers = dyn Fn(&Request<Bytes>) -> Option<Response<Bytes>> + Send + Sync;

/// The way out, with some answers replaced.
struct Peers(Box<Answers>);

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Peers")
    }
}

#[async_trait]
impl Transport for Peers {
    async fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        match (self.0)(&request) {
            Some(answer) => Ok(answer),
            None => HttpClient::default().send(request, timeout).await,
        }
    }
}

pub(crate) fn answer(status: u16, body: &Value) -> Response<Bytes> {
    let answer = Response::builder().status(status).header("content-type", "application/json");
    answer.body(body.to_string().into()).expect("an answer")
}

/// Another clock whose time on the wall is off.
#[derive(Debug)]
struct Skewed(Arc<dyn Clock>, SignedDuration);

#[async_trait]
impl Clock for Skewed {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn wall_time(&self) -> Timestamp {
        self.0.wall_time() + self.1
    }

    async fn sleep(&self, pause: Duration) {
        self.0.sleep(pause).await;
    }

    fn new_id(&self) -> Uuid {
        self.0.new_id()
    }
}

/// A fault of the deployment.
#[derive(Default)]
pub(crate) struct Fault {
    /// Settings other than the system's.
    pub settings: Vec<(&'static str, String)>,
    pub answers: Option<Box<Answers>>,
    /// How far the clock is ahead.
    pub ahead: SignedDuration,
    /// The host that the API is asked at.
    pub gateway: Option<&'static str>,
}

/// A fault of the settings alone.
pub(crate) fn settings(settings: &[(&'static str, &str)]) -> Fault {
    let own = |(name, value): &(&'static str, &str)| (*name, (*value).to_owned());
    Fault { settings: settings.iter().map(own).collect(), ..Fault::default() }
}

/// What an examination found.
#[derive(Debug)]
pub(crate) struct Examination(pub Value);

impl Examination {
    /// The names of the checks with this outcome, in order.
    pub(crate) fn with(&self, outcome: &str) -> Vec<&str> {
        let checks = self.0["checks"].as_array().expect("checks").iter();
        let of = checks.filter(|check| check["outcome"] == outcome);
        of.map(|check| check["check"].as_str().expect("a name")).collect()
    }

    /// Asserts a check's outcome, and that it says this and, if it is wrong, where it stands.
    #[track_caller]
    pub(crate) fn has(&self, check: &str, outcome: &str, words: &[&str]) {
        let mut checks = self.0["checks"].as_array().expect("checks").iter();
        let found = checks.find(|found| found["check"] == check);
        let found = found.unwrap_or_else(|| panic!("no check {check}: {}", self.0));
        assert_eq!(found["outcome"], outcome, "{found}");
        let text = format!(
            "{} {}",
            found["says"].as_str().expect("a text"),
            found["where"].as_str().unwrap_or_default()
        );
        for word in words {
            assert!(text.contains(word), "no {word:?} in {text}");
        }
        let is_wrong = matches!(outcome, "warning" | "failed");
        assert_eq!(found["where"].is_string(), is_wrong, "{found}");
    }
}

pub(crate) struct DoctorEnv {
    pub env: TestEnv,
    pub product: Receiver,
}

impl DoctorEnv {
    /// A deployment with a receiver of events, in which nothing has happened yet.
    pub(crate) async fn new() -> Self {
        let product = Receiver::start().await.expect("the receiver starts");
        let options = Options::default()
            .with("DELIVERY_ENDPOINT", product.url())
            .with("DELIVERY_SIGNING_KEY", product.key());
        Self { env: TestEnv::with(options).await, product }
    }

    /// A deployment that works and has been called.
    pub(crate) async fn at_work() -> Self {
        let doctor = Self::new().await;
        doctor.seen(webhook("127.0.0.1"), 60).await;
        doctor.env.system.sweep().await.expect("a sweep");
        doctor.env.system.reconcile().await.expect("a run");
        doctor
    }

    fn environment(&self, fault: &Fault) -> Environment {
        let mut variables = self.env.system.variables.clone();
        for (name, value) in &fault.settings {
            variables.insert((*name).to_owned(), value.clone());
            // A secret is given as text or by its ARN.
            variables.remove(name.strip_suffix("_ARN").unwrap_or_default());
        }
        Environment::from_fn(move |name| variables.get(name).cloned())
    }

    /// The table, with every port.
    pub(crate) fn table(&self) -> Arc<DynamoDbStore> {
        let transport: Arc<dyn Transport> = Arc::new(HttpClient::default());
        let environment = self.environment(&Fault::default());
        shared::config::table(&environment, &transport, self.env.system.clock.clone())
            .expect("the system's settings")
    }

    /// Notes that this was seen so many seconds ago.
    pub(crate) async fn seen(&self, sighting: Sighting, seconds_ago: i64) {
        let at = self.env.system.clock.now() - SignedDuration::from_secs(seconds_ago);
        self.table().note(&sighting, at).await.expect("a note");
    }

    /// Examines the running system.
    pub(crate) async fn examine(&self) -> Examination {
        let answer = self.env.get("/doctor").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        Examination(answer.json())
    }

    /// Examines the system from a function with this fault.
    pub(crate) async fn examine_with(&self, fault: Fault) -> Examination {
        let clock: Arc<dyn Clock> = Arc::new(Skewed(self.env.system.clock.clone(), fault.ahead));
        let environment = self.environment(&fault);
        let peers = Peers(fault.answers.unwrap_or_else(|| Box::new(|_| None)));
        examine(&environment, peers, clock, fault.gateway).await
    }
}

/// Asks a function that reaches its peers this way.
pub(crate) async fn examine(
    environment: &Environment,
    peers: impl Transport + 'static,
    clock: Arc<dyn Clock>,
    gateway: Option<&'static str>,
) -> Examination {
    let transport: Arc<dyn Transport> = Arc::new(DeadlineTransport::new(peers, clock.clone()));
    let table = shared::config::table(environment, &transport, clock.clone()).expect("settings");
    let dependencies = Dependencies {
        microsoft: Microsoft::read(environment, &transport).expect("settings"),
        store: table.clone(),
        checkpoints: table.clone(),
        due_work: table.clone(),
        runs: table.clone(),
        refusals: table.clone(),
        sightings: table.clone(),
        erasures: table.clone(),
        outbox: table.clone(),
        receiver_states: table.clone(),
        annotations: table.clone(),
        offer_settings: table,
        transport,
        clock,
    };
    let settings = ManagementSettings::read(environment, &dependencies).expect("settings");
    let management = Management::new(&dependencies, settings);
    let mut request = ApiRequest::default();
    *request.uri_mut() = "/doctor".parse().expect("a path");
    if let Some(host) = gateway {
        request.extensions_mut().insert(GatewayHost(host.to_owned()));
    }
    let answer = management.handle(request).await;
    assert_eq!(answer.status(), StatusCode::OK);
    Examination(serde_json::from_slice(answer.body()).expect("JSON"))
}

pub(crate) fn webhook(host: &str) -> Sighting {
    Sighting::Webhook { host: host.to_owned() }
}
