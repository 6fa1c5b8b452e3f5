//! The restore drill: the table goes back to a point in time, and the product and Microsoft don't.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use emulator::Purchase;
use memory_store::MemoryStore;
use serde_json::Value;
use shared::domain::{Record, SubscriptionId};
use shared::flows::restore::{RestoreError, RestoredTable, restore};
use shared::host::clock::Clock as _;
use shared::store::{
    Checkpoint, Commit, CommitError, Page, Restoration, Store as _, StoreError, Target,
};

use crate::delivery_env::{DeliveryEnv, id};
use crate::delivery_product::Behaviour;
use crate::restore_env::{Copy, CutOff, Item, RestoreEnv, epoch_at, subject};
use crate::test_env::go_on_at;

/// The ids of the events that a copy of the table holds.
fn remembered(copy: &Copy) -> BTreeSet<String> {
    let key = |item: &Item, name: &str| item[name].as_s().expect("a key").clone();
    let event = |item: &Item| {
        let sort = key(item, "sk");
        let (version, index) = sort.strip_prefix("EVENT#")?.split_once('#')?;
        let number = |text: &str| text.parse::<u64>().expect("a number");
        let id = key(item, "pk").replace("SUB#", "");
        Some(format!("{id}-{}-{}", number(version), number(index)))
    };
    copy.iter().filter_map(event).collect()
}

/// Asserts that of the events from this place on, each tells a change for the first time, or of one that
/// the table had forgotten, which the event says.
fn assert_none_is_told_twice(events: &[Value], from: usize, copy: &Copy, epoch: u64) {
    let remembered = remembered(copy);
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    for (number, event) in events.iter().enumerate().skip(from) {
        let is_same = |other: &&Value| {
            other["subject"] == event["subject"]
                && other["type"] == event["type"]
                && other["data"]["before"] == event["data"]["before"]
                && other["data"]["after"] == event["data"]["after"]
        };
        let Some(before) = events[..number].iter().rev().find(is_same) else { continue };
        assert!(!remembered.contains(&text(&before["id"])), "the table knew: {event}");
        assert!(event["data"]["version"].as_u64() > Some(epoch), "{event}");
        assert_eq!(event["data"]["cause"]["by"], "reconciliation", "{event}");
    }
}

fn is_restatement(event: &Value) -> bool {
    event["type"] == "saas-fulfillment.subscription.details-changed.v1"
        && event["data"]["before"].is_null()
}

#[tokio::test]
async fn a_restore_loses_no_event_and_tells_none_twice_that_the_table_remembers() {
    let env = RestoreEnv::new().await;
    let seats = || Purchase::per_seat("basic", 10);
    let mut ids = Vec::new();
    for _ in 0..9 {
        ids.push(env.env.active(seats()).await);
    }
    let [unchanged, plan, undone, suspended, reinstated, ended, later, both, pending] = ids[..]
    else {
        panic!("nine purchases")
    };
    env.env.world(|world| world.suspend(reinstated)).expect("a suspension");
    env.tell().await;
    env.env.world(|world| world.change_plan(pending, "team")).expect("a change");
    assert_eq!(env.env.deliver_statuses().await, [200]);
    // The point in time. One event is recorded and not delivered yet.
    let copy = env.copy().await;
    env.tell().await;

    // Each round forgets the one before it, with its epoch.
    let mut epochs = Vec::new();
    for round in 0..2 {
        let other = if round == 0 { "team" } else { "basic" };
        let mut known = ids.clone();
        env.env.world(|world| {
            world.change_plan(plan, other).expect("a change");
            world.change_quantity(undone, 20 + round).expect("a change");
            world.change_plan(both, other).expect("a change");
            if round == 0 {
                world.suspend(suspended).expect("a suspension");
                world.reinstate(reinstated).expect("a reinstatement");
                world.unsubscribe(ended).expect("an end");
            }
        });
        env.tell().await;
        env.env.world(|world| world.change_quantity(both, 30 + round)).expect("a change");
        let bought = env.env.active(seats()).await;
        env.tell().await;
        env.env.world(|world| world.change_quantity(bought, 40)).expect("a change");
        env.tell().await;
        known.push(bought);
        env.assert_product_agrees(&known);

        // The table is lost. Microsoft's calls reach nobody.
        env.missed(|world| {
            world.change_quantity(undone, 10).expect("a change");
            world.change_plan(later, other).expect("a change");
            world.change_quantity(bought, 15).expect("a change");
        });
        let told = env.product.events().len();
        env.put_back(&copy).await;
        let before = epoch_at(env.env.system.clock.now());
        let restored = env.restore().await;
        assert!(restored.epoch >= before, "{restored:?}");
        assert_eq!((restored.raised, &restored.unreadable[..]), (9, &[][..]));

        env.reconcile().await;
        env.assert_product_agrees(&known);
        let events = env.product.events();
        assert_none_is_told_twice(&events, told, &copy, restored.epoch);
        for id in &known {
            let of_this = events.iter().filter(|event| subject(event) == *id);
            let of_this: Vec<_> = of_this
                .filter(|event| event["data"]["version"].as_u64() > Some(restored.epoch))
                .collect();
            let restated = of_this.iter().filter(|event| is_restatement(event)).count();
            let is_live_and_restored = *id != ended && *id != bought;
            assert_eq!(restated, usize::from(is_live_and_restored), "{of_this:?}");
        }

        // Later changes and rounds are as ever.
        let told = env.product.events().len();
        env.env.world(|world| world.change_quantity(unchanged, 50 + round)).expect("a change");
        env.tell().await;
        env.reconcile().await;
        assert_eq!(env.product.events().len(), told + 1);
        env.assert_product_agrees(&known);
        epochs.push(restored.epoch);
    }
    assert!(epochs[0] < epochs[1], "{epochs:?}");
}

#[tokio::test]
async fn a_restore_that_was_cut_off_anywhere_is_begun_again() {
    let env = RestoreEnv::new().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(env.env.active(Purchase::per_seat("basic", 10)).await);
    }
    env.tell().await;
    let copy = env.copy().await;
    env.env.world(|world| world.change_plan(ids[0], "team")).expect("a change");
    env.tell().await;
    let mut cuts = 0;
    for loses_the_answer in [false, true] {
        for requests in 0.. {
            env.missed(|_| {});
            env.put_back(&copy).await;
            go_on_at(&env.env, "a place").await;
            let left = AtomicU32::new(requests);
            let cut = Arc::new(CutOff { left, loses_the_answer, was_cut: false.into() });
            let ended = env.restore_over(cut.clone()).await;
            if !cut.was_cut.load(Ordering::SeqCst) {
                ended.expect("nothing was cut off");
                break;
            }
            cuts += 1;
            let refused = ended.expect_err("it was cut off");
            assert!(
                matches!(refused, RestoreError::Store(StoreError::Refused { .. })),
                "{refused}"
            );
            env.missed(|_| {});
            let restored = env.restore().await;
            assert_eq!(env.env.system.store.epoch().await.expect("a read"), restored.epoch);
            for id in &ids {
                let record = env.env.record(*id).await.expect("a record");
                assert_eq!((record.version, record.epoch), (restored.epoch + 1, restored.epoch));
            }
            let checkpoint = env.env.system.checkpoints.checkpoint().await.expect("a read");
            let revision = checkpoint.revision;
            assert_eq!(checkpoint, Checkpoint { revision, ..Checkpoint::default() });
        }
    }
    assert!(cuts > 10, "{cuts}");
    env.reconcile().await;
    env.assert_product_agrees(&ids);
}

/// A table in which a webhook call writes a record each time just before the restore does.
struct Overtaken(MemoryStore, u32, AtomicU32);

#[async_trait]
impl Restoration for Overtaken {
    async fn begin_epoch(&self, epoch: u64) -> Result<(), CommitError> {
        self.0.begin_epoch(epoch).await
    }

    async fn subscriptions(&self, next: Option<&str>) -> Result<Page<SubscriptionId>, StoreError> {
        self.0.subscriptions(next).await
    }

    async fn replace(&self, replaced: u64, record: &Record) -> Result<(), CommitError> {
        if self.2.fetch_add(1, Ordering::SeqCst) < self.1 {
            let stored = self.0.record(record.id()).expect("a record");
            let next = Some(stored.reaffirm(stored.updated_at));
            self.0.commit(record.id(), &Commit { next, mark: None }).await?;
        }
        self.0.replace(replaced, record).await
    }
}

fn memory(table: &MemoryStore, restoration: Arc<dyn Restoration>) -> RestoredTable {
    let table = Arc::new(table.clone());
    RestoredTable {
        store: table.clone(),
        restoration,
        checkpoints: table.clone(),
        outbox: table.clone(),
        receivers: table.clone(),
        annotations: table.clone(),
        erasures: table,
    }
}

#[tokio::test]
async fn a_writer_that_overtakes_a_restore_loses_nothing() {
    let env = DeliveryEnv::new();
    env.record(1, 10).await;
    let overtaken = Arc::new(Overtaken(env.table.clone(), 2, 0.into()));
    let restored = restore(&memory(&env.table, overtaken), None, env.clock.clone(), |_| {}).await;
    let restored = restored.expect("restored");
    assert_eq!(restored.raised, 1);
    let record = env.table.record(id(1)).expect("a record");
    assert_eq!(record.version, restored.epoch + 1);
    // A new purchase meanwhile begins after the epoch, too, and needs nothing.
    let again = Arc::new(Overtaken(env.table.clone(), u32::MAX, 0.into()));
    let refused = restore(&memory(&env.table, again), None, env.clock.clone(), |_| {}).await;
    assert!(matches!(refused, Err(RestoreError::ClockIsBehind(_))), "the same moment: {refused:?}");
    env.clock.advance(jiff::SignedDuration::from_secs(60));
    let again = Arc::new(Overtaken(env.table.clone(), u32::MAX, 0.into()));
    let refused = restore(&memory(&env.table, again), None, env.clock.clone(), |_| {}).await;
    assert!(matches!(refused, Err(RestoreError::Contended)), "{refused:?}");
}

#[tokio::test]
async fn a_clock_that_is_behind_an_earlier_restore_stops_a_restore() {
    let env = DeliveryEnv::new();
    env.record(1, 10).await;
    let epoch = epoch_at(env.clock.now()) + 1;
    // The table has forgotten the epoch, and its records have not.
    let record = env.table.record(id(1)).expect("a record");
    env.table.replace(record.version, &record.raise(epoch)).await.expect("replaced");
    let table = memory(&env.table, Arc::new(env.table.clone()));
    let refused = restore(&table, None, env.clock.clone(), |_| {}).await;
    assert!(matches!(refused, Err(RestoreError::ClockIsBehind(at)) if at == epoch), "{refused:?}");
    assert_eq!(env.table.record(id(1)).map(|record| record.version), Some(epoch + 1));
}

#[tokio::test]
async fn parked_deliveries_are_named_after_a_restore() {
    let env = DeliveryEnv::with(&[("DELIVERY_PARK_AFTER_DAYS", "1")]);
    env.product.behaves(|_| Behaviour::Answers(500));
    let events = env.record(1, 10).await;
    env.stream(&events).await;
    env.sweep_for_minutes(26 * 60).await;
    let table = memory(&env.table, Arc::new(env.table.clone()));
    let restored = restore(&table, None, env.clock.clone(), |_| {}).await.expect("restored");
    assert_eq!(restored.parked, [(id(1), Target::Endpoint)]);
}
