//! The management API: reading records and histories, and the plans that Microsoft offers (4.5).

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use emulator::{Call, ErrorForm, FaultKind, Purchase, Times};
use http::StatusCode;
use local::Options;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::probe::Probe;
use crate::test_env::{Answer, TestEnv, is_problem};

#[tokio::test]
async fn a_subscription_reads_as_recorded() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 7)).await;
    let answer = env.get(&format!("/subscriptions/{id}")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers["cache-control"], "no-store");
    let version = env.record(id).await.expect("a record").version;
    assert_eq!(answer.headers["etag"], format!("\"{version}\""));
    let record = answer.json();
    // Microsoft's names and values, unchanged.
    assert_eq!(record["subscription"]["id"], id.to_string());
    assert_eq!(record["subscription"]["saasSubscriptionStatus"], "Subscribed");
    assert_eq!(record["subscription"]["offerId"], "per-seat-1");
    assert_eq!(record["subscription"]["planId"], "basic");
    assert_eq!(record["subscription"]["quantity"], 7);
    assert_eq!(record["subscription"]["term"]["termUnit"], "P1M");
    assert_eq!(record["version"], env.record(id).await.expect("a record").version);
    // GUIDs are read in any case, and a trailing slash is allowed.
    for path in [id.to_string().to_uppercase(), format!("{id}/")] {
        assert_eq!(env.get(&format!("/subscriptions/{path}")).await.status, StatusCode::OK);
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
async fn a_record_shows_only_members_that_the_api_description_names() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 7)).await;
    // After a change, the record also holds members that only the rules need.
    env.world(|world| world.change_quantity(id, 9)).expect("seats can be changed");
    env.deliver().await;
    assert_eq!(env.record(id).await.expect("a record").subscription.quantity, Some(9));
    let one = env.get(&format!("/subscriptions/{id}")).await.json();
    let list = env.get("/subscriptions").await.json();
    for record in [&one, &list["subscriptions"][0]] {
        let shown: BTreeSet<String> =
            record.as_object().expect("an object").keys().cloned().collect();
        assert_eq!(&shown - &described(), BTreeSet::new());
    }
}

#[tokio::test]
async fn events_are_read_after_a_version_in_order() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 7)).await;
    env.world(|world| world.change_quantity(id, 9)).expect("a change");
    env.deliver_statuses().await;
    let all = env.get(&format!("/subscriptions/{id}/events")).await.json();
    let all = all["events"].as_array().expect("events").clone();
    let names: Vec<_> = all.iter().map(|event| event["type"].clone()).collect();
    assert_eq!(names, ["Purchased", "Activated", "QuantityChanged"]);
    assert_eq!((&all[2]["from"], &all[2]["to"]), (&json!(7), &json!(9)));
    assert_eq!(all[2]["subscription"]["quantity"], 9, "each event shows its result");
    assert_eq!(all[1]["subscription"]["quantity"], 7);
    assert_eq!(all[2]["cause"]["by"], "webhook");
    assert_eq!(all[2]["cause"]["action"], "ChangeQuantity");

    for (index, event) in all.iter().enumerate() {
        let after = event["version"].as_u64().expect("a version");
        let rest = env.get(&format!("/subscriptions/{id}/events?after={after}")).await.json();
        assert_eq!(rest["events"].as_array().expect("events")[..], all[index + 1..], "{after}");
    }
    let none = env.get(&format!("/subscriptions/{id}/events?after={}", u64::MAX)).await;
    assert_eq!(none.status, StatusCode::OK);
    assert_eq!(none.json()["events"], json!([]));
    for after in ["-1", "x", "1.5", "99999999999999999999999"] {
        let answer = env.get(&format!("/subscriptions/{id}/events?after={after}")).await;
        is_problem(&answer, StatusCode::BAD_REQUEST, "malformed_request");
    }
}

#[tokio::test]
async fn unknown_ids_malformed_ids_and_unknown_routes_get_different_problems() {
    let env = TestEnv::new().await;
    let unknown = Uuid::from_u128(0xabc);
    let method = |method: http::Method, path: String| {
        let body = r#"{"quantity":3}"#;
        env.send(env.http.request(method, env.url(&path)).body(body))
    };
    for (verb, path) in [("GET", ""), ("GET", "/events"), ("GET", "/events?after=3")] {
        let verb = verb.parse().expect("a method");
        let answer = method(verb, format!("/subscriptions/{unknown}{path}")).await;
        is_problem(&answer, StatusCode::NOT_FOUND, "unknown_subscription");
    }
    let operation = format!("/operations/{unknown}");
    for not_found_is_400 in [false, true] {
        env.world(|world| world.settings_mut().behaviour.not_found_is_400 = not_found_is_400);
        for (verb, path) in [("GET", "/plans"), ("GET", &operation), ("PATCH", ""), ("DELETE", "")]
        {
            let verb = verb.parse().expect("a method");
            let answer = method(verb, format!("/subscriptions/{unknown}{path}")).await;
            is_problem(&answer, StatusCode::NOT_FOUND, "unknown_to_microsoft");
        }
    }
    for (verb, path) in [
        ("GET", "/subscriptions/x"),
        ("GET", "/subscriptions/x/events"),
        ("GET", "/subscriptions/x/plans"),
        ("GET", "/subscriptions/x/operations"),
        ("GET", "/subscriptions/00000000-0000-0000-0000-000000000abc/operations/%20"),
        ("PATCH", "/subscriptions/%20"),
        ("DELETE", "/subscriptions/00000000-0000-0000-0000-00000000"),
    ] {
        let answer = method(verb.parse().expect("a method"), path.to_owned()).await;
        is_problem(&answer, StatusCode::BAD_REQUEST, "malformed_request");
    }
    for (verb, path, allow) in [
        ("POST", "/subscriptions", "GET"),
        ("DELETE", "/subscriptions", "GET"),
        ("PUT", "/subscriptions/00000000-0000-0000-0000-000000000abc", "GET, PATCH, DELETE"),
        ("GET", "/subscriptions/00000000-0000-0000-0000-000000000abc/observe", "POST"),
    ] {
        let answer = method(verb.parse().expect("a method"), path.to_owned()).await;
        is_problem(&answer, StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
        assert_eq!(answer.headers["allow"], allow, "{verb} {path}");
    }
    for (verb, path) in [
        ("GET", "/subscriptions/00000000-0000-0000-0000-000000000abc/secrets"),
        ("GET", "/something"),
    ] {
        let answer = method(verb.parse().expect("a method"), path.to_owned()).await;
        is_problem(&answer, StatusCode::NOT_FOUND, "no_route");
    }
}

#[tokio::test]
async fn t_11_plans_are_what_microsoft_offers_to_this_customer() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    let answer = env.get(&format!("/subscriptions/{id}/plans")).await;
    assert_eq!(answer.status, StatusCode::OK);
    let plans = answer.json()["plans"].clone();
    let plans = plans.as_array().expect("plans");
    let names: Vec<_> = plans.iter().filter_map(|plan| plan["planId"].as_str()).collect();
    assert!(names.contains(&"silver"), "the plan in force (F-PLN-3)");
    assert!(!names.contains(&"enterprise"), "another tenant's private plan");
    let components = &plans[0]["planComponents"];
    let included = &components["recurrentBillingTerms"][0]["meteredQuantityIncluded"][0];
    assert_eq!(included["units"], "1000", "a string stays a string (F-PLN-7)");
    // Prices are passed on unchanged, without a float in between.
    assert!(answer.body.contains("199.5"), "{}", answer.body);

    let seats = env.active(Purchase::per_seat("team", 5)).await;
    let plans = env.get(&format!("/subscriptions/{seats}/plans")).await.json();
    assert_eq!(plans["plans"][1]["minQuantity"], 5);
    assert_eq!(plans["plans"][1]["maxQuantity"], 500);

    for empty in ["", "{}", r#"{"plans":null}"#, r#"{"plans":[]}"#] {
        env.fault(Call::ListAvailablePlans, FaultKind::Garbage(empty.to_owned()), Times::Once);
        let answer = env.get(&format!("/subscriptions/{id}/plans")).await;
        assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({ "plans": [] })));
    }
}

#[tokio::test]
async fn an_unreachable_microsoft_or_table_is_503() {
    let (env, probe) = Probe::env(Options::default()).await;
    let id = env.active(Purchase::per_seat("basic", 3)).await;
    let wanted = json!({ "quantity": 4 });
    for (call, kind) in [
        (Call::Any, FaultKind::Status(500, ErrorForm::Html)),
        (Call::Any, FaultKind::DropBefore),
        (Call::Any, FaultKind::RetryAfter(429, "600".to_owned())),
        (Call::Any, FaultKind::Garbage("<html>".to_owned())),
    ] {
        env.fault(call, kind.clone(), Times::Always);
        for path in ["plans", "operations", &format!("operations/{id}")] {
            let answer = env.get(&format!("/subscriptions/{id}/{path}")).await;
            is_problem(&answer, StatusCode::SERVICE_UNAVAILABLE, "microsoft_unavailable");
        }
        for answer in [env.change(id, &wanted).await, env.cancel(id).await] {
            is_problem(&answer, StatusCode::SERVICE_UNAVAILABLE, "microsoft_unavailable");
        }
        // Records can be read without Microsoft.
        for path in ["", "/events"] {
            let answer = env.get(&format!("/subscriptions/{id}{path}")).await;
            assert_eq!(answer.status, StatusCode::OK, "{kind:?}");
        }
        env.world(|world| world.faults_mut().clear());
    }
    probe.is_down.store(true, Ordering::SeqCst);
    for path in [format!("/{id}"), format!("/{id}/events")] {
        let answer = env.get(&format!("/subscriptions{path}")).await;
        is_problem(&answer, StatusCode::SERVICE_UNAVAILABLE, "table");
    }
    for answer in [env.change(id, &wanted).await, env.cancel(id).await] {
        is_problem(&answer, StatusCode::SERVICE_UNAVAILABLE, "table");
    }
    assert_eq!(env.calls(Call::UpdateSubscription) + env.calls(Call::DeleteSubscription), 0);
}

/// Microsoft's API refuses the calls that these tests make, and Entra goes on.
fn refuse_every_call(env: &TestEnv, status: u16) {
    for call in [
        Call::GetSubscription,
        Call::ListAvailablePlans,
        Call::ListOperations,
        Call::GetOperation,
        Call::UpdateSubscription,
        Call::DeleteSubscription,
    ] {
        env.fault(call, FaultKind::Status(status, ErrorForm::BareString), Times::Always);
    }
}

#[tokio::test]
async fn a_fault_of_the_settings_is_500_and_a_refused_credential_has_a_code_of_its_own() {
    // F-ERR-5: a 403 between us and Microsoft is not the caller's fault, and no retry helps.
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 3)).await;
    let is_lasting = |answer: &Answer, code| {
        is_problem(answer, StatusCode::INTERNAL_SERVER_ERROR, code);
    };
    for (status, code) in
        [(401, "credential"), (403, "credential"), (405, "configuration"), (415, "configuration")]
    {
        refuse_every_call(&env, status);
        for path in ["plans", "operations", &format!("operations/{id}")] {
            is_lasting(&env.get(&format!("/subscriptions/{id}/{path}")).await, code);
        }
        is_lasting(&env.cancel(id).await, code);
        is_lasting(&env.activate(id).await, code);
        env.world(|world| world.faults_mut().clear());
    }
    // The key is free for the same request once the settings are right.
    let request = || {
        let change = env.http.patch(env.url(&format!("/subscriptions/{id}")));
        change.header("idempotency-key", "k").body(r#"{"quantity":4}"#)
    };
    refuse_every_call(&env, 403);
    is_lasting(&env.send(request()).await, "credential");
    env.world(|world| world.faults_mut().clear());
    assert_eq!(env.send(request()).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_missing_table_is_answered_with_503() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    let table = &env.system.variables["TABLE_NAME"];
    let url = env.system.database_url().expect("an embedded database");
    let database = local::database::client(url, "us-east-1");
    database.delete_table().table_name(table).send().await.expect("the table is removed");
    for path in ["", "?status=Subscribed", &format!("/{id}"), &format!("/{id}/events")] {
        let answer = env.get(&format!("/subscriptions{path}")).await;
        is_problem(&answer, StatusCode::SERVICE_UNAVAILABLE, "table");
    }
}
