//! A test event: it takes the way of every event, so that its arrival proves stream, delivery, signature and
//! product together, and it shows what was sent and what was answered.

use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};
use shared::domain::EventKind;
use shared::publisher::cloud_event::type_name;
use unicode_width::UnicodeWidthStr as _;

use crate::api::{Api, ApiCall};
use crate::command_error::CommandError;
use crate::output::Output;
use crate::table::{terminal_width, text};
use crate::wrapped::broken;

/// The stream hands an event over within a second or two, and the product has some seconds to answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The sweep alone sends an imported subscription, and lets the stream go first with all others.
const SWEEP: Duration = Duration::from_secs(200);

const POLL: Duration = Duration::from_secs(1);

/// How far a test event has come when it is waited for no longer.
pub(crate) struct Seen {
    pub(crate) id: String,
    pub(crate) event: Value,
}

/// Which test event is sent, and to whom.
#[derive(Clone, Copy, Default)]
pub(crate) struct Wanted<'a> {
    /// `None`: the usual one.
    pub(crate) kind: Option<&'a str>,
    /// The name of the one receiver; `None`: all.
    pub(crate) receiver: Option<&'a str>,
}

/// Sends a test event, and waits until each receiver has answered or the time is over.
pub(crate) async fn send(
    api: &Api,
    Wanted { kind, receiver }: Wanted<'_>,
    patience: Duration,
) -> Result<Seen, CommandError> {
    let members = [("type", kind), ("receiver", receiver)].into_iter();
    let body = members.filter_map(|(name, value)| Some((name.to_owned(), json!(value?)))).collect();
    let call = ApiCall::at(Method::POST, "/doctor/test-event".to_owned()).body(Value::Object(body));
    let id = text(&api.call(&call).await?.body["id"]);
    let began = Instant::now();
    loop {
        let read = ApiCall::at(Method::GET, format!("/doctor/test-event/{id}"));
        let event = api.call(&read).await?.body;
        let mut receivers = event["receivers"].as_array().into_iter().flatten();
        let has_answered = receivers.all(|receiver| receiver["state"] != "waiting");
        if has_answered || began.elapsed() >= patience {
            return Ok(Seen { id, event });
        }
        tokio::time::sleep(POLL).await;
    }
}

pub(crate) async fn test_event(
    api: &Api,
    output: &Output,
    wanted: Wanted<'_>,
    timeout: Option<Duration>,
) -> Result<(), CommandError> {
    let imported = type_name(&EventKind::Imported { announced: true });
    let patience = if wanted.kind == Some(&*imported) { SWEEP } else { PATIENCE };
    output.progress("waiting for your product");
    let seen = send(api, wanted, timeout.unwrap_or(patience)).await;
    output.progress("");
    let Seen { id, event } = seen?;
    if output.json {
        output.print(&event.to_string())?;
    } else {
        output.print(&printed(&event, terminal_width()))?;
    }
    match event["state"].as_str() {
        Some("delivered") => Ok(()),
        Some("failed") => Err(CommandError::NotAccepted(id)),
        _ => Err(CommandError::NotSent(id)),
    }
}

fn printed(event: &Value, width: Option<usize>) -> String {
    let width = width.unwrap_or(usize::MAX);
    let mut lines = vec![text(&event["type"]), text(&event["id"])];
    for receiver in event["receivers"].as_array().into_iter().flatten() {
        lines.push(String::new());
        lines.extend(of_receiver(receiver, width));
    }
    lines.join("\n")
}

fn of_receiver(receiver: &Value, width: usize) -> Vec<String> {
    let mut lines = vec![format!("{}: {}", text(&receiver["receiver"]), text(&receiver["state"]))];
    if receiver["at"].is_null() {
        lines.extend(indented(&text(&receiver["lastError"]), width));
        return lines;
    }
    let request = &receiver["request"];
    lines.push("Request".to_owned());
    for (name, value) in request["headers"].as_object().into_iter().flatten() {
        lines.extend(indented(&format!("{name}: {}", text(value)), width));
    }
    let body = request["body"].as_str().unwrap_or_default();
    let pretty =
        serde_json::from_str::<Value>(body).and_then(|body| serde_json::to_string_pretty(&body));
    for line in pretty.unwrap_or_else(|_| body.to_owned()).lines() {
        lines.extend(of_body(line, width));
    }
    lines.push("Answer".to_owned());
    let status = match (&receiver["status"], &receiver["lastError"]) {
        (Value::Null, Value::Null) => "accepted".to_owned(),
        (Value::Null, error) => text(error),
        (status, _) => text(status),
    };
    lines.extend(indented(&format!("{status} after {} ms", text(&receiver["latencyMs"])), width));
    lines.extend(indented(&text(&receiver["answer"]), width));
    lines
}

/// A line of the body. A longer one goes on below, as deep as it begins.
fn of_body(line: &str, width: usize) -> Vec<String> {
    let line = text(&json!(line));
    let depth = 2 + line.len() - line.trim_start().len();
    let pieces = if line.width() + 2 > width {
        broken(&line, width.saturating_sub(depth))
    } else {
        vec![line.trim_start().to_owned()]
    };
    pieces.iter().map(|piece| format!("{}{piece}", " ".repeat(depth))).collect()
}

fn indented(text: &str, width: usize) -> Vec<String> {
    broken(text, width.saturating_sub(2)).iter().map(|line| format!("  {line}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_and_answer_fit_80_columns_and_control_no_terminal() {
        let id = "7e570000-0000-8000-8000-000000000000-1773144000000-0";
        let schema = "urn:saas-fulfillment:schema:activation-deadline-approaching.v1";
        let data = json!({ "version": 1_773_144_000_000_u64, "name": "\u{1b}[2J" });
        let body = json!({ "id": id, "dataschema": schema, "data": data });
        let signature = format!("v1,{}= v1,{}=", "a".repeat(43), "b".repeat(43));
        let event = json!({
            "id": id, "type": "saas-fulfillment.subscription.test.v1", "state": "failed",
            "receivers": [
                {
                    "receiver": "endpoint", "state": "failed", "at": "2026-03-10T12:00:00Z",
                    "status": 400, "latencyMs": 118, "lastError": "answered 400", "attempts": 1,
                    "answer": format!("no \u{1b}[31msuch {}", "plan ".repeat(30)),
                    "request": {
                        "headers": { "webhook-id": id, "webhook-signature": signature },
                        "body": body.to_string(),
                    },
                },
                { "receiver": "event-bus", "state": "waiting" },
            ],
        });
        let printed = printed(&event, Some(80));
        let lines: Vec<_> = printed.lines().collect();
        assert!(lines.iter().all(|line| line.len() <= 80), "{printed}");
        assert!(!printed.contains('\u{1b}'), "{printed}");
        for expected in [
            "endpoint: failed",
            &format!("  webhook-id: {id}"),
            "    \"data\": {",
            "      \"version\": 1773144000000",
            "    \"dataschema\":",
            &format!("    \"{schema}\","),
            "  400 after 118 ms",
            "event-bus: waiting",
        ] {
            assert!(lines.contains(&expected), "{expected} in {printed}");
        }
    }
}
