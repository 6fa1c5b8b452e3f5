//! `POST /subscriptions/{id}/activate`.

use emulator::{Call, Purchase};
use uuid::Uuid;

use crate::{Live, Play};

super::cases! {
    "activate" => activate,
    "malformed-id" => malformed_id,
    "unknown-subscription" => unknown_subscription,
}

/// F-SEED-2, F-ACT-3: Microsoft is told, and asked whether it happened.
async fn activate(play: &mut Play) {
    let id = play.landed(Purchase::flat_rate("silver")).await;
    let answer = play.send(Live::about(id)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["subscription"]["saasSubscriptionStatus"], "Subscribed");
    assert_eq!(play.world(|world| world.subscription(id).status), "Subscribed");
    assert_eq!(play.count(Call::Activate), 1);
    assert_eq!(play.status(id).await, "Subscribed");
    assert_eq!(play.events(id).await, ["Purchased", "Activated"]);
}

async fn malformed_id(play: &mut Play) {
    let answer = play.send(Live::default()).await;
    assert_eq!((answer.status, answer.problem().as_str()), (400, "malformed_id"));
    assert_eq!(play.calls().len(), 0, "there is nothing to ask Microsoft for");
}

/// F-ACT-5.
async fn unknown_subscription(play: &mut Play) {
    let answer = play.send(Live::default()).await;
    assert_eq!((answer.status, answer.problem().as_str()), (404, "unknown_subscription"));
    let unknown: Uuid = "0d9b7c46-15fe-4a82-b6d3-92e8f4017c5a".parse().expect("a GUID");
    assert_eq!(play.record(unknown).await, None);
}
