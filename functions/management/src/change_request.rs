//! What a publisher may ask of Microsoft, and when.

use http::Method;
use serde::Deserialize;
use shared::domain::{Action, CustomerOperation, Operation, Record, Status, SubscriptionId};
use shared::fulfillment::Plan;
use shared::http::Problem;
use shared::lenient::object;

use crate::code::Code;
use crate::whole;

/// What is asked for: a plan, a number of seats, or the end; one of them at a time (F-CHP-4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Another plan.
    Plan(String),
    /// Another number of seats.
    Quantity(u64),
    /// The end of the subscription.
    Cancel,
}

/// Microsoft's own flat limit of seats (F-CHQ-3).
const MOST_SEATS: u64 = 1_000_000;

/// Microsoft's plan ids have 50 characters at the most; beyond this it is something else.
const LONGEST_PLAN: usize = 100;

/// What Microsoft says beside the subscription, as far as it could be asked.
#[derive(Debug, Default)]
pub struct Terms {
    /// The plans the customer may change to; none where that isn't known.
    pub plans: Vec<Plan>,
    /// The operations that are under way.
    pub operations: Vec<Operation>,
}

impl Asked {
    /// Reads the body of a change.
    pub fn change(body: &[u8]) -> Result<Self, Problem> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        struct Body {
            plan_id: Option<String>,
            #[serde(default, deserialize_with = "whole::read")]
            quantity: Option<u64>,
        }
        let invalid = |detail: &str| Code::InvalidChange.with(detail);
        let body: Body = object(body).ok_or_else(|| {
            invalid("the body must be {\"planId\": text} or {\"quantity\": number}")
        })?;
        match (body.plan_id.as_deref().map(str::trim), body.quantity) {
            (Some(plan), None) if (1..=LONGEST_PLAN).contains(&plan.len()) => {
                Ok(Self::Plan(plan.to_owned()))
            }
            (None, Some(seats @ 1..=MOST_SEATS)) => Ok(Self::Quantity(seats)),
            (None, Some(_)) => Err(invalid("the quantity must be from 1 to 1000000")),
            (Some(_), Some(_)) => {
                Err(invalid("change the plan or the quantity, one after the other"))
            }
            (Some(_), None) => Err(invalid("the plan's id must have 1 to 100 characters")),
            (None, None) => Err(invalid("neither a plan nor a quantity is given")),
        }
    }

    /// What Microsoft calls it.
    pub fn action(&self) -> Action {
        match self {
            Self::Plan(_) => Action::ChangePlan,
            Self::Quantity(_) => Action::ChangeQuantity,
            Self::Cancel => Action::Unsubscribe,
        }
    }

    /// The whole of it in one line; of two requests that mean the same, the lines are the same.
    pub fn line(&self, id: SubscriptionId) -> String {
        match self {
            Self::Plan(plan) => format!("{} {id} planId {plan}", Method::PATCH),
            Self::Quantity(seats) => format!("{} {id} quantity {seats}", Method::PATCH),
            Self::Cancel => format!("{} {id}", Method::DELETE),
        }
    }

    /// What Microsoft would refuse is refused here, with a better reason (F-CHP-2, F-CHP-8, F-CHQ-3).
    pub fn check(&self, record: &Record) -> Result<(), Problem> {
        let subscription = &record.subscription;
        match (self, record.status()) {
            (Self::Cancel, Status::Unsubscribed) => Err(ended()),
            // F-CAN-6: in any other state.
            (Self::Cancel, _) => allowed(record, &CustomerOperation::Delete),
            (Self::Plan(_) | Self::Quantity(_), Status::Subscribed) => {
                allowed(record, &CustomerOperation::Update)?;
                match self {
                    Self::Plan(plan) if *plan == subscription.plan_id => Err(already_in_force()),
                    Self::Quantity(seats) if Some(*seats) == subscription.quantity => {
                        Err(already_in_force())
                    }
                    Self::Quantity(_) if subscription.quantity.is_none() => {
                        Err(Code::FlatRate.with("the plan is not sold by the seat"))
                    }
                    Self::Plan(_) | Self::Quantity(_) | Self::Cancel => Ok(()),
                }
            }
            (Self::Plan(_) | Self::Quantity(_), status) => Err(Code::NotSubscribed.with(format!(
                "the subscription is {status}; only a Subscribed one can be changed"
            ))),
        }
    }

    /// The same where it takes more than the subscription to know (F-CHQ-6). What Microsoft has not
    /// said refuses nothing: it is asked for the change itself next.
    pub fn check_terms(&self, record: &Record, terms: &Terms) -> Result<(), Problem> {
        if terms.operations.iter().any(|operation| !operation.is_settled()) {
            return Err(pending(None));
        }
        match self {
            Self::Plan(wanted) => {
                // An empty list contradicts itself: it would hold the present plan (F-PLN-3).
                let listed = terms.plans.is_empty() || find(&terms.plans, wanted).is_some();
                if listed {
                    return Ok(());
                }
                Err(Code::PlanNotAvailable
                    .with("Microsoft does not offer that plan to this customer"))
            }
            Self::Quantity(seats) => {
                // The present plan may be missing (F-PLN-8), and its limits may be.
                let plan = find(&terms.plans, &record.subscription.plan_id);
                let (least, most) =
                    plan.map_or((None, None), |plan| (plan.min_quantity, plan.max_quantity));
                let (least, most) = (least.unwrap_or(1), most.unwrap_or(MOST_SEATS));
                if (least..=most).contains(seats) {
                    return Ok(());
                }
                Err(Code::QuantityOutOfLimits.with(format!(
                    "the plan has from {least} to {most} seats; for others, change the plan first"
                )))
            }
            Self::Cancel => Ok(()),
        }
    }
}

fn find<'a>(plans: &'a [Plan], id: &str) -> Option<&'a Plan> {
    plans.iter().find(|plan| plan.plan_id.as_deref() == Some(id))
}

/// Microsoft lets nobody but the reseller change what a reseller sold (F-OBJ-11, F-SEED-9).
fn allowed(record: &Record, operation: &CustomerOperation) -> Result<(), Problem> {
    if record.subscription.allows(operation) {
        return Ok(());
    }
    Err(Code::NotAllowed.with(format!(
        "Microsoft doesn't allow {operation} here; a reseller's purchase is changed by the reseller"
    )))
}

fn already_in_force() -> Problem {
    Code::AlreadyInForce.with("that is what is in force already")
}

/// It is over.
pub fn ended() -> Problem {
    Code::Unsubscribed.with("the subscription is over already")
}

/// One thing after the other.
pub fn pending(reason: Option<String>) -> Problem {
    let otherwise = || "another operation is under way; try again when it has ended".to_owned();
    Code::OperationPending.with(reason.unwrap_or_else(otherwise))
}

#[cfg(test)]
mod tests;
