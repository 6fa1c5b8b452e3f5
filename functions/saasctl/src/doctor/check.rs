//! One line of the doctor's.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    Ok,
    /// It works, and will not for long, or not for everybody.
    Warning,
    Failed,
    /// It can't be checked from here.
    Unknown,
}

impl Outcome {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "FAILED",
            Self::Unknown => "unknown",
        }
    }
}

/// As the API's `GET /doctor` returns it.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Check {
    pub(crate) check: String,
    pub(crate) outcome: Outcome,
    /// What was seen and, if it is wrong, what to do.
    pub(crate) says: String,
    /// The field of Partner Center or Entra, or the parameter of the deployment, that it stands in.
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<String>,
}

impl Check {
    fn new(check: &str, outcome: Outcome, says: impl Into<String>, place: Option<&str>) -> Self {
        Self {
            check: check.to_owned(),
            outcome,
            says: says.into(),
            place: place.map(str::to_owned),
        }
    }

    pub(crate) fn ok(check: &str, says: impl Into<String>) -> Self {
        Self::new(check, Outcome::Ok, says, None)
    }

    pub(crate) fn failed(check: &str, says: impl Into<String>, place: &str) -> Self {
        Self::new(check, Outcome::Failed, says, Some(place))
    }

    pub(crate) fn unknown(check: &str, says: impl Into<String>) -> Self {
        Self::new(check, Outcome::Unknown, says, None)
    }
}
