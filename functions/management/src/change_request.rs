//! A `PATCH` in HTTP: how its body is read, and the line that an idempotency key is stored with.

use std::collections::BTreeMap;

use http::Method;
use serde::{Deserialize, Deserializer};
use shared::domain::{
    AnnotationPatch, LONGEST_REASON, MetadataPatch, SubscriptionId, purchase_reason,
};
use shared::flows::request_change::ChangeRequest;
use shared::host::http::Problem;
use shared::lenient::strict_object;
use shared::microsoft::fulfillment::MOST_SEATS;

use crate::error_code::ErrorCode;
use crate::json_integer;

/// In characters. Microsoft's plan ids have 50 at the most.
const LONGEST_PLAN: usize = 100;

/// What a `PATCH` is about.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Patch {
    /// Microsoft is to change the subscription.
    Request {
        change: ChangeRequest,
        /// Such as when and how the customer approved the change (F-CHP-3).
        reason: Option<String>,
    },
    /// The publisher's own reference and metadata.
    Annotate(AnnotationPatch),
}

/// A member that is present, also where it is `null`.
fn present<'de, T, D>(sent: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(sent).map(Some)
}

/// Reads the body of a `PATCH`: a plan or a quantity, never both (F-CHP-4), with a reason for the history;
/// or what only we store. One body
/// never does both: Microsoft could refuse its part when ours is stored.
pub(crate) fn parse(body: &[u8]) -> Result<Patch, Problem> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Body {
        plan_id: Option<String>,
        #[serde(default, deserialize_with = "json_integer::read")]
        quantity: Option<u64>,
        #[serde(default, deserialize_with = "present")]
        reason: Option<String>,
        #[serde(default, deserialize_with = "present")]
        reference: Option<Option<String>>,
        #[serde(default, deserialize_with = "present")]
        metadata: Option<Option<BTreeMap<String, Option<String>>>>,
    }
    let Body { plan_id, quantity, reason, reference, metadata } =
        strict_object(body).ok_or_else(|| {
            invalid(
                "the body must be {\"planId\": text} or {\"quantity\": number}, each with a \"reason\" \
                 (text) or without, or an object of \"reference\" (text or null) and \"metadata\" (an object \
                 of texts and nulls, or null)",
            )
        })?;
    if reference.is_some() || metadata.is_some() {
        if plan_id.is_some() || quantity.is_some() || reason.is_some() {
            return Err(invalid(
                "Microsoft changes the plan and the quantity, and only this API stores the reference and \
                 the metadata: send them in two requests",
            ));
        }
        let metadata =
            metadata.map(|pairs| pairs.map_or(MetadataPatch::Clear, MetadataPatch::Merge));
        let patch = AnnotationPatch::new(reference, metadata);
        return patch.map(Patch::Annotate).map_err(|error| invalid(&error.to_string()));
    }
    let reason = reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty());
    if reason.as_ref().is_some_and(|reason| reason.chars().count() > LONGEST_REASON) {
        return Err(invalid(&format!("the reason must have at most {LONGEST_REASON} characters")));
    }
    match (plan_id.as_deref().map(str::trim), quantity) {
        (Some(plan), None) if (1..=LONGEST_PLAN).contains(&plan.len()) => {
            Ok(Patch::Request { change: ChangeRequest::Plan(plan.to_owned()), reason })
        }
        (None, Some(seats @ 1..=MOST_SEATS)) => {
            Ok(Patch::Request { change: ChangeRequest::Seats(seats), reason })
        }
        (None, Some(_)) => Err(invalid(&format!("the quantity must be from 1 to {MOST_SEATS}"))),
        (Some(_), Some(_)) => {
            Err(invalid("change the plan and the quantity in two requests, one after the other"))
        }
        (Some(_), None) => {
            Err(invalid(&format!("the plan's id must have 1 to {LONGEST_PLAN} characters")))
        }
        (None, None) => {
            Err(invalid("the body names neither a plan, a quantity, a reference nor metadata"))
        }
    }
}

fn invalid(detail: &str) -> Problem {
    ErrorCode::InvalidChange.with(detail)
}

/// Reads why a purchase is declined.
pub(crate) fn reason(body: &[u8]) -> Result<String, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        reason: String,
    }
    let body: Option<Body> = strict_object(body);
    body.and_then(|Body { reason }| purchase_reason(&reason)).ok_or_else(|| {
        invalid(&format!(
            "the body must be {{\"reason\": why}}, with 1 to {LONGEST_REASON} characters on one line"
        ))
    })
}

/// The request in one line, for its idempotency key. Requests that mean the same have the same
/// line.
pub(crate) fn line(request: &ChangeRequest, id: SubscriptionId) -> String {
    match request {
        ChangeRequest::Plan(plan) => format!("{} {id} planId {plan}", Method::PATCH),
        ChangeRequest::Seats(seats) => format!("{} {id} quantity {seats}", Method::PATCH),
        ChangeRequest::Cancel => format!("{} {id}", Method::DELETE),
    }
}

#[cfg(test)]
mod tests;
