//! Retries, order and loss of webhooks (6.1), without a network.

use crate::publisher::{active, answer_webhooks, world};
use emulator::{Purchase, World};
use std::time::Duration;
use uuid::Uuid;

const MINUTE: Duration = Duration::from_secs(60);

fn actions(world: &World) -> Vec<String> {
    world.deliveries().iter().map(|delivery| delivery.action.as_str().to_owned()).collect()
}

fn two_notices(world: &mut World) -> Uuid {
    let id = active(world, Purchase::flat_rate("silver"));
    world.renew(id).unwrap();
    world.suspend(id).unwrap();
    id
}

#[test]
fn a_webhook_without_a_2xx_or_4xx_is_retried_a_minute_later() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    world.renew(id).unwrap();
    for status in [Some(500), Some(503), None] {
        assert_eq!(answer_webhooks(&mut world, status).len(), 1);
        assert!(answer_webhooks(&mut world, Some(200)).is_empty(), "not yet");
        world.advance(MINUTE);
    }
    assert_eq!(world.take_due_deliveries()[0].attempt, 4);
}

#[test]
fn any_2xx_or_4xx_ends_the_delivery_of_a_notice() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    for status in [200, 204, 401, 404] {
        world.renew(id).unwrap();
        answer_webhooks(&mut world, Some(status));
        assert!(world.deliveries().is_empty(), "{status}");
    }
}

#[test]
fn an_operation_fails_after_eight_hours_of_failed_deliveries() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    let operation = world.change_plan(id, "gold").unwrap();
    let mut attempts = 0;
    while !world.deliveries().is_empty() {
        attempts += answer_webhooks(&mut world, None).len();
        world.advance(MINUTE);
    }
    assert_eq!(attempts, 8 * 60 + 1);
    assert_eq!(world.operation(operation).status, "Failed");
    assert_eq!(world.subscription(id).plan_id, "silver");
}

#[test]
fn a_webhooks_body_stays_the_same_in_all_attempts() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    world.renew(id).unwrap();
    let first = answer_webhooks(&mut world, Some(500));
    world.suspend(id).unwrap();
    world.advance(MINUTE);
    assert_eq!(answer_webhooks(&mut world, Some(200))[0], first[0]);
}

#[test]
fn waiting_webhooks_can_be_reversed_held_and_duplicated() {
    let mut world = world();
    let id = two_notices(&mut world);
    assert_eq!(actions(&world), ["Renew", "Suspend"]);
    world.reverse_pending();
    assert_eq!(actions(&world), ["Suspend", "Renew"]);
    let suspend = world.deliveries()[0].operation;
    world.hold(suspend);
    world.duplicate_next_delivery();
    let bodies = answer_webhooks(&mut world, Some(200));
    assert_eq!(bodies.len(), 2);
    assert_eq!(bodies[0], bodies[1]);
    assert_eq!(bodies[0]["action"], "Renew");
    assert_eq!(actions(&world), ["Suspend"]);
    world.release(suspend);
    assert_eq!(answer_webhooks(&mut world, Some(200)).len(), 1);
    assert_eq!(world.operations(id).len(), 2);
}

#[test]
fn a_lost_webhook_is_not_retried_and_its_change_takes_effect() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    world.change_plan(id, "gold").unwrap();
    world.lose_deliveries();
    assert!(world.deliveries().is_empty());
    world.advance(Duration::from_secs(10));
    assert_eq!(world.subscription(id).plan_id, "gold");
}

#[test]
fn the_log_has_calls_in_both_directions_and_no_token() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    let token = world.purchase_token(id);
    crate::publisher::resolve(&mut world, &token);
    world.renew(id).unwrap();
    answer_webhooks(&mut world, Some(200));
    let log = format!("{:?}", world.calls());
    let calls: Vec<String> =
        world.calls().iter().map(|record| format!("{:?}", record.call)).collect();
    assert_eq!(calls, ["Activate", "Resolve", "Webhook"]);
    assert_eq!(world.calls()[2].status, Some(200));
    assert_eq!(world.calls()[2].request_body.as_ref().unwrap()["action"], "Renew");
    assert!(!log.contains(&token) && !log.contains("eyJ"), "a token is in the log");
}
