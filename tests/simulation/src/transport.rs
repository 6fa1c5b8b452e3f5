//! The network: passes the functions' requests to the world unchanged.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use emulator::{Answer, ApiRequest, Outcome, Reply, World};
use http::header::RETRY_AFTER;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use jiff::SignedDuration;
use serde_json::Value;
use shared::domain::Verdict;
use shared::flows::request_change::ChangeRequest;
use shared::host::http_client::{SendError, Transport};
use uuid::Uuid;

use crate::aws;
use crate::fault::Fault;
use crate::invariants;
use crate::io::Io;
use crate::product::{Clocks, Signed, guid_at_the_end};

/// The functions' `MARKETPLACE_URL`.
pub(crate) const MARKETPLACE: &str = "https://marketplace.sim/api";

/// The functions' `ENTRA_AUTHORITY`.
pub(crate) const ENTRA: &str = "https://entra.sim";

/// How long the shipped client waits for EventBridge. Its own timer does not run here.
const BUS_TIMEOUT: Duration = Duration::from_secs(4);

pub(crate) struct SimulatedTransport {
    pub(crate) io: Arc<Io>,
    /// How far the host's clock is ahead of Microsoft's.
    pub(crate) ahead: SignedDuration,
}

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
        let io = &self.io;
        let target = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
        let name = || format!("{} {}", request.method(), without_query(&target));
        let peer = Peer::of(&request);
        let timeout = if peer == Peer::EventBridge { timeout.min(BUS_TIMEOUT) } else { timeout };
        if peer != Peer::Entra {
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
            if !matches!(peer, Peer::Entra | Peer::Marketplace) {
                return self.receive(&request, peer).map_err(|what| {
                    io.violate(what);
                    SendError::NoAnswer("nothing may receive this".into())
                });
            }
            let to_entra = peer == Peer::Entra;
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
        let answer = outcome.await.unwrap_or_else(|fault| {
            if peer == Peer::SecretsManager {
                io.count("a secret that could not be read");
                io.product(|product| product.keys.not_read(io.now()));
            }
            failed(fault, peer)
        });
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

/// Whom a request goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Peer {
    Entra,
    Marketplace,
    /// The publisher's product.
    Product,
    EventBridge,
    SecretsManager,
}

impl Peer {
    fn of(request: &Request<Bytes>) -> Self {
        match request.uri().host().unwrap_or_default() {
            "entra.sim" => Self::Entra,
            "product.sim" => Self::Product,
            aws::EVENT_BRIDGE => Self::EventBridge,
            aws::SECRETS_MANAGER => Self::SecretsManager,
            _ => Self::Marketplace,
        }
    }
}

impl SimulatedTransport {
    /// AWS or the publisher's product receives a request. `Err`: it should never have been sent.
    fn receive(&self, request: &Request<Bytes>, peer: Peer) -> Result<Response<Bytes>, String> {
        match peer {
            Peer::EventBridge => {
                let (answer, case) = self.io.product(|product| product.bus.call(request))?;
                self.io.count(case);
                Ok(answer)
            }
            Peer::SecretsManager => {
                let secret = self.io.product(|product| product.keys.secret(Signed::Events));
                aws::secret(request, &secret)
            }
            Peer::Entra | Peer::Marketplace | Peer::Product => {
                let now = self.io.now();
                let receiver = now + self.io.skew().of_product();
                let clocks = Clocks { microsoft: now, receiver, sender: now + self.ahead };
                self.io.product(|product| product.call(request, clocks))
            }
        }
    }
}

/// What a function sees of a fault.
fn failed(fault: Fault, peer: Peer) -> Result<Response<Bytes>, SendError> {
    let is_aws = matches!(peer, Peer::EventBridge | Peer::SecretsManager);
    match fault {
        Fault::Refused => Err(SendError::NotConnected("connection refused".into())),
        Fault::Throttled if is_aws => Ok(aws::throttled()),
        Fault::Denied if is_aws => Ok(aws::denied()),
        Fault::Broken => Ok(failure(StatusCode::SERVICE_UNAVAILABLE)),
        Fault::Throttled => Ok(failure(StatusCode::TOO_MANY_REQUESTS)),
        Fault::Denied => Ok(failure(StatusCode::FORBIDDEN)),
        fault => Err(SendError::NoAnswer(format!("{fault:?}").into())),
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
