//! The fulfillment client over HTTP against the emulator, in virtual time. A recorder keeps every
//! request. A small server on the loopback stands in where the emulator can't.

mod calls;
mod failures;
mod pages;
mod retries;
mod tokens;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use emulator::{Call, Emulator, Fault, FaultKind, Purchase, Settings, Times, World};
use http::{Request, Response};
use jiff::Timestamp;
use shared::config::Microsoft;
use shared::domain::{Cause, Decision, OperationId, Subscription, SubscriptionId, observe};
use shared::host::clock::Clock;
use shared::host::environment::Environment;
use shared::host::http_client::{HttpClient, SendError, Transport};
use shared::host::retry::RetryPolicy;
use shared::microsoft::fulfillment::{
    Acknowledgement, FulfillmentError, Marketplace, PurchaseToken,
};
use uuid::Uuid;

/// The real HTTP client. Records every request.
#[derive(Debug, Default)]
struct Recorder {
    https: HttpClient,
    sent: Mutex<Vec<Request<Bytes>>>,
}

#[async_trait]
impl Transport for Recorder {
    async fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        self.sent.lock().expect("unpoisoned").push(request.clone());
        self.https.send(request, timeout).await
    }
}

/// The emulator's clock. Records every pause and numbers the ids.
#[derive(Debug)]
struct ManualClock {
    emulator: Emulator,
    pauses: Mutex<Vec<Duration>>,
    ids: AtomicU64,
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.emulator.world(|world| world.now())
    }

    async fn sleep(&self, pause: Duration) {
        self.pauses.lock().expect("unpoisoned").push(pause);
        self.emulator.world(|world| world.advance(pause));
    }

    fn new_id(&self) -> Uuid {
        let number = self.ids.fetch_add(1, Ordering::SeqCst);
        Uuid::from_u128(0x0f1e_2d3c_4b5a_4697_8877_0000_0000_0000 + u128::from(number))
    }
}

/// The client and Microsoft's side.
struct Wire {
    emulator: Emulator,
    recorder: Arc<Recorder>,
    clock: Arc<ManualClock>,
    client: Arc<dyn Marketplace>,
}

impl Wire {
    async fn new() -> Self {
        Self::with(Settings::default(), RetryPolicy::INTERACTIVE, &[]).await
    }

    async fn with(settings: Settings, retry: RetryPolicy, variables: &[(&str, &str)]) -> Self {
        let variables: BTreeMap<String, String> =
            variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let own = Settings::default();
        let emulator = Emulator::start(settings).await.expect("the emulator starts");
        let defaults = BTreeMap::from([
            ("MARKETPLACE_URL", emulator.marketplace_url()),
            ("ENTRA_AUTHORITY", emulator.entra_authority()),
            ("ENTRA_TENANT_ID", own.tenant_id),
            ("ENTRA_CLIENT_ID", own.client_id),
            ("ENTRA_CLIENT_SECRET", own.client_secret),
        ]);
        let environment = Environment::from_fn(move |name| {
            variables.get(name).or_else(|| defaults.get(name)).cloned()
        });
        let recorder = Arc::new(Recorder::default());
        let transport: Arc<dyn Transport> = recorder.clone();
        let clock = Arc::new(ManualClock {
            emulator: emulator.clone(),
            pauses: Mutex::default(),
            ids: AtomicU64::new(1),
        });
        let microsoft = Microsoft::read(&environment, &transport).expect("the settings are fine");
        let client = microsoft.marketplace(retry, clock.clone());
        Self { emulator, recorder, clock, client }
    }

    fn world<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        self.emulator.world(act)
    }

    fn fault(&self, call: Call, kind: FaultKind, times: Times) {
        self.world(|world| world.faults_mut().add(Fault { call, kind, times }));
    }

    fn token_requests(&self) -> u64 {
        self.emulator.entra(|entra| entra.token_requests())
    }

    /// The requests to the marketplace since the last call of this method.
    fn take_sent(&self) -> Vec<Request<Bytes>> {
        let mut sent = std::mem::take(&mut *self.recorder.sent.lock().expect("unpoisoned"));
        sent.retain(|request| !request.uri().path().ends_with("/token"));
        sent
    }

    fn take_pauses(&self) -> Vec<Duration> {
        std::mem::take(&mut *self.clock.pauses.lock().expect("unpoisoned"))
    }

    /// An active subscription, activated by Microsoft itself.
    fn active(&self, purchase: Purchase) -> SubscriptionId {
        SubscriptionId(self.world(|world| world.purchase(purchase.auto_activated())))
    }

    fn pending(&self, purchase: Purchase) -> SubscriptionId {
        SubscriptionId(self.world(|world| world.purchase(purchase)))
    }

    fn token(&self, id: SubscriptionId) -> PurchaseToken {
        let token = self.world(|world| world.purchase_token(id.0));
        PurchaseToken::new(&token).expect("the emulator's tokens are tokens")
    }

    /// The operation of a plan change that the customer requested.
    fn plan_change(&self, id: SubscriptionId) -> OperationId {
        OperationId::from(self.world(|world| world.change_plan(id.0, "team")).expect("a change"))
    }

    /// The subscription as the domain rules read it.
    async fn subscription(&self, id: SubscriptionId) -> Subscription {
        let observed = self.client.get_subscription(id).await.expect("an answer");
        match observe(None, &observed, &Cause::Landing, self.clock.now()) {
            Ok(Decision::Commit(change)) => change.record.subscription,
            other => panic!("no record: {other:?}"),
        }
    }

    /// Makes one of the ten calls (Update Subscription in both forms) on a new subscription that
    /// permits it.
    async fn make(&self, call: &Made) -> Result<(), FulfillmentError> {
        let seats = || Purchase::per_seat("basic", 10);
        let client = &self.client;
        match call {
            Made::Resolve => {
                let token = self.token(self.pending(seats()));
                client.resolve(&token).await.map(drop)
            }
            Made::Activate => {
                let id = self.pending(seats());
                let subscription = self.subscription(id).await;
                self.take_sent();
                client.activate(&subscription).await
            }
            Made::List => client.list_subscriptions(None).await.map(drop),
            Made::Get => client.get_subscription(self.active(seats())).await.map(drop),
            Made::Plans => client.list_available_plans(self.active(seats()), None).await.map(drop),
            Made::ChangePlan => client.change_plan(self.active(seats()), "team").await.map(drop),
            Made::ChangeQuantity => {
                client.change_quantity(self.active(seats()), 20).await.map(drop)
            }
            Made::Cancel => client.cancel(self.active(seats())).await.map(drop),
            Made::ListOperations => client.list_operations(self.active(seats())).await.map(drop),
            Made::GetOperation => {
                let id = self.active(seats());
                client.get_operation(id, &self.plan_change(id)).await.map(drop)
            }
            Made::UpdateOperation => {
                let id = self.active(seats());
                let operation = self.plan_change(id);
                client.update_operation(id, &operation, Acknowledgement::Success).await
            }
        }
    }
}

/// The calls of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Made {
    Resolve,
    Activate,
    List,
    Get,
    Plans,
    ChangePlan,
    ChangeQuantity,
    Cancel,
    ListOperations,
    GetOperation,
    UpdateOperation,
}

impl Made {
    const ALL: [Self; 11] = [
        Self::Resolve,
        Self::Activate,
        Self::List,
        Self::Get,
        Self::Plans,
        Self::ChangePlan,
        Self::ChangeQuantity,
        Self::Cancel,
        Self::ListOperations,
        Self::GetOperation,
        Self::UpdateOperation,
    ];

    /// The call's name on Microsoft's side.
    fn call(self) -> Call {
        match self {
            Self::Resolve => Call::Resolve,
            Self::Activate => Call::Activate,
            Self::List => Call::ListSubscriptions,
            Self::Get => Call::GetSubscription,
            Self::Plans => Call::ListAvailablePlans,
            Self::ChangePlan | Self::ChangeQuantity => Call::UpdateSubscription,
            Self::Cancel => Call::DeleteSubscription,
            Self::ListOperations => Call::ListOperations,
            Self::GetOperation => Call::GetOperation,
            Self::UpdateOperation => Call::UpdateOperation,
        }
    }

    /// Whether the call may be repeated while its outcome is unknown (F-ERR-2).
    fn is_repeatable(self) -> bool {
        !matches!(self, Self::ChangePlan | Self::ChangeQuantity | Self::Cancel)
    }
}

fn header<'a>(request: &'a Request<Bytes>, name: &str) -> &'a str {
    let mut values = request.headers().get_all(name).iter();
    let value = values.next().map_or("", |value| value.to_str().expect("header text"));
    assert!(values.next().is_none(), "{name} is sent once");
    value
}
