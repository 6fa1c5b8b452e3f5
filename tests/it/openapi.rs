//! The description of the publisher's own API, held against what is really answered: every call, with
//! an answer of every status that it describes but 503, is one that the description permits.

use std::collections::{BTreeMap, BTreeSet};

use emulator::{Call, ErrorForm, FaultKind, Purchase, Times};
use http::Method;
use jsonschema::Validator;
use local::Options;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::scene::{Answer, Scene};

/// The description, and which of its answers were met.
struct Described {
    document: Value,
    met: BTreeSet<(String, u16)>,
}

impl Described {
    async fn of(scene: &Scene) -> Self {
        let answer = scene.get("/subscriptions/openapi.json").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["content-type"], "application/json");
        Self { document: answer.json(), met: BTreeSet::new() }
    }

    /// The operation of a call, and its path in the description.
    fn operation(&self, method: &Method, path: &str) -> &Value {
        let path = path.split('?').next().unwrap_or_default();
        let wanted: Vec<_> = path.split('/').collect();
        let fits = |form: &str| {
            let form: Vec<_> = form.split('/').collect();
            form.len() == wanted.len()
                && form
                    .iter()
                    .zip(&wanted)
                    .all(|(form, part)| form.starts_with('{') || form == part)
        };
        let paths = self.document["paths"].as_object().expect("paths");
        // Of two that fit, the one without a name in braces.
        let exact = paths.get(path);
        let item =
            exact.or_else(|| paths.iter().find(|(form, _)| fits(form)).map(|(_, item)| item));
        let item = item.unwrap_or_else(|| panic!("{path} is not described"));
        &item[method.as_str().to_ascii_lowercase()]
    }

    fn schema(&self, schema: &Value) -> Validator {
        let mut whole = schema.clone();
        whole["components"] = self.document["components"].clone();
        jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .should_validate_formats(true)
            .build(&whole)
            .expect("a schema")
    }

    /// An answer is one of those that are described.
    fn holds(&mut self, method: &Method, path: &str, answer: &Answer) {
        let operation = self.operation(method, path);
        let status = answer.status.as_u16();
        let name = operation["operationId"].as_str().expect("a name").to_owned();
        let described = &operation["responses"][status.to_string()];
        assert!(described.is_object(), "{name} may not answer {status}: {}", answer.body);
        let media_type = answer.headers["content-type"].to_str().expect("text");
        let content = &described["content"][media_type];
        assert!(content.is_object(), "{name} {status} may not be {media_type}");
        let validator = self.schema(&content["schema"]);
        let body = answer.json();
        let wrong: Vec<_> = validator.iter_errors(&body).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{name} {status}: {wrong:?} in {body}");
        for header in ["etag", "location", "retry-after", "link", "idempotency-replayed"] {
            let headers = described["headers"].as_object().into_iter().flatten();
            let named =
                headers.map(|(name, _)| name.to_ascii_lowercase()).any(|name| name == header);
            assert!(named || !answer.headers.contains_key(header), "{name} {status}: {header}");
        }
        self.met.insert((name, status));
    }
}

/// The calls of a test, each held against the description.
struct Caller<'a> {
    scene: &'a Scene,
    described: Described,
}

impl Caller<'_> {
    async fn call(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = self.scene.http.request(method.clone(), self.scene.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self.scene.send(request.body(body.to_owned())).await;
        self.described.holds(&method, path, &answer);
        answer
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.call(Method::GET, path, &[], "").await
    }
}

const BATCH: (&str, &str) = ("accept", "application/cloudevents-batch+json");

#[tokio::test]
async fn every_answer_is_one_that_is_described() {
    let options = Options::default()
        .with("DELIVERY_ENDPOINT", "https://product.example/events")
        .with("DELIVERY_SIGNING_KEY", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let scene = Scene::with(options).await;
    let mut caller = Caller { described: Described::of(&scene).await, scene: &scene };
    let nobody = Uuid::from_u128(0xabc);
    let seats = scene.active(Purchase::per_seat("basic", 10)).await;
    let flat = scene.active(Purchase::flat_rate("silver")).await;
    let pending = scene.purchase(Purchase::flat_rate("silver"));
    scene.visit(pending).await;
    let one = format!("/subscriptions/{seats}");

    for path in [
        "/subscriptions",
        "/subscriptions?status=Subscribed&offer=per-seat-1",
        "/subscriptions?next=x",
        "/subscriptions/openapi.json",
        &one,
        &format!("/subscriptions/{flat}"),
        &format!("/subscriptions/{pending}"),
        &format!("/subscriptions/{nobody}"),
        "/subscriptions/x",
        &format!("{one}/events"),
        &format!("{one}/events?after=1"),
        &format!("{one}/events?after=x"),
        &format!("/subscriptions/{nobody}/events"),
        &format!("{one}/plans"),
        &format!("/subscriptions/{flat}/plans"),
        &format!("/subscriptions/{nobody}/plans"),
        "/subscriptions/x/plans",
        &format!("{one}/operations"),
        "/subscriptions/x/operations",
        &format!("{one}/operations/{nobody}"),
        &format!("{one}/operations/x"),
    ] {
        caller.get(path).await;
    }
    caller.call(Method::GET, &format!("{one}/events"), &[BATCH], "").await;

    for (body, headers) in [
        ("{}", vec![]),
        (r#"{"quantity":10}"#, vec![]),
        (r#"{"quantity":101}"#, vec![]),
        (r#"{"planId":"silver"}"#, vec![]),
        (r#"{"quantity":11}"#, vec![("if-match", "\"999\"")]),
        (r#"{"quantity":11}"#, vec![("idempotency-key", "a")]),
        (r#"{"quantity":11}"#, vec![("idempotency-key", "a")]),
        (r#"{"quantity":12}"#, vec![("idempotency-key", "a")]),
        (r#"{"quantity":12}"#, vec![]),
    ] {
        caller.call(Method::PATCH, &one, &headers, body).await;
    }
    caller.call(Method::PATCH, &format!("/subscriptions/{nobody}"), &[], r#"{"quantity":1}"#).await;
    let operation = scene.world(|world| *world.operations(seats).last().expect("an operation"));
    caller.get(&format!("{one}/operations/{operation}")).await;
    caller.get(&format!("{one}/operations")).await;
    caller.get(&one).await;
    scene.deliver_statuses().await;
    caller.get(&format!("{one}/operations/{operation}")).await;

    for (id, status) in [(seats, 200), (nobody, 404)] {
        let observe = format!("/subscriptions/{id}/observe");
        let answer = caller.call(Method::POST, &observe, &[], "").await;
        assert_eq!(answer.status, status);
        let redeliver = format!("/subscriptions/{id}/redeliver");
        for body in ["", r#"{"fromVersion":1}"#, r#"{"fromVersion":99}"#, "[]"] {
            caller.call(Method::POST, &redeliver, &[], body).await;
        }
    }
    caller.call(Method::POST, "/subscriptions/x/observe", &[], "").await;
    scene.fault(Call::GetSubscription, FaultKind::Status(400, ErrorForm::Nested), Times::Once);
    caller.call(Method::POST, &format!("{one}/observe"), &[], "").await;
    scene.fault(Call::ListOperations, FaultKind::Status(400, ErrorForm::Nested), Times::Once);
    caller.get(&format!("{one}/operations")).await;
    scene.fault(Call::ListOperations, FaultKind::Status(404, ErrorForm::Nested), Times::Once);
    caller.get(&format!("{one}/operations")).await;
    scene.fault(Call::GetOperation, FaultKind::Status(409, ErrorForm::Nested), Times::Once);
    caller.get(&format!("{one}/operations/{operation}")).await;

    for (id, headers) in [
        (seats, vec![("if-match", "\"999\"")]),
        (seats, vec![("if-match", "x")]),
        (seats, vec![("idempotency-key", "a")]),
        (nobody, vec![]),
    ] {
        caller.call(Method::DELETE, &format!("/subscriptions/{id}"), &headers, "").await;
    }
    for call in [Call::UpdateSubscription, Call::DeleteSubscription] {
        scene.fault(call, FaultKind::LoseAnswer, Times::Once);
    }
    caller
        .call(Method::PATCH, &format!("/subscriptions/{flat}"), &[], r#"{"planId":"gold"}"#)
        .await;
    scene.deliver_statuses().await;
    caller.call(Method::DELETE, &format!("/subscriptions/{flat}"), &[], "").await;
    scene.deliver_statuses().await;
    caller.call(Method::DELETE, &one, &[], "").await;
    scene.deliver_statuses().await;
    caller.call(Method::DELETE, &one, &[], "").await;
    caller.get(&format!("{one}/plans")).await;

    for (id, status) in
        [(pending.to_string(), 200), (seats.to_string(), 409), ("x".to_owned(), 400)]
    {
        let activate = format!("/subscriptions/{id}/activate");
        let answer = caller.call(Method::POST, &activate, &[], "").await;
        assert_eq!(answer.status, status);
    }
    caller.call(Method::POST, &format!("/subscriptions/{nobody}/activate"), &[], "").await;

    let described = caller.described;
    let mut all = BTreeMap::new();
    for item in described.document["paths"].as_object().expect("paths").values() {
        for (_, operation) in item.as_object().into_iter().flatten() {
            for (status, _) in operation["responses"].as_object().into_iter().flatten() {
                let name = operation["operationId"].as_str().expect("a name").to_owned();
                all.insert((name, status.parse::<u16>().expect("a status")), ());
            }
        }
    }
    let met = |key: &&(String, u16)| !described.met.contains(*key);
    let unmet: Vec<_> = all.keys().filter(met).filter(|(_, status)| *status != 503).collect();
    assert_eq!(unmet, [&("activateSubscription".to_owned(), 202)], "described and never answered");
}

#[tokio::test]
async fn an_outage_is_described_for_every_call_that_can_meet_one() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::per_seat("basic", 10)).await;
    let mut caller = Caller { described: Described::of(&scene).await, scene: &scene };
    scene.fault(Call::Any, FaultKind::Status(500, ErrorForm::Html), Times::Always);
    let one = format!("/subscriptions/{id}");
    for (method, path, body) in [
        (Method::GET, format!("{one}/plans"), ""),
        (Method::GET, format!("{one}/operations"), ""),
        (Method::GET, format!("{one}/operations/{id}"), ""),
        (Method::PATCH, one.clone(), r#"{"quantity":11}"#),
        (Method::DELETE, one.clone(), ""),
        (Method::POST, format!("{one}/observe"), ""),
        (Method::POST, format!("{one}/activate"), ""),
    ] {
        let answer = caller.call(method, &path, &[], body).await;
        assert_eq!(answer.status, 503, "{path}");
    }
}

#[tokio::test]
async fn the_description_names_every_route_and_no_other() {
    let scene = Scene::new().await;
    let described = Described::of(&scene).await;
    let template = include_str!("../../template.yaml");
    let mut deployed = BTreeSet::new();
    let lines: Vec<_> = template.lines().map(str::trim).collect();
    for pair in lines.windows(2) {
        let [method, path] = pair else { continue };
        if let (Some(method), Some(path)) =
            (method.strip_prefix("Method: "), path.strip_prefix("Path: /subscriptions"))
        {
            deployed.insert((method.to_ascii_lowercase(), format!("/subscriptions{path}")));
        }
    }
    let mut named = BTreeSet::new();
    for (path, item) in described.document["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("an item").keys().filter(|key| *key != "parameters") {
            named.insert((method.clone(), path.clone()));
        }
    }
    assert_eq!(named, deployed);
    assert_eq!(described.document["openapi"], "3.1.0");
    // Nothing refers to what isn't there.
    let text = described.document.to_string();
    for reference in text.split("\"$ref\":\"").skip(1) {
        let reference = reference.split('"').next().expect("an end");
        let pointer = reference.strip_prefix('#').expect("a place in the document itself");
        assert!(described.document.pointer(pointer).is_some(), "{reference}");
    }
    assert_eq!(
        described.document["paths"]["/subscriptions"]["get"]["parameters"][0]["name"],
        json!("status")
    );
}
