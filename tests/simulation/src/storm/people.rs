//! People on the landing page, with sign-in on: the buyer, and others who hold the same link.

use emulator::{Person, Purchase};
use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use shared::flows::request_change::ChangeRequest;
use uuid::Uuid;

use crate::browser::Step;
use crate::run::Run;

/// A purchase by one of the people, with a name that no page shows by chance.
pub(super) fn by_a_person(rng: &mut SmallRng, purchase: Purchase, number: usize) -> Purchase {
    let purchase = purchase.named(&format!("Fleet-{number}-of-the-buyer"));
    match rng.random_range(0..8) {
        0 => purchase.by(Person::guest()),
        1 => purchase.by(Person::personal()),
        _ => purchase,
    }
}

impl Run {
    /// The beneficiary signs in and presses the button on the landing page.
    pub(crate) fn sign_in_and_confirm(&mut self, id: Uuid) {
        let beneficiary = self.io.world(|world| world.subscription(id).beneficiary.clone());
        let browser = self.browser(&beneficiary, id);
        self.look(browser, Step::Arrive);
        self.finish();
        self.submit(browser, Step::Confirm, &[("contact", "adele@contoso.example")], false);
    }

    /// Someone opens the landing page.
    pub(super) fn person_looks(&mut self, id: Uuid) {
        let browser = self.any_browser(id);
        let step = self.io.decide(|rng| match rng.random_range(0..10) {
            0..4 => Step::Look,
            4..6 => Step::OfferChanges,
            6..8 => Step::SignInAsGuest,
            8 => Step::Arrive,
            _ => Step::SignOut,
        });
        match step {
            Step::SignOut => self.submit(browser, step, &[], false),
            _ if self.browsers[browser].form_token().is_none() => self.look(browser, Step::Arrive),
            _ => self.look(browser, step),
        }
    }

    /// Someone presses the button on the landing page.
    pub(super) fn person_confirms(&mut self, id: Uuid) {
        let browser = self.any_browser(id);
        let (number, is_forged) =
            self.io.decide(|rng| (rng.random::<u16>(), rng.random_ratio(1, 12)));
        let contact = format!("buyer{number}@contoso.example");
        self.submit(browser, Step::Confirm, &[("contact", &contact)], is_forged);
    }

    /// Someone changes or cancels a subscription on the landing page.
    pub(super) fn person_changes(&mut self, id: Uuid) {
        let browser = self.any_browser(id);
        let by_seat = self.io.world(|world| world.subscription(id).quantity.is_some());
        let (wanted, is_confirmed, is_forged) = self.io.decide(|rng| {
            let plans = if by_seat {
                ["basic", "team", "team", "silver"]
            } else {
                ["silver", "gold", "platinum", "enterprise"]
            };
            let wanted = match rng.random_range(0..24) {
                0..11 if by_seat => ChangeRequest::Seats(rng.random_range(1..=60)),
                0..21 => {
                    let plan = plans.choose(rng).expect("there are plans");
                    ChangeRequest::Plan((*plan).to_owned())
                }
                21..23 => ChangeRequest::Seats(rng.random_range(1..=60)),
                _ => ChangeRequest::Cancel,
            };
            (wanted, rng.random_ratio(4, 5), rng.random_ratio(1, 16))
        });
        self.submit_change(browser, wanted, is_confirmed, is_forged);
    }

    pub(crate) fn submit_change(
        &mut self,
        browser: usize,
        wanted: ChangeRequest,
        is_confirmed: bool,
        is_forged: bool,
    ) {
        let seats;
        let mut fields = match &wanted {
            ChangeRequest::Plan(plan) => vec![("want", "plan"), ("plan", plan.as_str())],
            ChangeRequest::Seats(number) => {
                seats = number.to_string();
                vec![("want", "seats"), ("seats", seats.as_str())]
            }
            ChangeRequest::Cancel => vec![("want", "cancel")],
        };
        if is_confirmed {
            fields.push(("confirmed", "yes"));
        }
        let step = Step::Change { wanted: wanted.clone(), is_confirmed };
        self.submit(browser, step, &fields, is_forged);
    }

    /// Most visits are the beneficiary's.
    fn any_browser(&mut self, id: Uuid) -> usize {
        let state = self.io.world(|world| world.subscription(id).clone());
        let person = self.io.decide(|rng| match rng.random_range(0..12) {
            0..8 => state.beneficiary.clone(),
            8 => state.purchaser.clone(),
            9 => {
                let tenant = state.beneficiary.tenant_id;
                let mut others = Person::everybody();
                others.retain(|person| person.tenant_id == tenant && *person != state.beneficiary);
                others.choose(rng).cloned().unwrap_or_else(Person::stranger)
            }
            10 => Person::stranger(),
            _ => Person::everybody().choose(rng).cloned().expect("there are people"),
        });
        self.browser(&person, id)
    }
}
