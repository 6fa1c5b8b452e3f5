//! The world's clock, and what happens when it moves.

use super::state::World;
use super::time;
use super::timer::Timer;
use super::way;
use super::words::{IN_PROGRESS, NOT_STARTED, PENDING_FULFILLMENT_START, SUBSCRIBED, SUSPENDED};
use jiff::Timestamp;
use std::time::Duration;
use uuid::Uuid;

impl World {
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Moves the clock forward, and does in order everything that becomes due on the way. It only
    /// queues webhooks, because sending them needs a network.
    pub fn advance(&mut self, by: Duration) {
        self.ahead += by;
        self.move_to(time::after(self.now, by));
    }

    /// In a live run, moves the clock to the system's, plus what [`World::advance`] has added. The
    /// clock never goes back.
    pub fn follow(&mut self, system: Timestamp) {
        let target = time::after(system, self.ahead);
        if target > self.now {
            self.move_to(target);
        }
    }

    fn move_to(&mut self, target: Timestamp) {
        self.run_until(target);
        self.set_now(target);
    }

    pub(super) fn set_now(&mut self, now: Timestamp) {
        self.now = now;
        self.entra.set_now(now);
    }

    /// Does everything that is due already.
    pub(super) fn run_due(&mut self) {
        self.run_until(self.now);
    }

    fn run_until(&mut self, target: Timestamp) {
        while let Some((at, number, timer)) = self.timers.first().copied() {
            if at > target {
                break;
            }
            self.timers.remove(&(at, number, timer));
            if at > self.now {
                self.set_now(at);
            }
            self.fire(timer);
        }
    }

    pub(super) fn set_timer(&mut self, at: Timestamp, timer: Timer) {
        self.timers_set += 1;
        self.timers.insert((at, self.timers_set, timer));
    }

    pub(super) fn set_term_timer(&mut self, id: Uuid) {
        if let Some(last_day) = self.stored(id).and_then(|stored| stored.state().term_end) {
            self.set_timer(time::term_over(last_day), Timer::Term(id));
        }
    }

    fn fire(&mut self, timer: Timer) {
        match timer {
            Timer::Activation(id) => self.complete_activation(id),
            Timer::Deadline(id) => {
                let Some(state) = self.find_subscription(id) else {
                    return;
                };
                if state.status == PENDING_FULFILLMENT_START && !state.activating {
                    self.end(id);
                }
            }
            Timer::Term(id) => self.term_is_over(id),
            Timer::Grace(id) => {
                let grace = self.settings.behaviour.suspension_grace;
                let Some(state) = self.find_subscription(id) else {
                    return;
                };
                let is_over =
                    state.suspended_at.is_some_and(|since| time::after(since, grace) <= self.now);
                if state.status == SUSPENDED && is_over {
                    self.end(id);
                }
            }
            Timer::Start(id) => {
                let operation = self.find_operation(id);
                if operation.is_some_and(|operation| operation.status == NOT_STARTED) {
                    self.start_operation(id);
                }
            }
            Timer::Window(id) => {
                let window = self.settings.behaviour.acknowledgement_window;
                let Some(operation) = self.find_operation(id) else {
                    return;
                };
                let is_over = operation
                    .notified_at
                    .is_some_and(|since| time::after(since, window) <= self.now);
                // A publisher that does not answer accepts the change (F-WHA-10).
                if operation.status == IN_PROGRESS && is_over {
                    self.succeed(id);
                }
            }
        }
    }

    fn term_is_over(&mut self, id: Uuid) {
        if !self.settings.behaviour.auto_renew_by_clock.unwrap_or(self.settings.live) {
            return;
        }
        let Some(state) = self.find_subscription(id) else {
            return;
        };
        let is_over = state.term_end.is_some_and(|last_day| time::term_over(last_day) <= self.now);
        if state.status != SUBSCRIBED || !is_over {
            return;
        }
        if state.auto_renew {
            self.count(way::RENEWED_BY_CLOCK);
            self.begin_next_term(id);
        } else {
            self.count(way::ENDED_BY_CLOCK);
            self.end(id);
        }
    }
}
