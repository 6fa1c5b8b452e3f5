//! Microsoft's calls of the webhook.

use emulator::{Call, Purchase};
use serde_json::json;
use uuid::Uuid;

use crate::{HostedCase, Live};

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

/// F-WHA-3: the function confirms the change, acknowledges it with `Success`, and records it.
async fn change_plan(case: &mut HostedCase) {
    let id = case.active(Purchase::flat_rate("silver")).await;
    let operation = case.world(|world| world.change_plan(id, "gold")).expect("a change");
    let answer = case.send(Live::operation(id, operation)).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert_acknowledged(case, operation);
    assert_eq!(case.world(|world| world.subscription(id).plan_id), "gold");
    let record = case.record(id).await.expect("a record");
    assert_eq!(record.subscription.plan_id, "gold");
    assert_eq!(case.events(id).await, ["Purchased", "Activated", "PlanChanged"]);
}

/// F-WHD-5: a second delivery gets the same answer and changes nothing.
async fn change_plan_delivered_twice(case: &mut HostedCase) {
    let id = case.active(Purchase::flat_rate("silver")).await;
    let operation = case.world(|world| world.change_plan(id, "gold")).expect("a change");
    assert_eq!(case.send(Live::operation(id, operation)).await.status, 200);
    let before = case.record(id).await;
    let answer = case.send(Live::operation(id, operation)).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert_eq!(case.count(Call::UpdateOperation), 0);
    assert_eq!(case.record(id).await, before);
    // F-AUTH-6: the access token is cached until it expires.
    assert!(!case.world(|world| world.calls().iter().any(|call| call.call == Call::Token)));
}

/// F-WHA-4. The quantity may be a text with a space (F-WHP-7).
async fn change_quantity(case: &mut HostedCase) {
    let id = case.active(Purchase::per_seat("team", 10)).await;
    let operation = case.world(|world| world.change_quantity(id, 25)).expect("a change");
    let answer = case.send(Live::operation(id, operation)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_acknowledged(case, operation);
    assert_eq!(case.world(|world| world.subscription(id).quantity), Some(25));
    let record = case.record(id).await.expect("a record");
    assert_eq!(record.subscription.quantity, Some(25));
}

/// F-OPU-1, F-OPU-2.
fn assert_acknowledged(case: &HostedCase, operation: Uuid) {
    let calls = case.calls();
    let sent: Vec<_> = calls.iter().filter(|call| call.call == Call::UpdateOperation).collect();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].request_body, Some(json!({ "status": "Success" })));
    assert_eq!(case.world(|world| world.operation(operation).status), "Succeeded");
}

/// F-WHA-5, F-LC-7: the record takes the new term from Microsoft's copy.
async fn renew(case: &mut HostedCase) {
    let id = case.active(Purchase::flat_rate("silver")).await;
    let before = case.record(id).await.expect("a record").subscription.term;
    let operation = case.world(|world| world.renew(id)).expect("a renewal");
    notice(case, id, operation, "Subscribed").await;
    let after = case.record(id).await.expect("a record").subscription.term;
    assert!(after.start_date > before.end_date, "{before:?} {after:?}");
    assert_eq!(case.events(id).await, ["Purchased", "Activated", "Renewed"]);
}

/// F-WHA-6.
async fn suspend(case: &mut HostedCase) {
    let id = case.active(Purchase::flat_rate("silver")).await;
    case.world(|world| world.rename(id, "Contoso staging")).expect("a name");
    let operation = case.world(|world| world.suspend(id)).expect("a suspension");
    notice(case, id, operation, "Suspended").await;
}

/// F-WHA-8. The sparse form has no plan, status or subscription (F-WHP-6).
async fn unsubscribe(case: &mut HostedCase) {
    let id = case.active(Purchase::flat_rate("silver")).await;
    let operation = case.world(|world| world.unsubscribe(id)).expect("an end");
    notice(case, id, operation, "Unsubscribed").await;
}

/// F-WHA-2, F-WHS-6: this call is the first sign of an auto-activated purchase.
async fn subscribe(case: &mut HostedCase) {
    let id = case.bought(Purchase::flat_rate("auto"));
    let operation = case.world(|world| world.operations(id)[0]);
    notice(case, id, operation, "Subscribed").await;
    assert_eq!(case.count(Call::Activate), 0, "F-ACT-8");
    assert_eq!(case.events(id).await, ["Purchased", "Activated"]);
}

/// A notice is answered with 200 and not acknowledged (F-OPU-7).
async fn notice(case: &mut HostedCase, id: Uuid, operation: Uuid, status: &str) {
    let answer = case.send(Live::operation(id, operation)).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert_eq!(case.status(id).await, status);
    assert_eq!(case.count(Call::UpdateOperation), 0);
}

/// F-WHA-7, F-WHA-11.
async fn reinstate(case: &mut HostedCase) {
    let id = case.suspended(Purchase::flat_rate("silver")).await;
    let operation = case.world(|world| world.reinstate(id)).expect("a reinstatement");
    let answer = case.send(Live::operation(id, operation)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_acknowledged(case, operation);
    assert_eq!(case.status(id).await, "Subscribed");
    assert_eq!(case.events(id).await.last(), Some(&"Reinstated"));
}

/// F-WHP-6: a call without an operation id changes nothing by itself. The function adopts
/// Microsoft's copy, which is still `Suspended`.
async fn old_reinstate(case: &mut HostedCase) {
    let id = case.suspended(Purchase::flat_rate("silver")).await;
    case.world(|world| world.reinstate(id)).expect("a reinstatement");
    let answer = case.send(Live::about(id)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(case.count(Call::GetSubscription), 1);
    assert_eq!(case.count(Call::UpdateOperation), 0);
    assert_eq!(case.status(id).await, "Suspended");
}

/// F-WHA-9.
async fn unknown_action(case: &mut HostedCase) {
    let id = case.active(Purchase::flat_rate("silver")).await;
    let before = case.record(id).await;
    let operation = case.world(|world| world.queue_unknown_action(id, "Transfer"));
    let answer = case.send(Live::operation(id, operation.expect("a notice"))).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(case.count(Call::UpdateOperation), 0);
    assert_eq!(case.record(id).await, before);
}

/// F-WHA-13: a body that can't be read gets a 5xx, because a 4xx would reject the change.
async fn broken_json(case: &mut HostedCase) {
    let id = case.active(Purchase::flat_rate("silver")).await;
    let operation = case.world(|world| world.change_plan(id, "gold")).expect("a change");
    let answer = case.send(Live::operation(id, operation)).await;
    assert!((500..600).contains(&answer.status), "{}", answer.status);
    assert_eq!(case.world(|world| world.operation(operation).status), "InProgress");
    assert_untouched(case, id).await;
}

/// F-WHJ-7: a call without a token is refused.
async fn no_authorization(case: &mut HostedCase) {
    let id = case.active(Purchase::flat_rate("silver")).await;
    let operation = case.world(|world| world.suspend(id)).expect("a suspension");
    assert_refused(case, id, operation).await;
}

/// F-WHJ-4: a token with the algorithm `none` is refused.
async fn forged_token(case: &mut HostedCase) {
    let id = case.active(Purchase::flat_rate("silver")).await;
    let operation = case.world(|world| world.unsubscribe(id)).expect("an end");
    assert_refused(case, id, operation).await;
}

/// F-WHJ-6: a stranger's call is refused even if its content is true.
async fn assert_refused(case: &mut HostedCase, id: Uuid, operation: Uuid) {
    let answer = case.send(Live::operation(id, operation)).await;
    assert_eq!(answer.status, 401, "{}", answer.body);
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    assert_untouched(case, id).await;
}

async fn assert_untouched(case: &HostedCase, id: Uuid) {
    let record = case.record(id).await.expect("a record");
    assert_eq!(
        (record.status().as_str(), record.subscription.plan_id.as_str()),
        ("Subscribed", "silver")
    );
    assert_eq!(case.calls().len(), 0, "Microsoft is not asked");
}
