//! Requests and responses as handlers see them, the same on every host.

use std::borrow::Cow;
use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, COOKIE, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::json;
use url::form_urlencoded;
use uuid::Uuid;

use super::error_class::ErrorClass;

/// A request with its whole body.
pub type Request = http::Request<Bytes>;

/// A response with its whole body.
pub type Response<B = Bytes> = http::Response<B>;

/// Who calls: the AWS principal that signed the request, or a member of the publisher's staff at the console.
/// A host adds it to the request's extensions after the signature was checked, the console after the sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal(Caller);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Caller {
    Aws { arn: String, access_key_id: Option<String> },
    Staff { name: String, object_id: Uuid },
}

impl Principal {
    pub fn new(arn: String) -> Self {
        Self(Caller::Aws { arn, access_key_id: None })
    }

    /// A person who signed in to the console: their name at Entra and their object id there.
    pub fn staff(name: &str, object_id: Uuid) -> Self {
        let name = name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
        Self(Caller::Staff { name, object_id })
    }

    /// Adds the id of the access key that signed. It is no secret: AWS's own log of a session's
    /// start names it beside the person, who may be left out of the principal's text.
    #[must_use]
    pub fn with_access_key_id(mut self, id: Option<String>) -> Self {
        if let Caller::Aws { access_key_id, .. } = &mut self.0 {
            *access_key_id = id;
        }
        self
    }

    /// The id of the access key that signed the request, where the host says so.
    pub fn access_key_id(request: &Request) -> Option<&str> {
        match &request.extensions().get::<Self>()?.0 {
            Caller::Aws { access_key_id, .. } => access_key_id.as_deref(),
            Caller::Staff { .. } => None,
        }
    }

    /// Who called, as it is stored; `None` where the host doesn't say.
    pub fn of(request: &Request) -> Option<String> {
        request.extensions().get::<Self>().map(Self::to_string)
    }

    /// Who called, as it is logged: of a person at the console, the object id alone.
    pub fn logged(request: &Request) -> Option<String> {
        match &request.extensions().get::<Self>()?.0 {
            Caller::Staff { object_id, .. } => Some(format!("console: {object_id}")),
            Caller::Aws { .. } => Self::of(request),
        }
    }
}

/// In characters. Entra allows a longer name.
const LONGEST_NAME: usize = 100;

/// For events. A session of AWS's single sign-on is named by an e-mail address, which is left out.
impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Caller::Staff { name, object_id } => write!(f, "console: {name} ({object_id})"),
            Caller::Aws { arn, .. } => match arn.rsplit_once('/') {
                Some((role, session)) if session.contains('@') => f.write_str(role),
                _ => f.write_str(arn),
            },
        }
    }
}

/// The parameters in a request's query, without those that belong to its host: an Azure function key, and
/// a signature of AWS's.
pub fn query_parameters(request: &Request) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    let query = request.uri().query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name != "code" && !name.starts_with("X-Amz-"))
}

/// The value of a field in a query or in a form. `None` if the field is missing or repeated.
pub fn form_field(encoded: &str, name: &str) -> Option<String> {
    let mut values = form_urlencoded::parse(encoded.as_bytes()).filter(|(key, _)| key == name);
    match (values.next(), values.next()) {
        (Some((_, value)), None) => Some(value.into_owned()),
        _ => None,
    }
}

/// The names and values of the cookies in a request's headers. A browser may send several headers.
pub fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|pairs| pairs.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
}

/// The host that a gateway was called by, as the gateway itself names it. No header has a say in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayHost(pub String);

/// A function, independent of its host. It answers every request, with a [`Problem`] if it must.
/// The host leaves out the body of an answer to `HEAD`.
#[async_trait]
pub trait Handler: Send + Sync {
    async fn handle(&self, request: Request) -> Response;

    /// Answers what the host could not hand over as a request, because it is malformed, too large or
    /// too slow. `problem` says which.
    fn refuse(&self, problem: Problem) -> Response {
        problem.into()
    }
}

pub fn empty(status: StatusCode) -> Response {
    respond(status, None, Bytes::new())
}

pub fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(body) => respond(status, Some("application/json"), body.into()),
        Err(_) => Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "could not write the response",
        )
        .into(),
    }
}

pub fn html(status: StatusCode, page: String) -> Response {
    respond(status, Some("text/html; charset=utf-8"), page.into())
}

/// Redirects a browser with 303. No origin comes from a visitor's request.
pub fn see_other(location: &str) -> Response {
    let mut response = empty(StatusCode::SEE_OTHER);
    let location = HeaderValue::try_from(location).expect("an encoded address is header text");
    response.headers_mut().insert(LOCATION, location);
    response
}

fn respond(status: StatusCode, content_type: Option<&'static str>, body: Bytes) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(content_type) = content_type {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    response
}

/// An error as `application/problem+json` (RFC 9457), with a stable code for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub status: StatusCode,
    /// For programs. It never changes its meaning.
    pub code: &'static str,
    /// For people. Never a secret, a token or the text of an internal error.
    pub detail: String,
    /// The methods that the address serves, for a 405.
    allow: Option<String>,
}

impl Problem {
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), allow: None }
    }

    /// The address serves other methods than the request's: these, separated by commas (RFC 9110,
    /// 15.5.6).
    pub fn method_not_allowed(allow: impl Into<String>) -> Self {
        let allow = allow.into();
        let detail = format!("this address answers to {allow}");
        let problem = Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
        Self { allow: Some(allow), ..problem }
    }

    /// Our own failure or Microsoft's, which may be over in a moment.
    pub fn unavailable() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "try again in a moment")
    }

    /// A fault that is not the caller's. Its code is the class, where a caller may do something
    /// else about it than to try again.
    pub fn of_class(class: ErrorClass) -> Self {
        let detail = match class {
            ErrorClass::Configuration => {
                "the functions are not set up correctly for Microsoft's side; their log says why"
            }
            ErrorClass::Credential(_) => {
                "Microsoft does not accept the functions' credential; their log says why"
            }
            ErrorClass::MicrosoftUnavailable => "Microsoft is unavailable; try again in a moment",
            ErrorClass::Table => "the table is unavailable; try again in a moment",
            ErrorClass::Product
            | ErrorClass::UnknownWord
            | ErrorClass::Refused
            | ErrorClass::Program => return Self::unavailable(),
        };
        let status = if class.needs_operator() {
            StatusCode::INTERNAL_SERVER_ERROR
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        Self::new(status, class.name(), detail)
    }
}

impl From<Problem> for Response {
    fn from(problem: Problem) -> Self {
        let body = json!({
            "title": problem.status.canonical_reason().unwrap_or("Error"),
            "status": problem.status.as_u16(),
            "code": problem.code,
            "detail": problem.detail,
        });
        let body = body.to_string().into();
        let mut response = respond(problem.status, Some("application/problem+json"), body);
        if let Some(allow) = problem.allow.and_then(|allow| HeaderValue::try_from(allow).ok()) {
            response.headers_mut().insert(ALLOW, allow);
        }
        response
    }
}
