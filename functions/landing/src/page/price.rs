//! List prices, in a buyer's words.

use shared::domain::Subscription;

use super::frame::Frame;
use crate::known_plans::KnownPlans;

/// A list price for a term.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Price {
    /// For a seat, if the plan is sold by the seat.
    pub(super) each: String,
    /// For all seats.
    pub(super) total: Option<String>,
}

impl Price {
    /// `None` if there is no list price, or if nobody could say in words what it is for.
    pub(super) fn of(
        frame: &Frame<'_>,
        plans: &KnownPlans,
        subscription: &Subscription,
        plan_id: &str,
        seats: Option<u64>,
    ) -> Option<Self> {
        let price = plans.list_price(subscription, plan_id)?;
        let unit = subscription.term.term_unit.as_deref()?;
        let (language, phrases) = (frame.language, frame.t());
        let each = language.money(price.amount, &price.currency);
        if !price.is_per_seat {
            let each = language.for_term(&phrases.prices.flat, unit, &each)?;
            return Some(Self { each, total: None });
        }
        let total = price.amount.times(seats?)?;
        let total = language.money(total, &price.currency);
        Some(Self {
            each: language.for_term(&phrases.prices.seat, unit, &each)?,
            total: Some(language.for_term(&phrases.prices.flat, unit, &total)?),
        })
    }
}
