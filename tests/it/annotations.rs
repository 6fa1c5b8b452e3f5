//! The publisher's own reference and metadata: the API sets and shows them, and no other writer notices.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use emulator::Purchase;
use http::{Method, Request, StatusCode};
use local::Options;
use management::Management;
use serde_json::{Value, json};
use shared::config::{Dependencies, ManagementSettings};
use shared::domain::SubscriptionId;
use shared::host::environment::Environment;
use shared::host::http::{Handler as _, Principal};
use uuid::Uuid;

use crate::probe::Probe;
use crate::test_env::{TestEnv, is_problem};

/// The reference and the metadata that the API shows.
async fn shown(env: &TestEnv, id: Uuid) -> (Value, Value) {
    let record = env.get(&format!("/subscriptions/{id}")).await.json();
    (record["reference"].clone(), record["metadata"].clone())
}

#[tokio::test]
async fn a_patch_is_merged_and_shown_and_makes_no_version() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 7)).await;
    let plain = env.active(Purchase::flat_rate("silver")).await;
    let (before, events) = (env.record(id).await, env.event_names(id).await);
    let calls = env.world(|world| world.calls().len());
    for (patch, reference, metadata) in [
        (json!({ "reference": " C-4711 " }), json!("C-4711"), Value::Null),
        (
            json!({ "metadata": { "seller": "Adele", "region": "eu" } }),
            json!("C-4711"),
            json!({ "seller": "Adele", "region": "eu" }),
        ),
        (
            json!({ "reference": "C-4712", "metadata": { "seller": null, "tier": "1" } }),
            json!("C-4712"),
            json!({ "region": "eu", "tier": "1" }),
        ),
        (json!({ "reference": null }), Value::Null, json!({ "region": "eu", "tier": "1" })),
        (json!({ "metadata": {} }), Value::Null, json!({ "region": "eu", "tier": "1" })),
        (json!({ "metadata": null, "reference": "C-1" }), json!("C-1"), Value::Null),
    ] {
        let answer = env.change(id, &patch).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let version = before.as_ref().expect("a record").version;
        assert_eq!(answer.headers["etag"], format!("\"{version}\""));
        let record = answer.json();
        assert_eq!(record["subscription"]["quantity"], 7, "the whole record is shown");
        assert_eq!((&record["reference"], &record["metadata"]), (&reference, &metadata), "{patch}");
        assert_eq!(shown(&env, id).await, (reference, metadata), "{patch}");
    }
    assert_eq!((env.record(id).await, env.event_names(id).await), (before, events));
    assert_eq!(env.world(|world| world.calls().len()), calls, "Microsoft is not asked");

    let listed = env.get("/subscriptions").await.json();
    let listed = listed["subscriptions"].as_array().expect("a list");
    let of = |id: Uuid| {
        let found = listed.iter().find(|it| it["subscription"]["id"] == id.to_string());
        found.expect("it is listed").as_object().expect("an object")
    };
    assert_eq!(of(id)["reference"], "C-1");
    assert!(!of(plain).contains_key("reference") && !of(plain).contains_key("metadata"));
    let observed = env.http.post(env.url(&format!("/subscriptions/{id}/observe")));
    assert_eq!(env.send(observed).await.json()["reference"], "C-1");
}

#[tokio::test]
async fn a_patch_needs_a_record_of_the_named_version_and_a_valid_body() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    let unknown = env.purchase(Purchase::flat_rate("silver"));
    let patch = json!({ "reference": "C-4711" });
    let answer = env.change(unknown, &patch).await;
    is_problem(&answer, StatusCode::NOT_FOUND, "unknown_subscription");

    let version = env.record(id).await.expect("a record").version;
    let conditional = async |version: u64| {
        let request = env.http.patch(env.url(&format!("/subscriptions/{id}")));
        let request = request.header("if-match", format!("\"{version}\"")).body(patch.to_string());
        env.send(request).await
    };
    let answer = conditional(version + 1).await;
    is_problem(&answer, StatusCode::PRECONDITION_FAILED, "version_mismatch");
    for body in [
        json!({ "reference": "C-4711", "planId": "gold" }),
        json!({ "metadata": { "a": "1" }, "quantity": 3 }),
        json!({ "reference": "x".repeat(101) }),
        json!({ "metadata": { "a": 1 } }),
        json!({ "reference": "C-4711", "customer": "Contoso" }),
    ] {
        is_problem(&env.change(id, &body).await, StatusCode::BAD_REQUEST, "invalid_change");
    }
    let pairs = |numbers: std::ops::Range<u32>| -> Value {
        numbers.map(|number| (number.to_string(), json!("a"))).collect()
    };
    assert_eq!(env.change(id, &json!({ "metadata": pairs(0..20) })).await.status, StatusCode::OK);
    let too_many = env.change(id, &json!({ "metadata": pairs(20..21) })).await;
    is_problem(&too_many, StatusCode::BAD_REQUEST, "invalid_change");
    assert_eq!(shown(&env, id).await, (Value::Null, pairs(0..20)), "a refused patch sets nothing");
    assert_eq!(conditional(version).await.status, StatusCode::OK);
}

#[tokio::test]
async fn patches_at_the_same_time_lose_nothing() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    let patch = |key: &'static str| {
        let env = &env;
        async move { env.change(id, &json!({ "metadata": { key: "set" } })).await.status }
    };
    let statuses = tokio::join!(patch("a"), patch("b"), patch("c"), patch("d"));
    assert_eq!(statuses, (StatusCode::OK, StatusCode::OK, StatusCode::OK, StatusCode::OK));
    let all = json!({ "a": "set", "b": "set", "c": "set", "d": "set" });
    assert_eq!(shown(&env, id).await.1, all);
}

#[tokio::test]
async fn a_patch_and_a_note_between_the_webhooks_read_and_its_commit_cost_no_conflict() {
    let (env, probe) = Probe::env(Options::default()).await;
    let id = env.active(Purchase::per_seat("basic", 7)).await;
    env.world(|world| world.change_quantity(id, 9)).expect("a change");
    let (http, url) = (env.http.clone(), env.url(&format!("/subscriptions/{id}")));
    let patch = async move {
        let body = r#"{"reference":"C-4711"}"#;
        let answer = http.patch(&url).body(body).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        let note = http.post(format!("{url}/notes")).body(r#"{"text":"They renew"}"#);
        let answer = note.send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::CREATED);
    };
    *probe.before_commit.lock().expect("no test panicked") = Some(Box::pin(patch));
    let commits = probe.commits.load(Ordering::SeqCst);
    assert_eq!(env.deliver_statuses().await, [200]);
    assert!(probe.before_commit.lock().expect("no test panicked").is_none(), "both came");
    assert_eq!(probe.commits.load(Ordering::SeqCst) - commits, 1, "the first commit succeeds");
    assert_eq!(env.record(id).await.expect("a record").subscription.quantity, Some(9));
    assert_eq!(shown(&env, id).await.0, "C-4711");
}

#[tokio::test]
async fn annotations_hold_who_changed_them_and_when() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    let variables = env.system.variables.clone();
    let environment = Environment::from_fn(move |name| variables.get(name).cloned());
    let clock = env.system.clock.clone();
    let dependencies = Dependencies::with_clock(&environment, clock.clone()).expect("settings");
    let settings = ManagementSettings::read(&environment, &dependencies).expect("settings");
    let annotations = settings.annotations.clone();
    let management = Arc::new(Management::new(&dependencies, settings));
    for (revision, caller, by) in [
        (
            1,
            Some("arn:aws:iam::123456789012:user/shop"),
            Some("arn:aws:iam::123456789012:user/shop"),
        ),
        (
            2,
            Some("arn:aws:sts::123456789012:assumed-role/Billing/adele@contoso.example"),
            Some("arn:aws:sts::123456789012:assumed-role/Billing"),
        ),
        (3, None, None),
    ] {
        let request = Request::builder().method(Method::PATCH).uri(format!("/subscriptions/{id}"));
        let body = json!({ "reference": format!("C-{revision}") }).to_string();
        let mut request = request.body(body.into()).expect("a request");
        request.extensions_mut().extend(
            caller
                .map(|arn| {
                    let mut extensions = http::Extensions::new();
                    extensions.insert(Principal::new(arn.to_owned()));
                    extensions
                })
                .unwrap_or_default(),
        );
        assert_eq!(management.handle(request).await.status(), StatusCode::OK);
        let saved = annotations.annotations(SubscriptionId(id)).await.expect("a read");
        let saved = saved.expect("annotations");
        assert_eq!((saved.revision, saved.changed_by.as_deref()), (revision, by));
        assert_eq!(saved.changed_at, clock.now());
    }
}
