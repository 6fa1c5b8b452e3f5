//! The permission to read the key that signs questions to the publisher's product.

use runtime::Template;
use runtime::template::{elements, scalar};
use serde_yaml_ng::Value;

/// The permissions of a role that depend on the condition `HasDecisionKey`.
fn with_decision_key(role: &str) -> Vec<(String, String)> {
    let template = Template::read();
    let policies = template.resource(&[role, "Properties", "Policies"]);
    let statements = elements(policies)
        .flat_map(|policy| elements(&policy["PolicyDocument"]["Statement"]))
        .filter_map(|statement| match statement {
            Value::Tagged(tagged) if tagged.tag == "If" => Some(&tagged.value),
            _ => None,
        });
    let keyed = statements.filter(|choice| choice[0] == "HasDecisionKey").map(|choice| &choice[1]);
    keyed
        .map(|statement| {
            assert_eq!(statement["Effect"], "Allow");
            let text = |name: &str| scalar(&statement[name]).expect("one action, one resource");
            (text("Action"), text("Resource"))
        })
        .collect()
}

#[test]
fn only_functions_that_decide_about_changes_may_read_the_decision_key() {
    let read_key = ("secretsmanager:GetSecretValue".to_owned(), "DecisionSigningKeyArn".to_owned());
    for role in ["WebhookRole", "ReconciliationRole", "LandingRole"] {
        assert_eq!(with_decision_key(role), std::slice::from_ref(&read_key), "{role}");
    }
    for role in ["ActivationRole", "ManagementRole", "DeliveryRole"] {
        assert_eq!(with_decision_key(role), [], "{role}");
    }
}
