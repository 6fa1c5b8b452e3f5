//! Receivers that are added, or take more, while events are delivered by processes with other settings beside
//! them.

use jiff::{SignedDuration, Timestamp};
use shared::domain::NextVersion;
use shared::store::{Commit, Outbox as _, Store as _};

use crate::delivery_env::{DeliveryEnv, id};
use crate::delivery_product::{Behaviour, NAMED};
use crate::delivery_receivers_env::{CRM_HOST, PRODUCT, Settings, crm, ids, minutes, settings};

#[tokio::test]
async fn a_new_endpoint_gets_the_events_from_the_moment_on_at_which_it_is_added() {
    let settings = settings("");
    let earlier = settings.before.record(1, 10).await;
    settings.before.stream(&earlier).await;
    settings.before.clock.advance(minutes(3));
    settings.after.sweep().await;
    let later = settings.after.record(1, 20).await;
    settings.after.stream(&later).await;
    assert_eq!(settings.at_crm(1), ids(&later));
    settings.after.sweep_for_minutes(20).await;
    assert_eq!(settings.at_crm(1), ids(&later), "also after the walk");
    settings.assert_product_has_all([1]);
    let state = settings.state().await.expect("it is there");
    assert_eq!(state.catch_up, None, "the walk has ended");
    let cursor = settings.after.table.cursor(id(1), crm()).await.expect("a read");
    assert_eq!(cursor.receiver_added_at, state.added_at);
}

#[tokio::test]
async fn a_new_endpoint_gets_what_a_process_with_the_former_settings_has_settled() {
    let settings = settings("");
    settings.after.sweep().await;
    settings.after.clock.advance(minutes(1));
    // More than a page of the walk.
    for number in 1..=60 {
        let events = settings.before.record(number, 10).await;
        settings.before.stream(&events).await;
        assert!(settings.before.table.all_due(settings.before.clock_later()).is_empty());
    }
    assert!(settings.at_crm(1).is_empty());
    settings.after.sweep_for_minutes(20).await;
    for number in 1..=60 {
        assert_eq!(settings.at_crm(number), settings.after.recorded(number), "{number}");
    }
    settings.assert_product_has_all(1..=60);
    assert!(settings.after.table.all_due(settings.after.clock_later()).is_empty());
}

#[tokio::test]
async fn a_walk_meets_what_changes_without_an_event_while_it_rests() {
    let settings = settings("");
    settings.after.sweep().await;
    for number in 1..=60 {
        let events = settings.before.record(number, 10).await;
        settings.before.stream(&events).await;
        settings.before.clock.advance(SignedDuration::from_secs(1));
    }
    // Requests that are never answered use up the time of the sweep in which the walk begins.
    settings.after.product.behaves(|arrival| {
        let hangs = (27..=33).any(|number| arrival.subscription == id(number));
        if hangs && arrival.host == CRM_HOST { Behaviour::Hangs } else { Behaviour::Accepts }
    });
    let walk = async || settings.state().await.expect("it is there").catch_up;
    while walk().await.expect("it goes on").next.is_none() {
        settings.after.sweep_for_minutes(1).await;
    }
    for number in [1, 60] {
        let mut record = settings.after.table.record(id(number)).expect("a record");
        record.version += 1;
        record.updated_at = settings.after.now();
        let next = NextVersion { record, events: Vec::new(), has_new_search_terms: false };
        let commit = Commit { next: Some(next), mark: None };
        settings.after.table.commit(id(number), &commit).await.expect("committed");
    }
    settings.after.product.behaves(|_| Behaviour::Accepts);
    settings.after.sweep_for_minutes(60).await;
    for number in 1..=60 {
        assert_eq!(settings.at_crm(number), settings.after.recorded(number), "{number}");
    }
}

#[tokio::test]
async fn a_new_endpoint_gets_earlier_events_from_the_time_on_that_it_asks_for() {
    let settings = settings(r#","from":"2026-03-10T12:30:00Z""#);
    let mut wanted = Vec::new();
    for number in 0..40 {
        let events =
            settings.before.record(u128::from(number % 10_u32), u64::from(number) + 1).await;
        settings.before.stream(&events).await;
        if settings.before.now() >= "2026-03-10T12:30:00Z".parse::<Timestamp>().expect("a time") {
            wanted.extend(events);
        }
        settings.before.clock.advance(minutes(1));
    }
    settings.before.clock.advance(minutes(24 * 60));
    settings.after.sweep_for_minutes(20).await;
    for number in 0..10 {
        let of_it: Vec<_> =
            wanted.iter().filter(|event| event.subscription_id == id(number)).cloned().collect();
        assert_eq!(settings.at_crm(number), ids(&of_it), "{number}");
    }
    assert!(!wanted.is_empty());
    settings.assert_product_has_all(0..10);
}

#[tokio::test]
async fn a_walk_goes_on_where_it_was_cut_off_and_holds_up_nothing() {
    let settings = settings(r#","from":"2026-03-10T00:00:00Z""#);
    for number in 1..=80 {
        let events = settings.before.record(number, 10).await;
        settings.before.stream(&events).await;
    }
    settings.after.sweep_for_minutes(15).await;
    settings.after.product.behaves(|arrival| match &*arrival.host {
        CRM_HOST => Behaviour::Hangs,
        _ => Behaviour::Accepts,
    });
    settings.after.sweep_for_minutes(2).await;
    let events = settings.after.record(1, 20).await;
    settings.after.clock.advance(minutes(3));
    settings.after.sweep().await;
    assert!(settings.after.product.accepted_at(PRODUCT, id(1)).contains(&events[0].id()));
    settings.after.product.behaves(|_| Behaviour::Accepts);
    settings.after.sweep_for_minutes(90).await;
    for number in 1..=80 {
        assert_eq!(settings.at_crm(number), settings.after.recorded(number), "{number}");
    }
    assert_eq!(settings.state().await.expect("it is there").catch_up, None);
}

#[tokio::test]
async fn two_processes_with_different_settings_lose_nothing_and_keep_the_order() {
    let settings = settings("");
    settings.after.sweep().await;
    settings.after.clock.advance(minutes(1));
    let mut recorded = Vec::new();
    for round in 1..=12_u64 {
        for number in 1..=4 {
            let events = settings.after.record(number, round * 10).await;
            recorded.push(events[0].recorded_at);
            let is_new = (u64::try_from(number).expect("small") + round).is_multiple_of(2);
            let process = if is_new { &settings.after } else { &settings.before };
            process.stream(&events).await;
        }
        let process = if round.is_multiple_of(3) { &settings.before } else { &settings.after };
        process.sweep_for_minutes(1).await;
    }
    settings.after.sweep_for_minutes(40).await;
    for number in 1..=4 {
        assert_eq!(settings.at_crm(number), settings.after.recorded(number), "{number}");
    }
    settings.assert_product_has_all(1..=4);
}

#[tokio::test]
async fn a_filter_that_takes_more_applies_to_functions_with_the_former_one_too() {
    const RENEWED: &str = "saas-fulfillment.subscription.renewed.v1";
    let env = DeliveryEnv::new();
    let keys = format!(r#"{{"crm":"{}"}}"#, NAMED[0].1);
    let with = |member: &str| {
        let endpoints = format!(r#"[{{"name":"crm","url":"https://crm.example/in"{member}}}]"#);
        env.beside(&[("DELIVERY_ENDPOINTS", &endpoints), ("DELIVERY_SIGNING_KEYS", &keys)])
    };
    let settings =
        Settings { before: with(&format!(r#","eventTypes":["{RENEWED}"]"#)), after: with("") };
    settings.before.sweep_for_minutes(20).await;
    let left_out = settings.before.record(1, 10).await;
    settings.before.stream(&left_out).await;
    settings.after.sweep().await;
    let mut taken = Vec::new();
    for round in 2..=9 {
        let events = settings.before.record(1, round * 10).await;
        let process = if round % 2 == 0 { &settings.before } else { &settings.after };
        process.stream(&events).await;
        process.sweep_for_minutes(1).await;
        taken.extend(events);
    }
    assert_eq!(settings.at_crm(1), ids(&taken), "from the change on, in order, each once");
    let in_use = async || settings.state().await.expect("it is there").filters_in_use().count();
    assert_eq!(in_use().await, 2);
    settings.after.sweep_for_minutes(20).await;
    assert_eq!(in_use().await, 1, "it is rolled out");
    assert_eq!(settings.at_crm(1), ids(&taken));

    // Takes less again: in force when the last function with the former filter is gone.
    let events = settings.before.record(1, 100).await;
    settings.before.stream(&events).await;
    assert_eq!(settings.at_crm(1).len(), taken.len() + events.len(), "both are in use");
    settings.before.sweep_for_minutes(20).await;
    let all = settings.at_crm(1);
    let events = settings.before.record(1, 110).await;
    settings.before.stream(&events).await;
    assert_eq!(settings.at_crm(1), all, "and no longer");
    settings.assert_product_has_all([1]);
}
