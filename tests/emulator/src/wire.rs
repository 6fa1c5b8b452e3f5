//! A call and its answer as plain values: no socket, no runtime.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;
use std::time::Duration;

/// One call to the marketplace or to Entra. The path starts after the base (`/saas/subscriptions`).
#[derive(Clone, Debug)]
pub struct ApiRequest {
    pub method: Method,
    /// Still percent-encoded, without the query.
    pub path: String,
    /// Without the question mark.
    pub query: Option<String>,
    pub headers: HeaderMap,
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

    /// # Panics
    /// If HTTP does not permit this name or value.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name).expect("the caller gives a header name");
        self.headers
            .insert(name, HeaderValue::try_from(value).expect("the caller gives a header value"));
        self
    }

    /// Sets a JSON body and its content type.
    pub fn with_json(mut self, body: &Value) -> Self {
        self.body = body.to_string().into_bytes();
        self.with_header("content-type", "application/json")
    }

    /// Sets a form body and its content type.
    pub fn with_form(mut self, fields: &[(&str, &str)]) -> Self {
        self.body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish()
            .into_bytes();
        self.with_header("content-type", "application/x-www-form-urlencoded")
    }

    /// The header's value, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A query parameter, decoded once. Ignores the case of the name, as ASP.NET does.
    pub fn parameter(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query.as_deref()?.as_bytes())
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.into_owned())
    }

    /// The body, if it is JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// How a call ends, and how long the caller waits for it.
#[derive(Clone, Debug)]
pub struct Answer {
    pub delay: Duration,
    pub outcome: Outcome,
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        Self { delay: Duration::ZERO, outcome: Outcome::Reply(reply) }
    }
}

impl Answer {
    pub fn reply(&self) -> Option<&Reply> {
        match &self.outcome {
            Outcome::Reply(reply) => Some(reply),
            Outcome::Hang | Outcome::DropConnection | Outcome::LoseAnswer => None,
        }
    }
}

#[derive(Clone, Debug)]
pub enum Outcome {
    /// The caller gets an HTTP answer.
    Reply(Reply),
    /// The call is not processed, and the caller waits until it gives up.
    Hang,
    /// The call is not processed, and the connection closes.
    DropConnection,
    /// The call is processed, and the connection closes without an answer.
    LoseAnswer,
}

/// An HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    /// Each name occurs once.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    pub fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json; charset=utf-8", body.to_string())
    }

    pub fn text(status: u16, content_type: &'static str, body: String) -> Self {
        let mut reply = Self { body: body.into_bytes(), ..Self::empty(status) };
        let content_type = HeaderValue::from_static(content_type);
        reply.headers.push((http::header::CONTENT_TYPE, content_type));
        reply
    }

    /// Adds a header. Drops a value that HTTP does not permit.
    pub(crate) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((HeaderName::from_static(name), value));
        }
        self
    }

    /// The header's value, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) =
            self.headers.iter().find(|(known, _)| known.as_str().eq_ignore_ascii_case(name))?;
        value.to_str().ok()
    }

    /// The body as JSON; null if it is not JSON.
    pub fn body_json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}
