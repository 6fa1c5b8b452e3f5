//! A change that we ask Microsoft for: another plan, other seats, or the end. The buyer asks on the
//! landing page, the publisher through the API, and both pass the same checks.
//!
//! Microsoft's 202 means received. The change is in force when the webhook says so (F-CHP-7).

use std::sync::Arc;

use jiff::Timestamp;
use thiserror::Error;
use tracing::{info, warn};

use super::ledger::{Ledger, UpdateError};
use crate::domain::{
    Action, CustomerOperation, Decision, Operation, OperationId, OwnRequest, Record, Requester,
    Ruling, Staleness, Status,
};
use crate::microsoft::fulfillment::{AcceptedOperation, FulfillmentError, Marketplace, Plan};

/// One change at a time (F-CHP-4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeRequest {
    Plan(String),
    Seats(u64),
    /// Irreversible (F-CAN-6).
    Cancel,
}

/// What Microsoft says beside the subscription, as far as we could read it.
#[derive(Debug, Default)]
pub struct Terms {
    /// The plans that the customer may change to; empty where they are unknown.
    pub plans: Vec<Plan>,
    /// The operations that Microsoft still knows.
    pub operations: Vec<Operation>,
}

/// Why a change is not requested: Microsoft would refuse it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ChangeRefused {
    #[error("the subscription is over already")]
    Ended,
    /// Only a Subscribed one can be changed (F-CHP-2).
    #[error("the subscription is {0}; only a Subscribed one can be changed")]
    NotSubscribed(Status),
    /// Only the reseller may change a reseller's purchase (F-OBJ-11, F-SEED-9).
    #[error("Microsoft doesn't allow {0} here; a reseller's purchase is changed by the reseller")]
    NotAllowed(CustomerOperation),
    #[error("that is what is in force already")]
    AlreadyInForce,
    #[error("the plan is not sold by the seat")]
    FlatRate,
    #[error("Microsoft does not offer that plan to this customer")]
    PlanNotAvailable,
    #[error("the plan has from {least} to {most} seats; for others, change the plan first")]
    SeatsOutOfLimits { least: u64, most: u64 },
    #[error("another operation is under way; try again when it has ended")]
    OperationPending,
}

/// Why a change could not be checked, or was refused.
#[derive(Debug, Error)]
pub enum CheckError {
    #[error(transparent)]
    Refused(#[from] ChangeRefused),
    #[error(transparent)]
    Fulfillment(#[from] FulfillmentError),
}

/// Why Microsoft has not accepted a request.
#[derive(Debug, Error)]
pub enum RequestError {
    /// We could not store the request, and so did not ask Microsoft.
    #[error(transparent)]
    Update(#[from] UpdateError),
    /// Another writer has changed the record since the request was checked. We did not ask
    /// Microsoft.
    #[error("the record has changed since the request was checked")]
    Overtaken,
    #[error(transparent)]
    Fulfillment(#[from] FulfillmentError),
}

impl ChangeRequest {
    /// Microsoft's name for it.
    pub fn action(&self) -> Action {
        match self {
            Self::Plan(_) => Action::ChangePlan,
            Self::Seats(_) => Action::ChangeQuantity,
            Self::Cancel => Action::Unsubscribe,
        }
    }

    /// The operation that Microsoft would make of it, so that an approval can judge the request
    /// before Microsoft is asked. The id is ours.
    pub fn as_operation(&self, id: OperationId, now: Timestamp) -> Operation {
        let (plan_id, quantity) = self.values();
        Operation {
            id: Some(id),
            subscription_id: None,
            action: Some(self.action()),
            status: None,
            plan_id,
            quantity,
            operation_request_source: None,
            time_stamp: Some(now),
        }
    }

    /// The plan and the seats asked for.
    fn values(&self) -> (Option<String>, Option<u64>) {
        match self {
            Self::Plan(plan) => (Some(plan.clone()), None),
            Self::Seats(seats) => (None, Some(*seats)),
            Self::Cancel => (None, None),
        }
    }

    /// What the record alone rules out (F-CHP-2, F-CHP-8, F-CAN-4).
    pub fn check_record(&self, record: &Record) -> Result<(), ChangeRefused> {
        let subscription = &record.subscription;
        let allowed = |operation: CustomerOperation| {
            if subscription.allows(&operation) {
                Ok(())
            } else {
                Err(ChangeRefused::NotAllowed(operation))
            }
        };
        match (self, record.status()) {
            (Self::Cancel, Status::Unsubscribed) => return Err(ChangeRefused::Ended),
            // F-CAN-6: in any other status.
            (Self::Cancel, _) => return allowed(CustomerOperation::Delete),
            (Self::Plan(_) | Self::Seats(_), Status::Subscribed) => {}
            (Self::Plan(_) | Self::Seats(_), status) => {
                return Err(ChangeRefused::NotSubscribed(status.clone()));
            }
        }
        allowed(CustomerOperation::Update)?;
        match self {
            Self::Plan(plan) if *plan == subscription.plan_id => Err(ChangeRefused::AlreadyInForce),
            Self::Seats(seats) if Some(*seats) == subscription.quantity => {
                Err(ChangeRefused::AlreadyInForce)
            }
            Self::Seats(_) if subscription.quantity.is_none() => Err(ChangeRefused::FlatRate),
            Self::Plan(_) | Self::Seats(_) | Self::Cancel => Ok(()),
        }
    }

    /// What Microsoft's plans rule out (F-PLN-3, F-CHQ-6). Terms that we could not read rule out
    /// nothing: Microsoft checks the request itself.
    pub fn check_plans(
        &self,
        record: &Record,
        plans: &[Plan],
        requester: &Requester,
    ) -> Result<(), ChangeRefused> {
        match self {
            Self::Plan(wanted) => match (Plan::find(plans, wanted), requester) {
                // A plan that is no longer sold is not offered to buyers.
                (Some(plan), Requester::Buyer { .. }) if plan.is_stop_sell == Some(true) => {
                    Err(ChangeRefused::PlanNotAvailable)
                }
                (Some(_), _) => Ok(()),
                // An empty list contradicts itself, since it leaves out the plan in force.
                (None, Requester::Publisher { .. }) if plans.is_empty() => Ok(()),
                (None, _) => Err(ChangeRefused::PlanNotAvailable),
            },
            Self::Seats(seats) => {
                // The list may leave out the plan in force (F-PLN-8), and a plan its limits.
                let own = Plan::find(plans, &record.subscription.plan_id);
                let limits = Plan::seat_limits(own);
                if limits.contains(seats) {
                    return Ok(());
                }
                let (least, most) = limits.into_inner();
                Err(ChangeRefused::SeatsOutOfLimits { least, most })
            }
            Self::Cancel => Ok(()),
        }
    }
}

/// Requests changes of Microsoft.
pub struct ChangeFlow {
    pub marketplace: Arc<dyn Marketplace>,
    pub ledger: Ledger,
}

impl ChangeFlow {
    /// Checks a change against everything that Microsoft would refuse. Returns the terms it was
    /// checked against.
    pub async fn check(
        &self,
        record: &Record,
        request: &ChangeRequest,
        requester: &Requester,
    ) -> Result<Terms, CheckError> {
        request.check_record(record)?;
        // Nothing else blocks a cancellation: Microsoft answers 409 if it has to (F-CAN-4), and a
        // reinstatement that is under way is declined by just this (F-CAN-7).
        if *request == ChangeRequest::Cancel {
            return Ok(Terms::default());
        }
        let terms = self.terms(record, requester).await?;
        if terms.operations.iter().any(|operation| !operation.is_settled()) {
            return Err(ChangeRefused::OperationPending.into());
        }
        request.check_plans(record, &terms.plans, requester)?;
        Ok(terms)
    }

    async fn terms(
        &self,
        record: &Record,
        requester: &Requester,
    ) -> Result<Terms, FulfillmentError> {
        let id = record.id();
        let (plans, operations, awaited) = tokio::join!(
            self.marketplace.list_available_plans(id, None),
            self.marketplace.list_operations(id),
            self.awaited(record),
        );
        let awaited = match (awaited, requester) {
            (Ok(awaited), _) => awaited,
            // What we wait for may still be pending.
            (Err(error), Requester::Buyer { .. }) => return Err(error),
            (Err(_), Requester::Publisher { .. }) => None,
        };
        let unread = |error: FulfillmentError| {
            info!(subscription.id = %id, %error, "could not check a change in full");
        };
        let plans = match (plans, requester) {
            (Ok(plans), _) => plans,
            // The page offers buyers what Microsoft lists, and nothing else.
            (Err(error), Requester::Buyer { .. }) => return Err(error),
            (Err(error), Requester::Publisher { .. }) => {
                unread(error);
                Vec::new()
            }
        };
        let mut operations = operations.map_err(unread).unwrap_or_default();
        operations.extend(awaited);
        Ok(Terms { plans, operations })
    }

    /// The operation that the record waits for. Microsoft's list leaves out an operation that has
    /// not begun (F-OPL-1).
    async fn awaited(&self, record: &Record) -> Result<Option<Operation>, FulfillmentError> {
        let Some(pending) = &record.pending_operation else {
            return Ok(None);
        };
        match self.marketplace.get_operation(record.id(), &pending.id).await {
            Ok(operation) => Ok(Some(operation)),
            Err(FulfillmentError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends a checked and approved request to Microsoft, and notes the operation to wait for. What
    /// we ask for, who wants it and who approved it are stored first. If the error
    /// [leaves the outcome unknown](FulfillmentError::leaves_outcome_unknown), the request must not
    /// be repeated.
    ///
    /// `holds` says whether the request still holds on the record under which it is stored. Another
    /// writer may have changed that record since the request was checked.
    pub async fn request(
        &self,
        record: Record,
        request: &ChangeRequest,
        requester: Requester,
        ruling: Option<Ruling>,
        holds: impl Fn(&Record) -> bool + Send + Sync,
    ) -> Result<AcceptedOperation, RequestError> {
        let (id, now, action) = (record.id(), self.ledger.clock().now(), request.action());
        let by = match &requester {
            Requester::Buyer { .. } => "buyer",
            Requester::Publisher { .. } => "publisher",
        };
        info!(subscription.id = %id, %action, by, "requesting a change");
        let (plan_id, quantity) = request.values();
        let own = OwnRequest {
            action,
            plan_id,
            quantity,
            requester,
            ruling,
            at: now,
            operation_id: None,
        };
        let rule = |record: Option<&Record>| {
            Ok(match record {
                Some(record) if holds(record) => record.note_request(&own, now),
                Some(_) | None => Decision::Stale(Staleness::Settling),
            })
        };
        let noted = self.ledger.update(id, Some(record), None, rule).await?;
        let (Some(record), None) = (noted.record, noted.stale) else {
            return Err(RequestError::Overtaken);
        };
        let accepted = match request {
            ChangeRequest::Plan(plan) => self.marketplace.change_plan(id, plan).await,
            ChangeRequest::Seats(seats) => self.marketplace.change_quantity(id, *seats).await,
            ChangeRequest::Cancel => self.marketplace.cancel(id).await,
        };
        match accepted {
            Ok(accepted) => {
                if let Some(ref operation) = accepted.id {
                    self.note(record, |record, now| record.await_request(operation, &own, now))
                        .await;
                }
                Ok(accepted)
            }
            Err(error) if error.leaves_outcome_unknown() => {
                warn!(
                    subscription.id = %id, %error, class = error.class().name(),
                    "whether Microsoft took the request is unknown"
                );
                Err(error.into())
            }
            Err(error) => {
                self.note(record, |record, now| record.withdraw_request(&own, now)).await;
                Err(error.into())
            }
        }
    }

    /// Notes Microsoft's answer. Microsoft has answered, even if this fails: the webhook still
    /// recognises our request by its values.
    async fn note(
        &self,
        record: Record,
        rule: impl Fn(&Record, Timestamp) -> Decision + Send + Sync,
    ) {
        let (id, now) = (record.id(), self.ledger.clock().now());
        if let Err(error) = self.ledger.note(record, |record| rule(record, now)).await {
            warn!(
                subscription.id = %id, %error, class = error.class().name(),
                "could not note Microsoft's answer to a request"
            );
        }
    }
}

#[cfg(test)]
mod tests;
