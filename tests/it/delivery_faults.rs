//! Faults during the delivery. With any fault at any effect, every event is delivered, in order,
//! and in the end nothing is pending.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use async_trait::async_trait;
use delivery::Driver;
use jiff::{SignedDuration, Timestamp};
use shared::domain::Position;
use shared::flows::redelivery::{From, redeliver};
use shared::host::clock::Clock;
use shared::store::{CursorState, Outbox, Target};
use uuid::Uuid;

use crate::delivery_effects::{Effects, FAULTS, Fault, FaultyTable, FaultyTransport, Plan, Yield};
use crate::delivery_env::{DeliveryEnv, id, records};
use crate::delivery_product::{Behaviour, ManualClock};

/// A clock that differs from the others by this much.
#[derive(Debug)]
struct Skewed(Arc<ManualClock>, SignedDuration);

#[async_trait]
impl Clock for Skewed {
    fn now(&self) -> Timestamp {
        self.0.now() + self.1
    }

    async fn sleep(&self, pause: Duration) {
        self.0.sleep(pause).await;
    }

    fn new_id(&self) -> Uuid {
        Uuid::from_u128(0x5e1f)
    }
}

/// An environment in which every effect can fail.
struct Storm {
    env: DeliveryEnv,
    effects: Arc<Effects>,
}

impl Storm {
    fn new(plan: Plan, seed: u64) -> Self {
        Self { env: DeliveryEnv::without_schemas(), effects: Effects::new(plan, seed) }
    }

    /// A delivery on another machine. In a storm, its clock may be wrong.
    fn delivery(&self) -> delivery::Delivery {
        let storms = self.effects.storms();
        let skew =
            if storms { i64::try_from(self.effects.chance(120)).expect("small") - 60 } else { 0 };
        let clock = Skewed(self.env.clock.clone(), SignedDuration::from_secs(skew));
        let table = FaultyTable { table: self.env.table.clone(), effects: self.effects.clone() };
        let product = self.env.product.clone();
        let transport = FaultyTransport { product, effects: self.effects.clone() };
        let table = Arc::new(table);
        self.env.delivery_on(table.clone(), table, Arc::new(transport), Arc::new(clock))
    }

    /// Polls the functions in random order until each has returned or was killed.
    fn run(&self, mut tasks: Vec<Pin<Box<dyn Future<Output = ()> + '_>>>) {
        let mut turns = 0;
        while !tasks.is_empty() {
            turns += 1;
            assert!(turns < 1_000_000, "a function never ended");
            let which = usize::try_from(self.effects.chance(tasks.len() as u64)).expect("few");
            let ended =
                tasks[which].as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
            if self.effects.take_killed() || ended {
                drop(tasks.swap_remove(which));
            }
        }
    }

    /// Hours pass without faults. Asserts that every event has arrived and nothing is pending.
    async fn assert_recovers(&self, numbers: std::ops::Range<u128>, context: &str) {
        self.effects.plan(Plan::None);
        self.env.product.behaves(|_| Behaviour::Accepts);
        for _ in 0..3 {
            self.env.clock.advance(SignedDuration::from_secs(3700));
            self.env.sweep().await;
        }
        for number in numbers {
            let (kept, recorded) =
                (self.env.product.accepted_of(id(number)), self.env.recorded(number));
            assert_eq!(kept, recorded, "{number}: {context}");
            let cursor = self.env.table.cursor(id(number), Target::Endpoint).await.expect("a read");
            assert_eq!(cursor.state, CursorState::Flowing, "{number}: {context}");
        }
        let later = self.env.clock.now() + SignedDuration::from_hours(1);
        let due = self.env.table.due(later, None).await.expect("a page").items;
        assert_eq!(due, [], "{context}");
    }
}

/// The work during which the fault strikes.
#[derive(Clone, Copy, Debug)]
enum Flow {
    /// The stream delivers new events.
    Fresh,
    /// A sweep delivers events that the stream lost.
    Swept,
    /// A sweep delivers to a receiver that has recovered.
    Recovering,
    /// The stream reports an event while earlier ones wait.
    Waiting,
    /// The product refuses.
    Refused,
    /// An operator requests a redelivery.
    Redelivery,
}

/// Runs the flow with the fault. Returns whether the fault struck.
async fn strikes(flow: Flow, plan: Plan) -> bool {
    let storm = Storm::new(Plan::None, 0);
    let env = &storm.env;
    let mut events = env.record(1, 10).await;
    match flow {
        Flow::Fresh => events.extend(env.record(2, 10).await),
        Flow::Swept => env.clock.advance(SignedDuration::from_secs(120)),
        Flow::Recovering | Flow::Waiting => {
            env.product.behaves(|_| Behaviour::Answers(500));
            env.stream(&events).await;
            env.product.behaves(|_| Behaviour::Accepts);
            events = env.record(1, 20).await;
            if let Flow::Recovering = flow {
                env.stream(&events).await;
                env.clock.advance(SignedDuration::from_secs(60));
            }
        }
        Flow::Refused => env.product.behaves(|_| Behaviour::Answers(500)),
        Flow::Redelivery => {
            env.stream(&events).await;
        }
    }
    storm.effects.plan(plan);
    let delivery = storm.delivery();
    let outbox = FaultyTable { table: env.table.clone(), effects: storm.effects.clone() };
    let act = async {
        match flow {
            Flow::Fresh | Flow::Waiting | Flow::Refused => {
                drop(delivery.stream(&records(&events)).await);
            }
            Flow::Swept | Flow::Recovering => {
                // The next sweep finds what this one failed to do.
                let _ = delivery.sweep(Driver::BesideTheStream).await;
            }
            Flow::Redelivery => {
                let from = From::Event(Position { version: 1, index: 0 });
                let _ = redeliver(&outbox, &*env.clock, id(1), Target::Endpoint, from).await;
            }
        }
    };
    storm.run(vec![Box::pin(act)]);
    let reached = match plan {
        Plan::At(at, _) => storm.effects.count() > at,
        Plan::None | Plan::Storm(_) => false,
    };
    let numbers = if let Flow::Fresh = flow { 1..3 } else { 1..2 };
    storm.assert_recovers(numbers, &format!("{flow:?} {plan:?}")).await;
    reached
}

#[tokio::test]
async fn no_event_is_lost_when_any_single_effect_fails() {
    let flows = [
        Flow::Fresh,
        Flow::Swept,
        Flow::Recovering,
        Flow::Waiting,
        Flow::Refused,
        Flow::Redelivery,
    ];
    for flow in flows {
        let mut effects = 0;
        for fault in FAULTS {
            for effect in 0.. {
                if !strikes(flow, Plan::At(effect, fault)).await {
                    effects = effect;
                    break;
                }
            }
        }
        assert!(effects > 1, "{flow:?} has effects");
    }
}

/// Several functions at once, new events in between, an unreliable product, and faults anywhere.
#[tokio::test]
async fn no_event_is_lost_by_concurrent_deliveries_with_random_faults() {
    for seed in 0..600 {
        let storm = Storm::new(Plan::Storm(12), seed);
        let env = &storm.env;
        for round in 0..=storm.effects.chance(5) {
            let behaviour = storm.effects.chance(4);
            env.product.behaves(move |arrival| match behaviour {
                0 => Behaviour::Answers(500),
                1 if arrival.subscription == id(1) => Behaviour::AcceptsAndCloses,
                1 => Behaviour::AsksToWait(429, 90),
                _ => Behaviour::Accepts,
            });
            let mut tasks: Vec<Pin<Box<dyn Future<Output = ()> + '_>>> = Vec::new();
            for number in 1..3 {
                let storm = &storm;
                tasks.push(Box::pin(async move {
                    Yield(false).await;
                    let events = storm.env.record(number, 10 + round).await;
                    storm.effects.turn().await;
                    drop(storm.delivery().stream(&records(&events)).await);
                }));
            }
            for _ in 0..2 {
                let storm = &storm;
                tasks.push(Box::pin(async move {
                    storm.effects.turn().await;
                    let _ = storm.delivery().sweep(Driver::BesideTheStream).await;
                }));
            }
            if storm.effects.chance(3) == 0 {
                let storm = &storm;
                tasks.push(Box::pin(async move {
                    storm.effects.turn().await;
                    let from = From::Event(Position { version: storm.effects.chance(4), index: 0 });
                    let table = &storm.env.table;
                    let target = Target::Endpoint;
                    let _ = redeliver(table, &*storm.env.clock, id(1), target, from).await;
                }));
            }
            storm.run(tasks);
            let pause = i64::try_from(storm.effects.chance(100)).expect("small");
            env.clock.advance(SignedDuration::from_secs(pause));
        }
        storm.assert_recovers(1..3, &format!("seed {seed}")).await;
    }
}

/// Lambda repeats exactly the records whose subscription the table failed to read.
#[tokio::test]
async fn the_stream_gets_back_the_records_that_the_table_failed() {
    let storm = Storm::new(Plan::None, 0);
    let mut events = storm.env.record(1, 10).await;
    events.extend(storm.env.record(2, 10).await);
    storm.effects.plan(Plan::At(0, Fault::Refused));
    let failures = storm.delivery().stream(&records(&events)).await;
    let failed: Vec<_> =
        failures.batch_item_failures.iter().map(|one| one.item_identifier.as_str()).collect();
    let expected: Vec<_> = storm.env.recorded(1);
    assert_eq!(failed, expected, "both records of one subscription");
    storm.env.assert_all_delivered([2]);
    storm.assert_recovers(1..3, "afterwards").await;
}
