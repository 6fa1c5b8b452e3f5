//! The delivery: every event reaches the publisher's product, in order, whatever the product does.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::domain::Position;
use shared::flows::redelivery::{From, redeliver};
use shared::store::{CursorState, Outbox, Target};
use standardwebhooks::Webhook;

use crate::delivery_scene::{Does, KEY, Scene, id};

#[tokio::test]
async fn events_are_told_once_in_order_as_they_are_recorded() {
    let scene = Scene::new();
    for seats in [10, 20, 30] {
        let events = scene.record(1, seats).await;
        let failures = scene.stream(&events).await;
        assert!(failures.batch_item_failures.is_empty());
    }
    assert_eq!(
        scene.recorded(1).len(),
        3 * 2,
        "Purchased and Activated, then plan and seats twice"
    );
    assert_eq!(scene.product.taken(), scene.recorded(1));
    scene.minutes(5).await;
    assert_eq!(scene.product.taken(), scene.recorded(1), "and nothing is due afterwards");
}

#[tokio::test]
async fn the_same_records_again_tell_nothing_again() {
    let scene = Scene::new();
    let events = scene.record(1, 10).await;
    for _ in 0..3 {
        scene.stream(&events).await;
    }
    assert_eq!(scene.product.taken(), scene.recorded(1));
}

#[tokio::test]
async fn what_the_stream_loses_a_sweep_finds() {
    let scene = Scene::new();
    scene.record(1, 10).await;
    scene.minutes(1).await;
    assert_eq!(scene.product.taken().len(), 0, "left to the stream for a while");
    scene.minutes(1).await;
    scene.has_everything([1]);
}

/// The receiver of "Done when": it fails in every way there is for a day, and comes back.
#[tokio::test]
async fn a_receiver_that_was_away_for_a_day_has_everything_once_it_is_back() {
    const SUBSCRIPTIONS: u128 = 12;
    let ways = [
        Does::IsAway,
        Does::Hangs,
        Does::Answers(500),
        Does::Asks(429, 300),
        Does::Answers(410),
        Does::TakesAndCloses,
        Does::TakesTooLate,
        Does::Answers(302),
        Does::Asks(503, 7200),
        Does::Answers(404),
        Does::Takes,
    ];
    let scene = Scene::new();
    let begun = shared::host::clock::Clock::now(&*scene.clock);
    let day = SignedDuration::from_hours(24);
    scene.product.does(move |arrival| {
        let elapsed = arrival.at.duration_since(begun);
        if elapsed >= day {
            return Does::Takes;
        }
        // Another way for each event, and for each hour; now and then one is taken.
        let sum: usize = arrival.id.bytes().map(usize::from).sum();
        ways[(sum + usize::try_from(elapsed.as_hours()).expect("a day")) % ways.len()]
    });
    for hour in 0..24_u64 {
        for number in 0..SUBSCRIPTIONS {
            if hour == 0 || u128::from(hour) % (number + 2) == 0 {
                let events = scene.record(number, 10 + hour).await;
                // Every third record of the stream is lost on its way.
                if !(u128::from(hour) + number).is_multiple_of(3) {
                    scene.stream(&events).await;
                }
            }
        }
        scene.minutes(60).await;
    }
    let most = (0..SUBSCRIPTIONS)
        .map(|number| {
            let of_one =
                |arrival: &&crate::delivery_scene::Arrival| arrival.subscription == id(number);
            scene.product.arrivals().iter().filter(of_one).count()
        })
        .max();
    assert!(most.is_some_and(|most| most < 120), "nobody is asked every minute: {most:?}");
    // No pause of ours is longer than an hour; the receiver's own wish was two.
    scene.minutes(121).await;
    scene.has_everything(0..SUBSCRIPTIONS);
    let repeated = scene.product.taken().len();
    scene.minutes(180).await;
    assert_eq!(scene.product.taken().len(), repeated, "and then it is left in peace");
}

#[tokio::test]
async fn one_poisoned_subscription_holds_up_no_other() {
    for poison in [Does::Answers(500), Does::Hangs, Does::Answers(410)] {
        let scene = Scene::new();
        scene.product.does(move |arrival| match arrival.subscription {
            poisoned if poisoned == id(3) => poison,
            _ => Does::Takes,
        });
        let mut events = Vec::new();
        for number in 0..20 {
            events.extend(scene.record(number, 10).await);
        }
        let failures = scene.stream(&events).await;
        assert!(failures.batch_item_failures.is_empty(), "the stream goes on");
        scene.has_everything((0..20).filter(|number| *number != 3));
        let later = scene.record(4, 20).await;
        scene.stream(&later).await;
        scene.has_everything([4]);
        assert_eq!(scene.product.kept(id(3)), [""; 0]);
    }
}

#[tokio::test]
async fn an_event_waits_for_the_one_before_it() {
    let scene = Scene::new();
    let purchase = scene.record(1, 10).await;
    let refused = purchase[0].id();
    scene.product.does(move |arrival| match arrival.id {
        ref one if *one == refused => Does::Answers(422),
        _ => Does::Takes,
    });
    scene.stream(&purchase).await;
    let later = scene.record(1, 20).await;
    scene.stream(&later).await;
    scene.minutes(30).await;
    let arrived: BTreeSet<_> = scene.product.arrivals().into_iter().map(|one| one.id).collect();
    assert_eq!(arrived, BTreeSet::from([purchase[0].id()]), "nothing passes it by");
    scene.product.does(|_| Does::Takes);
    scene.minutes(60).await;
    scene.has_everything([1]);
}

#[tokio::test]
async fn whoever_asks_to_be_left_alone_is_left_alone() {
    for status in [429, 503] {
        let scene = Scene::new();
        scene.product.does(move |_| Does::Asks(status, 1800));
        let events = scene.record(1, 10).await;
        scene.stream(&events).await;
        let more = scene.record(1, 20).await;
        scene.stream(&more).await;
        scene.minutes(29).await;
        assert_eq!(scene.product.arrivals().len(), 1, "{status}: not before its time");
        scene.product.does(|_| Does::Takes);
        scene.minutes(2).await;
        scene.has_everything([1]);
    }
}

#[tokio::test]
async fn a_redirect_is_followed_nowhere() {
    for status in [301, 302, 303, 307, 308] {
        let scene = Scene::new();
        scene.product.does(move |_| Does::Answers(status));
        let events = scene.record(1, 10).await;
        scene.stream(&events).await;
        let addresses = scene.product.addresses();
        let own = "https://product.example/events?of=marketplace".to_owned();
        assert_eq!(addresses, BTreeSet::from([own]), "{status}");
        assert_eq!(scene.product.kept(id(1)), [""; 0]);
    }
}

#[tokio::test]
async fn what_nobody_takes_for_too_long_is_parked_until_somebody_asks() {
    let scene = Scene::with(&[("DELIVERY_PARK_AFTER_DAYS", "2")]);
    scene.product.does(|_| Does::Answers(500));
    let events = scene.record(1, 10).await;
    scene.stream(&events).await;
    scene.minutes(47 * 60).await;
    assert_eq!(scene.table.parked(None).await.expect("a page").items, []);
    scene.minutes(2 * 60).await;
    assert_eq!(scene.table.parked(None).await.expect("a page").items, [(id(1), Target::Endpoint)]);
    let cursor = scene.table.cursor(id(1), Target::Endpoint).await.expect("a cursor");
    let CursorState::Parked { trouble, .. } = cursor.state else { panic!("{cursor:?}") };
    assert_eq!(trouble.last, "answered 500");

    scene.product.does(|_| Does::Takes);
    let more = scene.record(1, 20).await;
    scene.stream(&more).await;
    scene.minutes(24 * 60).await;
    assert_eq!(scene.product.kept(id(1)), [""; 0], "nobody has asked");
    redeliver(&scene.table, &*scene.clock, id(1), Target::Endpoint, From::WhereItStopped)
        .await
        .expect("the table is there");
    scene.sweep().await;
    scene.has_everything([1]);
    assert_eq!(scene.table.parked(None).await.expect("a page").items, []);
}

#[tokio::test]
async fn events_are_told_again_from_the_one_that_is_asked_for() {
    let scene = Scene::new();
    for seats in [10, 20, 30] {
        let events = scene.record(1, seats).await;
        scene.stream(&events).await;
    }
    let all = scene.recorded(1);
    let ask = async |from| {
        let before = scene.product.taken().len();
        redeliver(&scene.table, &*scene.clock, id(1), Target::Endpoint, from).await.expect("set");
        scene.sweep().await;
        scene.product.taken().split_off(before)
    };
    let second = From::Event(Position { version: 1, index: 1 });
    assert_eq!(ask(second).await, all[1..], "it, and all after it, with the ids they had");
    assert_eq!(ask(From::Event(Position { version: 3, index: 0 })).await, all[4..]);
    assert_eq!(ask(From::Event(Position::default())).await, all);
    assert_eq!(ask(From::WhereItStopped).await, [""; 0]);
    assert_eq!(ask(From::Event(Position { version: 9, index: 0 })).await, [""; 0]);
    let events = scene.record(1, 40).await;
    scene.stream(&events).await;
    scene.has_everything([1]);
}

#[tokio::test]
async fn asking_for_a_later_event_skips_none_that_was_not_taken() {
    let scene = Scene::new();
    scene.product.does(|_| Does::IsAway);
    for seats in [10, 20, 30] {
        let events = scene.record(1, seats).await;
        scene.stream(&events).await;
    }
    scene.product.does(|_| Does::Takes);
    let later = From::Event(Position { version: 3, index: 0 });
    redeliver(&scene.table, &*scene.clock, id(1), Target::Endpoint, later).await.expect("set");
    scene.sweep().await;
    assert_eq!(scene.product.taken(), scene.recorded(1));
}

#[tokio::test]
async fn while_a_key_is_replaced_either_of_two_proves_who_sends() {
    let newer = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let scene = Scene::with(&[("DELIVERY_SIGNING_KEY", &format!("{newer} {KEY}"))]);
    let events = scene.record(1, 10).await;
    scene.stream(&events).await;
    let arrival = scene.product.arrivals().remove(0);
    for key in [KEY, newer] {
        let webhook = Webhook::new(key).expect("a key");
        local::receiver::signed_at_any_time(&webhook, &arrival.headers, &arrival.body)
            .unwrap_or_else(|error| panic!("{key}: {error}"));
    }
    let stranger = Webhook::new("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").expect("a key");
    let headers = &arrival.headers;
    assert!(local::receiver::signed_at_any_time(&stranger, headers, &arrival.body).is_err());
    let mut changed = arrival.body.to_vec();
    changed[10] ^= 1;
    let webhook = Webhook::new(KEY).expect("a key");
    assert!(local::receiver::signed_at_any_time(&webhook, headers, &changed).is_err());
}

#[tokio::test]
async fn what_takes_long_goes_on_with_the_next_sweep() {
    let scene = Scene::new();
    let clock = scene.clock.clone();
    scene.product.does(move |_| {
        clock.advance(SignedDuration::from_secs(8));
        Does::Takes
    });
    for seats in 10..30 {
        scene.record(1, seats).await;
    }
    scene.clock.advance(SignedDuration::from_secs(120));
    let begun = shared::host::clock::Clock::now(&*scene.clock);
    let report = scene.sweep().await;
    let took = shared::host::clock::Clock::now(&*scene.clock).duration_since(begun);
    assert!(!report.finished && report.delivered > 0, "{report:?}");
    assert!(took < SignedDuration::from_secs(60), "within the function's timeout: {took:#}");
    while !scene.sweep().await.finished {}
    assert_eq!(scene.product.taken(), scene.recorded(1));
}

#[tokio::test]
async fn a_bus_and_an_endpoint_wait_for_nothing_of_each_other() {
    let bus = "arn:aws:events:eu-north-1:123456789012:event-bus/marketplace";
    let scene =
        Scene::with(&[("DELIVERY_EVENT_BUS", bus), ("DELIVERY_SOURCE", "urn:contoso:shop")]);
    scene.product.does(|_| Does::IsAway);
    let events = scene.record(1, 10).await;
    scene.stream(&events).await;
    let entries = scene.product.on_bus();
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
    scene.product.does(|_| Does::Takes);
    scene.minutes(2).await;
    scene.has_everything([1]);
    assert_eq!(scene.product.on_bus().len(), 2, "and the bus heard of nothing twice");
}
