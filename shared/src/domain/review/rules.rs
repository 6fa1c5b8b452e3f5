//! The publisher's static rules about changes, per offer and per plan (`CHANGE_RULES`).
//!
//! ```json
//! { "per-seat-1": {
//!     "noDowngrades": ["basic", "team", "enterprise"],
//!     "plans": { "basic": { "to": ["team"], "minSeats": 5, "maxSeats": 100 } } } }
//! ```
//!
//! A rejection by a rule is final. A change that a rule allows does not fall back to the policy. A
//! change that no rule covers does.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use super::super::operation::Operation;
use super::super::requested_change::RequestedChange;
use super::super::subscription::Subscription;

/// Matches every offer that has no entry of its own.
const ANY_OFFER: &str = "*";

/// The rules by offer. The default has none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct ChangeRules(BTreeMap<String, OfferRules>);

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OfferRules {
    /// Plans from the smallest to the largest. A change to a smaller one is rejected.
    #[serde(default)]
    no_downgrades: Vec<String>,
    #[serde(default)]
    plans: BTreeMap<String, PlanRules>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PlanRules {
    /// The plans this one may be changed to.
    to: Option<BTreeSet<String>>,
    min_seats: Option<u64>,
    max_seats: Option<u64>,
}

/// A malformed `CHANGE_RULES`. The message names the place and never repeats the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RulesError {
    #[error("is not JSON (line {line}, column {column})")]
    NotJson { line: usize, column: usize },
    #[error(
        "has a member that is unknown or of the wrong type (line {line}, column {column}); \
         an offer has noDowngrades and plans, a plan has to, minSeats and maxSeats"
    )]
    Form { line: usize, column: usize },
    /// serde would accept a list in place of an object, and read its entries as the members in
    /// order.
    #[error("has a list where an offer's or a plan's members belong")]
    List,
    #[error("has a noDowngrades that doesn't name two plans or more, each once")]
    Order,
    #[error("has a minSeats above its maxSeats")]
    Seats,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleVerdict {
    Allowed,
    /// With the reason, for people.
    Rejected(String),
}

impl FromStr for ChangeRules {
    type Err = RulesError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rules: Self = serde_json::from_str(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            if error.is_data() {
                RulesError::Form { line, column }
            } else {
                RulesError::NotJson { line, column }
            }
        })?;
        if has_lists(text) {
            return Err(RulesError::List);
        }
        for offer in rules.0.values() {
            let ordered: BTreeSet<_> = offer.no_downgrades.iter().collect();
            if ordered.len() != offer.no_downgrades.len() || ordered.len() == 1 {
                return Err(RulesError::Order);
            }
            let crossed = |plan: &PlanRules| {
                plan.min_seats.zip(plan.max_seats).is_some_and(|(least, most)| least > most)
            };
            if offer.plans.values().any(crossed) {
                return Err(RulesError::Seats);
            }
        }
        Ok(rules)
    }
}

fn has_lists(text: &str) -> bool {
    let rules: Value = serde_json::from_str(text).unwrap_or_default();
    let offers = rules.as_object().into_iter().flat_map(|offers| offers.values());
    let is_list = |offer: &Value| {
        let plans = offer["plans"].as_object().into_iter().flat_map(|plans| plans.values());
        offer.is_array() || plans.into_iter().any(Value::is_array)
    };
    offers.into_iter().any(is_list)
}

impl ChangeRules {
    /// The fewest and the most seats of the plan in force, where a rule limits them.
    pub fn seat_limits(&self, current: &Subscription) -> (Option<u64>, Option<u64>) {
        let plan = self.of(current).and_then(|rules| rules.plans.get(&current.plan_id));
        plan.map_or((None, None), |plan| (plan.min_seats, plan.max_seats))
    }

    fn of(&self, current: &Subscription) -> Option<&OfferRules> {
        let offer = current.public_offer();
        self.0.get(offer).or_else(|| self.0.get(ANY_OFFER))
    }

    /// `None` where no rule covers the change.
    pub fn evaluate(
        &self,
        current: &Subscription,
        operation: &Operation,
        change: &RequestedChange,
    ) -> Option<RuleVerdict> {
        let rules = self.of(current)?;
        match change {
            RequestedChange::Plan { from, to: Some(to) } => {
                // The seats come along to the other plan, which may have limits of its own.
                let seats = operation.quantity.or(current.quantity);
                let limits = seats.and_then(|seats| rules.seats(to, seats));
                // Seats within the limits don't make the plan an allowed one.
                let limits = limits.filter(|verdict| *verdict != RuleVerdict::Allowed);
                let verdicts =
                    [rules.allowed_transition(from, to), rules.downgrade(from, to), limits];
                combined(verdicts)
            }
            RequestedChange::Seats { to: Some(to), .. } => rules.seats(&current.plan_id, *to),
            // A change without a value can't be compared with a rule.
            RequestedChange::Plan { to: None, .. } | RequestedChange::Seats { to: None, .. } => {
                None
            }
        }
    }
}

/// One rejection outweighs every permission.
fn combined(verdicts: [Option<RuleVerdict>; 3]) -> Option<RuleVerdict> {
    let mut allowed = None;
    for verdict in verdicts.into_iter().flatten() {
        match verdict {
            RuleVerdict::Rejected(_) => return Some(verdict),
            RuleVerdict::Allowed => allowed = Some(verdict),
        }
    }
    allowed
}

impl OfferRules {
    fn allowed_transition(&self, from: &str, to: &str) -> Option<RuleVerdict> {
        let allowed = self.plans.get(from)?.to.as_ref()?;
        Some(if allowed.contains(to) {
            RuleVerdict::Allowed
        } else {
            RuleVerdict::Rejected(format!("the plan {from} may not be changed to {to}"))
        })
    }

    fn downgrade(&self, from: &str, to: &str) -> Option<RuleVerdict> {
        let place = |plan: &str| self.no_downgrades.iter().position(|ordered| ordered == plan);
        let (now, then) = (place(from)?, place(to)?);
        Some(if then > now {
            RuleVerdict::Allowed
        } else {
            RuleVerdict::Rejected(format!("a change from {from} to {to} is a downgrade"))
        })
    }

    fn seats(&self, plan: &str, seats: u64) -> Option<RuleVerdict> {
        let PlanRules { min_seats, max_seats, .. } = self.plans.get(plan)?;
        match (min_seats, max_seats) {
            (None, None) => None,
            (Some(least), _) if seats < *least => Some(RuleVerdict::Rejected(format!(
                "{seats} seats are fewer than the minimum of {least} for {plan}"
            ))),
            (_, Some(most)) if seats > *most => Some(RuleVerdict::Rejected(format!(
                "{seats} seats are more than the maximum of {most} for {plan}"
            ))),
            _ => Some(RuleVerdict::Allowed),
        }
    }
}
