//! The schedule's tick.

use emulator::{Call, Purchase};
use serde_json::json;

use crate::{Live, Play};

super::cases! {
    "scheduled" => scheduled,
    "scheduled" => scheduled_without_access,
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

/// F-AUTH-15: a secret that Microsoft doesn't take. The invocation fails, so that the loop around it
/// and whoever watches it know; nothing is changed.
async fn scheduled_without_access(play: &mut Play) {
    let id = play.active(Purchase::flat_rate("silver")).await;
    play.world(|world| {
        world.suspend(id).expect("a suspension");
        world.lose_deliveries();
        world.entra().set_client_secret("a-newer-secret");
    });
    let failed = play.attempt(Live::default()).await;
    let error = failed.expect_err("nothing was compared");
    assert!(!error.contains("finished"), "{error}");
    assert_eq!(play.calls().len(), 0, "there is no token to call with");
    assert_eq!(play.status(id).await, "Subscribed");
}
