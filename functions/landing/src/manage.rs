//! What a customer may change on the page: plan, seats, the end (F-LP-3, F-CHP-3, F-CAN-2).

use shared::commit::{DecideError, decide};
use shared::domain::{Action, CustomerOperation, Decision, OperationId, Record, Role, Status};
use shared::fulfillment::{FulfillmentError, Plan};
use tracing::{info, warn};

use crate::purchase::{Failure, Purchases};
use crate::sign_in::value;

/// A wanted change. One of them at a time (F-CHP-4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Another plan.
    Plan(String),
    /// Another number of seats.
    Seats(u64),
    /// The end. Irreversible (F-CAN-6).
    Cancel,
}

/// What the page may offer somebody.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Offered {
    /// Plans other than the one in force: id and name (F-PLN-3).
    pub plans: Vec<(String, String)>,
    /// The least and the most seats, where the plan is sold by the seat.
    pub seats: Option<(u64, u64)>,
    /// Whether it may be cancelled.
    pub cancel: bool,
}

/// What became of a confirmed change.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Microsoft has it, and will say when it is in force (F-CHP-7).
    Requested,
    /// Microsoft is busy with another change, or refuses this one.
    Refused,
    /// No answer came, so that it may have it (F-ERR-2).
    Unknown,
}

/// Microsoft's own limit where a plan names none (F-CHQ-3).
const MOST_SEATS: u64 = 1_000_000;

/// Whether somebody may change or cancel anything here: the beneficiary, as far as Microsoft lets
/// them, which in a reseller's purchase it doesn't (F-OBJ-11, F-SEED-9).
pub fn may(record: &Record, operation: &CustomerOperation) -> bool {
    let is_beneficiary = record.bound.is_some_and(|bound| bound.role == Role::Beneficiary);
    is_beneficiary
        && *record.status() == Status::Subscribed
        && record.subscription.allows(operation)
}

impl Wanted {
    /// Reads a form. `None` where it asks for nothing that could be meant.
    pub fn parse(form: &str) -> Option<Self> {
        match value(form, "want")?.as_str() {
            "plan" => value(form, "plan").filter(|plan| !plan.is_empty()).map(Self::Plan),
            "seats" => value(form, "seats")?.trim().parse().ok().map(Self::Seats),
            "cancel" => Some(Self::Cancel),
            _ => None,
        }
    }

    /// Whether this is among what is offered: nobody gets by a form what the page didn't show.
    pub fn is_in(&self, offered: &Offered) -> bool {
        match self {
            Self::Plan(plan) => offered.plans.iter().any(|(id, _)| id == plan),
            Self::Seats(seats) => {
                offered.seats.is_some_and(|(least, most)| (least..=most).contains(seats))
            }
            Self::Cancel => offered.cancel,
        }
    }
}

impl Offered {
    /// What Microsoft lets the customer do, of what it lists.
    pub fn of(record: &Record, listed: &[Plan]) -> Self {
        let update = may(record, &CustomerOperation::Update);
        let in_force = &record.subscription.plan_id;
        let plans = listed
            .iter()
            .filter(|plan| update && !plan.is_stop_sell.unwrap_or(false))
            .filter_map(|plan| {
                let id = plan.plan_id.clone().filter(|id| id != in_force)?;
                let name = plan.display_name.clone().unwrap_or_else(|| id.clone());
                Some((id, name))
            })
            .collect();
        // The plan in force may be missing from the list (F-PLN-8).
        let own = listed.iter().find(|plan| plan.plan_id.as_ref() == Some(in_force));
        let seats = record.subscription.quantity.filter(|_| update).map(|_| {
            let least = own.and_then(|plan| plan.min_quantity).unwrap_or(1).max(1);
            (least, own.and_then(|plan| plan.max_quantity).unwrap_or(MOST_SEATS))
        });
        Self { plans, seats, cancel: may(record, &CustomerOperation::Delete) }
    }

    /// Whether there is nothing to offer.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Purchases {
    /// What may be changed now. Microsoft is asked for plans only where one may be taken.
    pub async fn offered(&self, record: &Record) -> Result<Offered, Failure> {
        let listed = if may(record, &CustomerOperation::Update) {
            self.marketplace
                .list_available_plans(record.id(), None)
                .await
                .map_err(|error| Failure::NotNow(error.to_string()))?
        } else {
            Vec::new()
        };
        Ok(Offered::of(record, &listed))
    }

    /// Asks Microsoft for what the customer has confirmed.
    pub async fn change(&self, record: Record, wanted: &Wanted) -> Result<Outcome, Failure> {
        let id = record.id();
        if record.pending_operation.is_some() {
            return Ok(Outcome::Refused);
        }
        info!(subscription.id = %id, ?wanted, "a customer asks for a change");
        let (action, accepted) = match wanted {
            Wanted::Plan(plan) => {
                (Action::ChangePlan, self.marketplace.change_plan(id, plan).await)
            }
            Wanted::Seats(seats) => {
                (Action::ChangeQuantity, self.marketplace.change_quantity(id, *seats).await)
            }
            Wanted::Cancel => (Action::Unsubscribe, self.marketplace.cancel(id).await),
        };
        match accepted {
            Ok(accepted) => {
                if let Some(operation) = accepted.id {
                    self.await_operation(record, operation, &action).await;
                }
                Ok(Outcome::Requested)
            }
            Err(
                FulfillmentError::Refused(refusal)
                | FulfillmentError::Conflict(refusal)
                | FulfillmentError::NotFound(refusal),
            ) => {
                warn!(subscription.id = %id, %refusal, "Microsoft refused a customer's change");
                Ok(Outcome::Refused)
            }
            Err(FulfillmentError::Unavailable { repeatable: false, reason, .. }) => {
                warn!(subscription.id = %id, reason, "whether Microsoft took a change isn't known");
                Ok(Outcome::Unknown)
            }
            Err(error) => Err(Failure::NotNow(error.to_string())),
        }
    }

    /// Microsoft has the request whatever becomes of this note; it's for the reconciliation.
    async fn await_operation(&self, record: Record, operation: OperationId, action: &Action) {
        let now = self.system.now();
        let rule = |record: Option<&Record>| {
            Ok(record.map_or(Decision::Unchanged, |record| {
                record.await_operation(operation, action, now)
            }))
        };
        let id = record.id();
        let noted: Result<_, DecideError> =
            decide(&*self.store, &*self.system, id, Some(record), None, rule).await;
        if let Err(error) = noted {
            warn!(subscription.id = %id, operation.id = %operation, %error, "the operation was not noted");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_asks_for_one_thing_that_can_be_meant_or_for_nothing() {
        assert_eq!(Wanted::parse("want=plan&plan=gold"), Some(Wanted::Plan("gold".into())));
        assert_eq!(Wanted::parse("want=seats&seats=12"), Some(Wanted::Seats(12)));
        assert_eq!(Wanted::parse("want=cancel"), Some(Wanted::Cancel));
        for form in [
            "",
            "want=",
            "want=plan",
            "want=plan&plan=",
            "want=seats&seats=-1",
            "want=seats&seats=x",
            "want=seats",
            "want=cancel&want=plan",
            "want=Cancel",
            "plan=gold",
        ] {
            assert_eq!(Wanted::parse(form), None, "{form}");
        }
    }

    #[test]
    fn only_what_is_offered_can_be_wanted() {
        let offered = Offered {
            plans: vec![("gold".into(), "Gold".into())],
            seats: Some((5, 20)),
            cancel: false,
        };
        for (wanted, is_in) in [
            (Wanted::Plan("gold".into()), true),
            (Wanted::Plan("silver".into()), false),
            (Wanted::Seats(4), false),
            (Wanted::Seats(5), true),
            (Wanted::Seats(20), true),
            (Wanted::Seats(21), false),
            (Wanted::Cancel, false),
        ] {
            assert_eq!(wanted.is_in(&offered), is_in, "{wanted:?}");
            assert!(!wanted.is_in(&Offered::default()), "{wanted:?}");
        }
    }
}
