//! AWS as a function's role sees it: the embedded database, the secrets and an event bus, behind
//! the permissions in the template.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use std::sync::Arc;

use crate::template::Grant;

/// The client secret's ARN in the deployed environment.
pub const SECRET_ARN: &str =
    "arn:aws:secretsmanager:eu-north-1:123456789012:secret:marketplace-AbCdEf";

/// The ARN of the landing page's own client secret.
pub const LANDING_SECRET_ARN: &str =
    "arn:aws:secretsmanager:eu-north-1:123456789012:secret:landing-AbCdEf";

/// The ARN of the secret that holds the delivery's signing key.
pub const SIGNING_KEY_ARN: &str =
    "arn:aws:secretsmanager:eu-north-1:123456789012:secret:events-AbCdEf";

pub const EVENT_BUS_ARN: &str = "arn:aws:events:eu-north-1:123456789012:event-bus/marketplace";

/// DynamoDB, Secrets Manager and EventBridge, as one role may use them.
pub struct Aws {
    /// The embedded database's address.
    pub database: String,
    pub secret: String,
    pub landing_secret: String,
    pub signing_key: String,
    /// What the role grants.
    pub granted: BTreeSet<Grant>,
    pub seen: Mutex<Seen>,
    pub http: reqwest::Client,
}

/// The calls a function made.
#[derive(Debug, Default)]
pub struct Seen {
    /// The permissions it used.
    pub used: BTreeSet<Grant>,
    /// The permissions it needed and didn't have.
    pub denied: BTreeSet<Grant>,
    /// The entries it put on the event bus.
    pub on_bus: Vec<Value>,
}

impl Aws {
    fn put_on_bus(&self, request: &Value) -> Response {
        let entries = request["Entries"].as_array().cloned().unwrap_or_default();
        let result = |entry: &Value| match entry["EventBusName"] == EVENT_BUS_ARN {
            true => json!({ "EventId": "6b03fbf9-ac0f-4e9e-a99e-75d01a3ea573" }),
            false => json!({ "ErrorCode": "ResourceNotFoundException" }),
        };
        let answers: Vec<_> = entries.iter().map(result).collect();
        let failed = answers.iter().filter(|answer| answer["EventId"].is_null()).count();
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).on_bus.extend(entries);
        answer(json!({ "FailedEntryCount": failed, "Entries": answers }))
    }

    fn permits(&self, needed: &[Grant]) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut permitted = true;
        for grant in needed {
            if self.granted.contains(grant) {
                seen.used.insert(grant.clone());
            } else {
                seen.denied.insert(grant.clone());
                permitted = false;
            }
        }
        permitted
    }
}

/// Answers a call to any of the three services.
pub async fn call(State(aws): State<Arc<Aws>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok());
    let Some((service, operation)) = target.and_then(|target| target.split_once('.')) else {
        return error(StatusCode::BAD_REQUEST, "UnknownOperationException");
    };
    if !headers.contains_key(header::AUTHORIZATION) {
        return error(StatusCode::BAD_REQUEST, "MissingAuthenticationTokenException");
    }
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    match service {
        "secretsmanager" => {
            let (parameter, text) = match request["SecretId"].as_str() {
                Some(SECRET_ARN) => ("EntraClientSecretArn", &aws.secret),
                Some(LANDING_SECRET_ARN) => ("LandingClientSecretArn", &aws.landing_secret),
                Some(SIGNING_KEY_ARN) => ("DeliverySigningKeyArn", &aws.signing_key),
                _ => return error(StatusCode::BAD_REQUEST, "ResourceNotFoundException"),
            };
            let grant = (format!("secretsmanager:{operation}"), parameter.to_owned());
            if !aws.permits(&[grant]) {
                return error(StatusCode::BAD_REQUEST, "AccessDeniedException");
            }
            answer(json!({ "ARN": request["SecretId"], "Name": "secret", "SecretString": text }))
        }
        "AWSEvents" => {
            let grant = (format!("events:{operation}"), "DeliveryEventBusArn".to_owned());
            if !aws.permits(&[grant]) {
                return error(StatusCode::BAD_REQUEST, "AccessDeniedException");
            }
            aws.put_on_bus(&request)
        }
        _ if !aws.permits(&dynamodb_grants(operation, &request)) => {
            error(StatusCode::BAD_REQUEST, "AccessDeniedException")
        }
        _ => forward(&aws, &headers, body).await,
    }
}

/// The permissions a request needs. IAM checks a transaction's writes one by one.
fn dynamodb_grants(operation: &str, request: &Value) -> Vec<Grant> {
    let actions: BTreeSet<String> =
        match operation {
            "TransactWriteItems" => {
                let items = request["TransactItems"].as_array().into_iter().flatten();
                let kinds = items.filter_map(Value::as_object).flat_map(|item| item.keys());
                kinds
                    .map(|kind| {
                        if kind == "ConditionCheck" { kind.clone() } else { format!("{kind}Item") }
                    })
                    .collect()
            }
            single => BTreeSet::from([single.to_owned()]),
        };
    let resource = match request["IndexName"].as_str() {
        Some(index) => format!("${{Table.Arn}}/index/{index}"),
        None => "Table.Arn".to_owned(),
    };
    actions.into_iter().map(|action| (format!("dynamodb:{action}"), resource.clone())).collect()
}

async fn forward(aws: &Aws, headers: &HeaderMap, body: Bytes) -> Response {
    let mut request = aws.http.post(&aws.database).body(body);
    for name in ["x-amz-target", "x-amz-date", "authorization", "content-type"] {
        if let Some(value) = headers.get(name) {
            request = request.header(name, value);
        }
    }
    match request.send().await {
        Ok(answered) => {
            let status = answered.status();
            let kind = answered.headers().get(header::CONTENT_TYPE).cloned();
            let body = answered.bytes().await.unwrap_or_default();
            let mut response = (status, Body::from(body)).into_response();
            if let Some(kind) = kind {
                response.headers_mut().insert(header::CONTENT_TYPE, kind);
            }
            response
        }
        Err(_) => error(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable"),
    }
}

fn answer(body: Value) -> Response {
    ([(header::CONTENT_TYPE, "application/x-amz-json-1.1")], body.to_string()).into_response()
}

fn error(status: StatusCode, kind: &str) -> Response {
    let body = json!({ "__type": kind, "message": "refused by the test's AWS" });
    (status, [(header::CONTENT_TYPE, "application/x-amz-json-1.0")], body.to_string())
        .into_response()
}
