//! Activate, change and cancel (4.2, 4.6 to 4.8).

use super::super::checks::Refused;
use super::super::operation::{Action, Change, NewOperation};
use super::super::state::World;
use super::super::subscription::SubscriptionState;
use super::super::time;
use super::super::timer::Timer;
use super::super::words::{PENDING_FULFILLMENT_START, SUBSCRIBED, SUSPENDED, UNSUBSCRIBED};
use super::admission::{API_VERSION, json_object};
use super::errors::{bad_request, error, not_found, refusal};
use super::tracking::Tracking;
use crate::wire::{ApiRequest, Reply};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};
use std::time::Duration;
use uuid::Uuid;

/// The characters that a part of a path keeps.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-');

impl World {
    pub(super) fn activate(&mut self, id: Uuid, request: &ApiRequest) -> Reply {
        let Some(state) = self.find_subscription(id) else {
            return not_found(id);
        };
        let body = match json_object(request) {
            Ok(body) => body,
            Err(refusal) => return refusal,
        };
        match state.status {
            SUSPENDED => return bad_request("subscriptionId", "The subscription is suspended."),
            SUBSCRIBED if self.settings.behaviour.activate_again_succeeds => {
                return Reply::empty(200);
            }
            SUBSCRIBED => {
                return bad_request("subscriptionId", "The subscription is active already.");
            }
            PENDING_FULFILLMENT_START => {}
            _ => return not_found(id),
        }
        if let Some(refusal) = differs_from_purchase(&body, &state) {
            return refusal;
        }
        if state.activating {
            return Reply::empty(200);
        }
        self.amend(id, |state| state.activating = true);
        let delay = self.settings.behaviour.activation_delay;
        if delay == Duration::ZERO {
            self.complete_activation(id);
        } else {
            self.set_timer(time::after(self.now, delay), Timer::Activation(id));
        }
        Reply::empty(200)
    }

    pub(super) fn update(&mut self, id: Uuid, request: &ApiRequest, tracking: &Tracking) -> Reply {
        if self.find_subscription(id).is_none() {
            return not_found(id);
        }
        let change = match requested_change(request) {
            Ok(change) => change,
            Err(refusal) => return refusal,
        };
        let state = match self.changeable(id, &change) {
            Ok(state) => state,
            Err(reason) => return refusal(&reason),
        };
        if !state.allows("Update") {
            return bad_request(
                "subscriptionId",
                "Update is not among the allowed customer operations.",
            );
        }
        let operation = self.operation_id(tracking);
        let request = NewOperation::partner(operation, &state, change.action());
        self.open_partner_operation(request.changing(change));
        self.accepted(id, operation)
    }

    pub(super) fn delete(&mut self, id: Uuid, tracking: &Tracking) -> Reply {
        let Some(state) = self.find_subscription(id) else {
            return not_found(id);
        };
        if state.status == UNSUBSCRIBED {
            return refusal(&Refused::InStatus(UNSUBSCRIBED));
        }
        if !state.allows("Delete") {
            return bad_request(
                "subscriptionId",
                "Delete is not among the allowed customer operations.",
            );
        }
        let pending = self
            .stored(id)
            .and_then(|stored| stored.pending)
            .and_then(|pending| self.find_operation(pending));
        match pending.map(|pending| (pending.id, pending.action.clone())) {
            None => {}
            // A publisher declines a reinstatement by cancelling (F-WHA-7).
            Some((reinstate, Action::Reinstate)) => {
                self.fail(reinstate, "The publisher cancelled the subscription.")
            }
            Some(_) => {
                let message = "The subscription is locked by a pending operation.";
                return error(409, "Conflict", "subscriptionId", message);
            }
        }
        let operation = self.operation_id(tracking);
        self.open_partner_operation(NewOperation::partner(operation, &state, Action::Unsubscribe));
        self.accepted(id, operation)
    }

    /// A 202 with the address of the operation (F-CHP-5).
    fn accepted(&self, id: Uuid, operation: Uuid) -> Reply {
        let base = &self.settings.behaviour.link_base;
        let operation = self.settings.oddities.operation_id(operation);
        let segment = utf8_percent_encode(&operation, SEGMENT);
        let location = format!(
            "{base}/saas/subscriptions/{id}/operations/{segment}?api-version={API_VERSION}"
        );
        Reply::empty(202)
            .with_header("operation-location", &location)
            .with_header("operation-id", &operation)
            .with_header("retry-after", "10")
    }
}

fn requested_change(request: &ApiRequest) -> Result<Change, Reply> {
    let body = json_object(request)?;
    match (body.get("planId"), body.get("quantity")) {
        (Some(_), Some(_)) => {
            Err(bad_request("request", "More than one field can't be patched in the same request."))
        }
        (None, None) => Err(bad_request("request", "One of planId and quantity is required.")),
        (Some(plan), None) => match plan.as_str().filter(|plan| !plan.is_empty()) {
            Some(plan) => Ok(Change::Plan(plan.to_owned())),
            None => Err(bad_request("planId", "The plan must be a string.")),
        },
        // A number, not text (F-CHQ-1).
        (None, Some(quantity)) => {
            match quantity.as_u64().and_then(|seats| u32::try_from(seats).ok()) {
                Some(seats) => Ok(Change::Quantity(seats)),
                None => Err(bad_request("quantity", "The quantity must be an integer.")),
            }
        }
    }
}

/// Activate may repeat the purchased plan and seats, but not change them (F-ACT-2, F-ACT-4).
fn differs_from_purchase(body: &Map<String, Value>, state: &SubscriptionState) -> Option<Reply> {
    match body.get("planId") {
        None => {}
        Some(Value::String(plan)) if *plan == state.plan_id => {}
        Some(_) => return Some(bad_request("planId", "The plan is not the purchased one.")),
    }
    match (body.get("quantity"), state.quantity) {
        (None | Some(Value::Null), _) => None,
        (Some(Value::String(text)), None) if text.is_empty() => None,
        (Some(sent), Some(bought)) if sent.as_u64() == Some(u64::from(bought)) => None,
        (Some(_), _) => Some(bad_request("quantity", "The quantity is not the purchased one.")),
    }
}
