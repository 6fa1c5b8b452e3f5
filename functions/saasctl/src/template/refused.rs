//! Why CloudFormation refuses a deployment.

use thiserror::Error;

/// Why CloudFormation refuses a deployment.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Refused {
    #[error("the parameter {name} breaks its constraint: {constraint}")]
    Parameter { name: String, constraint: String },
    /// With the rule's own words.
    #[error("{0}")]
    Rule(String),
    /// The template is wrong for these parameters. No deployment may end like this.
    #[error("the template is broken: {0}")]
    Broken(String),
}

impl Refused {
    pub(super) fn parameter(name: &str, constraint: &str) -> Self {
        Self::Parameter { name: name.to_owned(), constraint: constraint.to_owned() }
    }

    pub(super) fn broken(why: impl Into<String>) -> Self {
        Self::Broken(why.into())
    }
}
