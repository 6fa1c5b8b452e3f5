//! What receivers answered to the events that they did not accept.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::{Api, query};
use crate::command_error::CommandError;
use crate::output::Output;
use crate::table::{terminal_width, text, when};
use crate::wrapped::broken;

/// The most that one call of the API answers.
const PAGE: usize = 100;

/// Lists the latest attempts of a subscription that failed.
pub(crate) async fn attempts(
    api: &Api,
    output: &Output,
    id: Uuid,
    limit: usize,
) -> Result<(), CommandError> {
    let attempts = latest(api, id, limit).await?;
    if output.json {
        return output.print(&json!({ "attempts": attempts }).to_string());
    }
    if attempts.is_empty() {
        return output.print("No attempt has failed within 30 days.");
    }
    output.print(&printed(&attempts, id, terminal_width()))
}

/// The latest attempts, at most so many.
pub(crate) async fn latest(api: &Api, id: Uuid, limit: usize) -> Result<Vec<Value>, CommandError> {
    let (mut all, mut next) = (Vec::new(), None::<String>);
    loop {
        let page = (limit - all.len()).min(PAGE).to_string();
        let query = query(&[("limit", Some(&page)), ("next", next.as_deref())]);
        let mut answer = api.get(format!("/{id}/attempts{query}")).await?;
        if let Value::Array(attempts) = answer["attempts"].take() {
            all.extend(attempts);
        }
        next = answer["next"].as_str().map(str::to_owned);
        if next.is_none() || all.len() >= limit {
            return Ok(all);
        }
    }
}

/// A block for each attempt.
pub(crate) fn printed(attempts: &[Value], id: Uuid, width: Option<usize>) -> String {
    let width = width.unwrap_or(usize::MAX);
    attempts.iter().map(|attempt| block(attempt, id, width)).collect::<Vec<_>>().join("\n")
}

fn block(attempt: &Value, id: Uuid, width: usize) -> String {
    const INDENT: &str = "  ";
    let head = format!(
        "{}  {}  {}  {} ms",
        when(&attempt["at"], false),
        text(&attempt["receiver"]),
        text(&attempt["reason"]),
        text(&attempt["latencyMs"])
    );
    let answer = text(&attempt["answer"]);
    let (event, room) = (event(attempt, id), width.saturating_sub(INDENT.len()));
    let rest = std::iter::once(event).chain(broken(&answer, room));
    let lines = std::iter::once(head).chain(rest.map(|line| format!("{INDENT}{line}")));
    lines.collect::<Vec<_>>().join("\n")
}

/// The event in short: its type without what all types share, and its version without the subscription.
fn event(attempt: &Value, subscription: Uuid) -> String {
    let (kind, id) = (text(&attempt["eventType"]), text(&attempt["eventId"]));
    let kind = kind.strip_prefix("saas-fulfillment.subscription.").unwrap_or(&kind);
    let version = id.strip_prefix(&format!("{subscription}-")).and_then(|it| it.split('-').next());
    format!("{kind}  version {}", version.unwrap_or(&id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_fits_80_columns_and_controls_no_terminal() {
        let id = Uuid::from_u128(0x6f1d_5a2e);
        let attempt = json!({
            "at": "2026-03-10T12:00:00.5Z", "receiver": "endpoint", "status": 503, "latencyMs": 118,
            "reason": "answered 503", "class": "product",
            "eventId": format!("{id}-1773144000000-0"),
            "eventType": "saas-fulfillment.subscription.activation-deadline-approaching.v1",
            "answer": format!("\u{1b}[2J{{\"error\": {}\"the queue\"}} {id}", "word ".repeat(30) + &"x".repeat(200)),
        });
        let printed = printed(std::slice::from_ref(&attempt), id, Some(80));
        let lines: Vec<_> = printed.lines().collect();
        assert_eq!(lines[0], "2026-03-10 12:00:00  endpoint  answered 503  118 ms");
        assert_eq!(lines[1], "  activation-deadline-approaching.v1  version 1773144000000");
        assert!(lines.iter().all(|line| line.len() <= 80), "{printed}");
        assert!(printed.contains(&id.to_string()) && !printed.contains('\u{1b}'), "{printed}");
        let bare = json!({
            "at": "2026-03-10T12:00:00Z", "receiver": "event-bus", "status": null, "latencyMs": 4000,
            "reason": "the bus: no answer", "class": "product", "eventId": format!("{id}-7-0"),
            "eventType": "saas-fulfillment.subscription.renewed.v1",
        });
        assert_eq!(
            block(&bare, id, 80),
            "2026-03-10 12:00:00  event-bus  the bus: no answer  4000 ms\n  renewed.v1  version 7"
        );
    }
}
