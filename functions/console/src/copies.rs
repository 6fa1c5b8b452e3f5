//! Two copies of a subscription, field by field: ours and Microsoft's, or before and after an event.

use std::collections::BTreeMap;

use serde_json::Value;
use shared::domain::Subscription;

/// A field, by Microsoft's name for it. A copy without it has an empty value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) field: String,
    pub(crate) left: String,
    pub(crate) right: String,
}

impl Row {
    pub(crate) fn differs(&self) -> bool {
        self.left != self.right
    }
}

/// Every field that one of the copies has.
pub(crate) fn rows(left: &Subscription, right: &Subscription) -> Vec<Row> {
    let (left, right) = (fields(left), fields(right));
    let mut names: Vec<_> = left.keys().chain(right.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let value = |copy: &BTreeMap<String, String>, name: &String| {
        copy.get(name).cloned().unwrap_or_default()
    };
    let row = |name: &String| Row {
        field: name.clone(),
        left: value(&left, name),
        right: value(&right, name),
    };
    names.into_iter().map(row).collect()
}

/// The fields in which they differ.
pub(crate) fn differences(before: &Subscription, after: &Subscription) -> Vec<Row> {
    rows(before, after).into_iter().filter(Row::differs).collect()
}

fn fields(subscription: &Subscription) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    flatten("", &serde_json::to_value(subscription).unwrap_or_default(), &mut fields);
    fields
}

fn flatten(name: &str, value: &Value, fields: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(members) => {
            for (member, value) in members {
                let dot = if name.is_empty() { "" } else { "." };
                flatten(&format!("{name}{dot}{member}"), value, fields);
            }
        }
        Value::Null => {}
        Value::String(text) => {
            fields.insert(name.to_owned(), text.clone());
        }
        Value::Array(items) => {
            let items = items
                .iter()
                .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned));
            fields.insert(name.to_owned(), items.collect::<Vec<_>>().join(", "));
        }
        Value::Bool(_) | Value::Number(_) => {
            fields.insert(name.to_owned(), value.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn subscription(plan: &str, seats: Option<u64>) -> Subscription {
        let copy = json!({
            "id": "6f1d5a2e-0c57-4d0a-9a53-3b8c1e7f0a11", "offerId": "fleet", "planId": plan,
            "saasSubscriptionStatus": "Subscribed", "quantity": seats,
            "term": { "termUnit": "P1M" }, "allowedCustomerOperations": ["Read", "Update"],
        });
        serde_json::from_value(copy).expect("a subscription")
    }

    #[test]
    fn copies_differ_in_the_fields_that_one_has_otherwise_or_alone() {
        let (ours, theirs) = (subscription("silver", Some(5)), subscription("gold", None));
        let differing = differences(&ours, &theirs);
        let named = |row: &Row| (row.field.clone(), row.left.clone(), row.right.clone());
        let expected = [
            ("planId".to_owned(), "silver".to_owned(), "gold".to_owned()),
            ("quantity".to_owned(), "5".to_owned(), String::new()),
        ];
        assert_eq!(differing.iter().map(named).collect::<Vec<_>>(), expected);
        assert!(differences(&ours, &ours).is_empty());
        let all = rows(&ours, &theirs);
        let term = all.iter().find(|row| row.field == "term.termUnit").expect("the term");
        assert_eq!((term.left.as_str(), term.differs()), ("P1M", false));
        let allowed = all.iter().find(|row| row.field == "allowedCustomerOperations");
        assert_eq!(allowed.expect("operations").left, "Read, Update");
    }
}
