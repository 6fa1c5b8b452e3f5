//! The publisher's rules about changes, as `CHANGE_RULES` and once more as code, written from the
//! table in `functions/README.md`.

use shared::domain::{DecidedBy, Ruling, Subscription, Verdict};
use shared::flows::request_change::ChangeRequest;

use crate::choices::Choices;

pub(crate) const CHANGE_RULES: &str = r#"{
    "per-seat-1": {
        "noDowngrades": ["basic", "team"],
        "plans": { "basic": { "maxSeats": 40 }, "team": { "minSeats": 8, "maxSeats": 30 } } },
    "*": {
        "noDowngrades": ["silver", "gold"],
        "plans": { "silver": { "to": ["gold"] }, "platinum": { "to": ["gold", "silver"] } } }
}"#;

/// What the rules say about a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    Allows,
    Forbids,
    Silent,
}

/// What a change starts from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Basis<'a> {
    pub(crate) offer: &'a str,
    pub(crate) plan: &'a str,
    pub(crate) seats: Option<u64>,
}

impl<'a> Basis<'a> {
    pub(crate) fn record(subscription: &'a Subscription) -> Self {
        Self {
            offer: &subscription.offer_id,
            plan: &subscription.plan_id,
            seats: subscription.quantity,
        }
    }
}

impl Choices {
    /// What the publisher's rules say about a change.
    pub(crate) fn rule(self, from: Basis<'_>, wanted: &ChangeRequest) -> Rule {
        let forbids_if = |forbids| if forbids { Rule::Forbids } else { Rule::Allows };
        if !self.rules {
            return Rule::Silent;
        }
        match (from.offer, from.plan, wanted) {
            (_, _, ChangeRequest::Cancel) => Rule::Silent,
            ("per-seat-1", "basic", ChangeRequest::Plan(to)) if to == "team" => {
                forbids_if(from.seats.is_some_and(|seats| !(8..=30).contains(&seats)))
            }
            ("per-seat-1", "team", ChangeRequest::Plan(to)) if to == "basic" => Rule::Forbids,
            ("per-seat-1", "basic", ChangeRequest::Seats(seats)) => forbids_if(*seats > 40),
            ("per-seat-1", "team", ChangeRequest::Seats(seats)) => {
                forbids_if(!(8..=30).contains(seats))
            }
            ("per-seat-1", _, _) => Rule::Silent,
            (_, "silver", ChangeRequest::Plan(to)) => forbids_if(to != "gold"),
            (_, "gold", ChangeRequest::Plan(to)) if to == "silver" => Rule::Forbids,
            (_, "platinum", ChangeRequest::Plan(to)) => forbids_if(to != "gold" && to != "silver"),
            (_, _, ChangeRequest::Plan(_) | ChangeRequest::Seats(_)) => Rule::Silent,
        }
    }

    /// What the settings alone say about a change.
    pub(crate) fn verdict(self, from: Basis<'_>, wanted: &ChangeRequest) -> Verdict {
        match self.rule(from, wanted) {
            Rule::Allows => Verdict::Accept,
            Rule::Forbids => Verdict::Reject,
            Rule::Silent if self.rejects => Verdict::Reject,
            Rule::Silent => Verdict::Accept,
        }
    }

    /// Whether the publisher's settings and product decide so about a change that is neither our own
    /// nor in force. `product` is what the product says when it is asked.
    pub(crate) fn decide(
        self,
        from: Basis<'_>,
        wanted: &ChangeRequest,
        product: Option<Verdict>,
        ruling: &Ruling,
    ) -> bool {
        let rule = self.rule(from, wanted);
        let alone = self.verdict(from, wanted);
        let expected = match ruling.by {
            DecidedBy::Rules => match rule {
                Rule::Forbids => Some(Verdict::Reject),
                Rule::Allows => (!self.asks).then_some(Verdict::Accept),
                Rule::Silent => None,
            },
            DecidedBy::Policy => (rule == Rule::Silent && !self.asks).then_some(alone),
            DecidedBy::Product => product.filter(|_| self.asks && rule != Rule::Forbids),
            DecidedBy::Fallback => {
                (self.asks && rule != Rule::Forbids).then_some(self.fallback.unwrap_or(alone))
            }
            DecidedBy::Publisher | DecidedBy::InForce => None,
        };
        expected == Some(ruling.verdict)
    }
}
