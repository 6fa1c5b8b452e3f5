//! The description of the API, and a caller that compares every answer with it.

use std::collections::BTreeSet;

use http::Method;
use jsonschema::Validator;
use serde_json::Value;

use super::closed;
use crate::test_env::{Answer, TestEnv};

/// The description as the API serves it, and what the answers have shown of it so far.
pub(super) struct Description {
    pub(super) document: Value,
    /// See [`closed`].
    components: Value,
    /// The operations and statuses that were answered.
    answered: BTreeSet<(String, u16)>,
    /// The names of the members that answers had.
    shown: BTreeSet<String>,
}

impl Description {
    pub(super) async fn of(env: &TestEnv) -> Self {
        let answer = env.get("/subscriptions/openapi.json").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["content-type"], "application/json");
        let document = answer.json();
        let components = closed::components(&document);
        Self { document, components, answered: BTreeSet::new(), shown: BTreeSet::new() }
    }

    /// The described operation that a request calls.
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
        // A path without a name in braces goes before one that only fits.
        let exact = paths.get(path);
        let item =
            exact.or_else(|| paths.iter().find(|(form, _)| fits(form)).map(|(_, item)| item));
        let item = item.unwrap_or_else(|| panic!("{path} is not described"));
        &item[method.as_str().to_ascii_lowercase()]
    }

    /// The complaints of a schema about a body. Published, the schema is open; here it is closed.
    pub(super) fn complaints(&self, schema: &Value, body: &Value) -> Vec<String> {
        let mut closed = schema.clone();
        closed::close(&mut closed);
        complaints(&closed, &self.components, body)
    }

    /// The same about the schema as it is published.
    pub(super) fn published_complaints(&self, schema: &Value, body: &Value) -> Vec<String> {
        complaints(schema, &self.document["components"], body)
    }

    /// Asserts that an answer is described, with everything it has.
    fn check(&mut self, method: &Method, path: &str, answer: &Answer) {
        let operation = self.operation(method, path);
        let status = answer.status.as_u16();
        let name = operation["operationId"].as_str().expect("a name").to_owned();
        let described = &operation["responses"][status.to_string()];
        assert!(described.is_object(), "{name} may not answer {status}: {}", answer.body);
        let media_type = answer.headers["content-type"].to_str().expect("text");
        let content = &described["content"][media_type];
        assert!(content.is_object(), "{name} {status} may not be {media_type}");
        let body = answer.json();
        let complaints = self.complaints(&content["schema"], &body);
        assert!(complaints.is_empty(), "{name} {status}: {complaints:?} in {body}");
        for header in ["etag", "location", "retry-after", "link", "idempotency-replayed"] {
            let headers = described["headers"].as_object().into_iter().flatten();
            let named =
                headers.map(|(name, _)| name.to_ascii_lowercase()).any(|name| name == header);
            assert!(named || !answer.headers.contains_key(header), "{name} {status}: {header}");
        }
        // The description itself holds every name.
        if name != "getDescription" {
            each_object(&body, &mut |object| self.shown.extend(object.keys().cloned()));
        }
        self.answered.insert((name, status));
    }

    /// The described operations and statuses that were never answered.
    pub(super) fn unanswered(&self) -> Vec<(String, u16)> {
        let mut described = BTreeSet::new();
        for item in self.document["paths"].as_object().expect("paths").values() {
            for (_, operation) in item.as_object().into_iter().flatten() {
                for (status, _) in operation["responses"].as_object().into_iter().flatten() {
                    let name = operation["operationId"].as_str().expect("a name").to_owned();
                    described.insert((name, status.parse().expect("a status")));
                }
            }
        }
        described.difference(&self.answered).cloned().collect()
    }

    /// The described members that no answer had.
    pub(super) fn never_shown(&self) -> Vec<String> {
        let mut described = BTreeSet::new();
        each_object(&self.document["components"]["schemas"], &mut |schema| {
            let properties = schema.get("properties").and_then(Value::as_object);
            described.extend(properties.into_iter().flat_map(|named| named.keys().cloned()));
        });
        described.difference(&self.shown).cloned().collect()
    }
}

fn complaints(schema: &Value, components: &Value, body: &Value) -> Vec<String> {
    let mut whole = schema.clone();
    whole["components"] = components.clone();
    let validator: Validator = jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .should_validate_formats(true)
        .build(&whole)
        .expect("a schema");
    let errors = validator.iter_errors(body);
    errors.map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn each_object(value: &Value, visit: &mut impl FnMut(&serde_json::Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            visit(object);
            object.values().for_each(|inside| each_object(inside, visit));
        }
        Value::Array(values) => values.iter().for_each(|inside| each_object(inside, visit)),
        _ => {}
    }
}

/// Calls the API, and checks every answer against the description.
pub(super) struct Caller<'a> {
    pub(super) env: &'a TestEnv,
    pub(super) description: Description,
}

impl<'a> Caller<'a> {
    pub(super) async fn new(env: &'a TestEnv) -> Self {
        Self { env, description: Description::of(env).await }
    }

    pub(super) async fn call(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = self.env.http.request(method.clone(), self.env.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self.env.send(request.body(body.to_owned())).await;
        self.description.check(&method, path, &answer);
        answer
    }

    pub(super) async fn get(&mut self, path: &str) -> Answer {
        self.call(Method::GET, path, &[], "").await
    }

    pub(super) async fn post(&mut self, path: &str, body: &str) -> Answer {
        self.call(Method::POST, path, &[], body).await
    }
}
