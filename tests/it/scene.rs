//! What the tests stand on: a stage, and the steps that most tests begin with.

use std::time::Duration;

use emulator::{Call, DeliveryOutcome, Emulator, Fault, FaultKind, Purchase, Times, World};
use http::StatusCode;
use local::{Options, Stage};
use shared::domain::{Event, Record, SubscriptionId};
use uuid::Uuid;

/// A stage in virtual time: nothing happens unless a test makes it happen.
pub(crate) struct Scene {
    pub stage: Stage,
    pub http: reqwest::Client,
}

/// An answer, read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: http::HeaderMap,
    pub body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).expect("a JSON body")
    }
}

impl Scene {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let stage = Stage::start(options).await.expect("the stage starts");
        Self { stage, http: shared::host::http_client::client() }
    }

    pub(crate) fn microsoft(&self) -> &Emulator {
        self.stage.emulator().expect("every scene has the emulator")
    }

    pub(crate) fn world<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        self.microsoft().world(act)
    }

    /// Buys, and returns the subscription's id; nobody has opened the landing page yet.
    pub(crate) fn purchase(&self, purchase: Purchase) -> Uuid {
        self.world(|world| world.purchase(purchase))
    }

    /// Buys, opens the landing page, and confirms: the subscription is active on both sides.
    pub(crate) async fn active(&self, purchase: Purchase) -> Uuid {
        let id = self.purchase(purchase);
        let confirmed = self.confirm(id).await;
        assert_eq!(confirmed.status, StatusCode::OK, "{}", confirmed.body);
        assert_eq!(self.record(id).await.expect("a record").status().as_str(), "Subscribed");
        id
    }

    /// The buyer follows Microsoft's link.
    pub(crate) async fn visit(&self, id: Uuid) -> Answer {
        let link = self.world(|world| world.landing_link(id));
        self.send(self.http.get(link)).await
    }

    /// The buyer presses the button.
    pub(crate) async fn confirm(&self, id: Uuid) -> Answer {
        let token = self.world(|world| world.purchase_token(id));
        self.send(self.http.post(self.url("/landing")).form(&[("token", token)])).await
    }

    /// Sends all that Microsoft has to report now, once each.
    pub(crate) async fn deliver(&self) -> Vec<DeliveryOutcome> {
        self.microsoft().deliver_due().await
    }

    /// The statuses that the deliveries due now were answered with.
    pub(crate) async fn deliver_statuses(&self) -> Vec<u16> {
        self.deliver().await.into_iter().map(|outcome| outcome.status.expect("an answer")).collect()
    }

    /// Lets time pass on both sides.
    pub(crate) fn advance(&self, by: Duration) {
        self.world(|world| world.advance(by));
    }

    /// Something goes wrong with a call from now on.
    pub(crate) fn fault(&self, call: Call, kind: FaultKind, times: Times) {
        self.world(|world| world.faults_mut().add(Fault { call, kind, times }));
    }

    /// How often Microsoft was called this way so far.
    pub(crate) fn calls(&self, call: Call) -> usize {
        self.world(|world| world.calls().iter().filter(|made| made.call == call).count())
    }

    /// The publisher's product says that the account is configured.
    pub(crate) async fn activate(&self, id: Uuid) -> Answer {
        self.send(self.http.post(self.url(&format!("/subscriptions/{id}/activate")))).await
    }

    /// The publisher asks for another plan or number of seats.
    pub(crate) async fn change(&self, id: Uuid, wanted: &serde_json::Value) -> Answer {
        let request = self.http.patch(self.url(&format!("/subscriptions/{id}")));
        self.send(request.header("content-type", "application/json").body(wanted.to_string())).await
    }

    /// The publisher asks for the end of a subscription.
    pub(crate) async fn cancel(&self, id: Uuid) -> Answer {
        self.send(self.http.delete(self.url(&format!("/subscriptions/{id}")))).await
    }

    pub(crate) async fn record(&self, id: Uuid) -> Option<Record> {
        self.stage.store.load(SubscriptionId(id)).await.expect("the table is there")
    }

    pub(crate) async fn events(&self, id: Uuid) -> Vec<Event> {
        self.stage.store.events(SubscriptionId(id), 0).await.expect("the table is there").items
    }

    /// The names of the events of a subscription, in order.
    pub(crate) async fn event_names(&self, id: Uuid) -> Vec<&'static str> {
        self.events(id).await.iter().map(|event| event.kind.name()).collect()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.stage.url())
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.http.get(self.url(path))).await
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.expect("the functions answer");
        Answer {
            status: response.status(),
            headers: response.headers().clone(),
            body: response.text().await.expect("a text body"),
        }
    }
}

/// A refusal, for programs and for people (RFC 9457).
#[track_caller]
pub(crate) fn is_problem(answer: &Answer, status: StatusCode, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    let problem = answer.json();
    assert_eq!(problem["code"], code);
    assert_eq!(problem["status"], status.as_u16());
    assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
}
