//! One case: a stage, a real binary in its host, and what happens.

use std::collections::BTreeSet;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use emulator::{Call, CallRecord, Emulator, Person, Purchase, TokenVersion, World};
use http::StatusCode;
use local::receiver::{Clock, Receiver};
use local::{Options, Stage};
use serde_json::Value;
use shared::config::Environment;
use shared::domain::{Record, SubscriptionId};
use shared::outbound::{Https, Transport};
use shared::store::Outbox;
use shared::system::RealSystem;
use uuid::Uuid;

use crate::aws::EVENT_BUS_ARN;
use crate::azure::Azure;
use crate::lambda::Lambda;
use crate::template::Grant;
use crate::{Answer, Event, Live};

/// What happens with one payload, and what must come of it.
pub struct Case {
    /// The payload's file, without its ending.
    pub name: &'static str,
    /// Prepares the stage, sends the payload, and checks answer and effect.
    pub run: for<'a> fn(&'a mut Play) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>,
}

/// Which host a binary runs in.
enum Host {
    Lambda(Box<Lambda>),
    Azure(Box<Azure>),
}

/// A case that is being played. The stage's own functions prepare it; the binary alone is tested.
pub struct Play {
    stage: Stage,
    product: Receiver,
    http: reqwest::Client,
    host: Host,
    function: &'static str,
    case: &'static str,
    secrets: BTreeSet<String>,
    answers: Vec<Answer>,
}

/// What a case came to.
pub(crate) struct Outcome {
    pub answers: Vec<Answer>,
    pub used: BTreeSet<Grant>,
}

impl Play {
    pub(crate) async fn on_lambda(
        binary: &Path,
        function: &'static str,
        case: &'static str,
    ) -> Self {
        let (stage, product) = stage().await;
        let host = Lambda::start(binary, function, &stage).await;
        Self::new(stage, product, Host::Lambda(Box::new(host)), function, case)
    }

    pub(crate) async fn on_azure(
        binary: &Path,
        function: &'static str,
        case: &'static str,
    ) -> Self {
        let (stage, product) = stage().await;
        let host = Azure::start(binary, &stage).await;
        Self::new(stage, product, Host::Azure(Box::new(host)), function, case)
    }

    fn new(
        stage: Stage,
        product: Receiver,
        host: Host,
        function: &'static str,
        case: &'static str,
    ) -> Self {
        let mut secrets: BTreeSet<String> =
            Person::everybody().into_iter().map(|person| person.email).collect();
        secrets.insert(stage.variables["ENTRA_CLIENT_SECRET"].clone());
        secrets.insert(product.key().to_owned());
        let http = shared::outbound::client();
        Self { stage, product, http, host, function, case, secrets, answers: Vec::new() }
    }

    fn microsoft(&self) -> &Emulator {
        self.stage.emulator().expect("the stage has the emulator")
    }

    /// Acts on Microsoft's side.
    pub fn world<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        self.microsoft().world(act)
    }

    /// Buys; the publisher knows nothing of it.
    pub fn bought(&self, purchase: Purchase) -> Uuid {
        self.world(|world| world.purchase(purchase))
    }

    /// A token for a visit of the landing page.
    pub fn token(&mut self, id: Uuid) -> String {
        let token = self.world(|world| world.purchase_token(id));
        self.secrets.insert(token.clone());
        token
    }

    /// Buys and visits the landing page: the purchase is on record, and not active.
    pub async fn landed(&mut self, purchase: Purchase) -> Uuid {
        let id = self.bought(purchase);
        let link = self.world(|world| world.landing_link(id));
        let visit = self.http.get(link).send().await.expect("the landing page answers");
        assert_eq!(visit.status(), StatusCode::OK);
        id
    }

    /// Buys and confirms: active on both sides.
    pub async fn active(&mut self, purchase: Purchase) -> Uuid {
        let id = self.bought(purchase);
        let form = [("token", self.token(id))];
        let landing = format!("{}/landing", self.stage.url());
        let confirmed = self.http.post(landing).form(&form).send().await;
        assert_eq!(confirmed.expect("the landing page answers").status(), StatusCode::OK);
        assert_eq!(self.status(id).await, "Subscribed");
        id
    }

    /// Buys, confirms, and stops paying: suspended on both sides.
    pub async fn suspended(&mut self, purchase: Purchase) -> Uuid {
        let id = self.active(purchase).await;
        self.world(|world| world.suspend(id)).expect("an active subscription can be suspended");
        let delivered = self.microsoft().deliver_due().await;
        assert_eq!(delivered.len(), 1);
        assert_eq!(self.status(id).await, "Suspended");
        id
    }

    /// Sends the case's payload to the binary. From here on [`Play::calls`] are the binary's own.
    ///
    /// # Panics
    /// When the invocation fails, which is no answer.
    pub async fn send(&mut self, live: Live) -> Answer {
        let answer = self.attempt(live).await.expect("the function answers");
        self.answers.push(answer.clone());
        answer
    }

    /// The same where the invocation may fail.
    pub async fn attempt(&mut self, mut live: Live) -> Result<Answer, String> {
        let signed = self.microsoft().entra(|entra| entra.webhook_token(TokenVersion::V1));
        self.secrets.insert(signed.clone());
        live.signed.get_or_insert(signed);
        let event = Event::load(self.function, self.case, &live);
        self.world(World::clear_calls);
        match &mut self.host {
            Host::Lambda(lambda) => lambda.invoke(&event).await,
            Host::Azure(azure) => azure.invoke(self.function, &event).await,
        }
    }

    /// The calls of the binary at the marketplace, without those for tokens and keys.
    pub fn calls(&self) -> Vec<CallRecord> {
        let entras = [Call::Token, Call::Discovery, Call::Keys];
        let calls = self.world(|world| world.calls().to_vec());
        calls.into_iter().filter(|call| !entras.contains(&call.call)).collect()
    }

    /// How often the binary made a call.
    pub fn count(&self, call: Call) -> usize {
        self.calls().iter().filter(|made| made.call == call).count()
    }

    /// The publisher's record.
    pub async fn record(&self, id: Uuid) -> Option<Record> {
        self.stage.store.load(SubscriptionId(id)).await.expect("the table is there")
    }

    /// The record's status; empty where there is no record.
    pub async fn status(&self, id: Uuid) -> String {
        self.record(id).await.map(|record| record.status().to_string()).unwrap_or_default()
    }

    /// The names of the events on record, in order.
    pub async fn events(&self, id: Uuid) -> Vec<&'static str> {
        let page = self.stage.store.events(SubscriptionId(id), 0).await;
        let events = page.expect("the table is there").items;
        events.iter().map(|event| event.kind.name()).collect()
    }

    /// The ids of the events on record, in order.
    pub async fn event_ids(&self, id: Uuid) -> Vec<String> {
        let page = self.stage.store.events(SubscriptionId(id), 0).await;
        page.expect("the table is there").items.iter().map(shared::domain::Event::id).collect()
    }

    /// What the publisher's product took, in the order in which it came; everything was signed, and
    /// as the schemas say.
    pub fn told(&self) -> Vec<Value> {
        let complaints = self.product.complaints();
        assert!(complaints.is_empty(), "the product complains: {complaints:?}");
        self.product.events()
    }

    /// What was put on the publisher's bus.
    pub fn on_bus(&self) -> Vec<Value> {
        match &self.host {
            Host::Lambda(lambda) => lambda.on_bus(),
            Host::Azure(_) => Vec::new(),
        }
    }

    /// The table, as whoever carries events sees it.
    ///
    /// # Panics
    /// When the stage's settings are wrong.
    pub fn outbox(&self) -> Arc<dyn Outbox> {
        let variables = self.stage.variables.clone();
        let environment = Environment::from_fn(move |name| variables.get(name).cloned());
        let transport: Arc<dyn Transport> = Arc::new(Https::default());
        shared::config::outbox(&environment, &transport, Arc::new(RealSystem))
            .expect("the stage's settings are right")
    }

    /// Ends the binary. Whatever the case was, nothing secret or personal is in its log, and the
    /// role of the template was enough.
    pub(crate) async fn end(self) -> Outcome {
        let (written, used) = match self.host {
            Host::Azure(azure) => (azure.end().await, BTreeSet::new()),
            Host::Lambda(lambda) => {
                let (written, seen) = lambda.end().await;
                assert!(seen.denied.is_empty(), "the template does not grant {:?}", seen.denied);
                (written, seen.used)
            }
        };
        for secret in &self.secrets {
            for text in [&written.stdout, &written.stderr] {
                assert!(!text.contains(secret), "{secret} is in the log: {text}");
            }
        }
        assert_eq!(written.stderr, "", "the log goes to standard output");
        Outcome { answers: self.answers, used }
    }
}

/// A stage like every other one, in the time of the machine: a binary has no other clock. Beside it a
/// product, which only what is tested tells anything.
async fn stage() -> (Stage, Receiver) {
    let product = Receiver::start(Clock::Machine).await.expect("the product starts");
    let mut options = Options::default()
        .with("DELIVERY_ENDPOINT", product.url())
        .with("DELIVERY_SIGNING_KEY", product.key())
        .with("DELIVERY_EVENT_BUS", EVENT_BUS_ARN);
    options.emulator.live = true;
    (Stage::start(options).await.expect("the stage starts"), product)
}
