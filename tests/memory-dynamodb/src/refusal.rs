//! DynamoDB's errors, as its wire shows them.

use serde_json::{Value, json};

/// Why a request was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The request is wrong, which a correct client never causes.
    Invalid(String),
    /// The start key of a page is wrong. It comes from outside, so it is no fault of the client.
    BadStartKey,
    ConditionalCheckFailed,
    /// With the reason for each of the transaction's items.
    TransactionCanceled(Vec<&'static str>),
    TransactionConflict,
    Throttled,
    ThroughputExceeded,
    InternalServerError,
}

impl Refusal {
    pub(crate) fn invalid<T>(what: impl Into<String>) -> Result<T, Self> {
        Err(Self::Invalid(what.into()))
    }

    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::InternalServerError => 500,
            _ => 400,
        }
    }

    pub(crate) fn body(&self) -> Value {
        let kind = match self {
            Self::Invalid(_) | Self::BadStartKey => "com.amazon.coral.validate#ValidationException",
            Self::ConditionalCheckFailed => {
                "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"
            }
            Self::TransactionCanceled(_) => {
                "com.amazonaws.dynamodb.v20120810#TransactionCanceledException"
            }
            Self::TransactionConflict => {
                "com.amazonaws.dynamodb.v20120810#TransactionConflictException"
            }
            Self::Throttled => "com.amazon.coral.availability#ThrottlingException",
            Self::ThroughputExceeded => {
                "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"
            }
            Self::InternalServerError => "com.amazonaws.dynamodb.v20120810#InternalServerError",
        };
        match self {
            Self::TransactionCanceled(reasons) => {
                let reasons: Vec<_> = reasons.iter().map(|code| json!({ "Code": code })).collect();
                json!({ "__type": kind, "Message": "cancelled", "CancellationReasons": reasons })
            }
            Self::Invalid(what) => json!({ "__type": kind, "message": what }),
            _ => json!({ "__type": kind, "message": "refused" }),
        }
    }
}
