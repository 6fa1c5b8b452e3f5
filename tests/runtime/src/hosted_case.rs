//! One case: a local system, and a real binary in its host that the case tests.

use std::collections::BTreeSet;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use emulator::{Call, CallRecord, Person, Purchase, TokenVersion, World};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use local::Options;
use local::receiver::Receiver;
use local::test_env::TestEnv;
use serde_json::{Value, json};
use shared::domain::{
    Cause, Decision, Event as Recorded, Observation, Record, SubscriptionId, observe,
};
use shared::host::clock::SystemClock;
use shared::host::environment::Environment;
use shared::host::http_client::{HttpClient, Transport};
use shared::store::{
    AnnotationStore, Commit, DynamoDbStore, Inspection, OfferSettings, Outbox, Receivers,
};
use uuid::Uuid;

use crate::aws::EVENT_BUS_ARN;
use crate::azure::Azure;
use crate::lambda::Lambda;
use crate::process::Variables;
use crate::{Answer, Credential, Event, Live};
use saasctl::template::Grant;

/// The one case in which buyers sign in. In all others, a link alone opens a purchase.
const WITH_SIGN_IN: &str = "sign-in";

/// The one case in which an endpoint has a name.
const WITH_AN_ENDPOINT: &str = "catching-up";

/// The origin that the payloads of `events/` were sent to.
const BASE_URL: &str = "https://k7wq2m9xva.execute-api.eu-north-1.amazonaws.com";

/// The origin that the console's payloads were sent to.
const CONSOLE_URL: &str = "https://c0ns0le9xva.execute-api.eu-north-1.amazonaws.com";

/// The version that the binary has. A revision may follow it.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// One payload, and the test of what the function does with it.
pub struct Case {
    /// The payload's file name without `.json`.
    pub name: &'static str,
    /// Prepares the local system, sends the payload, and checks the answer and its effects.
    pub run: for<'a> fn(&'a mut HostedCase) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>,
}

enum Host {
    Lambda(Box<Lambda>),
    Azure(Box<Azure>),
}

/// A running case. The environment's own functions prepare it; the case then tests the binary.
pub struct HostedCase {
    env: TestEnv,
    product: Receiver,
    host: Host,
    function: &'static str,
    case: &'static str,
    secrets: BTreeSet<String>,
    answers: Vec<Answer>,
}

/// What a case leaves behind.
pub(crate) struct Outcome {
    pub answers: Vec<Answer>,
    pub used: BTreeSet<Grant>,
}

impl HostedCase {
    pub(crate) async fn on_lambda(
        binary: &Path,
        function: &'static str,
        case: &'static str,
        credential: Option<Credential>,
    ) -> Self {
        let (env, product) = env(case).await;
        let mut settings =
            credential.map(|credential| credential.settings(&env)).unwrap_or_default();
        settings.extend(own(case, &product));
        let host = Lambda::start_with(binary, function, &env.system, &settings).await;
        Self::new(env, product, Host::Lambda(Box::new(host)), function, case)
    }

    pub(crate) async fn on_azure(
        binary: &Path,
        function: &'static str,
        case: &'static str,
        credential: Option<Credential>,
    ) -> Self {
        let (env, product) = env(case).await;
        let mut settings =
            credential.map(|credential| credential.settings(&env)).unwrap_or_default();
        settings.extend(own(case, &product));
        let host = Azure::start(binary, &env.system, settings).await;
        Self::new(env, product, Host::Azure(Box::new(host)), function, case)
    }

    fn new(
        env: TestEnv,
        product: Receiver,
        host: Host,
        function: &'static str,
        case: &'static str,
    ) -> Self {
        let mut secrets: BTreeSet<String> =
            Person::everybody().into_iter().map(|person| person.email).collect();
        secrets.insert(env.system.variables["ENTRA_CLIENT_SECRET"].clone());
        secrets.insert(product.key().to_owned());
        Self { env, product, host, function, case, secrets, answers: Vec::new() }
    }

    pub fn world<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        self.env.world(act)
    }

    /// Buys. The publisher has no record of it yet.
    pub fn bought(&self, purchase: Purchase) -> Uuid {
        self.env.purchase(purchase)
    }

    /// A purchase token for a visit to the landing page.
    pub fn token(&mut self, id: Uuid) -> String {
        let token = self.world(|world| world.purchase_token(id));
        self.secrets.insert(token.clone());
        token
    }

    /// Buys and visits the landing page. The purchase is recorded but not active.
    pub async fn landed(&mut self, purchase: Purchase) -> Uuid {
        let id = self.bought(purchase);
        assert_eq!(self.env.visit(id).await.status, StatusCode::OK);
        id
    }

    /// Buys and confirms. The subscription is active on both sides.
    pub async fn active(&mut self, purchase: Purchase) -> Uuid {
        self.env.active(purchase).await
    }

    /// Buys, confirms, and stops paying. The subscription is suspended on both sides.
    pub async fn suspended(&mut self, purchase: Purchase) -> Uuid {
        let id = self.active(purchase).await;
        self.world(|world| world.suspend(id)).expect("an active subscription can be suspended");
        assert_eq!(self.env.deliver_statuses().await, [200]);
        assert_eq!(self.status(id).await, "Suspended");
        id
    }

    /// Sends the case's payload to the binary. From here on, [`HostedCase::calls`] returns only the
    /// binary's calls.
    ///
    /// # Panics
    /// When the invocation fails.
    pub async fn send(&mut self, live: Live) -> Answer {
        let answer = self.attempt(live).await.expect("the function answers");
        self.answers.push(answer.clone());
        answer
    }

    /// Like [`HostedCase::send`], for an invocation that may fail.
    pub async fn attempt(&mut self, live: Live) -> Result<Answer, String> {
        self.attempt_as(self.case, live).await
    }

    /// A person of the publisher's staff, on the way back from Entra.
    ///
    /// # Panics
    /// When the console or Entra does not send the person on.
    pub async fn back_from_entra(&mut self, email: &str) -> Live {
        let sent = self.attempt_as("sign-in", Live::default()).await.expect("an answer");
        let entra = format!("{}&identity={email}", sent.header("location"));
        let back = self.env.send(self.env.http.get(entra)).await;
        let back = back.headers["location"].to_str().expect("text").to_owned();
        let parameter = |name: &str| {
            let query = back.split_once('?').expect("a query").1;
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let value = pairs.find_map(|(key, value)| (key == name).then(|| value.to_owned()));
            value.or_else(|| panic!("{name} in {back}"))
        };
        let round_trip = sent.cookie("__Host-console");
        Live { code: parameter("code"), state: parameter("state"), round_trip, ..Live::default() }
    }

    /// A person of the publisher's staff who is signed in, with the CSRF token of the first page.
    ///
    /// # Panics
    /// When the sign-in fails.
    pub async fn signed_in(&mut self, email: &str) -> Live {
        let live = self.back_from_entra(email).await;
        let arrived = self.attempt_as("signed-in", live).await.expect("an answer");
        let session = arrived.cookie("__Host-console-session");
        assert!(session.is_some(), "{} {}", arrived.status, arrived.body);
        let live = Live { session, ..Live::default() };
        let page = self.attempt_as("needs-you", live.clone()).await.expect("an answer");
        let csrf = page.body.split_once("name=\"csrf\" value=\"").expect("a form").1;
        Live { csrf: csrf.split('"').next().map(str::to_owned), ..live }
    }

    async fn attempt_as(&mut self, case: &'static str, mut live: Live) -> Result<Answer, String> {
        let signed = self.env.microsoft().entra(|entra| entra.webhook_token(TokenVersion::V1));
        self.secrets.insert(signed.clone());
        live.signed.get_or_insert(signed);
        let event = Event::load(self.function, case, &live);
        self.world(World::clear_calls);
        let answer = match &mut self.host {
            Host::Lambda(lambda) => lambda.invoke(&event).await,
            Host::Azure(azure) => azure.invoke(self.function, &event).await,
        }?;
        if event.is_http() {
            let version = answer.header("service-version");
            assert!(version.starts_with(VERSION), "an answer names the version: {version:?}");
        }
        Ok(answer)
    }

    /// The binary's calls to the marketplace, without its calls to Entra.
    pub fn calls(&self) -> Vec<CallRecord> {
        let to_entra = [Call::Token, Call::Discovery, Call::Keys];
        let calls = self.world(|world| world.calls().to_vec());
        calls.into_iter().filter(|call| !to_entra.contains(&call.call)).collect()
    }

    /// How many times the binary made this call.
    pub fn count(&self, call: Call) -> usize {
        self.calls().iter().filter(|made| made.call == call).count()
    }

    pub async fn record(&self, id: Uuid) -> Option<Record> {
        self.env.record(id).await
    }

    /// The record's status, or an empty text without a record.
    pub async fn status(&self, id: Uuid) -> String {
        self.record(id).await.map(|record| record.status().to_string()).unwrap_or_default()
    }

    /// The names of the recorded events, in order.
    pub async fn events(&self, id: Uuid) -> Vec<&'static str> {
        self.env.event_names(id).await
    }

    /// The ids of the recorded events, in order.
    pub async fn event_ids(&self, id: Uuid) -> Vec<String> {
        self.env.events(id).await.iter().map(Recorded::id).collect()
    }

    /// The events that the publisher's product received, in order. Each was signed and matches its
    /// schema.
    pub fn received(&self) -> Vec<Value> {
        let complaints = self.product.complaints();
        assert!(complaints.is_empty(), "the product complains: {complaints:?}");
        self.product.events()
    }

    /// The entries on the publisher's event bus.
    pub fn on_bus(&self) -> Vec<Value> {
        match &self.host {
            Host::Lambda(lambda) => lambda.on_bus(),
            Host::Azure(_) => Vec::new(),
        }
    }

    /// The table, through the delivery's port.
    ///
    /// # Panics
    /// When the settings are wrong.
    pub fn outbox(&self) -> Arc<dyn Outbox> {
        self.table()
    }

    /// The table, to record a test event in it.
    ///
    /// # Panics
    /// When the settings are wrong.
    pub fn inspection(&self) -> Arc<dyn Inspection> {
        self.table()
    }

    /// The states of the receivers in the table.
    ///
    /// # Panics
    /// When the settings are wrong.
    pub fn receivers(&self) -> Arc<dyn Receivers> {
        self.table()
    }

    /// The settings of offers in the table.
    ///
    /// # Panics
    /// When the settings are wrong.
    pub fn offers(&self) -> Arc<dyn OfferSettings> {
        self.table()
    }

    /// What the publisher keeps about subscriptions in the table.
    ///
    /// # Panics
    /// When the settings are wrong.
    pub fn annotations(&self) -> Arc<dyn AnnotationStore> {
        self.table()
    }

    fn table(&self) -> Arc<DynamoDbStore> {
        let variables = self.env.system.variables.clone();
        let environment = Environment::from_fn(move |name| variables.get(name).cloned());
        let transport: Arc<dyn Transport> = Arc::new(HttpClient::default());
        shared::config::table(&environment, &transport, Arc::new(SystemClock))
            .expect("the system's settings are right")
    }

    /// A subscription that ended 40 days ago, whose events the receivers have accepted. Microsoft has
    /// forgotten it.
    ///
    /// # Panics
    /// When the table refuses it.
    pub async fn ended_long_ago(&self) -> Uuid {
        let id = SubscriptionId(Uuid::from_u128(0x0e4a_5ed0));
        let observed: Observation = serde_json::from_value(json!({
            "id": id, "offerId": "flat-rate-1", "planId": "silver", "name": "Fleet of twelve",
            "saasSubscriptionStatus": "Unsubscribed",
            "beneficiary": { "emailId": Person::adele().email },
        }))
        .expect("an observation");
        let ended_at = Timestamp::now() - SignedDuration::from_hours(40 * 24);
        let next = match observe(None, &observed, &Cause::Reconciliation, ended_at) {
            Ok(Decision::Commit(next)) => next,
            other => panic!("nothing to commit: {other:?}"),
        };
        let versions = BTreeSet::from([next.record.version]);
        let commit = Commit { next: Some(next), mark: None };
        self.env.system.store.commit(id, &commit).await.expect("committed");
        self.outbox().settle(id, &versions).await.expect("settled");
        id.0
    }

    /// Ends the binary. Checks that its log holds nothing secret or personal, and that the
    /// template's role granted every call.
    pub(crate) async fn end(self) -> Outcome {
        let (written, used) = match self.host {
            Host::Azure(azure) => (azure.end().await, BTreeSet::new()),
            Host::Lambda(lambda) => {
                let (written, seen) = lambda.end().await;
                assert!(seen.denied.is_empty(), "the template does not grant {:?}", seen.denied);
                (written, seen.used)
            }
        };
        let assertions = self.env.microsoft().entra(|entra| entra.assertions().to_vec());
        for secret in self.secrets.iter().chain(&assertions) {
            for text in [&written.stdout, &written.stderr] {
                assert!(!text.contains(secret), "{secret} is in the log: {text}");
            }
        }
        assert_eq!(written.stderr, "", "the log goes to standard output");
        for line in written.stdout.lines() {
            let line: Value = serde_json::from_str(line).expect("a line of the log is JSON");
            let version = line["service.version"].as_str().unwrap_or_default();
            assert!(version.starts_with(VERSION), "a line names the version: {line}");
        }
        Outcome { answers: self.answers, used }
    }
}

/// The settings of one case.
fn own(case: &str, product: &Receiver) -> Variables {
    if case != WITH_AN_ENDPOINT {
        return Variables::new();
    }
    let endpoints = json!([{ "name": "crm", "url": product.url() }]);
    let keys = json!({ "crm": product.key() });
    [("DELIVERY_ENDPOINTS", endpoints), ("DELIVERY_SIGNING_KEYS", keys)]
        .map(|(name, value)| (name.to_owned(), value.to_string()))
        .into()
}

/// An environment on the machine's clock, because a binary has no other one, and a product that
/// receives events from the tested binary only.
async fn env(case: &str) -> (TestEnv, Receiver) {
    let product = Receiver::start().await.expect("the product starts");
    let mut options = Options::default()
        .with("DELIVERY_ENDPOINT", product.url())
        .with("DELIVERY_SIGNING_KEY", product.key())
        .with("DELIVERY_EVENT_BUS", EVENT_BUS_ARN)
        .with("RETENTION_DAYS", "30")
        .with("CONSOLE_BASE_URL", CONSOLE_URL)
        .with("DELIVERY_RATE_LIMIT", "1000");
    if case == WITH_SIGN_IN {
        options = options.with("LANDING_SIGN_IN", "entra").with("LANDING_BASE_URL", BASE_URL);
    }
    options.emulator.live = true;
    (TestEnv::with(options).await, product)
}
