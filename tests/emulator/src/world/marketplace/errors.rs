//! The marketplace's error answers.

use super::super::checks::Refused;
use super::super::error_form::ErrorForm;
use crate::wire::Reply;
use serde_json::json;
use uuid::Uuid;

pub(super) fn version_error(code: &str, message: &str) -> Reply {
    ErrorForm::Capitalised.reply(400, code, message)
}

/// A 400 in the documented form.
pub(super) fn bad_request(target: &str, message: &str) -> Reply {
    error(400, "BadArgument", target, message)
}

pub(super) fn error(status: u16, code: &str, target: &str, message: &str) -> Reply {
    let details = json!([{ "message": message, "target": target, "code": code }]);
    Reply::json(
        status,
        &json!({ "message": message, "target": target, "code": code, "details": details }),
    )
}

pub(super) fn not_found(id: Uuid) -> Reply {
    let message = format!("Subscription {id} not found");
    Reply::json(
        404,
        &json!({ "message": message, "target": "subscriptionId", "code": "EntityNotFound" }),
    )
}

/// The 400 that says why a change is refused (F-CHP-8, F-CHQ-3).
pub(super) fn refusal(reason: &Refused) -> Reply {
    let (target, message) = match reason {
        Refused::UnknownSubscription => {
            ("subscriptionId", "The subscription is not known.".to_owned())
        }
        Refused::InStatus(_) => ("subscriptionId", "The subscription is not active.".to_owned()),
        Refused::Pending => {
            ("subscriptionId", "The subscription is locked by a pending operation.".to_owned())
        }
        Refused::UnknownPlan(plan) => ("planId", format!("The plan {plan} is not in catalog.")),
        Refused::SameValue => ("request", "The subscription has this value already.".to_owned()),
        Refused::SeatsOutOfRange(least, most) => {
            ("quantity", format!("The quantity must be {least} to {most}."))
        }
        Refused::NotPerSeat => ("quantity", "The plan has no quantity.".to_owned()),
        Refused::NothingToRevert => ("request", "There is nothing to revert.".to_owned()),
    };
    bad_request(target, &message)
}
