//! The unusual ways that settings allow: what each does, and that the world counts it.

mod list;
mod words;

use crate::publisher::{
    acknowledge, activate, active, answer_webhooks, call, get, operation_path, resolve,
    subscription_path, world,
};
use ::http::Method;
use emulator::{ApiRequest, FlatQuantity, ListEntries, Purchase, WebhookForm, World, way};
use serde_json::{Value, json};
use std::num::NonZeroUsize;
use std::time::Duration;
use uuid::Uuid;

const LIST: &str = "/saas/subscriptions";
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn count(world: &World, way: &str) -> u64 {
    world.occurred().get(way).copied().unwrap_or(0)
}

/// The status and the ids of each page, up to a page that fails.
fn pages(world: &mut World) -> Vec<(u16, Vec<String>)> {
    let (mut pages, mut path) = (Vec::new(), LIST.to_owned());
    loop {
        let reply = get(world, &path);
        let body = reply.body_json();
        let entries = body["subscriptions"].as_array().cloned().unwrap_or_default();
        let ids = entries.iter().map(|entry| entry["id"].as_str().unwrap().to_owned()).collect();
        pages.push((reply.status, ids));
        let Some(link) = body["@nextLink"].as_str() else { return pages };
        path = link.split_once("/api").unwrap().1.replace("&api-version=2018-08-31", "");
    }
}

fn read(world: &mut World, id: Uuid) -> Value {
    get(world, &subscription_path(id)).body_json()
}

#[test]
fn the_usual_service_has_none_of_the_ways() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    world.suspend(id).unwrap();
    world.reinstate(id).unwrap();
    answer_webhooks(&mut world, Some(200));
    assert_eq!(pages(&mut world).len(), 1);
    assert_eq!(read(&mut world, id)["saasSubscriptionStatus"], "Subscribed");
    assert!(world.occurred().is_empty(), "{:?}", world.occurred());
}

#[test]
fn late_reads_are_counted_where_they_show_another_state() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    world.advance(MINUTE);
    world.settings_mut().behaviour.stale_reads = Some(MINUTE / 2);
    world.settings_mut().behaviour.stale_list = Some(MINUTE);
    read(&mut world, id);
    get(&mut world, LIST);
    assert!(world.occurred().is_empty(), "nothing has changed for a minute");
    world.suspend(id).unwrap();
    assert_eq!(read(&mut world, id)["saasSubscriptionStatus"], "Subscribed");
    assert_eq!(count(&world, way::LATE_GET), 1);
    world.advance(MINUTE / 2);
    get(&mut world, LIST);
    assert_eq!(count(&world, way::LIST_BEHIND_GET), 1);
}

#[test]
fn f_opg_5_operations_that_get_operation_does_not_know_are_counted() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    world.settings_mut().behaviour.operation_delay = MINUTE;
    world.settings_mut().behaviour.keeps_changes_only = true;
    let notice = world.renew(id).unwrap();
    let change = world.change_plan(id, "gold").unwrap();
    assert_eq!(get(&mut world, &operation_path(id, change)).status, 404);
    assert_eq!(get(&mut world, &operation_path(id, notice)).status, 404);
    world.advance(MINUTE);
    assert_eq!(get(&mut world, &operation_path(id, change)).status, 200);
    assert_eq!(get(&mut world, &operation_path(id, notice)).status, 404);
    assert_eq!(count(&world, way::YOUNG_OPERATION), 1);
    assert_eq!(count(&world, way::NOTICE_WITHOUT_OPERATION), 2);
}

#[test]
fn resolve_may_show_an_earlier_state_or_the_first() {
    let mut world = world();
    world.settings_mut().behaviour.stale_resolve = Some(MINUTE);
    let id = world.purchase(Purchase::flat_rate("silver"));
    let token = world.purchase_token(id);
    let status = |world: &mut World| {
        let body = resolve(world, &token).body_json();
        body["subscription"]["saasSubscriptionStatus"].as_str().unwrap().to_owned()
    };
    activate(&mut world, id);
    assert_eq!(status(&mut world), "PendingFulfillmentStart");
    assert_eq!(count(&world, way::LATE_RESOLVE), 1);
    world.advance(MINUTE);
    assert_eq!(status(&mut world), "Subscribed");
    assert_eq!(count(&world, way::LATE_RESOLVE), 1);
}

#[test]
fn an_expired_purchase_token_is_counted() {
    let mut world = world();
    world.settings_mut().behaviour.purchase_token_lifetime = MINUTE;
    let id = world.purchase(Purchase::flat_rate("silver"));
    let token = world.purchase_token(id);
    assert_eq!(resolve(&mut world, &token).status, 200);
    world.advance(MINUTE);
    assert_eq!(resolve(&mut world, &token).status, 400);
    assert_eq!(count(&world, way::EXPIRED_PURCHASE_TOKEN), 1);
}

#[test]
fn a_subscription_may_be_active_before_the_reinstate_call() {
    let mut world = world();
    world.settings_mut().behaviour.reinstates_early = true;
    let id = active(&mut world, Purchase::flat_rate("silver"));
    world.suspend(id).unwrap();
    answer_webhooks(&mut world, Some(200));
    let operation = world.reinstate(id).unwrap();
    assert_eq!(world.subscription(id).status, "Subscribed");
    assert_eq!(world.operation(operation).status, "InProgress");
    assert_eq!(count(&world, way::EARLY_REINSTATEMENT), 1);
    let versions = world.history(id).count();
    answer_webhooks(&mut world, Some(200));
    assert_eq!(world.operation(operation).status, "Succeeded");
    assert_eq!(world.history(id).count(), versions, "it is active already");
}

#[test]
fn f_wha_11_a_reinstatement_may_obey_failure() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    world.suspend(id).unwrap();
    let operation = world.reinstate(id).unwrap();
    acknowledge(&mut world, id, operation, "Failure");
    assert_eq!(world.operation(operation).status, "InProgress");
    world.settings_mut().behaviour.reinstate_obeys_failure = true;
    acknowledge(&mut world, id, operation, "Failure");
    assert_eq!(world.operation(operation).status, "Failed");
    assert_eq!(world.subscription(id).status, "Suspended");
    assert_eq!(count(&world, way::REFUSED_REINSTATEMENT), 1);
}

#[test]
fn f_wha_12_an_ignored_failure_is_counted() {
    let mut world = world();
    world.settings_mut().behaviour.failure_is_ignored = true;
    let id = active(&mut world, Purchase::flat_rate("silver"));
    let operation = world.change_plan(id, "gold").unwrap();
    assert_eq!(acknowledge(&mut world, id, operation, "Failure").status, 200);
    assert_eq!(world.operation(operation).status, "InProgress");
    assert_eq!(count(&world, way::IGNORED_FAILURE), 1);
}

#[test]
fn f_op_2_a_change_to_the_value_in_force_may_end_in_conflict() {
    let mut world = world();
    world.settings_mut().behaviour.conflict_in_force = true;
    let id = active(&mut world, Purchase::flat_rate("silver"));
    let refused = world.change_plan(id, "gold").unwrap();
    acknowledge(&mut world, id, refused, "Failure");
    let revert = world.revert(id).unwrap();
    acknowledge(&mut world, id, revert, "Success");
    assert_eq!(world.operation(revert).status, "Conflict");
    assert_eq!(count(&world, way::CONFLICT), 1);
    let change = world.change_plan(id, "gold").unwrap();
    acknowledge(&mut world, id, change, "Success");
    assert_eq!(world.operation(change).status, "Succeeded");
}

#[test]
fn f_opl_3_a_waiting_operation_may_be_listed_late() {
    let mut world = world();
    world.settings_mut().behaviour.operation_list_delay = MINUTE;
    let id = active(&mut world, Purchase::flat_rate("silver"));
    world.change_plan(id, "gold").unwrap();
    let path = format!("{}/operations", subscription_path(id));
    assert_eq!(get(&mut world, &path).body_json(), json!({}));
    assert_eq!(count(&world, way::UNLISTED_OPERATION), 1);
    world.advance(MINUTE);
    assert_eq!(get(&mut world, &path).body_json()["operations"].as_array().unwrap().len(), 1);
    assert_eq!(count(&world, way::UNLISTED_OPERATION), 1);
}

#[test]
fn f_chp_6_a_publishers_change_may_start_late() {
    let mut world = world();
    world.settings_mut().behaviour.operation_start_delay = MINUTE;
    let id = active(&mut world, Purchase::flat_rate("silver"));
    call(&mut world, Method::PATCH, &subscription_path(id), Some(json!({ "planId": "gold" })));
    let operation = *world.operations(id).last().unwrap();
    get(&mut world, &operation_path(id, operation));
    assert_eq!(world.operation(operation).status, "NotStarted");
    assert_eq!(count(&world, way::LATE_START), 0);
    world.advance(MINUTE);
    assert_eq!(world.operation(operation).status, "InProgress");
    assert_eq!(count(&world, way::LATE_START), 1);
}

#[test]
fn the_activation_of_every_second_purchase_may_fail_after_its_200() {
    let mut world = world();
    world.settings_mut().behaviour.activation_fails_every = NonZeroUsize::new(2);
    let statuses: Vec<_> = (0..4)
        .map(|_| {
            let id = active(&mut world, Purchase::flat_rate("silver"));
            world.subscription(id).status
        })
        .collect();
    assert_eq!(statuses, ["Subscribed", "Unsubscribed", "Subscribed", "Unsubscribed"]);
    let bodies = answer_webhooks(&mut world, Some(200));
    assert!(bodies.iter().all(|body| body["action"] == "Unsubscribe"));
    assert_eq!((bodies.len(), count(&world, way::FAILED_ACTIVATION)), (2, 2));
}

#[test]
fn a_purchase_that_activates_itself_never_fails_to() {
    let mut world = world();
    world.settings_mut().behaviour.activation_fails_every = NonZeroUsize::new(1);
    let id = world.purchase(Purchase::flat_rate("auto"));
    assert_eq!(world.subscription(id).status, "Subscribed");
}

#[test]
fn terms_that_the_clock_renews_and_ends_are_counted() {
    let mut world = world();
    world.settings_mut().behaviour.auto_renew_by_clock = Some(true);
    active(&mut world, Purchase::flat_rate("silver"));
    let ending = active(&mut world, Purchase::flat_rate("silver"));
    world.toggle_auto_renew(ending).unwrap();
    world.advance(32 * DAY);
    assert_eq!(count(&world, way::RENEWED_BY_CLOCK), 1);
    assert_eq!(count(&world, way::ENDED_BY_CLOCK), 1);
}

#[test]
fn f_whp_6_very_old_bodies_are_counted() {
    let mut world = world();
    world.settings_mut().behaviour.webhook_form = WebhookForm::VeryOld;
    let id = active(&mut world, Purchase::flat_rate("silver"));
    world.suspend(id).unwrap();
    let bodies = answer_webhooks(&mut world, Some(200));
    assert_eq!(bodies, [json!({ "subscriptionId": id, "operationType": "Suspend" })]);
    assert_eq!(count(&world, way::VERY_OLD_BODY), 1);
}

#[test]
fn f_wha_9_a_notice_of_any_action_may_come_beside_a_renewal() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    for (word, unknown) in [("Subscribe", 0), ("Transfer", 1)] {
        world.settings_mut().oddities.notice_beside_renewal = Some(word.to_owned());
        world.renew(id).unwrap();
        let bodies = answer_webhooks(&mut world, Some(200));
        let actions: Vec<_> = bodies.iter().map(|body| body["action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["Renew", word]);
        assert_eq!(count(&world, way::UNKNOWN_ACTION), unknown);
    }
}

#[test]
fn an_access_token_of_an_unusual_lifetime_is_counted() {
    let mut world = world();
    let issue = |world: &mut World| {
        let settings = world.settings().clone();
        let scope = format!("{}/.default", settings.marketplace_app_id);
        let path = format!("/{}/oauth2/v2.0/token", settings.tenant_id);
        let request = ApiRequest::new(Method::POST, &path).with_form(&[
            ("grant_type", "client_credentials"),
            ("client_id", &settings.client_id),
            ("client_secret", &settings.client_secret),
            ("scope", &scope),
        ]);
        let answer = world.entra_call(&request);
        answer.reply().unwrap().body_json()["expires_in"].clone()
    };
    assert_eq!(issue(&mut world), 3600);
    assert_eq!(count(&world, way::ODD_TOKEN_LIFETIME), 0);
    world.entra().set_token_lifetime(4 * MINUTE);
    assert_eq!(issue(&mut world), 240);
    assert_eq!(count(&world, way::ODD_TOKEN_LIFETIME), 1);
}

#[test]
fn every_way_has_another_name() {
    let names: std::collections::BTreeSet<_> = way::ALL.iter().collect();
    assert_eq!(names.len(), way::ALL.len());
}
