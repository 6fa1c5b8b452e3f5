//! AWS as a function's role sees it: the embedded database, the secrets and an event bus, behind
//! the permissions in the template.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use saasctl::template::Grant;
use serde_json::{Value, json};
use std::sync::Arc;

/// The client secret's ARN in the deployed environment.
pub const SECRET_ARN: &str =
    "arn:aws:secretsmanager:eu-north-1:123456789012:secret:marketplace-AbCdEf";

/// The ARN of the landing page's own client secret.
pub const LANDING_SECRET_ARN: &str =
    "arn:aws:secretsmanager:eu-north-1:123456789012:secret:landing-AbCdEf";

/// The ARN of the staff console's own client secret.
pub const CONSOLE_SECRET_ARN: &str =
    "arn:aws:secretsmanager:eu-north-1:123456789012:secret:console-AbCdEf";

/// The ARN of the secret that holds the delivery's signing key.
pub const SIGNING_KEY_ARN: &str =
    "arn:aws:secretsmanager:eu-north-1:123456789012:secret:events-AbCdEf";

pub const EVENT_BUS_ARN: &str = "arn:aws:events:eu-north-1:123456789012:event-bus/marketplace";

/// The local system's table, which the deployment takes over.
pub const TABLE: &str = "subscriptions";

/// DynamoDB, Secrets Manager, EventBridge and Step Functions, as one role may use them.
pub struct Aws {
    /// The embedded database's address.
    pub database: String,
    pub secret: String,
    pub landing_secret: String,
    pub console_secret: String,
    pub signing_key: String,
    /// What the role grants.
    pub granted: BTreeSet<Grant>,
    pub seen: Mutex<Seen>,
    pub http: reqwest::Client,
}

/// What a call needs: an action on a resource, and on the partition keys that it names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Needed {
    action: String,
    resource: String,
    keys: BTreeSet<String>,
}

/// The calls a function made.
#[derive(Debug, Default)]
pub struct Seen {
    /// The permissions it used.
    pub used: BTreeSet<Grant>,
    /// What it needed and no permission granted.
    pub denied: BTreeSet<Needed>,
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

    fn permits(&self, needed: &[Needed]) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut permitted = true;
        for need in needed {
            let Needed { action, resource, keys } = need;
            let grants = |grant: &&Grant| grant.permits(action, resource, keys);
            if let Some(grant) = self.granted.iter().find(grants) {
                seen.used.insert(grant.clone());
            } else {
                seen.denied.insert(need.clone());
                permitted = false;
            }
        }
        permitted
    }

    fn permits_call(&self, service: &str, operation: &str, resource: &str) -> bool {
        self.permits(&[Needed {
            action: format!("{service}:{operation}"),
            resource: resource.to_owned(),
            keys: BTreeSet::new(),
        }])
    }
}

/// Answers a call to any of these services.
pub async fn call(State(aws): State<Arc<Aws>>, headers: HeaderMap, body: Bytes) -> Response {
    if body.starts_with(b"Action=DescribeAlarms&") {
        return describe_alarms(&aws, &headers);
    }
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
            let (arn, text) = match request["SecretId"].as_str() {
                Some(SECRET_ARN) => (SECRET_ARN, &aws.secret),
                Some(LANDING_SECRET_ARN) => (LANDING_SECRET_ARN, &aws.landing_secret),
                Some(CONSOLE_SECRET_ARN) => (CONSOLE_SECRET_ARN, &aws.console_secret),
                Some(SIGNING_KEY_ARN) => (SIGNING_KEY_ARN, &aws.signing_key),
                _ => return error(StatusCode::BAD_REQUEST, "ResourceNotFoundException"),
            };
            if !aws.permits_call(service, operation, arn) {
                return error(StatusCode::BAD_REQUEST, "AccessDeniedException");
            }
            answer(json!({ "ARN": arn, "Name": "secret", "SecretString": text }))
        }
        "AWSEvents" => {
            if !aws.permits_call("events", operation, EVENT_BUS_ARN) {
                return error(StatusCode::BAD_REQUEST, "AccessDeniedException");
            }
            aws.put_on_bus(&request)
        }
        "AWSStepFunctions" => {
            let machine = request["stateMachineArn"].as_str().unwrap_or_default();
            if !aws.permits_call("states", operation, machine) {
                return error(StatusCode::BAD_REQUEST, "AccessDeniedException");
            }
            answer(
                json!({ "executionArn": format!("{machine}:{}", request["name"]), "startDate": 1 }),
            )
        }
        _ if !aws.permits(&needed_of_dynamodb(operation, &request)) => {
            error(StatusCode::BAD_REQUEST, "AccessDeniedException")
        }
        _ => forward(&aws, &headers, body).await,
    }
}

/// CloudWatch speaks the Query protocol. No alarm rings.
fn describe_alarms(aws: &Aws, headers: &HeaderMap) -> Response {
    let is_signed = headers.contains_key(header::AUTHORIZATION);
    if !is_signed || !aws.permits_call("cloudwatch", "DescribeAlarms", "*") {
        return error(StatusCode::FORBIDDEN, "AccessDenied");
    }
    "<DescribeAlarmsResponse><DescribeAlarmsResult><MetricAlarms/></DescribeAlarmsResult></DescribeAlarmsResponse>"
        .into_response()
}

/// What a request needs. IAM checks a transaction's writes one by one.
fn needed_of_dynamodb(operation: &str, request: &Value) -> Vec<Needed> {
    let table = format!("arn:aws:dynamodb:eu-north-1:123456789012:table/{TABLE}");
    let need = |action: &str, resource: String, keys: BTreeSet<String>| Needed {
        action: format!("dynamodb:{action}"),
        resource,
        keys,
    };
    match operation {
        "TransactWriteItems" => {
            let items = request["TransactItems"].as_array().into_iter().flatten();
            let writes = items.filter_map(Value::as_object).flatten();
            let one = |(kind, write): (&String, &Value)| {
                // `ConditionCheck`'s permission ends in `Item`, too.
                need(&format!("{kind}Item"), table.clone(), partition_keys(write))
            };
            writes.map(one).collect()
        }
        single => {
            let resource = match request["IndexName"].as_str() {
                Some(index) => format!("{table}/index/{index}"),
                None => table,
            };
            vec![need(single, resource, partition_keys(request))]
        }
    }
}

/// The partition keys of the table that a request names (`dynamodb:LeadingKeys`).
fn partition_keys(request: &Value) -> BTreeSet<String> {
    let batched = request["RequestItems"].as_object().into_iter().flatten();
    let batched = batched.flat_map(|(_, table)| {
        let read = table["Keys"].as_array().into_iter().flatten();
        let written = table.as_array().into_iter().flatten();
        read.chain(written.map(|write| &write["PutRequest"]["Item"]))
    });
    let items = [&request["Key"], &request["Item"]].into_iter().chain(batched);
    let named = items.filter_map(|item| item["pk"]["S"].as_str());
    let condition = request["KeyConditionExpression"].as_str().unwrap_or_default();
    let queried = condition.strip_prefix("#pk = ").filter(|_| request["IndexName"].is_null());
    let value = queried.map(|rest| rest.split(' ').next().unwrap_or_default());
    let value = value.and_then(|name| request["ExpressionAttributeValues"][name]["S"].as_str());
    named.chain(value).map(str::to_owned).collect()
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
