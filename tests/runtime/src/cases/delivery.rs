//! What the table's stream and the schedule bring to the delivery.

use emulator::Purchase;
use serde_json::{Value, json};
use shared::domain::SubscriptionId;
use shared::redelivery::{From, redeliver};
use shared::store::{CursorState, Target};
use shared::system::RealSystem;
use uuid::Uuid;

use crate::{Live, Play};

super::cases! {
    "recorded" => recorded,
    "recorded" => recorded_by_nobody,
    "nothing-new" => nothing_new,
    "scheduled" => scheduled,
    "scheduled" => scheduled_in_vain,
}

fn ids(told: &[Value]) -> Vec<String> {
    told.iter().map(|event| event["id"].as_str().expect("an id").to_owned()).collect()
}

/// New events reach the endpoint, signed, and the bus, in order and once.
async fn recorded(play: &mut Play) {
    let id = play.active(Purchase::per_seat("team", 10)).await;
    let answer = play.send(Live::about(id)).await;
    assert_eq!(answer.json(), json!({ "batchItemFailures": [] }));
    let recorded = play.event_ids(id).await;
    assert_eq!(recorded.len(), 2, "Purchased, Activated");
    assert_eq!(ids(&play.told()), recorded);
    let on_bus: Vec<Value> = play
        .on_bus()
        .iter()
        .map(|entry| serde_json::from_str(entry["Detail"].as_str().expect("text")).expect("JSON"))
        .collect();
    assert_eq!(on_bus, play.told(), "both hear the same");
    play.send(Live::about(id)).await;
    assert_eq!((play.told().len(), play.on_bus().len()), (2, 2), "the same records again");
}

/// The record of an event that is not in the table any more is no failure: there is nothing to carry.
async fn recorded_by_nobody(play: &mut Play) {
    let answer = play.send(Live::about(Uuid::new_v4())).await;
    assert_eq!(answer.json(), json!({ "batchItemFailures": [] }));
    assert_eq!((play.told().len(), play.on_bus().len()), (0, 0));
}

/// What the stream tells beside new events is nothing to carry, should the filter let it through.
async fn nothing_new(play: &mut Play) {
    let id = play.active(Purchase::per_seat("team", 10)).await;
    let answer = play.send(Live::about(id)).await;
    assert_eq!(answer.json(), json!({ "batchItemFailures": [] }));
    assert_eq!((play.told().len(), play.on_bus().len()), (0, 0));
}

/// What somebody asked for is told by the next sweep.
async fn scheduled(play: &mut Play) {
    let id = play.active(Purchase::per_seat("team", 10)).await;
    let subscription = SubscriptionId(id);
    for target in Target::ALL {
        redeliver(&*play.outbox(), &RealSystem, subscription, target, From::WhereItStopped)
            .await
            .expect("the table is there");
    }
    let report = play.send(Live::default()).await.json();
    let expected = json!({ "finished": true, "subscriptions": 1, "delivered": 4, "failed": 0 });
    assert_eq!(report, expected, "two events, two targets");
    assert_eq!(ids(&play.told()), play.event_ids(id).await);
    let cursor = play.outbox().cursor(subscription, Target::Endpoint).await;
    assert_eq!(cursor.expect("the table is there").state, CursorState::Flowing);
}

/// What was just recorded is the stream's to tell of.
async fn scheduled_in_vain(play: &mut Play) {
    play.active(Purchase::per_seat("team", 10)).await;
    let report = play.send(Live::default()).await.json();
    let expected = json!({ "finished": true, "subscriptions": 0, "delivered": 0, "failed": 0 });
    assert_eq!(report, expected);
    assert_eq!(play.told().len(), 0);
}
