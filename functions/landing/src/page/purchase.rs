//! A purchase, and a change of it, in a buyer's words.

use jiff::Timestamp;
use shared::domain::{ACTIVATION_DEADLINE, Record, Status, Subscription};
use shared::flows::request_change::ChangeRequest;

use crate::language::{Language, fill};
use crate::manage::ChangeOptions;

pub(super) struct PurchaseSummary {
    /// Labels and values, in the order in which the page shows them.
    pub(super) details: Vec<(String, String)>,
    /// The number of seats, for an input.
    pub(super) seats: Option<u64>,
    pub(super) is_free_trial: bool,
}

impl PurchaseSummary {
    /// For the people whom Microsoft names.
    pub(super) fn of(record: &Record, language: &Language) -> Self {
        let subscription = &record.subscription;
        let labels = &language.phrases.details;
        let purchaser = &subscription.purchaser;
        let is_resold = purchaser.tenant_id != subscription.beneficiary.tenant_id;
        let name = subscription.name.clone().unwrap_or_else(|| subscription.id.to_string());
        let bought = [
            (&labels.subscription, Some(name)),
            (&labels.offer, Some(subscription.offer_id.clone())),
        ];
        let people = [
            (&labels.beneficiary, subscription.beneficiary.email_id.clone()),
            (&labels.purchaser, purchaser.email_id.clone().filter(|_| is_resold)),
        ];
        let terms = terms(subscription, language);
        Self::new(subscription, bought.into_iter().chain(terms).chain(people))
    }

    /// For a colleague: no name and no address.
    pub(super) fn for_colleague(subscription: &Subscription, language: &Language) -> Self {
        Self::new(subscription, terms(subscription, language).into_iter())
    }

    fn new<'a>(
        subscription: &Subscription,
        rows: impl Iterator<Item = (&'a String, Option<String>)>,
    ) -> Self {
        Self {
            details: rows.filter_map(|(label, value)| Some((label.clone(), value?))).collect(),
            seats: subscription.quantity,
            is_free_trial: subscription.is_free_trial,
        }
    }
}

/// Plan, seats and term.
fn terms<'a>(
    subscription: &Subscription,
    language: &'a Language,
) -> [(&'a String, Option<String>); 5] {
    let labels = &language.phrases.details;
    let status = &subscription.saas_subscription_status;
    let renews = *status == Status::Subscribed && subscription.auto_renew.unwrap_or(true);
    let term = &subscription.term;
    [
        (&labels.plan, Some(subscription.plan_id.clone())),
        (&labels.seats, subscription.quantity.map(|seats| language.number(seats))),
        (&labels.term, term.term_unit.as_deref().map(|unit| language.term(unit))),
        (&labels.trial, subscription.is_free_trial.then(|| labels.free_trial.clone())),
        (
            if renews { &labels.renews } else { &labels.valid },
            term.end_date.map(|day| language.day(day)),
        ),
    ]
}

/// A sentence that says until when the buyer should confirm. It only warns: Microsoft decides when
/// an unconfirmed purchase ends (F-LC-3).
pub(super) fn confirmation_deadline(
    record: &Record,
    language: &Language,
    now: Timestamp,
) -> Option<String> {
    let last = record.subscription.created?.checked_add(ACTIVATION_DEADLINE).ok()?;
    let phrase = &language.phrases.pending.deadline;
    (now < last).then(|| fill(phrase, &[("date", &language.day(last))]))
}

pub(super) struct ChangeSummary {
    /// For the reader.
    pub(super) sentence: String,
    /// The form's field `want`.
    pub(super) want: &'static str,
    /// The form's other field, as name and value.
    pub(super) field: Option<(&'static str, String)>,
}

impl ChangeSummary {
    pub(super) fn of(
        request: &ChangeRequest,
        options: &ChangeOptions,
        language: &Language,
    ) -> Self {
        let phrases = &language.phrases.change;
        match request {
            ChangeRequest::Plan(plan) => {
                let name =
                    options.plans.iter().find(|(id, _)| id == plan).map_or(plan, |(_, name)| name);
                Self {
                    sentence: fill(&phrases.plan, &[("plan", name)]),
                    want: "plan",
                    field: Some(("plan", plan.clone())),
                }
            }
            ChangeRequest::Seats(seats) => Self {
                sentence: fill(&phrases.seats, &[("count", &language.number(*seats))]),
                want: "seats",
                field: Some(("seats", seats.to_string())),
            },
            ChangeRequest::Cancel => {
                Self { sentence: phrases.cancel.clone(), want: "cancel", field: None }
            }
        }
    }
}
