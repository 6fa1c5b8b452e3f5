//! What is checked while a run goes on: answers against what Microsoft holds, and who asked for what.

use emulator::{Action, Dispatch, OperationState};
use shared::domain::{Event, EventKind, OperationId, SubscriptionId};
use shared::store::Outcome as Marked;
use uuid::Uuid;

use super::Run;

/// What the world says of an operation that we refused, and of no other.
const REFUSED: &str = "The publisher refused the change.";

impl Run {
    /// A 4xx is a rejection, and nothing but a rejection; Microsoft's own calls are never refused. What
    /// the mark says was answered is answered again.
    pub(super) fn check_answer(&self, dispatch: &Dispatch, status: u16) {
        let is_change = matches!(dispatch.action, Action::ChangePlan | Action::ChangeQuantity);
        let operation = self.io.world(|world| world.operation(dispatch.operation));
        let accepted = operation.status == "Succeeded";
        let marked = self
            .table
            .mark(SubscriptionId(operation.subscription_id), OperationId(operation.id))
            .map(|mark| mark.outcome);
        let fits = match status {
            200 => marked != Some(Marked::Rejected),
            400 => {
                is_change
                    && !accepted
                    && marked != Some(Marked::Accepted)
                    && self.may_reject(&operation)
            }
            _ => (500..600).contains(&status),
        };
        if !fits {
            self.io.violate(format!(
                "{} {} was answered with {status}, marked {marked:?} and {} at Microsoft",
                dispatch.action.as_str(),
                dispatch.operation,
                operation.status
            ));
        }
    }

    /// Whether a change may meet a no: nobody says it to what the publisher asked for, or by himself.
    fn may_reject(&self, operation: &OperationState) -> bool {
        let opinion = self.io.product(|product| product.opinion);
        operation.source == "Azure"
            && (self.choices.rejects
                || opinion.is_some_and(|opinion| opinion.rejects(operation.id)))
    }

    /// No change has met a no, by PATCH or by status, that nobody here says.
    pub(super) fn only_rejected_are_refused(&self) {
        let refused: Vec<_> = self.io.world(|world| {
            let ids: Vec<_> = world.subscriptions().map(|state| state.id).collect();
            let operations = ids.into_iter().flat_map(|id| world.operations(id));
            let operations = operations.map(|id| world.operation(id));
            operations.filter(|operation| operation.error_message == REFUSED).collect()
        });
        for operation in refused {
            if !self.may_reject(&operation) {
                self.io.violate(format!("{} was refused, and nobody rejects it", operation.id));
            }
            let whose = SubscriptionId(operation.subscription_id);
            let mark = self.table.mark(whose, OperationId(operation.id));
            // Later a product may not be well that is asked once more, and what was refused may be in force.
            if !self.choices.asks
                && !self.was_in_force(&operation)
                && mark.is_some_and(|mark| mark.outcome != Marked::Rejected)
            {
                self.io
                    .violate(format!("{} was refused, and its mark doesn't say so", operation.id));
            }
        }
    }

    /// Whether what an operation asks for was ever in force.
    fn was_in_force(&self, operation: &OperationState) -> bool {
        self.io.world(|world| {
            world.history(operation.subscription_id).any(|state| match operation.action {
                Action::ChangePlan => state.plan_id == operation.plan_id,
                _ => state.quantity == operation.quantity,
            })
        })
    }

    /// What was refused is told as rejected, each once. Not in a storm: there a call may never be repeated, of
    /// whose first delivery nobody is left, and the product may be asked again and not be well.
    pub(crate) fn every_no_is_told(&self) {
        let refused: Vec<_> = self.io.world(|world| {
            let ids: Vec<_> = world.subscriptions().map(|state| state.id).collect();
            let count = |id: Uuid| {
                let operations = world.operations(id).into_iter().map(|id| world.operation(id));
                operations.filter(|operation| operation.error_message == REFUSED).count()
            };
            ids.into_iter().map(|id| (id, count(id))).collect()
        });
        for (id, refused) in refused {
            let history = self.table.history(SubscriptionId(id), 0);
            let told = |event: &&Event| matches!(event.kind, EventKind::ChangeRejected { .. });
            let told = history.iter().filter(told).count();
            if told != refused {
                self.io.violate(format!("{id}: {refused} changes were refused, and {told} told"));
            }
        }
    }

    /// Activation begins billing: it is asked for exactly when somebody asked us.
    pub(super) fn only_asked_are_activated(&self) {
        let unasked = self.io.world(|world| {
            let started = |state: &&emulator::SubscriptionState| {
                state.activating
                    || (state.term_start.is_some() && state.status != "PendingFulfillmentStart")
            };
            world
                .subscriptions()
                .filter(started)
                .filter(|state| !self.asked.contains(&state.id) && state.plan_id != "auto")
                .map(|state| state.id)
                .next()
        });
        if let Some(id) = unasked {
            self.io.violate(format!("{id} was activated, and nobody had asked"));
        }
    }
}
