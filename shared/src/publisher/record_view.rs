//! A record as callers see it: without what only the rules need.

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::{ActivationRequest, Bound, PendingOperation, Record, SignUp, Subscription};

/// What is shown of a record.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown<'a> {
    subscription: &'a Subscription,
    version: u64,
    updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    activation: Option<ActivationRequest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pending_operation: Option<&'a PendingOperation>,
    deadline_announced: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    bound: Option<Bound>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sign_up: Option<&'a SignUp>,
}

impl<'a> From<&'a Record> for Shown<'a> {
    fn from(record: &'a Record) -> Self {
        Self {
            subscription: &record.subscription,
            version: record.version,
            updated_at: record.updated_at,
            activation: record.activation,
            pending_operation: record.pending_operation.as_ref(),
            deadline_announced: record.deadline_announced,
            bound: record.bound,
            sign_up: record.sign_up.as_ref(),
        }
    }
}
