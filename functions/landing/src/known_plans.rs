//! What Microsoft says about a customer's plans: their names and prices.

use shared::domain::Subscription;
use shared::microsoft::fulfillment::{ListPrice, Plan};

/// Empty if Microsoft was not asked, or gave no answer.
#[derive(Debug, Default)]
pub(crate) struct KnownPlans {
    /// The plan in force, as Microsoft shows it if asked for this plan alone: only then it says
    /// whether a private offer is behind the purchase (F-PLN-4).
    pub(crate) own: Option<Box<Plan>>,
    /// The plans that the customer may change to.
    pub(crate) offered: Vec<Plan>,
}

impl KnownPlans {
    pub(crate) fn name(&self, plan_id: &str) -> Option<&str> {
        let named = |plan: &Plan| plan.plan_id.as_deref() == Some(plan_id);
        let own = self.own.as_deref().into_iter();
        let plan = own.chain(&self.offered).find(|plan| named(plan))?;
        plan.display_name.as_deref()
    }

    /// The list price of a plan for the term and the kind of this subscription; `None` if it is unknown,
    /// or may not be the customer's price.
    pub(crate) fn list_price(
        &self,
        subscription: &Subscription,
        plan_id: &str,
    ) -> Option<ListPrice> {
        let own = self.own.as_deref().filter(|own| !own.is_of_private_offer())?;
        let plan = if own.plan_id.as_deref() == Some(plan_id) {
            own
        } else {
            Plan::find(&self.offered, plan_id)?
        };
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
            let plans = KnownPlans { own: own.map(Box::new), offered };
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
        };
        let names = ["team", "max", "bare", "other"].map(|id| plans.name(id));
        assert_eq!(names, [Some("TEAM"), Some("MAX"), None, None]);
    }
}
