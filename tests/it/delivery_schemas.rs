//! Delivered events match the published schemas.

use std::collections::BTreeSet;
use std::time::Duration;

use emulator::Purchase;
use local::Options;
use local::receiver::Receiver;
use local::schemas::Schemas;
use serde_json::{Value, json};
use shared::domain::{
    Account, Action, Cause, Claimant, DecidedBy, Event, EventKind, MatchedBy, OperationId,
    RequestedChange, Role, Ruling, SignUp, Status, Subscription, Verdict,
};
use shared::publisher::cloud_event::CloudEvent;
use uuid::Uuid;

use crate::test_env::TestEnv;

pub(crate) fn every_kind() -> Vec<EventKind> {
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
        EventKind::PersonalDataErased,
        EventKind::Test,
        EventKind::Imported { announced: true },
        EventKind::Imported { announced: false },
        EventKind::Claimed { claimant: claimant() },
        EventKind::SignedUp,
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
            | EventKind::ActivationDeadlineApproaching
            | EventKind::PersonalDataErased
            | EventKind::Test
            | EventKind::Imported { .. }
            | EventKind::Claimed { .. }
            | EventKind::SignedUp => {}
        }
    }
    kinds
}

fn claimant() -> Claimant {
    let account = Account { tenant_id: Uuid::from_u128(4), object_id: Some(Uuid::from_u128(3)) };
    let (role, matched_by) = (Role::Beneficiary, MatchedBy::TenantAndObject);
    let at = "2026-03-10T12:00:00.5Z".parse().expect("a timestamp");
    Claimant { account, role, matched_by, at }
}

/// A subscription with every member.
fn full_subscription(status: &str) -> Subscription {
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

/// An event of this kind, with every member that it can have.
fn event(kind: EventKind) -> Event {
    let status = match kind {
        EventKind::Purchased
        | EventKind::ActivationRequested
        | EventKind::ActivationDeadlineApproaching => Status::PendingFulfillmentStart,
        EventKind::Suspended => Status::Suspended,
        EventKind::Unsubscribed | EventKind::PersonalDataErased | EventKind::Test => {
            Status::Unsubscribed
        }
        _ => Status::Subscribed,
    };
    let has_sign_up = matches!(
        kind,
        EventKind::ActivationRequested
            | EventKind::Activated
            | EventKind::ActivationDeadlineApproaching
            | EventKind::SignedUp
    );
    let is_first = matches!(kind, EventKind::Purchased | EventKind::Imported { .. });
    let subscription = full_subscription(status.as_str());
    Event {
        subscription_id: subscription.id,
        version: 7,
        index: 1,
        cause: Cause::Webhook {
            action: Action::ChangePlan,
            operation_id: Some(OperationId::from(Uuid::from_u128(2))),
            source: None,
            requester: None,
        },
        recorded_at: "2026-03-10T12:00:00.5Z".parse().expect("a timestamp"),
        before: (!is_first).then(|| full_subscription("Subscribed")),
        subscription,
        sign_up: has_sign_up.then(|| SignUp {
            contact_email: "a@contoso.example".to_owned(),
            fields: [("company".to_owned(), "Contoso".to_owned())].into(),
            language: "sv".to_owned(),
        }),
        ruling: Some(Ruling::new(Verdict::Reject, DecidedBy::Product, "not now")),
        unclaimed: true,
        correlation_id: Some(Uuid::from_u128(5)),
        only_receiver: None,
        kind,
    }
}

/// The event as it is delivered.
fn delivered(event: &Event) -> Value {
    let annotations = json!({
        "reference": "C-4711", "metadata": { "seller": "Adele" }, "revision": 1,
        "changedAt": "2026-03-10T12:00:00Z",
    });
    let annotations = serde_json::from_value(annotations).expect("annotations");
    let sent = CloudEvent::new(event, "urn:contoso:shop").with_annotations(Some(&annotations));
    serde_json::from_str(&sent.to_json()).expect("JSON")
}

#[test]
fn every_kind_of_event_has_a_schema_and_every_schema_a_kind() {
    let schemas = Schemas::read();
    let mut named = BTreeSet::new();
    for kind in every_kind() {
        let event = delivered(&event(kind));
        assert_eq!(schemas.complaints(&event), [""; 0], "{event}");
        assert_eq!(event["data"]["reference"], "C-4711");
        assert_eq!(event["data"]["metadata"], json!({ "seller": "Adele" }));
        named.insert(event["dataschema"].as_str().expect("text").to_owned());
    }
    assert_eq!(named.iter().map(String::as_str).collect::<BTreeSet<_>>(), schemas.ids().collect());
}

#[test]
fn an_event_of_an_older_deployment_matches_the_schemas_too() {
    let schemas = Schemas::read();
    for kind in every_kind() {
        let mut event = event(kind);
        (event.before, event.correlation_id) = (None, None);
        assert_eq!(schemas.complaints(&delivered(&event)), [""; 0]);
        assert_eq!(delivered(&event)["data"]["before"], Value::Null);
    }
}

#[test]
fn a_missing_or_undescribed_member_violates_the_schema() {
    let schemas = Schemas::read();
    let plan = EventKind::PlanChanged { from: "silver".to_owned(), to: "gold".to_owned() };
    let valid = delivered(&event(plan));
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
        let mut more = valid.clone();
        more.pointer_mut(place).expect("a place")["undescribed"] = json!(1);
        assert!(!schemas.complaints(&more).is_empty(), "another member in {place:?}");
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
        let mut less = valid.clone();
        let object = less.pointer_mut(place).and_then(Value::as_object_mut).expect("a place");
        assert!(object.remove(member).is_some(), "{place} has {member}");
        assert!(!schemas.complaints(&less).is_empty(), "{place} without {member}");
    }
}

#[test]
fn the_sequence_sorts_events_as_text() {
    let mut event = event(EventKind::Renewed);
    let mut sequence = |version, index| {
        (event.version, event.index) = (version, index);
        delivered(&event)["sequence"].as_str().expect("text").to_owned()
    };
    let mut sequences = [sequence(1, 0), sequence(1, 1), sequence(2, 0), sequence(9, 255)].to_vec();
    sequences.extend([sequence(10, 0), sequence(u64::MAX, 0)]);
    assert!(sequences.is_sorted(), "{sequences:?}");
}

/// An environment whose product is the example receiver.
async fn env_with_receiver(settings: &[(&str, &str)]) -> (TestEnv, Receiver) {
    let receiver = Receiver::start().await.expect("the receiver starts");
    let mut options = Options::default()
        .with("DELIVERY_ENDPOINT", receiver.url())
        .with("DELIVERY_SIGNING_KEY", receiver.key());
    for (name, value) in settings {
        options = options.with(name, value);
    }
    (TestEnv::with(options).await, receiver)
}

/// Asserts that the product has received exactly the recorded events, in order and without
/// complaints. Returns all of them.
async fn received(env: &TestEnv, receiver: &Receiver, ids: &[Uuid]) -> Vec<Value> {
    env.system.deliver_events().await.expect("the stream is there");
    assert_eq!(receiver.complaints(), [""; 0]);
    let events = receiver.events();
    for id in ids {
        let own: Vec<_> =
            events.iter().filter(|event| event["subject"] == id.to_string()).collect();
        let own: Vec<_> = own.iter().map(|event| event["id"].as_str().expect("text")).collect();
        let recorded: Vec<_> = env.events(*id).await.iter().map(Event::id).collect();
        assert_eq!(own, recorded);
    }
    events
}

/// The type and the cause of each event of a subscription.
fn types_and_causes(events: &[Value], id: Uuid) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    events
        .iter()
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
async fn the_events_of_a_whole_life_match_the_schemas() {
    let (env, receiver) = env_with_receiver(&[]).await;
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    env.world(|world| world.change_plan(id, "team")).expect("a change");
    env.deliver().await;
    let requested = env.change(id, &json!({ "quantity": 25 })).await;
    assert_eq!(requested.status, 202, "{}", requested.body);
    env.deliver().await;
    env.world(|world| world.renew(id)).expect("a renewal");
    env.deliver().await;
    env.world(|world| world.suspend(id)).expect("a suspension");
    env.world(|world| world.lose_deliveries());
    env.advance(Duration::from_secs(900));
    env.system.reconcile().await.expect("reconciled");
    env.world(|world| world.reinstate(id)).expect("a reinstatement");
    env.deliver().await;
    env.world(|world| world.unsubscribe(id)).expect("an end");
    env.deliver().await;
    let events = received(&env, &receiver, &[id]).await;
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
    assert_eq!(types_and_causes(&events, id), expected);
    for (event, before) in events.iter().skip(1).zip(&events) {
        assert_eq!(event["data"]["before"], before["data"]["after"], "{}", event["id"]);
        assert!(event["data"]["tracking"]["correlationId"].is_string(), "{}", event["id"]);
    }
    let seats = &events[3]["data"];
    assert_eq!(seats["change"], json!({ "from": 10, "to": 25 }));
    let operation = requested.json()["operationId"].clone();
    assert_eq!(seats["tracking"]["operationId"], operation, "Microsoft's id of the operation");
}

#[tokio::test]
async fn activation_requests_and_deadlines_are_delivered_to_the_product() {
    let (env, receiver) = env_with_receiver(&[("ACTIVATION", "by-publisher")]).await;
    let id = env.purchase(Purchase::per_seat("team", 10));
    env.confirm(id).await;
    let unconfirmed = env.purchase(Purchase::flat_rate("silver"));
    env.visit(unconfirmed).await;
    env.advance(Duration::from_secs(25 * 24 * 60 * 60));
    env.system.reconcile().await.expect("reconciled");
    assert_eq!(env.activate(id).await.status, 200);
    let events = received(&env, &receiver, &[id, unconfirmed]).await;
    let types = |id| -> Vec<_> {
        types_and_causes(&events, id).into_iter().map(|(name, _)| name).collect()
    };
    let deadline = "activation-deadline-approaching.v1";
    assert_eq!(types(id), ["purchased.v1", "activation-requested.v1", deadline, "activated.v1"]);
    assert_eq!(types(unconfirmed), ["purchased.v1", deadline]);
    assert_eq!(types_and_causes(&events, id)[3].1, "publisher activation");
}

#[tokio::test]
async fn a_sweep_delivers_events_without_the_stream() {
    let (env, receiver) = env_with_receiver(&[]).await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    // The stream is never read, so the sweep finds the events in the table.
    env.advance(Duration::from_secs(180));
    env.system.sweep().await.expect("the table is there");
    received(&env, &receiver, &[id]).await;
    assert_eq!(receiver.events().len(), 2);
}

#[test]
fn only_fields_from_microsoft_and_the_buyer_hold_personal_data() {
    let mut anonymous = event(EventKind::Renewed);
    let subscription = Subscription {
        beneficiary: Default::default(),
        purchaser: Default::default(),
        name: None,
        ..anonymous.subscription.clone()
    };
    (anonymous.before, anonymous.subscription) = (Some(subscription.clone()), subscription);
    let text = delivered(&anonymous).to_string();
    assert!(!text.contains('@') && !text.contains("Contoso"), "{text}");
    let debug = format!("{:?}", CloudEvent::new(&event(EventKind::Activated), "urn:contoso:shop"));
    assert!(!debug.contains('@'), "the debug text shows no person: {debug}");
}
