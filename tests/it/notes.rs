//! Notes about a subscription: the API adds and lists them, and only an erasure removes them.

use emulator::Purchase;
use http::{Request, StatusCode};
use local::Options;
use local::receiver::Receiver;
use management::Management;
use serde_json::{Value, json};
use shared::config::{Dependencies, ManagementSettings};
use shared::domain::SubscriptionId;
use shared::host::environment::Environment;
use shared::host::http::{Handler as _, Principal};
use shared::store::AnnotationStore as _;
use uuid::Uuid;

use crate::erasure_env::{ended, erased, find, items};
use crate::test_env::{Answer, TestEnv, is_problem, table};

/// Adds a note under an idempotency key, if one is named.
async fn add(env: &TestEnv, id: Uuid, text: &str, key: Option<&str>) -> Answer {
    let mut request = env.http.post(env.url(&format!("/subscriptions/{id}/notes")));
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    env.send(request.body(json!({ "text": text }).to_string())).await
}

/// Adds a note that must be accepted, and returns it.
async fn added(env: &TestEnv, id: Uuid, text: &str, key: Option<&str>) -> Value {
    let answer = add(env, id, text, key).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    answer.json()
}

async fn notes(env: &TestEnv, id: Uuid) -> Vec<Value> {
    let answer = env.get(&format!("/subscriptions/{id}/notes")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.json()["notes"].as_array().expect("a list").clone()
}

async fn texts(env: &TestEnv, id: Uuid) -> Vec<String> {
    let text = |note: &Value| note["text"].as_str().expect("text").to_owned();
    notes(env, id).await.iter().map(text).collect()
}

#[tokio::test]
async fn notes_are_listed_in_order_with_their_times_and_make_no_version() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 7)).await;
    assert_eq!(notes(&env, id).await, [Value::Null; 0]);
    let (before, events) = (env.record(id).await, env.event_names(id).await);
    let calls = env.world(|world| world.calls().len());
    let first_at = env.system.clock.now();
    let first = added(&env, id, " Renewal talks in May ", None).await;
    env.advance(std::time::Duration::from_secs(60));
    let second = added(&env, id, "They renew: “ja” & <b>now</b>", None).await;
    assert_eq!((&first["text"], &first["at"]), (&json!("Renewal talks in May"), &json!(first_at)));
    assert_eq!(second["at"], json!(env.system.clock.now()));
    assert_ne!(first["id"], second["id"]);
    assert_eq!(notes(&env, id).await, [first, second]);
    assert_eq!((env.record(id).await, env.event_names(id).await), (before, events));
    assert_eq!(env.world(|world| world.calls().len()), calls, "Microsoft is not asked");

    let reference = env.change(id, &json!({ "reference": "C-4711" })).await;
    assert_eq!(reference.status, StatusCode::OK);
    assert_eq!(texts(&env, id).await.len(), 2, "a reference leaves the notes as they are");
    added(&env, id, "By phone", None).await;
    let record = env.get(&format!("/subscriptions/{id}")).await.json();
    assert_eq!(record["reference"], "C-4711", "a note leaves the reference as it is");
}

#[tokio::test]
async fn a_note_has_the_caller_that_the_host_checked_as_its_author() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    let variables = env.system.variables.clone();
    let environment = Environment::from_fn(move |name| variables.get(name).cloned());
    let dependencies = Dependencies::with_clock(&environment, env.system.clock.clone());
    let dependencies = dependencies.expect("settings");
    let settings = ManagementSettings::read(&environment, &dependencies).expect("settings");
    let management = Management::new(&dependencies, settings);
    let staff = Principal::staff("Olof Operator", Uuid::from_u128(2));
    let arn = "arn:aws:sts::123456789012:assumed-role/Billing/adele@contoso.example";
    for (caller, by) in [
        (Some(staff), json!(format!("console: Olof Operator ({})", Uuid::from_u128(2)))),
        (
            Some(Principal::new(arn.to_owned())),
            json!("arn:aws:sts::123456789012:assumed-role/Billing"),
        ),
        (None, Value::Null),
    ] {
        let request = Request::post(format!("/subscriptions/{id}/notes"));
        // What the body says of an author doesn't count: it is refused.
        let forged = request.body(r#"{"text":"a","by":"ada"}"#.into()).expect("a request");
        assert_eq!(management.handle(forged).await.status(), StatusCode::BAD_REQUEST);
        let request = Request::post(format!("/subscriptions/{id}/notes"));
        let mut request = request.body(r#"{"text":"a"}"#.into()).expect("a request");
        caller.into_iter().for_each(|caller| drop(request.extensions_mut().insert(caller)));
        assert_eq!(management.handle(request).await.status(), StatusCode::CREATED);
        assert_eq!(notes(&env, id).await.last().expect("a note")["by"], by);
    }
}

#[tokio::test]
async fn a_request_repeated_under_its_key_adds_one_note_also_days_later() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    let other = env.active(Purchase::flat_rate("silver")).await;
    let first = add(&env, id, "Renewal talks in May", Some("a")).await;
    assert!(!first.headers.contains_key("idempotency-replayed"));
    for days in [0, 30] {
        env.advance(std::time::Duration::from_secs(days * 24 * 60 * 60));
        let again = add(&env, id, " Renewal talks in May", Some("a")).await;
        assert_eq!((again.status, &again.body), (StatusCode::CREATED, &first.body));
        assert_eq!(again.headers["idempotency-replayed"], "true");
    }
    let reused = add(&env, id, "Renewal talks in June", Some("a")).await;
    is_problem(&reused, StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused");
    assert_eq!(texts(&env, id).await, ["Renewal talks in May"]);
    // A key is about one subscription, and without a key each request adds a note.
    added(&env, other, "Renewal talks in May", Some("a")).await;
    added(&env, id, "Renewal talks in May", None).await;
    assert_eq!((texts(&env, id).await.len(), texts(&env, other).await.len()), (2, 1));
    is_problem(
        &add(&env, id, "a", Some("two words")).await,
        StatusCode::BAD_REQUEST,
        "malformed_request",
    );
}

#[tokio::test]
async fn writers_at_the_same_time_lose_nothing() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    let reference = json!({ "reference": "C-4711" });
    let (a, b, c, again, patched) = tokio::join!(
        add(&env, id, "a", None),
        add(&env, id, "b", None),
        add(&env, id, "c", Some("c")),
        add(&env, id, "c", Some("c")),
        env.change(id, &reference),
    );
    for answer in [a, b, c, again] {
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    }
    assert_eq!(patched.status, StatusCode::OK, "{}", patched.body);
    let mut found = texts(&env, id).await;
    found.sort();
    assert_eq!(found, ["a", "b", "c"]);
    let record = env.get(&format!("/subscriptions/{id}")).await.json();
    assert_eq!(record["reference"], "C-4711");
}

#[tokio::test]
async fn a_text_that_is_no_note_is_refused_and_nothing_is_stored() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    for text in ["", " ", "two\nlines", "\u{1b}[2J", &"ü".repeat(1001)] {
        let answer = add(&env, id, text, None).await;
        is_problem(&answer, StatusCode::BAD_REQUEST, "invalid_note");
    }
    for body in ["", "{}", "[]", r#"{"text":1}"#, r#"{"text":null}"#, r#"{"text":"a","at":"now"}"#]
    {
        let request = env.http.post(env.url(&format!("/subscriptions/{id}/notes")));
        let answer = env.send(request.body(body)).await;
        is_problem(&answer, StatusCode::BAD_REQUEST, "malformed_request");
    }
    assert_eq!(texts(&env, id).await, [""; 0]);
    added(&env, id, &"ü".repeat(1000), None).await;
    let unknown = Uuid::from_u128(0xabc);
    let answer = add(&env, unknown, "a", None).await;
    is_problem(&answer, StatusCode::NOT_FOUND, "unknown_subscription");
    let answer = env.get(&format!("/subscriptions/{unknown}/notes")).await;
    is_problem(&answer, StatusCode::NOT_FOUND, "unknown_subscription");
}

#[tokio::test]
async fn the_hundred_and_first_note_is_refused_and_none_is_lost() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    for number in 1..=100 {
        added(&env, id, &format!("note {number}"), Some(&number.to_string())).await;
    }
    let refused = add(&env, id, "one more", None).await;
    is_problem(&refused, StatusCode::CONFLICT, "too_many_notes");
    assert!(refused.body.contains("up to 100 notes"), "{}", refused.body);
    added(&env, id, "note 7", Some("7")).await;
    let all: Vec<_> = (1..=100).map(|number| format!("note {number}")).collect();
    assert_eq!(texts(&env, id).await, all);
}

#[tokio::test]
async fn neither_events_nor_records_nor_lists_have_notes() {
    const WORD: &str = "zanzibar";
    let receiver = Receiver::start().await.expect("a receiver");
    let options = Options::default()
        .with("DELIVERY_ENDPOINT", receiver.url())
        .with("DELIVERY_SIGNING_KEY", receiver.key());
    let env = TestEnv::with(options).await;
    let id = env.active(Purchase::per_seat("basic", 7)).await;
    added(&env, id, WORD, None).await;
    let named = json!({ "reference": "C-4711" });
    assert_eq!(env.change(id, &named).await.status, StatusCode::OK);
    env.world(|world| world.change_quantity(id, 9)).expect("a change");
    env.deliver_all().await;
    env.system.deliver_events().await.expect("deliveries");
    let events = receiver.events();
    let last = events.last().expect("events");
    assert_eq!(last["data"]["reference"], "C-4711", "annotations were read");
    assert!(!json!(events).to_string().contains(WORD), "{events:?}");
    assert_eq!(receiver.complaints(), [""; 0]);
    for path in [
        "/subscriptions".to_owned(),
        "/subscriptions?sort=lastChange".to_owned(),
        format!("/subscriptions?search={WORD}"),
        "/subscriptions?search=C-4711".to_owned(),
        format!("/subscriptions/{id}"),
        format!("/subscriptions/{id}/events"),
    ] {
        let answer = env.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert!(!answer.body.contains(WORD), "{path}: {}", answer.body);
    }
    let batch = env.http.get(env.url(&format!("/subscriptions/{id}/events")));
    let batch = env.send(batch.header("accept", "application/cloudevents-batch+json")).await;
    assert!(batch.body.contains("C-4711") && !batch.body.contains(WORD), "{}", batch.body);
}

#[tokio::test]
async fn an_erasure_removes_the_notes_and_no_later_one_is_added() {
    let env = TestEnv::new().await;
    let id = ended(&env).await;
    added(&env, id, "Call Zoe at the zanzibar office", Some("a")).await;
    let words = ["zanzibar"];
    assert!(find(&items(&env).await, &words).is_some());
    erased(&env, id).await;
    let left = items(&env).await;
    assert_eq!(find(&left, &words), None);
    assert_eq!(texts(&env, id).await, [""; 0]);
    for key in [None, Some("a"), Some("b")] {
        let answer = add(&env, id, "Call Zoe at the zanzibar office", key).await;
        is_problem(&answer, StatusCode::CONFLICT, "personal_data_erased");
    }
    assert_eq!(find(&items(&env).await, &words), None);
    let saved = table(&env).annotations(SubscriptionId(id)).await.expect("a read");
    assert_eq!(saved.expect("annotations").notes, []);
}
