//! The contract of every outbox, which holds the events that are pending for the publisher's
//! product. Each case gets an empty store.

use std::collections::{BTreeMap, BTreeSet};

use shared::domain::{Event, Position};
use shared::store::{
    Backlog, Cursor, CursorError, CursorState, Due, Outbox, Page, Target, Trouble, Waiting,
};

use super::*;

/// A table as a store and as an outbox.
pub(super) struct OutboxTable<'a> {
    pub store: &'a dyn Store,
    pub outbox: &'a dyn Outbox,
}

impl OutboxTable<'_> {
    async fn commit(&self, change: &NextVersion) {
        self.store.commit(change.record.id(), &unmarked(change)).await.expect("committed");
    }

    async fn cursor(&self, number: usize, target: Target) -> Cursor {
        self.outbox.cursor(id(number), target).await.expect("a read")
    }

    async fn save(
        &self,
        number: usize,
        target: Target,
        cursor: &Cursor,
    ) -> Result<(), CursorError> {
        self.outbox.save_cursor(id(number), target, cursor).await
    }

    /// Everything that is due at this time, in order. Asserts that nothing is listed twice.
    async fn due(&self, by: Timestamp) -> Vec<Due> {
        let (mut found, mut next) = (Vec::new(), None);
        loop {
            let Page { items, next: following } =
                self.outbox.due(by, next.as_deref()).await.expect("a page");
            assert!(items.len() <= 100);
            for due in items {
                assert!(!found.contains(&due), "{due:?} is listed twice");
                found.push(due);
            }
            match following {
                Some(following) => next = Some(following),
                None => return found,
            }
        }
    }

    async fn parked(&self) -> Vec<(SubscriptionId, Target)> {
        self.outbox.parked(None).await.expect("a page").items
    }
}

fn at(version: u64, index: u8) -> Position {
    Position { version, index }
}

fn flowing(revision: u64, version: u64) -> Cursor {
    Cursor { revision, delivered: at(version, 0), state: CursorState::Flowing, ..Cursor::default() }
}

fn trouble() -> Trouble {
    Trouble { since: noon(), attempts: 3, last: "answered 500".to_owned() }
}

fn seconds(seconds: i64) -> Timestamp {
    noon() + SignedDuration::from_secs(seconds)
}

pub(super) async fn a_cursor_moves_only_from_its_current_revision(table: OutboxTable<'_>) {
    assert_eq!(table.cursor(1, Target::Endpoint).await, Cursor::default());
    for revision in [0, 2] {
        let refused = table.save(1, Target::Endpoint, &flowing(revision, 1)).await;
        assert!(matches!(refused, Err(CursorError::Conflict)), "{revision}: {refused:?}");
    }
    table.save(1, Target::Endpoint, &flowing(1, 1)).await.expect("the first");
    for revision in [1, 3] {
        let refused = table.save(1, Target::Endpoint, &flowing(revision, 9)).await;
        assert!(matches!(refused, Err(CursorError::Conflict)), "{revision}: {refused:?}");
    }
    table.save(1, Target::Endpoint, &flowing(2, 2)).await.expect("the next");
    assert_eq!(table.cursor(1, Target::Endpoint).await, flowing(2, 2));
    assert_eq!(table.cursor(1, Target::EventBus).await, Cursor::default(), "another target");
    assert_eq!(table.cursor(2, Target::Endpoint).await, Cursor::default(), "another subscription");
    for (revision, state) in (3..).zip([
        CursorState::Due { at: noon(), trouble: None },
        CursorState::Due { at: noon(), trouble: Some(trouble()) },
        CursorState::Parked { at: noon(), trouble: trouble() },
        CursorState::Flowing,
    ]) {
        let moved = Cursor { revision, delivered: at(7, 2), state, ..Cursor::default() };
        table.save(1, Target::Endpoint, &moved).await.expect("the next");
        assert_eq!(table.cursor(1, Target::Endpoint).await, moved);
    }
}

pub(super) async fn only_one_of_many_moves_of_a_cursor_wins(table: OutboxTable<'_>) {
    let rivals = [flowing(1, 1), flowing(1, 2), flowing(1, 3)];
    let (a, b, c) = tokio::join!(
        table.save(1, Target::Endpoint, &rivals[0]),
        table.save(1, Target::Endpoint, &rivals[1]),
        table.save(1, Target::Endpoint, &rivals[2]),
    );
    let outcomes = [a, b, c];
    let winners: Vec<_> = rivals.iter().zip(&outcomes).filter(|(_, one)| one.is_ok()).collect();
    let [(winner, _)] = winners[..] else { panic!("one wins: {outcomes:?}") };
    assert_eq!(table.cursor(1, Target::Endpoint).await, *winner);
}

pub(super) async fn a_backlog_can_be_read_from_any_position(table: OutboxTable<'_>) {
    let mut current = first(id(1), "Subscribed");
    let mut all = current.events.clone();
    table.commit(&current).await;
    for version in 2..=20_u64 {
        let plan = if version.is_multiple_of(2) { "gold" } else { "silver" };
        let observed = serde_json::from_value(json!({ "planId": plan, "quantity": version }));
        current = change(Some(&current.record), &observed.expect("an observation"));
        all.extend(current.events.clone());
        table.commit(&current).await;
    }
    table.commit(&first(id(2), "Subscribed")).await;
    table.save(1, Target::Endpoint, &flowing(1, 3)).await.expect("a cursor is no event");

    for start in 0..=all.len() {
        let after = start.checked_sub(1).map_or(Position::default(), |one| all[one].position());
        let mut read = Vec::new();
        let mut place = after;
        loop {
            let Backlog { events, more } =
                table.outbox.backlog(id(1), place).await.expect("a backlog");
            assert!(!more || !events.is_empty(), "each page makes progress");
            place = events.last().map_or(place, Event::position);
            read.extend(events);
            if !more {
                break;
            }
        }
        assert_eq!(read, all[start..], "after {after:?}");
    }
    let none = table.outbox.backlog(id(3), Position::default()).await.expect("a backlog");
    assert_eq!(none, Backlog { events: Vec::new(), more: false });
}

pub(super) async fn events_are_due_until_they_are_settled(table: OutboxTable<'_>) {
    let one = first(id(1), "Subscribed");
    assert_eq!(one.events.len(), 2, "Purchased, Activated");
    table.commit(&one).await;
    assert_eq!(table.due(seconds(119)).await, [], "the stream has two minutes");
    assert_eq!(table.due(seconds(120)).await, [Due::Pending(id(1), 1)]);
    table.commit(&next(&one.record, 20)).await;
    let hours = noon() + SignedDuration::from_hours(3);
    assert_eq!(table.due(hours).await, [Due::Pending(id(1), 1), Due::Pending(id(1), 2)]);
    let outbox = table.outbox;
    let settle = |versions: &[u64]| {
        let versions: BTreeSet<u64> = versions.iter().copied().collect();
        async move { outbox.settle(id(1), &versions).await.expect("settled") }
    };
    settle(&[]).await;
    settle(&[1]).await;
    assert_eq!(table.due(hours).await, [Due::Pending(id(1), 2)]);
    settle(&[1, 2]).await;
    assert_eq!(table.due(hours).await, [], "settling twice does no harm");
    settle(&[9]).await;
    let events = table.store.events(id(1), 0).await.expect("a read").items;
    assert_eq!(events.len(), 3, "settled events stay, and none is added");
}

pub(super) async fn a_cursor_is_due_at_its_time_and_parked_until_it_is_moved(
    table: OutboxTable<'_>,
) {
    let moved =
        |revision, state| Cursor { revision, delivered: at(1, 0), state, ..Cursor::default() };
    let due = CursorState::Due { at: seconds(60), trouble: Some(trouble()) };
    table.save(1, Target::Endpoint, &moved(1, due.clone())).await.expect("saved");
    table.save(1, Target::EventBus, &moved(1, due)).await.expect("saved");
    assert_eq!(table.due(seconds(59)).await, []);
    let both = [Target::Endpoint, Target::EventBus].map(|target| Due::Cursor(id(1), target));
    let found: BTreeSet<_> = table.due(seconds(60)).await.into_iter().collect();
    assert_eq!(found, BTreeSet::from(both));

    let parked = CursorState::Parked { at: seconds(60), trouble: trouble() };
    table.save(1, Target::Endpoint, &moved(2, parked)).await.expect("saved");
    assert_eq!(table.due(seconds(9999)).await, [Due::Cursor(id(1), Target::EventBus)]);
    assert_eq!(table.parked().await, [(id(1), Target::Endpoint)]);
    table.save(1, Target::Endpoint, &moved(3, CursorState::Flowing)).await.expect("saved");
    table.save(1, Target::EventBus, &moved(2, CursorState::Flowing)).await.expect("saved");
    assert_eq!((table.due(seconds(9999)).await, table.parked().await), (vec![], vec![]));
}

pub(super) async fn due_entries_are_listed_oldest_first_and_page_by_page(table: OutboxTable<'_>) {
    const MANY: usize = 215;
    for number in 0..MANY {
        let at = seconds(i64::try_from(number * 7 % MANY).expect("few"));
        let state = CursorState::Due { at, trouble: None };
        let cursor =
            Cursor { revision: 1, delivered: Position::default(), state, ..Cursor::default() };
        table.save(number, Target::Endpoint, &cursor).await.expect("saved");
    }
    let due = table.due(seconds(9999)).await;
    let expected: Vec<_> = (0..MANY)
        .map(|second| (0..MANY).find(|number| number * 7 % MANY == second).expect("coprime"))
        .map(|number| Due::Cursor(id(number), Target::Endpoint))
        .collect();
    assert_eq!(due, expected);
    for nonsense in ["", "x", "a b", "later SUB#1"] {
        let refused = table.outbox.due(noon(), Some(nonsense)).await;
        assert!(matches!(refused, Err(StoreError::BadPosition)), "{nonsense}: {refused:?}");
    }
}

pub(super) async fn what_waits_is_counted_by_subscription_and_target(table: OutboxTable<'_>) {
    let targets = Target::UNNAMED;
    let waiting = async |targets: &[Target]| {
        table.outbox.waiting(targets, &BTreeMap::new()).await.expect("a count")
    };
    let none = Waiting { is_complete: true, ..Waiting::default() };
    assert_eq!(waiting(&targets).await, none);

    table.commit(&first(id(1), "Subscribed")).await;
    let recorded = Waiting { subscriptions: 1, oldest: Some(noon()), ..none.clone() };
    assert_eq!(waiting(&targets).await, recorded, "also while the stream has its head start");
    assert_eq!(recorded.oldest_seconds(seconds(90)), 90);
    assert_eq!((recorded.oldest_seconds(seconds(-1)), none.oldest_seconds(noon())), (0, 0));

    let moved = |state| Cursor { revision: 1, delivered: at(0, 0), state, ..Cursor::default() };
    let since = seconds(-7200);
    let failing = Some(Trouble { since, ..trouble() });
    let due = |at, trouble| moved(CursorState::Due { at, trouble });
    let parked = moved(CursorState::Parked { at: seconds(-9000), trouble: trouble() });
    for (number, target, cursor) in [
        (1, Target::Endpoint, due(seconds(3600), failing)),
        (1, Target::EventBus, due(seconds(60), None)),
        (2, Target::Endpoint, due(seconds(60), None)),
        (2, Target::EventBus, parked.clone()),
        (3, Target::Endpoint, parked.clone()),
        (3, Target::EventBus, parked),
        (4, Target::Endpoint, flowing(1, 1)),
    ] {
        table.save(number, target, &cursor).await.expect("saved");
    }
    let all = Waiting {
        subscriptions: 2,
        by_target: [(Target::Endpoint, 2), (Target::EventBus, 1)].into(),
        oldest: Some(since),
        parked: 2,
        strays: BTreeSet::new(),
        is_complete: true,
    };
    assert_eq!(waiting(&targets).await, all);
    let at_bus = Waiting {
        subscriptions: 1,
        by_target: [(Target::EventBus, 1)].into(),
        oldest: Some(noon()),
        ..all
    };
    assert_eq!(waiting(&[Target::EventBus]).await, at_bus, "nobody sends to the other target");
}

/// DynamoDB returns a part of a partition if it is long.
#[tokio::test]
async fn a_count_that_is_not_complete_says_so() {
    let store = |page_size| wire::store_with(Behaviour { page_size, ..Behaviour::default() });
    for (page_size, expected) in [(3, 3), (5, 5), (100, 5)] {
        let store = store(page_size);
        for number in 0..5 {
            // All under one partition key.
            let state = CursorState::Due { at: noon(), trouble: None };
            let cursor = Cursor { revision: 1, delivered: at(0, 0), state, ..Cursor::default() };
            let saved = store.save_cursor(id(number * 8), Target::Endpoint, &cursor).await;
            saved.expect("saved");
        }
        let waiting = store.waiting(&Target::UNNAMED, &BTreeMap::new()).await.expect("a count");
        assert_eq!(waiting.subscriptions, expected, "{page_size}");
        assert_eq!(waiting.is_complete, page_size > 5, "{page_size}: {waiting:?}");
    }
}

/// Only DynamoDB's items show their expiry.
#[tokio::test]
async fn a_cursor_of_a_named_receiver_expires_after_the_events_that_it_covers_unless_some_wait() {
    let table = Table::new().await;
    let crm = "crm".parse().expect("a name");
    let due = CursorState::Due { at: noon(), trouble: None };
    for (revision, state, expires) in
        [(1, CursorState::Flowing, true), (2, due, false), (3, CursorState::Flowing, true)]
    {
        let saved_at = Some(noon());
        let cursor = Cursor { revision, state, saved_at, ..Cursor::default() };
        table.outbox.save_cursor(id(1), crm, &cursor).await.expect("saved");
        let items = table.items(id(1)).await;
        let item = items.iter().find(|item| sort(item) == "DELIVERY#crm").expect("a cursor");
        let expires_at = item.get("expires_at").map(|at| format!("{at:?}"));
        let after_430_days = (noon().as_second() + 430 * 24 * 3600).to_string();
        assert_eq!(
            expires_at.is_some_and(|at| at.contains(&after_430_days)),
            expires,
            "{revision}"
        );
        assert_eq!(item.contains_key("expires_at"), expires, "{revision}");
        assert_eq!(table.outbox.cursor(id(1), crm).await.expect("a read"), cursor);
    }
}

#[tokio::test]
async fn a_cursor_never_expires_and_settling_recreates_no_event() {
    let table = Table::new().await;
    let purchase = first(id(1), "Subscribed");
    table.store.commit(id(1), &unmarked(&purchase)).await.expect("committed");
    table.outbox.save_cursor(id(1), Target::Endpoint, &flowing(1, 1)).await.expect("saved");
    let pending: Vec<_> = table
        .items(id(1))
        .await
        .into_iter()
        .filter(|item| item.contains_key("outbox"))
        .map(|item| sort(&item).to_owned())
        .collect();
    assert_eq!(pending, ["EVENT#00000000000000000001#000"], "one pending mark per version");
    let items = table.items(id(1)).await;
    let cursor = items.iter().find(|item| sort(item) == "DELIVERY#endpoint").expect("a cursor");
    assert!(!cursor.contains_key("expires_at"));

    table.outbox.settle(id(1), &BTreeSet::from([1, 7])).await.expect("settled");
    let after = table.items(id(1)).await;
    assert_eq!(after.len(), items.len(), "settling an expired event creates no item");
    assert!(after.iter().all(|item| !item.contains_key("outbox") && !item.contains_key("due_at")));
}
