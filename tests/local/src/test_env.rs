//! A local system for tests, with the steps that most tests begin with.

mod webhook;

use std::time::Duration;

use emulator::{Call, DeliveryOutcome, Emulator, Fault, FaultKind, Purchase, Times, World};
use http::{HeaderMap, StatusCode};
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use shared::domain::{Event, Record, SubscriptionId};
use shared::host::http_client;
use uuid::Uuid;

use crate::system::{LocalSystem, Options};

/// A system in virtual time: only the test moves the clock, and only the test delivers webhooks.
pub struct TestEnv {
    pub system: LocalSystem,
    pub http: Client,
}

/// An HTTP answer with its whole body.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("a JSON body")
    }
}

impl TestEnv {
    pub async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub async fn with(options: Options) -> Self {
        let system = LocalSystem::start(options).await.expect("the system starts");
        Self { system, http: http_client::client() }
    }

    pub fn microsoft(&self) -> &Emulator {
        self.system.emulator().expect("the system has the emulator")
    }

    pub fn world<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        self.microsoft().world(act)
    }

    /// Buys. The publisher has no record of it yet.
    pub fn purchase(&self, purchase: Purchase) -> Uuid {
        self.world(|world| world.purchase(purchase))
    }

    /// Buys and confirms on the landing page. The subscription is active on both sides.
    pub async fn active(&self, purchase: Purchase) -> Uuid {
        let id = self.purchase(purchase);
        let confirmed = self.confirm(id).await;
        assert_eq!(confirmed.status, StatusCode::OK, "{}", confirmed.body);
        assert_eq!(self.record(id).await.expect("a record").status().as_str(), "Subscribed");
        id
    }

    /// The buyer follows Microsoft's link to the landing page.
    pub async fn visit(&self, id: Uuid) -> Answer {
        let link = self.world(|world| world.landing_link(id));
        self.send(self.http.get(link)).await
    }

    /// The buyer presses the landing page's button.
    pub async fn confirm(&self, id: Uuid) -> Answer {
        let token = self.world(|world| world.purchase_token(id));
        self.send(self.http.post(self.url("/landing")).form(&[("token", token)])).await
    }

    /// Delivers Microsoft's due webhook calls, once each.
    pub async fn deliver(&self) -> Vec<DeliveryOutcome> {
        self.microsoft().deliver_due().await
    }

    /// Delivers Microsoft's due webhook calls and returns the statuses of the answers.
    pub async fn deliver_statuses(&self) -> Vec<u16> {
        self.deliver().await.into_iter().map(|outcome| outcome.status.expect("an answer")).collect()
    }

    /// Advances the clock on both sides.
    pub fn advance(&self, by: Duration) {
        self.world(|world| world.advance(by));
    }

    /// Makes a call to Microsoft fail from now on.
    pub fn fault(&self, call: Call, kind: FaultKind, times: Times) {
        self.world(|world| world.faults_mut().add(Fault { call, kind, times }));
    }

    /// How many of these calls Microsoft has received.
    pub fn calls(&self, call: Call) -> usize {
        self.world(|world| world.calls().iter().filter(|made| made.call == call).count())
    }

    /// The publisher's product reports that the account is set up.
    pub async fn activate(&self, id: Uuid) -> Answer {
        self.send(self.http.post(self.url(&format!("/subscriptions/{id}/activate")))).await
    }

    /// The publisher requests another plan or number of seats.
    pub async fn change(&self, id: Uuid, body: &Value) -> Answer {
        let request = self.http.patch(self.url(&format!("/subscriptions/{id}")));
        self.send(request.header("content-type", "application/json").body(body.to_string())).await
    }

    /// The publisher cancels.
    pub async fn cancel(&self, id: Uuid) -> Answer {
        self.send(self.http.delete(self.url(&format!("/subscriptions/{id}")))).await
    }

    pub async fn record(&self, id: Uuid) -> Option<Record> {
        self.system.store.load(SubscriptionId(id)).await.expect("the table is there")
    }

    pub async fn events(&self, id: Uuid) -> Vec<Event> {
        self.system.store.events(SubscriptionId(id), 0).await.expect("the table is there").items
    }

    /// The names of a subscription's events, in order.
    pub async fn event_names(&self, id: Uuid) -> Vec<&'static str> {
        self.events(id).await.iter().map(|event| event.kind.name()).collect()
    }

    /// The functions' URL for this path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.system.url())
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.http.get(self.url(path))).await
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.expect("the functions answer");
        Answer {
            status: response.status(),
            headers: response.headers().clone(),
            body: response.text().await.expect("a text body"),
        }
    }
}
