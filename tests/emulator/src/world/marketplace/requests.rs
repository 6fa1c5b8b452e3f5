//! Activate, change and cancel (4.2, 4.6 to 4.8).

use super::super::World;
use super::super::api::{ApiRequest, Reply};
use super::super::clock::Timer;
use super::super::lifecycle::Refused;
use super::super::operation::Action;
use super::super::subscription::{
    PENDING_FULFILLMENT_START, SUBSCRIBED, SUSPENDED, SubscriptionState, UNSUBSCRIBED,
};
use super::super::time;
use super::{API_VERSION, Tracking, bad_request, error, not_found, object, refusal};
use serde_json::Value;
use std::time::Duration;
use uuid::Uuid;

impl World {
    pub(super) fn activate(&mut self, id: Uuid, request: &ApiRequest) -> Reply {
        let Some(state) = self.find_subscription(id) else {
            return not_found(id);
        };
        let body = match object(request) {
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
        let Some(state) = self.find_subscription(id) else {
            return not_found(id);
        };
        let body = match object(request) {
            Ok(body) => body,
            Err(refusal) => return refusal,
        };
        let change = match (body.get("planId"), body.get("quantity")) {
            (Some(_), Some(_)) => {
                return bad_request(
                    "request",
                    "More than one field can't be patched in the same request.",
                );
            }
            (None, None) => {
                return bad_request("request", "One of planId and quantity is required.");
            }
            (Some(plan), None) => match plan.as_str().filter(|plan| !plan.is_empty()) {
                Some(plan) => Change::Plan(plan.to_owned()),
                None => return bad_request("planId", "The plan must be a string."),
            },
            // A number, not text (F-CHQ-1).
            (None, Some(quantity)) => {
                match quantity.as_u64().and_then(|seats| u32::try_from(seats).ok()) {
                    Some(seats) => Change::Quantity(seats),
                    None => return bad_request("quantity", "The quantity must be an integer."),
                }
            }
        };
        if let Err(reason) = self.may_update(&state, &change) {
            return refusal(&reason);
        }
        if !state.allows("Update") {
            return bad_request(
                "subscriptionId",
                "Update is not among the allowed customer operations.",
            );
        }
        let operation = self.operation_id(tracking);
        match change {
            Change::Plan(plan) => {
                self.open_partner_operation(
                    operation,
                    &state,
                    Action::ChangePlan,
                    &plan,
                    state.quantity,
                );
            }
            Change::Quantity(seats) => {
                self.open_partner_operation(
                    operation,
                    &state,
                    Action::ChangeQuantity,
                    &state.plan_id,
                    Some(seats),
                );
            }
        }
        self.accepted(id, operation)
    }

    fn may_update(&self, state: &SubscriptionState, change: &Change) -> Result<(), Refused> {
        if state.status != SUBSCRIBED {
            return Err(Refused::InStatus(state.status));
        }
        if self.held(state.id).is_some_and(|held| held.pending.is_some()) {
            return Err(Refused::Pending);
        }
        match change {
            Change::Plan(plan) => self.check_plan(state, plan),
            Change::Quantity(seats) => self.check_quantity(state, *seats),
        }
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
            .held(id)
            .and_then(|held| held.pending)
            .and_then(|pending| self.find_operation(pending));
        match pending.map(|pending| (pending.id, pending.action.clone())) {
            None => {}
            // To cancel is the way to decline (F-WHA-7).
            Some((reinstate, Action::Reinstate)) => {
                self.fail(reinstate, "The publisher cancelled the subscription.")
            }
            Some(_) => {
                let message = "The subscription is locked by a pending operation.";
                return error(409, "Conflict", "subscriptionId", message);
            }
        }
        let operation = self.operation_id(tracking);
        self.open_partner_operation(
            operation,
            &state,
            Action::Unsubscribe,
            &state.plan_id,
            state.quantity,
        );
        self.accepted(id, operation)
    }

    /// 202 with where to look (F-CHP-5).
    fn accepted(&self, id: Uuid, operation: Uuid) -> Reply {
        let base = &self.settings.behaviour.link_base;
        let location = format!(
            "{base}/saas/subscriptions/{id}/operations/{operation}?api-version={API_VERSION}"
        );
        Reply::empty(202)
            .with_header("operation-location", &location)
            .with_header("operation-id", &operation.to_string())
            .with_header("retry-after", "10")
    }
}

enum Change {
    Plan(String),
    Quantity(u32),
}

/// The purchased plan and seats may be repeated, not altered (F-ACT-2, F-ACT-4).
fn differs_from_purchase(
    body: &serde_json::Map<String, Value>,
    state: &SubscriptionState,
) -> Option<Reply> {
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
