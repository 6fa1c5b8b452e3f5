//! Purchases, and the tokens that lead buyers to the landing page.

use super::operation::Action;
use super::purchase::Purchase;
use super::state::World;
use super::subscription::SubscriptionState;
use super::time;
use super::timer::Timer;
use super::words::{DELETE, PENDING_FULFILLMENT_START, READ, UPDATE};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use uuid::Uuid;

impl World {
    /// Creates a subscription. Only an auto-activated plan sends a webhook; the publisher learns of
    /// all others when the buyer opens the landing page.
    ///
    /// # Panics
    /// If the plan does not exist, or does not permit this number of seats.
    pub fn purchase(&mut self, purchase: Purchase) -> Uuid {
        let plan =
            self.plan(&purchase.offer, &purchase.plan).expect("the plan is in the catalog").clone();
        match (plan.seats, purchase.quantity) {
            (None, None) => {}
            (Some((least, most)), Some(seats)) if (least..=most).contains(&seats) => {}
            _ => panic!("{:?} seats do not fit the plan {}", purchase.quantity, plan.id),
        }
        let by_reseller = purchase.purchaser.tenant_id != purchase.beneficiary.tenant_id;
        let auto_activated = purchase.auto_activated || plan.auto_activated;
        let id = self.ids.uuid();
        let state = SubscriptionState {
            id,
            name: purchase.name,
            publisher_id: self.settings.publisher_id.clone(),
            offer_id: if purchase.preview {
                format!("{}-preview", purchase.offer)
            } else {
                purchase.offer
            },
            plan_id: purchase.plan,
            quantity: purchase.quantity,
            status: PENDING_FULFILLMENT_START,
            beneficiary: purchase.beneficiary,
            purchaser: purchase.purchaser,
            term_unit: purchase.term_unit.unwrap_or(plan.term_unit),
            term_start: None,
            term_end: None,
            auto_renew: true,
            // F-OBJ-12.
            is_test: purchase.test || (purchase.preview && auto_activated),
            is_free_trial: purchase.free_trial,
            allowed_customer_operations: if by_reseller {
                vec![READ]
            } else {
                vec![DELETE, UPDATE, READ]
            },
            created: self.now,
            last_modified: self.now,
            suspended_at: None,
            private_offer: purchase.private_offer.then(|| self.ids.uuid()),
            activating: false,
            activation_fails: false,
        };
        self.add_subscription(state);
        if auto_activated {
            self.activate_by_itself(id);
        } else if let Some(deadline) = self.settings.behaviour.activation_deadline {
            self.set_timer(time::after(self.now, deadline), Timer::Deadline(id));
        }
        id
    }

    /// Microsoft activates without a call to Activate, and sends the webhook. A purchase can show as pending
    /// until then (F-ACT-7).
    pub fn activate_by_itself(&mut self, id: Uuid) {
        self.complete_activation(id);
        self.report(id, Action::Subscribe);
    }

    /// A new purchase token, as the landing page has it after decoding the query (F-RES-2). A
    /// subscription gets tokens in every status.
    ///
    /// # Panics
    /// If there is no such subscription.
    pub fn purchase_token(&mut self, id: Uuid) -> String {
        assert!(self.stored(id).is_some(), "the subscription was bought in this world");
        let token = self.ids.purchase_token();
        self.tokens.insert(token.clone(), (id, self.now));
        token
    }

    /// The address behind "Configure account" and "Manage account", with a new token (F-LP-1).
    pub fn landing_link(&mut self, id: Uuid) -> String {
        let token = self.purchase_token(id);
        let base =
            self.settings.landing_url.as_deref().unwrap_or("https://publisher.example/landing");
        let separator = if base.contains('?') { '&' } else { '?' };
        format!("{base}{separator}token={}", utf8_percent_encode(&token, NON_ALPHANUMERIC))
    }
}
