//! Updates: nothing invokes a published version of a function, so all that a deployment changes serves
//! at once.

use runtime::deployment::{required, template, tested, values};
use saasctl::template::Stack;
use serde_json::Value;

/// SAM publishes a version for these. With `AutoPublishAlias`, it publishes one for new code only, and
/// what calls the alias would go on with the former parameters.
const PUBLISHING: [&str; 4] =
    ["AutoPublishAlias", "AutoPublishCodeSha256", "DeploymentPreference", "VersionDescription"];

/// The resources that publish versions or point at them.
pub(crate) fn published(stack: &Stack) -> Vec<&str> {
    let is_published = |resource: &Value| {
        let kind = resource["Type"].as_str().unwrap_or_default();
        let properties = &resource["Properties"];
        ["AWS::Lambda::Alias", "AWS::Lambda::Version"].contains(&kind)
            || PUBLISHING.iter().any(|property| !properties[property].is_null())
    };
    stack.resources().filter(|(_, resource)| is_published(resource)).map(|(id, _)| id).collect()
}

#[test]
fn no_alias_keeps_a_changed_parameter_from_what_serves() {
    assert_eq!(published(&tested()), [""; 0]);
    let mut parameters = required();
    let bus = "arn:aws:events:eu-north-1:123456789012:event-bus/b";
    parameters.extend(values(&[("DeliveryEventBusArn", bus), ("LogLevel", "debug")]));
    let stack = template().deploy(&parameters).expect("the template deploys");
    assert_eq!(stack.functions().len(), 6);
    for function in stack.functions() {
        assert_eq!(stack.environment(&function)["LOG_LEVEL"], "debug", "{function}");
    }
    let slice = &stack.properties("ReconciliationRun")["Definition"]["States"]["Slice"];
    assert_eq!(slice["Parameters"]["FunctionName"], "<ReconciliationFunction.Arn>");
}
