//! Time: what is due when, and moving forward through it.

use super::operation::{IN_PROGRESS, NOT_STARTED};
use super::subscription::{PENDING_FULFILLMENT_START, SUBSCRIBED, SUSPENDED};
use super::{World, time};
use jiff::Timestamp;
use std::time::Duration;
use uuid::Uuid;

/// Something that will be looked at when its time comes. Whether it still applies is decided then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// An accepted activation takes effect.
    Activation(Uuid),
    /// An unactivated purchase is voided.
    Deadline(Uuid),
    /// A term is over.
    Term(Uuid),
    /// A suspension has lasted too long.
    Grace(Uuid),
    /// An operation of the publisher's begins.
    Start(Uuid),
    /// The publisher's time to refuse is over.
    Window(Uuid),
}

impl World {
    /// The world's clock.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Moves the clock, and does everything that becomes due on the way, in order.
    /// Webhooks become due and are not sent: sending needs a network.
    pub fn advance(&mut self, by: Duration) {
        self.ahead += by;
        self.move_to(time::after(self.now, by));
    }

    /// In a live run: follows the system's clock, ahead of it by what [`World::advance`] has added. Never goes back.
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

    fn set_now(&mut self, now: Timestamp) {
        self.now = now;
        self.entra.set_now(now);
    }

    /// Does what is due already.
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
            self.strike(timer);
        }
    }

    pub(super) fn set_timer(&mut self, at: Timestamp, timer: Timer) {
        self.timers_set += 1;
        self.timers.insert((at, self.timers_set, timer));
    }

    pub(super) fn set_term_timer(&mut self, id: Uuid) {
        if let Some(last_day) = self.held(id).and_then(|held| held.state().term_end) {
            self.set_timer(time::term_over(last_day), Timer::Term(id));
        }
    }

    fn strike(&mut self, timer: Timer) {
        match timer {
            Timer::Activation(id) => self.complete_activation(id),
            Timer::Deadline(id) => {
                let still_waits = |held: &super::Subscription| {
                    held.state().status == PENDING_FULFILLMENT_START && !held.state().activating
                };
                if self.held(id).is_some_and(still_waits) {
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
            Timer::Start(operation) => {
                if self.find_operation(operation).is_some_and(|known| known.status == NOT_STARTED) {
                    self.start_operation(operation);
                }
            }
            Timer::Window(operation) => {
                let window = self.settings.behaviour.acknowledgement_window;
                let Some(known) = self.find_operation(operation) else {
                    return;
                };
                let is_over =
                    known.notified_at.is_some_and(|since| time::after(since, window) <= self.now);
                if known.status == IN_PROGRESS && is_over {
                    // Silence is consent (F-WHA-10).
                    self.succeed(operation);
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
            self.begin_next_term(id);
        } else {
            self.end(id);
        }
    }
}
