//! What a run says about the subscriptions that differed: the changed fields, without personal data.

use serde_json::{Value, json};
use shared::domain::Subscription;
use shared::store::FieldChange;

/// Reasons for which a difference is left to the next run. Microsoft's answer may be older than the record.
pub(crate) const SETTLING: &str = "settling";
/// The slice's time was over.
pub(crate) const TIME: &str = "time";

/// Microsoft does not know the subscription, or not yet.
pub(crate) const UNLISTED: &str = "unlisted";

/// The longest text of a value, in characters. Microsoft's ids and words have 50 at the most.
const LONGEST_TEXT: usize = 100;

/// The fields that differ, in Microsoft's names. `None`: there was no record.
pub(crate) fn changes(before: Option<&Subscription>, after: &Subscription) -> Vec<FieldChange> {
    let (before, after) = (before.map(fields), fields(after));
    let mut changed = Vec::new();
    for (number, (field, to, is_shown)) in after.into_iter().enumerate() {
        let from = before.as_ref().map_or(&Value::Null, |before| &before[number].1);
        if *from == to {
            continue;
        }
        let shown = |value: &Value| if is_shown { shortened(value) } else { Value::Null };
        changed.push(FieldChange { field: field.to_owned(), from: shown(from), to: shown(&to) });
    }
    changed
}

/// Each field with its value, and whether the value is free of personal data.
fn fields(subscription: &Subscription) -> [(&'static str, Value, bool); 17] {
    let Subscription {
        id: _,
        publisher_id,
        offer_id,
        name,
        saas_subscription_status,
        plan_id,
        quantity,
        term,
        beneficiary,
        purchaser,
        auto_renew,
        is_free_trial,
        is_test,
        allowed_customer_operations,
        created,
    } = subscription;
    [
        ("saasSubscriptionStatus", json!(saas_subscription_status), true),
        ("planId", json!(plan_id), true),
        ("quantity", json!(quantity), true),
        ("term.termUnit", json!(term.term_unit), true),
        ("term.startDate", json!(term.start_date), true),
        ("term.endDate", json!(term.end_date), true),
        ("term.chargeDuration", json!(term.charge_duration), true),
        ("autoRenew", json!(auto_renew), true),
        ("isFreeTrial", json!(is_free_trial), true),
        ("isTest", json!(is_test), true),
        ("offerId", json!(offer_id), true),
        ("publisherId", json!(publisher_id), true),
        ("created", json!(created), true),
        // A buyer may have named it after a person.
        ("name", json!(name), false),
        ("beneficiary", json!(beneficiary), false),
        ("purchaser", json!(purchaser), false),
        ("allowedCustomerOperations", json!(allowed_customer_operations), true),
    ]
}

fn shortened(value: &Value) -> Value {
    match value {
        Value::String(text) if text.chars().count() > LONGEST_TEXT => {
            let short: String = text.chars().take(LONGEST_TEXT).collect();
            Value::String(short + "…")
        }
        value => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscription(more: &Value) -> Subscription {
        let mut value = json!({
            "id": "6f1d5a2e-0c57-4d0a-9a53-3b8c1e7f0a11", "offerId": "offer", "planId": "silver",
            "saasSubscriptionStatus": "Subscribed", "name": "Adele's",
            "beneficiary": { "emailId": "adele@contoso.example" },
        });
        for (name, member) in more.as_object().expect("an object") {
            value[name] = member.clone();
        }
        serde_json::from_value(value).expect("a subscription")
    }

    fn changed(before: Option<&Value>, after: &Value) -> Value {
        let before = before.map(subscription);
        json!(changes(before.as_ref(), &subscription(after)))
    }

    #[test]
    fn each_field_that_differs_is_named_with_both_values() {
        let after = json!({ "planId": "gold", "quantity": 7, "term": { "termUnit": "P1Y" } });
        let expected = json!([
            { "field": "planId", "from": "silver", "to": "gold" },
            { "field": "quantity", "to": 7 },
            { "field": "term.termUnit", "to": "P1Y" },
        ]);
        assert_eq!(changed(Some(&json!({})), &after), expected);
        assert_eq!(changed(Some(&after), &after), json!([]));
    }

    #[test]
    fn what_may_be_personal_is_named_without_its_value() {
        let after = json!({
            "name": "Berta's", "beneficiary": { "emailId": "berta@contoso.example" },
            "purchaser": { "emailId": "berta@contoso.example" },
        });
        let expected =
            json!([{ "field": "name" }, { "field": "beneficiary" }, { "field": "purchaser" }]);
        assert_eq!(changed(Some(&json!({})), &after), expected);
        let new = changed(None, &json!({})).to_string();
        assert!(new.contains("Subscribed") && !new.to_lowercase().contains("adele"), "{new}");
    }

    #[test]
    fn a_long_text_is_shortened() {
        let changed = changed(Some(&json!({})), &json!({ "planId": "é".repeat(5000) }));
        assert_eq!(changed[0]["to"].as_str().map(|text| text.chars().count()), Some(101));
    }
}
