//! Other actors that overtake a function between two of its effects.

use uuid::Uuid;

use crate::run::{Purpose, Run, webhook};

/// More turns than any function needs.
const MAX_TURNS: usize = 500;

impl Run {
    /// Runs the only running function until the history shows all of these effects, or until it
    /// ends.
    pub(super) fn run_until_noted(&mut self, effects: &[&str]) {
        let begun = self.io.history().len();
        let has = |run: &Self, effect: &str| {
            run.io.history().iter().skip(begun).any(|line| line.contains(effect))
        };
        while self.running() > 0 && !effects.iter().all(|effect| has(self, effect)) {
            self.turn();
        }
    }

    /// While one function waits, all other actors run to their end: the caller repeats the request,
    /// the customer changes the seats, Microsoft sends its calls, and a sweep delivers events.
    pub(crate) fn run_others_first(&mut self) {
        let others = self.running();
        if let Some((purpose, request)) = self.last_request.take() {
            match purpose {
                // Microsoft's own second call is in transit already.
                Purpose::Deliver(_) => {}
                Purpose::Edited
                | Purpose::Forged
                | Purpose::Visit
                | Purpose::Confirm(_)
                | Purpose::Activate(_)
                | Purpose::Browse(_)
                | Purpose::Manage
                | Purpose::Erase(_)
                | Purpose::Ask(_) => {
                    self.start(purpose, request);
                    self.finish_before(others);
                }
                Purpose::Reconcile(_) | Purpose::Stream(_) | Purpose::Sweep => {}
            }
        }
        self.io.world(|world| {
            let ids: Vec<Uuid> = world.subscriptions().map(|state| state.id).collect();
            for id in ids {
                // Refused if the plan has no seats or another operation is in progress.
                let _ = world.change_quantity(id, 33);
            }
        });
        self.send_due();
        // The newest call arrives first.
        self.in_transit.reverse();
        if self.in_transit.is_empty() {
            self.repeat_last_calls();
        }
        self.overtake();
        self.start_sweep();
        self.finish_before(self.running() - 1);
    }

    /// Repeats Microsoft's last call about each subscription.
    fn repeat_last_calls(&mut self) {
        let calls: Vec<_> = self.io.world(|world| {
            let ids: Vec<Uuid> = world.subscriptions().map(|state| state.id).collect();
            let last = ids.into_iter().filter_map(|id| world.operations(id).last().copied());
            last.collect::<Vec<_>>()
                .into_iter()
                .filter_map(|id| world.webhook_request(id))
                .collect()
        });
        for (headers, body) in calls {
            let others = self.running();
            self.start(Purpose::Edited, webhook(headers, body));
            self.finish_before(others);
        }
    }

    /// Webhook calls arrive and are answered while another function waits.
    pub(super) fn overtake(&mut self) {
        while !self.in_transit.is_empty() {
            let others = self.running();
            self.arrive(0);
            self.finish_before(others);
        }
        self.io.interleave(false);
    }

    /// Runs the function that was started last to its end, before the `others` that were running
    /// already. It may stay unfinished if it waits for one of them to fetch the shared token.
    pub(crate) fn finish_before(&mut self, others: usize) {
        for _ in 0..MAX_TURNS {
            if self.running() > others {
                self.turn_of(others);
            }
        }
    }
}
