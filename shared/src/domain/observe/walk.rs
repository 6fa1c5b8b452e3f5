//! The events between the recorded subscription and the observed one, in the order they happened.

use jiff::Timestamp;

use super::super::claim::Claim;
use super::super::decision::{Decision, NextVersion, Staleness};
use super::super::event::{Cause, Event, EventKind};
use super::super::lifecycle::{History, Step, path};
use super::super::record::Record;
use super::super::subscription::{Status, Subscription};

/// Walks from the recorded subscription to `target`, with an event for each step.
pub(super) fn advance(
    current: Option<&Record>,
    target: Subscription,
    cause: &Cause,
    now: Timestamp,
) -> Decision {
    let mut walk = match current {
        Some(record) => Walk { at: record.subscription.clone(), events: Vec::new() },
        None => Walk::from_purchase(&target),
    };
    let from = walk.at.saas_subscription_status.clone();
    let had_begun = walk.at.term.start_date.is_some();
    let history = History { had_begun, was_billed: had_begun || target.term.start_date.is_some() };
    let Some(steps) = path(&from, &target.saas_subscription_status, history) else {
        return Decision::Stale(Staleness::Impossible);
    };
    // An end is final (F-LC-8). Later edits of Microsoft's are not news for anyone.
    if from == Status::Unsubscribed {
        return Decision::Unchanged;
    }

    if steps.contains(&Step::Activate) {
        walk.activate(&target);
    }
    walk.change_plan(&target);
    walk.change_quantity(&target);
    walk.renew(&target);
    if !steps.contains(&Step::Unsubscribe) {
        walk.change_details(&target, steps.contains(&Step::Adopt));
    }
    for step in steps {
        match step {
            Step::Suspend => walk.set_status(&target, Status::Suspended, EventKind::Suspended),
            Step::Reinstate => walk.set_status(&target, Status::Subscribed, EventKind::Reinstated),
            Step::Unsubscribe => {
                walk.set_status(&target, Status::Unsubscribed, EventKind::Unsubscribed)
            }
            // Done above, in the order of events.
            Step::Activate | Step::Adopt => {}
        }
    }
    walk.decide(current, cause, now)
}

/// The way from one subscription to another, with the events on it.
struct Walk {
    at: Subscription,
    events: Vec<(EventKind, Subscription)>,
}

impl Walk {
    /// Every subscription begins with a purchase, however late we learn of it.
    fn from_purchase(target: &Subscription) -> Self {
        let mut at = target.clone();
        if let Status::Other(_) = target.saas_subscription_status {
            // An unknown status has no place in the life cycle, so we can't reconstruct a
            // beginning.
        } else {
            at.saas_subscription_status = Status::PendingFulfillmentStart;
            at.term.start_date = None;
            at.term.end_date = None;
        }
        let mut walk = Self { at, events: Vec::new() };
        walk.record_event(EventKind::Purchased);
        walk
    }

    fn record_event(&mut self, kind: EventKind) {
        self.events.push((kind, self.at.clone()));
    }

    fn activate(&mut self, target: &Subscription) {
        self.at.saas_subscription_status = Status::Subscribed;
        self.at.term.clone_from(&target.term);
        self.record_event(EventKind::Activated);
    }

    fn change_plan(&mut self, target: &Subscription) {
        if self.at.plan_id != target.plan_id {
            let from = std::mem::replace(&mut self.at.plan_id, target.plan_id.clone());
            self.record_event(EventKind::PlanChanged { from, to: target.plan_id.clone() });
        }
    }

    fn change_quantity(&mut self, target: &Subscription) {
        if self.at.quantity != target.quantity {
            let from = std::mem::replace(&mut self.at.quantity, target.quantity);
            self.record_event(EventKind::QuantityChanged { from, to: target.quantity });
        }
    }

    /// A term that begins where the former one ended is a renewal (F-OBJ-6, F-LC-7). Any other
    /// change of dates is a correction, or comes with another plan.
    fn renew(&mut self, target: &Subscription) {
        let (Some(end), Some(start)) = (self.at.term.end_date, target.term.start_date) else {
            return;
        };
        let later = self.at.term.start_date.is_none_or(|former| start > former);
        if later && start >= end {
            self.at.term.clone_from(&target.term);
            self.record_event(EventKind::Renewed);
        }
    }

    fn change_details(&mut self, target: &Subscription, adopt_status: bool) {
        let mut next = target.clone();
        if !adopt_status {
            next.saas_subscription_status = self.at.saas_subscription_status.clone();
        }
        if self.at != next {
            self.at = next;
            self.record_event(EventKind::DetailsChanged);
        }
    }

    fn set_status(&mut self, target: &Subscription, status: Status, kind: EventKind) {
        self.at = target.clone();
        self.at.saas_subscription_status = status;
        self.record_event(kind);
    }

    fn decide(self, current: Option<&Record>, cause: &Cause, now: Timestamp) -> Decision {
        if self.events.is_empty() {
            return Decision::Unchanged;
        }
        let is_activated = self.events.iter().any(|(kind, _)| *kind == EventKind::Activated);
        let passed = self.events.iter().map(|(_, subscription)| subscription);
        let mut record = match current {
            Some(record) => record.next_version(self.at, now),
            None => Record::initial(self.at.clone(), now).next_version(self.at, now),
        }
        .remember(passed, now);
        if is_activated && current.is_none_or(Record::has_not_asked_for_activation) {
            record.claim = Some(Claim::Unclaimed);
        }
        // Microsoft has activated it all the same.
        if is_activated && *record.status() != Status::Unsubscribed && record.declined().is_some() {
            record.decision = None;
        }
        let mut before = current.map(|record| record.subscription.clone());
        let events = (0..)
            .zip(self.events)
            .map(|(index, (kind, subscription))| Event {
                index,
                before: before.replace(subscription.clone()),
                subscription,
                ..record.event(kind, cause, now)
            })
            .collect();
        Decision::Commit(NextVersion::of(record, events))
    }
}
