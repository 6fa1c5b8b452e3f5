//! A record as callers of the publisher's API see it: without the members that only the rules need.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::{
    ActivationRequest, Annotations, Claim, IdentifiedAs, OwnRequest, PendingOperation,
    PurchaseDecision, Record, SignUp, Subscription,
};

/// The members of a record that the API shows. Members are only added.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordView<'a> {
    subscription: &'a Subscription,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan_name: Option<&'a str>,
    version: u64,
    updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_since: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    activation: Option<ActivationRequest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pending_operation: Option<&'a PendingOperation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pending_request: Option<&'a OwnRequest>,
    deadline_announced: bool,
    #[serde(rename = "bound", skip_serializing_if = "Option::is_none")]
    identified_as: Option<IdentifiedAs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<&'a PurchaseDecision>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<Claim>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sign_up: Option<&'a SignUp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    erased_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a BTreeMap<String, String>>,
}

impl<'a> RecordView<'a> {
    /// Adds the publisher's own reference and metadata.
    #[must_use]
    pub fn with_annotations(mut self, annotations: Option<&'a Annotations>) -> Self {
        (self.reference, self.metadata) = annotations.map(Annotations::shown).unwrap_or_default();
        self
    }
}

impl<'a> From<&'a Record> for RecordView<'a> {
    fn from(record: &'a Record) -> Self {
        Self {
            subscription: &record.subscription,
            plan_name: record.seen_plan().and_then(|plan| plan.display_name.as_deref()),
            version: record.version,
            updated_at: record.updated_at,
            status_since: record.status_since(),
            activation: record.activation,
            pending_operation: record.pending_operation.as_ref(),
            pending_request: record.pending_request(),
            deadline_announced: record.deadline_announced,
            identified_as: record.identified_as,
            decision: record.decision.as_ref(),
            claim: record.claim,
            sign_up: record.sign_up.as_ref(),
            erased_at: record.erased_at,
            reference: None,
            metadata: None,
        }
    }
}
