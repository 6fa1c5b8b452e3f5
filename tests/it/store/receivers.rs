//! The receivers' states, and what is deleted when one is gone, in every store.

use std::collections::BTreeMap;

use shared::domain::Position;
use shared::store::{
    Cursor, CursorError, CursorState, Outbox, Pause, ReceiverState, Receivers, SaveError, Target,
};

use super::*;

fn crm() -> Target {
    "crm".parse().expect("a name")
}

async fn a_state_is_saved_and_deleted_only_from_its_current_revision(receivers: &dyn Receivers) {
    let all = async || receivers.receivers().await.expect("a read");
    assert_eq!(all().await, BTreeMap::new());
    let added = ReceiverState::added(noon(), None);
    for revision in [0, 2] {
        let state = ReceiverState { revision, ..added.clone() };
        let refused = receivers.save_receiver(crm(), &state).await;
        assert!(matches!(refused, Err(SaveError::Conflict)), "{revision}: {refused:?}");
    }
    receivers.save_receiver(crm(), &added).await.expect("the first");
    let again = receivers.save_receiver(crm(), &added).await;
    assert!(matches!(again, Err(SaveError::Conflict)), "another process has added it: {again:?}");
    let pause = Pause { since: noon(), note: "it moves".to_owned(), by: None };
    let paused = ReceiverState { revision: 2, paused: Some(pause), ..added.clone() };
    receivers.save_receiver(crm(), &paused).await.expect("the next");
    let unnamed = ReceiverState { revision: 1, ..ReceiverState::default() };
    receivers.save_receiver(Target::EventBus, &unnamed).await.expect("another one");
    let both = BTreeMap::from([(crm(), paused), (Target::EventBus, unnamed)]);
    assert_eq!(all().await, both);
    for revision in [0, 1, 3] {
        let refused = receivers.delete_receiver(crm(), revision).await;
        assert!(matches!(refused, Err(SaveError::Conflict)), "{revision}: {refused:?}");
    }
    receivers.delete_receiver(crm(), 2).await.expect("deleted");
    let gone = receivers.delete_receiver(crm(), 2).await;
    assert!(matches!(gone, Err(SaveError::Conflict)), "{gone:?}");
    assert_eq!(all().await.into_keys().collect::<Vec<_>>(), [Target::EventBus]);
    receivers.save_receiver(crm(), &added).await.expect("it is added again");
}

async fn cursors_of_a_receiver_that_is_gone_are_found_and_deleted(outbox: &dyn Outbox) {
    let parked = |revision| Cursor {
        revision,
        delivered: Position { version: 1, index: 0 },
        state: CursorState::Parked {
            at: noon(),
            trouble: shared::store::Trouble { since: noon(), attempts: 1, last: String::new() },
        },
        receiver_added_at: Some(noon()),
        ..Cursor::default()
    };
    let one = id(1);
    assert_eq!(outbox.cursors(one).await.expect("a read"), []);
    for target in [crm(), Target::Endpoint] {
        outbox.save_cursor(one, target, &parked(1)).await.expect("saved");
    }
    outbox.save_cursor(id(2), Target::EventBus, &parked(1)).await.expect("saved");
    let mut found = outbox.cursors(one).await.expect("a read");
    found.sort();
    assert_eq!(found, [Target::Endpoint, crm()]);
    assert_eq!(outbox.cursor(one, crm()).await.expect("a read"), parked(1));
    let waiting = outbox.waiting(&[Target::Endpoint], &BTreeMap::new()).await.expect("a count");
    assert_eq!(waiting.parked, 1);
    assert_eq!(waiting.strays.into_iter().collect::<Vec<_>>(), [(one, crm())], "no unnamed one");
    let refused = outbox.delete_cursor(one, crm(), 2).await;
    assert!(matches!(refused, Err(CursorError::Conflict)), "{refused:?}");
    outbox.delete_cursor(one, crm(), 1).await.expect("deleted");
    let gone = outbox.delete_cursor(one, crm(), 1).await;
    assert!(matches!(gone, Err(CursorError::Conflict)), "{gone:?}");
    assert_eq!(outbox.cursor(one, crm()).await.expect("a read"), Cursor::default());
    assert_eq!(outbox.cursors(one).await.expect("a read"), [Target::Endpoint]);
}

async fn what_was_parked_for_an_earlier_receiver_of_the_name_does_not_count(outbox: &dyn Outbox) {
    let hours = SignedDuration::from_hours;
    let added_at = noon() + hours(100);
    for (number, at) in [(1, noon()), (2, added_at), (3, added_at + hours(24))] {
        let trouble = shared::store::Trouble { since: at, attempts: 1, last: String::new() };
        let state = CursorState::Parked { at, trouble };
        let cursor = Cursor { revision: 1, state, ..Cursor::default() };
        outbox.save_cursor(id(number), crm(), &cursor).await.expect("saved");
    }
    let states = BTreeMap::from([(crm(), ReceiverState::added(added_at, None))]);
    let waiting = outbox.waiting(&[crm()], &states).await.expect("a count");
    assert_eq!(waiting.parked, 1, "its own");
    let strays = [1, 2].map(|number| (id(number), crm()));
    assert_eq!(waiting.strays.into_iter().collect::<Vec<_>>(), strays);
}

async fn what_waits_for_a_paused_receiver_is_counted_apart(outbox: &dyn Outbox) {
    for (number, target) in [(1, crm()), (2, crm()), (3, Target::Endpoint)] {
        let state = CursorState::Due { at: noon(), trouble: None };
        let cursor = Cursor { revision: 1, state, ..Cursor::default() };
        outbox.save_cursor(id(number), target, &cursor).await.expect("saved");
    }
    let targets = [Target::Endpoint, crm()];
    let pause = Pause { since: noon(), note: String::new(), by: None };
    let paused = ReceiverState { paused: Some(pause), ..ReceiverState::default() };
    let states = BTreeMap::from([(crm(), paused.clone())]);
    let waiting = outbox.waiting(&targets, &states).await.expect("a count");
    assert_eq!(waiting.by_target, BTreeMap::from([(Target::Endpoint, 1), (crm(), 2)]));
    assert_eq!((waiting.subscriptions, waiting.strays.len()), (1, 0));
    let states = targets.map(|target| (target, paused.clone())).into();
    let waiting = outbox.waiting(&targets, &states).await.expect("a count");
    assert_eq!((waiting.subscriptions, waiting.oldest), (0, None));
}

#[tokio::test]
async fn receivers_are_kept_on_dynamodb() {
    a_state_is_saved_and_deleted_only_from_its_current_revision(&*Table::new().await.receivers)
        .await;
    cursors_of_a_receiver_that_is_gone_are_found_and_deleted(&*Table::new().await.outbox).await;
    what_waits_for_a_paused_receiver_is_counted_apart(&*Table::new().await.outbox).await;
    what_was_parked_for_an_earlier_receiver_of_the_name_does_not_count(&*Table::new().await.outbox)
        .await;
}

#[tokio::test]
async fn receivers_are_kept_on_the_wire() {
    a_state_is_saved_and_deleted_only_from_its_current_revision(&*wire::store()).await;
    cursors_of_a_receiver_that_is_gone_are_found_and_deleted(&*wire::store()).await;
    what_waits_for_a_paused_receiver_is_counted_apart(&*wire::store()).await;
    what_was_parked_for_an_earlier_receiver_of_the_name_does_not_count(&*wire::store()).await;
}

#[tokio::test]
async fn receivers_are_kept_in_memory() {
    let store = memory_store::MemoryStore::default;
    a_state_is_saved_and_deleted_only_from_its_current_revision(&store()).await;
    cursors_of_a_receiver_that_is_gone_are_found_and_deleted(&store()).await;
    what_waits_for_a_paused_receiver_is_counted_apart(&store()).await;
    what_was_parked_for_an_earlier_receiver_of_the_name_does_not_count(&store()).await;
}
