//! What the API answers, as far as the console shows it. Members that it adds are skipped.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use shared::domain::{
    self, ActivationRequest, Annotations, Claim, IdentifiedAs, OwnRequest, PendingOperation,
    SignUp, Subscription,
};
use shared::microsoft::fulfillment::Plan;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    pub(crate) subscription: Subscription,
    pub(crate) plan_name: Option<String>,
    pub(crate) version: u64,
    pub(crate) updated_at: Timestamp,
    pub(crate) status_since: Option<Timestamp>,
    pub(crate) activation: Option<ActivationRequest>,
    pub(crate) pending_operation: Option<PendingOperation>,
    pub(crate) pending_request: Option<OwnRequest>,
    pub(crate) bound: Option<IdentifiedAs>,
    pub(crate) claim: Option<Claim>,
    pub(crate) sign_up: Option<SignUp>,
    pub(crate) erased_at: Option<Timestamp>,
    pub(crate) reference: Option<String>,
    #[serde(default)]
    pub(crate) metadata: BTreeMap<String, String>,
}

impl Record {
    /// The record as the API shows it, with the publisher's own reference and metadata.
    pub(crate) fn of(record: &domain::Record, annotations: Option<&Annotations>) -> Self {
        let (reference, metadata) = annotations.map(Annotations::shown).unwrap_or_default();
        Self {
            subscription: record.subscription.clone(),
            plan_name: record.seen_plan().and_then(|plan| plan.display_name.clone()),
            version: record.version,
            updated_at: record.updated_at,
            status_since: record.status_since(),
            activation: record.activation,
            pending_operation: record.pending_operation.clone(),
            pending_request: record.pending_request().cloned(),
            bound: record.identified_as,
            claim: record.claim,
            sign_up: record.sign_up.clone(),
            erased_at: record.erased_at,
            reference: reference.map(str::to_owned),
            metadata: metadata.cloned().unwrap_or_default(),
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Records {
    pub(crate) subscriptions: Vec<Record>,
    pub(crate) next: Option<String>,
}

/// How a subscription's events stand at a receiver, in the API's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) receiver: String,
    pub(crate) state: &'static str,
    /// `None` unless it waits, and where the time is not at hand.
    pub(crate) waiting_since: Option<Timestamp>,
    pub(crate) last_error: Option<String>,
}

impl Delivery {
    pub(crate) fn is_up_to_date(&self) -> bool {
        self.state == "upToDate"
    }

    pub(crate) fn is_parked(&self) -> bool {
        self.state == "parked"
    }
}

/// How far a test event has come.
#[derive(Deserialize)]
pub(crate) struct TestEvent {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) state: String,
    pub(crate) receivers: Vec<Exchange>,
}

/// What a receiver was sent of it, and answered.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Exchange {
    pub(crate) receiver: String,
    pub(crate) state: String,
    pub(crate) status: Option<u16>,
    pub(crate) latency_ms: Option<u64>,
    pub(crate) last_error: Option<String>,
    pub(crate) answer: Option<String>,
    pub(crate) request: Option<Sent>,
}

#[derive(Deserialize)]
pub(crate) struct Sent {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

#[derive(Deserialize)]
pub(crate) struct Plans {
    pub(crate) plans: Vec<Plan>,
}

#[derive(Deserialize)]
pub(crate) struct Operations {
    pub(crate) operations: Vec<Value>,
}
