//! The world over HTTP, for a function in a process of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use tokio::net::TcpListener;

use crate::clock::beginning;
use crate::world::World;

/// DynamoDB's limit of a request is 16 MB.
const LARGEST: usize = 16 * 1024 * 1024;

/// Serves the world on a free port of this machine, as long as the runtime runs.
///
/// # Panics
/// If there is no free port.
pub(crate) async fn serve(world: Arc<World>) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let address = listener.local_addr().expect("a bound port has an address");
    let routes = Router::new().fallback(answer).with_state(world);
    tokio::spawn(async move { axum::serve(listener, routes).await.expect("it serves") });
    address
}

async fn answer(State(world): State<Arc<World>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match to_bytes(body, LARGEST).await {
        Ok(body) => {
            let request = http::Request::from_parts(parts, body);
            world.answer(&request, beginning()).map(Body::from)
        }
        Err(error) => {
            let mut answer = Response::new(Body::from(error.to_string()));
            *answer.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
            answer
        }
    }
}
