//! The rules of `CHANGE_RULES`.

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
            principal: None,
        }) => reason,
        other => panic!("{asked}: {other:?}"),
    }
}

/// The rules allow the change even under a rejecting policy. The product can still reject it.
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
fn only_listed_target_plans_are_allowed() {
    let record = record(json!(20));
    allows(&ladder(), &record, &plan("gold", json!(20)));
    assert!(forbids(&ladder(), &record, &plan("platinum", json!(20))).contains("platinum"));
}

#[test]
fn a_downgrade_is_rejected_even_to_an_allowed_plan() {
    let reason = forbids(&ladder(), &record(json!(20)), &plan("bronze", json!(20)));
    assert!(reason.contains("downgrade"), "{reason}");
}

#[test]
fn a_plan_order_allows_upgrades_and_ignores_unlisted_plans() {
    let order = rules(json!({ "offer": { "noDowngrades": ["bronze", "silver", "gold"] } }));
    let record = record(json!(null));
    allows(&order, &record, &plan("gold", json!(null)));
    forbids(&order, &record, &plan("bronze", json!(null)));
    says_nothing(&order, &record, &plan("trial", json!(null)));
}

#[test]
fn seats_must_stay_within_the_limits_of_the_plan_in_force() {
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
fn seats_kept_through_a_plan_change_must_fit_the_new_plan() {
    assert!(forbids(&ladder(), &record(json!(19)), &plan("gold", json!(19))).contains("20"));
    // An operation without a quantity keeps the seats.
    forbids(&ladder(), &record(json!(19)), &plan("gold", json!(null)));
    allows(&ladder(), &record(json!(19)), &plan("gold", json!(20)));
    // Seats that fit do not make the rules allow the plan.
    let limits = rules(json!({ "offer": { "plans": { "gold": { "maxSeats": 100 } } } }));
    says_nothing(&limits, &record(json!(20)), &plan("gold", json!(20)));
}

#[test]
fn an_offer_without_rules_of_its_own_uses_the_wildcard_rules() {
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
fn rules_ignore_incomplete_changes_own_changes_and_reverts() {
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
fn malformed_rules_are_refused_by_position_only() {
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
