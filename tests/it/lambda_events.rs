//! Lambda's events at the shipped handlers: which path is routed, and what no request can hold.

use activation::Activation;
use emulator::{Purchase, TokenVersion};
use landing::Landing;
use management::Management;
use serde_json::{Value, json};
use shared::config::{Dependencies, ManagementSettings};
use shared::host::environment::{ConfigError, Environment};
use shared::host::http::Handler;
use shared::host::lambda::{self, Access};
use shared::publisher::cloud_event::CloudEvent;
use uuid::Uuid;
use webhook::Webhook;

use crate::test_env::TestEnv;

fn handler<H: Handler>(
    env: &TestEnv,
    build: impl FnOnce(&Environment, &Dependencies) -> Result<H, ConfigError>,
) -> H {
    let variables = env.system.variables.clone();
    let environment = Environment::from_fn(move |name| variables.get(name).cloned());
    let dependencies = Dependencies::with_clock(&environment, env.system.clock.clone());
    let dependencies = dependencies.expect("the system's settings");
    build(&environment, &dependencies).expect("the system's settings")
}

/// An event of API Gateway, with members replaced by name.
fn event(method: &str, path: &str, changes: Value) -> String {
    let mut event = json!({
        "version": "2.0",
        "routeKey": format!("{method} {path}"),
        "rawPath": path,
        "rawQueryString": "",
        "headers": { "host": "api.example.com", "x-forwarded-proto": "https" },
        "requestContext": {
            "stage": "$default",
            "timeEpoch": 0,
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.77",
                "userAgent": "Microsoft-Azure-Marketplace"
            }
        },
        "isBase64Encoded": false
    });
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    for (name, value) in changes {
        match (&mut event[&name], value) {
            (Value::Object(members), Value::Object(new)) => members.extend(new),
            (member, value) => *member = value,
        }
    }
    event.to_string()
}

/// Microsoft's call about an operation.
fn call(env: &TestEnv, operation: Uuid) -> Value {
    json!({
        "headers": { "authorization": env.authorization(TokenVersion::V2) },
        "body": env.body_of(operation).to_string(),
    })
}

fn merged(mut one: Value, other: Value) -> Value {
    let (Value::Object(members), Value::Object(more)) = (&mut one, other) else {
        panic!("both are objects")
    };
    members.extend(more);
    one
}

#[tokio::test]
async fn a_call_by_a_named_stage_a_mapping_key_or_with_a_slash_at_the_end_is_handled() {
    let env = TestEnv::new().await;
    let webhook = handler(&env, Webhook::new);
    let catch_all = "POST /{proxy+}";
    for route in [
        json!({ "rawPath": "/prod/webhook", "requestContext": { "stage": "prod" } }),
        json!({ "rawPath": "/marketplace/webhook" }),
        json!({ "rawPath": "/webhook/", "routeKey": catch_all, "pathParameters": { "proxy": "webhook/" } }),
        json!({ "rawPath": "/prod/webhook/", "routeKey": "$default", "requestContext": { "stage": "prod" } }),
    ] {
        let id = env.active(Purchase::flat_rate("silver")).await;
        let operation = env.world(|world| world.change_plan(id, "gold")).expect("a change");
        let event = event("POST", "/webhook", merged(call(&env, operation), route.clone()));
        let answer = lambda::answer(&webhook, Access::Public, &event).await;
        assert_eq!(answer.status_code, 200, "{route}");
        let record = env.record(id).await.expect("a record");
        assert_eq!(record.subscription.plan_id, "gold", "{route}");
    }
}

#[tokio::test]
async fn a_call_that_the_webhook_cannot_read_is_a_5xx() {
    // F-WHA-13: from a 4xx, Microsoft would read a rejection of the change.
    let env = TestEnv::new().await;
    let webhook = handler(&env, Webhook::new);
    let id = env.active(Purchase::flat_rate("silver")).await;
    let operation = env.world(|world| world.change_plan(id, "gold")).expect("a change");
    for wrong in [
        json!({ "rawQueryString": "token=<" }),
        json!({ "cookies": ["a\nb"] }),
        json!({ "isBase64Encoded": true }),
        json!({ "rawPath": "/hook", "routeKey": "POST /{proxy+}", "pathParameters": { "proxy": "hook" } }),
        json!({ "rawPath": "/", "routeKey": "$default" }),
    ] {
        let event = event("POST", "/webhook", merged(call(&env, operation), wrong.clone()));
        let answer = lambda::answer(&webhook, Access::Public, &event).await;
        assert_eq!(answer.status_code, 503, "{wrong}");
    }
    let record = env.record(id).await.expect("a record");
    assert_eq!(record.subscription.plan_id, "silver");
}

#[tokio::test]
async fn headers_that_make_no_url_end_no_function() {
    let env = TestEnv::new().await;
    let landing = handler(&env, Landing::new);
    for headers in [
        json!({ "host": "api.example.com:99999" }),
        json!({ "host": "<" }),
        json!({ "x-forwarded-proto": "http,https" }),
    ] {
        let event = event("GET", "/landing", json!({ "headers": headers }));
        let answer = lambda::answer(&landing, Access::Public, &event).await;
        assert_eq!(answer.status_code, 200, "{headers}");
        let Some(lambda_http::Body::Text(page)) = answer.body else { panic!("a page") };
        assert!(page.starts_with("<!doctype html>"), "the landing page answers: {page}");
    }
    let event = event("GET", "/landing", json!({ "rawQueryString": "token=<" }));
    assert_eq!(lambda::answer(&landing, Access::Public, &event).await.status_code, 400);
}

#[tokio::test]
async fn the_caller_of_the_publishers_api_is_named_in_the_events_of_its_calls() {
    const CALLER: &str = "arn:aws:sts::123456789012:assumed-role/Billing";
    let env = TestEnv::new().await;
    let activation = handler(&env, |_, dependencies| Ok(Activation::new(dependencies)));
    let management = handler(&env, |environment, dependencies| {
        let settings = ManagementSettings::read(environment, dependencies)?;
        Ok(Management::new(dependencies, settings))
    });
    let call = async |handler: &dyn Handler, method: &str, path: &str, body: &str| {
        // A session of AWS's single sign-on, whose name is an e-mail address.
        let iam = json!({ "userArn": format!("{CALLER}/adele@fabrikam.example") });
        let signed = json!({ "requestContext": { "authorizer": { "iam": iam } }, "body": body });
        let answer = lambda::answer(handler, Access::Signed, &event(method, path, signed)).await;
        assert!((200..300).contains(&answer.status_code), "{method} {path}: {answer:?}");
    };
    let id = env.purchase(Purchase::per_seat("basic", 10));
    let own = format!("/subscriptions/{id}");
    call(&activation, "POST", &format!("{own}/activate"), "").await;
    call(&management, "PATCH", &own, r#"{"quantity":20}"#).await;
    assert_eq!(env.deliver_statuses().await, [200]);
    env.world(|world| world.toggle_auto_renew(id)).expect("a change");
    call(&management, "POST", &format!("{own}/observe"), "").await;
    call(&management, "DELETE", &own, "").await;
    assert_eq!(env.deliver_statuses().await, [200]);

    let names = ["Purchased", "Activated", "QuantityChanged", "DetailsChanged", "Unsubscribed"];
    assert_eq!(env.event_names(id).await, names);
    for event in env.events(id).await {
        let told = serde_json::to_value(CloudEvent::new(&event, "urn:x")).expect("JSON");
        let cause = &told["data"]["cause"];
        assert_eq!((&cause["by"], &cause["principal"]), (&json!("publisher"), &json!(CALLER)));
        let stored = serde_json::to_value(&event).expect("JSON");
        let stored = &stored["cause"];
        let principal = stored.get("principal").or_else(|| stored["requester"].get("principal"));
        assert_eq!(principal, Some(&json!(CALLER)), "{stored}");
    }
}

#[tokio::test]
async fn a_caller_that_the_host_does_not_name_is_left_out() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::per_seat("basic", 10));
    env.activate(id).await;
    env.change(id, &json!({ "quantity": 20 })).await;
    assert_eq!(env.deliver_statuses().await, [200]);
    let events = env.events(id).await;
    assert_eq!(events.len(), 3);
    for event in events {
        let told = serde_json::to_value(CloudEvent::new(&event, "urn:x")).expect("JSON");
        let cause = &told["data"]["cause"];
        assert_eq!((&cause["by"], cause.get("principal")), (&json!("publisher"), None));
    }
}
