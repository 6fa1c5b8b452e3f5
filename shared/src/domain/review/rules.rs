//! The publisher's static rules about changes, per offer and per plan. They need nobody to be asked.
//!
//! ```json
//! { "per-seat-1": {
//!     "noDowngrades": ["basic", "team", "enterprise"],
//!     "plans": { "basic": { "to": ["team"], "minSeats": 5, "maxSeats": 100 } } } }
//! ```
//!
//! A rejection by a rule is final. What a rule allows is not left to the policy any more; what no rule
//! speaks about is.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use super::RequestedChange;
use crate::domain::operation::Operation;
use crate::domain::subscription::Subscription;

/// Stands for every offer that isn't named.
const ANY_OFFER: &str = "*";

/// The suffix of offers bought by the preview audience (F-OBJ-2): they are tried out under the rules
/// they will be sold under.
const PREVIEW: &str = "-preview";

/// The rules by offer. None at all is the default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct ChangeRules(BTreeMap<String, OfferRules>);

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OfferRules {
    /// Plans from the smallest to the largest; no change leads back in this order.
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

/// What is wrong with a text of rules. Says where, and never what stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RulesError {
    /// It isn't JSON.
    #[error("is not JSON (line {line}, column {column})")]
    NotJson {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// It is JSON of another form.
    #[error(
        "has a member that is unknown or of the wrong type (line {line}, column {column}); an offer has noDowngrades and plans, a plan has to, minSeats and maxSeats"
    )]
    Form {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// The derived reader would take a list as well, for the members in the order of this program.
    #[error("has a list where an offer's or a plan's members belong")]
    List,
    /// An order that orders nothing.
    #[error("has a noDowngrades that doesn't name two plans or more, each once")]
    Order,
    /// No number of seats would do.
    #[error("has a minSeats above its maxSeats")]
    Seats,
}

/// What a rule says about a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It is one of those that are allowed.
    Allowed,
    /// It isn't, and why.
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
    /// What the rules say; `None` where none speaks about it.
    pub fn say(
        &self,
        current: &Subscription,
        operation: &Operation,
        change: &RequestedChange,
    ) -> Option<Said> {
        let offer = current.offer_id.strip_suffix(PREVIEW).unwrap_or(&current.offer_id);
        let rules = self.0.get(offer).or_else(|| self.0.get(ANY_OFFER))?;
        match change {
            RequestedChange::Plan { from, to: Some(to) } => {
                // The seats come along to the other plan, which may have limits of its own.
                let seats = operation.quantity.or(current.quantity);
                let limits = seats.and_then(|seats| rules.seats(to, seats));
                // That they fit allows the seats, and not yet the plan.
                let limits = limits.filter(|said| *said != Said::Allowed);
                first_rejection([rules.way(from, to), rules.order(from, to), limits])
            }
            RequestedChange::Seats { to: Some(to), .. } => rules.seats(&current.plan_id, *to),
            // Nobody can say anything about a value that isn't said.
            RequestedChange::Plan { to: None, .. } | RequestedChange::Seats { to: None, .. } => {
                None
            }
        }
    }
}

/// One rule that forbids outweighs all that allow.
fn first_rejection(said: [Option<Said>; 3]) -> Option<Said> {
    let mut allowed = None;
    for said in said.into_iter().flatten() {
        match said {
            Said::Rejected(_) => return Some(said),
            Said::Allowed => allowed = Some(said),
        }
    }
    allowed
}

impl OfferRules {
    fn way(&self, from: &str, to: &str) -> Option<Said> {
        let allowed = self.plans.get(from)?.to.as_ref()?;
        Some(if allowed.contains(to) {
            Said::Allowed
        } else {
            Said::Rejected(format!("the plan {from} may not be changed to {to}"))
        })
    }

    fn order(&self, from: &str, to: &str) -> Option<Said> {
        let place = |plan: &str| self.no_downgrades.iter().position(|ordered| ordered == plan);
        let (now, then) = (place(from)?, place(to)?);
        Some(if then > now {
            Said::Allowed
        } else {
            Said::Rejected(format!("a change from {from} to {to} is a downgrade"))
        })
    }

    fn seats(&self, plan: &str, seats: u64) -> Option<Said> {
        let PlanRules { min_seats, max_seats, .. } = self.plans.get(plan)?;
        match (min_seats, max_seats) {
            (None, None) => None,
            (Some(least), _) if seats < *least => Some(Said::Rejected(format!(
                "{seats} seats are fewer than the {least} that {plan} begins with"
            ))),
            (_, Some(most)) if seats > *most => Some(Said::Rejected(format!(
                "{seats} seats are more than the {most} that {plan} ends with"
            ))),
            _ => Some(Said::Allowed),
        }
    }
}
