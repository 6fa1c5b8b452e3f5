//! Plans and their prices (F-PLN).

use super::*;

#[test]
fn t_11_plans_keep_their_prices_to_the_digit() {
    let body = r#"{"plans":[{"planId":"silver","displayName":"Silver","isPrivate":false,
        "minQuantity":5,"maxQuantity":"100","hasFreeTrials":false,"isPricePerSeat":true,
        "isStopSell":false,"market":"US","futureField":{"a":1},
        "planComponents":{
            "recurrentBillingTerms":[{"currency":"USD","price":0.10,"termUnit":"P1M",
                "meteredQuantityIncluded":[{"dimensionId":"dim1","units":"10"}]}],
            "meteringDimensions":[{"id":"dim1","currency":"USD",
                "pricePerUnit":12345678901234567890.123456789012345678,"unitOfMeasure":"piece"}]},
        "sourceOffers":[{"externalId":"8b1c2e3f-0000-4000-8000-000000000001"}]}]}"#;
    let page: PlanPage = parse_or_empty(body.as_bytes()).expect("plans");
    let plans = page.plans.expect("plans");
    assert_eq!(plans[0].plan_id.as_deref(), Some("silver"));
    assert_eq!((plans[0].min_quantity, plans[0].max_quantity), (Some(5), Some(100)));
    assert_eq!(plans[0].is_price_per_seat, Some(true));
    let passed_on = serde_json::to_string(&plans).expect("plans are JSON");
    // F-PLN-7: no binary floats, and units stay a string.
    for kept in [
        r#""price":0.10,"#,
        r#""pricePerUnit":12345678901234567890.123456789012345678"#,
        r#""units":"10""#,
        r#""externalId":"8b1c2e3f"#,
    ] {
        assert!(passed_on.contains(kept), "{kept} in {passed_on}");
    }
    assert_eq!(passed_on.matches("null").count(), 0, "absent members stay absent");
}

#[test]
fn t_11_the_list_of_plans_may_be_empty_and_fields_may_be_missing() {
    for empty in ["", "{}", r#"{"plans":null}"#, r#"{"plans":[]}"#] {
        let page: PlanPage = parse_or_empty(empty.as_bytes()).expect("no plans (F-PLN-5)");
        assert!(page.plans.unwrap_or_default().is_empty(), "{empty:?}");
    }
    let bare = r#"{"plans":[{"planId":" basic "},{},{"planId":"x","planComponents":null,
        "sourceOffers":null},{"planId":"y","planComponents":{"meteringDimensions":null}}]}"#;
    let page: PlanPage = parse_or_empty(bare.as_bytes()).expect("bare plans");
    let ids: Vec<_> = page.plans.expect("plans").into_iter().map(|plan| plan.plan_id).collect();
    assert_eq!(ids, [Some("basic".into()), None, Some("x".into()), Some("y".into())]);
}

#[test]
fn unreadable_parts_leave_the_readable_plans_intact() {
    let body = r#"{"plans":[{"planId":"a","planComponents":"later"},7,{"planId":"b",
        "planComponents":{"meteringDimensions":{},"recurrentBillingTerms":[{"price":0.10}]}},
        {"planId":"c","planComponents":{"meteringDimensions":[null,{"id":"calls"}]}},["d"]]}"#;
    let page: PlanPage = parse_or_empty(body.as_bytes()).expect("plans (F-GEN-10)");
    let plans = page.plans.expect("plans");
    let ids: Vec<_> = plans.iter().filter_map(|plan| plan.plan_id.as_deref()).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    let passed_on = serde_json::to_string(&plans).expect("plans are JSON");
    assert!(passed_on.contains(r#"[{"price":0.10}]"#), "{passed_on}");
    assert!(passed_on.contains(r#""meteringDimensions":[{"id":"calls"}]"#), "{passed_on}");
}

#[test]
fn the_last_of_two_members_with_one_name_counts_in_plan_components() {
    // F-GEN-14.
    let body = br#"{ "plans": [{ "planId": "gold", "minQuantity": 5, "planComponents": {
        "recurrentBillingTerms": [{ "price": 99.45 }],
        "meteringDimensions": [{ "id": "calls" }], "meteringDimensions": [{ "id": "emails" }]
    } }] }"#;
    let page: PlanPage = parse_or_empty(body).expect("plans");
    let plans = page.plans.expect("plans");
    let plan = &plans[0];
    assert_eq!((plan.plan_id.as_deref(), plan.min_quantity), (Some("gold"), Some(5)));
    let components = plan.plan_components.as_ref().expect("components");
    let dimensions = components.metering_dimensions.as_ref().expect("dimensions");
    let ids: Vec<_> = dimensions.iter().map(|dimension| dimension.id.as_deref()).collect();
    assert_eq!(ids, [Some("emails")]);
}
