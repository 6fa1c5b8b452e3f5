//! A test event: what each receiver was sent, and what it answered.

use askama::Template;
use http::StatusCode;
use serde_json::Value;
use shared::host::http::Response;
use url::form_urlencoded;

use super::{Pages, shown};
use crate::answers::{Exchange, TestEvent};
use crate::api::Refusal;
use crate::frame::Frame;

#[derive(Template)]
#[template(path = "test_event.html")]
struct TestEventPage<'a> {
    frame: Frame<'a>,
    event: TestEvent,
}

impl TestEventPage<'_> {
    fn tone(&self, state: &str) -> &'static str {
        match state {
            "delivered" => "good",
            "waiting" => "warn",
            _ => "bad",
        }
    }

    /// The request as it was sent, its body laid out in lines.
    fn request(&self, exchange: &Exchange) -> Option<String> {
        let sent = exchange.request.as_ref()?;
        let headers = sent.headers.iter().map(|(name, value)| format!("{name}: {value}\n"));
        let body: Result<Value, _> = serde_json::from_str(&sent.body);
        let body = body.and_then(|body| serde_json::to_string_pretty(&body));
        Some(format!(
            "{}\n{}",
            headers.collect::<String>(),
            body.unwrap_or_else(|_| sent.body.clone())
        ))
    }
}

impl Pages<'_> {
    pub(crate) async fn test_event(self, id: &str) -> Result<Response, Refusal> {
        let id: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
        let event = self.caller.get(&format!("/doctor/test-event/{id}")).await?;
        Ok(shown(StatusCode::OK, &TestEventPage { frame: self.frame, event }))
    }
}
