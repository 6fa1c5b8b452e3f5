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

    /// The status that the receiver answered with, and when; without an answer, when it was given up.
    fn answered(&self, exchange: &Exchange) -> Option<String> {
        let time = exchange.latency_ms.map(|ms| format!(" in {ms}\u{a0}ms")).unwrap_or_default();
        match exchange.status {
            Some(status) => Some(format!("Answered {status}{time}.")),
            None => exchange.latency_ms.map(|_| format!("No answer{time}.")),
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
        let event: TestEvent = self.caller.get(&format!("/doctor/test-event/{id}")).await?;
        let mut frame = self.frame;
        frame.done = match event.state.as_str() {
            "delivered" => Some("The test event was delivered."),
            "waiting" => frame.done,
            _ => None,
        };
        Ok(shown(StatusCode::OK, &TestEventPage { frame, event }))
    }
}
