//! The publisher's API. [`Api::call`] sends every request and checks every answer.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, IF_MATCH, USER_AGENT};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use shared::host::address::is_private;
use shared::host::http_client::{HttpClient, Transport as _};
use shared::host::version;
use url::Url;

use crate::command_error::CommandError;
use crate::connection::Connection;
use crate::printable::printable;
use crate::sign::{Signer, is_gateway};

/// The characters that a query value keeps unencoded (RFC 3986, 2.3). A signature covers the query
/// in this encoding.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The query with these parameters, without those that have no value.
pub(crate) fn query(parameters: &[(&str, Option<&str>)]) -> String {
    let given = parameters.iter().filter_map(|(name, value)| Some((name, (*value)?)));
    let pairs: Vec<_> = given
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, UNRESERVED)))
        .collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

pub(crate) struct Api {
    transport: HttpClient,
    /// Without `/subscriptions`, and without a slash at the end.
    base: String,
    host: String,
    signer: Option<Signer>,
    function_key: Option<HeaderValue>,
    answer_within: Duration,
    user_agent: &'static str,
}

/// A request to the API.
pub(crate) struct ApiCall {
    method: Method,
    path: String,
    body: Option<Value>,
    headers: Vec<(HeaderName, String)>,
}

impl ApiCall {
    /// A request to a path below `/subscriptions`.
    pub(crate) fn new(method: Method, path: String) -> Self {
        Self::at(method, format!("/subscriptions{path}"))
    }

    /// A request to another path.
    pub(crate) fn at(method: Method, path: String) -> Self {
        Self { method, path, body: None, headers: Vec::new() }
    }

    pub(crate) fn get(path: String) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// Adds an idempotency key: the API carries out a repeated request once.
    pub(crate) fn key(mut self, key: &str) -> Self {
        self.headers.push((HeaderName::from_static("idempotency-key"), key.to_owned()));
        self
    }

    /// Makes the request conditional on the record's version.
    pub(crate) fn if_version(mut self, version: Option<u64>) -> Self {
        self.headers.extend(version.map(|version| (IF_MATCH, format!("\"{version}\""))));
        self
    }
}

/// A 2xx answer.
pub(crate) struct Answer {
    pub status: StatusCode,
    /// The version of the function that answered.
    pub version: Option<String>,
    pub body: Value,
}

impl Api {
    pub(crate) async fn new(connection: &Connection) -> Result<Self, CommandError> {
        let url = &connection.url;
        if !matches!(url.scheme(), "http" | "https") || url.query().is_some() {
            return Err(CommandError::BadAddress);
        }
        if !is_private(url) {
            return Err(CommandError::Unencrypted);
        }
        let host = authority(url).ok_or(CommandError::BadAddress)?;
        let base = url.as_str().trim_end_matches('/');
        let base = base.strip_suffix("/subscriptions").unwrap_or(base).to_owned();
        let signer = if connection.aws || is_gateway(url) {
            Some(Signer::find(connection).await?)
        } else {
            None
        };
        let answer_within = connection.answer_within;
        let function_key = connection.function_key.clone();
        Ok(Self {
            transport: HttpClient::default(),
            base,
            host,
            signer,
            function_key,
            answer_within,
            user_agent: concat!("saasctl/", env!("CARGO_PKG_VERSION")),
        })
    }

    /// Marks every request as part of an export, for the API's audit lines.
    pub(crate) fn for_export(self) -> Self {
        Self { user_agent: concat!("saasctl/", env!("CARGO_PKG_VERSION"), " export"), ..self }
    }

    /// The API's address, without `/subscriptions`.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Who signs the requests; `None` where nobody does.
    pub(crate) fn signer(&self) -> Option<&Signer> {
        self.signer.as_ref()
    }

    /// Sends a request. An answer other than a 2xx is a [`CommandError`].
    pub(crate) async fn call(&self, call: &ApiCall) -> Result<Answer, CommandError> {
        let request = self.request(call).await?;
        let answer = self.transport.send(request, self.answer_within).await;
        let answer = answer.map_err(|error| {
            if error.may_have_arrived() {
                CommandError::NoAnswer(format!("no answer from {}", self.base))
            } else {
                CommandError::Unavailable(format!("could not reach {}", self.base))
            }
        })?;
        let (parts, body) = answer.into_parts();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        if parts.status.is_success() {
            let version = parts.headers.get(version::HEADER);
            let version = version.and_then(|version| version.to_str().ok()).map(printable);
            return Ok(Answer { status: parts.status, version, body });
        }
        Err(refusal(parts.status, &body))
    }

    pub(crate) async fn get(&self, path: String) -> Result<Value, CommandError> {
        self.call(&ApiCall::get(path)).await.map(|answer| answer.body)
    }

    async fn request(&self, call: &ApiCall) -> Result<http::Request<Bytes>, CommandError> {
        let body = call.body.as_ref().map(Value::to_string).unwrap_or_default();
        let mut request = http::Request::builder()
            .method(call.method.clone())
            .uri(format!("{}{}", self.base, call.path))
            .header(HOST, &self.host)
            .header(USER_AGENT, self.user_agent);
        if call.body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(key) = &self.function_key {
            request = request.header("x-functions-key", key);
        }
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        let mut request =
            request.body(Bytes::from(body)).map_err(|error| CommandError::Refused {
                code: "malformed_request".to_owned(),
                detail: error.to_string(),
            })?;
        if let Some(signer) = &self.signer {
            signer.sign(&mut request).await?;
        }
        Ok(request)
    }
}

fn authority(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

fn refusal(status: StatusCode, body: &Value) -> CommandError {
    // API Gateway's own refusals have only a `message`.
    let text = |name: &str| body[name].as_str();
    let detail = text("detail").or_else(|| text("message")).or_else(|| text("Message"));
    let detail = printable(detail.unwrap_or(status.canonical_reason().unwrap_or("refused")));
    match (text("code"), status) {
        (Some("outcome_unknown"), _) => CommandError::OutcomeUnknown(detail),
        (Some("unavailable" | "microsoft_unavailable" | "table"), _)
        | (None, StatusCode::TOO_MANY_REQUESTS) => CommandError::Unavailable(detail),
        (Some(code), _) => CommandError::Refused { code: code.to_owned(), detail },
        // From the gateway: the function may or may not have carried out the request.
        (None, status) if status.is_server_error() => CommandError::NoAnswer(detail),
        (None, status) => {
            CommandError::Refused { code: format!("http_{}", status.as_u16()), detail }
        }
    }
}
