//! The summary of each sweep, and the metrics in it.

use std::sync::Arc;

use delivery::Driver;
use jiff::SignedDuration;
use serde_json::Value;
use shared::flows::redelivery::{From, redeliver};
use shared::store::Target;

use crate::delivery_effects::{Effects, Fault, FaultyTable, Plan};
use crate::delivery_env::{DeliveryEnv, id};
use crate::delivery_product::Behaviour;
use crate::log_lines::Lines;

/// The alarm `EventsNotTaken` goes off above this many seconds.
const HALF_AN_HOUR: i64 = 1800;

/// The last summary of a sweep.
fn summary(lines: &Lines) -> Value {
    let text = lines.text();
    let mut lines = text.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    lines
        .rfind(|line: &Value| {
            line["waiting_subscriptions"].is_u64() || line["not_counted"].is_string()
        })
        .expect("a sweep ended")
}

async fn send_again(env: &DeliveryEnv, target: Target) {
    let sent = redeliver(&env.table, &*env.clock, id(1), target, From::WhereItStopped).await;
    sent.expect("the cursor is saved");
}

#[tokio::test]
async fn a_product_that_refuses_events_for_a_day_shows_in_each_summary_until_it_accepts_them() {
    let (lines, _guard) = Lines::collect("info");
    let env = DeliveryEnv::new();
    env.product.behaves(|_| Behaviour::Answers(500));
    for number in 1..=3 {
        let events = env.record(number, 10).await;
        env.stream(&events).await;
    }
    env.sweep_for_minutes(25).await;
    let first = lines.take_metrics();
    assert_eq!(first["waiting_subscriptions"], [3; 25], "one in each sweep");
    assert_eq!(first["parked_subscriptions"], [0; 25]);
    let ages: Vec<i64> = (1..=25).map(|minute| minute * 60).collect();
    assert_eq!(first["oldest_waiting_seconds"], ages, "also in a sweep that attempted nothing");
    env.sweep_for_minutes(24 * 60).await;
    let day = summary(&lines);
    assert_eq!(
        (&day["level"], &day["waiting_subscriptions"]),
        (&"WARN".into(), &3.into()),
        "{day}"
    );
    assert_eq!(day["waiting_for_endpoint"], 3, "{day}");
    assert_eq!(day["oldest_waiting_seconds"], (24 * 60 + 25) * 60, "{day}");
    assert!(
        lines.take_metrics()["oldest_waiting_seconds"].iter().all(|age| *age >= HALF_AN_HOUR - 300)
    );
    env.product.behaves(|_| Behaviour::Accepts);
    env.sweep_for_minutes(65).await;
    let well = summary(&lines);
    assert_eq!((&well["level"], &well["finished"]), (&"INFO".into(), &true.into()), "{well}");
    for metric in ["waiting_subscriptions", "oldest_waiting_seconds", "parked_subscriptions"] {
        assert_eq!(well[metric], 0, "{well}");
    }
    env.assert_all_delivered(1..=3);
}

#[tokio::test]
async fn a_parked_subscription_is_in_each_summary_until_it_is_sent_again() {
    let (lines, _guard) = Lines::collect("info");
    let env = DeliveryEnv::new();
    env.product.behaves(|_| Behaviour::Answers(500));
    let events = env.record(1, 10).await;
    env.stream(&events).await;
    for _ in 0..8 * 24 {
        env.clock.advance(SignedDuration::from_hours(1));
        env.sweep().await;
    }
    let parked = &lines.take_metrics()["parked_subscriptions"];
    assert_eq!(parked[..7 * 24 - 1], [0; 7 * 24 - 1]);
    assert_eq!(parked[7 * 24 + 1..], [1; 23], "from the sweep that parked it on");
    env.sweep().await;
    let line = summary(&lines);
    assert_eq!((&line["level"], &line["waiting_subscriptions"]), (&"WARN".into(), &0.into()));
    env.product.behaves(|_| Behaviour::Accepts);
    send_again(&env, Target::Endpoint).await;
    env.sweep().await;
    assert_eq!(summary(&lines)["parked_subscriptions"], 0);
    env.assert_all_delivered([1]);
}

#[tokio::test]
async fn events_of_a_receiver_that_is_no_longer_configured_do_not_wait() {
    let (lines, _guard) = Lines::collect("info");
    let env = DeliveryEnv::new();
    env.record(1, 10).await;
    env.stream(&[]).await;
    send_again(&env, Target::EventBus).await;
    env.sweep_for_minutes(3).await;
    assert_eq!(summary(&lines)["waiting_subscriptions"], 0);
}

#[tokio::test]
async fn a_sweep_whose_time_is_over_says_what_it_left() {
    let (lines, _guard) = Lines::collect("info");
    let env = DeliveryEnv::without_schemas();
    env.product.behaves(|_| Behaviour::Hangs);
    for number in 1..=200 {
        env.record(number, 10).await;
    }
    env.clock.advance(SignedDuration::from_mins(5));
    let report = env.sweep().await;
    let line = summary(&lines);
    assert!(!report.finished, "{report:?}");
    assert_eq!(line["not_attempted"], "the sweep's time was over", "{line}");
    assert_eq!((&line["level"], &line["waiting_subscriptions"]), (&"WARN".into(), &200.into()));
    assert!(report.refused > 0 && report.cut_short > 0, "{report:?}");
    assert!(report.subscriptions < 200, "the rest of the list is not read: {report:?}");
}

#[tokio::test]
async fn a_table_that_fails_is_named_in_the_summary_and_nothing_is_counted() {
    let (lines, _guard) = Lines::collect("info");
    let env = DeliveryEnv::new();
    for (failing, finished) in [(0, false), (1, true)] {
        let effects = Effects::new(Plan::At(failing, Fault::Refused), 0);
        let table = Arc::new(FaultyTable { table: env.table.clone(), effects });
        let (product, clock) = (env.product.clone(), env.clock.clone());
        let delivery = env.delivery_on(table.clone(), table, product, clock);
        let swept = delivery.sweep(Driver::BesideTheStream).await;
        assert_eq!(swept.is_ok(), finished, "a count that fails is no failed sweep");
        let line = summary(&lines);
        assert_eq!(line["level"], "WARN", "{line}");
        assert_eq!(line["not_attempted"].is_string(), !finished, "{line}");
        assert_eq!(line["not_counted"].is_string(), finished, "{line}");
        assert_eq!(line.get("_aws").is_none(), finished, "a zero would clear the alarms: {line}");
    }
}
