//! Terms, seats, details, and fields that an observation leaves out (F-OBJ).

use super::*;

fn term(start: Option<&str>, end: Option<&str>) -> Value {
    json!({ "term": { "termUnit": "P1M", "startDate": start, "endDate": end } })
}

/// The events of an active monthly subscription (4 March to 3 April) when it shows these dates.
fn after_dates(start: &str, end: &str) -> Vec<&'static str> {
    events(&record("Subscribed"), with(copy("Subscribed"), term(Some(start), Some(end))))
}

#[test]
fn a_term_that_follows_the_previous_one_is_a_renewal_as_f_lc_7_says() {
    // Renewal happens on the day after the last valid one (F-OBJ-6).
    assert_eq!(after_dates("2026-04-04", "2026-05-03"), ["Renewed"]);
    assert_eq!(after_dates("2026-04-03", "2026-05-03"), ["Renewed"], "end and start on one day");
    assert_eq!(
        after_dates("2026-06-04", "2026-07-03"),
        ["Renewed"],
        "missed renewals count as one"
    );
}

#[test]
fn dates_moved_inside_the_term_are_a_correction() {
    assert_eq!(after_dates("2026-03-04", "2026-04-30"), ["DetailsChanged"], "a later end");
    assert_eq!(after_dates("2026-03-01", "2026-04-03"), ["DetailsChanged"], "an earlier start");
    assert_eq!(after_dates("2026-03-05", "2026-04-04"), ["DetailsChanged"], "a day later");
    assert_eq!(after_dates("2026-02-04", "2026-03-03"), ["DetailsChanged"], "a term before");
}

#[test]
fn a_later_end_of_a_term_that_began_the_same_day_is_a_correction() {
    let a_day = with(copy("Subscribed"), term(Some("2026-03-04"), Some("2026-03-04")));
    let a_month = with(copy("Subscribed"), term(Some("2026-03-04"), Some("2026-04-03")));
    assert_eq!(events(&record_of(a_day), a_month), ["DetailsChanged"]);
}

#[test]
fn the_first_dates_of_an_active_subscription_are_no_renewal() {
    let undated = record_of(with(copy("Subscribed"), json!({ "term": { "termUnit": "P1M" } })));
    assert_eq!(events(&undated, copy("Subscribed")), ["DetailsChanged"]);
}

#[test]
fn a_plan_change_that_restarts_the_term_is_no_renewal() {
    let restarted = with(
        with(copy("Subscribed"), term(Some("2026-03-20"), Some("2026-04-19"))),
        json!({ "planId": "gold" }),
    );
    let seen = events(&record("Subscribed"), restarted);
    assert_eq!(seen[0], "PlanChanged");
    assert!(!seen.contains(&"Renewed"), "{seen:?}");
}

#[test]
fn a_renewal_moves_the_dates_of_the_record() {
    let renewed = with(copy("Subscribed"), term(Some("2026-04-04"), Some("2026-05-03")));
    let record = change(decide(Some(&record("Subscribed")), renewed, later())).record;
    let term = record.subscription.term;
    assert_eq!(term.start_date, Some(time("2026-04-04T00:00:00Z")));
    assert_eq!(term.end_date, Some(time("2026-05-03T00:00:00Z")));
}

#[test]
fn missing_seats_mean_a_flat_rate_except_after_the_end_as_f_obj_5_says() {
    let without = |status| {
        decide(
            Some(&record(status)),
            json!({ "id": ID, "planId": "silver", "quantity": null }),
            later(),
        )
    };
    for status in ["Subscribed", "Suspended", "PendingFulfillmentStart"] {
        assert_eq!(names(&change(without(status))), ["QuantityChanged"], "{status}");
    }
    assert_eq!(without("Unsubscribed"), Decision::Unchanged);
}

#[test]
fn a_quantity_of_zero_is_none() {
    let flat = change(decide(None, with(copy("Subscribed"), json!({ "quantity": 0 })), noon()));
    assert_eq!(flat.record.subscription.quantity, None);
    for quantity in [json!(0), json!("0"), json!(null)] {
        let again = with(copy("Subscribed"), json!({ "quantity": quantity }));
        assert_eq!(decide(Some(&flat.record), again, later()), Decision::Unchanged, "{quantity}");
    }
}

#[test]
fn a_purchase_that_changes_hands_keeps_nothing_of_its_former_owner() {
    let [contoso, northwind] = [7, 8].map(Uuid::from_u128);
    let [adele, bruno] = [1, 2].map(Uuid::from_u128);
    let owned = |party: Value| with(copy("Subscribed"), json!({ "beneficiary": party }));
    let first = owned(json!({
        "tenantId": contoso, "objectId": adele, "emailId": "a@contoso.example", "puid": "1",
    }));
    let known = change(decide(None, first, noon())).record;
    let owner =
        |party| change(decide(Some(&known), owned(party), later())).record.subscription.beneficiary;
    let of_another_tenant = owner(json!({ "tenantId": northwind }));
    assert_eq!(of_another_tenant, Party { tenant_id: Some(northwind), ..Party::default() });
    let colleague = owner(json!({ "objectId": bruno }));
    let expected = Party { tenant_id: Some(contoso), object_id: Some(bruno), ..Party::default() };
    assert_eq!(colleague, expected);
}

#[test]
fn a_trial_that_is_no_longer_mentioned_is_over_as_f_obj_10_says() {
    let trial = change(decide(
        Some(&record("Subscribed")),
        json!({ "id": ID, "isFreeTrial": true }),
        later(),
    ));
    assert!(trial.record.subscription.is_free_trial);
    let paid = change(decide(Some(&trial.record), json!({ "id": ID }), later()));
    assert!(!paid.record.subscription.is_free_trial);
}

#[test]
fn a_test_purchase_that_is_no_longer_mentioned_stays_one() {
    let test = change(decide(None, with(copy("Subscribed"), json!({ "isTest": true })), noon()));
    assert_eq!(names(&test), ["Purchased", "Activated"], "F-OBJ-12: it decides nothing");
    assert!(test.record.subscription.is_test);
    assert_eq!(decide(Some(&test.record), json!({ "id": ID }), later()), Decision::Unchanged);
    let real = change(decide(Some(&test.record), json!({ "isTest": false }), later()));
    assert!(!real.record.subscription.is_test);
}

#[test]
fn fields_missing_from_an_observation_stay_unchanged() {
    for status in ["Subscribed", "Suspended", "Unsubscribed", "PendingFulfillmentStart"] {
        let record = record(status);
        for sparse in [
            json!({}),
            json!({ "id": ID }),
            json!({ "id": ID, "saasSubscriptionStatus": status }),
            json!({ "id": ID, "saasSubscriptionStatus": format!(" {status} "), "planId": null }),
            json!({ "quantity": "" }),
            json!({ "term": null, "beneficiary": null, "purchaser": {}, "name": "" }),
            json!({ "term": { "termUnit": "P1M", "startDate": null } }),
            json!({ "term": { "startDate": "0001-01-01T00:00:00" } }),
            json!({ "created": "0001-01-01T00:00:00", "lastModified": "0001-01-01T00:00:00" }),
            json!({ "beneficiary": { "emailId": "", "puid": null, "CLIENT-IP": null } }),
            json!({ "sessionMode": "DryRun", "sandboxType": "Csp", "tags": null }),
        ] {
            let decision = decide(Some(&record), sparse.clone(), later());
            assert_eq!(decision, Decision::Unchanged, "{status}: {sparse}");
        }
    }
}

#[test]
fn an_ended_subscription_keeps_its_seats_in_the_record() {
    // F-OBJ-5: an Unsubscribed subscription may lose its quantity.
    let ended = with(copy("Unsubscribed"), json!({ "quantity": null }));
    let change = change(decide(Some(&record("Subscribed")), ended, later()));
    assert_eq!(names(&change), ["Unsubscribed"]);
    assert_eq!(change.record.subscription.quantity, Some(10));
    assert!(change.record.subscription.term.start_date.is_some(), "its dates are kept too");
}

#[test]
fn a_plan_change_drops_seats_on_flat_rate_and_adds_them_on_per_seat_plans() {
    let flat = with(copy("Subscribed"), json!({ "planId": "flat", "quantity": null }));
    let to_flat = change(decide(Some(&record("Subscribed")), flat.clone(), later()));
    assert_eq!(names(&to_flat), ["PlanChanged", "QuantityChanged"]);
    let gone = EventKind::QuantityChanged { from: Some(10), to: None };
    assert_eq!(to_flat.events[1].kind, gone, "a flat-rate plan has none (F-OBJ-5)");
    let back = change(decide(Some(&record_of(flat)), copy("Subscribed"), later()));
    assert_eq!(back.events[1].kind, EventKind::QuantityChanged { from: None, to: Some(10) });
}

#[test]
fn changes_of_other_fields_are_recorded_as_details_changed() {
    for edited in [
        json!({ "name": "Contoso Ltd" }),
        json!({ "autoRenew": false }),
        json!({ "isFreeTrial": true }),
        json!({ "isTest": true }),
        json!({ "allowedCustomerOperations": ["Read"] }),
        json!({ "beneficiary": { "emailId": "b@contoso.example" } }),
        json!({ "term": { "termUnit": "PAY" } }),
        json!({ "term": { "chargeDuration": "P1M" } }),
    ] {
        let seen = events(&record("Subscribed"), with(copy("Subscribed"), edited.clone()));
        assert_eq!(seen, ["DetailsChanged"], "{edited}");
    }
    let reordered = json!({ "allowedCustomerOperations": ["Read", "Delete", "Update"] });
    let seen = events(&record("Subscribed"), with(copy("Subscribed"), reordered));
    assert_eq!(seen, [""; 0], "the order does not matter (F-OBJ-11)");
}

#[test]
fn a_first_observation_needs_id_offer_plan_and_status() {
    for missing in ["id", "offerId", "planId", "saasSubscriptionStatus"] {
        let mut incomplete = copy("Subscribed");
        incomplete[missing] = Value::Null;
        let refused = observe(None, &observation(incomplete), &cause(), noon());
        assert_eq!(refused, Err(IncompleteObservation(missing)));
    }
    // Everything else may be missing (F-GEN-10).
    let bare = json!({
        "id": ID, "offerId": "offer", "planId": "silver", "saasSubscriptionStatus": "Subscribed",
    });
    assert_eq!(names(&change(decide(None, bare, noon()))), ["Purchased", "Activated"]);
}
