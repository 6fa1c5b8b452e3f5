//! The import: a publisher with customers from before begins without a flood of old events.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use emulator::{Call, FaultKind, Purchase, Settings, Times, World};
use local::Options;
use local::receiver::Receiver;
use serde_json::{Value, json};
use shared::host::environment::Environment;
use shared::store::{
    Checkpoint, DynamoDbStore, FirstStart, Outbox as _, Restoration as _, Round, Target,
};
use uuid::Uuid;

use crate::probe::Probe;
use crate::reconciliation::activate_elsewhere;
use crate::test_env::TestEnv;

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A system without a first start yet, whose product receives events.
struct ImportEnv {
    env: TestEnv,
    product: Receiver,
}

impl ImportEnv {
    async fn with(settings: &[(&str, &str)]) -> Self {
        let (options, product) = Self::options(settings).await;
        Self { env: TestEnv::with(options).await, product }
    }

    async fn options(settings: &[(&str, &str)]) -> (Options, Receiver) {
        let product = Receiver::start().await.expect("the receiver starts");
        let mut emulator = Settings::default();
        emulator.behaviour.page_size = 40;
        let options = Options { emulator, ..Options::default() }
            .with("DELIVERY_ENDPOINT", product.url())
            .with("DELIVERY_SIGNING_KEY", product.key());
        let with = |options: Options, (name, value): &(&str, &str)| options.with(name, value);
        (settings.iter().fold(options, with), product)
    }

    async fn new() -> Self {
        Self::with(&[]).await
    }

    /// A purchase that another system activated, with no webhook call on its way.
    fn customer(&self) -> Uuid {
        let id = self.env.purchase(Purchase::per_seat("basic", 10));
        self.env.world(|world| {
            activate_elsewhere(world, id);
            world.lose_deliveries();
        });
        id
    }

    /// This many customers from before, of whom every seventh is suspended and every eleventh has left.
    fn customers_from_before(&self, count: usize) -> Vec<Uuid> {
        let ids: Vec<_> = (0..count).map(|_| self.customer()).collect();
        self.env.world(|world| {
            for (number, id) in ids.iter().enumerate() {
                if number % 7 == 0 {
                    world.suspend(*id).expect("a suspension");
                } else if number % 11 == 0 {
                    world.unsubscribe(*id).expect("an end");
                }
                world.lose_deliveries();
            }
        });
        // Before the next renewal, and before a suspension ends.
        self.env.advance(20 * DAY);
        self.env.world(World::lose_deliveries);
        ids
    }

    async fn reconcile(&self) -> reconciliation::Report {
        self.env.system.reconcile().await.expect("a run")
    }

    /// The subscriptions and types of everything that the product has received, from the stream and from
    /// sweeps.
    async fn told(&self) -> BTreeMap<Uuid, Vec<String>> {
        self.env.system.deliver_events().await.expect("the stream is there");
        for _ in 0..5 {
            self.env.advance(HOUR);
            self.env.system.sweep().await.expect("the table is there");
        }
        assert_eq!(self.product.complaints(), [] as [String; 0]);
        let mut told = BTreeMap::<_, Vec<_>>::new();
        for event in self.product.events() {
            let text = |name: &str| event[name].as_str().expect("a text").to_owned();
            let name = text("type");
            let name = name.strip_prefix("saas-fulfillment.subscription.").expect("our own type");
            let subject = text("subject").parse().expect("a GUID");
            told.entry(subject).or_default().push(name.trim_end_matches(".v1").to_owned());
        }
        told
    }

    async fn first_start(&self) -> FirstStart {
        let first = self.env.system.checkpoints.first_start().await;
        first.expect("the table is there").expect("a first start")
    }

    async fn redeliver_all(&self, id: Uuid) {
        let path = self.env.url(&format!("/subscriptions/{id}/redeliver"));
        let request = self.env.http.post(path).header("content-type", "application/json");
        let answer = self.env.send(request.body(r#"{"fromVersion":1}"#)).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
    }

    /// The table, with every port.
    fn table(&self) -> Arc<DynamoDbStore> {
        let variables = self.env.system.variables.clone();
        let environment = Environment::from_fn(move |name| variables.get(name).cloned());
        let clock = &self.env.system.clock;
        let transport = shared::config::transport(clock);
        let table = shared::config::table(&environment, &transport, clock.clone());
        table.expect("the settings are right")
    }

    /// How many subscriptions wait for the product.
    async fn waiting(&self) -> u64 {
        let waiting = self.table().waiting(&[Target::Endpoint], &BTreeMap::new()).await;
        waiting.expect("the table is there").subscriptions
    }

    async fn lose_checkpoint(&self) {
        let checkpoints = &self.env.system.checkpoints;
        let stored = checkpoints.checkpoint().await.expect("the table is there");
        checkpoints.save_checkpoint(&stored.reset()).await.expect("the table is there");
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn an_import_tells_the_product_of_what_waits_and_of_what_is_younger_and_of_nothing_else() {
    let import = ImportEnv::new().await;
    let before = import.customers_from_before(300);
    let waiting = import.env.purchase(Purchase::per_seat("team", 5));
    import.env.advance(HOUR);
    // Bought moments before the first start, by a clock that may differ from ours.
    let around = import.customer();
    import.env.advance(Duration::from_secs(60));
    let report = import.reconcile().await;
    assert_eq!((report.examined, report.failed, report.left), (302, 0, 0));
    for id in &before {
        assert_eq!(import.env.event_names(*id).await, ["Imported"]);
        let record = import.env.record(*id).await.expect("a record");
        let microsoft = import.env.world(|world| world.subscription(*id).status);
        assert_eq!(record.status().as_str(), microsoft);
    }
    let expected = BTreeMap::from([
        (waiting, names(&["purchased"])),
        (around, names(&["purchased", "activated"])),
    ]);
    assert_eq!(import.told().await, expected);
    assert!(import.first_start().await.imported_at.is_some(), "the round is full");
}

#[tokio::test]
async fn a_purchase_made_during_the_import_is_told() {
    let import = ImportEnv::new().await;
    let before = import.customers_from_before(100);
    // The third page fails, so the first slice ends within the list.
    import.env.world(|world| world.settings_mut().behaviour.failing_page = Some(80));
    import.env.system.reconcile().await.expect_err("a page fails");
    assert_eq!(import.first_start().await.imported_at, None, "the import is under way");
    import.env.advance(HOUR);
    let young = import.customer();
    import.env.world(|world| world.settings_mut().behaviour.failing_page = None);
    import.reconcile().await;
    import.reconcile().await;
    assert_eq!(import.told().await, BTreeMap::from([(young, names(&["purchased", "activated"]))]));
    for id in before {
        assert_eq!(import.env.event_names(id).await, ["Imported"]);
    }
}

#[tokio::test]
async fn a_change_of_an_imported_customer_is_told_as_usual() {
    let import = ImportEnv::new().await;
    let [one, two] = import.customers_from_before(2)[..] else { panic!("two customers") };
    // The first of them is suspended.
    import.reconcile().await;
    import.env.world(|world| world.change_plan(two, "team").expect("a change"));
    assert_eq!(import.env.deliver_statuses().await, [200]);
    import.env.world(|world| {
        world.unsubscribe(one).expect("an end");
        world.lose_deliveries();
    });
    import.env.advance(HOUR);
    import.reconcile().await;
    let expected =
        BTreeMap::from([(one, names(&["unsubscribed"])), (two, names(&["plan-changed"]))]);
    assert_eq!(import.told().await, expected);
    let of_two = |event: &&Value| event["subject"] == two.to_string();
    let change = import.product.events().iter().find(of_two).cloned().expect("a change");
    assert_eq!(change["data"]["before"]["planId"], "basic", "the product learns both states");
    assert_eq!(change["data"]["after"]["planId"], "team");
}

#[tokio::test]
async fn a_redelivery_from_the_beginning_leaves_the_silent_event_out() {
    let import = ImportEnv::new().await;
    let [_, id] = import.customers_from_before(2)[..] else { panic!("two customers") };
    import.reconcile().await;
    let deliveries = import.env.get(&format!("/subscriptions/{id}/deliveries")).await.json();
    assert_eq!(deliveries["deliveries"][0]["state"], "upToDate", "{deliveries}");
    import.redeliver_all(id).await;
    assert_eq!(import.told().await, BTreeMap::new());
    assert_eq!(import.waiting().await, 0, "it counts as delivered");
    import.env.world(|world| world.change_plan(id, "team").expect("a change"));
    assert_eq!(import.env.deliver_statuses().await, [200]);
    import.redeliver_all(id).await;
    assert_eq!(import.told().await, BTreeMap::from([(id, names(&["plan-changed"]))]));
    assert_eq!(import.waiting().await, 0);
}

#[tokio::test]
async fn with_announce_the_product_is_told_of_every_customer_with_one_event() {
    let import = ImportEnv::with(&[("IMPORT", "announce")]).await;
    let before = import.customers_from_before(30);
    let waiting = import.env.purchase(Purchase::per_seat("team", 5));
    import.env.advance(DAY);
    import.reconcile().await;
    let told = import.told().await;
    assert_eq!(told.len(), 31);
    assert_eq!(told[&waiting], ["purchased"]);
    for id in before {
        assert_eq!(told[&id], ["imported"]);
    }
}

#[tokio::test]
async fn a_lost_checkpoint_does_not_make_the_reconciliation_silent_again() {
    let import = ImportEnv::new().await;
    let [one, two] = import.customers_from_before(2)[..] else { panic!("two customers") };
    // Microsoft's list lacks the second one in the first round.
    let entry = json!({ "id": one, "offerId": "per-seat-1", "planId": "basic", "quantity": 10,
                        "saasSubscriptionStatus": "Suspended", "created": "2020-01-31T08:00:00Z" });
    let page = json!({ "subscriptions": [entry] }).to_string();
    import.env.fault(Call::ListSubscriptions, FaultKind::Garbage(page), Times::Once);
    import.reconcile().await;
    let first = import.first_start().await;
    assert!(first.imported_at.is_some());
    import.lose_checkpoint().await;
    import.env.advance(HOUR);
    import.reconcile().await;
    assert_eq!(import.env.event_names(two).await, ["Purchased", "Activated"]);
    assert_eq!(import.first_start().await, first, "the first start is never reset");
}

#[tokio::test]
async fn a_checkpoint_that_is_lost_during_the_import_does_not_end_it() {
    let import = ImportEnv::new().await;
    let before = import.customers_from_before(100);
    import.env.world(|world| world.settings_mut().behaviour.failing_page = Some(80));
    import.env.system.reconcile().await.expect_err("a page fails");
    let first = import.first_start().await;
    import.lose_checkpoint().await;
    import.env.advance(HOUR);
    import.env.world(|world| world.settings_mut().behaviour.failing_page = None);
    import.reconcile().await;
    assert_eq!(import.told().await, BTreeMap::new());
    assert_eq!(import.first_start().await.started_at, first.started_at);
    assert_eq!(import.env.event_names(before[99]).await, ["Imported"]);
}

#[tokio::test]
async fn an_import_goes_on_while_a_subscription_fails() {
    let import = ImportEnv::new().await;
    let before = import.customers_from_before(3);
    let list = Call::ListSubscriptions;
    let entry = json!({ "subscriptions": [{ "id": before[1] }] }).to_string();
    import.env.fault(list, FaultKind::Garbage(entry), Times::Once);
    let report = import.reconcile().await;
    assert_eq!((report.finished, report.failed), (true, 1), "an entry without its offer");
    assert_eq!(import.first_start().await.imported_at, None);
    import.reconcile().await;
    assert_eq!(import.told().await, BTreeMap::new());
    assert!(import.first_start().await.imported_at.is_some());
}

#[tokio::test]
async fn a_deployment_of_before_this_version_goes_on_without_an_import() {
    let round =
        Round { begun_at: jiff::Timestamp::UNIX_EPOCH, ended_at: jiff::Timestamp::UNIX_EPOCH };
    for checkpoint in [
        Checkpoint { last_round: Some(round), ..Checkpoint::default().reset() },
        // Its first round has not ended.
        Checkpoint { pages: 3, examined: 120, ..Checkpoint::default().reset() },
    ] {
        let import = ImportEnv::new().await;
        let [one] = import.customers_from_before(1)[..] else { panic!("a customer") };
        let saved = import.env.system.checkpoints.save_checkpoint(&checkpoint).await;
        saved.expect("the table is there");
        import.reconcile().await;
        assert_eq!(import.env.event_names(one).await, ["Purchased", "Activated", "Suspended"]);
        assert!(import.first_start().await.imported_at.is_some());
    }
}

#[tokio::test]
async fn a_restored_table_imports_nothing() {
    let import = ImportEnv::new().await;
    let [_, id] = import.customers_from_before(2)[..] else { panic!("two customers") };
    // The table forgot the first start, and the product may know of changes that the table forgot.
    import.table().begin_epoch(1_773_144_000_123).await.expect("the first epoch");
    import.reconcile().await;
    assert_eq!(import.env.event_names(id).await, ["Purchased", "Activated"]);
    assert!(import.first_start().await.imported_at.is_some());
}

#[tokio::test]
async fn a_second_run_after_an_import_writes_nothing_but_its_checkpoint() {
    let (options, product) = ImportEnv::options(&[]).await;
    let (env, probe) = Probe::env(options).await;
    let import = ImportEnv { env, product };
    import.customers_from_before(100);
    import.reconcile().await;
    assert_eq!(probe.written().0, 100, "one commit for each customer");
    let first = import.first_start().await;
    import.reconcile().await;
    assert_eq!(probe.written().0, 100);
    assert_eq!(import.first_start().await, first);
    assert_eq!(import.waiting().await, 0, "no customer costs a delivery");
}

#[tokio::test]
async fn a_customer_who_comes_by_another_door_is_announced_as_usual() {
    let import = ImportEnv::new().await;
    let [_, id] = import.customers_from_before(2)[..] else { panic!("two customers") };
    import.env.world(|world| world.change_quantity(id, 30).expect("a change"));
    assert_eq!(import.env.deliver_statuses().await, [200]);
    import.reconcile().await;
    let expected = names(&["purchased", "activated", "quantity-changed"]);
    assert_eq!(import.told().await, BTreeMap::from([(id, expected)]));
}
