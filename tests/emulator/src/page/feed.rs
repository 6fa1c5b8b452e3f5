//! The page's updates since its last request.

use super::{calls, document, subscriptions};
use crate::handle::Emulator;
use crate::http::response;
use crate::wire::Reply;
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
            "now": document::clock_face(world.now()),
            "last": world.calls().last().map_or(0, |call| call.number),
            "calls": calls::newest(world, after).into_string(),
            "subscriptions": subscriptions::list(world).into_string(),
        })
    });
    response(Reply::json(200, &body).with_header("cache-control", "no-store"))
}
