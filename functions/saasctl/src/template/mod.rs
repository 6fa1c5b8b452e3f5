//! `template.yaml`, and what CloudFormation would make of it with given parameters.

mod circle;
mod grant;
mod long_form;
mod parameters;
mod refused;
mod scope;
mod stack;
#[cfg(test)]
mod tests;
mod value;

use serde_json::{Map, Value};

pub use grant::Grant;
pub use long_form::long_form;
pub use parameters::Values;
pub use refused::Refused;
pub use stack::Stack;
pub use value::{elements, text};

use scope::Scope;

/// A SAM template, or what SAM expands it to.
pub struct Template(Value);

impl Template {
    /// The error is the YAML parser's own.
    pub fn parse(text: &str) -> Result<Self, serde_yaml_ng::Error> {
        Ok(Self(long_form(&serde_yaml_ng::from_str(text)?)))
    }

    fn section(&self, name: &str) -> Map<String, Value> {
        self.0[name].as_object().cloned().unwrap_or_default()
    }

    /// The names of the parameters.
    pub fn parameters(&self) -> impl Iterator<Item = String> {
        self.section("Parameters").into_iter().map(|(name, _)| name)
    }

    /// Deploys the template, as far as that can be done without AWS: checks the parameters and the
    /// rules, and evaluates every resource and output.
    pub fn deploy(&self, given: &Values) -> Result<Stack, Refused> {
        let parameters = parameters::check(&self.section("Parameters"), given)?;
        let resources = self.section("Resources");
        let scope = Scope::new(parameters, &self.section("Conditions"), &resources)?;
        self.obey_rules(&scope)?;
        let globals = &self.0["Globals"]["Function"];
        Stack::make(&scope, &resources, &self.section("Outputs"), globals)
    }

    fn obey_rules(&self, scope: &Scope<'_>) -> Result<(), Refused> {
        // A rule can't refer to a condition.
        let nothing = Map::new();
        let scope = Scope::new(scope.parameters.clone(), &nothing, &nothing)?;
        for rule in self.section("Rules").values() {
            if !rule["RuleCondition"].is_null() && !scope.truth(&rule["RuleCondition"])? {
                continue;
            }
            for assertion in rule["Assertions"].as_array().into_iter().flatten() {
                if !scope.truth(&assertion["Assert"])? {
                    return Err(Refused::Rule(
                        text(&assertion["AssertDescription"]).unwrap_or_default(),
                    ));
                }
            }
        }
        Ok(())
    }
}
