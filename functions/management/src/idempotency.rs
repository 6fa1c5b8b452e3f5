//! `Idempotency-Key`: whoever doesn't know whether a request arrived sends it again, and Microsoft
//! is not asked twice (F-ERR-2).

use std::sync::Arc;

use http::header::{LOCATION, RETRY_AFTER};
use http::{HeaderName, HeaderValue, StatusCode};
use jiff::SignedDuration;
use shared::http::{Problem, Request, Response};
use shared::store::{KeepError, KeptAnswer, KeyedRequest, Requests};
use shared::system::System;
use tracing::{error, warn};

use crate::code::Code;
use crate::route::malformed;

/// The header that names a request.
pub const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Set on an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A function has answered within this, or it died: its own timeout and what API Gateway waits for
/// are shorter.
const UNDER_WAY: SignedDuration = SignedDuration::from_secs(60);

const LONGEST_KEY: usize = 255;

/// The requests that carry keys.
pub struct Keyed {
    /// Where they are kept.
    pub requests: Arc<dyn Requests>,
    /// Time.
    pub system: Arc<dyn System>,
}

/// A request that is being carried out, under its key if it has one.
#[derive(Debug)]
pub struct Claim(Option<(String, KeyedRequest)>);

impl Keyed {
    /// The key of a request.
    pub fn key(request: &Request) -> Result<Option<String>, Problem> {
        let mut values = request.headers().get_all(KEY).iter();
        let Some(value) = values.next() else { return Ok(None) };
        let key = value.to_str().ok().map(str::trim).filter(|key| {
            (1..=LONGEST_KEY).contains(&key.len())
                && key.bytes().all(|byte| byte.is_ascii_graphic())
        });
        match (key, values.next()) {
            (Some(key), None) => Ok(Some(key.to_owned())),
            _ => Err(malformed(
                "`Idempotency-Key` must be one word of up to 255 visible ASCII characters",
            )),
        }
    }

    /// The answer of an earlier request with this key, if there was one.
    pub async fn earlier(
        &self,
        key: Option<&str>,
        asked: &str,
    ) -> Result<Option<Response>, Problem> {
        let Some(key) = key else { return Ok(None) };
        let now = self.system.now();
        match self.requests.request(key, now).await.map_err(crate::store_problem)? {
            None => Ok(None),
            Some(earlier) if earlier.asked != asked => Err(Code::KeyReused
                .with("the same key came with another request; a new request needs a new key")),
            Some(KeyedRequest { answer: Some(answer), .. }) => Ok(Some(again(answer))),
            Some(KeyedRequest { begun_at, .. }) if now.duration_since(begun_at) < UNDER_WAY => {
                Err(Code::RequestInProgress.with("the first request is being carried out"))
            }
            Some(_) => Err(unknown_outcome()),
        }
    }

    /// Keeps a request that is carried out from now on.
    pub async fn begin(&self, key: Option<String>, asked: String) -> Result<Claim, Problem> {
        let Some(key) = key else { return Ok(Claim(None)) };
        let request = KeyedRequest { asked, begun_at: self.system.now(), answer: None };
        match self.requests.keep_request(&key, &request).await {
            Ok(()) => Ok(Claim(Some((key, request)))),
            Err(KeepError::Taken) => {
                Err(Code::RequestInProgress.with("the same request is being carried out"))
            }
            Err(KeepError::Store(error)) => Err(crate::store_problem(error)),
        }
    }

    /// Notes what a request came to. Where nothing was carried out and another attempt may fare
    /// better, the key is given free.
    pub async fn end(&self, claim: Claim, answer: Result<Response, Problem>) -> Response {
        let may_be_repeated = answer.as_ref().is_err_and(|problem| {
            [Code::Unavailable, Code::OperationPending].map(Code::as_str).contains(&problem.code)
        });
        let response = answer.unwrap_or_else(Response::from);
        let Claim(Some((key, mut request))) = claim else { return response };
        let noted = if may_be_repeated {
            self.requests.release_request(&key, &request).await
        } else {
            request.answer = Some(kept(&response));
            self.requests.answer_request(&key, &request).await
        };
        if let Err(error) = noted {
            // The caller has the answer; a repetition is told that the outcome isn't known.
            warn!(%error, "what a request with a key came to was not noted");
        }
        response
    }
}

/// Nobody knows whether Microsoft took the request.
pub fn unknown_outcome() -> Problem {
    Code::OutcomeUnknown.with(
        "Microsoft gave no answer; look at the subscription and its operations before asking again",
    )
}

fn kept(response: &Response) -> KeptAnswer {
    let text = |name: HeaderName| {
        let value = response.headers().get(&name)?.to_str().ok()?;
        Some((name.to_string(), value.to_owned()))
    };
    KeptAnswer {
        status: response.status().as_u16(),
        headers: [http::header::CONTENT_TYPE, LOCATION, RETRY_AFTER]
            .into_iter()
            .filter_map(text)
            .collect(),
        body: String::from_utf8_lossy(response.body()).into_owned(),
    }
}

fn again(answer: KeptAnswer) -> Response {
    let Ok(status) = StatusCode::from_u16(answer.status) else {
        error!(status = answer.status, "a kept answer has no status");
        return Problem::unavailable().into();
    };
    let mut response = shared::http::empty(status);
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    *response.body_mut() = answer.body.into();
    response
}
