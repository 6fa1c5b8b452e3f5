//! A change, in a buyer's words: what can be chosen, and what a choice changes.

use shared::flows::request_change::ChangeRequest;

use super::frame::Frame;
use super::price::Price;
use crate::language::fill;
use crate::purchase::Opened;

/// A plan to choose, as its id and the text for the reader.
pub(super) fn plan_choices<'a>(
    ids: &'a [String],
    opened: &Opened,
    frame: &Frame<'_>,
) -> Vec<(&'a str, String)> {
    let (subscription, plans) = (&opened.record.subscription, &opened.plans);
    let text = |id: &str| {
        let name = frame.plan_name(subscription, plans, id);
        match Price::of(frame, plans, subscription, id, subscription.quantity) {
            Some(price) => format!("{name} – {}", price.each),
            None => name.to_owned(),
        }
    };
    ids.iter().map(|id| (id.as_str(), text(id))).collect()
}

/// A value before and after a change.
pub(super) struct Step<'a> {
    pub(super) label: &'a str,
    /// `None` if it is unknown, or stays as it is.
    pub(super) from: Option<String>,
    pub(super) to: String,
}

pub(super) struct ChangeSummary<'a> {
    /// For the reader.
    pub(super) sentence: String,
    /// Empty for a cancellation.
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
        let phrases = &frame.t().change;
        let (subscription, plans) = (&opened.record.subscription, &opened.plans);
        let (plan, seats) = (&subscription.plan_id, subscription.quantity);
        let price = |plan: &str, seats| Price::of(frame, plans, subscription, plan, seats);
        let name = |plan| frame.plan_name(subscription, plans, plan).to_owned();
        let number = |seats| frame.language.number(seats);
        let labels = &frame.t().details;
        match request {
            ChangeRequest::Plan(wanted) => Self::priced(
                Self {
                    sentence: fill(&phrases.plan, &[("plan", &name(wanted))]),
                    steps: vec![Step {
                        label: &labels.plan,
                        from: Some(name(plan)),
                        to: name(wanted),
                    }],
                    is_priced: false,
                    want: "plan",
                    field: Some(("plan", wanted.clone())),
                },
                frame,
                price(plan, seats),
                price(wanted, seats),
            ),
            ChangeRequest::Seats(wanted) => Self::priced(
                Self {
                    sentence: fill(&phrases.seats, &[("count", &number(*wanted))]),
                    steps: vec![Step {
                        label: &labels.seats,
                        from: seats.map(number),
                        to: number(*wanted),
                    }],
                    is_priced: false,
                    want: "seats",
                    field: Some(("seats", wanted.to_string())),
                },
                frame,
                price(plan, seats),
                price(plan, Some(*wanted)),
            ),
            ChangeRequest::Cancel => Self {
                sentence: phrases.cancel.clone(),
                steps: Vec::new(),
                is_priced: false,
                want: "cancel",
                field: None,
            },
        }
    }

    fn priced(self, frame: &Frame<'a>, before: Option<Price>, after: Option<Price>) -> Self {
        let Some(after) = after else { return self };
        let labels = &frame.t().prices;
        let (each_before, total_before) =
            before.map_or((None, None), |before| (Some(before.each), before.total));
        let mut steps = self.steps;
        let mut add = |label: &'a str, from: Option<String>, to: String| {
            let from = from.filter(|from| *from != to);
            steps.push(Step { label, from, to });
        };
        add(&labels.list, each_before, after.each);
        if let Some(total) = after.total {
            add(&labels.total, total_before, total);
        }
        Self { steps, is_priced: true, ..self }
    }
}
