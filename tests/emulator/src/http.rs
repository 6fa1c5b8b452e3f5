//! The HTTP face: marketplace under `/api`, Entra under `/entra`, the page for people at `/`.

use crate::Emulator;
use crate::connection::KillSwitch;
use crate::world::{Answer, ApiRequest, Outcome, Reply, World};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use axum::routing::any;
use http::{HeaderValue, StatusCode, header};

/// No call of a publisher is nearly this large.
const BODY_LIMIT: usize = 64 * 1024;

/// One side of the world's API.
type Face = fn(&mut World, &ApiRequest) -> Answer;

/// The paths of marketplace and Entra.
pub(crate) fn routes() -> Router<Emulator> {
    Router::new().route("/api/{*path}", any(marketplace)).route("/entra/{*path}", any(entra))
}

async fn marketplace(
    State(emulator): State<Emulator>,
    ConnectInfo(switch): ConnectInfo<KillSwitch>,
    request: Request,
) -> Response {
    carry(&emulator, &switch, request, "/api", World::marketplace).await
}

async fn entra(
    State(emulator): State<Emulator>,
    ConnectInfo(switch): ConnectInfo<KillSwitch>,
    request: Request,
) -> Response {
    carry(&emulator, &switch, request, "/entra", World::entra_call).await
}

async fn carry(
    emulator: &Emulator,
    switch: &KillSwitch,
    request: Request,
    base: &str,
    face: Face,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return response(Reply::empty(413));
    };
    let path = parts.uri.path();
    let request = ApiRequest {
        method: parts.method,
        path: path.strip_prefix(base).unwrap_or(path).to_owned(),
        query: parts.uri.query().map(str::to_owned),
        headers: parts.headers,
        body: body.into(),
    };
    let answer = emulator.world(|world| face(world, &request));
    tokio::time::sleep(answer.delay).await;
    match answer.outcome {
        Outcome::Reply(reply) => response(reply),
        Outcome::Hang => std::future::pending().await,
        Outcome::DropConnection | Outcome::LoseAnswer => {
            switch.throw();
            response(Reply::empty(500))
        }
    }
}

/// A reply of the world as a response.
pub(crate) fn response(reply: Reply) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().extend(reply.headers);
    response
        .headers_mut()
        .insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
