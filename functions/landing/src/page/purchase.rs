//! A purchase and a change of it, in a buyer's words.

use jiff::Timestamp;
use shared::domain::{ACTIVATION_DEADLINE, Record, Status};
use shared::flows::request_change::ChangeRequest;

use crate::language::{Language, filled};
use crate::manage::ChangeOptions;

/// What was bought.
pub(super) struct Purchase {
    /// What the page shows: label and value, in order.
    pub details: Vec<(String, String)>,
    /// The number of seats, as a form has it.
    pub seats: Option<u64>,
    /// A free trial.
    pub trial: bool,
}

impl Purchase {
    /// What a record says, in a language.
    pub(super) fn of(record: &Record, language: &Language) -> Self {
        let subscription = &record.subscription;
        let says = &language.says.details;
        let purchaser = &subscription.purchaser;
        let is_resold = purchaser.tenant_id != subscription.beneficiary.tenant_id;
        let renews =
            *record.status() == Status::Subscribed && subscription.auto_renew.unwrap_or(true);
        let name = subscription.name.clone().unwrap_or_else(|| subscription.id.to_string());
        let term = subscription.term.term_unit.as_deref();
        let rows = [
            (&says.subscription, Some(name)),
            (&says.offer, Some(subscription.offer_id.clone())),
            (&says.plan, Some(subscription.plan_id.clone())),
            (&says.seats, subscription.quantity.map(|seats| language.number(seats))),
            (&says.term, term.map(|unit| language.term(unit))),
            (&says.trial, subscription.is_free_trial.then(|| says.free_trial.clone())),
            (
                if renews { &says.renews } else { &says.valid },
                subscription.term.end_date.map(|day| language.day(day)),
            ),
            (&says.beneficiary, subscription.beneficiary.email_id.clone()),
            (&says.purchaser, purchaser.email_id.clone().filter(|_| is_resold)),
        ];
        let details = rows.into_iter().filter_map(|(label, value)| Some((label.clone(), value?)));
        Self {
            details: details.collect(),
            seats: subscription.quantity,
            trial: subscription.is_free_trial,
        }
    }
}

/// By when a purchase should be confirmed, in a sentence: a warning, and nothing is decided by it
/// (F-LC-3).
pub(super) fn deadline(record: &Record, language: &Language, now: Timestamp) -> Option<String> {
    let last = record.subscription.created?.checked_add(ACTIVATION_DEADLINE).ok()?;
    (now < last).then(|| filled(&language.says.pending.deadline, &[("date", &language.day(last))]))
}

/// A change as a person says it, and as a form does.
pub(super) fn in_words(
    request: &ChangeRequest,
    options: &ChangeOptions,
    language: &Language,
) -> (String, &'static str, Option<(&'static str, String)>) {
    let says = &language.says.change;
    match request {
        ChangeRequest::Plan(plan) => {
            let name =
                options.plans.iter().find(|(id, _)| id == plan).map_or(plan, |(_, name)| name);
            let sentence = filled(&says.plan, &[("plan", name)]);
            (sentence, "plan", Some(("plan", plan.clone())))
        }
        ChangeRequest::Seats(seats) => {
            let sentence = filled(&says.seats, &[("count", &language.number(*seats))]);
            (sentence, "seats", Some(("seats", seats.to_string())))
        }
        ChangeRequest::Cancel => (says.cancel.clone(), "cancel", None),
    }
}
