//! What is for sale.

use super::people::{NORTHWIND_TENANT, Person};
use serde_json::{Value, json};
use uuid::Uuid;

/// An offer with its plans.
#[derive(Clone, Debug)]
pub struct Offer {
    /// `offerId`.
    pub id: String,
    /// The plans, in the order in which they are listed.
    pub plans: Vec<Plan>,
}

/// A plan of an offer.
#[derive(Clone, Debug)]
pub struct Plan {
    /// `planId`.
    pub id: String,
    /// `displayName`.
    pub display_name: String,
    /// Seats that can be bought, for per-seat plans.
    pub seats: Option<(u32, u32)>,
    /// The term's unit.
    pub term_unit: String,
    /// The price of a term in US dollars.
    pub price: f64,
    /// Begins with a free trial.
    pub has_free_trials: bool,
    /// Purchases of it need no Activate (F-LC-4).
    pub auto_activated: bool,
    /// The tenants that see the plan. `None`: it is public.
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

    /// Whether this tenant may choose the plan.
    pub fn is_open_to(&self, tenant: Uuid) -> bool {
        self.audience.as_ref().is_none_or(|audience| audience.contains(&tenant))
    }

    /// The form of F-PLN-2. `source_offer`: only when the answer is filtered by plan (F-PLN-4).
    pub(crate) fn wire(&self, source_offer: Option<Uuid>) -> Value {
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
                    "termDescription": if self.term_unit == "P1Y" { "1 Year Subscription" } else { "1 Month Subscription" },
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

    // Dimensions go with flat-rate plans only, and not with trials (F-MTR-18).
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

/// The catalogue of a new world.
pub(crate) fn default_offers() -> Vec<Offer> {
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

/// What somebody buys.
#[derive(Clone, Debug)]
pub struct Purchase {
    pub(crate) offer: String,
    pub(crate) plan: String,
    pub(crate) quantity: Option<u32>,
    pub(crate) name: String,
    pub(crate) beneficiary: Person,
    pub(crate) purchaser: Person,
    pub(crate) free_trial: bool,
    pub(crate) auto_activated: bool,
    pub(crate) test: bool,
    pub(crate) preview: bool,
    pub(crate) private_offer: bool,
    pub(crate) term_unit: Option<String>,
}

impl Purchase {
    /// A plan of any offer. Seats are for per-seat plans.
    pub fn of(offer: &str, plan: &str, quantity: Option<u32>) -> Self {
        Self {
            offer: offer.into(),
            plan: plan.into(),
            quantity,
            name: "Contoso production".into(),
            beneficiary: Person::adele(),
            purchaser: Person::adele(),
            free_trial: false,
            auto_activated: false,
            test: false,
            preview: false,
            private_offer: false,
            term_unit: None,
        }
    }

    /// A plan of the offer `flat-rate-1`.
    pub fn flat_rate(plan: &str) -> Self {
        Self::of("flat-rate-1", plan, None)
    }

    /// A plan of the offer `per-seat-1`.
    pub fn per_seat(plan: &str, seats: u32) -> Self {
        Self::of("per-seat-1", plan, Some(seats))
    }

    /// It begins with a free trial (F-LC-9).
    pub fn free_trial(mut self) -> Self {
        self.free_trial = true;
        self
    }

    /// A reseller buys for the customer: the customer may only read (F-SEED-9).
    pub fn by_reseller(mut self) -> Self {
        self.purchaser = Person::reseller();
        self
    }

    /// Active at once, without Activate (F-LC-4), whatever the plan says.
    pub fn auto_activated(mut self) -> Self {
        self.auto_activated = true;
        self
    }

    /// The name the buyer chooses.
    pub fn named(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    /// Somebody else buys, for themself.
    pub fn by(mut self, person: Person) -> Self {
        self.beneficiary = person.clone();
        self.purchaser = person;
        self
    }

    /// A test purchase.
    pub fn test(mut self) -> Self {
        self.test = true;
        self
    }

    /// Bought from the preview audience: the offer's id gets a suffix (F-OBJ-2).
    pub fn preview(mut self) -> Self {
        self.preview = true;
        self
    }

    /// Bought through a private offer (F-PLN-4).
    pub fn private_offer(mut self) -> Self {
        self.private_offer = true;
        self
    }

    /// A term of its own, such as `P18M` (F-OBJ-7).
    pub fn term(mut self, unit: &str) -> Self {
        self.term_unit = Some(unit.into());
        self
    }
}
