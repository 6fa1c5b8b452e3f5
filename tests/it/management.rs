//! The publisher's own API: reading what is recorded, and what Microsoft offers (4.5).

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use emulator::{Call, ErrorForm, FaultKind, Purchase, Times};
use http::StatusCode;
use local::Options;
use serde_json::{Value, json};
use shared::domain::{Cause, Observation, SubscriptionId};
use shared::flows::ledger::Ledger;
use uuid::Uuid;

use crate::probe::Probe;
use crate::scene::{Scene, is_problem};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn ids(page: &Value) -> Vec<Uuid> {
    let subscriptions = page["subscriptions"].as_array().expect("a list").iter();
    subscriptions
        .map(|record| record["subscription"]["id"].as_str().expect("an id"))
        .map(|id| id.parse().expect("a GUID"))
        .collect()
}

/// The ids of all pages of a list.
async fn listed(scene: &Scene, query: &str) -> (BTreeSet<Uuid>, usize) {
    let (mut all, mut pages, mut next) = (Vec::new(), 0, String::new());
    loop {
        let page = scene.get(&format!("/subscriptions?{query}{next}")).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        let page = page.json();
        all.extend(ids(&page));
        pages += 1;
        match page["next"].as_str() {
            Some(more) => next = format!("&next={more}"),
            None => break,
        }
    }
    let distinct: BTreeSet<Uuid> = all.iter().copied().collect();
    assert_eq!(distinct.len(), all.len(), "nothing is listed twice");
    (distinct, pages)
}

/// Puts a record into the table as an observation would, without a marketplace behind it.
async fn observed(scene: &Scene, id: Uuid, more: Value) {
    let mut subscription = json!({
        "id": id, "offerId": "offer", "planId": "basic", "name": "Generated", "quantity": 1,
        "saasSubscriptionStatus": "Subscribed", "created": "2026-03-01T00:00:00Z",
    });
    for (name, value) in more.as_object().expect("an object") {
        subscription[name] = value.clone();
    }
    let observed: Observation = serde_json::from_value(subscription).expect("an observation");
    let id = SubscriptionId(id);
    let ledger = Ledger::new(scene.stage.store.clone(), scene.stage.clock.clone());
    let current = ledger.load(id).await.expect("the table is there");
    ledger.adopt(id, current, &observed, &Cause::Reconciliation).await.expect("a commit");
}

#[tokio::test]
async fn a_subscription_reads_as_recorded() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::per_seat("basic", 7)).await;
    let answer = scene.get(&format!("/subscriptions/{id}")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers["cache-control"], "no-store");
    let version = scene.record(id).await.expect("a record").version;
    assert_eq!(answer.headers["etag"], format!("\"{version}\""));
    let record = answer.json();
    // Microsoft's words, exactly.
    assert_eq!(record["subscription"]["id"], id.to_string());
    assert_eq!(record["subscription"]["saasSubscriptionStatus"], "Subscribed");
    assert_eq!(record["subscription"]["offerId"], "per-seat-1");
    assert_eq!(record["subscription"]["planId"], "basic");
    assert_eq!(record["subscription"]["quantity"], 7);
    assert_eq!(record["subscription"]["term"]["termUnit"], "P1M");
    assert_eq!(record["version"], scene.record(id).await.expect("a record").version);
    // A GUID is a GUID in either case, and a slash at the end is none too many.
    for path in [id.to_string().to_uppercase(), format!("{id}/")] {
        assert_eq!(scene.get(&format!("/subscriptions/{path}")).await.status, StatusCode::OK);
    }
}

/// The members of a record that the description of the API names.
fn described() -> BTreeSet<String> {
    let document = include_str!("../../functions/management/openapi.json");
    let document: Value = serde_json::from_str(document).expect("a document");
    let members = document["components"]["schemas"]["Record"]["properties"].as_object();
    members.expect("a schema of an object").keys().cloned().collect()
}

#[tokio::test]
async fn a_record_shows_nothing_that_its_description_does_not_name() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::per_seat("basic", 7)).await;
    // A change leaves behind what only the rules need.
    scene.world(|world| world.change_quantity(id, 9)).expect("seats can be changed");
    scene.deliver().await;
    assert_eq!(scene.record(id).await.expect("a record").subscription.quantity, Some(9));
    let one = scene.get(&format!("/subscriptions/{id}")).await.json();
    let list = scene.get("/subscriptions").await.json();
    for record in [&one, &list["subscriptions"][0]] {
        let shown: BTreeSet<String> =
            record.as_object().expect("an object").keys().cloned().collect();
        assert_eq!(&shown - &described(), BTreeSet::new());
    }
}

#[tokio::test]
async fn lists_are_filtered_by_status_and_offer() {
    let scene = Scene::new().await;
    let silver = scene.active(Purchase::flat_rate("silver")).await;
    let seats = scene.active(Purchase::per_seat("basic", 1)).await;
    let suspended = scene.active(Purchase::flat_rate("gold")).await;
    scene.world(|world| world.suspend(suspended)).expect("a suspension");
    scene.deliver_statuses().await;
    let pending = scene.purchase(Purchase::per_seat("basic", 2));
    scene.visit(pending).await;
    for (query, expected) in [
        ("", vec![silver, seats, suspended, pending]),
        ("status=Subscribed", vec![silver, seats]),
        ("status=Suspended", vec![suspended]),
        ("status=subscribed", vec![silver, seats]),
        ("status=PendingFulfillmentStart", vec![pending]),
        ("status=Unsubscribed", vec![]),
        ("status=SomethingNew", vec![]),
        ("offer=per-seat-1", vec![seats, pending]),
        ("offer=per-seat-1&status=Subscribed", vec![seats]),
        ("offer=nothing-of-ours", vec![]),
        ("status=&offer=", vec![silver, seats, suspended, pending]),
        ("status=%20&offer=+%09", vec![silver, seats, suspended, pending]),
        ("colour=blue", vec![silver, seats, suspended, pending]),
    ] {
        let (found, _) = listed(&scene, query).await;
        assert_eq!(found, expected.into_iter().collect(), "{query}");
    }
    for name in ["status", "offer"] {
        // What no subscription can have is nothing the table is asked for, whose keys end at 2 KB.
        let of = |length| format!("/subscriptions?{name}={}", "w".repeat(length));
        assert_eq!(scene.get(&of(100)).await.status, StatusCode::OK, "{name}");
        for length in [101, 3000] {
            is_problem(&scene.get(&of(length)).await, StatusCode::BAD_REQUEST, "malformed_request");
        }
    }
    let empty = Scene::new().await;
    assert_eq!(empty.get("/subscriptions").await.json()["subscriptions"], json!([]));
}

#[tokio::test]
async fn long_lists_come_in_pages_that_leave_nothing_out() {
    let scene = Scene::new().await;
    let all: BTreeSet<Uuid> = (1..=230).map(Uuid::from_u128).collect();
    for id in &all {
        let offer = if id.as_u128() % 2 == 0 { "even" } else { "odd" };
        observed(&scene, *id, json!({ "offerId": offer })).await;
    }
    for query in ["", "status=Subscribed"] {
        let (found, pages) = listed(&scene, query).await;
        assert_eq!(found, all, "{query}");
        assert!(pages > 1, "{query}");
    }
    let even: BTreeSet<Uuid> = all.iter().copied().filter(|id| id.as_u128() % 2 == 0).collect();
    let (found, pages) = listed(&scene, "offer=even&status=Subscribed").await;
    assert_eq!(found, even);
    assert!(pages > 1);
    let (none, _) = listed(&scene, "offer=even&status=Suspended").await;
    assert!(none.is_empty());

    // A place is good for the list that it is from.
    let first = scene.get("/subscriptions?status=Subscribed").await.json();
    let place = first["next"].as_str().expect("a place");
    assert!(place.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    let elsewhere = scene.get(&format!("/subscriptions?status=Suspended&next={place}")).await;
    is_problem(&elsewhere, StatusCode::BAD_REQUEST, "malformed_request");
    for next in [
        "x",
        "eDp5",
        "Og",
        "x:y",
        ":",
        "%00",
        "1:Subscribed",
        "00000000-0000-0000-0000-000000000001",
    ] {
        let answer = scene.get(&format!("/subscriptions?next={next}")).await;
        is_problem(&answer, StatusCode::BAD_REQUEST, "malformed_request");
    }
}

#[tokio::test]
async fn events_are_read_after_a_version_in_order() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::per_seat("basic", 7)).await;
    scene.world(|world| world.change_quantity(id, 9)).expect("a change");
    scene.deliver_statuses().await;
    let all = scene.get(&format!("/subscriptions/{id}/events")).await.json();
    let all = all["events"].as_array().expect("events").clone();
    let names: Vec<_> = all.iter().map(|event| event["type"].clone()).collect();
    assert_eq!(names, ["Purchased", "Activated", "QuantityChanged"]);
    assert_eq!((&all[2]["from"], &all[2]["to"]), (&json!(7), &json!(9)));
    assert_eq!(all[2]["subscription"]["quantity"], 9, "each event shows its result");
    assert_eq!(all[1]["subscription"]["quantity"], 7);
    assert_eq!(all[2]["cause"]["by"], "webhook");
    assert_eq!(all[2]["cause"]["action"], "ChangeQuantity");

    for (place, event) in all.iter().enumerate() {
        let after = event["version"].as_u64().expect("a version");
        let rest = scene.get(&format!("/subscriptions/{id}/events?after={after}")).await.json();
        assert_eq!(rest["events"].as_array().expect("events")[..], all[place + 1..], "{after}");
    }
    let none = scene.get(&format!("/subscriptions/{id}/events?after={}", u64::MAX)).await;
    assert_eq!(none.status, StatusCode::OK);
    assert_eq!(none.json()["events"], json!([]));
    for after in ["-1", "x", "1.5", "99999999999999999999999"] {
        let answer = scene.get(&format!("/subscriptions/{id}/events?after={after}")).await;
        is_problem(&answer, StatusCode::BAD_REQUEST, "malformed_request");
    }
}

#[tokio::test]
async fn a_long_history_comes_in_pages_that_leave_nothing_out() {
    let scene = Scene::new().await;
    let id = Uuid::from_u128(7);
    for seats in 1..=230 {
        observed(&scene, id, json!({ "quantity": seats })).await;
        scene.advance(DAY);
    }
    let (mut seats, mut after, mut pages) = (Vec::new(), "0".to_owned(), 0);
    loop {
        let page = scene.get(&format!("/subscriptions/{id}/events?after={after}")).await.json();
        for event in page["events"].as_array().expect("events") {
            if event["type"] == "QuantityChanged" {
                seats.push(event["to"].as_u64().expect("seats"));
            }
        }
        pages += 1;
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
    }
    assert!(pages > 1);
    assert_eq!(seats, (2..=230).collect::<Vec<_>>());
}

#[tokio::test]
async fn unknown_and_malformed_names_are_told_apart() {
    let scene = Scene::new().await;
    let nobody = Uuid::from_u128(0xabc);
    let method = |method: http::Method, path: String| {
        let body = r#"{"quantity":3}"#;
        scene.send(scene.http.request(method, scene.url(&path)).body(body))
    };
    for (verb, path) in [("GET", ""), ("GET", "/events"), ("GET", "/events?after=3")] {
        let verb = verb.parse().expect("a method");
        let answer = method(verb, format!("/subscriptions/{nobody}{path}")).await;
        is_problem(&answer, StatusCode::NOT_FOUND, "unknown_subscription");
    }
    let operation = format!("/operations/{nobody}");
    for not_found_is_400 in [false, true] {
        scene.world(|world| world.settings_mut().behaviour.not_found_is_400 = not_found_is_400);
        for (verb, path) in [("GET", "/plans"), ("GET", &operation), ("PATCH", ""), ("DELETE", "")]
        {
            let verb = verb.parse().expect("a method");
            let answer = method(verb, format!("/subscriptions/{nobody}{path}")).await;
            is_problem(&answer, StatusCode::NOT_FOUND, "unknown_to_microsoft");
        }
    }
    for (verb, path) in [
        ("GET", "/subscriptions/x"),
        ("GET", "/subscriptions/x/events"),
        ("GET", "/subscriptions/x/plans"),
        ("GET", "/subscriptions/x/operations"),
        ("GET", "/subscriptions/00000000-0000-0000-0000-000000000abc/operations/y"),
        ("PATCH", "/subscriptions/%20"),
        ("DELETE", "/subscriptions/00000000-0000-0000-0000-00000000"),
    ] {
        let answer = method(verb.parse().expect("a method"), path.to_owned()).await;
        is_problem(&answer, StatusCode::BAD_REQUEST, "malformed_request");
    }
    for (verb, path) in [
        ("POST", "/subscriptions"),
        ("PUT", "/subscriptions/00000000-0000-0000-0000-000000000abc"),
        ("GET", "/subscriptions/00000000-0000-0000-0000-000000000abc/secrets"),
        ("GET", "/something"),
        ("DELETE", "/subscriptions"),
    ] {
        let answer = method(verb.parse().expect("a method"), path.to_owned()).await;
        is_problem(&answer, StatusCode::NOT_FOUND, "no_route");
    }
}

#[tokio::test]
async fn t_11_plans_are_what_microsoft_offers_to_this_customer() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::flat_rate("silver")).await;
    let answer = scene.get(&format!("/subscriptions/{id}/plans")).await;
    assert_eq!(answer.status, StatusCode::OK);
    let plans = answer.json()["plans"].clone();
    let plans = plans.as_array().expect("plans");
    let names: Vec<_> = plans.iter().filter_map(|plan| plan["planId"].as_str()).collect();
    assert!(names.contains(&"silver"), "the one already bought (F-PLN-3)");
    assert!(!names.contains(&"enterprise"), "another tenant's private plan");
    let components = &plans[0]["planComponents"];
    let included = &components["recurrentBillingTerms"][0]["meteredQuantityIncluded"][0];
    assert_eq!(included["units"], "1000", "a string stays one (F-PLN-7)");
    // Passed on to the letter: no float in between.
    assert!(answer.body.contains("199.5"), "{}", answer.body);

    let seats = scene.active(Purchase::per_seat("team", 5)).await;
    let plans = scene.get(&format!("/subscriptions/{seats}/plans")).await.json();
    assert_eq!(plans["plans"][1]["minQuantity"], 5);
    assert_eq!(plans["plans"][1]["maxQuantity"], 500);

    for empty in ["", "{}", r#"{"plans":null}"#, r#"{"plans":[]}"#] {
        scene.fault(Call::ListAvailablePlans, FaultKind::Garbage(empty.to_owned()), Times::Once);
        let answer = scene.get(&format!("/subscriptions/{id}/plans")).await;
        assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({ "plans": [] })));
    }
}

#[tokio::test]
async fn what_can_not_be_reached_is_503() {
    let (scene, probe) = Probe::scene(Options::default()).await;
    let id = scene.active(Purchase::per_seat("basic", 3)).await;
    let wanted = json!({ "quantity": 4 });
    for (call, kind) in [
        (Call::Any, FaultKind::Status(500, ErrorForm::Html)),
        (Call::Any, FaultKind::DropBefore),
        // Not the caller's fault, though it is a 4xx between us and Microsoft (F-AUTH-12).
        (Call::Any, FaultKind::Status(403, ErrorForm::BareString)),
        (Call::Any, FaultKind::RetryAfter(429, "600".to_owned())),
        (Call::Any, FaultKind::Garbage("<html>".to_owned())),
    ] {
        scene.fault(call, kind.clone(), Times::Always);
        for path in ["plans", "operations", &format!("operations/{id}")] {
            let answer = scene.get(&format!("/subscriptions/{id}/{path}")).await;
            is_problem(&answer, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
        }
        for answer in [scene.change(id, &wanted).await, scene.cancel(id).await] {
            is_problem(&answer, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
        }
        // What is recorded can be read without Microsoft.
        for path in ["", "/events"] {
            let answer = scene.get(&format!("/subscriptions/{id}{path}")).await;
            assert_eq!(answer.status, StatusCode::OK, "{kind:?}");
        }
        scene.world(|world| world.faults_mut().clear());
    }
    probe.is_away.store(true, Ordering::SeqCst);
    for path in ["", "/", &format!("/{id}"), &format!("/{id}/events")] {
        let answer = scene.get(&format!("/subscriptions{path}")).await;
        is_problem(&answer, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
    }
    for answer in [scene.change(id, &wanted).await, scene.cancel(id).await] {
        is_problem(&answer, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
    }
    assert_eq!(scene.calls(Call::UpdateSubscription) + scene.calls(Call::DeleteSubscription), 0);
}

#[tokio::test]
async fn a_table_that_is_gone_is_our_fault_and_never_the_callers() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::flat_rate("silver")).await;
    let table = &scene.stage.variables["TABLE_NAME"];
    let url = scene.stage.database_url().expect("an embedded database");
    let database = local::database::client(url, "us-east-1");
    database.delete_table().table_name(table).send().await.expect("the table is removed");
    for path in ["", "?status=Subscribed", &format!("/{id}"), &format!("/{id}/events")] {
        let answer = scene.get(&format!("/subscriptions{path}")).await;
        is_problem(&answer, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
    }
}

#[tokio::test]
async fn one_unreadable_record_does_not_hide_the_others() {
    let scene = Scene::new().await;
    let good = scene.active(Purchase::flat_rate("silver")).await;
    let bad = scene.active(Purchase::flat_rate("silver")).await;
    crate::probe::corrupt(&scene, bad, "neither a record nor anything else").await;
    let (found, _) = listed(&scene, "").await;
    assert_eq!(found, BTreeSet::from([good]));
    let answer = scene.get(&format!("/subscriptions/{bad}")).await;
    is_problem(&answer, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
}
