//! The events of all subscriptions, as they are recorded.

use std::time::Duration;

use emulator::Purchase;
use local::test_env::TestEnv;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::test_env::Saasctl as _;

#[tokio::test]
async fn the_events_since_a_time_are_printed_in_the_order_in_which_they_were_recorded() {
    let env = TestEnv::new().await;
    env.active(Purchase::flat_rate("silver")).await;
    env.advance(Duration::from_secs(3600));
    let since = env.system.clock.now().to_string();
    let (one, other) = (
        env.active(Purchase::per_seat("basic", 7)).await,
        env.active(Purchase::flat_rate("gold")).await,
    );
    env.advance(Duration::from_secs(60));
    env.world(|world| world.change_quantity(one, 9)).expect("a change");
    env.deliver_webhooks().await;
    let said = env.run(&["tail", "--since", &since, "--no-follow"]).await.done();
    let lines: Vec<_> = said.lines().collect();
    let expected = [
        (one, "Purchased"),
        (one, "Activated"),
        (other, "Purchased"),
        (other, "Activated"),
        (one, "QuantityChanged 7 → 9"),
    ];
    assert_eq!(lines.len(), expected.len(), "{said}");
    for (id, event) in expected {
        let has = |line: &&str| line.contains(&id.to_string()) && line.contains(event);
        assert!(lines.iter().any(has), "{id} {event}: {said}");
    }
    assert!(lines[4].contains("7 → 9"), "the last one was recorded last: {said}");
    let json = env.run(&["tail", "--since", &since, "--no-follow", "--json"]).await.done();
    let events = json.lines().map(serde_json::from_str::<serde_json::Value>);
    assert!(events.into_iter().all(|event| event.is_ok_and(|event| event["type"].is_string())));
}

#[tokio::test]
async fn a_tail_begins_now_and_prints_each_event_once() {
    let env = TestEnv::new().await;
    let before = env.active(Purchase::per_seat("basic", 7)).await;
    let mut tail = env.spawn(&["tail", "--poll", "0.05"]);
    let stdout = tail.stdout.take().expect("standard output");
    let mut lines = BufReader::new(stdout).lines();
    // The tail has begun when it has asked for the last change; what it asks again finds nothing new. So the
    // first change that it prints may be any but the ones from before.
    let mut seats = 8;
    let first = loop {
        env.advance(Duration::from_secs(60));
        env.world(|world| world.change_quantity(before, seats)).expect("a change");
        env.deliver_webhooks().await;
        seats += 1;
        let line = tokio::time::timeout(Duration::from_millis(200), lines.next_line()).await;
        if let Ok(line) = line {
            break line.expect("standard output is read").expect("a line");
        }
    };
    assert!(first.contains("QuantityChanged"), "{first}");
    assert!(first.contains(&before.to_string()), "{first}");
    tail.kill().await.expect("it was running");
    let mut rest = Vec::new();
    while let Ok(Some(line)) = lines.next_line().await {
        rest.push(line);
    }
    assert!(!rest.contains(&first), "{rest:?}");
}
