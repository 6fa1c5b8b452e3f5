//! Looks for events that a new receiver has missed: functions with the former settings counted them as
//! delivered without it, or they were recorded before it was added and it asks for them.
//!
//! The walk goes through the subscriptions by their last change, the oldest first, and keeps its place in the
//! receiver's state. It begins when every function has the new settings, and ends at the end of the list: a
//! subscription that changes meanwhile, with or without an event, moves to where the walk has not been yet.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use shared::store::{
    CatchUp, ListBy, ListQuery, Page, ReceiverState, SaveError, Sort, StoreError, Target,
};
use tracing::{error, info};

use crate::states::States;
use crate::{Delivery, Limits, Report, Trigger};

/// How long a walk may hold up what is due.
pub(crate) const BUDGET: SignedDuration = SignedDuration::from_secs(10);

/// Subscriptions of one step.
const PAGE: u8 = 25;

impl Delivery {
    /// Goes on with the walks that have begun, as long as there is time. One that fails is logged: the next
    /// sweep repeats the step.
    pub(crate) async fn catch_up(&self, states: &mut States, limits: Limits, report: &mut Report) {
        let now = self.clock.now();
        let is_due =
            |state: &ReceiverState| state.catch_up.as_ref().is_some_and(|walk| walk.due_at <= now);
        let due: Vec<Target> = states
            .iter()
            .filter(|(target, state)| self.has(**target) && is_due(state))
            .map(|(target, _)| *target)
            .collect();
        for target in due {
            loop {
                if self.is_over(limits) {
                    return;
                }
                match self.step(target, states, limits, report).await {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        error!(
                            receiver = target.name(), %error, class = error.class().name(),
                            "could not look for events that a receiver has missed; the next sweep goes on"
                        );
                        break;
                    }
                }
            }
        }
    }

    /// Delivers a page of subscriptions to the receiver, and returns whether the next page may follow.
    async fn step(
        &self,
        target: Target,
        states: &mut States,
        limits: Limits,
        report: &mut Report,
    ) -> Result<bool, StoreError> {
        let Some(state) = states.get(&target).cloned() else { return Ok(false) };
        let Some(walk) = state.catch_up.clone() else { return Ok(false) };
        let query = ListQuery { limit: PAGE, ..ListQuery::by(ListBy::Oldest) };
        let place = walk.next.clone().unwrap_or_else(|| Sort::position_from(walk.since));
        let Page { items, next } = self.store.list(&query, Some(&place)).await?;
        let is_last = next.is_none();
        let triggers = items.iter().map(|record| Trigger {
            id: record.id(),
            pending: BTreeSet::new(),
            slots_until: limits.last_start,
            only: Some(target),
        });
        let done = self.deliver_all(triggers.collect(), states, limits).await;
        report.delivered += done.delivered;
        report.refused += done.refused;
        if done.cut_short > 0 || done.is_table_away {
            return Ok(false);
        }
        let catch_up = (!is_last).then_some(CatchUp { next, ..walk });
        let state = ReceiverState { revision: state.revision + 1, catch_up, ..state };
        match self.receivers.save_receiver(target, &state).await {
            Ok(()) => {}
            // Another sweep has done the step, or an operator has paused the receiver.
            Err(SaveError::Conflict) => return Ok(false),
            Err(SaveError::Store(error)) => return Err(error),
        }
        states.insert(target, state);
        if is_last {
            info!(receiver = target.name(), "a receiver has caught up");
        }
        Ok(!is_last)
    }
}
