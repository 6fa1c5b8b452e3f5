//! Checks during a run: our answers against Microsoft's state, and who requested an activation.

use emulator::{Action, Dispatch, OperationState, SubscriptionState, WebhookForm};
use jiff::SignedDuration;
use shared::domain::{Cause, Event, EventKind, Status, Subscription, SubscriptionId, Verdict};
use shared::store::OperationOutcome as Marked;
use uuid::Uuid;

use super::Run;
use crate::invariants::{self, REFUSED, midnight};
use crate::rules::Basis;

/// How old a call is that the webhook gives up where nothing confirms it.
const GIVEN_UP: SignedDuration = SignedDuration::from_mins(15);

impl Run {
    /// A 4xx means a rejection and nothing else, genuine calls are never refused, and a repeated
    /// call gets the answer that the operation mark records.
    pub(super) fn check_webhook_answer(&self, dispatch: &Dispatch, status: u16) {
        let is_change = matches!(dispatch.action, Action::ChangePlan | Action::ChangeQuantity);
        let operation = self.io.world(|world| world.operation(dispatch.operation));
        let behaviour = self.io.world(|world| world.settings().behaviour.clone());
        // Microsoft may make a change in spite of our rejection (F-WHA-12).
        let accepted = operation.status == "Succeeded" && !behaviour.failure_is_ignored;
        let marked = self
            .table
            .mark(SubscriptionId(operation.subscription_id), &self.io.operation_id(operation.id))
            .map(|mark| mark.outcome);
        let fits = match status {
            // A very old body names no operation, so the webhook can't know of the mark (F-WHP-6).
            200 => {
                marked != Some(Marked::Rejected)
                    || (operation.status == "Succeeded" && behaviour.failure_is_ignored)
                    || behaviour.webhook_form == WebhookForm::VeryOld
            }
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
        // Without a fault, a rejection is told to Microsoft as well (F-WHA-12), unless the operation
        // has failed already. Where Microsoft ignores what it was told, another function may have
        // told it.
        let is_told = self.io.deeds(|deeds| deeds.refused.contains(&operation.id))
            || (behaviour.failure_is_ignored && marked == Some(Marked::Rejected));
        if status == 400 && !is_told && operation.status != "Failed" && self.io.is_unharmed() {
            self.io.violate(format!(
                "{} was answered with 400, and Microsoft was not told the rejection",
                operation.id
            ));
        }
        if status == 400 {
            self.io.count("answer: 400");
        }
    }

    /// A call that was answered with 200 shows in the record at once: the record holds what Microsoft
    /// has held since the operation settled.
    pub(super) fn check_call_shows(&self, dispatch: &Dispatch) {
        // An unknown action has no effect (F-WHA-9).
        if matches!(dispatch.action, Action::Other(_)) {
            return;
        }
        let operation = self.io.world(|world| world.operation(dispatch.operation));
        // An accepted change that Microsoft doesn't hold as accepted is found by its mark.
        let Some(settled) = operation.settled_at.filter(|_| operation.status == "Succeeded") else {
            return;
        };
        let id = SubscriptionId(operation.subscription_id);
        let Some(record) = self.table.record(id) else {
            // A very old body has no time, so it counts as an outdated call about a subscription that
            // Microsoft has forgotten.
            if self
                .io
                .world(|world| world.settings().behaviour.webhook_form != WebhookForm::VeryOld)
            {
                let action = dispatch.action.as_str();
                self.io.violate(format!(
                    "{id}: {action} was answered with 200, and there is no record"
                ));
            }
            return;
        };
        let (held, is_reinstating, is_repeated) = self.io.world(|world| {
            let history: Vec<_> = world.history(id.0).cloned().collect();
            // A `Subscribe` of a subscription that is active already reports nothing (F-WHA-19).
            let is_repeated = dispatch.action == Action::Subscribe
                && history.iter().any(|state| {
                    state.status == "Subscribed" && state.last_modified < operation.time_stamp
                });
            let first = history.iter().rposition(|state| state.last_modified <= settled);
            let open = world.outstanding(id.0).into_iter();
            let is_reinstating =
                open.map(|id| world.operation(id)).any(|open| open.action == Action::Reinstate);
            let held: Vec<_> = history.into_iter().skip(first.unwrap_or(0)).collect();
            (held, is_reinstating, is_repeated)
        });
        let ours = &record.subscription;
        let fits = |ours: &Subscription| {
            let status = &ours.saas_subscription_status;
            held.iter().any(|state| match dispatch.action {
                Action::ChangePlan => ours.plan_id == state.plan_id,
                Action::ChangeQuantity => ours.quantity == state.quantity.map(u64::from),
                Action::Renew => {
                    ours.term.start_date.map(|at| at.to_string()) == midnight(state.term_start)
                }
                _ if is_repeated => *status != Status::PendingFulfillmentStart,
                _ => status.as_str() == state.status,
            })
        };
        // Where clocks differ by minutes, a late read can pass for news. It takes back what the record
        // has shown.
        let has_shown =
            self.io.skew().hides_late_reads()
                && self.table.history(id, 0).iter().any(|event| {
                    self.io.committed_at(event) >= settled && fits(&event.subscription)
                });
        let shows = fits(ours) || has_shown;
        // A late read of a term that was renewed before its end looks like the new one. Microsoft
        // renews at the end.
        let is_early = dispatch.action == Action::Renew
            && ours.term.end_date.is_some_and(|end| end > operation.time_stamp);
        // A reinstatement that Microsoft's reads don't know any more is given up (F-OPG-5), and our
        // 200 settles it.
        let is_given_up = dispatch.action == Action::Reinstate
            && self.io.now().duration_since(operation.time_stamp) >= GIVEN_UP
            && self.io.world(|world| world.settings().behaviour.keeps_changes_only);
        // A very old body has no time, so nothing tells a late read from an outdated call. And it
        // names no operation, so we can't answer one that waits (F-WHP-6).
        let is_undated = self.io.world(|world| {
            let behaviour = &world.settings().behaviour;
            let waits = matches!(
                dispatch.action,
                Action::ChangePlan | Action::ChangeQuantity | Action::Reinstate
            );
            let was_late = behaviour.stale_reads.is_some() || self.io.begun() <= self.fresh_since;
            behaviour.webhook_form == WebhookForm::VeryOld && (waits || was_late)
        });
        // A renewal without dates leaves the dates of the record as they are (F-OBJ-6).
        let lacks_dates = dispatch.action == Action::Renew
            && self.io.world(|world| world.settings().oddities.missing_dates);
        // Access is restored while the reinstatement is open (F-LC-5).
        if !(shows || is_reinstating || is_early || is_given_up || is_undated || lacks_dates) {
            let action = dispatch.action.as_str();
            self.io.violate(format!(
                "{id}: {action} was answered with 200, and the record doesn't show it"
            ));
        }
    }

    /// The product was answered with 200: Microsoft has activated the subscription. Its own 200 says
    /// only that it has the request (F-ACT-3).
    pub(super) fn check_is_active(&self, id: Uuid) {
        let has_been_active =
            self.io.world(|world| world.history(id).any(|state| state.status == "Subscribed"));
        if !has_been_active {
            self.io.violate(format!("{id}: the product was told that it is active, and it isn't"));
        }
    }

    /// Whether the publisher's settings or product may reject this change. They never reject the
    /// publisher's own.
    fn may_reject(&self, operation: &OperationState) -> bool {
        let opinion = self.io.product(|product| product.opinion);
        operation.source == "Azure"
            && (self.verdicts(operation).contains(&Verdict::Reject)
                || opinion.is_some_and(|opinion| opinion.rejects(operation.id))
                || (self.choices.asks && self.choices.fallback == Some(Verdict::Reject)))
    }

    /// What the publisher's settings alone say about this change, from each state that the record
    /// may have been in.
    fn verdicts(&self, operation: &OperationState) -> Vec<Verdict> {
        let Some(wanted) = invariants::wanted_by(operation) else { return Vec::new() };
        self.io.world(|world| {
            let states = world.history(operation.subscription_id).map(|state| {
                let shown = invariants::shown_seats(world, operation);
                let seats = shown.or(state.quantity.map(u64::from));
                let from = Basis { offer: &state.offer_id, plan: &state.plan_id, seats };
                self.choices.verdict(from, &wanted)
            });
            states.collect()
        })
    }

    /// Every change that Microsoft holds as refused, through the acknowledgement or through the
    /// status, is one that the publisher rejects.
    pub(super) fn check_refusals_were_ours(&self) {
        let refused: Vec<_> = self.io.world(|world| {
            let ids: Vec<_> = world.subscriptions().map(|state| state.id).collect();
            let operations = ids.into_iter().flat_map(|id| world.operations(id));
            let operations = operations.map(|id| world.operation(id));
            operations.filter(|operation| operation.error_message == REFUSED).collect()
        });
        for operation in refused {
            if !self.may_reject(&operation) {
                self.io
                    .violate(format!("{} was refused, but the publisher accepts it", operation.id));
            }
            let owner = SubscriptionId(operation.subscription_id);
            let mark = self.table.mark(owner, &self.io.operation_id(operation.id));
            // The mark may differ in three cases: the product was asked again while it was unhealthy,
            // the rules allow the change from another plan, or the refused value had come into force
            // in another way.
            if !self.choices.asks
                && !self.verdicts(&operation).contains(&Verdict::Accept)
                && !self.was_in_force(&operation)
                && mark.is_some_and(|mark| mark.outcome != Marked::Rejected)
            {
                self.io.violate(format!(
                    "{} was refused, but is not marked as rejected",
                    operation.id
                ));
            }
        }
    }

    /// Whether the requested value was ever in force.
    fn was_in_force(&self, operation: &OperationState) -> bool {
        self.io.world(|world| {
            world.history(operation.subscription_id).any(|state| match operation.action {
                Action::ChangePlan => state.plan_id == operation.plan_id,
                _ => state.quantity == operation.quantity,
            })
        })
    }

    /// Every refused change has exactly one `ChangeRejected` event.
    ///
    /// This does not hold in a storm. There, the function may be killed and Microsoft may never
    /// repeat the call, or the product may be unhealthy when it is asked a second time.
    pub(crate) fn check_every_refusal_is_recorded(&self) {
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
            let is_rejection = |event: &&Event| {
                matches!(event.kind, EventKind::ChangeRejected { .. })
                    // A buyer's change on the landing page is declined before Microsoft is asked.
                    && event.cause != Cause::Landing
            };
            let recorded = history.iter().filter(is_rejection).count();
            if recorded != refused {
                self.io.violate(format!(
                    "{id}: {refused} changes were refused, and {recorded} recorded as rejected"
                ));
            }
        }
    }

    /// Activation starts billing, so a subscription is activated only after a request to do so.
    pub(super) fn check_activations_were_requested(&self) {
        let unrequested = self.io.world(|world| {
            let started = |state: &&SubscriptionState| {
                state.activating
                    || (state.term_start.is_some() && state.status != "PendingFulfillmentStart")
            };
            world
                .subscriptions()
                .filter(started)
                .filter(|state| {
                    !self.activation_requested.contains(&state.id) && state.plan_id != "auto"
                })
                .map(|state| state.id)
                .next()
        });
        if let Some(id) = unrequested {
            self.io.violate(format!("{id} was activated without a request"));
        }
    }
}
