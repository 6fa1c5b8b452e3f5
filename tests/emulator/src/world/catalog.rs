//! The offers and plans for sale.

use crate::people::NORTHWIND_TENANT;
use serde_json::{Value, json};
use uuid::Uuid;

#[derive(Clone, Debug)]
pub struct Offer {
    /// `offerId`.
    pub id: String,
    /// In the order in which Microsoft lists them.
    pub plans: Vec<Plan>,
}

#[derive(Clone, Debug)]
pub struct Plan {
    /// `planId`.
    pub id: String,
    pub display_name: String,
    /// The least and the most seats of a per-seat plan.
    pub seats: Option<(u32, u32)>,
    /// An ISO 8601 duration such as `P1M`.
    pub term_unit: String,
    /// In US dollars per term.
    pub price: f64,
    pub has_free_trials: bool,
    /// A purchase is active without Activate (F-LC-4).
    pub auto_activated: bool,
    /// The tenants that may buy the plan. `None`: it is public.
    pub audience: Option<Vec<Uuid>>,
}

impl Plan {
    /// A public flat-rate plan with a monthly term.
    pub fn flat_rate(id: &str, display_name: &str, price: f64) -> Self {
        Self {
            id: id.into(),
            display_name: display_name.into(),
            seats: None,
            term_unit: "P1M".into(),
            price,
            has_free_trials: false,
            auto_activated: false,
            audience: None,
        }
    }

    /// A public per-seat plan with a monthly term.
    pub fn per_seat(id: &str, display_name: &str, price: f64, least: u32, most: u32) -> Self {
        Self { seats: Some((least, most)), ..Self::flat_rate(id, display_name, price) }
    }

    /// Whether this tenant may buy the plan.
    pub fn is_open_to(&self, tenant: Uuid) -> bool {
        self.audience.as_ref().is_none_or(|audience| audience.contains(&tenant))
    }

    /// The JSON in List available plans (F-PLN-2). An answer that is filtered by plan names the
    /// private offer as its `source_offer` (F-PLN-4).
    pub(super) fn wire(&self, source_offer: Option<Uuid>) -> Value {
        let mut plan = json!({
            "planId": self.id,
            "displayName": self.display_name,
            "isPrivate": self.audience.is_some(),
            "description": format!("{} plan", self.display_name),
            "hasFreeTrials": self.has_free_trials,
            "isPricePerSeat": self.seats.is_some(),
            "isStopSell": false,
            "market": "US",
            "planComponents": {
                "recurrentBillingTerms": [{
                    "currency": "USD",
                    "price": self.price,
                    "termUnit": self.term_unit,
                    "termDescription": self.term_description(),
                    "meteredQuantityIncluded": self.metered_quantity(),
                }],
                "meteringDimensions": self.dimensions(),
            }
        });
        if let Some((least, most)) = self.seats {
            plan["minQuantity"] = json!(least);
            plan["maxQuantity"] = json!(most);
        }
        if let Some(external_id) = source_offer {
            plan["sourceOffers"] = json!([{ "externalId": external_id }]);
        }
        plan
    }

    fn term_description(&self) -> &'static str {
        if self.term_unit == "P1Y" { "1 Year Subscription" } else { "1 Month Subscription" }
    }

    // Only flat-rate plans without a trial have dimensions (F-MTR-18).
    fn has_dimensions(&self) -> bool {
        self.seats.is_none() && !self.has_free_trials
    }

    fn metered_quantity(&self) -> Value {
        if self.has_dimensions() {
            json!([{ "dimensionId": "messages", "units": "1000" }])
        } else {
            json!([])
        }
    }

    fn dimensions(&self) -> Value {
        if !self.has_dimensions() {
            return json!([]);
        }
        json!([{
            "id": "messages",
            "currency": "USD",
            "pricePerUnit": 0.02,
            "unitOfMeasure": "message",
            "displayName": "Messages sent",
        }])
    }
}

pub(super) fn default_offers() -> Vec<Offer> {
    let trial = Plan { has_free_trials: true, ..Plan::flat_rate("trial", "Trial", 19.0) };
    let auto = Plan { auto_activated: true, ..Plan::flat_rate("auto", "Self-service", 9.0) };
    let enterprise = Plan {
        term_unit: "P1Y".into(),
        audience: Some(vec![NORTHWIND_TENANT]),
        ..Plan::flat_rate("enterprise", "Enterprise", 12_000.0)
    };
    vec![
        Offer {
            id: "flat-rate-1".into(),
            plans: vec![
                Plan::flat_rate("silver", "Silver", 49.0),
                Plan::flat_rate("gold", "Gold", 99.0),
                Plan::flat_rate("platinum", "Platinum", 199.5),
                trial,
                auto,
                enterprise,
            ],
        },
        Offer {
            id: "per-seat-1".into(),
            plans: vec![
                Plan::per_seat("basic", "Basic", 5.0, 1, 100),
                Plan::per_seat("team", "Team", 4.25, 5, 500),
            ],
        },
    ]
}
