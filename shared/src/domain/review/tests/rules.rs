//! What `CHANGE_RULES` say.

use super::*;

fn rules(text: Value) -> ChangeRules {
    text.to_string().parse().expect("rules")
}

fn ladder() -> ChangeRules {
    rules(json!({
        "offer": {
            "noDowngrades": ["bronze", "silver", "gold"],
            "plans": {
                "silver": { "to": ["gold", "bronze"], "minSeats": 5, "maxSeats": 50 },
                "gold": { "minSeats": 20 },
            },
        },
        "*": { "plans": { "silver": { "to": [] } } },
    }))
}

fn plan(to: &str, quantity: Value) -> Value {
    json!({ "action": "ChangePlan", "planId": to, "quantity": quantity })
}

fn seats(to: u64) -> Value {
    json!({ "action": "ChangeQuantity", "planId": "silver", "quantity": to })
}

fn under(rules: &ChangeRules, record: &Record, asked: &Value, policy: ChangePolicy) -> Review {
    review(record, &operation(asked.clone()), rules, policy)
}

#[track_caller]
fn forbids(rules: &ChangeRules, record: &Record, asked: &Value) -> String {
    match under(rules, record, asked, ChangePolicy::Accept) {
        Review::Settled(Ruling {
            verdict: Verdict::Reject,
            by: DecidedBy::Rules,
            reason: Some(reason),
        }) => reason,
        other => panic!("{asked}: {other:?}"),
    }
}

/// Even where the policy rejects; and whoever is asked may still say no.
#[track_caller]
fn allows(rules: &ChangeRules, record: &Record, asked: &Value) {
    let review = under(rules, record, asked, ChangePolicy::Reject);
    assert_eq!(review, Review::Open(Ruling::accept(DecidedBy::Rules)), "{asked}");
}

#[track_caller]
fn says_nothing(rules: &ChangeRules, record: &Record, asked: &Value) {
    for policy in [ChangePolicy::Accept, ChangePolicy::Reject] {
        match under(rules, record, asked, policy) {
            Review::Open(ruling) => assert_eq!(ruling.by, DecidedBy::Policy, "{asked}"),
            settled => panic!("{asked}: {settled:?}"),
        }
    }
}

#[test]
fn a_plan_is_changed_to_those_it_may_be_changed_to() {
    let record = record(json!(20));
    allows(&ladder(), &record, &plan("gold", json!(20)));
    assert!(forbids(&ladder(), &record, &plan("platinum", json!(20))).contains("platinum"));
}

#[test]
fn a_downgrade_is_rejected_even_where_the_way_is_allowed() {
    let reason = forbids(&ladder(), &record(json!(20)), &plan("bronze", json!(20)));
    assert!(reason.contains("downgrade"), "{reason}");
}

#[test]
fn the_order_alone_allows_upgrades_and_says_nothing_about_plans_it_does_not_name() {
    let order = rules(json!({ "offer": { "noDowngrades": ["bronze", "silver", "gold"] } }));
    let record = record(json!(null));
    allows(&order, &record, &plan("gold", json!(null)));
    forbids(&order, &record, &plan("bronze", json!(null)));
    says_nothing(&order, &record, &plan("trial", json!(null)));
}

#[test]
fn seats_stay_within_the_limits_of_the_plan_in_force() {
    let record = record(json!(20));
    for within in [5, 6, 50] {
        allows(&ladder(), &record, &seats(within));
    }
    for beyond in [0, 4, 51] {
        let reason = forbids(&ladder(), &record, &seats(beyond));
        assert!(reason.contains(&beyond.to_string()), "{reason}");
    }
}

#[test]
fn seats_that_come_along_to_another_plan_must_fit_there_too() {
    assert!(forbids(&ladder(), &record(json!(19)), &plan("gold", json!(19))).contains("20"));
    // What the operation leaves out stays as it is.
    forbids(&ladder(), &record(json!(19)), &plan("gold", json!(null)));
    allows(&ladder(), &record(json!(19)), &plan("gold", json!(20)));
    // That the seats fit says nothing about the plan.
    let limits = rules(json!({ "offer": { "plans": { "gold": { "maxSeats": 100 } } } }));
    says_nothing(&limits, &record(json!(20)), &plan("gold", json!(20)));
}

#[test]
fn an_offer_has_its_own_rules_or_those_of_any() {
    let elsewhere = record_of("other", json!(20));
    forbids(&ladder(), &elsewhere, &plan("gold", json!(20)));
    says_nothing(&ladder(), &elsewhere, &seats(1000));
    // F-OBJ-2
    let preview = record_of("offer-preview", json!(20));
    allows(&ladder(), &preview, &plan("gold", json!(20)));
    let own = rules(json!({ "offer": { "noDowngrades": ["silver", "gold"] } }));
    says_nothing(&own, &elsewhere, &plan("gold", json!(20)));
}

#[test]
fn a_value_that_is_not_said_and_a_change_of_our_own_are_not_for_rules() {
    let record = record(json!(20));
    says_nothing(&ladder(), &record, &json!({ "action": "ChangePlan" }));
    says_nothing(&ladder(), &record, &json!({ "action": "ChangeQuantity" }));
    let mut own = seats(4);
    own["operationRequestSource"] = json!("Partner");
    let settled = under(&ladder(), &record, &own, ChangePolicy::Reject);
    assert_eq!(settled, Review::Settled(Ruling::accept(DecidedBy::Publisher)));
    let revert = under(&ladder(), &super::record(json!(4)), &seats(4), ChangePolicy::Reject);
    assert_eq!(revert, Review::Settled(Ruling::accept(DecidedBy::InForce)), "F-WHA-14");
}

#[test]
fn what_are_no_rules_is_refused_with_the_place_and_without_the_text() {
    let parse = |text: &str| text.parse::<ChangeRules>().expect_err(text);
    for text in ["", "zq", "{\"zq\": ", "{} zq"] {
        assert!(matches!(parse(text), RulesError::NotJson { .. }), "{text}");
    }
    for text in [
        r#"["zq"]"#,
        r#"{"zq": {"zq": 1}}"#,
        r#"{"zq": {"noDowngrades": "zq"}}"#,
        r#"{"zq": {"plans": {"zq": {"to": "zq"}}}}"#,
        r#"{"zq": {"plans": {"zq": {"minSeats": -1}}}}"#,
        r#"{"zq": {"plans": {"zq": {"seats": 1}}}}"#,
    ] {
        let error = parse(text);
        assert!(matches!(error, RulesError::Form { line: 1, .. }), "{text}: {error:?}");
        assert!(!error.to_string().contains("zq"), "{error}");
    }
    for order in [r#"["a"]"#, r#"["a", "b", "a"]"#] {
        assert_eq!(parse(&format!(r#"{{"zq": {{"noDowngrades": {order}}}}}"#)), RulesError::Order);
    }
    for list in [r#"{"zq": []}"#, r#"{"zq": {"plans": {"zq": [["zq"], 1, 2]}}}"#] {
        assert_eq!(parse(list), RulesError::List, "{list}");
    }
    let crossed = r#"{"zq": {"plans": {"zq": {"minSeats": 2, "maxSeats": 1}}}}"#;
    assert_eq!(parse(crossed), RulesError::Seats);
    let fixed =
        rules(json!({ "offer": { "plans": { "silver": { "minSeats": 7, "maxSeats": 7 } } } }));
    allows(&fixed, &record(json!(10)), &seats(7));
    assert_eq!("{}".parse(), Ok(ChangeRules::default()));
}
