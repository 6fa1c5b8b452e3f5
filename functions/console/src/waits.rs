//! What a subscription waits for, as a sentence.

use jiff::Timestamp;
use shared::domain::{Action, ActivationRequest, Status};

use crate::answers::Record;
use crate::words::{ago, counted, days_left, requester, spaced};

/// `None` if it waits for nothing.
pub(crate) fn waits(record: &Record, now: Timestamp) -> Option<String> {
    let expires = || match days_left(&record.subscription, now).map(i64::unsigned_abs) {
        Some(0) => " It may have expired.".to_owned(),
        Some(days) => format!(" It expires in {}.", counted(days, "day")),
        None => String::new(),
    };
    match record.activation {
        Some(ActivationRequest::AwaitsPublisher { since }) => Some(format!(
            "The buyer confirmed {}. The purchase is waiting for your approval.{}",
            ago(since, now),
            expires()
        )),
        Some(ActivationRequest::AwaitsMicrosoft { since }) => {
            Some(format!("Microsoft was asked to activate the purchase {}.", ago(since, now)))
        }
        None if record.subscription.saas_subscription_status == Status::PendingFulfillmentStart => {
            Some(format!(
                "The purchase is waiting for the buyer to confirm it on the landing page.{}",
                expires()
            ))
        }
        None => pending(record, now),
    }
}

/// What Microsoft is at work on.
fn pending(record: &Record, now: Timestamp) -> Option<String> {
    let pending = record.pending_operation.as_ref()?;
    let request = record.pending_request.as_ref();
    let to = match request.map(|own| (&own.plan_id, own.quantity)) {
        Some((Some(plan), _)) => format!(" to {plan}"),
        Some((None, Some(seats))) => format!(" to {}", counted(seats, "seat")),
        Some((None, None)) | None => String::new(),
    };
    let what = match &pending.action {
        Action::ChangePlan => format!("Plan change{to}"),
        Action::ChangeQuantity if to.is_empty() => "Seat change".to_owned(),
        Action::ChangeQuantity => format!("Change{to}"),
        Action::Unsubscribe => "Cancellation".to_owned(),
        other => spaced(other.as_str()),
    };
    let who = request.map(|own| format!(" ({})", requester(&own.requester))).unwrap_or_default();
    Some(match pending.ruling {
        None => format!(
            "{what} requested {}{who}. It applies once Microsoft confirms it.",
            ago(pending.since, now)
        ),
        Some(_) => format!(
            "{what}: answered {}. Microsoft may not have received the answer yet.",
            ago(pending.since, now)
        ),
    })
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_that_is_not_known_to_have_reached_microsoft_says_so() {
        let since = Timestamp::UNIX_EPOCH;
        let record: Record = serde_json::from_value(json!({
            "subscription": {
                "id": "6f1d5a2e-0c57-4d0a-9a53-3b8c1e7f0a11", "offerId": "fleet",
                "planId": "silver", "saasSubscriptionStatus": "Subscribed",
            },
            "version": 3, "updatedAt": since,
            "pendingOperation": {
                "id": "b1f1d4a0-7c1e-4c86-9d0e-3a5b6c7d8e9f", "action": "ChangePlan",
                "since": since, "decision": { "verdict": "reject", "by": "rules" },
            },
        }))
        .expect("a record");
        let waits = waits(&record, since + SignedDuration::from_mins(2))
            .map(|it| it.replace('\u{a0}', " "));
        let expected =
            "Plan change: answered 2 minutes ago. Microsoft may not have received the answer yet.";
        assert_eq!(waits.as_deref(), Some(expected));
    }
}
