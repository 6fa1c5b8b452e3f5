//! The page's HTML. `maud` escapes everything that is put into it.

use crate::Emulator;
use crate::http::response;
use crate::world::{CallRecord, Direction, Offer, Person, Plan, Reply, SubscriptionState, World};
use axum::extract::{RawQuery, State};
use axum::response::Response;
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, html};
use serde_json::Value;
use uuid::Uuid;

/// The most calls the page shows at once.
const SHOWN_CALLS: usize = 60;
/// The most subscriptions the page shows, the newest first.
const SHOWN_SUBSCRIPTIONS: usize = 50;

pub(super) async fn show(State(emulator): State<Emulator>, RawQuery(query): RawQuery) -> Response {
    let said = query.and_then(|query| {
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.find(|(name, _)| name == "said").map(|(_, said)| said.into_owned())
    });
    let page = emulator.world(|world| page(world, said.as_deref()));
    // Everything the page needs comes from here.
    let policy = "default-src 'self'; img-src data:; frame-ancestors 'none'";
    let reply = Reply::text(200, "text/html; charset=utf-8", page.into_string());
    response(
        reply
            .with_header("content-security-policy", policy)
            .with_header("cache-control", "no-store"),
    )
}

fn page(world: &World, said: Option<&str>) -> Markup {
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
                @if let Some(said) = said { p.said role="status" { (said) } }
                main {
                    div.left {
                        (buying(world))
                        section aria-labelledby="subscriptions-title" {
                            h2 #subscriptions-title { "Subscriptions" }
                            div #subscriptions { (subscriptions(world)) }
                        }
                    }
                    section.feed aria-labelledby="calls-title" {
                        h2 #calls-title { "Calls" }
                        ol #calls data-last=(last) { (calls(world, 0)) }
                        p.empty { "No calls yet. Buy something and open its landing page." }
                    }
                }
            }
        }
    }
}

/// The clock as the page shows it.
pub(super) fn clock_face(now: Timestamp) -> String {
    now.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn clock(world: &World) -> Markup {
    html! {
        form.clock method="post" action="/act/clock" {
            time #now { (clock_face(world.now())) }
            span.group role="group" aria-label="Move the clock" {
                @for (label, seconds) in [("+10 s", 10), ("+1 day", 86_400), ("+30 days", 2_592_000)] {
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
                                    option value=(format!("{}/{}", offer.id, plan.id)) { (plan_label(plan)) }
                                }
                            }
                        }
                    }
                }
                label { span { "Name" } input name="name" value="Contoso production" maxlength="60"; }
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
                    button.primary { "Buy" }
                }
                p.hint.wide { "Seats count for per-seat plans only." }
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
        label.push_str(", activated at once");
    }
    if plan.audience.is_some() {
        label.push_str(", private");
    }
    label
}

/// The list of subscriptions, the newest first.
pub(super) fn subscriptions(world: &World) -> Markup {
    let count = world.subscriptions().count();
    html! {
        @for state in world.subscriptions().rev().take(SHOWN_SUBSCRIPTIONS) {
            (subscription(world, state))
        }
        @if count == 0 { p.empty { "Nothing was bought yet." } }
        @if count > SHOWN_SUBSCRIPTIONS { p.hint { "The newest " (SHOWN_SUBSCRIPTIONS) " of " (count) "." } }
    }
}

fn subscription(world: &World, state: &SubscriptionState) -> Markup {
    let offer = world.offers().iter().find(|offer| offer.id == state.catalog_offer());
    let is_over = state.status == "Unsubscribed";
    let publisher = world.settings().publisher_url.as_deref();
    html! {
        article.card.subscription id=(format!("s{}", state.id)) {
            div.title {
                h3 { (state.name) }
                span.status.(state.status) { (state.status) }
                @if !is_over {
                    a.button.primary href=(format!("/open/{}", state.id)) target="_blank" rel="noreferrer" {
                        @if state.status == "PendingFulfillmentStart" { "Configure account" } @else { "Manage account" }
                    }
                }
            }
            dl {
                div { dt { "Plan" } dd { (state.plan_id) } }
                @if let Some(seats) = state.quantity { div { dt { "Seats" } dd { (seats) } } }
                div { dt { "Term" } dd { (term(state)) } }
                div { dt { "Renewal" } dd { @if state.auto_renew { "automatic" } @else { "off" } } }
                @if state.is_free_trial { div { dt { "Trial" } dd { "free" } } }
                @if state.purchaser != state.beneficiary { div { dt { "Bought by" } dd { (state.purchaser.name) } } }
                div { dt { "Id" } dd { code { (state.id) } } }
            }
            @if let Some(base) = publisher {
                p.publisher {
                    a href=(format!("{}/subscriptions/{}", base.trim_end_matches('/'), state.id)) target="_blank"
                        rel="noreferrer" { "Publisher's record" }
                    output data-publisher=(state.id) data-status=(state.status) data-plan=(state.plan_id) data-seats=[state.quantity] {}
                }
            }
            @for operation in world.outstanding(state.id) {
                @let operation = world.operation(operation);
                p.waiting {
                    (operation.action.as_str()) " waits for the publisher"
                    @match operation.notified_at {
                        Some(at) => { ", notified at " (at.strftime("%H:%M:%S")) "." },
                        None => ", not notified yet.",
                    }
                }
            }
            @if !is_over { div.sides { (customer(state, offer)) (microsoft(state)) } }
        }
    }
}

fn term(state: &SubscriptionState) -> String {
    match (state.term_start, state.term_end) {
        (Some(start), Some(end)) => format!("{start} to {end} ({})", state.term_unit),
        _ => format!("not begun ({})", state.term_unit),
    }
}

fn customer(state: &SubscriptionState, offer: Option<&Offer>) -> Markup {
    let plans: Vec<&Plan> = offer
        .into_iter()
        .flat_map(|offer| &offer.plans)
        .filter(|plan| plan.id != state.plan_id && plan.is_open_to(state.beneficiary.tenant_id))
        .collect();
    html! {
        div.acts {
            h4 { @if state.purchaser == state.beneficiary { "As the customer" } @else { "As the reseller" } }
            @if state.status == "Subscribed" {
                form.pair method="post" action=(action(state, "change-plan")) {
                    select name="plan" aria-label="New plan" {
                        @for plan in plans { option value=(plan.id) { (plan.display_name) } }
                    }
                    button { "Change plan" }
                }
                @if let Some(seats) = state.quantity {
                    form.pair method="post" action=(action(state, "change-quantity")) {
                        input type="number" name="seats" min="1" value=(seats) aria-label="New number of seats";
                        button { "Change seats" }
                    }
                }
            }
            (button(state, "auto-renew", if state.auto_renew { "Stop renewal" } else { "Renew again" }))
            (button(state, "cancel", "Cancel"))
        }
    }
}

fn microsoft(state: &SubscriptionState) -> Markup {
    html! {
        div.acts {
            h4 { "As Microsoft" }
            @if state.status == "Subscribed" {
                (button(state, "renew", "Renew"))
                (button(state, "suspend", "Suspend"))
            }
            @if state.status == "Suspended" { (button(state, "reinstate", "Reinstate")) }
            (button(state, "end", "End"))
        }
    }
}

fn action(state: &SubscriptionState, verb: &str) -> String {
    format!("/act/{}/{verb}", state.id)
}

fn button(state: &SubscriptionState, verb: &str, label: &str) -> Markup {
    html! { form method="post" action=(action(state, verb)) { button { (label) } } }
}

/// The calls after a number, the newest first.
pub(super) fn calls(world: &World, after: u64) -> Markup {
    let newer = world.calls().iter().rev().take_while(|call| call.number > after).take(SHOWN_CALLS);
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
                    @if let Some(id) = &record.request_id { p { "x-ms-requestid " code { (id) } } }
                    @if let Some(id) = &record.correlation_id { p { "x-ms-correlationid " code { (id) } } }
                    (body("Request", record.request_body.as_ref()))
                    (body("Answer", record.response_body.as_ref()))
                }
            }
        }
    }
}

/// The path without its query, GUIDs cut to what tells them apart.
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
