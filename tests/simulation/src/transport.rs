//! The network: passes the functions' requests to the world unchanged.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use emulator::{Answer, ApiRequest, Outcome, Reply, World};
use http::header::RETRY_AFTER;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde_json::Value;
use shared::domain::Verdict;
use shared::flows::request_change::ChangeRequest;
use shared::host::http_client::{SendError, Transport};
use uuid::Uuid;

use crate::fault::Fault;
use crate::invariants;
use crate::io::Io;
use crate::product::guid_at_the_end;

/// The functions' `MARKETPLACE_URL`.
pub(crate) const MARKETPLACE: &str = "https://marketplace.sim/api";

/// The functions' `ENTRA_AUTHORITY`.
pub(crate) const ENTRA: &str = "https://entra.sim";

pub(crate) struct SimulatedTransport(pub Arc<Io>);

impl fmt::Debug for SimulatedTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimulatedTransport")
    }
}

#[async_trait]
impl Transport for SimulatedTransport {
    async fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        let io = &self.0;
        let target = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
        let name = || format!("{} {}", request.method(), without_query(&target));
        let to_entra = request.uri().host() == Some("entra.sim");
        if !to_entra {
            io.forbid_if_forged(name);
        }
        invariants::check_visit_reaches(io, &request);
        let change = change_in(&request);
        if let Some((id, change)) = &change {
            io.change_sent(*id, change);
        }
        if let Some(operation) = refused_by(&request) {
            io.deeds(|deeds| deeds.refused.push(operation));
        }
        let outcome = io.effect(name, timeout, || {
            if request.uri().host() == Some("product.sim") {
                return io.product(|product| product.call(&request)).map_err(|what| {
                    io.violate(what);
                    SendError::NoAnswer("the product must not receive this".into())
                });
            }
            let carried = io.world(|world| carry(world, &request, &target, to_entra));
            // Microsoft answers 202 to a change and to a cancellation (F-CHP-5, F-CAN-3), and to
            // nothing else.
            if let Some(reply) = carried.reply().filter(|reply| reply.status == 202)
                && let Some(operation) = operation_in(reply)
            {
                io.change_accepted(operation);
            }
            answer(carried.outcome)
        });
        let answer = match outcome.await {
            Ok(answer) => answer,
            Err(Fault::Refused) => Err(SendError::NotConnected("connection refused".into())),
            Err(Fault::Broken) => Ok(failure(StatusCode::SERVICE_UNAVAILABLE)),
            Err(Fault::Throttled) => Ok(failure(StatusCode::TOO_MANY_REQUESTS)),
            Err(Fault::Denied) => Ok(failure(StatusCode::FORBIDDEN)),
            Err(fault) => Err(SendError::NoAnswer(format!("{fault:?}").into())),
        };
        if change.is_some() {
            io.change_answered(&answer);
        }
        if let Ok(answer) = &answer
            && request.uri().path() == "/decisions"
        {
            io.deeds(|deeds| deeds.decided = decision_in(answer));
        }
        answer
    }
}

/// A proxy or gateway answers instead of the other side.
fn failure(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(b"<html>not now</html>"));
    *response.status_mut() = status;
    if status == StatusCode::TOO_MANY_REQUESTS {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// The operation that the answer's `Operation-Location` names.
fn operation_in(reply: &Reply) -> Option<Uuid> {
    let mut headers = reply.headers.iter();
    let (_, location) = headers.find(|(name, _)| name == "operation-location")?;
    without_query(location.to_str().ok()?).rsplit('/').next().and_then(guid_at_the_end)
}

/// The change or cancellation that a request asks Microsoft for (F-CHP, F-CAN).
pub(crate) fn change_in(request: &Request<Bytes>) -> Option<(Uuid, ChangeRequest)> {
    let id = request.uri().path().strip_prefix("/api/saas/subscriptions/")?.parse().ok()?;
    let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let change = match (request.method(), body["planId"].as_str(), body["quantity"].as_u64()) {
        (&Method::DELETE, _, _) => ChangeRequest::Cancel,
        (&Method::PATCH, Some(plan), None) => ChangeRequest::Plan(plan.to_owned()),
        (&Method::PATCH, None, Some(seats)) => ChangeRequest::Seats(seats),
        _ => return None,
    };
    Some((id, change))
}

/// The operation that a request tells Microsoft the refusal of (F-OPU-2).
fn refused_by(request: &Request<Bytes>) -> Option<Uuid> {
    let (_, operation) = request.uri().path().split_once("/operations/")?;
    let body: Value = serde_json::from_slice(request.body()).ok()?;
    let refuses = *request.method() == Method::PATCH && body["status"] == "Failure";
    guid_at_the_end(operation).filter(|_| refuses)
}

/// What the product decided, as the README of the delivery describes its answer.
fn decision_in(answer: &Response<Bytes>) -> Option<Verdict> {
    let body: Value = serde_json::from_slice(answer.body()).ok()?;
    match body["decision"].as_str().filter(|_| answer.status().is_success())? {
        "accept" => Some(Verdict::Accept),
        "reject" => Some(Verdict::Reject),
        _ => None,
    }
}

fn without_query(target: &str) -> &str {
    target.split('?').next().unwrap_or_default()
}

fn carry(world: &mut World, request: &Request<Bytes>, target: &str, to_entra: bool) -> Answer {
    let target = target.strip_prefix("/api").filter(|_| !to_entra).unwrap_or(target);
    let mut carried = ApiRequest::new(request.method().clone(), target);
    carried.headers = request.headers().clone();
    carried.body = request.body().to_vec();
    if to_entra { world.entra_call(&carried) } else { world.marketplace(&carried) }
}

fn answer(outcome: Outcome) -> Result<Response<Bytes>, SendError> {
    let reply = match outcome {
        Outcome::Reply(reply) => reply,
        Outcome::DropConnection => {
            return Err(SendError::NotConnected("connection refused".into()));
        }
        Outcome::Hang | Outcome::LoseAnswer => {
            return Err(SendError::NoAnswer("no answer".into()));
        }
    };
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    response.body(Bytes::from(reply.body)).map_err(|error| SendError::NoAnswer(error.into()))
}
