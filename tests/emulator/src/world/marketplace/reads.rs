//! Resolve, List, Get and List available plans (4.1, 4.3 to 4.5).

use super::super::state::World;
use super::super::time;
use super::admission::API_VERSION;
use super::errors::{bad_request, error, not_found};
use crate::settings::{EmptyList, LastLink};
use crate::wire::{ApiRequest, Reply};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use uuid::Uuid;

impl World {
    pub(super) fn resolve(&self, request: &ApiRequest) -> Reply {
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
        let Some((id, issued)) = known else {
            let message =
                "The token could not be decrypted with the primary or the secondary secret.";
            return error(400, "InvalidValue", HEADER, message);
        };
        if time::after(*issued, self.settings.behaviour.purchase_token_lifetime) <= self.now {
            return error(400, "InvalidValue", HEADER, "The token has expired.");
        }
        // A token is not single-use, and resolves in every status (F-RES-4, F-RES-7).
        let state = self.subscription(*id);
        let mut body = json!({
            "id": state.id,
            "subscriptionName": state.name,
            "offerId": state.offer_id,
            "planId": state.plan_id,
        });
        let subscription = state.wire_read(&self.settings.oddities);
        if let Some(quantity) = subscription.get("quantity") {
            body["quantity"] = quantity.clone();
        }
        if !self.settings.oddities.short_resolve {
            body["subscription"] = subscription;
        }
        Reply::json(200, &body)
    }

    pub(super) fn get(&self, id: Uuid) -> Reply {
        match self.stored(id).and_then(|stored| self.readable(stored)) {
            Some(state) => Reply::json(200, &state.wire_read(&self.settings.oddities)),
            None => not_found(id),
        }
    }

    pub(super) fn list(&self, request: &ApiRequest) -> Reply {
        let behaviour = &self.settings.behaviour;
        let from = match request.parameter("continuationToken") {
            None => 0,
            Some(token) => match read_continuation(&token) {
                Some(from) => from,
                None => {
                    return bad_request(
                        "continuationToken",
                        "The continuation token is malformed.",
                    );
                }
            },
        };
        let readable = self.subscriptions.iter().skip(from).map(|stored| self.listable(stored));
        let mut page: Vec<Value> = Vec::new();
        let mut next = from;
        let size = self.page_length(from);
        // A stale read leaves out purchases that are too new for it.
        for state in readable {
            if page.len() == size {
                break;
            }
            next += 1;
            page.extend(state.map(|state| state.wire_read(&self.settings.oddities)));
        }
        if from == 0 && page.is_empty() {
            return match behaviour.empty_list {
                EmptyList::EmptyBody => Reply::empty(200),
                EmptyList::EmptyObject => Reply::json(200, &json!({})),
                EmptyList::NullArray => Reply::json(200, &json!({ "subscriptions": null })),
                EmptyList::EmptyArray => Reply::json(200, &json!({ "subscriptions": [] })),
            };
        }
        let mut body = json!({ "subscriptions": page });
        if next < self.subscriptions.len() {
            body["@nextLink"] = json!(self.next_link(next));
        } else {
            match behaviour.last_link {
                LastLink::Absent => {}
                LastLink::Empty => body["@nextLink"] = json!(""),
                LastLink::Null => body["@nextLink"] = Value::Null,
            }
        }
        Reply::json(200, &body)
    }

    // A short page need not be the last (F-LST-4). Its length depends only on where it starts, so a
    // run can be repeated.
    fn page_length(&self, from: usize) -> usize {
        let full = self.settings.behaviour.page_size.max(1);
        if self.settings.behaviour.short_pages {
            full - (from * 7 + 3) % full.div_ceil(3)
        } else {
            full
        }
    }

    fn next_link(&self, from: usize) -> String {
        let token =
            json!([{ "token": null, "range": { "min": format!("{from:014X}"), "max": "FF" } }])
                .to_string();
        let token = utf8_percent_encode(&token, NON_ALPHANUMERIC);
        let base = &self.settings.behaviour.link_base;
        format!("{base}/saas/subscriptions/?continuationToken={token}&api-version={API_VERSION}")
    }

    pub(super) fn plans(&self, id: Uuid, request: &ApiRequest) -> Reply {
        let Some(state) = self.find_subscription(id) else {
            return Reply::empty(404);
        };
        let filter = request.parameter("planId");
        let offer = self.offers.iter().find(|offer| offer.id == state.catalog_offer());
        let plans: Vec<Value> = offer
            .into_iter()
            .flat_map(|offer| &offer.plans)
            // The list includes the current plan (F-PLN-3).
            .filter(|plan| plan.id == state.plan_id || plan.is_open_to(state.beneficiary.tenant_id))
            // Filtering by an unknown plan gives an empty list (F-PLN-5).
            .filter(|plan| filter.as_ref().is_none_or(|wanted| *wanted == plan.id))
            .map(|plan| {
                let is_bought = filter.is_some() && plan.id == state.plan_id;
                plan.wire(state.private_offer.filter(|_| is_bought))
            })
            .collect();
        Reply::json(200, &json!({ "plans": plans }))
    }
}

fn read_continuation(token: &str) -> Option<usize> {
    let token: Value = serde_json::from_str(token).ok()?;
    usize::from_str_radix(token.get(0)?.get("range")?.get("min")?.as_str()?, 16).ok()
}
