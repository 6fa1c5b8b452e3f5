//! Where a delivery goes on after a receiver failed between two events of one version.

use serde_json::{Value, json};
use shared::flows::redelivery::{From, redeliver};
use shared::store::{Outbox, Target};

use crate::delivery_env::{DeliveryEnv, id};
use crate::delivery_product::{Arrival, Behaviour};

const BUS: &str = "arn:aws:events:eu-north-1:123456789012:event-bus/marketplace";

fn is_purchase(arrival: &Arrival) -> bool {
    let event: Value = serde_json::from_slice(&arrival.body).expect("JSON");
    event["type"].as_str().is_some_and(|kind| kind.contains(".purchased."))
}

#[tokio::test]
async fn a_delivery_parked_inside_a_version_resumes_with_the_next_event_of_that_version() {
    let env = DeliveryEnv::with(&[("DELIVERY_PARK_AFTER_DAYS", "2")]);
    env.product.behaves(|arrival| match is_purchase(arrival) {
        true => Behaviour::Accepts,
        false => Behaviour::Answers(500),
    });
    let events = env.record(1, 10).await;
    assert_eq!(events.iter().map(|event| event.version).collect::<Vec<_>>(), [1, 1]);
    env.stream(&events).await;
    env.sweep_for_minutes(49 * 60).await;
    assert_eq!(env.table.parked(None).await.expect("a page").items, [(id(1), Target::Endpoint)]);
    assert_eq!(env.product.accepted(), env.recorded(1)[..1]);

    env.product.behaves(|_| Behaviour::Accepts);
    let resumed = redeliver(&env.table, &*env.clock, id(1), Target::Endpoint, From::WhereItStopped);
    resumed.await.expect("the table is there");
    env.sweep().await;
    assert_eq!(env.product.accepted(), env.recorded(1), "each event once, and none is skipped");
}

#[tokio::test]
async fn an_entry_that_the_bus_answers_200_and_does_not_accept_is_put_again() {
    let env = DeliveryEnv::with(&[("DELIVERY_EVENT_BUS", BUS)]);
    env.product.bus_refuses(1);
    let events = env.record(1, 10).await;
    env.stream(&events).await;
    assert_eq!(env.product.bus_entries(), [] as [Value; 0]);
    env.sweep_for_minutes(10).await;
    let entries = env.product.bus_entries();
    let types = entries.iter().map(|entry| entry["DetailType"].clone()).collect::<Vec<_>>();
    let expected = ["purchased", "activated"]
        .map(|name| json!(format!("saas-fulfillment.subscription.{name}.v1")));
    assert_eq!(types, expected, "each entry once, in order");
}
