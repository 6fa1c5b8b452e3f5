//! A change, in a buyer's words: what can be chosen, and what a choice changes.

use shared::flows::request_change::ChangeRequest;

use super::frame::Frame;
use super::price::Price;
use crate::language::{Question, fill};
use crate::purchase::Opened;

/// A plan to choose.
pub(super) struct PlanChoice<'a> {
    pub(super) id: &'a str,
    pub(super) name: String,
    /// Its list price.
    pub(super) price: Option<String>,
}

pub(super) fn plan_choices<'a>(
    ids: &'a [String],
    opened: &Opened,
    frame: &Frame<'_>,
) -> Vec<PlanChoice<'a>> {
    let (subscription, plans) = (&opened.record.subscription, &opened.plans);
    let choice = |id: &'a String| PlanChoice {
        id,
        name: frame.plan_name(subscription, plans, id).to_owned(),
        price: Price::of(frame, plans, subscription, id, subscription.quantity)
            .map(|price| price.each),
    };
    ids.iter().map(choice).collect()
}

/// A value before and after a change.
pub(super) struct Step<'a> {
    pub(super) label: &'a str,
    /// `None` if it is unknown, or stays as it is.
    pub(super) from: Option<String>,
    pub(super) to: String,
}

pub(super) struct ChangeSummary<'a> {
    /// The question, and the texts of its two buttons.
    pub(super) title: String,
    pub(super) yes: String,
    pub(super) no: String,
    /// For a cancellation, what is cancelled.
    pub(super) steps: Vec<Step<'a>>,
    /// Whether a price is among them.
    pub(super) is_priced: bool,
    /// The form's field `want`.
    pub(super) want: &'static str,
    /// The form's other field, as name and value.
    pub(super) field: Option<(&'static str, String)>,
}

impl<'a> ChangeSummary<'a> {
    pub(super) fn of(request: &ChangeRequest, opened: &Opened, frame: &Frame<'a>) -> Self {
        let subscription = &opened.record.subscription;
        match request {
            ChangeRequest::Plan(wanted) => Self::of_plan(wanted, opened, frame),
            ChangeRequest::Seats(wanted) => {
                Self::of_seats(*wanted, subscription.quantity, opened, frame)
            }
            ChangeRequest::Cancel => {
                let Question { title, yes, no } = &frame.t().change.cancel;
                Self {
                    title: title.clone(),
                    yes: yes.clone(),
                    no: no.clone(),
                    steps: as_it_is(opened, frame),
                    is_priced: false,
                    want: "cancel",
                    field: None,
                }
            }
        }
    }

    fn of_plan(wanted: &str, opened: &Opened, frame: &Frame<'a>) -> Self {
        let (subscription, plans) = (&opened.record.subscription, &opened.plans);
        let price = |plan: &str| Price::of(frame, plans, subscription, plan, subscription.quantity);
        let name = |plan: &str| frame.plan_name(subscription, plans, plan).to_owned();
        let [from, to] = [&subscription.plan_id, wanted].map(name);
        let Question { title, yes, no } = &frame.t().change.plan;
        let label = &frame.t().details.plan;
        let (before, after) = (price(&subscription.plan_id), price(wanted));
        Self {
            title: fill(title, &[("plan", &to)]),
            yes: fill(yes, &[("plan", &to)]),
            no: fill(no, &[("plan", &from)]),
            is_priced: after.is_some(),
            steps: with_prices(Step { label, from: Some(from), to }, frame, before, after)
                .into_iter()
                .chain(seats(opened, frame))
                .collect(),
            want: "plan",
            field: Some(("plan", wanted.to_owned())),
        }
    }

    fn of_seats(wanted: u64, seats: Option<u64>, opened: &Opened, frame: &Frame<'a>) -> Self {
        let (subscription, plans) = (&opened.record.subscription, &opened.plans);
        let plan = &subscription.plan_id;
        let price = |seats| Price::of(frame, plans, subscription, plan, seats);
        let phrases = &frame.t().change;
        let question = |seats| if seats == 1 { &phrases.one_seat } else { &phrases.seats };
        let number = |seats| frame.language.number(seats);
        let about = |phrase: &str, seats| fill(phrase, &[("count", &number(seats))]);
        let label = &frame.t().details.seats;
        let (before, after) = (price(seats), price(Some(wanted)));
        let kept = seats.unwrap_or_default();
        Self {
            title: about(&question(wanted).title, wanted),
            yes: about(&question(wanted).yes, wanted),
            no: about(&question(kept).no, kept),
            is_priced: after.is_some(),
            steps: with_prices(
                Step { label, from: seats.map(number), to: number(wanted) },
                frame,
                before,
                after,
            ),
            want: "seats",
            field: Some(("seats", wanted.to_string())),
        }
    }
}

/// The plan and the seats, which nothing changes.
fn as_it_is<'a>(opened: &Opened, frame: &Frame<'a>) -> Vec<Step<'a>> {
    let subscription = &opened.record.subscription;
    let plan = frame.plan_name(subscription, &opened.plans, &subscription.plan_id).to_owned();
    let plan = Step { label: &frame.t().details.plan, from: None, to: plan };
    std::iter::once(plan).chain(seats(opened, frame)).collect()
}

/// The seats, which nothing changes.
fn seats<'a>(opened: &Opened, frame: &Frame<'a>) -> Option<Step<'a>> {
    let seats = opened.record.subscription.quantity?;
    Some(Step { label: &frame.t().details.seats, from: None, to: frame.language.number(seats) })
}

/// Adds the prices before and after.
fn with_prices<'a>(
    step: Step<'a>,
    frame: &Frame<'a>,
    before: Option<Price>,
    after: Option<Price>,
) -> Vec<Step<'a>> {
    let Some(after) = after else { return vec![step] };
    let labels = &frame.t().prices;
    let (each, total) = before.map_or((None, None), |before| (Some(before.each), before.total));
    let priced = |label: &'a str, from: Option<String>, to: String| {
        let from = from.filter(|from| *from != to);
        Step { label, from, to }
    };
    let total = after.total.map(|to| priced(&labels.total, total, to));
    [step, priced(&labels.list, each, after.each)].into_iter().chain(total).collect()
}
