//! Whatever goes wrong while events are carried, and whoever dies when: none is lost, none is told
//! out of order, and in the end nothing is left to do.

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

use crate::delivery_effects::{Effects, FAULTS, Fault, Plan, Unsafe, Wire, Yield};
use crate::delivery_scene::{Does, ManualClock, Scene, id, records};

/// A clock that is this much ahead of the others.
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

/// A scene whose every effect may go wrong.
struct Storm {
    scene: Scene,
    effects: Arc<Effects>,
}

impl Storm {
    fn new(plan: Plan, seed: u64) -> Self {
        Self { scene: Scene::incurious(), effects: Effects::new(plan, seed) }
    }

    /// The delivery on a machine of its own, whose clock may be wrong in a storm.
    fn delivery(&self) -> delivery::Delivery {
        let storms = self.effects.storms();
        let skew =
            if storms { i64::try_from(self.effects.chance(120)).expect("small") - 60 } else { 0 };
        let clock = Skewed(self.scene.clock.clone(), SignedDuration::from_secs(skew));
        let table = Unsafe { table: self.scene.table.clone(), effects: self.effects.clone() };
        let product = self.scene.product.clone();
        let wire = Wire { product, effects: self.effects.clone() };
        self.scene.delivery_on(Arc::new(table), Arc::new(wire), Arc::new(clock))
    }

    /// Runs some functions by turns until each has ended or died.
    fn run(&self, mut tasks: Vec<Pin<Box<dyn Future<Output = ()> + '_>>>) {
        let mut turns = 0;
        while !tasks.is_empty() {
            turns += 1;
            assert!(turns < 1_000_000, "a function never ended");
            let which = usize::try_from(self.effects.chance(tasks.len() as u64)).expect("few");
            let ended =
                tasks[which].as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
            if self.effects.has_died() || ended {
                drop(tasks.swap_remove(which));
            }
        }
    }

    /// Nothing goes wrong any more; hours pass, and everything has arrived.
    async fn passes(&self, numbers: std::ops::Range<u128>, context: &str) {
        self.effects.plan(Plan::None);
        self.scene.product.does(|_| Does::Takes);
        for _ in 0..3 {
            self.scene.clock.advance(SignedDuration::from_secs(3700));
            self.scene.sweep().await;
        }
        for number in numbers {
            let (kept, recorded) =
                (self.scene.product.kept(id(number)), self.scene.recorded(number));
            assert_eq!(kept, recorded, "{number}: {context}");
            let cursor =
                self.scene.table.cursor(id(number), Target::Endpoint).await.expect("a read");
            assert_eq!(cursor.state, CursorState::Flowing, "{number}: {context}");
        }
        let later = self.scene.clock.now() + SignedDuration::from_hours(1);
        let due = self.scene.table.due(later, None).await.expect("a page").items;
        assert_eq!(due, [], "{context}");
    }
}

/// What is under way when something goes wrong.
#[derive(Clone, Copy, Debug)]
enum Flow {
    /// The stream tells of new events.
    Fresh,
    /// A sweep finds what the stream lost.
    Swept,
    /// A receiver that refused is back, and a sweep carries what waits.
    Recovering,
    /// An event is recorded while those before it wait.
    Noted,
    /// The product refuses.
    Refused,
    /// Somebody asks for events again.
    Again,
}

async fn play(flow: Flow, plan: Plan) -> bool {
    let storm = Storm::new(Plan::None, 0);
    let scene = &storm.scene;
    let mut events = scene.record(1, 10).await;
    match flow {
        Flow::Fresh => events.extend(scene.record(2, 10).await),
        Flow::Swept => scene.clock.advance(SignedDuration::from_secs(120)),
        Flow::Recovering | Flow::Noted => {
            scene.product.does(|_| Does::Answers(500));
            scene.stream(&events).await;
            scene.product.does(|_| Does::Takes);
            events = scene.record(1, 20).await;
            if let Flow::Recovering = flow {
                scene.stream(&events).await;
                scene.clock.advance(SignedDuration::from_secs(60));
            }
        }
        Flow::Refused => scene.product.does(|_| Does::Answers(500)),
        Flow::Again => {
            scene.stream(&events).await;
        }
    }
    storm.effects.plan(plan);
    let delivery = storm.delivery();
    let outbox = Unsafe { table: scene.table.clone(), effects: storm.effects.clone() };
    let act = async {
        match flow {
            Flow::Fresh | Flow::Noted | Flow::Refused => {
                drop(delivery.stream(&records(&events)).await);
            }
            Flow::Swept | Flow::Recovering => {
                // What fails is found by the next one.
                let _ = delivery.sweep(Driver::BesideTheStream).await;
            }
            Flow::Again => {
                let from = From::Event(Position { version: 1, index: 0 });
                let _ = redeliver(&outbox, &*scene.clock, id(1), Target::Endpoint, from).await;
            }
        }
    };
    storm.run(vec![Box::pin(act)]);
    let reached = match plan {
        Plan::At(at, _) => storm.effects.count() > at,
        Plan::None | Plan::Storm(_) => false,
    };
    let numbers = if let Flow::Fresh = flow { 1..3 } else { 1..2 };
    storm.passes(numbers, &format!("{flow:?} {plan:?}")).await;
    reached
}

#[tokio::test]
async fn no_event_is_lost_whatever_goes_wrong_at_whichever_effect() {
    let flows =
        [Flow::Fresh, Flow::Swept, Flow::Recovering, Flow::Noted, Flow::Refused, Flow::Again];
    for flow in flows {
        let mut effects = 0;
        for fault in FAULTS {
            for effect in 0.. {
                if !play(flow, Plan::At(effect, fault)).await {
                    effects = effect;
                    break;
                }
            }
        }
        assert!(effects > 1, "{flow:?} has effects");
    }
}

/// Several functions at once, new events between, a product that comes and goes, and faults anywhere.
#[tokio::test]
async fn no_event_is_lost_whoever_carries_it_at_once_and_whatever_goes_wrong() {
    for seed in 0..600 {
        let storm = Storm::new(Plan::Storm(12), seed);
        let scene = &storm.scene;
        for round in 0..=storm.effects.chance(5) {
            let mood = storm.effects.chance(4);
            scene.product.does(move |arrival| match mood {
                0 => Does::Answers(500),
                1 if arrival.subscription == id(1) => Does::TakesAndCloses,
                1 => Does::Asks(429, 90),
                _ => Does::Takes,
            });
            let mut tasks: Vec<Pin<Box<dyn Future<Output = ()> + '_>>> = Vec::new();
            for number in 1..3 {
                let storm = &storm;
                tasks.push(Box::pin(async move {
                    Yield(false).await;
                    let events = storm.scene.record(number, 10 + round).await;
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
                    let table = &storm.scene.table;
                    let target = Target::Endpoint;
                    let _ = redeliver(table, &*storm.scene.clock, id(1), target, from).await;
                }));
            }
            storm.run(tasks);
            let pause = i64::try_from(storm.effects.chance(100)).expect("small");
            scene.clock.advance(SignedDuration::from_secs(pause));
        }
        storm.passes(1..3, &format!("seed {seed}")).await;
    }
}

/// What the table can't be asked about is handed over again, and nothing else.
#[tokio::test]
async fn the_stream_is_told_which_records_the_table_failed() {
    let storm = Storm::new(Plan::None, 0);
    let mut events = storm.scene.record(1, 10).await;
    events.extend(storm.scene.record(2, 10).await);
    storm.effects.plan(Plan::At(0, Fault::Refused));
    let failures = storm.delivery().stream(&records(&events)).await;
    let named: Vec<_> =
        failures.batch_item_failures.iter().map(|one| one.item_identifier.as_str()).collect();
    let expected: Vec<_> = storm.scene.recorded(1);
    assert_eq!(named, expected, "both records of one subscription");
    storm.scene.has_everything([2]);
    storm.passes(1..3, "afterwards").await;
}
