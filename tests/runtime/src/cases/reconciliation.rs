//! The schedule's tick.

use emulator::{Call, Purchase};
use serde_json::json;

use crate::{Live, Play};

super::cases! {
    "scheduled" => scheduled,
}

/// F-LC-12: Microsoft's state is adopted, whatever was missed. The answer is what the loop around
/// the function reads.
async fn scheduled(play: &mut Play) {
    let unchanged = play.active(Purchase::flat_rate("gold")).await;
    let suspended = play.active(Purchase::flat_rate("silver")).await;
    let unheard_of = play.bought(Purchase::per_seat("team", 10));
    play.world(|world| {
        world.suspend(suspended).expect("a suspension");
        world.lose_deliveries();
    });
    let before = play.record(unchanged).await;
    let answer = play.send(Live::default()).await;
    let report = answer.json();
    assert_eq!(report, json!({ "finished": true, "examined": 3, "repaired": 2, "failed": 0 }));
    assert_eq!(play.count(Call::ListSubscriptions), 1);
    assert_eq!(play.status(suspended).await, "Suspended");
    assert_eq!(play.status(unheard_of).await, "PendingFulfillmentStart");
    assert_eq!(play.record(unchanged).await, before);
}
