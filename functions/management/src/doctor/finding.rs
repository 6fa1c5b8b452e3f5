//! One line of an examination.

use serde::Serialize;
use shared::host::error_class::{CredentialFault, ErrorClass};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    Ok,
    /// It works, and will not for long, or not for everybody.
    Warning,
    Failed,
    /// It can't be checked from here.
    Unknown,
}

/// What was seen. No secret, token, e-mail address or address of the product is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// For programs. It never changes its meaning.
    pub check: &'static str,
    pub outcome: Outcome,
    /// What is and, if it is wrong, what to do.
    pub says: String,
    /// The field of Partner Center or Entra, or the parameter of the deployment, that it stands in.
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    pub place: Option<&'static str>,
}

impl Finding {
    /// The class of the fault that the check finds, for the log.
    pub(super) fn class(&self) -> ErrorClass {
        match self.check {
            "table" | "indexes" => ErrorClass::Table,
            "events" => ErrorClass::Product,
            "token" | "list" | "credential" => ErrorClass::Credential(CredentialFault::Unaccepted),
            _ => ErrorClass::Configuration,
        }
    }

    fn new(
        check: &'static str,
        outcome: Outcome,
        says: impl Into<String>,
        place: Option<&'static str>,
    ) -> Self {
        Self { check, outcome, says: says.into(), place }
    }

    pub(super) fn ok(check: &'static str, says: impl Into<String>) -> Self {
        Self::new(check, Outcome::Ok, says, None)
    }

    pub(super) fn warning(
        check: &'static str,
        says: impl Into<String>,
        place: &'static str,
    ) -> Self {
        Self::new(check, Outcome::Warning, says, Some(place))
    }

    pub(super) fn failed(
        check: &'static str,
        says: impl Into<String>,
        place: &'static str,
    ) -> Self {
        Self::new(check, Outcome::Failed, says, Some(place))
    }

    pub(super) fn unknown(check: &'static str, says: impl Into<String>) -> Self {
        Self::new(check, Outcome::Unknown, says, None)
    }
}
