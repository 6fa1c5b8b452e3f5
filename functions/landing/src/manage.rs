//! The changes that a customer may request on the page: another plan, other seats, or the end
//! (F-LP-3, F-CHP-3, F-CAN-2).

use shared::domain::{CustomerOperation, Identification, Record, Status};
use shared::flows::request_change::{ChangeRefused, ChangeRequest, CheckError, Requester};
use shared::microsoft::fulfillment::{FulfillmentError, Plan};
use tracing::warn;

use crate::form_field::form_field;
use crate::purchase::{Opened, Purchases, VisitError};

/// The changes that the page offers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ChangeOptions {
    /// The plans other than the current one, as id and name (F-PLN-3).
    pub(crate) plans: Vec<(String, String)>,
    /// The fewest and the most seats, if the plan is sold by the seat.
    pub(crate) seats: Option<(u64, u64)>,
    pub(crate) cancel: bool,
}

/// The result of a confirmed change.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ChangeOutcome {
    /// Microsoft received the request. The webhook reports when the change is in force (F-CHP-7).
    Requested,
    /// Microsoft refuses the change, or another one is still in progress.
    Refused,
    /// Microsoft did not answer, and may have received the request (F-ERR-2).
    Unknown,
}

/// Whether the page may show the chosen change for confirmation.
pub(crate) enum Choice {
    /// With the options that it was chosen from.
    Offered(ChangeOptions),
    NotOffered,
    /// Another change is still in progress.
    Blocked,
}

/// Whether the visitor may change or cancel the subscription: only the person whom Microsoft names as
/// the beneficiary, and only if Microsoft allows it. Microsoft does not for a reseller's purchase
/// (F-OBJ-11, F-SEED-9). This visit's role counts; the record keeps an earlier one as history.
pub(crate) fn may_change(opened: &Opened, operation: &CustomerOperation) -> bool {
    let Opened { record, visitor } = opened;
    visitor.is_some_and(Identification::is_named_beneficiary)
        && *record.status() == Status::Subscribed
        && record.subscription.allows(operation)
}

/// Reads the body of a form. `None` if it is not a valid request.
pub(crate) fn parse(form: &str) -> Option<ChangeRequest> {
    match form_field(form, "want")?.as_str() {
        "plan" => form_field(form, "plan").filter(|plan| !plan.is_empty()).map(ChangeRequest::Plan),
        "seats" => form_field(form, "seats")?.trim().parse().ok().map(ChangeRequest::Seats),
        "cancel" => Some(ChangeRequest::Cancel),
        _ => None,
    }
}

impl ChangeOptions {
    /// The part of Microsoft's list that this customer may choose from.
    fn of(opened: &Opened, listed: &[Plan]) -> Self {
        let record = &opened.record;
        let update = may_change(opened, &CustomerOperation::Update);
        let is_offered = |request: &ChangeRequest| {
            update
                && request.check_record(record).is_ok()
                && request.check_plans(record, listed, Requester::Buyer).is_ok()
        };
        let plans = listed
            .iter()
            .filter_map(|plan| {
                let id = plan.plan_id.clone()?;
                let name = plan.display_name.clone().unwrap_or_else(|| id.clone());
                is_offered(&ChangeRequest::Plan(id.clone())).then_some((id, name))
            })
            .collect();
        let current = Plan::find(listed, &record.subscription.plan_id);
        let is_per_seat = record.subscription.quantity.is_some();
        let seats = (update && is_per_seat).then(|| Plan::seat_limits(current).into_inner());
        Self { plans, seats, cancel: may_change(opened, &CustomerOperation::Delete) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Purchases {
    /// The changes that the page offers now. Asks Microsoft for the plans only if the visitor may
    /// change to one.
    pub(crate) async fn change_options(
        &self,
        opened: &Opened,
    ) -> Result<ChangeOptions, VisitError> {
        let listed = if may_change(opened, &CustomerOperation::Update) {
            let id = opened.record.id();
            let plans = self.changes.marketplace.list_available_plans(id, None).await;
            plans.map_err(VisitError::Fulfillment)?
        } else {
            Vec::new()
        };
        Ok(ChangeOptions::of(opened, &listed))
    }

    /// Checks the chosen change. A forged form can't request more than the page offers.
    pub(crate) async fn choose(
        &self,
        opened: &Opened,
        request: &ChangeRequest,
    ) -> Result<Choice, VisitError> {
        let operation = match request {
            ChangeRequest::Plan(_) | ChangeRequest::Seats(_) => CustomerOperation::Update,
            ChangeRequest::Cancel => CustomerOperation::Delete,
        };
        if !may_change(opened, &operation) {
            return Ok(Choice::NotOffered);
        }
        match self.changes.check(&opened.record, request, Requester::Buyer).await {
            Ok(terms) => Ok(Choice::Offered(ChangeOptions::of(opened, &terms.plans))),
            Err(CheckError::Refused(ChangeRefused::OperationPending)) => Ok(Choice::Blocked),
            Err(CheckError::Refused(_)) => Ok(Choice::NotOffered),
            Err(CheckError::Fulfillment(error)) => Err(VisitError::Fulfillment(error)),
        }
    }

    /// Requests a change that the customer has confirmed.
    pub(crate) async fn request_change(
        &self,
        record: Record,
        request: &ChangeRequest,
    ) -> Result<ChangeOutcome, VisitError> {
        let id = record.id();
        match self.changes.request(record, request, Requester::Buyer).await {
            Ok(_) => Ok(ChangeOutcome::Requested),
            Err(
                FulfillmentError::Refused(refusal)
                | FulfillmentError::Conflict(refusal)
                | FulfillmentError::NotFound(refusal),
            ) => {
                warn!(subscription.id = %id, %refusal, "Microsoft refused a customer's change");
                Ok(ChangeOutcome::Refused)
            }
            Err(error) if error.leaves_outcome_unknown() => Ok(ChangeOutcome::Unknown),
            Err(error) => Err(VisitError::Fulfillment(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_form_with_one_valid_change_is_a_request() {
        assert_eq!(parse("want=plan&plan=gold"), Some(ChangeRequest::Plan("gold".into())));
        assert_eq!(parse("want=seats&seats=12"), Some(ChangeRequest::Seats(12)));
        assert_eq!(parse("want=cancel"), Some(ChangeRequest::Cancel));
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
            assert_eq!(parse(form), None, "{form}");
        }
    }
}
