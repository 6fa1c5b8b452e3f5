//! What is told is what the published schemas describe, and comes from where the table's stream says.

use std::collections::BTreeSet;
use std::time::Duration;

use emulator::Purchase;
use local::Options;
use local::receiver::{Receiver, SenderClock};
use local::schemas::Schemas;
use serde_json::{Value, json};
use shared::domain::{
    Action, Cause, DecidedBy, Event, EventKind, OperationId, RequestedChange, Ruling, SignUp,
    Status, Subscription, Verdict,
};
use shared::publisher::cloud_event::CloudEvent;
use uuid::Uuid;

use crate::scene::Scene;

fn every_kind() -> Vec<EventKind> {
    let kinds = vec![
        EventKind::Purchased,
        EventKind::ActivationRequested,
        EventKind::Activated,
        EventKind::PlanChanged { from: "silver".to_owned(), to: "gold".to_owned() },
        EventKind::QuantityChanged { from: None, to: Some(10) },
        EventKind::ChangeRejected {
            change: RequestedChange::Plan {
                from: "gold".to_owned(),
                to: Some("silver".to_owned()),
            },
        },
        EventKind::ChangeRejected { change: RequestedChange::Seats { from: Some(10), to: None } },
        EventKind::Renewed,
        EventKind::DetailsChanged,
        EventKind::Suspended,
        EventKind::Reinstated,
        EventKind::Unsubscribed,
        EventKind::ActivationDeadlineApproaching,
    ];
    for kind in &kinds {
        // A kind that is added doesn't compile here until it has a place above.
        match kind {
            EventKind::Purchased
            | EventKind::ActivationRequested
            | EventKind::Activated
            | EventKind::PlanChanged { .. }
            | EventKind::QuantityChanged { .. }
            | EventKind::ChangeRejected { .. }
            | EventKind::Renewed
            | EventKind::DetailsChanged
            | EventKind::Suspended
            | EventKind::Reinstated
            | EventKind::Unsubscribed
            | EventKind::ActivationDeadlineApproaching => {}
        }
    }
    kinds
}

/// A subscription with every member there is.
fn whole(status: &str) -> Subscription {
    let party = json!({
        "emailId": "a@contoso.example", "objectId": Uuid::from_u128(3),
        "tenantId": Uuid::from_u128(4), "puid": "1003",
    });
    serde_json::from_value(json!({
        "id": Uuid::from_u128(1), "publisherId": "fabrikam", "offerId": "offer", "name": "Contoso",
        "saasSubscriptionStatus": status, "planId": "gold", "quantity": 10,
        "term": { "termUnit": "P1Y", "startDate": "2026-03-04T00:00:00Z",
                  "endDate": "2027-03-04T00:00:00Z", "chargeDuration": "P1M" },
        "beneficiary": party, "purchaser": party, "autoRenew": true, "isFreeTrial": false,
        "allowedCustomerOperations": ["Read", "Update"], "created": "2026-03-01T22:59:45Z",
    }))
    .expect("a subscription")
}

/// An event of this kind, with every member it may have.
fn event(kind: EventKind) -> Event {
    let status = match kind {
        EventKind::Purchased
        | EventKind::ActivationRequested
        | EventKind::ActivationDeadlineApproaching => Status::PendingFulfillmentStart,
        EventKind::Suspended => Status::Suspended,
        EventKind::Unsubscribed => Status::Unsubscribed,
        _ => Status::Subscribed,
    };
    let told = matches!(
        kind,
        EventKind::ActivationRequested
            | EventKind::Activated
            | EventKind::ActivationDeadlineApproaching
    );
    let subscription = whole(status.as_str());
    Event {
        subscription_id: subscription.id,
        version: 7,
        index: 1,
        cause: Cause::Webhook {
            action: Action::ChangePlan,
            operation_id: Some(OperationId(Uuid::from_u128(2))),
            source: None,
        },
        recorded_at: "2026-03-10T12:00:00.5Z".parse().expect("a timestamp"),
        before: (kind != EventKind::Purchased).then(|| whole("Subscribed")),
        subscription,
        sign_up: told.then(|| SignUp {
            contact_email: "a@contoso.example".to_owned(),
            fields: [("company".to_owned(), "Contoso".to_owned())].into(),
            language: "sv".to_owned(),
        }),
        ruling: Some(Ruling::new(Verdict::Reject, DecidedBy::Product, "not now")),
        correlation_id: Some(Uuid::from_u128(5)),
        kind,
    }
}

fn told(event: &Event) -> Value {
    serde_json::from_str(&CloudEvent::new(event, "urn:contoso:shop").to_json()).expect("JSON")
}

#[test]
fn every_kind_of_event_has_a_schema_and_every_schema_a_kind() {
    let schemas = Schemas::read();
    let mut named = BTreeSet::new();
    for kind in every_kind() {
        let event = told(&event(kind));
        assert_eq!(schemas.complaints(&event), [""; 0], "{event}");
        named.insert(event["dataschema"].as_str().expect("text").to_owned());
    }
    assert_eq!(named.iter().map(String::as_str).collect::<BTreeSet<_>>(), schemas.ids().collect());
}

#[test]
fn an_event_of_an_older_deployment_is_told_too() {
    let schemas = Schemas::read();
    for kind in every_kind() {
        let mut event = event(kind);
        (event.before, event.correlation_id) = (None, None);
        assert_eq!(schemas.complaints(&told(&event)), [""; 0]);
        assert_eq!(told(&event)["data"]["before"], Value::Null);
    }
}

#[test]
fn what_is_not_described_is_a_complaint() {
    let schemas = Schemas::read();
    let plan = EventKind::PlanChanged { from: "silver".to_owned(), to: "gold".to_owned() };
    let right = told(&event(plan));
    let places = [
        "/data",
        "/data/after",
        "/data/after/term",
        "/data/before",
        "/data/before/beneficiary",
        "/data/cause",
        "/data/tracking",
        "",
    ];
    for place in places {
        let mut more = right.clone();
        more.pointer_mut(place).expect("a place")["forgotten"] = json!(1);
        assert!(!schemas.complaints(&more).is_empty(), "a member more in {place:?}");
    }
    for (place, member) in [
        ("/data", "change"),
        ("/data", "before"),
        ("/data", "cause"),
        ("/data/change", "from"),
        ("/data/after", "planId"),
        ("/data/cause", "by"),
        ("", "sequence"),
    ] {
        let mut less = right.clone();
        let object = less.pointer_mut(place).and_then(Value::as_object_mut).expect("a place");
        assert!(object.remove(member).is_some(), "{place} has {member}");
        assert!(!schemas.complaints(&less).is_empty(), "{place} without {member}");
    }
}

#[test]
fn the_sequence_orders_events_as_text() {
    let mut event = event(EventKind::Renewed);
    let mut sequence = |version, index| {
        (event.version, event.index) = (version, index);
        told(&event)["sequence"].as_str().expect("text").to_owned()
    };
    let mut sequences = [sequence(1, 0), sequence(1, 1), sequence(2, 0), sequence(9, 255)].to_vec();
    sequences.extend([sequence(10, 0), sequence(u64::MAX, 0)]);
    assert!(sequences.is_sorted(), "{sequences:?}");
}

/// A scene whose product is the example of a receiver.
async fn scene(settings: &[(&str, &str)]) -> (Scene, Receiver) {
    let receiver = Receiver::start(SenderClock::Emulated).await.expect("the receiver starts");
    let mut options = Options::default()
        .with("DELIVERY_ENDPOINT", receiver.url())
        .with("DELIVERY_SIGNING_KEY", receiver.key());
    for (name, value) in settings {
        options = options.with(name, value);
    }
    (Scene::with(options).await, receiver)
}

/// The product has exactly what was recorded, in order, and nothing to complain about.
async fn is_told(scene: &Scene, receiver: &Receiver, ids: &[Uuid]) -> Vec<Value> {
    scene.stage.tell().await.expect("the stream is there");
    assert_eq!(receiver.complaints(), [""; 0]);
    let told = receiver.events();
    for id in ids {
        let own: Vec<_> = told.iter().filter(|event| event["subject"] == id.to_string()).collect();
        let own: Vec<_> = own.iter().map(|event| event["id"].as_str().expect("text")).collect();
        let recorded: Vec<_> = scene.events(*id).await.iter().map(Event::id).collect();
        assert_eq!(own, recorded);
    }
    told
}

fn pairs(told: &[Value], id: Uuid) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    told.iter()
        .filter(|event| event["subject"] == id.to_string())
        .map(|event| {
            let name = text(&event["dataschema"]);
            let name = name.rsplit(':').next().expect("a name").to_owned();
            (
                name,
                format!(
                    "{} {}",
                    text(&event["data"]["cause"]["by"]),
                    text(&event["data"]["cause"]["via"])
                ),
            )
        })
        .collect()
}

#[tokio::test]
async fn a_whole_life_is_told_as_the_schemas_say() {
    let (scene, receiver) = scene(&[]).await;
    let id = scene.active(Purchase::per_seat("basic", 10)).await;
    scene.world(|world| world.change_plan(id, "team")).expect("a change");
    scene.deliver().await;
    let asked = scene.change(id, &json!({ "quantity": 25 })).await;
    assert_eq!(asked.status, 202, "{}", asked.body);
    scene.deliver().await;
    scene.world(|world| world.renew(id)).expect("a renewal");
    scene.deliver().await;
    scene.world(|world| world.suspend(id)).expect("a suspension");
    scene.world(|world| world.lose_deliveries());
    scene.advance(Duration::from_secs(900));
    scene.stage.reconcile().await.expect("reconciled");
    scene.world(|world| world.reinstate(id)).expect("a reinstatement");
    scene.deliver().await;
    scene.world(|world| world.unsubscribe(id)).expect("an end");
    scene.deliver().await;
    let told = is_told(&scene, &receiver, &[id]).await;
    let expected = [
        ("purchased.v1", "buyer landing"),
        ("activated.v1", "buyer landing"),
        ("plan-changed.v1", "microsoft webhook"),
        ("quantity-changed.v1", "publisher webhook"),
        ("renewed.v1", "microsoft webhook"),
        ("suspended.v1", "reconciliation reconciliation"),
        ("reinstated.v1", "microsoft webhook"),
        ("unsubscribed.v1", "microsoft webhook"),
    ];
    let expected = expected.map(|(name, cause)| (name.to_owned(), cause.to_owned()));
    assert_eq!(pairs(&told, id), expected);
    for (event, before) in told.iter().skip(1).zip(&told) {
        assert_eq!(event["data"]["before"], before["data"]["after"], "{}", event["id"]);
        assert!(event["data"]["tracking"]["correlationId"].is_string(), "{}", event["id"]);
    }
    let seats = &told[3]["data"];
    assert_eq!(seats["change"], json!({ "from": 10, "to": 25 }));
    let operation = asked.json()["operationId"].clone();
    assert_eq!(seats["tracking"]["operationId"], operation, "Microsoft's own id of it");
}

#[tokio::test]
async fn what_the_product_is_to_do_is_told_to_it() {
    let (scene, receiver) = scene(&[("ACTIVATION", "by-publisher")]).await;
    let id = scene.purchase(Purchase::per_seat("team", 10));
    scene.confirm(id).await;
    let waits = scene.purchase(Purchase::flat_rate("silver"));
    scene.visit(waits).await;
    scene.advance(Duration::from_secs(25 * 24 * 60 * 60));
    scene.stage.reconcile().await.expect("reconciled");
    assert_eq!(scene.activate(id).await.status, 200);
    let told = is_told(&scene, &receiver, &[id, waits]).await;
    let names = |id| -> Vec<_> { pairs(&told, id).into_iter().map(|(name, _)| name).collect() };
    let lapses = "activation-deadline-approaching.v1";
    assert_eq!(names(id), ["purchased.v1", "activation-requested.v1", lapses, "activated.v1"]);
    assert_eq!(names(waits), ["purchased.v1", lapses]);
    assert_eq!(pairs(&told, id)[3].1, "publisher activation");
}

#[tokio::test]
async fn a_product_that_was_away_is_told_by_the_sweep() {
    let (scene, receiver) = scene(&[]).await;
    let id = scene.active(Purchase::flat_rate("silver")).await;
    // The stream is never read: what it would have told is found in the table.
    scene.advance(Duration::from_secs(180));
    scene.stage.sweep().await.expect("the table is there");
    is_told(&scene, &receiver, &[id]).await;
    assert_eq!(receiver.events().len(), 2);
}

#[test]
fn nothing_but_what_microsoft_and_the_buyer_tell_is_personal() {
    let mut plain = event(EventKind::Renewed);
    let nobody = Subscription {
        beneficiary: Default::default(),
        purchaser: Default::default(),
        name: None,
        ..plain.subscription.clone()
    };
    (plain.before, plain.subscription) = (Some(nobody.clone()), nobody);
    let text = told(&plain).to_string();
    assert!(!text.contains('@') && !text.contains("Contoso"), "{text}");
    let debug = format!("{:?}", CloudEvent::new(&event(EventKind::Activated), "urn:contoso:shop"));
    assert!(!debug.contains('@'), "no log shows who it is about: {debug}");
}
