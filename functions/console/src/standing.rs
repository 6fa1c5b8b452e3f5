//! How a subscription's events stand at a receiver, told from its cursor and the last events.

use jiff::Timestamp;
use shared::domain::{Event, Position};
use shared::publisher::receiver::CurrentReceiver;
use shared::store::{Cursor, CursorState, Trouble};

use crate::answers::Delivery;

/// The last events of a subscription.
#[derive(Clone, Copy)]
pub(crate) struct LastEvents<'a> {
    /// The latest first.
    pub(crate) events: &'a [Event],
    /// Whether there are earlier ones.
    pub(crate) has_earlier: bool,
}

impl LastEvents<'_> {
    /// Whether all events after this position are among them.
    fn reach(self, position: Position) -> bool {
        let first = self.events.last().map(Event::position);
        !self.has_earlier || first.is_some_and(|first| first <= position.next())
    }
}

pub(crate) fn delivery(
    receiver: CurrentReceiver<'_>,
    cursor: &Cursor,
    last: LastEvents<'_>,
) -> Delivery {
    let cursor = receiver.own(cursor);
    let is_open = |event: &&Event| event.position() > cursor.delivered && receiver.takes(event);
    let first = last.events.iter().rev().find(is_open);
    let is_whole = last.reach(cursor.delivered);
    let is_waiting = match (&cursor.state, is_whole) {
        (CursorState::Flowing, _) | (_, true) => first.is_some(),
        // The events that it waits with are earlier ones.
        (CursorState::Due { .. } | CursorState::Parked { .. }, false) => true,
    };
    let (state, trouble) = match &cursor.state {
        _ if !is_waiting => ("upToDate", None),
        CursorState::Flowing => ("waiting", None),
        CursorState::Due { trouble, .. } => ("waiting", trouble.as_ref()),
        CursorState::Parked { trouble, .. } => ("parked", Some(trouble)),
    };
    let since = |event: &Event| event.recorded_at;
    let waiting_since: Option<Timestamp> = match is_whole {
        true => first.map(since),
        false => trouble.map(|trouble| trouble.since),
    };
    Delivery {
        receiver: receiver.target().to_string(),
        state,
        waiting_since: waiting_since.filter(|_| is_waiting),
        last_error: trouble.map(|Trouble { last, .. }| last.clone()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;
    use shared::publisher::receiver::ReceiverSettings;
    use shared::store::Target;

    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    /// The events with these versions, the latest first. Each was recorded in the second of its version.
    fn events(versions: std::ops::RangeInclusive<u64>) -> Vec<Event> {
        let event = |version: u64| {
            let event = json!({
                "subscriptionId": "6f1d5a2e-0c57-4d0a-9a53-3b8c1e7f0a11", "version": version,
                "index": 0, "type": "Renewed", "cause": { "by": "reconciliation" },
                "recordedAt": second(i64::try_from(version).expect("small")),
                "subscription": {
                    "id": "6f1d5a2e-0c57-4d0a-9a53-3b8c1e7f0a11", "offerId": "fleet",
                    "planId": "silver", "saasSubscriptionStatus": "Subscribed",
                },
            });
            serde_json::from_value(event).expect("an event")
        };
        versions.rev().map(event).collect()
    }

    #[test]
    fn a_delivery_stands_as_its_cursor_and_the_events_behind_it_say() {
        let trouble = Trouble { since: second(3), attempts: 2, last: "answered 503".to_owned() };
        let due = |trouble| CursorState::Due { at: second(1000), trouble };
        let parked = CursorState::Parked { at: second(900), trouble: trouble.clone() };
        let asked_for = || due(None);
        let failing = || due(Some(trouble.clone()));
        let error = Some("answered 503");
        for (delivered, state, versions, has_earlier, expected) in [
            // All events are there.
            (12, CursorState::Flowing, 1..=12, false, ("upToDate", None, None)),
            (10, CursorState::Flowing, 1..=12, false, ("waiting", Some(11), None)),
            (10, asked_for(), 1..=12, false, ("waiting", Some(11), None)),
            (10, failing(), 1..=12, false, ("waiting", Some(11), error)),
            (10, parked.clone(), 1..=12, false, ("parked", Some(11), error)),
            // The cursor moved after it was read, or no event is kept any more.
            (12, failing(), 1..=12, false, ("upToDate", None, None)),
            // The last ones are there, and those behind the cursor are among them.
            (12, CursorState::Flowing, 8..=12, true, ("upToDate", None, None)),
            (8, failing(), 8..=12, true, ("waiting", Some(9), error)),
            // The first one that it waits with is an earlier one, or may be one of the cursor's own version.
            (7, failing(), 8..=12, true, ("waiting", Some(3), error)),
            (6, failing(), 8..=12, true, ("waiting", Some(3), error)),
            (6, parked, 8..=12, true, ("parked", Some(3), error)),
            (6, asked_for(), 8..=12, true, ("waiting", None, None)),
            (6, CursorState::Flowing, 8..=12, true, ("waiting", None, None)),
        ] {
            let settings = ReceiverSettings::of_all(Target::Endpoint);
            let states = BTreeMap::new();
            let position = Position { version: delivered, index: 0 };
            let cursor = Cursor { delivered: position, state, ..Cursor::default() };
            let events = events(versions);
            let last = LastEvents { events: &events, has_earlier };
            let delivery = delivery(settings.with(&states), &cursor, last);
            let (state, since, error) = expected;
            let found = (delivery.state, delivery.waiting_since, delivery.last_error.as_deref());
            assert_eq!(found, (state, since.map(second), error), "{cursor:?}, {has_earlier}");
        }
    }

    #[test]
    fn events_reach_a_cursor_inside_a_version_with_the_next_event_of_that_version() {
        let mut events = events(8..=12);
        events.last_mut().expect("the first one").index = 2;
        let last = LastEvents { events: &events, has_earlier: true };
        for (version, index, reaches) in
            [(7, u8::MAX, false), (8, 0, false), (8, 1, true), (8, 2, true), (9, 0, true)]
        {
            assert_eq!(last.reach(Position { version, index }), reaches, "{version}, {index}");
        }
    }
}
