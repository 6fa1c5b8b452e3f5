//! The problem that a caller gets for an error. If the error is not the caller's fault, it is
//! logged here, and its text is not sent.

use shared::flows::ledger::UpdateError;
use shared::flows::request_change::ChangeRefused;
use shared::host::http::Problem;
use shared::microsoft::fulfillment::FulfillmentError;
use shared::store::StoreError;
use tracing::error;

use crate::error_code::ErrorCode;

pub(crate) fn store_problem(error: StoreError) -> Problem {
    let class = error.class();
    error!(%error, class = class.name(), "could not use the table");
    Problem::of_class(class)
}

pub(crate) fn update_problem(error: UpdateError) -> Problem {
    let class = error.class();
    error!(%error, class = class.name(), "could not update a record");
    Problem::of_class(class)
}

pub(crate) fn fulfillment_problem(error: FulfillmentError) -> Problem {
    match error {
        FulfillmentError::NotFound(_) => ErrorCode::UnknownToMicrosoft
            .with("Microsoft doesn't know this subscription or operation"),
        FulfillmentError::Refused(refusal) => ErrorCode::Refused
            .with(refusal.message.unwrap_or_else(|| "Microsoft refused the request".to_owned())),
        FulfillmentError::Conflict(refusal) => ErrorCode::OperationPending
            .with(refusal.message.unwrap_or_else(|| ChangeRefused::OperationPending.to_string())),
        // The client has logged it.
        error if error.class().needs_operator() => Problem::of_class(error.class()),
        FulfillmentError::Unauthorized(_)
        | FulfillmentError::Misaddressed(_)
        | FulfillmentError::Token(_)
        | FulfillmentError::Unavailable { .. }
        | FulfillmentError::Unreachable { .. }
        | FulfillmentError::Malformed(_) => {
            let class = error.class();
            error!(%error, class = class.name(), "could not ask Microsoft");
            Problem::of_class(class)
        }
    }
}

/// A request that Microsoft would refuse.
pub(crate) fn refusal(refused: &ChangeRefused) -> Problem {
    let code = match refused {
        ChangeRefused::Ended => ErrorCode::Unsubscribed,
        ChangeRefused::NotSubscribed(_) => ErrorCode::NotSubscribed,
        ChangeRefused::NotAllowed(_) => ErrorCode::NotAllowed,
        ChangeRefused::AlreadyInForce => ErrorCode::AlreadyInForce,
        ChangeRefused::FlatRate => ErrorCode::FlatRate,
        ChangeRefused::PlanNotAvailable => ErrorCode::PlanNotAvailable,
        ChangeRefused::SeatsOutOfLimits { .. } => ErrorCode::QuantityOutOfLimits,
        ChangeRefused::OperationPending => ErrorCode::OperationPending,
    };
    code.with(refused.to_string())
}

pub(crate) fn unknown_subscription() -> Problem {
    ErrorCode::UnknownSubscription.with("there is no such subscription")
}

pub(crate) fn no_receiver() -> Problem {
    ErrorCode::NoReceiver
        .with("no receiver is configured: set DELIVERY_ENDPOINT, DELIVERY_ENDPOINTS or DELIVERY_EVENT_BUS")
}

/// Microsoft may have accepted the request.
pub(crate) fn unknown_outcome() -> Problem {
    ErrorCode::OutcomeUnknown.with(
        "Microsoft gave no answer; look at the subscription and its operations before asking again",
    )
}

#[cfg(test)]
mod tests {
    use shared::domain::{CustomerOperation, Status};

    use super::*;

    #[test]
    fn every_refusal_has_its_stable_code() {
        for (refused, code) in [
            (ChangeRefused::Ended, "unsubscribed"),
            (ChangeRefused::NotSubscribed(Status::Suspended), "not_subscribed"),
            (ChangeRefused::NotAllowed(CustomerOperation::Update), "not_allowed"),
            (ChangeRefused::AlreadyInForce, "already_in_force"),
            (ChangeRefused::FlatRate, "flat_rate"),
            (ChangeRefused::PlanNotAvailable, "plan_not_available"),
            (ChangeRefused::SeatsOutOfLimits { least: 5, most: 20 }, "quantity_out_of_limits"),
            (ChangeRefused::OperationPending, "operation_pending"),
        ] {
            let problem = refusal(&refused);
            assert_eq!((problem.code, problem.detail), (code, refused.to_string()));
            assert_eq!(problem.status, http::StatusCode::CONFLICT);
        }
    }
}
