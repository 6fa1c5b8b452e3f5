//! The APIs over HTTP: the marketplace under `/api`, Entra under `/entra`, AWS's token service under
//! `/sts`, and that of an Azure Functions app under `/identity`.

use crate::connection::KillSwitch;
use crate::handle::Emulator;
use crate::wire::{Answer, ApiRequest, Outcome, Reply};
use crate::world::World;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use axum::routing::any;
use http::{HeaderValue, StatusCode, header};

/// Far more than any call of a publisher needs.
const BODY_LIMIT: usize = 64 * 1024;

type Api = fn(&mut World, &ApiRequest) -> Answer;

pub(crate) fn routes() -> Router<Emulator> {
    Router::new()
        .route("/api/{*path}", any(marketplace))
        .route("/entra/{*path}", any(entra))
        .route("/sts/", any(sts))
        .route("/identity", any(identity))
}

async fn marketplace(
    State(emulator): State<Emulator>,
    ConnectInfo(switch): ConnectInfo<KillSwitch>,
    request: Request,
) -> Response {
    respond(&emulator, &switch, request, "/api", World::marketplace).await
}

async fn entra(
    State(emulator): State<Emulator>,
    ConnectInfo(switch): ConnectInfo<KillSwitch>,
    request: Request,
) -> Response {
    respond(&emulator, &switch, request, "/entra", World::entra_call).await
}

async fn sts(
    State(emulator): State<Emulator>,
    ConnectInfo(switch): ConnectInfo<KillSwitch>,
    request: Request,
) -> Response {
    let api: Api = |world, request| world.entra().sts_call(request).into();
    respond(&emulator, &switch, request, "/sts", api).await
}

async fn identity(
    State(emulator): State<Emulator>,
    ConnectInfo(switch): ConnectInfo<KillSwitch>,
    request: Request,
) -> Response {
    let api: Api = |world, request| world.entra().identity_call(request).into();
    respond(&emulator, &switch, request, "/identity", api).await
}

async fn respond(
    emulator: &Emulator,
    switch: &KillSwitch,
    request: Request,
    base: &str,
    api: Api,
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
    let answer = emulator.change(|world| api(world, &request));
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
