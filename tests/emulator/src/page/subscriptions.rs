//! The subscriptions on the page, with the buttons to act on them.

use crate::world::{Offer, Plan, SubscriptionState, World};
use maud::{Markup, html};

/// The page shows this many subscriptions, the newest first.
const SHOWN: usize = 50;

pub(super) fn list(world: &World) -> Markup {
    let count = world.subscriptions().count();
    html! {
        @for state in world.subscriptions().rev().take(SHOWN) {
            (subscription(world, state))
        }
        @if count == 0 { p.empty { "No purchases yet." } }
        @if count > SHOWN { p.hint { "The newest " (SHOWN) " of " (count) "." } }
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
                    a.button.primary href=(format!("/open/{}", state.id))
                        target="_blank" rel="noreferrer" {
                        @if state.status == "PendingFulfillmentStart" { "Configure account" }
                        @else { "Manage account" }
                    }
                }
            }
            dl {
                div { dt { "Plan" } dd { (state.plan_id) } }
                @if let Some(seats) = state.quantity { div { dt { "Seats" } dd { (seats) } } }
                div { dt { "Term" } dd { (term(state)) } }
                div { dt { "Renewal" } dd { @if state.auto_renew { "automatic" } @else { "off" } } }
                @if state.is_test { div { dt { "Purchase" } dd { "test" } } }
                @if state.is_free_trial { div { dt { "Trial" } dd { "free" } } }
                @if state.purchaser != state.beneficiary {
                    div { dt { "Bought by" } dd { (state.purchaser.name) } }
                }
                div { dt { "Id" } dd { code { (state.id) } } }
            }
            @if let Some(base) = publisher {
                p.publisher {
                    a href=(format!("{}/subscriptions/{}", base.trim_end_matches('/'), state.id))
                        target="_blank" rel="noreferrer" { "Publisher's record" }
                    output data-publisher=(state.id) data-status=(state.status)
                        data-plan=(state.plan_id) data-seats=[state.quantity] {}
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
            h4 {
                @if state.purchaser == state.beneficiary { "As the customer" }
                @else { "As the reseller" }
            }
            @if state.status == "Subscribed" {
                form.pair method="post" action=(action(state, "change-plan")) {
                    select name="plan" aria-label="New plan" {
                        @for plan in plans { option value=(plan.id) { (plan.display_name) } }
                    }
                    button { "Change plan" }
                }
                @if let Some(seats) = state.quantity {
                    form.pair method="post" action=(action(state, "change-quantity")) {
                        input type="number" name="seats" min="1" value=(seats)
                            aria-label="New number of seats";
                        button { "Change seats" }
                    }
                }
            }
            @if state.auto_renew { (button(state, "auto-renew", "Stop renewal")) }
            @else { (button(state, "auto-renew", "Renew again")) }
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
