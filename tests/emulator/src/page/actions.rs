//! The page's buttons. Each does one thing in the world and returns to the page.

use crate::handle::Emulator;
use crate::http::response;
use crate::people::Person;
use crate::wire::Reply;
use crate::world::{Purchase, Refused, World};
use axum::extract::{Path, State};
use axum::response::Response;
use http::HeaderMap;
use std::collections::HashMap;
use std::time::Duration;
use uuid::Uuid;

type Form = HashMap<String, String>;

pub(super) async fn buy(
    State(emulator): State<Emulator>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let form = match read(&emulator, &headers, &body) {
        Ok(form) => form,
        Err(refusal) => return *refusal,
    };
    back(&emulator.change(|world| buy_in(world, &form)))
}

fn buy_in(world: &mut World, form: &Form) -> String {
    let Some((offer, plan)) = form.get("plan").and_then(|plan| plan.split_once('/')) else {
        return "Choose a plan.".to_owned();
    };
    let known =
        world.offers().iter().filter(|known| known.id == offer).flat_map(|known| &known.plans);
    let Some(known) = known.clone().find(|known| known.id == plan) else {
        return "There is no such plan.".to_owned();
    };
    let quantity = match known.seats {
        None => None,
        Some((least, most)) => {
            match form.get("seats").and_then(|seats| seats.trim().parse().ok()) {
                Some(seats) if (least..=most).contains(&seats) => Some(seats),
                _ => return format!("{} permits {least} to {most} seats.", known.display_name),
            }
        }
    };
    let mut purchase = Purchase::of(offer, plan, quantity);
    if let Some(name) = form.get("name").map(|name| name.trim()).filter(|name| !name.is_empty()) {
        purchase = purchase.named(name);
    }
    if let Some(buyer) = form.get("buyer") {
        purchase = match Person::everybody().into_iter().find(|person| person.email == *buyer) {
            Some(person) => purchase.by(person),
            None => return "There is no such buyer.".to_owned(),
        };
    }
    if form.contains_key("reseller") {
        purchase = purchase.by_reseller();
    }
    if form.contains_key("trial") {
        purchase = purchase.free_trial();
    }
    if form.contains_key("test") {
        purchase = purchase.test();
    }
    let id = world.purchase(purchase);
    let next = match world.subscription(id).status {
        "Subscribed" => "It is active already; a webhook notifies the publisher.",
        _ => "Open the landing page to configure it.",
    };
    format!("Bought {plan}. {next}")
}

pub(super) async fn clock(
    State(emulator): State<Emulator>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let form = match read(&emulator, &headers, &body) {
        Ok(form) => form,
        Err(refusal) => return *refusal,
    };
    let Some(seconds) = form.get("seconds").and_then(|seconds| seconds.parse().ok()) else {
        return back("Choose by how much to move the clock.");
    };
    // The limit of a year keeps the clock inside its range.
    let step = Duration::from_secs(seconds).min(Duration::from_secs(366 * 24 * 60 * 60));
    emulator.change(|world| world.advance(step));
    back("Moved the clock.")
}

pub(super) async fn act(
    State(emulator): State<Emulator>,
    Path((id, verb)): Path<(Uuid, String)>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let form = match read(&emulator, &headers, &body) {
        Ok(form) => form,
        Err(refusal) => return *refusal,
    };
    match emulator.change(|world| act_in(world, id, &verb, &form)) {
        Some(Ok(message)) => back(message),
        Some(Err(refused)) => back(&format!("Not possible: {refused}.")),
        None => response(Reply::empty(404)),
    }
}

fn act_in(
    world: &mut World,
    id: Uuid,
    verb: &str,
    form: &Form,
) -> Option<Result<&'static str, Refused>> {
    const ASKED: &str = "A webhook asks the publisher to confirm the change.";
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let (done, message) = match verb {
        "change-plan" => (world.change_plan(id, field("plan")), ASKED),
        "change-quantity" => {
            // No plan permits 0 seats, so a text that is not a number is refused too.
            let seats = field("seats").trim().parse().unwrap_or(0);
            (world.change_quantity(id, seats), ASKED)
        }
        "cancel" => (world.unsubscribe(id), "The customer cancelled."),
        "end" => (world.unsubscribe(id), "Microsoft ended the subscription."),
        "renew" => (world.renew(id), "Renewed."),
        "suspend" => (world.suspend(id), "Suspended: the customer has not paid."),
        "reinstate" => (world.reinstate(id), "A webhook notifies the publisher of the payment."),
        "auto-renew" => {
            return Some(
                world
                    .toggle_auto_renew(id)
                    .map(|on| if on { "The term will renew." } else { "The term will not renew." }),
            );
        }
        _ => return None,
    };
    Some(done.map(|_| message))
}

/// The form. An `Err` refuses a form that another site sent.
fn read(emulator: &Emulator, headers: &HeaderMap, body: &str) -> Result<Form, Box<Response>> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text("host").unwrap_or_default();
    let own = [format!("http://{host}"), emulator.url()];
    if text("origin").is_some_and(|origin| !own.iter().any(|own| own == origin)) {
        return Err(Box::new(response(Reply::empty(403))));
    }
    Ok(url::form_urlencoded::parse(body.as_bytes()).into_owned().collect())
}

/// Redirects to the page, which shows the message.
fn back(message: &str) -> Response {
    let query =
        url::form_urlencoded::Serializer::new(String::new()).append_pair("said", message).finish();
    response(Reply::empty(303).with_header("location", &format!("/?{query}")))
}
