//! The delivery: every event reaches the publisher's product, in order, however the product fails.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::domain::Position;
use shared::flows::redelivery::{From, redeliver};
use shared::store::{CursorState, Outbox, Target};
use standardwebhooks::Webhook;

use crate::delivery_env::{DeliveryEnv, KEY, id};
use crate::delivery_product::{Arrival, Behaviour, verify_at_any_time};

#[tokio::test]
async fn events_are_delivered_once_and_in_the_order_of_recording() {
    let env = DeliveryEnv::new();
    for seats in [10, 20, 30] {
        let events = env.record(1, seats).await;
        let failures = env.stream(&events).await;
        assert!(failures.batch_item_failures.is_empty());
    }
    assert_eq!(env.recorded(1).len(), 3 * 2, "Purchased and Activated, then plan and seats twice");
    assert_eq!(env.product.accepted(), env.recorded(1));
    env.sweep_for_minutes(5).await;
    assert_eq!(env.product.accepted(), env.recorded(1), "nothing is due afterwards");
}

#[tokio::test]
async fn a_repeated_stream_batch_delivers_nothing_twice() {
    let env = DeliveryEnv::new();
    let events = env.record(1, 10).await;
    for _ in 0..3 {
        env.stream(&events).await;
    }
    assert_eq!(env.product.accepted(), env.recorded(1));
}

#[tokio::test]
async fn a_sweep_delivers_events_that_the_stream_lost() {
    let env = DeliveryEnv::new();
    env.record(1, 10).await;
    env.sweep_for_minutes(1).await;
    assert_eq!(env.product.accepted().len(), 0, "the sweep leaves the stream two minutes");
    env.sweep_for_minutes(1).await;
    env.assert_all_delivered([1]);
}

/// The receiver fails in every possible way for a day, and then recovers.
#[tokio::test]
async fn a_receiver_that_was_down_for_a_day_gets_every_event_once_it_is_back() {
    const SUBSCRIPTIONS: u128 = 12;
    let behaviours = [
        Behaviour::IsUnreachable,
        Behaviour::Hangs,
        Behaviour::Answers(500),
        Behaviour::AsksToWait(429, 300),
        Behaviour::Answers(410),
        Behaviour::AcceptsAndCloses,
        Behaviour::AcceptsTooLate,
        Behaviour::Answers(302),
        Behaviour::AsksToWait(503, 7200),
        Behaviour::Answers(404),
        Behaviour::Accepts,
    ];
    let env = DeliveryEnv::new();
    let begun = shared::host::clock::Clock::now(&*env.clock);
    let day = SignedDuration::from_hours(24);
    env.product.behaves(move |arrival| {
        let elapsed = arrival.at.duration_since(begun);
        if elapsed >= day {
            return Behaviour::Accepts;
        }
        // Another behaviour for each event and hour. Now and then the receiver accepts one.
        let sum: usize = arrival.id.bytes().map(usize::from).sum();
        behaviours[(sum + usize::try_from(elapsed.as_hours()).expect("a day")) % behaviours.len()]
    });
    for hour in 0..24_u64 {
        for number in 0..SUBSCRIPTIONS {
            if hour == 0 || u128::from(hour) % (number + 2) == 0 {
                let events = env.record(number, 10 + hour).await;
                // The stream loses every third record.
                if !(u128::from(hour) + number).is_multiple_of(3) {
                    env.stream(&events).await;
                }
            }
        }
        env.sweep_for_minutes(60).await;
    }
    let most = (0..SUBSCRIPTIONS)
        .map(|number| {
            let of_one = |arrival: &&Arrival| arrival.subscription == id(number);
            env.product.arrivals().iter().filter(of_one).count()
        })
        .max();
    assert!(most.is_some_and(|most| most < 120), "the pauses grow: {most:?} attempts");
    // Our longest pause is an hour. The receiver asked for up to two.
    env.sweep_for_minutes(121).await;
    env.assert_all_delivered(0..SUBSCRIPTIONS);
    let accepted = env.product.accepted().len();
    env.sweep_for_minutes(180).await;
    assert_eq!(env.product.accepted().len(), accepted, "nothing is delivered again");
}

#[tokio::test]
async fn one_failing_subscription_holds_up_no_other() {
    for failure in [Behaviour::Answers(500), Behaviour::Hangs, Behaviour::Answers(410)] {
        let env = DeliveryEnv::new();
        env.product.behaves(move |arrival| match arrival.subscription {
            failing if failing == id(3) => failure,
            _ => Behaviour::Accepts,
        });
        let mut events = Vec::new();
        for number in 0..20 {
            events.extend(env.record(number, 10).await);
        }
        let failures = env.stream(&events).await;
        assert!(failures.batch_item_failures.is_empty(), "the stream goes on");
        env.assert_all_delivered((0..20).filter(|number| *number != 3));
        let later = env.record(4, 20).await;
        env.stream(&later).await;
        env.assert_all_delivered([4]);
        assert_eq!(env.product.accepted_of(id(3)), [""; 0]);
    }
}

#[tokio::test]
async fn an_event_waits_for_the_previous_one() {
    let env = DeliveryEnv::new();
    let purchase = env.record(1, 10).await;
    let refused = purchase[0].id();
    env.product.behaves(move |arrival| match arrival.id {
        ref one if *one == refused => Behaviour::Answers(422),
        _ => Behaviour::Accepts,
    });
    env.stream(&purchase).await;
    let later = env.record(1, 20).await;
    env.stream(&later).await;
    env.sweep_for_minutes(30).await;
    let arrived: BTreeSet<_> = env.product.arrivals().into_iter().map(|one| one.id).collect();
    assert_eq!(arrived, BTreeSet::from([purchase[0].id()]), "no event overtakes it");
    env.product.behaves(|_| Behaviour::Accepts);
    env.sweep_for_minutes(60).await;
    env.assert_all_delivered([1]);
}

#[tokio::test]
async fn a_receivers_retry_after_is_respected() {
    for status in [429, 503] {
        let env = DeliveryEnv::new();
        env.product.behaves(move |_| Behaviour::AsksToWait(status, 1800));
        let events = env.record(1, 10).await;
        env.stream(&events).await;
        let more = env.record(1, 20).await;
        env.stream(&more).await;
        env.sweep_for_minutes(29).await;
        assert_eq!(
            env.product.arrivals().len(),
            1,
            "{status}: no attempt before the requested time"
        );
        env.product.behaves(|_| Behaviour::Accepts);
        env.sweep_for_minutes(2).await;
        env.assert_all_delivered([1]);
    }
}

#[tokio::test]
async fn a_redirect_is_never_followed() {
    for status in [301, 302, 303, 307, 308] {
        let env = DeliveryEnv::new();
        env.product.behaves(move |_| Behaviour::Answers(status));
        let events = env.record(1, 10).await;
        env.stream(&events).await;
        let addresses = env.product.requested_urls();
        let own = "https://product.example/events?of=marketplace".to_owned();
        assert_eq!(addresses, BTreeSet::from([own]), "{status}");
        assert_eq!(env.product.accepted_of(id(1)), [""; 0]);
    }
}

#[tokio::test]
async fn a_receiver_that_fails_for_two_days_is_parked_until_a_redelivery() {
    let env = DeliveryEnv::with(&[("DELIVERY_PARK_AFTER_DAYS", "2")]);
    env.product.behaves(|_| Behaviour::Answers(500));
    let events = env.record(1, 10).await;
    env.stream(&events).await;
    env.sweep_for_minutes(47 * 60).await;
    assert_eq!(env.table.parked(None).await.expect("a page").items, []);
    env.sweep_for_minutes(2 * 60).await;
    assert_eq!(env.table.parked(None).await.expect("a page").items, [(id(1), Target::Endpoint)]);
    let cursor = env.table.cursor(id(1), Target::Endpoint).await.expect("a cursor");
    let CursorState::Parked { trouble, .. } = cursor.state else { panic!("{cursor:?}") };
    assert_eq!(trouble.last, "answered 500");

    env.product.behaves(|_| Behaviour::Accepts);
    let more = env.record(1, 20).await;
    env.stream(&more).await;
    env.sweep_for_minutes(24 * 60).await;
    assert_eq!(env.product.accepted_of(id(1)), [""; 0], "nothing is delivered while it is parked");
    redeliver(&env.table, &*env.clock, id(1), Target::Endpoint, From::WhereItStopped)
        .await
        .expect("the table is there");
    env.sweep().await;
    env.assert_all_delivered([1]);
    assert_eq!(env.table.parked(None).await.expect("a page").items, []);
}

#[tokio::test]
async fn a_redelivery_starts_at_the_requested_event() {
    let env = DeliveryEnv::new();
    for seats in [10, 20, 30] {
        let events = env.record(1, seats).await;
        env.stream(&events).await;
    }
    let all = env.recorded(1);
    let redelivered = async |from| {
        let before = env.product.accepted().len();
        redeliver(&env.table, &*env.clock, id(1), Target::Endpoint, from).await.expect("set");
        env.sweep().await;
        env.product.accepted().split_off(before)
    };
    let second = From::Event(Position { version: 1, index: 1 });
    assert_eq!(redelivered(second).await, all[1..], "it and all later events, with their old ids");
    assert_eq!(redelivered(From::Event(Position { version: 3, index: 0 })).await, all[4..]);
    assert_eq!(redelivered(From::Event(Position::default())).await, all);
    assert_eq!(redelivered(From::WhereItStopped).await, [""; 0]);
    assert_eq!(redelivered(From::Event(Position { version: 9, index: 0 })).await, [""; 0]);
    let events = env.record(1, 40).await;
    env.stream(&events).await;
    env.assert_all_delivered([1]);
}

#[tokio::test]
async fn a_redelivery_from_a_later_event_skips_no_undelivered_one() {
    let env = DeliveryEnv::new();
    env.product.behaves(|_| Behaviour::IsUnreachable);
    for seats in [10, 20, 30] {
        let events = env.record(1, seats).await;
        env.stream(&events).await;
    }
    env.product.behaves(|_| Behaviour::Accepts);
    let later = From::Event(Position { version: 3, index: 0 });
    redeliver(&env.table, &*env.clock, id(1), Target::Endpoint, later).await.expect("set");
    env.sweep().await;
    assert_eq!(env.product.accepted(), env.recorded(1));
}

#[tokio::test]
async fn an_event_is_signed_with_both_keys_during_a_rotation() {
    let newer = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let env = DeliveryEnv::with(&[("DELIVERY_SIGNING_KEY", &format!("{newer} {KEY}"))]);
    let events = env.record(1, 10).await;
    env.stream(&events).await;
    let arrival = env.product.arrivals().remove(0);
    for key in [KEY, newer] {
        let webhook = Webhook::new(key).expect("a key");
        verify_at_any_time(&webhook, &arrival.headers, &arrival.body)
            .unwrap_or_else(|error| panic!("{key}: {error}"));
    }
    let stranger = Webhook::new("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").expect("a key");
    let headers = &arrival.headers;
    assert!(verify_at_any_time(&stranger, headers, &arrival.body).is_err());
    let mut changed = arrival.body.to_vec();
    changed[10] ^= 1;
    let webhook = Webhook::new(KEY).expect("a key");
    assert!(verify_at_any_time(&webhook, headers, &changed).is_err());
}

#[tokio::test]
async fn a_sweep_stops_before_its_timeout_and_the_next_one_continues() {
    let env = DeliveryEnv::new();
    let clock = env.clock.clone();
    env.product.behaves(move |_| {
        clock.advance(SignedDuration::from_secs(8));
        Behaviour::Accepts
    });
    for seats in 10..30 {
        env.record(1, seats).await;
    }
    env.clock.advance(SignedDuration::from_secs(120));
    let begun = shared::host::clock::Clock::now(&*env.clock);
    let report = env.sweep().await;
    let took = shared::host::clock::Clock::now(&*env.clock).duration_since(begun);
    assert!(!report.finished && report.delivered > 0, "{report:?}");
    assert!(
        took < SignedDuration::from_secs(60),
        "it ends within the function's timeout: {took:#}"
    );
    while !env.sweep().await.finished {}
    assert_eq!(env.product.accepted(), env.recorded(1));
}

#[tokio::test]
async fn a_failing_endpoint_does_not_hold_up_the_event_bus() {
    let bus = "arn:aws:events:eu-north-1:123456789012:event-bus/marketplace";
    let env =
        DeliveryEnv::with(&[("DELIVERY_EVENT_BUS", bus), ("DELIVERY_SOURCE", "urn:contoso:shop")]);
    env.product.behaves(|_| Behaviour::IsUnreachable);
    let events = env.record(1, 10).await;
    env.stream(&events).await;
    let entries = env.product.bus_entries();
    let expected = ["purchased", "activated"];
    assert_eq!(entries.len(), expected.len());
    for (entry, name) in entries.iter().zip(expected) {
        assert_eq!(entry["EventBusName"], bus);
        assert_eq!(entry["Source"], "saas-fulfillment");
        assert_eq!(entry["DetailType"], format!("saas-fulfillment.subscription.{name}.v1"));
        let detail: Value =
            serde_json::from_str(entry["Detail"].as_str().expect("text")).expect("JSON");
        assert_eq!(
            (&detail["type"], &detail["source"]),
            (&entry["DetailType"], &json!("urn:contoso:shop"))
        );
        let complaints = local::schemas::Schemas::read().complaints(&detail);
        assert!(complaints.is_empty(), "{complaints:?}");
    }
    env.product.behaves(|_| Behaviour::Accepts);
    env.sweep_for_minutes(2).await;
    env.assert_all_delivered([1]);
    assert_eq!(env.product.bus_entries().len(), 2, "the bus got no event twice");
}
