//! Receivers that are added, removed and paused while events are delivered, by processes with other settings
//! beside them.

use jiff::{SignedDuration, Timestamp};
use shared::domain::{Event, NextVersion};
use shared::store::{
    Commit, CursorState, Outbox as _, Pause, ReceiverState, Receivers as _, Store as _, Target,
};

use crate::delivery_env::{DeliveryEnv, id};
use crate::delivery_product::{Behaviour, NAMED};

const PRODUCT: &str = "product.example";
const CRM_HOST: &str = "crm.example";

/// The same table and product with other settings.
struct Settings {
    before: DeliveryEnv,
    after: DeliveryEnv,
}

fn crm() -> Target {
    "crm".parse().expect("a name")
}

/// A deployment without the endpoint `crm`, and the same with it.
fn settings(member: &str) -> Settings {
    let before = DeliveryEnv::new();
    let keys = format!(r#"{{"crm":"{}"}}"#, NAMED[0].1);
    let endpoints = format!(r#"[{{"name":"crm","url":"https://crm.example/in"{member}}}]"#);
    let after =
        before.beside(&[("DELIVERY_ENDPOINTS", &endpoints), ("DELIVERY_SIGNING_KEYS", &keys)]);
    Settings { before, after }
}

impl Settings {
    fn at_crm(&self, number: u128) -> Vec<String> {
        self.after.product.accepted_at(CRM_HOST, id(number))
    }

    async fn state(&self) -> Option<ReceiverState> {
        self.after.table.receivers().await.expect("a read").remove(&crm())
    }

    /// Asserts that the endpoint without a name has every event.
    fn assert_product_has_all(&self, numbers: impl IntoIterator<Item = u128>) {
        for number in numbers {
            let accepted = self.after.product.accepted_at(PRODUCT, id(number));
            assert_eq!(accepted, self.after.recorded(number), "{number}");
        }
    }

    async fn pause(&self, target: Target, paused: Option<Pause>) {
        let states = self.after.table.receivers().await.expect("a read");
        let state = states.get(&target).cloned().unwrap_or_default();
        let state = ReceiverState { revision: state.revision + 1, paused, ..state };
        self.after.table.save_receiver(target, &state).await.expect("saved");
    }

    fn since_now(&self) -> Option<Pause> {
        Some(Pause { since: self.after.now(), note: String::new(), by: None })
    }
}

fn ids(events: &[Event]) -> Vec<String> {
    events.iter().map(Event::id).collect()
}

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

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
async fn a_removed_endpoint_loses_its_state_and_its_cursors_and_begins_anew_under_its_name() {
    let settings = settings("");
    settings.after.sweep().await;
    settings.after.clock.advance(minutes(1));
    settings.after.product.behaves(|arrival| match &*arrival.host {
        CRM_HOST => Behaviour::Answers(500),
        _ => Behaviour::Accepts,
    });
    for number in 1..=3 {
        let events = settings.after.record(number, 10).await;
        settings.after.stream(&events).await;
    }
    for _ in 0..8 * 24 {
        settings.after.clock.advance(minutes(60));
        settings.after.sweep().await;
    }
    let events = settings.after.record(4, 10).await;
    settings.after.stream(&events).await;
    assert_eq!(settings.after.table.all_parked().len(), 3);
    settings.before.sweep_for_minutes(14).await;
    assert!(settings.state().await.expect("still there").missing_since.is_some());
    assert_eq!(settings.after.table.all_parked().len(), 3, "a rollback would need them");
    settings.before.sweep_for_minutes(3).await;
    assert_eq!(settings.state().await, None);
    assert!(settings.after.table.all_parked().is_empty());
    assert!(settings.after.table.all_due(settings.after.clock_later()).is_empty());

    settings.after.product.behaves(|_| Behaviour::Accepts);
    settings.after.sweep().await;
    settings.after.clock.advance(minutes(1));
    let events = settings.after.record(1, 20).await;
    settings.after.stream(&events).await;
    settings.after.sweep_for_minutes(20).await;
    assert_eq!(settings.at_crm(1), ids(&events), "nothing from before");
    assert!(settings.at_crm(2).is_empty());
    settings.assert_product_has_all(1..=4);
}

#[tokio::test]
async fn what_was_parked_for_an_endpoint_ends_with_it_also_if_its_name_is_added_again_at_once() {
    let settings = settings("");
    settings.after.sweep().await;
    settings.after.clock.advance(minutes(1));
    settings.after.product.behaves(|arrival| match &*arrival.host {
        CRM_HOST => Behaviour::Answers(500),
        _ => Behaviour::Accepts,
    });
    // More than a sweep deletes.
    for number in 1..=210 {
        let events = settings.after.record(number, 10).await;
        settings.after.stream(&events).await;
    }
    for _ in 0..8 * 24 {
        settings.after.clock.advance(minutes(60));
        settings.after.sweep().await;
    }
    assert_eq!(settings.after.table.all_parked().len(), 210);
    settings.after.product.behaves(|_| Behaviour::Accepts);
    settings.before.sweep_for_minutes(1).await;
    settings.before.clock.advance(minutes(16));
    settings.before.sweep().await;
    assert_eq!(settings.state().await, None);
    assert_eq!(settings.after.table.all_parked().len(), 10);

    settings.after.sweep().await;
    let targets = [Target::Endpoint, crm()];
    let states = settings.after.table.receivers().await.expect("a read");
    assert!(states.contains_key(&crm()));
    let waiting = settings.after.table.waiting(&targets, &states).await.expect("a count");
    assert_eq!((waiting.parked, waiting.strays.len()), (0, 0));
    assert!(settings.after.table.all_parked().is_empty());
    let events = settings.after.record(205, 20).await;
    settings.after.stream(&events).await;
    assert_eq!(settings.at_crm(205), ids(&events), "nothing from before");
}

#[tokio::test]
async fn a_cursor_of_an_earlier_endpoint_of_the_name_is_as_none() {
    let settings = settings("");
    settings.after.sweep().await;
    settings.after.clock.advance(minutes(1));
    let first = settings.after.record(1, 10).await;
    settings.after.stream(&first).await;
    assert_eq!(settings.at_crm(1), ids(&first));
    settings.before.sweep_for_minutes(17).await;
    assert_eq!(settings.state().await, None);
    let between = settings.before.record(1, 20).await;
    settings.before.stream(&between).await;
    settings.after.clock.advance(minutes(3));
    settings.after.sweep().await;
    let last = settings.after.record(1, 30).await;
    settings.after.stream(&last).await;
    assert_eq!(settings.at_crm(1), ids(&[first, last].concat()), "not what came in between");
}

#[tokio::test]
async fn a_rollback_for_a_few_minutes_costs_an_endpoint_no_event() {
    let settings = settings("");
    settings.after.sweep_for_minutes(30).await;
    let added_at = settings.state().await.expect("it is there").added_at;
    // A process with the former settings settles events before a sweep notices the rollback.
    let events = settings.before.record(1, 10).await;
    settings.before.stream(&events).await;
    settings.before.sweep_for_minutes(5).await;
    let events = settings.before.record(2, 10).await;
    settings.before.stream(&events).await;
    settings.after.sweep_for_minutes(1).await;
    let events = settings.before.record(3, 10).await;
    settings.before.stream(&events).await;
    assert!(settings.at_crm(1).is_empty() && settings.at_crm(3).is_empty());
    settings.after.sweep_for_minutes(20).await;
    for number in 1..=3 {
        assert_eq!(settings.at_crm(number), settings.after.recorded(number), "{number}");
    }
    assert_eq!(settings.state().await.expect("it is there").added_at, added_at);
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

#[tokio::test]
async fn a_paused_receiver_is_sent_nothing_and_gets_everything_after_the_resume() {
    for target in [Target::Endpoint, crm()] {
        let settings = settings("");
        settings.after.sweep_for_minutes(20).await;
        let (paused, other) = match target {
            Target::Endpoint => (PRODUCT, CRM_HOST),
            _ => (CRM_HOST, PRODUCT),
        };
        let at = |host, number| settings.after.product.accepted_at(host, id(number));
        settings.pause(target, settings.since_now()).await;
        for number in 1..=3 {
            let events = settings.after.record(number, 10).await;
            settings.after.stream(&events).await;
            assert_eq!(at(other, number), settings.after.recorded(number));
        }
        // A pause of more days than a failure may last.
        for _ in 0..10 * 24 {
            settings.after.clock.advance(minutes(60));
            settings.after.sweep().await;
        }
        assert!((1..=3).all(|number| at(paused, number).is_empty()));
        assert!(settings.after.table.all_parked().is_empty(), "a pause parks nothing");
        let cursor = settings.after.table.cursor(id(1), target).await.expect("a read");
        assert!(matches!(cursor.state, CursorState::Due { trouble: None, .. }), "{cursor:?}");

        settings.pause(target, None).await;
        let events = settings.after.record(1, 20).await;
        settings.after.stream(&events).await;
        assert_eq!(at(paused, 1), settings.after.recorded(1), "at once, and in order");
        settings.after.sweep_for_minutes(16).await;
        for number in 1..=3 {
            assert_eq!(at(paused, number), settings.after.recorded(number), "{number}");
        }
    }
}

#[tokio::test]
async fn an_event_that_a_paused_receiver_does_not_take_does_not_wait_for_it() {
    let types = r#","eventTypes":["saas-fulfillment.subscription.unsubscribed.v1"]"#;
    let settings = settings(types);
    settings.after.sweep_for_minutes(20).await;
    settings.pause(crm(), settings.since_now()).await;
    let events = settings.after.record(1, 10).await;
    settings.after.stream(&events).await;
    assert!(settings.after.table.all_due(settings.after.clock_later()).is_empty());
    settings.assert_product_has_all([1]);
}

#[tokio::test]
async fn a_failing_receiver_that_is_paused_is_not_tried_again_and_not_parked() {
    let settings = settings("");
    settings.after.product.behaves(|arrival| match &*arrival.host {
        CRM_HOST => Behaviour::Answers(500),
        _ => Behaviour::Accepts,
    });
    settings.after.sweep().await;
    settings.after.clock.advance(minutes(1));
    let events = settings.after.record(1, 10).await;
    settings.after.stream(&events).await;
    settings.after.sweep_for_minutes(5).await;
    settings.pause(crm(), settings.since_now()).await;
    let tries = settings.after.product.arrivals().len();
    for _ in 0..10 * 24 {
        settings.after.clock.advance(minutes(60));
        settings.after.sweep().await;
    }
    assert_eq!(settings.after.product.arrivals().len(), tries);
    assert!(settings.after.table.all_parked().is_empty());
    settings.after.product.behaves(|_| Behaviour::Accepts);
    settings.pause(crm(), None).await;
    settings.after.sweep_for_minutes(16).await;
    assert_eq!(settings.at_crm(1), settings.after.recorded(1));
}
