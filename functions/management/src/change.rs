//! What a publisher may ask to be changed.

use http::StatusCode;
use serde::Deserialize;
use shared::domain::{CustomerOperation, Record, Status};
use shared::http::Problem;

/// A wanted change: a plan or a number of seats, never both (F-CHP-4).
#[derive(Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Another plan.
    Plan(String),
    /// Another number of seats.
    Quantity(u64),
}

/// Microsoft's own flat limit of seats (F-CHQ-3).
const MOST_SEATS: u64 = 1_000_000;

impl Wanted {
    /// Reads a request's body.
    pub fn parse(body: &[u8]) -> Result<Self, Problem> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        struct Body {
            plan_id: Option<String>,
            quantity: Option<u64>,
        }
        let invalid =
            |detail: &str| Problem::new(StatusCode::BAD_REQUEST, "invalid_change", detail);
        let body: Body = serde_json::from_slice(body).map_err(|_| {
            invalid("the body must be {\"planId\": text} or {\"quantity\": number}")
        })?;
        match (body.plan_id, body.quantity) {
            (Some(plan), None) if !plan.trim().is_empty() => Ok(Self::Plan(plan.trim().to_owned())),
            (None, Some(seats @ 1..=MOST_SEATS)) => Ok(Self::Quantity(seats)),
            (None, Some(_)) => Err(invalid("the quantity must be from 1 to 1000000")),
            (Some(_), Some(_)) => {
                Err(invalid("change the plan or the quantity, one after the other"))
            }
            _ => Err(invalid("neither a plan nor a quantity is given")),
        }
    }

    /// What Microsoft would refuse is refused here, with a better reason (F-CHP-2, F-CHP-8, F-CHQ-3).
    pub fn check(&self, record: &Record) -> Result<(), Problem> {
        let subscription = &record.subscription;
        if *record.status() != Status::Subscribed {
            return Err(Problem::new(
                StatusCode::CONFLICT,
                "not_subscribed",
                format!(
                    "the subscription is {}; only a Subscribed one can be changed",
                    record.status()
                ),
            ));
        }
        allowed(record, &CustomerOperation::Update)?;
        let same = match self {
            Self::Plan(plan) => *plan == subscription.plan_id,
            Self::Quantity(seats) => Some(*seats) == subscription.quantity,
        };
        if same {
            return Err(Problem::new(
                StatusCode::CONFLICT,
                "already_in_force",
                "that is what is in force already",
            ));
        }
        if matches!(self, Self::Quantity(_)) && subscription.quantity.is_none() {
            return Err(Problem::new(
                StatusCode::CONFLICT,
                "flat_rate",
                "the plan is not sold by the seat",
            ));
        }
        Ok(())
    }
}

/// Microsoft lets nobody but the reseller change what a reseller sold (F-OBJ-11, F-SEED-9).
pub fn allowed(record: &Record, operation: &CustomerOperation) -> Result<(), Problem> {
    if record.subscription.allows(operation) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::CONFLICT,
        "not_allowed",
        format!(
            "Microsoft doesn't allow {operation} here; a reseller's purchase is changed by the reseller"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_12_a_change_is_a_plan_or_a_quantity_never_both() {
        assert_eq!(Wanted::parse(br#"{"planId":"gold"}"#), Ok(Wanted::Plan("gold".into())));
        assert_eq!(Wanted::parse(br#"{"quantity":5}"#), Ok(Wanted::Quantity(5)));
        for body in [
            r#"{"planId":"gold","quantity":5}"#,
            r#"{"quantity":0}"#,
            r#"{"quantity":1000001}"#,
            r#"{"quantity":-1}"#,
            r#"{"quantity":"5"}"#,
            r#"{"planId":" "}"#,
            r#"{"plan":"gold"}"#,
            "{}",
            "[]",
            "",
        ] {
            assert_eq!(
                Wanted::parse(body.as_bytes()).map_err(|problem| problem.code),
                Err("invalid_change"),
                "{body}"
            );
        }
    }
}
