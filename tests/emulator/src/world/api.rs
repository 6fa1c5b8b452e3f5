//! A call and its answer as plain values: no socket, no runtime.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;
use std::time::Duration;

/// One call to the marketplace or to Entra. The path starts after the base (`/saas/subscriptions`).
#[derive(Clone, Debug)]
pub struct ApiRequest {
    /// The method.
    pub method: Method,
    /// The path, still percent-encoded, without the query.
    pub path: String,
    /// The query without its question mark.
    pub query: Option<String>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; empty when there was none.
    pub body: Vec<u8>,
}

impl ApiRequest {
    /// A request without headers and body. `target` is a path with an optional query.
    pub fn new(method: Method, target: &str) -> Self {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
            None => (target.to_owned(), None),
        };
        Self { method, path, query, headers: HeaderMap::new(), body: Vec::new() }
    }

    /// Adds a header.
    ///
    /// # Panics
    /// When name or value cannot stand in a header.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name).expect("the caller gives a header name");
        self.headers
            .insert(name, HeaderValue::try_from(value).expect("the caller gives a header value"));
        self
    }

    /// Gives the request a JSON body and the matching content type.
    pub fn with_json(mut self, body: &Value) -> Self {
        self.body = body.to_string().into_bytes();
        self.with_header("content-type", "application/json")
    }

    /// Gives the request a form body and the matching content type.
    pub fn with_form(mut self, fields: &[(&str, &str)]) -> Self {
        self.body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish()
            .into_bytes();
        self.with_header("content-type", "application/x-www-form-urlencoded")
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A query parameter, decoded once. Names are compared as ASP.NET does, without case.
    pub fn parameter(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query.as_deref()?.as_bytes())
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.into_owned())
    }

    /// The body as JSON, if it is JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// What the caller gets, and after which artificial delay.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Wait this long before answering.
    pub delay: Duration,
    /// Then do this.
    pub outcome: Outcome,
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        Self { delay: Duration::ZERO, outcome: Outcome::Reply(reply) }
    }
}

impl Answer {
    /// The reply, if there is one.
    pub fn reply(&self) -> Option<&Reply> {
        match &self.outcome {
            Outcome::Reply(reply) => Some(reply),
            Outcome::Hang | Outcome::DropConnection | Outcome::LoseAnswer => None,
        }
    }
}

/// How a call ends.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// With an HTTP answer.
    Reply(Reply),
    /// Never, until the caller gives up. Nothing was processed.
    Hang,
    /// The connection closes and nothing was processed.
    DropConnection,
    /// The call was processed and the connection closes without an answer.
    LoseAnswer,
}

/// An HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The headers, each name once.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body; empty when there is none.
    pub body: Vec<u8>,
}

impl Reply {
    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// An answer with a JSON body.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json; charset=utf-8", body.to_string())
    }

    /// An answer with any other body.
    pub fn text(status: u16, content_type: &'static str, body: String) -> Self {
        let mut reply = Self { body: body.into_bytes(), ..Self::empty(status) };
        let content_type = HeaderValue::from_static(content_type);
        reply.headers.push((http::header::CONTENT_TYPE, content_type));
        reply
    }

    /// Adds a header whose value is known to be printable.
    pub(crate) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((HeaderName::from_static(name), value));
        }
        self
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) =
            self.headers.iter().find(|(known, _)| known.as_str().eq_ignore_ascii_case(name))?;
        value.to_str().ok()
    }

    /// The body as JSON; null when it is none.
    pub fn body_json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}
