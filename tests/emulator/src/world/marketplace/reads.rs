//! Resolve, Get and List available plans (4.1, 4.4, 4.5).

use super::super::state::World;
use super::super::subscription::SubscriptionState;
use super::super::time;
use super::super::way;
use super::super::words::SUBSCRIBED;
use super::errors::{error, not_found};
use crate::settings::FlatQuantity;
use crate::wire::{ApiRequest, Reply};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use uuid::Uuid;

impl World {
    pub(super) fn resolve(&mut self, request: &ApiRequest) -> Reply {
        const HEADER: &str = "x-ms-marketplace-token";
        let Some(token) = request.header(HEADER).filter(|token| !token.is_empty()) else {
            return error(
                400,
                "HeaderNotPresent",
                HEADER,
                "The header x-ms-marketplace-token is missing.",
            );
        };
        let known = STANDARD.decode(token).ok().and_then(|_| self.tokens.get(token));
        let Some((id, issued)) = known.copied() else {
            let message =
                "The token could not be decrypted with the primary or the secondary secret.";
            return error(400, "InvalidValue", HEADER, message);
        };
        if time::after(issued, self.settings.behaviour.purchase_token_lifetime) <= self.now {
            self.count(way::EXPIRED_PURCHASE_TOKEN);
            return error(400, "InvalidValue", HEADER, "The token has expired.");
        }
        // A token is not single-use, and resolves in every status (F-RES-4, F-RES-7).
        let state = self.resolvable(id);
        let mut body = json!({
            "id": state.id,
            "subscriptionName": state.name,
            "offerId": state.offer_id,
            "planId": state.plan_id,
        });
        let subscription = self.wire_read(&state);
        if let Some(quantity) = subscription.get("quantity") {
            body["quantity"] = quantity.clone();
        }
        if !self.settings.oddities.short_resolve {
            body["subscription"] = subscription;
        }
        Reply::json(200, &body)
    }

    /// The state that Resolve shows. A purchase that is younger than the delay has its first state.
    fn resolvable(&mut self, id: Uuid) -> SubscriptionState {
        let current = self.subscription(id);
        let Some(delay) = self.settings.behaviour.stale_resolve else {
            return current;
        };
        let stored = self.stored(id);
        let shown = stored
            .and_then(|stored| stored.state_at(time::before(self.now, delay)))
            .or_else(|| self.history(id).next())
            .cloned()
            .unwrap_or_else(|| current.clone());
        self.count_if(shown != current, way::LATE_RESOLVE);
        shown
    }

    pub(super) fn get(&mut self, id: Uuid) -> Reply {
        let Some(stored) = self.stored(id) else {
            return not_found(id);
        };
        let read = self.readable(stored);
        let is_late = read.as_ref() != Some(stored.state());
        self.count_if(is_late, way::LATE_GET);
        match read {
            Some(state) => Reply::json(200, &self.wire_read(&state)),
            None => not_found(id),
        }
    }

    /// A subscription as Resolve, Get and List show it.
    pub(super) fn wire_read(&mut self, state: &SubscriptionState) -> Value {
        let oddities = &self.settings.oddities;
        let is_flat = state.quantity.is_none();
        let odd_quantity = is_flat && oddities.flat_quantity != FlatQuantity::Missing;
        let odd_unit = oddities.term_unit.is_some();
        let odd_status = oddities.subscription_status.is_some();
        let undated =
            oddities.missing_dates && state.status == SUBSCRIBED && state.term_start.is_some();
        let object = state.wire_read(oddities);
        self.count_if(odd_quantity, way::ODD_QUANTITY);
        self.count_if(odd_unit, way::UNKNOWN_TERM_UNIT);
        self.count_if(odd_status, way::UNKNOWN_STATUS);
        self.count_if(undated, way::MISSING_DATES);
        object
    }

    pub(super) fn plans(&mut self, id: Uuid, request: &ApiRequest) -> Reply {
        let Some(state) = self.find_subscription(id) else {
            return Reply::empty(404);
        };
        let filter = request.parameter("planId");
        let hides_current = self.settings.behaviour.missing_plan;
        let offer = self.offers.iter().find(|offer| offer.id == state.catalog_offer());
        let plans: Vec<Value> = offer
            .into_iter()
            .flat_map(|offer| &offer.plans)
            // The list includes the current plan (F-PLN-3), or lacks it (F-PLN-8).
            .filter(|plan| plan.id == state.plan_id || plan.is_open_to(state.beneficiary.tenant_id))
            .filter(|plan| !hides_current || plan.id != state.plan_id)
            // Filtering by an unknown plan gives an empty list (F-PLN-5).
            .filter(|plan| filter.as_ref().is_none_or(|wanted| *wanted == plan.id))
            .map(|plan| {
                let is_bought = filter.is_some() && plan.id == state.plan_id;
                plan.wire(state.private_offer.filter(|_| is_bought))
            })
            .collect();
        self.count_if(hides_current, way::MISSING_PLAN);
        Reply::json(200, &json!({ "plans": plans }))
    }
}
