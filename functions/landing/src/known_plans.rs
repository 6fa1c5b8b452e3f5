//! What Microsoft says about a customer's plans: their names and prices.

use shared::domain::{Record, SeenPlan, Subscription};
use shared::microsoft::fulfillment::{ListPrice, Plan};

/// Empty if Microsoft was never asked, or gave no answer.
#[derive(Debug, Default)]
pub(crate) struct KnownPlans {
    /// The plan in force, as Microsoft shows it if asked for this plan alone: only then it says
    /// whether a private offer is behind the purchase (F-PLN-4).
    pub(crate) own: Option<Box<Plan>>,
    /// The same at an earlier visit.
    pub(crate) seen: Option<SeenPlan>,
    /// The plans that the customer may change to, and the one in force.
    pub(crate) offered: Vec<Plan>,
}

impl KnownPlans {
    /// What the record remembers.
    pub(crate) fn of(record: &Record) -> Self {
        Self { seen: record.seen_plan().cloned(), ..Self::default() }
    }

    /// A plan as Microsoft has just shown it.
    fn shown(&self, plan_id: &str) -> Option<&Plan> {
        let own = self.own.as_deref().filter(|own| own.plan_id.as_deref() == Some(plan_id));
        own.or_else(|| Plan::find(&self.offered, plan_id))
    }

    pub(crate) fn name(&self, plan_id: &str) -> Option<&str> {
        let shown = self.shown(plan_id).and_then(|plan| plan.display_name.as_deref());
        shown.or_else(|| {
            let seen = self.seen.as_ref().filter(|seen| seen.plan_id == plan_id)?;
            seen.display_name.as_deref()
        })
    }

    /// Whether a private offer is behind the purchase; `None` if it is unknown.
    fn is_of_private_offer(&self) -> Option<bool> {
        let own = self.own.as_deref().map(Plan::is_of_private_offer);
        own.or_else(|| self.seen.as_ref().map(|seen| seen.is_of_private_offer))
    }

    /// The list price of a plan for the term and the kind of this subscription; `None` if it is unknown,
    /// or may not be the customer's price.
    pub(crate) fn list_price(
        &self,
        subscription: &Subscription,
        plan_id: &str,
    ) -> Option<ListPrice> {
        if self.is_of_private_offer()? {
            return None;
        }
        let plan = self.shown(plan_id)?;
        let term = &subscription.term;
        let unit = term.term_unit.as_deref()?;
        // Instalments within a term: whether the price is of one of them or of all is unknown (F-OBJ-8).
        if term.charge_duration.as_deref().is_some_and(|charge| charge != unit) {
            return None;
        }
        let price = plan.list_price(unit)?;
        (price.is_per_seat == subscription.quantity.is_some()).then_some(price)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use shared::domain::{Cause, Decision, observe};
    use shared::microsoft::fulfillment::Amount;

    use super::*;

    fn plan(id: &str, changes: Value) -> Plan {
        let mut plan = json!({
            "planId": id, "displayName": id.to_uppercase(), "isPrivate": false, "isPricePerSeat": true,
            "planComponents": { "recurrentBillingTerms": [
                { "currency": "EUR", "price": 10.5, "termUnit": "P1M" },
            ] },
        });
        for (name, value) in changes.as_object().expect("an object") {
            plan[name] = value.clone();
        }
        serde_json::from_str(&plan.to_string()).expect("a plan")
    }

    fn subscription(changes: Value) -> Subscription {
        let mut copy = json!({
            "id": uuid::Uuid::from_u128(1), "offerId": "offer", "planId": "team", "quantity": 3,
            "saasSubscriptionStatus": "Subscribed", "term": { "termUnit": "P1M" },
        });
        for (name, value) in changes.as_object().expect("an object") {
            copy[name] = value.clone();
        }
        let observed = serde_json::from_value(copy).expect("an observation");
        match observe(None, &observed, &Cause::Landing, jiff::Timestamp::UNIX_EPOCH) {
            Ok(Decision::Commit(next)) => next.record.subscription,
            other => panic!("no record: {other:?}"),
        }
    }

    fn seen(id: &str, is_of_private_offer: bool) -> SeenPlan {
        let display_name = Some("Seen".to_owned());
        SeenPlan { plan_id: id.to_owned(), display_name, is_of_private_offer }
    }

    #[test]
    fn a_price_needs_the_own_plan_without_a_private_offer_and_the_subscriptions_term_and_kind() {
        let team = || Some(plan("team", json!({})));
        let private = json!({ "sourceOffers": [{ "externalId": "x" }] });
        let by_month = || subscription(json!({}));
        for (case, own, subscription, shown) in [
            ("as bought", team(), by_month(), true),
            ("the own plan is unknown", None, by_month(), false),
            ("a private offer", Some(plan("team", private)), by_month(), false),
            (
                "a yearly term",
                team(),
                subscription(json!({ "term": { "termUnit": "P1Y" } })),
                false,
            ),
            ("no term", team(), subscription(json!({ "term": {} })), false),
            ("not by the seat", team(), subscription(json!({ "quantity": null })), false),
            (
                "instalments",
                team(),
                subscription(json!({ "term": { "termUnit": "P1M", "chargeDuration": "P1W" } })),
                false,
            ),
            (
                "one instalment",
                team(),
                subscription(json!({ "term": { "termUnit": "P1M", "chargeDuration": "P1M" } })),
                true,
            ),
        ] {
            let offered = ["team", "max"].map(|id| plan(id, json!({}))).into();
            let plans = KnownPlans { own: own.map(Box::new), offered, seen: None };
            for id in ["team", "max"] {
                let price = plans.list_price(&subscription, id);
                assert_eq!(price.is_some(), shown, "{case}: {id}");
                let amount = Amount::parse("10.5");
                assert_eq!(
                    price.map(|price| price.amount),
                    amount.filter(|_| shown),
                    "{case}: {id}"
                );
            }
            assert_eq!(plans.list_price(&subscription, "other"), None, "{case}");
        }
    }

    #[test]
    fn a_name_is_microsofts_for_the_own_plan_and_for_offered_ones() {
        let plans = KnownPlans {
            own: Some(Box::new(plan("team", json!({})))),
            offered: vec![plan("max", json!({})), plan("bare", json!({ "displayName": null }))],
            seen: Some(seen("former", false)),
        };
        let names = ["team", "max", "bare", "former", "other"].map(|id| plans.name(id));
        assert_eq!(names, [Some("TEAM"), Some("MAX"), None, Some("Seen"), None]);
        let plans = KnownPlans { seen: Some(seen("team", false)), ..plans };
        assert_eq!(plans.name("team"), Some("TEAM"), "an answer is newer than what is remembered");
    }

    #[test]
    fn a_listed_plan_has_a_price_if_no_private_offer_was_seen_behind_the_purchase() {
        let listed = |seen: Option<SeenPlan>| KnownPlans {
            own: None,
            seen,
            offered: ["team", "max"].map(|id| plan(id, json!({}))).into(),
        };
        let subscription = subscription(json!({}));
        for (case, seen, shown) in [
            ("none was seen", Some(seen("team", false)), true),
            ("one was seen", Some(seen("team", true)), false),
            ("nothing was seen", None, false),
        ] {
            let plans = listed(seen);
            for id in ["team", "max"] {
                assert_eq!(plans.list_price(&subscription, id).is_some(), shown, "{case}: {id}");
            }
        }
    }
}
