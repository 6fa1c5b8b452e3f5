//! A purchase in a buyer's words.

use jiff::Timestamp;
use shared::domain::{ACTIVATION_DEADLINE, CustomerOperation, Record, Role, Status, Subscription};

use super::dates::dates;
use super::frame::Frame;
use super::price::Price;
use crate::known_plans::KnownPlans;
use crate::language::{Language, fill};
use crate::purchase::Opened;

pub(super) struct PurchaseSummary<'a> {
    /// The name that the buyer chose, or the id; empty for a colleague.
    pub(super) name: String,
    /// Labels and values, in the order in which the page shows them.
    pub(super) details: Vec<(&'a String, String)>,
    /// Whether a price is among them.
    pub(super) is_priced: bool,
    /// What list prices are, and what they are not.
    pub(super) price_note: &'a str,
    /// The number of seats, for an input.
    pub(super) seats: Option<u64>,
    pub(super) is_free_trial: bool,
    /// Whether a reseller bought it for the person who looks.
    pub(super) is_bought_for_visitor: bool,
}

impl<'a> PurchaseSummary<'a> {
    /// For the people whom Microsoft names.
    pub(super) fn of(opened: &Opened, frame: &Frame<'a>) -> Self {
        let subscription = &opened.record.subscription;
        let labels = &frame.t().details;
        let purchaser = &subscription.purchaser;
        let is_bought_by_another = purchaser.tenant_id != subscription.beneficiary.tenant_id;
        // F-OBJ-11.
        let is_resold = !subscription.allows(&CustomerOperation::Update);
        let name = subscription.name.clone().unwrap_or_else(|| subscription.id.to_string());
        let bought = [(&labels.subscription, Some(name.clone())), offer(subscription, frame)];
        let people = [
            (&labels.beneficiary, subscription.beneficiary.email_id.clone()),
            (&labels.purchaser, purchaser.email_id.clone().filter(|_| is_bought_by_another)),
        ];
        let terms = terms(subscription, &opened.plans, frame);
        let is_declined = opened.record.declined().is_some();
        let price = price(subscription, &opened.plans, frame);
        // The customer pays nothing for a purchase that was declined.
        let price = price.map(|(label, price)| (label, price.filter(|_| !is_declined)));
        let is_priced = price.iter().any(|(_, price)| price.is_some());
        let dates = dates(subscription, opened.record.status_since(), opened.now, frame);
        let dates = dates.into_iter().map(|(label, date)| match is_declined {
            // It has never begun.
            true => (&frame.t().dates.cancelled_on, Some(date)),
            false => (label, Some(date)),
        });
        let rows = bought.into_iter().chain(terms).chain(price).chain(dates).chain(people);
        let prices = &frame.t().prices;
        let price_note = if is_resold { &prices.resold } else { &prices.note };
        let role = opened.visitor.as_ref().map(|visitor| visitor.identification.role);
        let is_bought_for_visitor = is_resold && role.is_none_or(|role| role == Role::Beneficiary);
        Self { name, is_priced, price_note, is_bought_for_visitor, ..Self::new(subscription, rows) }
    }

    /// For a colleague: no name, no address and no price.
    pub(super) fn for_colleague(
        subscription: &Subscription,
        plans: &KnownPlans,
        now: Timestamp,
        frame: &Frame<'a>,
    ) -> Self {
        let dates = dates(subscription, None, now, frame);
        let dates = dates.into_iter().map(|(label, date)| (label, Some(date)));
        let bought = std::iter::once(offer(subscription, frame));
        let rows = bought.chain(terms(subscription, plans, frame)).chain(dates);
        Self::new(subscription, rows)
    }

    fn new(
        subscription: &Subscription,
        rows: impl Iterator<Item = (&'a String, Option<String>)>,
    ) -> Self {
        Self {
            details: rows.filter_map(|(label, value)| Some((label, value?))).collect(),
            name: String::new(),
            is_priced: false,
            price_note: "",
            seats: subscription.quantity,
            is_free_trial: subscription.is_free_trial,
            is_bought_for_visitor: false,
        }
    }
}

fn offer<'a>(subscription: &Subscription, frame: &Frame<'a>) -> (&'a String, Option<String>) {
    (&frame.t().details.offer, frame.shown_offer(subscription))
}

/// Plan, seats and term.
fn terms<'a>(
    subscription: &Subscription,
    plans: &KnownPlans,
    frame: &Frame<'a>,
) -> [(&'a String, Option<String>); 4] {
    let (labels, language) = (&frame.t().details, frame.language);
    let term = subscription.term.term_unit.as_deref();
    // Before the activation, Microsoft names no day on which it ends.
    let is_trial = subscription.is_free_trial
        && subscription.saas_subscription_status == Status::PendingFulfillmentStart;
    [
        (&labels.plan, frame.shown_plan(subscription, plans)),
        (&labels.seats, subscription.quantity.map(|seats| language.number(seats))),
        (&labels.term, term.map(|unit| language.term(unit))),
        (&labels.trial, is_trial.then(|| labels.free_trial.clone())),
    ]
}

/// The list price, and that of all seats.
fn price<'a>(
    subscription: &Subscription,
    plans: &KnownPlans,
    frame: &Frame<'a>,
) -> [(&'a String, Option<String>); 2] {
    let labels = &frame.t().prices;
    let (each, total) = match subscription.is_free_trial {
        true => (&labels.after_trial, &labels.total_after_trial),
        false => (&labels.list, &labels.total),
    };
    let seats = subscription.quantity;
    let price = Price::of(frame, plans, subscription, &subscription.plan_id, seats);
    let (price, all) = price.map_or((None, None), |price| (Some(price.each), price.total));
    [(each, price), (total, all)]
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
