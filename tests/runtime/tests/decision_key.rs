//! Whoever asks the publisher's product may read the key that the question is signed with, and only where
//! there is one.

use runtime::Template;
use runtime::template::{elements, scalar};
use serde_yaml_ng::Value;

/// What the role permits on condition that a key is named.
fn with_a_key(role: &str) -> Vec<(String, String)> {
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
fn whoever_decides_about_changes_may_read_the_key_of_the_questions_and_nothing_more() {
    let may = ("secretsmanager:GetSecretValue".to_owned(), "DecisionSigningKeyArn".to_owned());
    for role in ["WebhookRole", "ReconciliationRole"] {
        assert_eq!(with_a_key(role), std::slice::from_ref(&may), "{role}");
    }
    for role in ["LandingRole", "ActivationRole", "ManagementRole", "DeliveryRole"] {
        assert_eq!(with_a_key(role), [], "{role}");
    }
}
