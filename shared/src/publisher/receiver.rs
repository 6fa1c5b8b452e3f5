//! The receivers of events, as the settings describe them, and which events each of them takes.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::cloud_event;
use crate::domain::{Event, TEST_SUBSCRIPTION};
use crate::store::Target;

/// A receiver, as the settings describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiverSettings {
    pub target: Target,
    pub filter: EventFilter,
    /// From when on it receives events; `None`: from the moment at which it is added.
    pub from: Option<Timestamp>,
}

/// Which events a receiver takes. `None` stands for every one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// As in the member `type` of a CloudEvent.
    pub event_types: Option<BTreeSet<String>>,
    /// Offer ids, without the ending of a preview.
    pub offers: Option<BTreeSet<String>>,
}

impl ReceiverSettings {
    /// A receiver of all events.
    pub fn of_all(target: Target) -> Self {
        Self { target, filter: EventFilter::default(), from: None }
    }

    /// Whether the receiver is sent this event. Every other one counts as delivered to it. `starts_at` is
    /// when the receiver was added; `None`: it has been there from the beginning.
    pub fn takes(&self, event: &Event, starts_at: Option<Timestamp>) -> bool {
        event.kind.is_announced()
            && starts_at.is_none_or(|start| event.recorded_at >= start)
            && self.filter.passes(event)
    }
}

impl EventFilter {
    fn passes(&self, event: &Event) -> bool {
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
            let takes = crm(filter(types, offers)).takes(&event(offer, EventKind::Renewed), None);
            assert_eq!(takes, expected, "{types:?} {offers:?} {offer}");
        }
    }

    #[test]
    fn an_event_passes_from_the_start_on_and_only_if_it_is_announced() {
        let all = crm(EventFilter::default());
        let renewed = event("seats", EventKind::Renewed);
        let nanosecond = jiff::SignedDuration::from_nanos(1);
        let start = renewed.recorded_at;
        assert!(all.takes(&renewed, Some(start)) && all.takes(&renewed, Some(start - nanosecond)));
        assert!(!all.takes(&renewed, Some(start + nanosecond)));
        for announced in [true, false] {
            let imported = event("seats", EventKind::Imported { announced });
            assert_eq!(all.takes(&imported, None), announced);
        }
    }

    #[test]
    fn a_test_event_passes_every_filter() {
        let test = Event::test(EventKind::Test, None, None, Timestamp::UNIX_EPOCH);
        let nothing = filter(&["saas-fulfillment.subscription.renewed.v1"], &["flat"]);
        assert!(crm(nothing).takes(&test, None));
    }
}
