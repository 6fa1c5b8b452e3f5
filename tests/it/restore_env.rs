//! The environment of the restore's tests: a system with a product, whose table is copied and put
//! back, and what the product makes of its events.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use emulator::World;
use http::{Request, Response};
use jiff::Timestamp;
use local::Options;
use local::receiver::Receiver;
use serde_json::Value;
use shared::flows::restore::{FormerTable, RestoreError, Restored, RestoredTable, restore};
use shared::host::environment::Environment;
use shared::host::http_client::{HttpClient, SendError, Transport};
use shared::store::DynamoDbStore;
use uuid::Uuid;

use crate::test_env::TestEnv;

const MINUTE: Duration = Duration::from_secs(60);

pub(crate) type Item = HashMap<String, AttributeValue>;

/// Every item of a table.
pub(crate) type Copy = Vec<Item>;

pub(crate) struct RestoreEnv {
    pub env: TestEnv,
    pub product: Receiver,
    raw: Client,
    /// The table that is lost, where it can still be read.
    pub former: Option<FormerTable>,
}

impl RestoreEnv {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let product = Receiver::start().await.expect("the product starts");
        let options = options
            .with("DELIVERY_ENDPOINT", product.url())
            .with("DELIVERY_SIGNING_KEY", product.key());
        let env = TestEnv::with(options).await;
        let url = env.system.database_url().expect("an embedded database");
        let raw = local::database::client(url, &env.system.variables["AWS_REGION"]);
        Self { env, product, raw, former: None }
    }

    fn name(&self) -> &str {
        &self.env.system.variables["TABLE_NAME"]
    }

    /// The table as it is now: a point in time.
    pub(crate) async fn copy(&self) -> Copy {
        let (mut items, mut from) = (Vec::new(), None);
        loop {
            let scan = self.raw.scan().table_name(self.name()).consistent_read(true);
            let page = scan.set_exclusive_start_key(from).send().await.expect("a page");
            items.extend(page.items.unwrap_or_default());
            from = page.last_evaluated_key;
            if from.is_none() {
                return items;
            }
        }
    }

    /// The table becomes what it was at that point in time.
    pub(crate) async fn put_back(&self, copy: &Copy) {
        for item in self.copy().await {
            let key = ["pk", "sk"].map(|name| (name.to_owned(), item[name].clone()));
            let delete = self.raw.delete_item().table_name(self.name());
            delete.set_key(Some(HashMap::from(key))).send().await.expect("deleted");
        }
        for item in copy {
            let put = self.raw.put_item().table_name(self.name()).set_item(Some(item.clone()));
            put.send().await.expect("put");
        }
    }

    /// Another table that is what this one is now, and stays so.
    pub(crate) async fn keep_as_former(&mut self) {
        const NAME: &str = "former";
        local::database::create_table(&self.raw, NAME).await.expect("another table");
        for item in self.copy().await {
            let put = self.raw.put_item().table_name(NAME).set_item(Some(item));
            put.send().await.expect("put");
        }
        let table = self.table_named(NAME.to_owned(), Arc::new(HttpClient::default()));
        self.former = Some(FormerTable { store: table.clone(), erasures: table });
    }

    fn table_named(&self, name: String, transport: Arc<dyn Transport>) -> Arc<DynamoDbStore> {
        let variables = self.env.system.variables.clone();
        let environment = Environment::from_fn(move |variable| match variable {
            "TABLE_NAME" => Some(name.clone()),
            variable => variables.get(variable).cloned(),
        });
        let clock = self.env.system.clock.clone();
        shared::config::table(&environment, &transport, clock).expect("the settings")
    }

    /// The restored table, reached over this transport.
    pub(crate) fn table_over(&self, transport: Arc<dyn Transport>) -> RestoredTable {
        let table = self.table_named(self.name().to_owned(), transport);
        RestoredTable {
            store: table.clone(),
            restoration: table.clone(),
            checkpoints: table.clone(),
            outbox: table.clone(),
            receivers: table.clone(),
            annotations: table.clone(),
            erasures: table,
        }
    }

    pub(crate) async fn restore_over(
        &self,
        transport: Arc<dyn Transport>,
    ) -> Result<Restored, RestoreError> {
        let clock = self.env.system.clock.clone();
        restore(&self.table_over(transport), self.former.as_ref(), clock, |_| {}).await
    }

    pub(crate) async fn restore(&self) -> Restored {
        self.restore_over(Arc::new(HttpClient::default())).await.expect("restored")
    }

    /// Microsoft's calls arrive, and the product receives what comes of them.
    pub(crate) async fn tell(&self) {
        for status in self.env.deliver_statuses().await {
            assert_eq!(status, 200);
        }
        self.env.advance(3 * MINUTE);
        self.env.system.sweep().await.expect("a sweep");
    }

    /// Changes at Microsoft that the functions hear nothing of.
    pub(crate) fn missed(&self, change: impl FnOnce(&mut World)) {
        self.env.world(|world| {
            change(world);
            world.lose_deliveries();
        });
        self.env.advance(3 * MINUTE);
    }

    /// Two rounds of the reconciliation, twenty minutes apart, and a sweep after each.
    pub(crate) async fn reconcile(&self) {
        for _ in 0..2 {
            self.env.advance(20 * MINUTE);
            let report = self.env.system.reconcile().await.expect("a round");
            assert_eq!(report.failed, 0);
            self.tell().await;
        }
    }

    /// Asserts that the product holds what Microsoft holds, in whichever way it deduplicates.
    #[track_caller]
    pub(crate) fn assert_product_agrees(&self, ids: &[Uuid]) {
        assert_eq!(self.product.complaints(), [""; 0]);
        let events = self.product.events();
        let [by_id, by_place] = [replay(&events), replay(&in_place(&events))];
        for id in ids {
            let state = self.env.world(|world| world.subscription(*id));
            let microsoft = Held {
                status: state.status.to_owned(),
                plan_id: state.plan_id.clone(),
                seats: state.quantity.map(u64::from),
            };
            assert_eq!(by_id.get(id), Some(&microsoft), "{id} by the ids of events");
            assert_eq!(by_place.get(id), Some(&microsoft), "{id} by the places of events");
        }
    }
}

/// Reaches the table until so many requests were made. After that, none is answered.
#[derive(Debug)]
pub(crate) struct CutOff {
    pub left: AtomicU32,
    /// Whether the last request is carried out.
    pub loses_the_answer: bool,
    pub was_cut: AtomicBool,
}

#[async_trait]
impl Transport for CutOff {
    async fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        let left = self.left.load(Ordering::SeqCst);
        self.left.store(left.saturating_sub(1), Ordering::SeqCst);
        if left == 0 || (left == 1 && self.loses_the_answer) {
            if left == 1 {
                HttpClient::default().send(request, timeout).await?;
            }
            self.was_cut.store(true, Ordering::SeqCst);
            // Which is not tried again.
            let refusal = r#"{"__type":"com.amazonaws.dynamodb.v20120810#AccessDeniedException"}"#;
            let answer = Response::builder().status(400);
            return Ok(answer.body(Bytes::from_static(refusal.as_bytes())).expect("an answer"));
        }
        HttpClient::default().send(request, timeout).await
    }
}

/// What a product holds of a subscription.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    status: String,
    plan_id: String,
    seats: Option<u64>,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub(crate) fn subject(event: &Value) -> Uuid {
    text(&event["subject"]).parse().expect("a GUID")
}

/// The events that a product keeps which remembers the last place of each subscription.
fn in_place(events: &[Value]) -> Vec<Value> {
    let mut last = BTreeMap::<Uuid, String>::new();
    let is_later = |event: &&Value| {
        let (last, place) = (last.entry(subject(event)).or_default(), text(&event["sequence"]));
        let is_later = place > *last;
        if is_later {
            *last = place;
        }
        is_later
    };
    events.iter().filter(is_later).cloned().collect()
}

/// What a product makes of events that reads no more of each than its type is about, and all of an
/// event that has no `before`.
fn replay(events: &[Value]) -> BTreeMap<Uuid, Held> {
    let mut held = BTreeMap::<Uuid, Held>::new();
    for event in events {
        let (data, kind) = (&event["data"], text(&event["type"]));
        let held = held.entry(subject(event)).or_default();
        if data["before"].is_null() {
            let after = &data["after"];
            *held = Held {
                status: text(&after["saasSubscriptionStatus"]),
                plan_id: text(&after["planId"]),
                seats: after["quantity"].as_u64(),
            };
            continue;
        }
        let status = match kind.trim_start_matches("saas-fulfillment.subscription.") {
            "activated.v1" | "reinstated.v1" => "Subscribed",
            "suspended.v1" => "Suspended",
            "unsubscribed.v1" => "Unsubscribed",
            "plan-changed.v1" => {
                held.plan_id = text(&data["change"]["to"]);
                continue;
            }
            "quantity-changed.v1" => {
                held.seats = data["change"]["to"].as_u64();
                continue;
            }
            _ => continue,
        };
        status.clone_into(&mut held.status);
    }
    held
}

/// The time as an epoch.
pub(crate) fn epoch_at(at: Timestamp) -> u64 {
    at.as_millisecond().try_into().expect("after 1970")
}
