//! Audit lines: each answer of the API that holds personal data leaves exactly one, and no line holds
//! such data.

use std::collections::BTreeSet;

use activation::Activation;
use emulator::Purchase;
use http::{Method, StatusCode};
use management::Management;
use serde_json::{Value, json};
use shared::config::{Dependencies, ManagementSettings};
use shared::host::environment::Environment;
use shared::host::http::{Handler, Principal, Request, Response};
use uuid::Uuid;

use crate::log_lines::Lines;
use crate::test_env::TestEnv;

const ARN: &str = "arn:aws:sts::123456789012:assumed-role/Support/adele@contoso.example";
const ROLE: &str = "arn:aws:sts::123456789012:assumed-role/Support";

/// Texts of the records and of the search. No line may hold one.
const PRIVATE: [&str; 6] = ["Zanzibar", "zanzi", "adele", "contoso.example", "C-4711", "remark"];

/// The functions of the API, as a host calls them.
struct Api {
    management: Management,
    activation: Activation,
}

impl Api {
    fn of(env: &TestEnv) -> Self {
        let variables = env.system.variables.clone();
        let environment = Environment::from_fn(move |name| variables.get(name).cloned());
        let dependencies = Dependencies::with_clock(&environment, env.system.clock.clone());
        let dependencies = dependencies.expect("settings");
        let settings = ManagementSettings::read(&environment, &dependencies).expect("settings");
        Self {
            management: Management::new(&dependencies, settings),
            activation: Activation::new(&dependencies),
        }
    }

    async fn send(&self, request: Request) -> Response {
        if request.uri().path().ends_with("/activate") {
            self.activation.handle(request).await
        } else {
            self.management.handle(request).await
        }
    }
}

fn request(method: &Method, path: &str, body: &Value) -> Request {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let request =
        http::Request::builder().method(method).uri(path).header("user-agent", "adele's own");
    request.body(body.into()).expect("a request")
}

/// The calls of the API's description whose answer holds the people of a subscription, or what a receiver or
/// the staff wrote about them.
fn calls_with_people() -> BTreeSet<String> {
    fn holds_people(document: &Value, value: &Value) -> bool {
        match value {
            Value::Object(members) => members.iter().any(|(name, member)| match member {
                _ if ["beneficiary", "answer", "text"].contains(&name.as_str()) => true,
                Value::String(to) if name == "$ref" => {
                    let at = document.pointer(to.trim_start_matches('#')).expect("a schema");
                    holds_people(document, at)
                }
                member => holds_people(document, member),
            }),
            Value::Array(elements) => elements.iter().any(|value| holds_people(document, value)),
            _ => false,
        }
    }
    let document: Value =
        serde_json::from_str(include_str!("../../functions/management/openapi.json"))
            .expect("JSON");
    let mut calls = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, call) in methods.as_object().expect("methods") {
            let answers = call["responses"].as_object().into_iter().flatten();
            let mut good = answers.filter(|(status, _)| status.starts_with('2'));
            if good.any(|(_, answer)| holds_people(&document, answer)) {
                calls.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    calls
}

#[tokio::test]
async fn each_answer_with_personal_data_leaves_exactly_one_line() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 7).named("Zanzibar payroll")).await;
    let other = env.active(Purchase::per_seat("basic", 7).named("Zanzibar payroll")).await;
    let api = Api::of(&env);
    let operation = env.world(|world| world.change_quantity(other, 9)).expect("a change");
    let one = |path: &str| format!("/subscriptions/{id}{path}");
    let note = request(&Method::POST, &one("/notes"), &json!({ "text": "Call adele of Zanzibar" }));
    assert_eq!(api.send(note).await.status(), StatusCode::CREATED);
    let (lines, _guard) = Lines::collect("error");
    let with_people = [
        (Method::GET, "/subscriptions", "/subscriptions".to_owned(), Value::Null),
        (Method::GET, "/subscriptions", "/subscriptions?search=zanzi".to_owned(), Value::Null),
        (Method::GET, "/subscriptions", "/subscriptions?delivery=parked".to_owned(), Value::Null),
        (Method::GET, "/subscriptions/{id}", one(""), Value::Null),
        (Method::GET, "/subscriptions/{id}/events", one("/events"), Value::Null),
        (Method::GET, "/subscriptions/{id}/attempts", one("/attempts"), Value::Null),
        (Method::GET, "/subscriptions/{id}/notes", one("/notes"), Value::Null),
        (Method::PATCH, "/subscriptions/{id}", one(""), json!({ "reference": "C-4711" })),
        (Method::POST, "/subscriptions/{id}/observe", one("/observe"), Value::Null),
        (Method::POST, "/subscriptions/{id}/activate", one("/activate"), Value::Null),
    ];
    let mut seen = BTreeSet::new();
    for (method, route, path, body) in &with_people {
        let mut request = request(method, path, body);
        let principal = Principal::new(ARN.to_owned());
        let principal = principal.with_access_key_id(Some("ASIAXMPL".to_owned()));
        request.extensions_mut().insert(principal);
        assert_eq!(api.send(request).await.status(), StatusCode::OK, "{method} {path}");
        let logged = lines.take();
        let [line] = &logged[..] else { panic!("{method} {path}: {logged:?}") };
        assert_eq!(line["audit"], true, "{line}");
        assert_eq!(line["message"], "read personal data");
        assert_eq!(line["level"], "INFO");
        assert_eq!(
            (&line["principal"], &line["access_key_id"]),
            (&json!(ROLE), &json!("ASIAXMPL"))
        );
        assert_eq!((&line["method"], &line["route"]), (&json!(method.as_str()), &json!(route)));
        let correlation = line["correlation_id"].as_str().expect("a correlation id");
        assert!(Uuid::try_parse(correlation).is_ok(), "{line}");
        let (subscription, records, events) = match *route {
            "/subscriptions" if path.contains("parked") => (Value::Null, json!(0), Value::Null),
            "/subscriptions" => (Value::Null, json!(2), Value::Null),
            "/subscriptions/{id}/events" => (json!(id), Value::Null, json!(2)),
            "/subscriptions/{id}/attempts" | "/subscriptions/{id}/notes" => {
                (json!(id), Value::Null, Value::Null)
            }
            _ => (json!(id), json!(1), Value::Null),
        };
        assert_eq!(line["subscription.id"], subscription, "{line}");
        assert_eq!((&line["records"], &line["events"]), (&records, &events), "{line}");
        let attempts = if path.ends_with("attempts") { json!(0) } else { Value::Null };
        assert_eq!(line["attempts"], attempts, "{line}");
        let notes = if path.ends_with("notes") { json!(1) } else { Value::Null };
        assert_eq!(line["notes"], notes, "{line}");
        for private in PRIVATE {
            assert!(!line.to_string().contains(private), "{private} in {line}");
        }
        seen.insert(format!("{method} {route}"));
    }
    let mut expected = calls_with_people();
    // It answers with a record that has no people any more, and a test event is about nobody.
    assert!(expected.remove("POST /subscriptions/{id}/erase"));
    assert!(expected.remove("GET /doctor/test-event/{eventId}"));
    // It answers with what the caller has sent.
    assert!(expected.remove("POST /subscriptions/{id}/notes"));
    assert_eq!(seen, expected, "the description's other calls are all here");

    for (method, path, status) in [
        (Method::GET, "/subscriptions/openapi.json".to_owned(), StatusCode::OK),
        (Method::GET, one("/plans"), StatusCode::OK),
        (Method::GET, format!("/subscriptions/{other}/operations"), StatusCode::OK),
        (Method::GET, format!("/subscriptions/{other}/operations/{operation}"), StatusCode::OK),
        (Method::GET, one("/deliveries"), StatusCode::OK),
        (Method::GET, "/deliveries?state=parked".to_owned(), StatusCode::OK),
        (Method::GET, "/doctor".to_owned(), StatusCode::OK),
        (Method::GET, "/doctor/last".to_owned(), StatusCode::OK),
        // These answer with nothing.
        (Method::GET, format!("/subscriptions/{}", Uuid::from_u128(1)), StatusCode::NOT_FOUND),
        (Method::GET, "/subscriptions?limit=0".to_owned(), StatusCode::BAD_REQUEST),
        (Method::DELETE, "/subscriptions".to_owned(), StatusCode::METHOD_NOT_ALLOWED),
    ] {
        let answer = api.send(request(&method, &path, &Value::Null)).await;
        assert_eq!(answer.status(), status, "{path}");
        let audited = lines.take().into_iter().filter(|line| line.get("audit").is_some()).count();
        assert_eq!(audited, 0, "{path}");
    }
}

#[tokio::test]
async fn a_line_says_whether_saasctl_exports_and_who_asks_only_if_the_host_knows() {
    let env = TestEnv::new().await;
    let api = Api::of(&env);
    let (lines, _guard) = Lines::collect("error");
    for (agent, export) in [
        ("saasctl/0.2.0 export", true),
        ("saasctl/0.2.0", false),
        ("curl/8.5.0", false),
        ("curl/8.5.0 export", false),
    ] {
        let mut request = request(&Method::GET, "/subscriptions", &Value::Null);
        request.headers_mut().insert("user-agent", agent.parse().expect("a header"));
        assert_eq!(api.send(request).await.status(), StatusCode::OK);
        let logged = lines.take();
        let [line] = &logged[..] else { panic!("{logged:?}") };
        assert_eq!(line["export"], export, "{agent}: {line}");
        assert_eq!(line["principal"], "unknown");
        assert_eq!(line.get("access_key_id"), None, "{line}");
        assert_eq!(line["records"], 0);
        assert!(!line.to_string().contains("curl"), "{line}");
    }
}
