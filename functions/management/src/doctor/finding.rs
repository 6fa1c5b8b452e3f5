//! One line of an examination.

use shared::host::error_class::{CredentialFault, ErrorClass};
use shared::store::{Check, CheckOutcome};

/// What was seen. No secret, token, e-mail address or address of the product is in it: it is stored, and shown
/// to everyone who may read the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// For programs. It never changes its meaning.
    pub check: &'static str,
    pub outcome: CheckOutcome,
    /// What is and, if it is wrong, what to do.
    pub says: String,
    /// The field of Partner Center or Entra, or the parameter of the deployment, that it stands in.
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
        outcome: CheckOutcome,
        says: impl Into<String>,
        place: Option<&'static str>,
    ) -> Self {
        Self { check, outcome, says: says.into(), place }
    }

    pub(super) fn ok(check: &'static str, says: impl Into<String>) -> Self {
        Self::new(check, CheckOutcome::Ok, says, None)
    }

    pub(super) fn warning(
        check: &'static str,
        says: impl Into<String>,
        place: &'static str,
    ) -> Self {
        Self::new(check, CheckOutcome::Warning, says, Some(place))
    }

    pub(super) fn failed(
        check: &'static str,
        says: impl Into<String>,
        place: &'static str,
    ) -> Self {
        Self::new(check, CheckOutcome::Failed, says, Some(place))
    }

    pub(super) fn unknown(check: &'static str, says: impl Into<String>) -> Self {
        Self::new(check, CheckOutcome::Unknown, says, None)
    }
}

impl From<Finding> for Check {
    fn from(Finding { check, outcome, says, place }: Finding) -> Self {
        Self { check: check.to_owned(), outcome, says, place: place.map(str::to_owned) }
    }
}
