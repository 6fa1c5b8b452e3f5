//! The life cycle's table (section 7), driven from Microsoft's side and by the clock.

use crate::publisher::{acknowledge, active, answer_webhooks, call, subscription_path, world};
use ::http::Method;
use emulator::{Purchase, Refused, Settings, World};
use serde_json::json;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[test]
fn an_auto_activated_purchase_is_active_and_sends_a_webhook() {
    let mut world = world();
    for purchase in [Purchase::flat_rate("auto"), Purchase::flat_rate("silver").auto_activated()] {
        let id = world.purchase(purchase);
        assert_eq!(world.subscription(id).status, "Subscribed");
        let bodies = answer_webhooks(&mut world, Some(200));
        assert_eq!(
            (&bodies[0]["action"], &bodies[0]["status"]),
            (&json!("Subscribe"), &json!("Succeeded"))
        );
    }
    world.purchase(Purchase::flat_rate("silver"));
    assert!(world.deliveries().is_empty(), "an ordinary purchase sends no webhook");
}

#[test]
fn a_suspension_changes_the_state_first_and_ends_the_subscription_after_30_days() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    world.suspend(id).unwrap();
    assert_eq!(world.subscription(id).status, "Suspended");
    let bodies = answer_webhooks(&mut world, Some(200));
    assert_eq!(
        (&bodies[0]["action"], &bodies[0]["status"]),
        (&json!("Suspend"), &json!("Succeeded"))
    );
    world.advance(30 * DAY - Duration::from_secs(1));
    assert_eq!(world.subscription(id).status, "Suspended");
    world.advance(Duration::from_secs(1));
    assert_eq!(world.subscription(id).status, "Unsubscribed");
    assert_eq!(world.deliveries()[0].action.as_str(), "Unsubscribe");
}

#[test]
fn a_reinstatement_waits_for_the_webhooks_answer() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    world.suspend(id).unwrap();
    answer_webhooks(&mut world, Some(200));
    let operation = world.reinstate(id).unwrap();
    assert_eq!(world.subscription(id).status, "Suspended");
    let bodies = answer_webhooks(&mut world, Some(200));
    assert_eq!(
        (&bodies[0]["action"], &bodies[0]["status"]),
        (&json!("Reinstate"), &json!("InProgress"))
    );
    assert_eq!(bodies[0]["subscription"]["saasSubscriptionStatus"], "Suspended");
    assert_eq!(world.subscription(id).status, "Subscribed");
    assert_eq!(world.operation(operation).status, "Succeeded");
    world.advance(40 * DAY);
    assert_eq!(
        world.subscription(id).status,
        "Subscribed",
        "the 30 days of the old suspension no longer count"
    );
}

#[test]
fn a_reinstatement_is_accepted_by_patch_or_timeout_and_declined_by_cancelling() {
    let reinstating = || {
        let mut world = world();
        let id = active(&mut world, Purchase::flat_rate("silver"));
        world.suspend(id).unwrap();
        answer_webhooks(&mut world, Some(200));
        let operation = world.reinstate(id).unwrap();
        (world, id, operation)
    };
    let (mut world, id, operation) = reinstating();
    assert_eq!(acknowledge(&mut world, id, operation, "Failure").status, 200);
    assert_eq!(
        world.operation(operation).status,
        "InProgress",
        "a failure does not decline a reinstatement"
    );
    acknowledge(&mut world, id, operation, "Success");
    assert_eq!(world.subscription(id).status, "Subscribed");

    let (mut world, id, _) = reinstating();
    answer_webhooks(&mut world, Some(500));
    world.advance(Duration::from_secs(10));
    assert_eq!(world.subscription(id).status, "Subscribed");

    let (mut world, id, operation) = reinstating();
    assert_eq!(call(&mut world, Method::DELETE, &subscription_path(id), None).status, 202);
    assert_eq!(world.operation(operation).status, "Failed");
    answer_webhooks(&mut world, Some(200));
    assert_eq!(world.subscription(id).status, "Unsubscribed");
}

#[test]
fn the_clock_renews_terms_and_converts_trials() {
    let mut settings = Settings::default();
    settings.behaviour.auto_renew_by_clock = Some(true);
    let mut world = World::new(settings);
    let id = active(&mut world, Purchase::flat_rate("trial").free_trial());
    assert!(world.subscription(id).is_free_trial);
    world.advance(31 * DAY);
    let state = world.subscription(id);
    assert!(!state.is_free_trial);
    assert_eq!(state.term_start.unwrap().to_string(), "2026-04-04");
    assert_eq!(state.term_end.unwrap().to_string(), "2026-05-03");
    let bodies = answer_webhooks(&mut world, Some(200));
    assert_eq!(bodies.len(), 1);
    assert_eq!(
        (&bodies[0]["action"], &bodies[0]["status"]),
        (&json!("Renew"), &json!("Succeeded"))
    );
    world.advance(122 * DAY);
    assert_eq!(world.deliveries().len(), 4, "once a term");
}

#[test]
fn the_clock_ends_a_subscription_without_renewal_after_its_term() {
    let mut settings = Settings::default();
    settings.behaviour.auto_renew_by_clock = Some(true);
    let mut world = World::new(settings);
    let id = active(&mut world, Purchase::flat_rate("silver"));
    assert_eq!(world.toggle_auto_renew(id), Ok(false));
    world.advance(30 * DAY);
    assert_eq!(world.subscription(id).status, "Subscribed", "the last day is valid");
    world.advance(DAY);
    assert_eq!(world.subscription(id).status, "Unsubscribed");
}

#[test]
fn terms_do_not_renew_by_the_clock_unless_the_setting_is_on() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    world.advance(100 * DAY);
    assert_eq!(world.subscription(id).term_end.unwrap().to_string(), "2026-04-03");
    assert!(world.deliveries().is_empty());
}

#[test]
fn a_purchase_that_is_not_activated_ends_after_30_days() {
    let mut world = world();
    let id = world.purchase(Purchase::flat_rate("silver"));
    world.advance(30 * DAY);
    assert_eq!(world.subscription(id).status, "Unsubscribed");
    assert_eq!(world.subscription(id).term_start, None);
}

#[test]
fn an_action_that_the_status_does_not_permit_is_refused() {
    let mut world = world();
    let id = world.purchase(Purchase::per_seat("basic", 10));
    let pending = Refused::InStatus("PendingFulfillmentStart");
    assert_eq!(world.suspend(id), Err(pending.clone()));
    assert_eq!(world.renew(id), Err(pending.clone()));
    assert_eq!(world.change_quantity(id, 20), Err(pending));
    let id = active(&mut world, Purchase::per_seat("basic", 10));
    assert_eq!(world.reinstate(id), Err(Refused::InStatus("Subscribed")));
    assert_eq!(world.change_quantity(id, 500), Err(Refused::SeatsOutOfRange(1, 100)));
    world.change_quantity(id, 20).unwrap();
    assert_eq!(world.change_plan(id, "team"), Err(Refused::Pending));
    world.unsubscribe(id).unwrap();
    assert_eq!(world.unsubscribe(id), Err(Refused::InStatus("Unsubscribed")));
    assert!(world.outstanding(id).is_empty(), "the end closes pending operations");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = |seed| {
        let mut world = World::new(Settings { seed, ..Settings::default() });
        let id = active(&mut world, Purchase::flat_rate("silver"));
        let operation = world.change_plan(id, "gold").unwrap();
        let token = world.purchase_token(id);
        let bodies = answer_webhooks(&mut world, Some(200));
        (id, operation, token, bodies)
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}
