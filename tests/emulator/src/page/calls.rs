//! The calls on the page.

use crate::world::{CallRecord, Direction, World};
use maud::{Markup, html};
use serde_json::Value;
use uuid::Uuid;

/// The page shows this many calls, the newest first.
const SHOWN: usize = 60;

/// The calls after a number, the newest first.
pub(super) fn newest(world: &World, after: u64) -> Markup {
    let newer = world.calls().iter().rev().take_while(|call| call.number > after).take(SHOWN);
    html! { @for record in newer { (call(record)) } }
}

fn call(record: &CallRecord) -> Markup {
    let (class, arrow, words) = match record.direction {
        Direction::ToMicrosoft => ("inward", "→", "publisher to Microsoft"),
        Direction::ToPublisher => ("outward", "←", "Microsoft to publisher"),
    };
    let status = record.status.map_or_else(|| "none".to_owned(), |status| status.to_string());
    let kind = match record.status {
        Some(200..=399) => "good",
        Some(400..=499) => "refused",
        _ => "bad",
    };
    html! {
        li class=(class) {
            details {
                summary {
                    span.arrow title=(words) { (arrow) }
                    span.method { (record.method) }
                    span.path { (short_path(&record.path)) }
                    span.code.(kind) { (status) }
                    span.what { (record.summary) }
                    time { (record.at.strftime("%H:%M:%S")) }
                }
                div.inside {
                    p { code { (record.method) " " (record.path) } }
                    @if let Some(id) = &record.request_id {
                        p { "x-ms-requestid " code { (id) } }
                    }
                    @if let Some(id) = &record.correlation_id {
                        p { "x-ms-correlationid " code { (id) } }
                    }
                    (body("Request", record.request_body.as_ref()))
                    (body("Answer", record.response_body.as_ref()))
                }
            }
        }
    }
}

/// The path without its query, and with only the first digits of GUIDs.
fn short_path(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let short = |segment: &str| match Uuid::try_parse(segment) {
        Ok(_) => format!("{}…", &segment[..8]),
        Err(_) => segment.to_owned(),
    };
    path.split('/').map(short).collect::<Vec<_>>().join("/")
}

fn body(title: &str, body: Option<&Value>) -> Markup {
    let text =
        body.map(|body| serde_json::to_string_pretty(body).unwrap_or_else(|_| body.to_string()));
    html! {
        @if let Some(text) = text { h4 { (title) } pre { (text) } }
    }
}
