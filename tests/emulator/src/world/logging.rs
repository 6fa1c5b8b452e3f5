//! What the world writes into its log of calls.

use super::call::Call;
use super::log::{CallRecord, Direction};
use super::state::World;
use super::webhook_queue::Dispatch;
use crate::wire::{Answer, ApiRequest, Outcome};

impl World {
    /// The logged calls, the oldest first.
    pub fn calls(&self) -> &[CallRecord] {
        self.log.calls()
    }

    /// Empties the log. The numbers of the calls go on.
    pub fn clear_calls(&mut self) {
        self.log.clear();
    }

    /// Logs a call of the publisher. `with_bodies`: bodies and query hold no secret.
    pub(super) fn log_call(
        &mut self,
        call: Call,
        request: &ApiRequest,
        answer: &Answer,
        with_bodies: bool,
    ) {
        let reply = answer.reply();
        let query = request.query.as_deref().filter(|_| with_bodies);
        let header = |name: &str| reply.and_then(|reply| reply.header(name)).map(str::to_owned);
        let body = |bytes: &[u8]| {
            if with_bodies { serde_json::from_slice(bytes).ok() } else { None }
        };
        let record = CallRecord {
            number: 0,
            at: self.now,
            direction: Direction::ToMicrosoft,
            call,
            method: request.method.to_string(),
            path: query
                .map_or_else(|| request.path.clone(), |query| format!("{}?{query}", request.path)),
            status: reply.map(|reply| reply.status),
            request_id: header("x-ms-requestid"),
            correlation_id: header("x-ms-correlationid"),
            request_body: body(&request.body),
            response_body: reply.and_then(|reply| body(&reply.body)),
            summary: match answer.outcome {
                Outcome::Reply(_) => format!("{call:?}"),
                Outcome::Hang => format!("{call:?}, not processed, never answered"),
                Outcome::DropConnection => format!("{call:?}, not processed, connection dropped"),
                Outcome::LoseAnswer => format!("{call:?}, processed, answer lost"),
            },
        };
        self.log.add(record, self.settings.behaviour.log_limit);
    }

    pub(super) fn log_delivery(&mut self, dispatch: &Dispatch, status: Option<u16>) {
        let text = |name: &str| {
            dispatch.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let url = dispatch.url.as_deref().and_then(|url| url::Url::parse(url).ok());
        let record = CallRecord {
            number: 0,
            at: self.now,
            direction: Direction::ToPublisher,
            call: Call::Webhook,
            method: "POST".to_owned(),
            path: url
                .map_or_else(|| "(no webhook address)".to_owned(), |url| url.path().to_owned()),
            status,
            request_id: text("x-ms-requestid"),
            correlation_id: text("x-ms-correlationid"),
            request_body: serde_json::from_slice(&dispatch.body).ok(),
            response_body: None,
            summary: format!("{}, attempt {}", dispatch.action.as_str(), dispatch.attempt),
        };
        self.log.add(record, self.settings.behaviour.log_limit);
    }
}
