//! The publisher's own API.

use emulator::{Call, Purchase};
use serde_json::{Value, json};
use shared::domain::{Position, SubscriptionId};
use shared::store::{CursorState, Target};
use uuid::Uuid;

use crate::{Answer, Live, Play};

super::cases! {
    "list" => list,
    "list-by-status" => list_by_status,
    "list-by-offer" => list_by_offer,
    "read" => read,
    "read-unknown" => read_unknown,
    "events" => events,
    "events-as-cloudevents" => events_as_cloudevents,
    "plans" => plans,
    "operations" => operations,
    "operation" => operation,
    "change-plan" => change_plan,
    "change-quantity" => change_quantity,
    "change-both-refused" => change_both_refused,
    "change-plan-with-key" => change_plan_with_key,
    "cancel" => cancel,
    "cancel-of-another-version" => cancel_of_another_version,
    "observe" => observe,
    "redeliver" => redeliver,
    "openapi" => openapi,
    "unknown-route" => unknown_route,
}

/// One active subscription of a flat rate, and one of seats that is not active.
async fn two(play: &mut Play) -> (Uuid, Uuid) {
    let active = play.active(Purchase::flat_rate("silver")).await;
    let pending = play.landed(Purchase::per_seat("team", 10)).await;
    (active, pending)
}

async fn listed(play: &mut Play) -> Vec<String> {
    let answer = play.send(Live::default()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("content-type"), "application/json");
    let page = answer.json();
    assert_eq!(page["next"], Value::Null);
    let records = page["subscriptions"].as_array().expect("a list");
    let id = |record: &Value| record["subscription"]["id"].as_str().map(str::to_owned);
    let mut ids: Vec<String> = records.iter().filter_map(id).collect();
    ids.sort();
    assert_eq!(play.calls().len(), 0, "F-LST-8: the list is not asked for per request");
    ids
}

async fn list(play: &mut Play) {
    let (active, pending) = two(play).await;
    let mut both = [active.to_string(), pending.to_string()];
    both.sort();
    assert_eq!(listed(play).await, both);
}

async fn list_by_status(play: &mut Play) {
    let (active, _) = two(play).await;
    assert_eq!(listed(play).await, [active.to_string()]);
}

async fn list_by_offer(play: &mut Play) {
    let (flat_rate, _) = two(play).await;
    assert_eq!(listed(play).await, [flat_rate.to_string()]);
}

async fn read(play: &mut Play) {
    let id = play.active(Purchase::per_seat("team", 10)).await;
    let answer = play.send(Live::about(id)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let subscription = &answer.json()["subscription"];
    assert_eq!(subscription["id"], id.to_string());
    assert_eq!(subscription["saasSubscriptionStatus"], "Subscribed");
    assert_eq!(subscription["planId"], "team");
    assert_eq!(subscription["quantity"], 10);
}

async fn read_unknown(play: &mut Play) {
    let answer = play.send(Live::default()).await;
    assert_eq!((answer.status, answer.problem().as_str()), (404, "unknown_subscription"));
}

/// In order, so that a consumer that was away can catch up.
async fn events(play: &mut Play) {
    let id = play.active(Purchase::flat_rate("silver")).await;
    let answer = play.send(Live::about(id)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let page = answer.json();
    let events = page["events"].as_array().expect("a list");
    let types: Vec<_> = events.iter().filter_map(|event| event["type"].as_str()).collect();
    assert_eq!(types, ["Purchased", "Activated"]);
    let version = |place: usize| events[place]["version"].as_u64();
    assert!(version(0) < version(1), "{page}");
}

/// F-PLN-1, F-PLN-3.
async fn plans(play: &mut Play) {
    let id = play.active(Purchase::per_seat("team", 10)).await;
    let answer = play.send(Live::about(id)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let page = answer.json();
    let plans = page["plans"].as_array().expect("a list");
    let mut ids: Vec<_> = plans.iter().filter_map(|plan| plan["planId"].as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["basic", "team"]);
}

/// F-OPL-1: those that wait for the publisher.
async fn operations(play: &mut Play) {
    let id = play.active(Purchase::flat_rate("silver")).await;
    let operation = play.world(|world| world.change_plan(id, "gold")).expect("a change");
    let answer = play.send(Live::about(id)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let page = answer.json();
    let operations = page["operations"].as_array().expect("a list");
    assert_eq!(operations.len(), 1, "{page}");
    assert_eq!(operations[0]["id"], operation.to_string());
}

/// F-OPG-1, F-OP-3.
async fn operation(play: &mut Play) {
    let id = play.active(Purchase::flat_rate("silver")).await;
    let operation = play.world(|world| world.change_plan(id, "gold")).expect("a change");
    let answer = play.send(Live::operation(id, operation)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let shown = answer.json();
    for (member, value) in
        [("id", operation.to_string().as_str()), ("action", "ChangePlan"), ("planId", "gold")]
    {
        assert_eq!(shown[member], value, "{shown}");
    }
}

/// F-CHP-5, F-CHP-7: Microsoft takes the request, and nothing is in force before its webhook.
async fn change_plan(play: &mut Play) {
    let id = play.active(Purchase::flat_rate("silver")).await;
    let answer = play.send(Live::about(id)).await;
    is_asked_of_microsoft(
        play,
        &answer,
        id,
        Call::UpdateSubscription,
        Some(json!({ "planId": "gold" })),
    );
    assert_eq!(play.record(id).await.expect("a record").subscription.plan_id, "silver");
}

/// F-CHQ-1, F-CHQ-2.
async fn change_quantity(play: &mut Play) {
    let id = play.active(Purchase::per_seat("team", 10)).await;
    let answer = play.send(Live::about(id)).await;
    is_asked_of_microsoft(
        play,
        &answer,
        id,
        Call::UpdateSubscription,
        Some(json!({ "quantity": 25 })),
    );
    assert_eq!(play.record(id).await.expect("a record").subscription.quantity, Some(10));
}

/// F-CAN-1, F-CAN-3: the end comes with Microsoft's webhook.
async fn cancel(play: &mut Play) {
    let id = play.active(Purchase::flat_rate("silver")).await;
    let answer = play.send(Live::about(id)).await;
    is_asked_of_microsoft(play, &answer, id, Call::DeleteSubscription, None);
    assert_eq!(play.status(id).await, "Subscribed");
}

fn is_asked_of_microsoft(play: &Play, answer: &Answer, id: Uuid, call: Call, body: Option<Value>) {
    assert_eq!(answer.status, 202, "{}", answer.body);
    let calls = play.calls();
    let asked: Vec<_> = calls.iter().filter(|made| made.call == call).collect();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].request_body, body);
    let operation = *play.world(|world| world.operations(id)).last().expect("an operation");
    assert_eq!(answer.json()["operationId"], operation.to_string());
    assert_eq!(answer.header("location"), format!("/subscriptions/{id}/operations/{operation}"));
}

/// F-CHP-4.
async fn change_both_refused(play: &mut Play) {
    let id = play.active(Purchase::per_seat("team", 10)).await;
    let answer = play.send(Live::about(id)).await;
    assert_eq!((answer.status, answer.problem().as_str()), (400, "invalid_change"));
    assert_eq!(play.count(Call::UpdateSubscription), 0);
}

async fn unknown_route(play: &mut Play) {
    let id = play.active(Purchase::flat_rate("silver")).await;
    let answer = play.send(Live::about(id)).await;
    assert_eq!((answer.status, answer.problem().as_str()), (404, "no_route"));
}

/// The form in which the publisher's product is told.
async fn events_as_cloudevents(play: &mut Play) {
    let id = play.active(Purchase::flat_rate("silver")).await;
    let answer = play.send(Live::about(id)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("content-type"), "application/cloudevents-batch+json");
    let batch = answer.json();
    let types: Vec<_> =
        batch.as_array().expect("a batch").iter().map(|event| event["type"].clone()).collect();
    assert_eq!(
        types,
        [
            "saas-fulfillment.subscription.purchased.v1",
            "saas-fulfillment.subscription.activated.v1"
        ]
    );
}

/// F-ERR-2: a request that is repeated is not asked for twice.
async fn change_plan_with_key(play: &mut Play) {
    let id = play.active(Purchase::flat_rate("silver")).await;
    let first = play.send(Live::about(id)).await;
    is_asked_of_microsoft(
        play,
        &first,
        id,
        Call::UpdateSubscription,
        Some(json!({ "planId": "gold" })),
    );
    let second = play.send(Live::about(id)).await;
    assert_eq!(play.calls().len(), 0);
    assert_eq!(second.header("idempotency-replayed"), "true");
    assert_eq!((second.status, second.body), (first.status, first.body));
}

async fn cancel_of_another_version(play: &mut Play) {
    let id = play.active(Purchase::flat_rate("silver")).await;
    let answer = play.send(Live::about(id)).await;
    assert_eq!((answer.status, answer.problem().as_str()), (412, "version_mismatch"));
    assert_eq!(play.count(Call::DeleteSubscription), 0);
}

/// F-GET-3: what Microsoft says is so, whether or not it was reported.
async fn observe(play: &mut Play) {
    let id = play.active(Purchase::flat_rate("silver")).await;
    play.world(|world| {
        world.suspend(id).expect("a suspension");
        world.lose_deliveries();
    });
    let answer = play.send(Live::about(id)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["subscription"]["saasSubscriptionStatus"], "Suspended");
    assert_eq!(play.status(id).await, "Suspended");
    let version = play.record(id).await.expect("a record").version;
    assert_eq!(answer.header("etag"), format!("\"{version}\""));
}

/// From its first event on, to everybody who is told.
async fn redeliver(play: &mut Play) {
    let id = play.active(Purchase::flat_rate("silver")).await;
    let answer = play.send(Live::about(id)).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    let expected = json!({ "targets": ["endpoint", "event-bus"], "fromVersion": 1 });
    assert_eq!(answer.json(), expected);
    for target in Target::ALL {
        let cursor = play.outbox().cursor(SubscriptionId(id), target).await.expect("a read");
        assert!(matches!(cursor.state, CursorState::Due { trouble: None, .. }), "{cursor:?}");
        assert!(cursor.delivered < Position { version: 1, index: 0 }, "{cursor:?}");
    }
}

async fn openapi(play: &mut Play) {
    let answer = play.send(Live::default()).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    assert_eq!(answer.json()["openapi"], "3.1.0");
}
