//! What changed since the page last asked.

use super::view;
use crate::Emulator;
use crate::http::response;
use crate::world::Reply;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde_json::json;

pub(super) async fn since(State(emulator): State<Emulator>, RawQuery(query): RawQuery) -> Response {
    let after = query
        .as_deref()
        .and_then(|query| query.strip_prefix("after="))
        .and_then(|number| number.parse().ok())
        .unwrap_or(0);
    let body = emulator.world(|world| {
        json!({
            "now": view::clock_face(world.now()),
            "last": world.calls().last().map_or(0, |call| call.number),
            "calls": view::calls(world, after).into_string(),
            "subscriptions": view::subscriptions(world).into_string(),
        })
    });
    response(Reply::json(200, &body).with_header("cache-control", "no-store"))
}
