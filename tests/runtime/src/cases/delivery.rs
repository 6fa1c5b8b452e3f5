//! Invocations of the delivery by the table's stream and by the schedule.

use emulator::Purchase;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::domain::SubscriptionId;
use shared::flows::redelivery::{From, redeliver};
use shared::host::clock::SystemClock;
use shared::store::{Cursor, CursorState, ReceiverState, Target};
use uuid::Uuid;

use crate::{HostedCase, Live};

super::cases! {
    "recorded" => recorded,
    "recorded" => deleted_since,
    "nothing-new" => nothing_new,
    "scheduled" => scheduled,
    "scheduled" => scheduled_too_early,
    "catching-up" => catching_up,
}

fn ids(events: &[Value]) -> Vec<String> {
    events.iter().map(|event| event["id"].as_str().expect("an id").to_owned()).collect()
}

/// New events reach the endpoint, signed, and the event bus, in order and once.
async fn recorded(case: &mut HostedCase) {
    let id = case.active(Purchase::per_seat("team", 10)).await;
    let answer = case.send(Live::about(id)).await;
    assert_eq!(answer.json(), json!({ "batchItemFailures": [] }));
    let recorded = case.event_ids(id).await;
    assert_eq!(recorded.len(), 2, "Purchased, Activated");
    assert_eq!(ids(&case.received()), recorded);
    let on_bus: Vec<Value> = case
        .on_bus()
        .iter()
        .map(|entry| serde_json::from_str(entry["Detail"].as_str().expect("text")).expect("JSON"))
        .collect();
    assert_eq!(on_bus, case.received(), "both receive the same");
    case.send(Live::about(id)).await;
    assert_eq!((case.received().len(), case.on_bus().len()), (2, 2), "the same records again");
}

/// A stream record of an event that the table no longer holds is skipped, not failed.
async fn deleted_since(case: &mut HostedCase) {
    let answer = case.send(Live::about(Uuid::new_v4())).await;
    assert_eq!(answer.json(), json!({ "batchItemFailures": [] }));
    assert_eq!((case.received().len(), case.on_bus().len()), (0, 0));
}

/// Other stream records are skipped, if the filter lets them through.
async fn nothing_new(case: &mut HostedCase) {
    let id = case.active(Purchase::per_seat("team", 10)).await;
    let answer = case.send(Live::about(id)).await;
    assert_eq!(answer.json(), json!({ "batchItemFailures": [] }));
    assert_eq!((case.received().len(), case.on_bus().len()), (0, 0));
}

/// A sweep delivers the events of a requested redelivery.
async fn scheduled(case: &mut HostedCase) {
    let id = case.active(Purchase::per_seat("team", 10)).await;
    let subscription = SubscriptionId(id);
    for target in Target::UNNAMED {
        redeliver(&*case.outbox(), &SystemClock, subscription, target, From::WhereItStopped)
            .await
            .expect("the table is there");
    }
    let report = case.send(Live::default()).await.json();
    let expected = json!({
        "finished": true, "subscriptions": 1, "delivered": 4, "refused": 0, "cut_short": 0, "failed": 0,
    });
    assert_eq!(report, expected, "two events, two targets");
    assert_eq!(ids(&case.received()), case.event_ids(id).await);
    let cursor = case.outbox().cursor(subscription, Target::Endpoint).await;
    assert_eq!(cursor.expect("the table is there").state, CursorState::Flowing);
}

/// A sweep leaves new events to the stream.
async fn scheduled_too_early(case: &mut HostedCase) {
    case.active(Purchase::per_seat("team", 10)).await;
    let report = case.send(Live::default()).await.json();
    let expected = json!({
        "finished": true, "subscriptions": 0, "delivered": 0, "refused": 0, "cut_short": 0, "failed": 0,
    });
    assert_eq!(report, expected);
    assert_eq!(case.received().len(), 0);
}

/// A sweep delivers to a new endpoint what it has missed, and removes one that is gone from the settings.
async fn catching_up(case: &mut HostedCase) {
    let id = SubscriptionId(case.active(Purchase::per_seat("team", 10)).await);
    let [crm, former]: [Target; 2] = ["crm", "former"].map(|name| name.parse().expect("a name"));
    let now = Timestamp::now();
    let hour = SignedDuration::from_hours(1);
    let added = ReceiverState::added(now - hour, Some(now - hour));
    let gone = ReceiverState { missing_since: Some(now - hour), ..added.clone() };
    for (target, state) in [(crm, &added), (former, &gone)] {
        case.receivers().save_receiver(target, state).await.expect("saved");
    }
    let state = CursorState::Due { at: now + hour, trouble: None };
    let cursor = Cursor { revision: 1, state, ..Cursor::default() };
    case.outbox().save_cursor(id, former, &cursor).await.expect("saved");
    let report = case.send(Live::default()).await.json();
    assert_eq!((&report["finished"], &report["delivered"]), (&true.into(), &2.into()), "{report}");
    assert_eq!(ids(&case.received()), case.event_ids(id.0).await, "at the new endpoint alone");
    let states = case.receivers().receivers().await.expect("a read");
    assert_eq!(states.keys().collect::<Vec<_>>(), [&crm]);
    assert_eq!(states[&crm].catch_up, None);
    assert_eq!(case.outbox().cursors(id).await.expect("a read"), [crm]);
}
