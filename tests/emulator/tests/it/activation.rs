//! Resolve and Activate (4.1, 4.2).

use crate::publisher::{activate, active, call, get, resolve, subscription_path, world};
use ::http::Method;
use emulator::{Purchase, Settings, World};
use serde_json::json;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn a_token_resolves_repeatedly_until_it_is_a_day_old() {
    let mut world = world();
    let id = world.purchase(Purchase::flat_rate("silver"));
    let token = world.purchase_token(id);
    assert!(token.contains('+') && token.contains('/') && token.ends_with('='), "{token}");
    for _ in 0..2 {
        let body = resolve(&mut world, &token).body_json();
        assert_eq!(body["id"], json!(id));
        assert_eq!(body["subscription"]["saasSubscriptionStatus"], "PendingFulfillmentStart");
    }
    world.advance(24 * HOUR);
    let reply = resolve(&mut world, &token);
    assert_eq!((reply.status, reply.body_json()["code"].as_str()), (400, Some("InvalidValue")));
}

#[test]
fn resolve_refuses_a_token_that_was_decoded_twice() {
    let mut world = world();
    let id = world.purchase(Purchase::flat_rate("silver"));
    let token = world.purchase_token(id).replace('+', " ");
    let reply = resolve(&mut world, &token);
    assert_eq!((reply.status, reply.body_json()["code"].as_str()), (400, Some("InvalidValue")));
}

#[test]
fn resolve_names_the_missing_header() {
    let mut world = world();
    let reply = call(&mut world, Method::POST, "/saas/subscriptions/resolve", None);
    assert_eq!((reply.status, reply.body_json()["code"].as_str()), (400, Some("HeaderNotPresent")));
}

#[test]
fn the_landing_link_carries_the_token_encoded_once() {
    let mut world = world();
    world.settings_mut().landing_url = Some("https://fabrikam.example/landing?lang=en".to_owned());
    let id = world.purchase(Purchase::flat_rate("silver"));
    let link = url::Url::parse(&world.landing_link(id)).unwrap();
    assert_eq!(link.query_pairs().next().unwrap(), ("lang".into(), "en".into()));
    let token = link.query_pairs().find(|(name, _)| name == "token").unwrap().1.into_owned();
    assert_eq!(resolve(&mut world, &token).status, 200);
}

#[test]
fn a_term_has_dates_only_after_activation() {
    let mut world = world();
    let id = world.purchase(Purchase::flat_rate("silver"));
    let before = get(&mut world, &subscription_path(id)).body_json();
    assert_eq!(before["term"], json!({ "termUnit": "P1M" }));
    let reply = activate(&mut world, id);
    assert_eq!((reply.status, reply.body.len()), (200, 0));
    let after = get(&mut world, &subscription_path(id)).body_json();
    assert_eq!(after["saasSubscriptionStatus"], "Subscribed");
    assert_eq!(after["term"]["startDate"], "2026-03-04T00:00:00Z");
    assert_eq!(after["term"]["endDate"], "2026-04-03T00:00:00Z");
}

#[test]
fn a_delayed_activation_is_accepted_at_once_and_takes_effect_later() {
    let mut settings = Settings::default();
    settings.behaviour.activation_delay = Duration::from_secs(120);
    let mut world = World::new(settings);
    let id = world.purchase(Purchase::flat_rate("silver"));
    assert_eq!(activate(&mut world, id).status, 200);
    world.advance(Duration::from_secs(119));
    assert_eq!(world.subscription(id).status, "PendingFulfillmentStart");
    world.advance(Duration::from_secs(1));
    assert_eq!(world.subscription(id).status, "Subscribed");
}

#[test]
fn an_activation_that_fails_ends_the_subscription_with_a_webhook() {
    let mut world = world();
    let id = world.purchase(Purchase::flat_rate("silver"));
    world.let_activation_fail(id);
    assert_eq!(activate(&mut world, id).status, 200);
    assert_eq!(world.subscription(id).status, "Unsubscribed");
    assert_eq!(world.deliveries()[0].action.as_str(), "Unsubscribe");
}

#[test]
fn activate_answers_differently_in_each_status() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    assert_eq!(activate(&mut world, id).status, 400, "Subscribed");
    world.settings_mut().behaviour.activate_again_succeeds = true;
    assert_eq!(activate(&mut world, id).status, 200, "Subscribed, with activate_again_succeeds");
    world.suspend(id).unwrap();
    assert_eq!(activate(&mut world, id).status, 400, "Suspended");
    world.unsubscribe(id).unwrap();
    assert_eq!(activate(&mut world, id).status, 404, "Unsubscribed");
    assert_eq!(activate(&mut world, uuid::Uuid::nil()).status, 404, "unknown");
}

#[test]
fn activate_accepts_only_the_purchased_plan_and_seats() {
    let bodies = [
        (json!({}), 200),
        (json!({ "planId": "basic" }), 200),
        (json!({ "planId": "basic", "quantity": 10 }), 200),
        (json!({ "planId": "team" }), 400),
        (json!({ "planId": "basic", "quantity": 11 }), 400),
        (json!({ "planId": "basic", "quantity": "10" }), 400),
        (json!([]), 400),
    ];
    for (body, status) in bodies {
        let mut world = world();
        let id = world.purchase(Purchase::per_seat("basic", 10));
        let path = format!("{}/activate", subscription_path(id));
        assert_eq!(
            call(&mut world, Method::POST, &path, Some(body.clone())).status,
            status,
            "{body}"
        );
    }
}
