//! AWS as a function's role sees it: the embedded database and one secret, behind the permissions of
//! the template.

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

/// The secret's name in the deployed environment.
pub const SECRET_ARN: &str =
    "arn:aws:secretsmanager:eu-north-1:123456789012:secret:marketplace-AbCdEf";

/// DynamoDB and Secrets Manager, for one role.
pub struct Aws {
    /// Where the database is.
    pub database: String,
    /// What the secret's text is.
    pub secret: String,
    /// What the role permits.
    pub granted: BTreeSet<Grant>,
    /// What was asked for.
    pub seen: Mutex<Seen>,
    /// The way to the database.
    pub http: reqwest::Client,
}

/// What a function asked for.
#[derive(Debug, Default)]
pub struct Seen {
    /// What was permitted.
    pub used: BTreeSet<Grant>,
    /// What was not.
    pub denied: BTreeSet<Grant>,
}

impl Aws {
    fn permits(&self, wanted: &[Grant]) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut permitted = true;
        for grant in wanted {
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

/// Answers a call of either service.
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
            let grant = (format!("secretsmanager:{operation}"), "EntraClientSecretArn".to_owned());
            if !aws.permits(&[grant]) || request["SecretId"] != SECRET_ARN {
                return error(StatusCode::BAD_REQUEST, "AccessDeniedException");
            }
            answer(json!({ "ARN": SECRET_ARN, "Name": "marketplace", "SecretString": aws.secret }))
        }
        _ if !aws.permits(&dynamodb_grants(operation, &request)) => {
            error(StatusCode::BAD_REQUEST, "AccessDeniedException")
        }
        _ => forward(&aws, &headers, body).await,
    }
}

/// What IAM asks for: a transaction needs the permission of each of its writes.
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
