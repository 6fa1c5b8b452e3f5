//! Unusual words, ids and values in answers and calls.

use super::*;

#[test]
fn unknown_words_replace_the_usual_ones() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    let operation = world.change_plan(id, "gold").unwrap();
    let oddities = &mut world.settings_mut().oddities;
    oddities.operation_words = [("InProgress".to_owned(), "Queued".to_owned())].into();
    oddities.term_unit = Some("PAY".to_owned());
    let status = |world: &mut World| {
        get(world, &operation_path(id, operation)).body_json()["status"].clone()
    };
    assert_eq!(status(&mut world), "Queued");
    assert_eq!(count(&world, way::UNKNOWN_OPERATION_STATUS), 1);
    acknowledge(&mut world, id, operation, "Success");
    assert_eq!(status(&mut world), "Succeeded");
    assert_eq!(count(&world, way::UNKNOWN_OPERATION_STATUS), 1);
    assert_eq!(read(&mut world, id)["term"]["termUnit"], "PAY");
    assert_eq!(count(&world, way::UNKNOWN_TERM_UNIT), 1);
    world.settings_mut().oddities.subscription_status = Some("Paused".to_owned());
    assert_eq!(read(&mut world, id)["saasSubscriptionStatus"], "Paused");
    assert_eq!(count(&world, way::UNKNOWN_STATUS), 1);
}

#[test]
fn an_operations_id_that_is_no_guid_is_counted() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    world.settings_mut().oddities.operation_id_prefix = "change-".to_owned();
    let operation = world.change_plan(id, "gold").unwrap();
    let path = format!("{}/operations/change-{operation}", subscription_path(id));
    assert_eq!(get(&mut world, &path).body_json()["id"], format!("change-{operation}"));
    assert_eq!(count(&world, way::ODD_OPERATION_ID), 1);
}

#[test]
fn f_obj_6_an_active_subscription_may_have_no_dates() {
    let mut world = world();
    world.settings_mut().oddities.missing_dates = true;
    let id = active(&mut world, Purchase::flat_rate("silver"));
    assert_eq!(read(&mut world, id)["term"], json!({ "termUnit": "P1M" }));
    assert_eq!(count(&world, way::MISSING_DATES), 1);
    world.suspend(id).unwrap();
    assert!(read(&mut world, id)["term"]["endDate"].is_string());
    assert_eq!(count(&world, way::MISSING_DATES), 1);
}

#[test]
fn f_obj_5_a_flat_rate_may_have_an_odd_quantity() {
    let mut world = world();
    let flat = world.purchase(Purchase::flat_rate("silver"));
    let seats = world.purchase(Purchase::per_seat("basic", 5));
    for (form, quantity) in [
        (FlatQuantity::Zero, json!(0)),
        (FlatQuantity::EmptyText, json!("")),
        (FlatQuantity::Null, Value::Null),
    ] {
        world.settings_mut().oddities.flat_quantity = form;
        assert_eq!(read(&mut world, flat).get("quantity"), Some(&quantity));
        assert_eq!(read(&mut world, seats)["quantity"], 5);
    }
    assert_eq!(count(&world, way::ODD_QUANTITY), 3);
}

#[test]
fn f_pln_8_the_current_plan_may_be_missing_among_the_plans() {
    let mut world = world();
    world.settings_mut().behaviour.missing_plan = true;
    let id = world.purchase(Purchase::per_seat("basic", 5));
    let body = get(&mut world, &format!("{}/listAvailablePlans", subscription_path(id)));
    let plans = body.body_json()["plans"].as_array().unwrap().clone();
    assert_eq!((plans.len(), &plans[0]["planId"]), (1, &json!("team")));
    assert_eq!(count(&world, way::MISSING_PLAN), 1);
}
