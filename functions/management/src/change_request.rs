//! A requested change in HTTP: how its body is read, and the line that an idempotency key is stored
//! with.

use http::Method;
use serde::Deserialize;
use shared::domain::SubscriptionId;
use shared::flows::request_change::ChangeRequest;
use shared::host::http::Problem;
use shared::lenient::strict_object;
use shared::microsoft::fulfillment::MOST_SEATS;

use crate::error_code::ErrorCode;
use crate::json_integer;

/// In characters. Microsoft's plan ids have 50 at the most.
const LONGEST_PLAN: usize = 100;

/// Reads the body of a `PATCH`: a plan or a quantity, never both (F-CHP-4).
pub(crate) fn parse(body: &[u8]) -> Result<ChangeRequest, Problem> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Body {
        plan_id: Option<String>,
        #[serde(default, deserialize_with = "json_integer::read")]
        quantity: Option<u64>,
    }
    let invalid = |detail: &str| ErrorCode::InvalidChange.with(detail);
    let body: Body = strict_object(body)
        .ok_or_else(|| invalid("the body must be {\"planId\": text} or {\"quantity\": number}"))?;
    match (body.plan_id.as_deref().map(str::trim), body.quantity) {
        (Some(plan), None) if (1..=LONGEST_PLAN).contains(&plan.len()) => {
            Ok(ChangeRequest::Plan(plan.to_owned()))
        }
        (None, Some(seats @ 1..=MOST_SEATS)) => Ok(ChangeRequest::Seats(seats)),
        (None, Some(_)) => Err(invalid(&format!("the quantity must be from 1 to {MOST_SEATS}"))),
        (Some(_), Some(_)) => {
            Err(invalid("change the plan and the quantity in two requests, one after the other"))
        }
        (Some(_), None) => {
            Err(invalid(&format!("the plan's id must have 1 to {LONGEST_PLAN} characters")))
        }
        (None, None) => Err(invalid("the body names neither a plan nor a quantity")),
    }
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
