//! Checks a deployment's parameters before it begins.
//!
//! CloudFormation checks each parameter and the rules. It deploys settings with which a function
//! can't start, such as broken JSON, and it notices in the middle of a deployment that a function's
//! settings are too long.

use std::sync::Arc;

use serde_json::json;
use shared::config::{
    Branding, CONSOLE_BASE_URL, DeliverySettings, Dependencies, LANDING_BASE_URL,
    ManagementSettings, alarms, credential_ends, transport,
};
use shared::host::clock::{Clock, SystemClock};
use shared::host::environment::{ConfigError, Environment};
use shared::publisher::approval::ChangeApproval;

use crate::template::{Template, Values, long_form, text};

/// The most bytes that Lambda takes as a function's settings, written as one JSON object:
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const MOST_BYTES: usize = 4096;

/// The parameters in a file, YAML or JSON: a value per name.
pub fn parameters(file: &str) -> Result<Values, String> {
    let yaml = serde_yaml_ng::from_str(file).map_err(|error| format!("is no YAML: {error}"))?;
    let parameters = long_form(&yaml);
    let parameters = parameters.as_object().ok_or("holds no parameters by name")?;
    let value = |(name, value): (&String, &serde_json::Value)| {
        let simple = text(value).ok_or_else(|| format!("gives {name} no simple value"))?;
        Ok((name.clone(), simple))
    };
    parameters.iter().map(value).collect()
}

/// What is wrong with a deployment; empty if nothing is. No line holds a value.
pub fn problems(template: &Template, parameters: &Values) -> Vec<String> {
    let stack = match template.deploy(parameters) {
        Ok(stack) => stack,
        Err(refused) => return vec![refused.to_string()],
    };
    let mut problems = Vec::new();
    for function in stack.functions() {
        let settings = with_names_that_aws_chooses(stack.environment(&function));
        let bytes = json!(settings).to_string().len();
        if bytes > MOST_BYTES {
            problems.push(format!(
                "the settings of {function} take {bytes} bytes of the {MOST_BYTES} that Lambda \
                 allows; the longest are {}",
                longest(&settings)
            ));
        }
        let environment = Environment::from_fn(move |name| match name {
            "AWS_REGION" | "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("set".to_owned()),
            name => settings.get(name).cloned(),
        });
        if let Err(error) = read_settings(&function, &environment) {
            problems.push(format!("{function} would not start: {error}"));
        }
    }
    problems
}

/// A name or an ARN that only the deployment gives, at about its usual length.
fn with_names_that_aws_chooses(mut settings: Values) -> Values {
    for value in settings.values_mut().filter(|value| value.starts_with('<')) {
        *value = format!("arn:aws:{value:-<100}");
    }
    settings
}

/// The three longest settings, as names with bytes.
fn longest(settings: &Values) -> String {
    let mut by_length: Vec<_> =
        settings.iter().map(|(name, value)| (json!(value).to_string().len(), name)).collect();
    by_length.sort_unstable();
    let three = by_length.iter().rev().take(3);
    three.map(|(bytes, name)| format!("{name} ({bytes})")).collect::<Vec<_>>().join(", ")
}

/// Reads what a function reads at its start.
fn read_settings(function: &str, environment: &Environment) -> Result<(), ConfigError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    if function == "delivery" {
        let transport = transport(&clock);
        return DeliverySettings::require(environment, &transport, clock).map(drop);
    }
    let dependencies = Dependencies::with_clock(environment, clock)?;
    match function {
        "landing" => {
            LANDING_BASE_URL.read_if_set(environment)?;
            Branding::read(environment)?;
            dependencies.microsoft.landing_app(environment)?;
            ChangeApproval::read(environment, &dependencies).map(drop)
        }
        "webhook" => ChangeApproval::read(environment, &dependencies).map(drop),
        "reconciliation" => {
            credential_ends(environment, &dependencies.transport)?;
            ChangeApproval::read(environment, &dependencies).map(drop)
        }
        "management" => ManagementSettings::read(environment, &dependencies).map(drop),
        "console" => {
            CONSOLE_BASE_URL.read_if_set(environment)?;
            dependencies.microsoft.console_app(environment)?;
            alarms(environment, &dependencies)?;
            ManagementSettings::read(environment, &dependencies).map(drop)
        }
        _ => Ok(()),
    }
}
