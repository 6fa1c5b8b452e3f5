//! The rate limit of what is sent to one receiver.

use std::collections::BTreeMap;

use delivery::{Driver, Report};
use jiff::{SignedDuration, Timestamp};
use shared::store::{CursorState, Outbox, Target};

use crate::delivery_env::{DeliveryEnv, id, records};
use crate::delivery_product::Behaviour;

const SECOND: SignedDuration = SignedDuration::from_secs(1);

fn limited(per_second: &str) -> DeliveryEnv {
    DeliveryEnv::with(&[("DELIVERY_RATE_LIMIT", per_second)])
}

/// Asserts that no second, wherever it begins, holds more attempts than this.
#[track_caller]
fn assert_at_most(env: &DeliveryEnv, most: usize) {
    let mut times: Vec<Timestamp> =
        env.product.arrivals().iter().map(|arrival| arrival.at).collect();
    times.sort();
    for (number, begins) in times.iter().enumerate() {
        let within = times[number..].iter().take_while(|at| at.duration_since(*begins) < SECOND);
        let count = within.count();
        assert!(count <= most, "{count} in the second from {begins}");
    }
}

/// Sweeps every minute until nothing is due, and returns how many sweeps that took.
async fn sweep_until_all_is_sent(env: &DeliveryEnv) -> u32 {
    for sweeps in 1..=200 {
        env.clock.advance(SignedDuration::from_secs(60));
        env.sweep().await;
        if env.table.all_due(Timestamp::MAX).is_empty() {
            return sweeps;
        }
    }
    panic!("something is due for ever");
}

#[tokio::test]
async fn no_second_holds_more_events_than_the_limit_and_all_arrive_in_order() {
    for (limit, most) in [("1", 1), ("7", 7), ("25", 25)] {
        let env = limited(limit);
        let mut events = Vec::new();
        for seats in [10, 20, 30] {
            for number in 0..40 {
                events.extend(env.record(number, seats).await);
            }
        }
        assert!(env.stream(&events).await.batch_item_failures.is_empty());
        let at_once = env.product.accepted().len();
        assert!(at_once >= most && at_once < events.len(), "{limit}: {at_once}");
        sweep_until_all_is_sent(&env).await;
        assert_at_most(&env, most);
        env.assert_all_delivered(0..40);
        assert_eq!(env.product.arrivals().len(), events.len(), "{limit}: each once");
    }
}

#[tokio::test]
async fn the_limit_holds_for_all_processes_and_the_sweep_together() {
    let env = limited("10");
    let mut batches = Vec::new();
    for number in 0..60 {
        batches.push(env.record(number, 10).await);
    }
    env.clock.advance(SignedDuration::from_secs(121));
    // Each is a process of its own, with slots of its own.
    let [one, two, sweep] = [(); 3].map(|()| env.delivery());
    let (first, second) = (records(&batches[..30].concat()), records(&batches[20..].concat()));
    let (one, two, swept) = tokio::join!(
        one.stream(&first),
        two.stream(&second),
        sweep.sweep(Driver::BesideTheStream),
    );
    assert!(one.batch_item_failures.is_empty() && two.batch_item_failures.is_empty());
    swept.expect("the table is there");
    sweep_until_all_is_sent(&env).await;
    assert_at_most(&env, 10);
    env.assert_all_delivered(0..60);
}

#[tokio::test]
async fn an_event_without_a_slot_stays_due_and_counts_as_no_failure() {
    let env = limited("1");
    let recorded = shared::host::clock::Clock::now(&*env.clock);
    let mut events = Vec::new();
    for number in 0..50 {
        events.extend(env.record(number, 10).await);
    }
    env.stream(&events).await;
    let sent = env.product.accepted().len();
    assert_eq!(sent, 1, "the stream is not held up");
    for number in 0..50 {
        let cursor = env.table.cursor(id(number), Target::Endpoint).await.expect("a read");
        assert_eq!(cursor.state, CursorState::Flowing, "{number}: no trouble, no pause");
    }
    let waiting = env.table.waiting(&[Target::Endpoint], &BTreeMap::new()).await.expect("a read");
    let unfinished = (0..50)
        .filter(|number| env.product.accepted_of(id(*number)).len() < env.recorded(*number).len());
    assert_eq!(waiting.subscriptions, unfinished.count() as u64);
    assert_eq!(waiting.oldest, Some(recorded), "since it was recorded");
    env.clock.advance(SignedDuration::from_secs(121));
    let Report { finished, refused, failed, cut_short, .. } = env.sweep().await;
    assert_eq!((finished, refused, failed), (false, 0, 0));
    let swept = env.product.accepted().len() - sent;
    assert!((25..=31).contains(&swept), "thirty seconds, one event in each: {swept}");
    assert!(cut_short > 0);
    sweep_until_all_is_sent(&env).await;
    env.assert_all_delivered(0..50);
}

#[tokio::test]
async fn each_receiver_has_the_whole_limit() {
    let bus = "arn:aws:events:eu-north-1:123456789012:event-bus/marketplace";
    let env = DeliveryEnv::with(&[("DELIVERY_RATE_LIMIT", "5"), ("DELIVERY_EVENT_BUS", bus)]);
    let mut events = Vec::new();
    for number in 0..10 {
        events.extend(env.record(number, 10).await);
    }
    env.stream(&events).await;
    let sent = [env.product.accepted().len(), env.product.bus_entries().len()];
    assert!(sent.iter().all(|sent| (3..=5).contains(sent)), "more than five together: {sent:?}");
    sweep_until_all_is_sent(&env).await;
    assert_eq!((env.product.accepted().len(), env.product.bus_entries().len()), (20, 20));
    assert_at_most(&env, 5);
}

#[tokio::test]
async fn a_receiver_that_asks_for_a_pause_gets_it_with_a_limit_as_well() {
    let env = limited("2");
    env.product.behaves(|_| Behaviour::AsksToWait(429, 600));
    let events = env.record(1, 10).await;
    let begun = shared::host::clock::Clock::now(&*env.clock);
    env.stream(&events).await;
    env.product.behaves(|_| Behaviour::Accepts);
    env.sweep_for_minutes(9).await;
    assert_eq!(env.product.arrivals().len(), 1, "it asked for ten minutes");
    env.sweep_for_minutes(2).await;
    env.assert_all_delivered([1]);
    let last = env.product.arrivals().pop().expect("arrivals").at;
    assert!(last.duration_since(begun) >= SignedDuration::from_secs(600));
}

#[tokio::test]
async fn without_a_limit_no_time_is_reserved() {
    let env = DeliveryEnv::new();
    let begun = shared::host::clock::Clock::now(&*env.clock);
    for number in 0..100 {
        env.stream(&env.record(number, 10).await).await;
    }
    let at: BTreeMap<Timestamp, usize> =
        env.product.arrivals().iter().fold(BTreeMap::new(), |mut at, arrival| {
            *at.entry(arrival.at).or_default() += 1;
            at
        });
    assert_eq!(at, BTreeMap::from([(begun, 200)]), "all at once");
}
