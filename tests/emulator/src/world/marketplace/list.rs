//! List subscriptions (4.3), with what can go wrong between its pages.

use super::super::error_form::ErrorForm;
use super::super::state::World;
use super::super::subscription::SubscriptionState;
use super::super::way;
use super::admission::API_VERSION;
use super::errors::bad_request;
use crate::settings::{EmptyList, LastLink, ListEntries};
use crate::wire::{ApiRequest, Reply};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use uuid::Uuid;

impl World {
    pub(super) fn list(&mut self, request: &ApiRequest) -> Reply {
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
        let order = self.order();
        let (mut page, mut next) = (Vec::new(), from);
        let size = self.page_length(from);
        // A stale read leaves out purchases that are too new for it.
        while page.len() < size && next < order.len() {
            page.extend(self.listed(order[next]));
            next += 1;
        }
        let failing = self.settings.behaviour.failing_page;
        if failing.is_some_and(|place| (from..next).contains(&place)) {
            self.count(way::FAILING_PAGE);
            let status = self.settings.behaviour.failing_page_status;
            return ErrorForm::Object.reply(status, "UnexpectedError", "Please try again later.");
        }
        let before = from.checked_sub(1).and_then(|place| order.get(place)).copied();
        self.skip_or_double(&mut page, before);
        let page: Vec<Value> = page.iter().map(|state| self.wire_read(state)).collect();
        if from == 0 && page.is_empty() {
            return match self.settings.behaviour.empty_list {
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
            match self.settings.behaviour.last_link {
                LastLink::Absent => {}
                LastLink::Empty => body["@nextLink"] = json!(""),
                LastLink::Null => body["@nextLink"] = Value::Null,
            }
        }
        Reply::json(200, &body)
    }

    /// The places of the subscriptions in the order of this call.
    fn order(&mut self) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.subscriptions.len()).collect();
        if self.settings.behaviour.unstable_order {
            self.lists += 1;
            let turn = self.lists;
            // Mixes the call's number and the place, so that every call has another order.
            places.sort_by_key(|place| {
                (turn ^ (*place as u64) << 32).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
                    & 0xffff
            });
            self.count_if(!places.is_sorted(), way::UNSTABLE_ORDER);
        }
        places
    }

    /// The entry of the subscription at this place, unless it is too new for the list.
    fn listed(&mut self, place: usize) -> Option<SubscriptionState> {
        let stored = &self.subscriptions[place];
        let listed = self.listable(stored);
        let is_behind =
            self.settings.behaviour.stale_list.is_some() && listed != self.readable(stored);
        self.count_if(is_behind, way::LIST_BEHIND_GET);
        listed
    }

    fn skip_or_double(&mut self, page: &mut Vec<SubscriptionState>, before: Option<usize>) {
        match (self.settings.behaviour.list_entries, before) {
            (ListEntries::Once, _)
            | (ListEntries::SkippedBetweenPages | ListEntries::DoubledBetweenPages, None) => {}
            (ListEntries::SkippedBetweenPages, Some(_)) => {
                if !page.is_empty() {
                    page.remove(0);
                    self.count(way::SKIPPED_ENTRY);
                }
            }
            (ListEntries::DoubledBetweenPages, Some(before)) => {
                if let Some(state) = self.listed(before) {
                    page.insert(0, state);
                    self.count(way::DOUBLED_ENTRY);
                }
            }
            (ListEntries::DoubledOnPage, _) => {
                if let Some(state) = page.first().cloned() {
                    page.push(state);
                    self.count(way::DOUBLED_ENTRY);
                }
            }
        }
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

    /// The subscriptions that a walk through the list doesn't reach, because a page on the way
    /// always fails. Assumes that the list is neither late nor in another order.
    pub fn unreachable_in_list(&self) -> Vec<Uuid> {
        let ids: Vec<Uuid> = self.subscriptions().map(|state| state.id).collect();
        let Some(failing) = self.settings.behaviour.failing_page else {
            return Vec::new();
        };
        let mut from = 0;
        while from < ids.len() {
            let next = from + self.page_length(from);
            if (from..next.min(ids.len())).contains(&failing) {
                return ids[from..].to_vec();
            }
            from = next;
        }
        Vec::new()
    }

    fn next_link(&self, from: usize) -> String {
        let token =
            json!([{ "token": null, "range": { "min": format!("{from:014X}"), "max": "FF" } }])
                .to_string();
        let token = utf8_percent_encode(&token, NON_ALPHANUMERIC);
        let base = &self.settings.behaviour.link_base;
        format!("{base}/saas/subscriptions/?continuationToken={token}&api-version={API_VERSION}")
    }
}

fn read_continuation(token: &str) -> Option<usize> {
    let token: Value = serde_json::from_str(token).ok()?;
    usize::from_str_radix(token.get(0)?.get("range")?.get("min")?.as_str()?, 16).ok()
}
