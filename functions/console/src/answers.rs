//! What the API answers, as far as the console shows it. Members that it adds are skipped.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use shared::domain::{
    ActivationRequest, Claim, Event, IdentifiedAs, Note, OwnRequest, PendingOperation, SignUp,
    Subscription, SubscriptionId,
};
use shared::microsoft::fulfillment::Plan;
use shared::store::{Difference, Pause, QuietRuns, Round, Run};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    pub(crate) subscription: Subscription,
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

#[derive(Deserialize)]
pub(crate) struct Records {
    pub(crate) subscriptions: Vec<Record>,
    pub(crate) next: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Events {
    pub(crate) events: Vec<Event>,
}

#[derive(Deserialize)]
pub(crate) struct Notes {
    pub(crate) notes: Vec<Note>,
}

#[derive(Deserialize)]
pub(crate) struct Deliveries {
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) next: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Delivery {
    pub(crate) subscription_id: SubscriptionId,
    pub(crate) receiver: String,
    pub(crate) state: String,
    pub(crate) waiting_since: Option<Timestamp>,
    pub(crate) attempts: u32,
    pub(crate) last_error: Option<String>,
    pub(crate) next_attempt_at: Option<Timestamp>,
}

#[derive(Deserialize)]
pub(crate) struct Attempts {
    pub(crate) attempts: Vec<Attempt>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Attempt {
    pub(crate) at: Timestamp,
    pub(crate) receiver: String,
    pub(crate) event_type: String,
    pub(crate) status: Option<u16>,
    pub(crate) latency_ms: u64,
    pub(crate) reason: Option<String>,
    pub(crate) answer: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Receivers {
    pub(crate) receivers: Vec<Receiver>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Receiver {
    pub(crate) name: String,
    pub(crate) event_types: Option<Vec<String>>,
    pub(crate) offers: Option<Vec<String>>,
    pub(crate) catching_up: bool,
    pub(crate) paused: Option<Pause>,
    pub(crate) waiting: u64,
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
#[serde(rename_all = "camelCase")]
pub(crate) struct Reconciliations {
    pub(crate) current: Option<UnderWay>,
    pub(crate) dry_run: Option<UnderWay>,
    pub(crate) pause: Option<Pause>,
    pub(crate) quiet_runs: Option<QuietRuns>,
    pub(crate) last_full_round: Option<Round>,
    pub(crate) runs: Vec<Run>,
    pub(crate) next: Option<String>,
}

/// A run that goes on.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UnderWay {
    pub(crate) begun_at: Timestamp,
    pub(crate) examined: u64,
    pub(crate) repaired: u64,
    pub(crate) left: u64,
    pub(crate) failed: u64,
    #[serde(default)]
    pub(crate) differences: Vec<Difference>,
}

#[derive(Deserialize)]
pub(crate) struct Plans {
    pub(crate) plans: Vec<Plan>,
}

#[derive(Deserialize)]
pub(crate) struct Operations {
    pub(crate) operations: Vec<Value>,
}
