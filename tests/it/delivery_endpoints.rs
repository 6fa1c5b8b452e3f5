//! Several endpoints, each with a name, a key, a filter and cursors of its own.

use http::StatusCode;
use jiff::SignedDuration;
use shared::domain::Event;
use shared::store::{Outbox as _, Target};

use crate::delivery_env::{DeliveryEnv, id};
use crate::delivery_product::{Behaviour, NAMED};

const CRM: &str = r#"{"name":"crm","url":"https://crm.example/in"}"#;

const PRODUCT: &str = "product.example";

/// The settings of these endpoints, beside the one without a name.
fn with(endpoints: &str) -> DeliveryEnv {
    let [(_, crm), (_, audit)] = NAMED;
    let keys = format!(r#"{{"crm":"{crm}","audit":"{audit}"}}"#);
    let endpoints = format!("[{endpoints}]");
    DeliveryEnv::with(&[("DELIVERY_ENDPOINTS", &endpoints), ("DELIVERY_SIGNING_KEYS", &keys)])
}

fn ids(events: &[Event], is_wanted: impl Fn(&Event) -> bool) -> Vec<String> {
    events.iter().filter(|event| is_wanted(event)).map(Event::id).collect()
}

#[tokio::test]
async fn each_endpoint_gets_each_event_signed_with_its_own_key() {
    let audit = r#"{"name":"audit","url":"https://audit.example/"}"#;
    let env = with(&format!("{CRM},{audit}"));
    let mut events = env.record(1, 10).await;
    events.extend(env.record(1, 20).await);
    assert!(env.stream(&events).await.batch_item_failures.is_empty());
    // The product verifies each signature with the key of the host.
    for host in [PRODUCT, "crm.example", "audit.example"] {
        assert_eq!(env.product.accepted_at(host, id(1)), env.recorded(1), "{host}");
    }
    assert!(env.table.all_due(env.clock_later()).is_empty());
}

#[tokio::test]
async fn an_endpoint_gets_the_types_and_offers_of_its_filter_and_the_others_count_as_delivered() {
    let only = r#"{"name":"crm","url":"https://crm.example/in",
        "eventTypes":["saas-fulfillment.subscription.plan-changed.v1"],"offers":["offer"]}"#;
    let other = r#"{"name":"audit","url":"https://audit.example/","offers":["another"]}"#;
    let env = with(&format!("{only},{other}"));
    let mut events = Vec::new();
    for seats in [10, 20, 30] {
        events.extend(env.record(1, seats).await);
    }
    assert!(env.stream(&events).await.batch_item_failures.is_empty());
    let wanted = ids(&events, |event| event.kind.name() == "PlanChanged");
    assert_eq!(wanted.len(), 2, "{events:?}");
    assert_eq!(env.product.accepted_at("crm.example", id(1)), wanted);
    assert!(env.product.accepted_at("audit.example", id(1)).is_empty());
    assert_eq!(env.product.accepted_at(PRODUCT, id(1)), env.recorded(1));
    let last = events.last().expect("events").position();
    for name in ["crm", "audit"] {
        let cursor = env.table.cursor(id(1), name.parse().expect("a name")).await;
        let cursor = cursor.expect("a read");
        assert_eq!(cursor.delivered, last, "{name}");
        // The wanted events, and what is passed at the end.
        assert!(cursor.revision <= 3, "{name}: skipped events cost no write each: {cursor:?}");
    }
    assert!(env.table.all_due(env.clock_later()).is_empty());
}

#[tokio::test]
async fn an_event_that_is_not_taken_is_passed_after_a_failure_and_a_retry_keeps_the_order() {
    let only = r#"{"name":"crm","url":"https://crm.example/in",
        "eventTypes":["saas-fulfillment.subscription.plan-changed.v1",
                      "saas-fulfillment.subscription.activated.v1"]}"#;
    let env = with(only);
    let answers = |status| {
        move |arrival: &crate::delivery_product::Arrival| match &*arrival.host {
            "crm.example" => Behaviour::Answers(status),
            _ => Behaviour::Accepts,
        }
    };
    env.product.behaves(answers(StatusCode::INTERNAL_SERVER_ERROR.as_u16()));
    let mut events = Vec::new();
    for seats in [10, 20] {
        events.extend(env.record(1, seats).await);
    }
    env.stream(&events).await;
    env.product.behaves(|_| Behaviour::Accepts);
    env.sweep_for_minutes(3).await;
    let wanted = ids(&events, |event| ["PlanChanged", "Activated"].contains(&event.kind.name()));
    assert_eq!(env.product.accepted_at("crm.example", id(1)), wanted);
    assert!(env.table.all_due(env.clock_later()).is_empty());
}

#[tokio::test]
async fn an_endpoint_that_is_down_holds_up_no_other() {
    for down in [PRODUCT, "crm.example"] {
        let up = if down == PRODUCT { "crm.example" } else { PRODUCT };
        let env = with(CRM);
        env.product.behaves(move |arrival| match arrival.host == down {
            true => Behaviour::IsUnreachable,
            false => Behaviour::Accepts,
        });
        for seats in [10, 20, 30] {
            for number in 1..=3 {
                let events = env.record(number, seats).await;
                env.stream(&events).await;
                assert_eq!(env.product.accepted_at(up, id(number)), env.recorded(number));
            }
            env.sweep_for_minutes(10).await;
        }
        assert!(env.product.accepted_at(down, id(1)).is_empty());
        for _ in 0..9 * 24 {
            env.clock.advance(SignedDuration::from_hours(1));
            env.sweep().await;
        }
        assert_eq!(env.table.all_parked().len(), 3, "at {down} alone");
        let events = env.record(1, 40).await;
        env.stream(&events).await;
        assert_eq!(env.product.accepted_at(up, id(1)), env.recorded(1));
    }
}

#[tokio::test]
async fn one_parked_endpoint_is_sent_its_events_again_and_the_others_are_not() {
    use shared::flows::redelivery::{From, redeliver};

    let env = with(CRM);
    let events = env.record(1, 10).await;
    env.stream(&events).await;
    let crm: Target = "crm".parse().expect("a name");
    let first = From::Event(events[0].position());
    redeliver(&env.table, &*env.clock, id(1), crm, first).await.expect("saved");
    env.sweep_for_minutes(1).await;
    let arrivals = env.product.arrivals();
    let at = |host: &str| arrivals.iter().filter(|arrival| arrival.host == host).count();
    assert_eq!((at("crm.example"), at(PRODUCT)), (2 * events.len(), events.len()));
}
