//! An event as the publisher's product receives it: a CloudEvent 1.0 with a schema for its data.
//!
//! <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md>; `sequence` is the
//! extension <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/extensions/sequence.md>.
//!
//! `shared/schemas/` describes the data of each type. Within a version, members are only added, so
//! that receivers can skip those they don't know. Any other change makes a new version of the type.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::domain::{
    Action, Annotations, Cause, Claimant, Event, EventKind, OperationId, OperationSource,
    RequestedChange, Requester, Ruling, SignUp, Subscription, SubscriptionId, TEST_SUBSCRIPTION,
};

/// The media type of [`CloudEvent`] in JSON.
pub const MEDIA_TYPE: &str = "application/cloudevents+json; charset=utf-8";

#[derive(Debug, Serialize)]
pub struct CloudEvent<'a> {
    specversion: &'static str,
    /// A repeated event has the same id.
    pub id: String,
    source: &'a str,
    /// The kind of event, and the version of its data.
    #[serde(rename = "type")]
    pub kind: String,
    subject: SubscriptionId,
    pub time: Timestamp,
    datacontenttype: &'static str,
    dataschema: String,
    /// Sorts as text in the order of a subject's events, for receivers that get them out of order.
    sequence: String,
    data: Data<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    subscription_id: SubscriptionId,
    version: u64,
    index: u8,
    before: Option<&'a Subscription>,
    after: &'a Subscription,
    cause: Origin<'a>,
    tracking: Tracking<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<Values<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<&'a Ruling>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    unclaimed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    claimant: Option<&'a Claimant>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sign_up: Option<&'a SignUp>,
    #[serde(flatten)]
    annotations: Shown<'a>,
}

/// The publisher's own reference and metadata. They may differ between two copies of an event; other members
/// do so only where personal data was erased in between.
#[derive(Default, Serialize)]
struct Shown<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a BTreeMap<String, String>>,
}

/// Shows nothing that the publisher wrote about a customer.
impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shown").finish_non_exhaustive()
    }
}

/// Who caused it, and how we learned of it.
#[derive(Debug, Serialize)]
pub(super) struct Origin<'a> {
    by: By,
    via: Via,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'a Action>,
    /// The caller of the publisher's API, as AWS names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum By {
    Buyer,
    Microsoft,
    Publisher,
    Reconciliation,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Via {
    Landing,
    Activation,
    Webhook,
    Management,
    Reconciliation,
}

/// The ids that the publisher's support and Microsoft's ask for (F-GEN-7).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Tracking<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation_id: Option<&'a OperationId>,
}

/// The value before and after, or asked for.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Values<'a> {
    Plan { from: &'a str, to: &'a str },
    Seats { from: Option<u64>, to: Option<u64> },
    Requested(&'a RequestedChange),
}

impl<'a> CloudEvent<'a> {
    /// Whether somebody asked for it to see what a receiver answers.
    pub fn is_test(&self) -> bool {
        self.subject == TEST_SUBSCRIPTION
    }

    pub fn new(event: &'a Event, source: &'a str) -> Self {
        let (name, version) = type_of(&event.kind);
        Self {
            specversion: "1.0",
            id: event.id(),
            source,
            kind: full_type(name, version),
            subject: event.subscription_id,
            time: event.recorded_at,
            datacontenttype: "application/json",
            dataschema: format!("urn:saas-fulfillment:schema:{name}.v{version}"),
            sequence: format!("{:020}.{:03}", event.version, event.index),
            data: Data {
                subscription_id: event.subscription_id,
                version: event.version,
                index: event.index,
                before: event.before.as_ref(),
                after: &event.subscription,
                cause: origin(&event.cause),
                tracking: Tracking {
                    correlation_id: event.correlation_id,
                    operation_id: operation(&event.cause),
                },
                change: change(&event.kind),
                decision: event.ruling.as_ref(),
                unclaimed: event.unclaimed,
                claimant: claimant(&event.kind),
                sign_up: event.sign_up.as_ref(),
                annotations: Shown::default(),
            },
        }
    }

    /// Adds the publisher's own reference and metadata, as they are now.
    #[must_use]
    pub fn with_annotations(mut self, annotations: Option<&'a Annotations>) -> Self {
        let (reference, metadata) = annotations.map(Annotations::shown).unwrap_or_default();
        self.data.annotations = Shown { reference, metadata };
        self
    }

    /// The body that is sent.
    ///
    /// # Panics
    /// Never: all of its members have a JSON form.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("text, numbers and maps by text are JSON")
    }
}

/// The last parts of the types' names, and the versions of their data.
const TYPES: [(&str, u32); 17] = [
    ("purchased", 1),
    ("imported", 1),
    ("activation-requested", 1),
    ("activated", 1),
    ("claimed", 1),
    ("signed-up", 1),
    ("plan-changed", 1),
    ("quantity-changed", 1),
    ("change-rejected", 1),
    ("renewed", 1),
    ("details-changed", 1),
    ("suspended", 1),
    ("reinstated", 1),
    ("unsubscribed", 1),
    ("activation-deadline-approaching", 1),
    ("personal-data-erased", 1),
    ("test", 1),
];

fn full_type(name: &str, version: u32) -> String {
    format!("saas-fulfillment.subscription.{name}.v{version}")
}

/// The type that an event of this kind has.
pub fn type_name(kind: &EventKind) -> String {
    let (name, version) = type_of(kind);
    full_type(name, version)
}

/// Whether events of this type are sent.
pub fn is_type(text: &str) -> bool {
    TYPES.iter().any(|(name, version)| full_type(name, *version) == text)
}

/// The last part of the type's name, and the version of its data.
fn type_of(kind: &EventKind) -> (&'static str, u32) {
    match kind {
        EventKind::Purchased => ("purchased", 1),
        EventKind::Imported { .. } => ("imported", 1),
        EventKind::ActivationRequested => ("activation-requested", 1),
        EventKind::Activated => ("activated", 1),
        EventKind::Claimed { .. } => ("claimed", 1),
        EventKind::SignedUp => ("signed-up", 1),
        EventKind::PlanChanged { .. } => ("plan-changed", 1),
        EventKind::QuantityChanged { .. } => ("quantity-changed", 1),
        EventKind::ChangeRejected { .. } => ("change-rejected", 1),
        EventKind::Renewed => ("renewed", 1),
        EventKind::DetailsChanged => ("details-changed", 1),
        EventKind::Suspended => ("suspended", 1),
        EventKind::Reinstated => ("reinstated", 1),
        EventKind::Unsubscribed => ("unsubscribed", 1),
        EventKind::ActivationDeadlineApproaching => ("activation-deadline-approaching", 1),
        EventKind::PersonalDataErased => ("personal-data-erased", 1),
        EventKind::Test => ("test", 1),
    }
}

fn change(kind: &EventKind) -> Option<Values<'_>> {
    match kind {
        EventKind::PlanChanged { from, to } => Some(Values::Plan { from, to }),
        EventKind::QuantityChanged { from, to } => Some(Values::Seats { from: *from, to: *to }),
        EventKind::ChangeRejected { change } => Some(Values::Requested(change)),
        EventKind::Purchased
        | EventKind::Imported { .. }
        | EventKind::ActivationRequested
        | EventKind::Activated
        | EventKind::Claimed { .. }
        | EventKind::SignedUp
        | EventKind::Renewed
        | EventKind::DetailsChanged
        | EventKind::Suspended
        | EventKind::Reinstated
        | EventKind::Unsubscribed
        | EventKind::ActivationDeadlineApproaching
        | EventKind::PersonalDataErased
        | EventKind::Test => None,
    }
}

fn claimant(kind: &EventKind) -> Option<&Claimant> {
    match kind {
        EventKind::Claimed { claimant } => Some(claimant),
        _ => None,
    }
}

pub(super) fn origin(cause: &Cause) -> Origin<'_> {
    let (by, via, action) = match cause {
        Cause::Landing => (By::Buyer, Via::Landing, None),
        Cause::Activation { .. } => (By::Publisher, Via::Activation, None),
        // What we ask Microsoft for comes back by the webhook. Microsoft calls all of it the
        // publisher's (F-OP-3); our record knows which of it a buyer wanted.
        Cause::Webhook { action, requester: Some(Requester::Buyer { .. }), .. } => {
            (By::Buyer, Via::Webhook, Some(action))
        }
        Cause::Webhook { action, requester: Some(Requester::Publisher { .. }), .. }
        | Cause::Webhook { action, source: Some(OperationSource::Partner), .. } => {
            (By::Publisher, Via::Webhook, Some(action))
        }
        Cause::Webhook { action, .. } => (By::Microsoft, Via::Webhook, Some(action)),
        Cause::Management { .. } => (By::Publisher, Via::Management, None),
        Cause::Reconciliation => (By::Reconciliation, Via::Reconciliation, None),
    };
    Origin { by, via, action, principal: principal(cause) }
}

fn principal(cause: &Cause) -> Option<&str> {
    match cause {
        Cause::Activation { principal }
        | Cause::Management { principal }
        | Cause::Webhook { requester: Some(Requester::Publisher { principal }), .. } => {
            principal.as_deref()
        }
        Cause::Landing | Cause::Webhook { .. } | Cause::Reconciliation => None,
    }
}

fn operation(cause: &Cause) -> Option<&OperationId> {
    match cause {
        Cause::Webhook { operation_id, .. } => operation_id.as_ref(),
        Cause::Landing
        | Cause::Activation { .. }
        | Cause::Management { .. }
        | Cause::Reconciliation => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_with_a_schema_is_known_and_no_other() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas");
        let files = std::fs::read_dir(folder).expect("the schemas");
        let names =
            files.map(|file| file.expect("a file").file_name().into_string().expect("text"));
        let mut found: Vec<String> = names
            .filter_map(|name| name.strip_suffix(".json").map(str::to_owned))
            // What all of them have in common.
            .filter(|name| !["event.v1", "subscription.v1"].contains(&name.as_str()))
            .collect();
        let mut known: Vec<String> =
            TYPES.iter().map(|(name, version)| format!("{name}.v{version}")).collect();
        found.sort();
        known.sort();
        assert_eq!(known, found);
        assert!(found.iter().all(|name| is_type(&format!("saas-fulfillment.subscription.{name}"))));
        assert!(!is_type("purchased.v1") && !is_type("saas-fulfillment.decision.v1"));
    }
}
