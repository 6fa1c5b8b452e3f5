//! The JSON that Microsoft sends (sections 3 and 6.3), in its usual and its odd forms.

use crate::publisher::{active, answer_webhooks, get, resolve, subscription_path, world};
use emulator::{Oddities, Purchase, TokenVersion, WebhookForm};
use serde_json::{Value, json};

fn names(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[test]
fn a_read_has_the_documented_members_and_no_others() {
    let mut world = world();
    let id = active(&mut world, Purchase::per_seat("basic", 10).preview());
    let body = get(&mut world, &subscription_path(id)).body_json();
    let expected = [
        "allowedCustomerOperations",
        "autoRenew",
        "beneficiary",
        "created",
        "id",
        "isFreeTrial",
        "isTest",
        "lastModified",
        "name",
        "offerId",
        "planId",
        "publisherId",
        "purchaser",
        "quantity",
        "saasSubscriptionStatus",
        "sandboxType",
        "sessionMode",
        "term",
    ];
    assert_eq!(names(&body), expected);
    assert_eq!(body["offerId"], "per-seat-1-preview");
    assert_eq!(body["created"], "2026-03-04T09:15:00.1234567Z");
    assert_eq!(body["lastModified"], "0001-01-01T00:00:00");
    assert_eq!(names(&body["beneficiary"]), ["emailId", "objectId", "puid", "tenantId"]);
}

#[test]
fn a_flat_rate_has_no_quantity_on_reads_and_one_seat_in_webhooks() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    assert_eq!(get(&mut world, &subscription_path(id)).body_json().get("quantity"), None);
    let token = world.purchase_token(id);
    assert_eq!(resolve(&mut world, &token).body_json().get("quantity"), None);
    world.change_plan(id, "gold").unwrap();
    let body = answer_webhooks(&mut world, Some(200)).remove(0);
    assert_eq!((&body["quantity"], &body["subscription"]["quantity"]), (&json!(1), &Value::Null));
}

#[test]
fn a_change_has_the_new_value_on_top_and_the_old_one_in_the_snapshot() {
    let mut world = world();
    let id = active(&mut world, Purchase::per_seat("basic", 10));
    let operation = world.change_quantity(id, 20).unwrap();
    let body = answer_webhooks(&mut world, Some(200)).remove(0);
    assert_eq!(body["id"], json!(operation));
    assert_eq!((&body["quantity"], &body["subscription"]["quantity"]), (&json!(20), &json!(10)));
    assert_eq!(body["planId"], "basic");
    assert_eq!(body["purchaseToken"], Value::Null);
    assert_eq!(body["subscription"]["beneficiary"]["groupIds"], Value::Null);
    assert!(body["subscription"].get("fulfillmentId").is_some_and(Value::is_null));
    assert_eq!(body["subscription"]["lastModified"], "2026-03-04T09:15:00.1234567Z");
}

#[test]
fn a_resellers_purchase_has_two_parties_and_a_customer_who_may_only_read() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver").by_reseller());
    let body = get(&mut world, &subscription_path(id)).body_json();
    assert_ne!(body["purchaser"]["tenantId"], body["beneficiary"]["tenantId"]);
    assert_eq!(body["allowedCustomerOperations"], json!(["Read"]));
}

#[test]
fn sparse_and_very_old_webhooks_have_few_members() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    world.settings_mut().behaviour.webhook_form = WebhookForm::Sparse;
    world.change_plan(id, "gold").unwrap();
    let body = answer_webhooks(&mut world, Some(400)).remove(0);
    assert_eq!(
        names(&body),
        ["action", "activityId", "id", "operationRequestSource", "subscriptionId", "timeStamp"]
    );
    world.settings_mut().behaviour.webhook_form = WebhookForm::VeryOld;
    world.suspend(id).unwrap();
    let body = answer_webhooks(&mut world, Some(200)).remove(0);
    assert_eq!(body, json!({ "subscriptionId": id, "operationType": "Suspend" }));
}

#[test]
fn a_renewal_can_carry_the_old_term_or_the_new_one() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    world.renew(id).unwrap();
    let body = answer_webhooks(&mut world, Some(200)).remove(0);
    assert_eq!(body["subscription"]["term"]["startDate"], "2026-04-04T00:00:00Z");
    world.settings_mut().behaviour.renew_carries_old_term = true;
    world.renew(id).unwrap();
    let body = answer_webhooks(&mut world, Some(200)).remove(0);
    assert_eq!(body["subscription"]["term"]["startDate"], "2026-04-04T00:00:00Z");
    assert_eq!(world.subscription(id).term_start.unwrap().to_string(), "2026-05-04");
}

#[test]
fn oddities_change_only_the_json() {
    let mut world = world();
    let id = active(&mut world, Purchase::per_seat("basic", 25));
    world.settings_mut().oddities = Oddities {
        padded_strings: true,
        numbers_as_strings: true,
        extra_fields: true,
        null_person_ids: true,
        short_resolve: true,
        term_unit: Some("PAY".to_owned()),
        ..Oddities::default()
    };
    let body = get(&mut world, &subscription_path(id)).body_json();
    assert_eq!(body["saasSubscriptionStatus"], " Subscribed ");
    assert_eq!(body["quantity"], " 25");
    assert_eq!(body["beneficiary"]["puid"], Value::Null);
    assert_eq!(body["term"]["termUnit"], "PAY");
    assert!(body.get("futureSettings").is_some());
    let token = world.purchase_token(id);
    assert_eq!(resolve(&mut world, &token).body_json().get("subscription"), None);
    world.settings_mut().oddities =
        Oddities { subscription_status: Some("Hibernating".to_owned()), ..Oddities::default() };
    assert_eq!(
        get(&mut world, &subscription_path(id)).body_json()["saasSubscriptionStatus"],
        "Hibernating"
    );
    assert_eq!(world.subscription(id).status, "Subscribed");
}

#[test]
fn an_operation_names_no_seats_that_it_does_not_ask_for_if_the_settings_say_so() {
    let mut world = world();
    let id = active(&mut world, Purchase::per_seat("basic", 25));
    world.settings_mut().oddities.seats_only_if_requested = true;
    let operation = world.change_plan(id, "team").unwrap();
    let path = format!("{}/operations/{operation}", subscription_path(id));
    let body = get(&mut world, &path).body_json();
    assert_eq!((&body["planId"], body.get("quantity")), (&Value::from("team"), None));
    world.settings_mut().oddities.seats_only_if_requested = false;
    assert_eq!(get(&mut world, &path).body_json()["quantity"], 25);
}

#[test]
fn an_undocumented_action_is_sent_unchanged() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    world.queue_unknown_action(id, "Transfer").unwrap();
    let body = answer_webhooks(&mut world, Some(200)).remove(0);
    assert_eq!(body["action"], "Transfer");
}

#[test]
fn a_webhooks_token_has_the_chosen_version() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    let operation = world.suspend(id).unwrap();
    for (version, word) in [(TokenVersion::V1, "1.0"), (TokenVersion::V2, "2.0")] {
        world.settings_mut().behaviour.webhook_token = version;
        let (headers, _) = world.webhook_request(operation).unwrap();
        let token =
            headers["authorization"].to_str().unwrap().strip_prefix("Bearer ").unwrap().to_owned();
        assert_eq!(crate::entra::claims(&token)["ver"], word);
    }
    assert_eq!(world.deliveries().len(), 1, "webhook_request does not send it");
}
