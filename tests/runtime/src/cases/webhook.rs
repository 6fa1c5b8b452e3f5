//! Calls of the connection webhook.

use emulator::{Call, Purchase};
use serde_json::json;
use uuid::Uuid;

use crate::{Live, Play};

super::cases! {
    "change-plan" => change_plan,
    "change-plan" => change_plan_delivered_twice,
    "change-plan-base64-body" => change_plan,
    "change-plan-function-url" => change_plan,
    "change-quantity" => change_quantity,
    "string-quantity" => change_quantity,
    "renew" => renew,
    "suspend" => suspend,
    "reinstate" => reinstate,
    "old-reinstate-operation-type" => old_reinstate,
    "unsubscribe" => unsubscribe,
    "sparse" => unsubscribe,
    "subscribe" => subscribe,
    "unknown-action" => unknown_action,
    "broken-json" => broken_json,
    "no-authorization" => no_authorization,
    "forged-token" => forged_token,
}

/// F-WHA-3: the change is checked, acknowledged with `Success`, and in force.
async fn change_plan(play: &mut Play) {
    let id = play.active(Purchase::flat_rate("silver")).await;
    let operation = play.world(|world| world.change_plan(id, "gold")).expect("a change");
    let answer = play.send(Live::operation(id, operation)).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    is_acknowledged(play, operation);
    assert_eq!(play.world(|world| world.subscription(id).plan_id), "gold");
    let record = play.record(id).await.expect("a record");
    assert_eq!(record.subscription.plan_id, "gold");
    assert_eq!(play.events(id).await, ["Purchased", "Activated", "PlanChanged"]);
}

/// F-WHD-5: the same process hears of it again, answers as before, and does nothing.
async fn change_plan_delivered_twice(play: &mut Play) {
    let id = play.active(Purchase::flat_rate("silver")).await;
    let operation = play.world(|world| world.change_plan(id, "gold")).expect("a change");
    assert_eq!(play.send(Live::operation(id, operation)).await.status, 200);
    let before = play.record(id).await;
    let answer = play.send(Live::operation(id, operation)).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert_eq!(play.count(Call::UpdateOperation), 0);
    assert_eq!(play.record(id).await, before);
    // F-AUTH-6: a token is kept for as long as it lives.
    assert!(!play.world(|world| world.calls().iter().any(|call| call.call == Call::Token)));
}

/// F-WHA-4; the number may be text with a blank (F-WHP-7).
async fn change_quantity(play: &mut Play) {
    let id = play.active(Purchase::per_seat("team", 10)).await;
    let operation = play.world(|world| world.change_quantity(id, 25)).expect("a change");
    let answer = play.send(Live::operation(id, operation)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    is_acknowledged(play, operation);
    assert_eq!(play.world(|world| world.subscription(id).quantity), Some(25));
    let record = play.record(id).await.expect("a record");
    assert_eq!(record.subscription.quantity, Some(25));
}

/// F-OPU-1, F-OPU-2.
fn is_acknowledged(play: &Play, operation: Uuid) {
    let calls = play.calls();
    let sent: Vec<_> = calls.iter().filter(|call| call.call == Call::UpdateOperation).collect();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].request_body, Some(json!({ "status": "Success" })));
    assert_eq!(play.world(|world| world.operation(operation).status), "Succeeded");
}

/// F-WHA-5, F-LC-7: the dates are Microsoft's.
async fn renew(play: &mut Play) {
    let id = play.active(Purchase::flat_rate("silver")).await;
    let before = play.record(id).await.expect("a record").subscription.term;
    let operation = play.world(|world| world.renew(id)).expect("a renewal");
    notice(play, id, operation, "Subscribed").await;
    let after = play.record(id).await.expect("a record").subscription.term;
    assert!(after.start_date > before.end_date, "{before:?} {after:?}");
    assert_eq!(play.events(id).await, ["Purchased", "Activated", "Renewed"]);
}

/// F-WHA-6.
async fn suspend(play: &mut Play) {
    let id = play.active(Purchase::flat_rate("silver")).await;
    let operation = play.world(|world| world.suspend(id)).expect("a suspension");
    notice(play, id, operation, "Suspended").await;
}

/// F-WHA-8; the sparse form names no plan, status or subscription (F-WHP-6).
async fn unsubscribe(play: &mut Play) {
    let id = play.active(Purchase::flat_rate("silver")).await;
    let operation = play.world(|world| world.unsubscribe(id)).expect("an end");
    notice(play, id, operation, "Unsubscribed").await;
}

/// F-WHA-2, F-WHS-6: an auto-activated purchase is heard of here first.
async fn subscribe(play: &mut Play) {
    let id = play.bought(Purchase::flat_rate("auto"));
    let operation = play.world(|world| world.operations(id)[0]);
    notice(play, id, operation, "Subscribed").await;
    assert_eq!(play.count(Call::Activate), 0, "F-ACT-8");
    assert_eq!(play.events(id).await, ["Purchased", "Activated"]);
}

/// What has happened already is answered with 200 and takes no acknowledgement (F-OPU-7).
async fn notice(play: &mut Play, id: Uuid, operation: Uuid, status: &str) {
    let answer = play.send(Live::operation(id, operation)).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert_eq!(play.status(id).await, status);
    assert_eq!(play.count(Call::UpdateOperation), 0);
}

/// F-WHA-7, F-WHA-11: access is back.
async fn reinstate(play: &mut Play) {
    let id = play.suspended(Purchase::flat_rate("silver")).await;
    let operation = play.world(|world| world.reinstate(id)).expect("a reinstatement");
    let answer = play.send(Live::operation(id, operation)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    is_acknowledged(play, operation);
    assert_eq!(play.status(id).await, "Subscribed");
    assert_eq!(play.events(id).await.last(), Some(&"Reinstated"));
}

/// F-WHP-6: without an operation's id nothing is applied on the call's strength; Microsoft's copy,
/// which still says `Suspended`, decides.
async fn old_reinstate(play: &mut Play) {
    let id = play.suspended(Purchase::flat_rate("silver")).await;
    play.world(|world| world.reinstate(id)).expect("a reinstatement");
    let answer = play.send(Live::about(id)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(play.count(Call::GetSubscription), 1);
    assert_eq!(play.count(Call::UpdateOperation), 0);
    assert_eq!(play.status(id).await, "Suspended");
}

/// F-WHA-9.
async fn unknown_action(play: &mut Play) {
    let id = play.active(Purchase::flat_rate("silver")).await;
    let before = play.record(id).await;
    let operation = play.world(|world| world.queue_unknown_action(id, "Transfer"));
    let answer = play.send(Live::operation(id, operation.expect("a notice"))).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(play.count(Call::UpdateOperation), 0);
    assert_eq!(play.record(id).await, before);
}

/// F-WHA-13: what can't be read is our trouble, and never a rejection.
async fn broken_json(play: &mut Play) {
    let id = play.active(Purchase::flat_rate("silver")).await;
    let operation = play.world(|world| world.change_plan(id, "gold")).expect("a change");
    let answer = play.send(Live::operation(id, operation)).await;
    assert!((500..600).contains(&answer.status), "{}", answer.status);
    assert_eq!(play.world(|world| world.operation(operation).status), "InProgress");
    is_untouched(play, id).await;
}

/// F-WHJ-7: there is no fallback.
async fn no_authorization(play: &mut Play) {
    let id = play.active(Purchase::flat_rate("silver")).await;
    let operation = play.world(|world| world.suspend(id)).expect("a suspension");
    is_refused(play, id, operation).await;
}

/// F-WHJ-4: algorithm `none`.
async fn forged_token(play: &mut Play) {
    let id = play.active(Purchase::flat_rate("silver")).await;
    let operation = play.world(|world| world.unsubscribe(id)).expect("an end");
    is_refused(play, id, operation).await;
}

/// F-WHJ-6. Even what is true is not taken from a stranger.
async fn is_refused(play: &mut Play, id: Uuid, operation: Uuid) {
    let answer = play.send(Live::operation(id, operation)).await;
    assert_eq!(answer.status, 401, "{}", answer.body);
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    is_untouched(play, id).await;
}

async fn is_untouched(play: &Play, id: Uuid) {
    let record = play.record(id).await.expect("a record");
    assert_eq!(
        (record.status().as_str(), record.subscription.plan_id.as_str()),
        ("Subscribed", "silver")
    );
    assert_eq!(play.calls().len(), 0, "Microsoft is not even asked");
}
