//! The web page: buy, act as the customer or as Microsoft, move the clock, watch every call.

mod actions;
mod calls;
mod document;
mod feed;
mod publisher;
mod subscriptions;

use crate::handle::Emulator;
use crate::http::response;
use crate::wire::Reply;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use uuid::Uuid;

pub(crate) fn routes() -> Router<Emulator> {
    Router::new()
        .route("/", get(document::show))
        .route("/feed", get(feed::since))
        .route("/publisher/{id}", get(publisher::record))
        .route("/open/{id}", get(open))
        .route("/act/buy", post(actions::buy))
        .route("/act/clock", post(actions::clock))
        .route("/act/{id}/{verb}", post(actions::act))
        .route(
            "/page.css",
            get(|| async { asset("text/css; charset=utf-8", include_str!("page.css")) }),
        )
        .route(
            "/page.js",
            get(|| async { asset("text/javascript; charset=utf-8", include_str!("page.js")) }),
        )
}

/// "Configure account" and "Manage account". Each use makes a new token.
async fn open(State(emulator): State<Emulator>, Path(id): Path<Uuid>) -> Response {
    let link = emulator.change(|world| world.find_subscription(id).map(|_| world.landing_link(id)));
    match link {
        Some(link) => response(
            Reply::empty(303)
                .with_header("location", &link)
                .with_header("referrer-policy", "no-referrer"),
        ),
        None => response(Reply::empty(404)),
    }
}

fn asset(content_type: &'static str, text: &str) -> Response {
    response(Reply::text(200, content_type, text.to_owned()))
}
