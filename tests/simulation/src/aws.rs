//! AWS's services as the SDK's HTTP client sees them. The table has ports of its own.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};

/// The functions' region.
pub(crate) const REGION: &str = "eu-north-1";

/// EventBridge in that region.
pub(crate) const EVENT_BRIDGE: &str = "events.eu-north-1.amazonaws.com";

/// Secrets Manager in that region.
pub(crate) const SECRETS_MANAGER: &str = "secretsmanager.eu-north-1.amazonaws.com";

/// The value of `DELIVERY_SIGNING_KEY_ARN`.
pub(crate) const KEY_ARN: &str =
    "arn:aws:secretsmanager:eu-north-1:111122223333:secret:delivery-signing-key";

/// The operation that a signed request calls. `Err`: it isn't signed, or isn't a call.
pub(crate) fn operation(request: &Request<Bytes>) -> Result<&str, String> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let signature = header("authorization").unwrap_or_default();
    if !signature.starts_with("AWS4-HMAC-SHA256 Credential=") {
        return Err("AWS received an unsigned call".to_owned());
    }
    header("x-amz-target").ok_or("AWS received no call".to_owned())
}

/// Secrets Manager answers `GetSecretValue`.
pub(crate) fn secret(request: &Request<Bytes>, secret: &str) -> Result<Response<Bytes>, String> {
    let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    if operation(request)? != "secretsmanager.GetSecretValue" || body["SecretId"] != KEY_ARN {
        return Err(format!("Secrets Manager received another call: {body}"));
    }
    let body = json!({ "ARN": KEY_ARN, "Name": "delivery-signing-key", "SecretString": secret });
    Ok(answer(StatusCode::OK, &body))
}

/// The answer to a caller that sends too much.
pub(crate) fn throttled() -> Response<Bytes> {
    refused(StatusCode::BAD_REQUEST, "ThrottlingException")
}

/// The answer to a caller without permission.
pub(crate) fn denied() -> Response<Bytes> {
    refused(StatusCode::BAD_REQUEST, "AccessDeniedException")
}

/// The answer with an error.
pub(crate) fn refused(status: StatusCode, code: &str) -> Response<Bytes> {
    answer(status, &json!({ "__type": code, "message": "not now" }))
}

/// An answer in AWS's JSON.
pub(crate) fn answer(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from(body.to_string()));
    *answer.status_mut() = status;
    answer
}
