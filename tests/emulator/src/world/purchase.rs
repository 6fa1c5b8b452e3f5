//! What a buyer chooses when buying.

use crate::people::Person;

/// A purchase by Adele, unless a method below changes it.
#[derive(Clone, Debug)]
pub struct Purchase {
    pub(super) offer: String,
    pub(super) plan: String,
    pub(super) quantity: Option<u32>,
    pub(super) name: String,
    pub(super) beneficiary: Person,
    pub(super) purchaser: Person,
    pub(super) free_trial: bool,
    pub(super) auto_activated: bool,
    pub(super) test: bool,
    pub(super) preview: bool,
    pub(super) private_offer: bool,
    pub(super) term_unit: Option<String>,
}

impl Purchase {
    /// A plan of any offer. Only per-seat plans have a quantity.
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

    /// Begins with a free trial (F-LC-9).
    pub fn free_trial(mut self) -> Self {
        self.free_trial = true;
        self
    }

    /// A reseller buys for the customer, who may then only read (F-SEED-9).
    pub fn by_reseller(mut self) -> Self {
        self.purchaser = Person::reseller();
        self
    }

    /// Active at once, without Activate (F-LC-4), with any plan.
    pub fn auto_activated(mut self) -> Self {
        self.auto_activated = true;
        self
    }

    /// The name that the buyer chooses for the subscription.
    pub fn named(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    /// Another person buys the subscription and uses it.
    pub fn by(mut self, person: Person) -> Self {
        self.beneficiary = person.clone();
        self.purchaser = person;
        self
    }

    /// Microsoft marks it as a test purchase.
    pub fn test(mut self) -> Self {
        self.test = true;
        self
    }

    /// A buyer in the preview audience: the offer's id gets a suffix (F-OBJ-2).
    pub fn preview(mut self) -> Self {
        self.preview = true;
        self
    }

    /// Bought through a private offer (F-PLN-4).
    pub fn private_offer(mut self) -> Self {
        self.private_offer = true;
        self
    }

    /// Another term than the plan's, such as `P18M` (F-OBJ-7).
    pub fn term(mut self, unit: &str) -> Self {
        self.term_unit = Some(unit.into());
        self
    }
}
