//! The receivers of events, and pausing and resuming one.

use http::Method;
use serde_json::{Value, json};

use crate::api::{Api, ApiCall};
use crate::command_error::CommandError;
use crate::output::Output;
use crate::receiver_options::ReceiverCommand;
use crate::table::{text, when};

const PATH: &str = "/receivers";

pub(crate) async fn run(
    api: &Api,
    output: &Output,
    command: &ReceiverCommand,
) -> Result<(), CommandError> {
    match command {
        ReceiverCommand::Receivers => {
            let call = ApiCall::at(Method::GET, PATH.to_owned());
            let answer = api.call(&call).await?.body;
            output.print(&match output.json {
                true => answer.to_string(),
                false => printed(&answer),
            })
        }
        ReceiverCommand::PauseReceiver { name, note } => {
            let call = ApiCall::at(Method::POST, format!("{PATH}/{name}/pause"));
            let call = match note {
                Some(note) => call.body(json!({ "note": note })),
                None => call,
            };
            let said = format!(
                "{name} is paused: within a minute, nothing more is sent to it. Its events wait."
            );
            act(api, output, &call, &said).await
        }
        ReceiverCommand::ResumeReceiver { name } => {
            let call = ApiCall::at(Method::POST, format!("{PATH}/{name}/resume"));
            let said = format!("{name} is resumed. What waits for it is sent within 15 minutes.");
            act(api, output, &call, &said).await
        }
    }
}

async fn act(api: &Api, output: &Output, call: &ApiCall, said: &str) -> Result<(), CommandError> {
    let answer = api.call(call).await?.body;
    match output.json {
        true => output.print(&answer.to_string()),
        false => output.print(said),
    }
}

fn printed(answer: &Value) -> String {
    let receivers = answer["receivers"].as_array().map(Vec::as_slice).unwrap_or_default();
    if receivers.is_empty() {
        return "No receiver is configured.".to_owned();
    }
    receivers.iter().map(block).collect::<Vec<_>>().join("\n")
}

/// The name, and a line for each thing that is not as usual.
fn block(receiver: &Value) -> String {
    let kind = if receiver["kind"] == "eventBus" { "event bus" } else { "endpoint" };
    let waiting = match receiver["waiting"].as_u64() {
        Some(0) | None => "nothing waits".to_owned(),
        Some(1) => "1 subscription waits".to_owned(),
        Some(many) => format!("{many} subscriptions wait"),
    };
    let mut lines = vec![format!("{}  {kind}  {waiting}", text(&receiver["name"]))];
    let mut pause = format!("  paused since {}", when(&receiver["paused"]["since"], false));
    if !receiver["paused"].is_null() {
        let note = text(&receiver["paused"]["note"]);
        if !note.is_empty() {
            pause = format!("{pause}: {note}");
        }
        lines.push(pause);
        let by = text(&receiver["paused"]["by"]);
        lines.extend((!by.is_empty()).then(|| format!("  by {by}")));
    }
    if !receiver["startsAt"].is_null() {
        lines.push(format!("  events from {} on", when(&receiver["startsAt"], false)));
    }
    if receiver["catchingUp"] == true {
        lines.push("  events that it missed are still looked for".to_owned());
    }
    for (member, words) in [("eventTypes", "of type"), ("offers", "of offer")] {
        for word in receiver[member].as_array().into_iter().flatten() {
            lines.push(format!("  {words} {}", text(word)));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_is_shown_with_what_is_not_as_usual() {
        let usual = json!({
            "name": "endpoint", "kind": "endpoint", "eventTypes": null, "offers": null,
            "addedAt": null, "startsAt": null, "catchingUp": false, "paused": null, "waiting": 0,
        });
        let at = "2026-03-10T12:00:00Z";
        let other = json!({
            "name": "crm", "kind": "endpoint", "offers": ["per-seat-1"],
            "eventTypes": ["saas-fulfillment.subscription.activation-deadline-approaching.v1"],
            "addedAt": at, "startsAt": at, "catchingUp": true, "waiting": 12,
            "paused": { "since": at, "note": "it\u{1b}[2J moves", "by": "arn:aws:iam::1:role/ops" },
        });
        let shown = printed(&json!({ "receivers": [usual, other] }));
        let expected = "endpoint  endpoint  nothing waits\n\
            crm  endpoint  12 subscriptions wait\n  \
              paused since 2026-03-10 12:00:00: it[2J moves\n  \
              by arn:aws:iam::1:role/ops\n  \
              events from 2026-03-10 12:00:00 on\n  \
              events that it missed are still looked for\n  \
              of type saas-fulfillment.subscription.activation-deadline-approaching.v1\n  \
              of offer per-seat-1";
        assert_eq!(shown, expected);
        assert!(shown.lines().all(|line| line.len() <= 80), "{shown}");
        assert_eq!(printed(&json!({ "receivers": [] })), "No receiver is configured.");
    }
}
