//! `POST /subscriptions/{id}/activate`.

use emulator::{Call, Purchase};
use uuid::Uuid;

use crate::{HostedCase, Live};

super::cases! {
    "activate" => activate,
    "malformed-id" => malformed_id,
    "unknown-subscription" => unknown_subscription,
}

/// F-SEED-2, F-ACT-3: the function activates at Microsoft and reads the result. Nobody has opened the
/// landing page, so it also makes the record.
async fn activate(case: &mut HostedCase) {
    let id = case.bought(Purchase::flat_rate("silver"));
    let answer = case.send(Live::about(id)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["subscription"]["saasSubscriptionStatus"], "Subscribed");
    assert_eq!(case.world(|world| world.subscription(id).status), "Subscribed");
    assert_eq!(case.count(Call::Activate), 1);
    assert_eq!(case.status(id).await, "Subscribed");
    assert_eq!(case.events(id).await, ["Purchased", "Activated"]);

    let renamed = case.landed(Purchase::flat_rate("silver")).await;
    case.world(|world| world.rename(renamed, "Contoso staging")).expect("a name");
    assert_eq!(case.send(Live::about(renamed)).await.status, 200);
    let name = case.record(renamed).await.and_then(|record| record.subscription.name);
    assert_eq!(name.as_deref(), Some("Contoso staging"));
}

async fn malformed_id(case: &mut HostedCase) {
    let answer = case.send(Live::default()).await;
    assert_eq!((answer.status, answer.problem().as_str()), (400, "malformed_id"));
    assert_eq!(case.calls().len(), 0, "Microsoft is not asked");
}

/// F-ACT-5.
async fn unknown_subscription(case: &mut HostedCase) {
    let answer = case.send(Live::default()).await;
    assert_eq!((answer.status, answer.problem().as_str()), (404, "unknown_subscription"));
    let unknown: Uuid = "0d9b7c46-15fe-4a82-b6d3-92e8f4017c5a".parse().expect("a GUID");
    assert_eq!(case.record(unknown).await, None);
}
