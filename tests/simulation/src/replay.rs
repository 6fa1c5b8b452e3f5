//! Replays events, as a consumer does that sees nothing but the events.

use shared::domain::{Event, EventKind, Status, Subscription};

/// Applies one event to the state before it. `Err`: the event doesn't fit that state.
pub(crate) fn apply(before: Option<&Subscription>, event: &Event) -> Result<Subscription, String> {
    let after = &event.subscription;
    let Some(before) = before else {
        return match event.kind {
            EventKind::Purchased | EventKind::Imported { .. } => Ok(after.clone()),
            _ => Err(format!("{} before Purchased", event.kind.name())),
        };
    };
    let mut expected = before.clone();
    match &event.kind {
        EventKind::Purchased => return Err("a second Purchased".to_owned()),
        EventKind::Imported { .. } => return Err("Imported after other events".to_owned()),
        EventKind::ActivationRequested | EventKind::ActivationDeadlineApproaching => {
            require(before, &Status::PendingFulfillmentStart)?;
        }
        EventKind::Activated => {
            require(before, &Status::PendingFulfillmentStart)?;
            expected.saas_subscription_status = Status::Subscribed;
            expected.term.clone_from(&after.term);
        }
        EventKind::PlanChanged { from, to } => {
            fits(*from == before.plan_id && from != to, "PlanChanged from another plan")?;
            expected.plan_id.clone_from(to);
        }
        EventKind::QuantityChanged { from, to } => {
            fits(*from == before.quantity && from != to, "QuantityChanged from another number")?;
            expected.quantity = *to;
        }
        EventKind::Renewed => {
            fits(after.term.start_date > before.term.start_date, "Renewed into an earlier term")?;
            expected.term.clone_from(&after.term);
        }
        EventKind::Claimed { .. } | EventKind::SignedUp => {
            let lives = [Status::Subscribed, Status::Suspended];
            fits(lives.contains(&before.saas_subscription_status), "of what is not active")?;
        }
        EventKind::ChangeRejected { .. } => {}
        EventKind::PersonalDataErased => {
            require(before, &Status::Unsubscribed)?;
            expected = before.without_people();
        }
        EventKind::Test => return Err("a Test of a subscription".to_owned()),
        EventKind::DetailsChanged => {
            fits(before != after, "DetailsChanged without a change")?;
            expected.clone_from(after);
            expected.plan_id.clone_from(&before.plan_id);
            expected.quantity = before.quantity;
            expected.saas_subscription_status = before.saas_subscription_status.clone();
        }
        EventKind::Suspended => {
            require(before, &Status::Subscribed)?;
            expected.saas_subscription_status = Status::Suspended;
        }
        EventKind::Reinstated => {
            require(before, &Status::Suspended)?;
            expected.saas_subscription_status = Status::Subscribed;
        }
        EventKind::Unsubscribed => {
            fits(before.saas_subscription_status != Status::Unsubscribed, "Unsubscribed twice")?;
            // Microsoft may change other details together with the end.
            expected.clone_from(after);
            expected.plan_id.clone_from(&before.plan_id);
            expected.quantity = before.quantity;
            expected.saas_subscription_status = Status::Unsubscribed;
        }
    }
    fits(expected == *after, "more changed than the event says")?;
    Ok(expected)
}

fn require(before: &Subscription, status: &Status) -> Result<(), String> {
    let held = &before.saas_subscription_status;
    fits(held == status, &format!("from {held}, not {status}"))
}

fn fits(condition: bool, what: &str) -> Result<(), String> {
    if condition { Ok(()) } else { Err(what.to_owned()) }
}
