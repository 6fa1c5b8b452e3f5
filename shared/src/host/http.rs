//! Requests and answers as handlers see them, whatever host they run in.

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::json;

/// A request with its whole body.
pub type Request = http::Request<Bytes>;

/// An answer with its whole body.
pub type Response<B = Bytes> = http::Response<B>;

/// What a function does, known by no host. Answers every request; an error is an answer, too.
#[async_trait]
pub trait Handler: Send + Sync {
    /// Answers a request.
    async fn handle(&self, request: Request) -> Response;
}

/// An answer without a body.
pub fn empty(status: StatusCode) -> Response {
    respond(status, None, Bytes::new())
}

/// An answer in JSON.
pub fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(body) => respond(status, Some("application/json"), body.into()),
        Err(_) => Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the answer can't be written",
        )
        .into(),
    }
}

/// A page.
pub fn html(status: StatusCode, page: String) -> Response {
    respond(status, Some("text/html; charset=utf-8"), page.into())
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
    /// HTTP status.
    pub status: StatusCode,
    /// For programs; never changes its meaning.
    pub code: &'static str,
    /// For people. Never a secret, a token or the text of an internal error.
    pub detail: String,
}

impl Problem {
    /// An error with its words.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into() }
    }

    /// Our own fault, or Microsoft's, that may be over in a moment.
    pub fn unavailable() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "try again in a moment")
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
        respond(problem.status, Some("application/problem+json"), body.to_string().into())
    }
}
