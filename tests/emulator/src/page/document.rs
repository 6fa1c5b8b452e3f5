//! The page's HTML. `maud` escapes all text.

use super::{calls, subscriptions};
use crate::handle::Emulator;
use crate::http::response;
use crate::people::Person;
use crate::wire::Reply;
use crate::world::{Plan, World};
use axum::extract::{RawQuery, State};
use axum::response::Response;
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, html};

pub(super) async fn show(State(emulator): State<Emulator>, RawQuery(query): RawQuery) -> Response {
    let message = query.and_then(|query| {
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.find(|(name, _)| name == "said").map(|(_, message)| message.into_owned())
    });
    let page = emulator.world(|world| page(world, message.as_deref()));
    // The page loads nothing from other hosts.
    let policy = "default-src 'self'; img-src data:; frame-ancestors 'none'";
    let reply = Reply::text(200, "text/html; charset=utf-8", page.into_string());
    response(
        reply
            .with_header("content-security-policy", policy)
            .with_header("cache-control", "no-store"),
    )
}

fn page(world: &World, message: Option<&str>) -> Markup {
    let last = world.calls().last().map_or(0, |call| call.number);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Marketplace emulator" }
                link rel="icon" href="data:,";
                link rel="stylesheet" href="/page.css";
                script src="/page.js" defer {}
            }
            body {
                header {
                    h1 { "Marketplace emulator" }
                    (clock(world))
                }
                @if let Some(message) = message { p.said role="status" { (message) } }
                main {
                    div.left {
                        (buying(world))
                        section aria-labelledby="subscriptions-title" {
                            h2 #subscriptions-title { "Subscriptions" }
                            div #subscriptions { (subscriptions::list(world)) }
                        }
                    }
                    section.feed aria-labelledby="calls-title" {
                        h2 #calls-title { "Calls" }
                        ol #calls data-last=(last) { (calls::newest(world, 0)) }
                        p.empty { "No calls yet. Buy something and open its landing page." }
                    }
                }
            }
        }
    }
}

pub(super) fn clock_face(now: Timestamp) -> String {
    now.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// How far each button moves the clock, in seconds.
const STEPS: [(&str, u32); 3] = [("+10 s", 10), ("+1 day", 86_400), ("+30 days", 2_592_000)];

fn clock(world: &World) -> Markup {
    html! {
        form.clock method="post" action="/act/clock" {
            time #now { (clock_face(world.now())) }
            span.group role="group" aria-label="Move the clock" {
                @for (label, seconds) in STEPS {
                    button name="seconds" value=(seconds) { (label) }
                }
            }
        }
    }
}

fn buying(world: &World) -> Markup {
    html! {
        section aria-labelledby="buy-title" {
            h2 #buy-title { "Buy" }
            form.card.buy method="post" action="/act/buy" {
                label.wide {
                    span { "Plan" }
                    select name="plan" {
                        @for offer in world.offers() {
                            optgroup label=(offer.id) {
                                @for plan in &offer.plans {
                                    option value=(format!("{}/{}", offer.id, plan.id)) {
                                        (plan_label(plan))
                                    }
                                }
                            }
                        }
                    }
                }
                label {
                    span { "Name" }
                    input name="name" value="Contoso production" maxlength="60";
                }
                label {
                    span { "Buyer" }
                    select name="buyer" {
                        @for person in Person::everybody().iter().take(2) {
                            option value=(person.email) { (person.name) }
                        }
                    }
                }
                label { span { "Seats" } input type="number" name="seats" min="1" value="10"; }
                div.wide.choices {
                    label.check { input type="checkbox" name="trial"; "Free trial" }
                    label.check { input type="checkbox" name="reseller"; "Through a reseller" }
                    label.check { input type="checkbox" name="test"; "Test purchase" }
                    button.primary { "Buy" }
                }
                p.hint.wide { "Only per-seat plans use the number of seats." }
            }
        }
    }
}

fn plan_label(plan: &Plan) -> String {
    let mut label = plan.display_name.clone();
    if let Some((least, most)) = plan.seats {
        label.push_str(&format!(", {least} to {most} seats"));
    }
    if plan.has_free_trials {
        label.push_str(", with a free trial");
    }
    if plan.auto_activated {
        label.push_str(", active without Activate");
    }
    if plan.audience.is_some() {
        label.push_str(", private");
    }
    label
}
