//! The receivers of events, as the settings describe them, and which events each of them takes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::cloud_event;
use crate::domain::{Event, TEST_SUBSCRIPTION};
pub use crate::store::EventFilter;
use crate::store::{Cursor, FilterInUse, Pause, ReceiverState, Target};

/// A receiver, as the settings describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiverSettings {
    pub target: Target,
    pub filter: EventFilter,
    /// From when on it receives events; `None`: from the moment at which it is added.
    pub from: Option<Timestamp>,
}

impl ReceiverSettings {
    /// A receiver of all events.
    pub fn of_all(target: Target) -> Self {
        Self { target, filter: EventFilter::default(), from: None }
    }

    /// With what the table knows about it.
    pub fn with<'a>(&'a self, states: &'a BTreeMap<Target, ReceiverState>) -> CurrentReceiver<'a> {
        CurrentReceiver { settings: self, state: states.get(&self.target) }
    }
}

/// A receiver as it is now.
#[derive(Clone, Copy, Debug)]
pub struct CurrentReceiver<'a> {
    pub settings: &'a ReceiverSettings,
    /// What the table knows about it; `None` before a delivery has added it, and for a receiver without a
    /// name.
    pub state: Option<&'a ReceiverState>,
}

impl<'a> CurrentReceiver<'a> {
    pub fn target(self) -> Target {
        self.settings.target
    }

    /// Whether the receiver is sent this event. Every other one counts as delivered to it.
    pub fn takes(self, event: &Event) -> bool {
        self.would_take(event) && !self.is_filtered(event)
    }

    /// Whether nothing but its filter keeps this event from the receiver.
    pub fn leaves_out(self, event: &Event) -> bool {
        self.would_take(event) && self.is_filtered(event)
    }

    fn would_take(self, event: &Event) -> bool {
        event.kind.is_announced() && self.is_meant(event) && self.has_started(event)
    }

    /// A test event may be for one receiver alone.
    pub fn is_meant(self, event: &Event) -> bool {
        event.only_receiver.as_ref().is_none_or(|name| name == self.target().name())
    }

    /// Functions with other settings may run beside this one. An event that one of them would leave out, and
    /// another one send, is sent by each. One that was left out when it was recorded stays out: later events may
    /// have been sent since.
    fn is_filtered(self, event: &Event) -> bool {
        let known = self.state.map_or(&[][..], |state| &state.filters);
        let in_use = self.state.into_iter().flat_map(ReceiverState::filters_in_use);
        let takes_now = in_use.chain([&self.settings.filter]).any(|filter| filter.passes(event));
        let at = event.recorded_at;
        let was_in_use =
            |it: &&FilterInUse| it.since <= at && it.until.is_none_or(|until| at < until);
        let mut then = known.iter().filter(was_in_use);
        // The first one is that of all events before.
        let took_then = then.next().or(known.first()).is_none_or(|first| {
            first.filter.passes(event) || then.any(|it| it.filter.passes(event))
        });
        !(takes_now && took_then)
    }

    fn has_started(self, event: &Event) -> bool {
        let starts_at = self.state.and_then(|state| state.starts_at);
        match self.settings.target {
            Target::Endpoint | Target::EventBus => true,
            Target::Named(_) => starts_at.is_some_and(|start| event.recorded_at >= start),
        }
    }

    /// The receiver's own cursor. One of an earlier receiver of its name is as none.
    pub fn own(self, cursor: &Cursor) -> Cursor {
        cursor.of_receiver(self.state.and_then(|state| state.added_at))
    }

    /// `None` unless it is paused.
    pub fn pause(self) -> Option<&'a Pause> {
        self.state.and_then(|state| state.paused.as_ref())
    }
}

impl EventFilter {
    pub(crate) fn passes(&self, event: &Event) -> bool {
        // A test event asks whether events arrive, so no filter holds it back.
        if event.subscription_id == TEST_SUBSCRIPTION {
            return true;
        }
        let is_type =
            |types: &BTreeSet<String>| types.contains(&cloud_event::type_name(&event.kind));
        let is_offer =
            |offers: &BTreeSet<String>| offers.contains(event.subscription.public_offer());
        self.event_types.as_ref().is_none_or(is_type) && self.offers.as_ref().is_none_or(is_offer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Cause, EventKind};

    fn event(offer: &str, kind: EventKind) -> Event {
        let mut event = Event::test(EventKind::Test, None, None, Timestamp::UNIX_EPOCH);
        event.subscription_id = crate::domain::SubscriptionId(uuid::Uuid::from_u128(1));
        event.subscription.id = event.subscription_id;
        event.subscription.offer_id = offer.to_owned();
        Event { kind, cause: Cause::Reconciliation, ..event }
    }

    fn filter(event_types: &[&str], offers: &[&str]) -> EventFilter {
        let set = |words: &[&str]| {
            (!words.is_empty()).then(|| words.iter().map(|&word| word.to_owned()).collect())
        };
        EventFilter { event_types: set(event_types), offers: set(offers) }
    }

    fn crm(filter: EventFilter) -> ReceiverSettings {
        let target = "crm".parse().expect("a name");
        ReceiverSettings { target, filter, from: None }
    }

    /// Whether an endpoint that started at this time takes an event.
    fn takes(filter: EventFilter, start: Timestamp, event: &Event) -> bool {
        let crm = crm(filter);
        let states = BTreeMap::from([(crm.target, ReceiverState::added(start, Some(start)))]);
        crm.with(&states).takes(event)
    }

    #[test]
    fn an_event_passes_if_its_type_and_its_offer_do() {
        const RENEWED: &str = "saas-fulfillment.subscription.renewed.v1";
        const PURCHASED: &str = "saas-fulfillment.subscription.purchased.v1";
        for (types, offers, offer, expected) in [
            (&[][..], &[][..], "seats", true),
            (&[RENEWED], &[], "seats", true),
            (&[PURCHASED, RENEWED], &[], "seats", true),
            (&[PURCHASED], &[], "seats", false),
            (&[], &["seats"], "seats", true),
            (&[], &["flat", "seats"], "seats-preview", true),
            (&[], &["seat"], "seats", false),
            (&[RENEWED], &["flat"], "seats", false),
            (&[PURCHASED], &["seats"], "seats", false),
            (&[RENEWED], &["seats"], "seats", true),
        ] {
            let renewed = event(offer, EventKind::Renewed);
            let takes = takes(filter(types, offers), Timestamp::UNIX_EPOCH, &renewed);
            assert_eq!(takes, expected, "{types:?} {offers:?} {offer}");
        }
    }

    #[test]
    fn an_event_passes_if_the_filter_of_another_function_takes_it() {
        const RENEWED: &str = "saas-fulfillment.subscription.renewed.v1";
        let crm = crm(filter(&[RENEWED], &["flat"]));
        let added = ReceiverState::added(Timestamp::UNIX_EPOCH, None);
        let renewed = event("seats", EventKind::Renewed);
        for (other, expected) in [
            (filter(&[], &["flat"]), false),
            (filter(&[RENEWED], &["seats"]), true),
            (EventFilter::default(), true),
        ] {
            let other = FilterInUse::new(other, Timestamp::UNIX_EPOCH);
            let state = ReceiverState { filters: vec![other.clone()], ..added.clone() };
            let states = BTreeMap::from([(crm.target, state)]);
            let current = crm.with(&states);
            let found = (current.takes(&renewed), current.leaves_out(&renewed));
            assert_eq!(found, (expected, !expected), "{other:?}");
        }
        let silent = event("seats", EventKind::Imported { announced: false });
        assert!(!crm.with(&BTreeMap::from([(crm.target, added)])).leaves_out(&silent));
    }

    #[test]
    fn an_event_that_was_left_out_when_it_was_recorded_stays_out() {
        const PURCHASED: &str = "saas-fulfillment.subscription.purchased.v1";
        const RENEWED: &str = "saas-fulfillment.subscription.renewed.v1";
        let seconds = |seconds| Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(seconds);
        let used = |types: &[&str], since, until: Option<i64>| FilterInUse {
            until: until.map(seconds),
            ..FilterInUse::new(filter(types, &[]), seconds(since))
        };
        let (few, all) = (&[PURCHASED][..], &[PURCHASED, RENEWED][..]);
        for (filters, own, takes_from) in [
            (vec![used(all, 10, None)], all, Some(0)),
            (vec![used(few, 10, Some(30)), used(all, 30, None)], all, Some(30)),
            (vec![used(few, 10, None), used(all, 20, None)], few, Some(20)),
            (vec![used(few, 10, Some(30)), used(all, 20, None)], all, Some(20)),
            (vec![used(all, 10, Some(30)), used(few, 20, None)], few, None),
            (vec![used(all, 10, None), used(few, 20, None)], few, Some(0)),
        ] {
            let crm = crm(filter(own, &[]));
            let added = ReceiverState::added(seconds(0), Some(seconds(0)));
            let states = BTreeMap::from([(crm.target, ReceiverState { filters, ..added })]);
            for at in 0..40 {
                let mut renewed = event("seats", EventKind::Renewed);
                renewed.recorded_at = seconds(at);
                let expected = takes_from.is_some_and(|from| at >= from);
                assert_eq!(crm.with(&states).takes(&renewed), expected, "{at}: {states:?}");
            }
        }
    }

    #[test]
    fn an_event_passes_from_the_start_on_and_only_if_it_is_announced() {
        let all = EventFilter::default;
        let renewed = event("seats", EventKind::Renewed);
        let nanosecond = jiff::SignedDuration::from_nanos(1);
        let start = renewed.recorded_at;
        assert!(takes(all(), start, &renewed) && takes(all(), start - nanosecond, &renewed));
        assert!(!takes(all(), start + nanosecond, &renewed));
        assert!(!crm(all()).with(&BTreeMap::new()).takes(&renewed), "nobody has added it");
        let unnamed = ReceiverSettings::of_all(Target::Endpoint);
        assert!(unnamed.with(&BTreeMap::new()).takes(&renewed));
        for announced in [true, false] {
            let imported = event("seats", EventKind::Imported { announced });
            assert_eq!(takes(all(), start, &imported), announced);
        }
    }

    #[test]
    fn a_cursor_of_an_earlier_receiver_of_the_name_is_as_none() {
        let delivered = crate::domain::Position { version: 7, index: 1 };
        let state = crate::store::CursorState::Due { at: Timestamp::MAX, trouble: None };
        let added = Timestamp::UNIX_EPOCH;
        let receiver_added_at = Some(added);
        let former =
            Cursor { revision: 3, delivered, state, receiver_added_at, ..Cursor::default() };
        let crm = crm(EventFilter::default());
        let states = |at| BTreeMap::from([(crm.target, ReceiverState::added(at, None))]);
        assert_eq!(crm.with(&states(added)).own(&former), former);
        let later = added + jiff::SignedDuration::from_nanos(1);
        let fresh = Cursor { revision: 3, receiver_added_at: Some(later), ..Cursor::default() };
        assert_eq!(crm.with(&states(later)).own(&former), fresh);
        let unnamed = Cursor { receiver_added_at: None, ..former };
        let endpoint = ReceiverSettings::of_all(Target::Endpoint);
        assert_eq!(endpoint.with(&BTreeMap::new()).own(&unnamed), unnamed);
    }

    #[test]
    fn a_test_event_passes_every_filter() {
        let test = Event::test(EventKind::Test, None, None, Timestamp::UNIX_EPOCH);
        let nothing = filter(&["saas-fulfillment.subscription.renewed.v1"], &["flat"]);
        assert!(takes(nothing, test.recorded_at, &test));
    }

    #[test]
    fn a_test_event_for_one_receiver_is_taken_by_no_other() {
        let test = Event::test(EventKind::Test, None, None, Timestamp::UNIX_EPOCH);
        for (name, expected) in [("crm", true), ("endpoint", false), ("crm-2", false)] {
            let only = Event { only_receiver: Some(name.to_owned()), ..test.clone() };
            assert_eq!(takes(EventFilter::default(), test.recorded_at, &only), expected, "{name}");
        }
    }
}
