//! The operations APIs (section 5).

use super::super::error_form::ErrorForm;
use super::super::operation::{Action, OperationState};
use super::super::state::World;
use super::super::time;
use super::super::way;
use super::super::words::{IN_PROGRESS, NOT_STARTED, PARTNER};
use super::admission::json_object;
use super::errors::{bad_request, error, not_found};
use crate::wire::{ApiRequest, Reply};
use serde_json::{Value, json};
use uuid::Uuid;

impl World {
    pub(super) fn list_operations(&mut self, id: Uuid) -> Reply {
        if self.stored(id).is_none() && !self.settings.behaviour.unknown_lists_no_operations {
            return not_found(id);
        }
        // The list has only operations that wait for the publisher (F-OPL-1), some of them late
        // (F-OPL-3).
        let delay = self.settings.behaviour.operation_list_delay;
        let waiting = self.outstanding(id).into_iter().map(|id| self.operation(id));
        let (shown, late): (Vec<_>, Vec<_>) =
            waiting.partition(|operation| time::after(operation.time_stamp, delay) <= self.now);
        self.count_if(!late.is_empty(), way::UNLISTED_OPERATION);
        let shown: Vec<Value> = shown.iter().map(|one| self.wire_operation(one)).collect();
        if self.settings.behaviour.operations_as_array {
            return Reply::json(200, &json!(shown));
        }
        if shown.is_empty() {
            return Reply::json(200, &json!({}));
        }
        Reply::json(200, &json!({ "operations": shown }))
    }

    fn wire_operation(&mut self, operation: &OperationState) -> Value {
        let oddities = &self.settings.oddities;
        let odd_id = !oddities.operation_id_prefix.is_empty();
        let odd_status = oddities.operation_word(operation.status) != operation.status;
        let object = operation.wire(oddities);
        self.count_if(odd_id, way::ODD_OPERATION_ID);
        self.count_if(odd_status, way::UNKNOWN_OPERATION_STATUS);
        object
    }

    pub(super) fn get_operation(&mut self, id: Uuid, operation: &str) -> Reply {
        let Some(known) = self.operation_of(id, operation).cloned() else {
            return self.no_operation("EntityNotFound", operation);
        };
        if let Some(way) = self.hides(&known) {
            self.count(way);
            return self.no_operation("EntityNotFound", operation);
        }
        let reply = Reply::json(200, &self.wire_operation(&known));
        // The first read sees `NotStarted` even if the change starts at once (F-CHP-6).
        if known.status == NOT_STARTED {
            self.run_due();
        }
        reply
    }

    pub(super) fn update_operation(
        &mut self,
        id: Uuid,
        operation: &str,
        request: &ApiRequest,
    ) -> Reply {
        let Some(known) = self.operation_of(id, operation).cloned() else {
            return self.no_operation("NotFound", operation);
        };
        let body = match json_object(request) {
            Ok(body) => body,
            Err(refusal) => return refusal,
        };
        let Some(status) = body.get("status").and_then(Value::as_str) else {
            return bad_request("status", "The status is required.");
        };
        if known.source == PARTNER && self.settings.behaviour.partner_update_fails {
            return ErrorForm::Nested.reply(
                500,
                "UnexpectedError",
                "An unexpected error occurred.",
            );
        }
        if known.status != IN_PROGRESS {
            return error(409, "Conflict", "status", "A newer update is already fulfilled.");
        }
        match status {
            "Success" => self.succeed(known.id),
            "Failure" if self.obeys_failure(&known) => {
                let is_reinstatement = known.action == Action::Reinstate;
                self.count_if(is_reinstatement, way::REFUSED_REINSTATEMENT);
                self.fail(known.id, "The publisher refused the change.")
            }
            "Failure" => {
                self.count_if(self.settings.behaviour.failure_is_ignored, way::IGNORED_FAILURE)
            }
            // Microsoft answers 200 to a misspelled status as well (F-OPU-2).
            _ => {}
        }
        Reply::empty(200)
    }

    fn obeys_failure(&self, operation: &OperationState) -> bool {
        match operation.action {
            // A publisher declines a reinstatement by cancelling (F-WHA-7, F-WHA-11).
            Action::Reinstate => self.settings.behaviour.reinstate_obeys_failure,
            _ => !self.settings.behaviour.failure_is_ignored,
        }
    }

    fn operation_of(&self, id: Uuid, operation: &str) -> Option<&OperationState> {
        let operation = self.settings.oddities.read_operation_id(operation)?;
        self.find_operation(operation).filter(|known| known.subscription_id == id)
    }

    /// Why Get operation doesn't know the operation, or not yet.
    fn hides(&self, operation: &OperationState) -> Option<&'static str> {
        let behaviour = &self.settings.behaviour;
        if !operation.action.is_change() && behaviour.keeps_changes_only {
            return Some(way::NOTICE_WITHOUT_OPERATION);
        }
        let known_from = time::after(operation.time_stamp, behaviour.operation_delay);
        (known_from > self.now).then_some(way::YOUNG_OPERATION)
    }

    fn no_operation(&self, code: &str, operation: &str) -> Reply {
        let status = if self.settings.behaviour.not_found_is_400 { 400 } else { 404 };
        error(status, code, "operationId", &format!("Failed to find operation {operation}"))
    }
}
