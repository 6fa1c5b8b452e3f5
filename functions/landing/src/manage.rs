//! The changes that a customer may request on the page: another plan, other seats, or the end
//! (F-LP-3, F-CHP-3, F-CAN-2).

use std::ops::RangeInclusive;

use shared::domain::{
    Cause, CustomerOperation, OperationId, Record, Requested, Requester, Ruling, Status, Verdict,
    reject,
};
use shared::flows::request_change::{ChangeRefused, ChangeRequest, CheckError, RequestError};
use shared::host::error_class::ErrorClass;
use shared::host::http::form_field;
use shared::microsoft::fulfillment::{FulfillmentError, Plan};
use shared::publisher::approval::{ChangeApproval, ChangeContext};
use tracing::warn;

use crate::known_plans::KnownPlans;
use crate::purchase::{Opened, Purchases, VisitError};

/// The changes that the page offers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ChangeOptions {
    /// The ids of the plans other than the current one (F-PLN-3).
    pub(crate) plans: Vec<String>,
    /// The fewest and the most seats, if the plan is sold by the seat.
    pub(crate) seats: Option<(u64, u64)>,
    pub(crate) cancel: bool,
}

impl ChangeOptions {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The result of a confirmed change.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ChangeOutcome {
    /// Microsoft received the request. The webhook reports when the change is in force (F-CHP-7).
    Requested,
    /// The publisher rejects the change. Microsoft was not asked.
    Declined,
    /// Microsoft refuses the change, or another one is in progress or came into force meanwhile.
    Refused,
    /// Microsoft did not answer, and may have received the request (F-ERR-2).
    Unknown,
}

/// Whether the page may show the chosen change for confirmation.
pub(crate) enum Choice {
    Offered {
        /// Microsoft's plans for this customer; empty for a cancellation.
        plans: Vec<Plan>,
        requester: Requester,
    },
    NotOffered,
    /// Another change is still in progress.
    Blocked,
}

/// The visitor as the requester of a change or a cancellation, if they may ask for it: only the
/// person whom Microsoft names as the beneficiary, and only if Microsoft allows it. Microsoft does
/// not for a reseller's purchase (F-OBJ-11, F-SEED-9). This visit's role counts; the record keeps
/// an earlier one as history.
fn requester(opened: &Opened, operation: &CustomerOperation) -> Option<Requester> {
    let Opened { record, visitor, .. } = opened;
    let visitor = visitor.filter(|visitor| visitor.identification.is_named_beneficiary())?;
    let may = *record.status() == Status::Subscribed && record.subscription.allows(operation);
    may.then_some(Requester::Buyer { account: visitor.account })
}

/// Whether the visitor may ask for a change or a cancellation.
pub(crate) fn may_change(opened: &Opened, operation: &CustomerOperation) -> bool {
    requester(opened, operation).is_some()
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

impl Purchases {
    /// The changes that the page offers now. Asks Microsoft for the plans only if the visitor may
    /// change to one.
    pub(crate) async fn change_options(
        &self,
        opened: &mut Opened,
    ) -> Result<ChangeOptions, VisitError> {
        let record = &opened.record;
        let may_update = may_change(opened, &CustomerOperation::Update);
        let offered = async {
            if !may_update {
                return Ok(Vec::new());
            }
            self.changes.marketplace.list_available_plans(record.id(), None).await
        };
        let own = if may_update { self.own_plan_if_unseen(record) } else { self.own_plan(record) };
        let (own, offered) = tokio::join!(own, offered);
        let offered = offered.map_err(VisitError::Fulfillment)?;
        let options = self.options_among(opened, &offered);
        opened.plans = KnownPlans { own, offered, ..KnownPlans::of(&opened.record) };
        Ok(options)
    }

    /// The part of Microsoft's list that this customer may choose from. Microsoft and the publisher
    /// allow all of it, though the publisher's product may still reject a change.
    fn options_among(&self, opened: &Opened, listed: &[Plan]) -> ChangeOptions {
        let cancel = may_change(opened, &CustomerOperation::Delete);
        let Some(requester) = requester(opened, &CustomerOperation::Update) else {
            return ChangeOptions { cancel, ..ChangeOptions::default() };
        };
        let record = &opened.record;
        let is_offered = |request: &ChangeRequest| {
            request.check_record(record).is_ok()
                && request.check_plans(record, listed, &requester).is_ok()
                && self.may_accept(record, request)
        };
        let ids = listed.iter().filter_map(|plan| plan.plan_id.as_ref());
        let plans =
            ids.filter(|id| is_offered(&ChangeRequest::Plan(id.to_string()))).cloned().collect();
        let seats = seat_limits(&self.approval, record, listed);
        // Within the limits of the rules, the rules treat every other number of seats alike.
        let another = seats.clone().find(|seats| Some(*seats) != record.subscription.quantity);
        let seats = another
            .filter(|seats| is_offered(&ChangeRequest::Seats(*seats)))
            .map(|_| seats.into_inner());
        ChangeOptions { plans, seats, cancel }
    }

    /// Whether the publisher's rules allow the change.
    fn may_accept(&self, record: &Record, request: &ChangeRequest) -> bool {
        let clock = self.changes.ledger.clock();
        let operation = request.as_operation(OperationId::from(clock.new_id()), clock.now());
        *request == ChangeRequest::Cancel || self.approval.may_accept(record, &operation)
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
        let Some(requester) = requester(opened, &operation) else { return Ok(Choice::NotOffered) };
        match self.changes.check(&opened.record, request, &requester).await {
            Ok(_) if !self.may_accept(&opened.record, request) => Ok(Choice::NotOffered),
            Ok(terms) => Ok(Choice::Offered { plans: terms.plans, requester }),
            Err(CheckError::Refused(ChangeRefused::OperationPending)) => Ok(Choice::Blocked),
            Err(CheckError::Refused(_)) => Ok(Choice::NotOffered),
            Err(CheckError::Fulfillment(error)) => Err(VisitError::Fulfillment(error)),
        }
    }

    /// Requests a change that the customer has confirmed, if the publisher accepts it. The webhook
    /// does not ask the publisher again. A record that changes meanwhile needs another decision, so
    /// Microsoft is not asked.
    pub(crate) async fn request_change(
        &self,
        record: Record,
        request: &ChangeRequest,
        plans: Vec<Plan>,
        requester: Requester,
    ) -> Result<ChangeOutcome, VisitError> {
        let approval = match request {
            ChangeRequest::Plan(_) | ChangeRequest::Seats(_) => {
                Some(self.decide(&record, request, plans).await?)
            }
            ChangeRequest::Cancel => None,
        };
        if approval.as_ref().is_some_and(|ruling| ruling.verdict == Verdict::Reject) {
            return Ok(ChangeOutcome::Declined);
        }
        let (id, decided_on) = (record.id(), record.subscription.clone());
        let holds = |record: &Record| record.subscription == decided_on;
        match self.changes.request(record, request, requester, approval, holds).await {
            Ok(_) => Ok(ChangeOutcome::Requested),
            Err(RequestError::Overtaken) => Ok(ChangeOutcome::Refused),
            Err(RequestError::Update(error)) => Err(error.into()),
            Err(RequestError::Fulfillment(
                FulfillmentError::Refused(refusal)
                | FulfillmentError::Conflict(refusal)
                | FulfillmentError::NotFound(refusal),
            )) => {
                warn!(
                    subscription.id = %id, %refusal, class = ErrorClass::Refused.name(),
                    "Microsoft refused a customer's change"
                );
                Ok(ChangeOutcome::Refused)
            }
            Err(RequestError::Fulfillment(error)) if error.leaves_outcome_unknown() => {
                Ok(ChangeOutcome::Unknown)
            }
            Err(RequestError::Fulfillment(error)) => Err(VisitError::Fulfillment(error)),
        }
    }

    /// The publisher's decision about the change. A rejection is recorded.
    async fn decide(
        &self,
        record: &Record,
        request: &ChangeRequest,
        plans: Vec<Plan>,
    ) -> Result<Ruling, VisitError> {
        let ledger = &self.changes.ledger;
        let (id, now) = (OperationId::from(ledger.clock().new_id()), ledger.clock().now());
        let operation = request.as_operation(id.clone(), now);
        let requested = Requested {
            subscription: record.id(),
            id: id.clone(),
            action: request.action(),
            operation: Some(operation.clone()),
            cause: Cause::Landing,
        };
        let context = ChangeContext { plans: Some(plans) };
        let ruling = self.approval.decide(record, &requested, &operation, &context).await;
        if ruling.verdict == Verdict::Reject {
            let rule = |record: &Record| {
                reject(record, &id, &operation, &Cause::Landing, &ruling, ledger.clock().now())
            };
            ledger.note(record.clone(), rule).await?;
        }
        Ok(ruling)
    }
}

/// The numbers of seats that Microsoft's plan and the publisher's rules allow; empty where the plan
/// in force is not sold by the seat.
fn seat_limits(approval: &ChangeApproval, record: &Record, listed: &[Plan]) -> RangeInclusive<u64> {
    if record.subscription.quantity.is_none() {
        return RangeInclusive::new(1, 0);
    }
    let current = Plan::find(listed, &record.subscription.plan_id);
    let (least, most) = Plan::seat_limits(current).into_inner();
    let (min, max) = approval.rules.seat_limits(&record.subscription);
    RangeInclusive::new(least.max(min.unwrap_or(least)), most.min(max.unwrap_or(most)))
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
