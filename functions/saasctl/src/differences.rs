//! What differs between two states of a subscription.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::printable::printable;
use crate::table::text;

/// Each member that differs, as `quantity 10 → 12`. A member of an object is named with it:
/// `beneficiary.emailId`.
pub(crate) fn differences(before: &Value, after: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect("", before, after, &mut found);
    found
}

fn collect(name: &str, before: &Value, after: &Value, found: &mut Vec<String>) {
    if before == after {
        return;
    }
    if !before.is_object() && !after.is_object() {
        found.push(format!("{} {} → {}", printable(name), value(before), value(after)));
        return;
    }
    let members = [before, after].into_iter().filter_map(Value::as_object);
    let names: BTreeSet<&String> = members.flat_map(|members| members.keys()).collect();
    for member in names {
        let full = if name.is_empty() { member.clone() } else { format!("{name}.{member}") };
        collect(&full, &before[member], &after[member], found);
    }
}

fn value(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Array(values) if values.is_empty() => "none".to_owned(),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(", "),
        value => text(value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_member_that_differs_is_named_with_both_values() {
        let before = json!({
            "id": "a", "name": "Contoso", "autoRenew": true, "quantity": 10,
            "beneficiary": { "emailId": "adele@contoso.example", "tenantId": "t" },
            "allowedCustomerOperations": ["Read", "Update"],
        });
        let after = json!({
            "id": "a", "name": "Con\u{1b}[2Jtoso", "autoRenew": false, "quantity": 10,
            "beneficiary": { "emailId": "anna@contoso.example", "tenantId": "t" },
            "allowedCustomerOperations": ["Read"], "term": { "endDate": "2026-04-03" },
        });
        assert_eq!(
            differences(&before, &after),
            [
                "allowedCustomerOperations Read, Update → Read",
                "autoRenew true → false",
                "beneficiary.emailId adele@contoso.example → anna@contoso.example",
                "name Contoso → Con[2Jtoso",
                "term.endDate none → 2026-04-03",
            ]
        );
        assert_eq!(differences(&after, &after), [""; 0]);
    }
}
