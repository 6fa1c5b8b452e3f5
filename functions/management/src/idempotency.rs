//! Idempotency keys: a repeated request gets the response of the first one, and Microsoft is not
//! asked twice (F-ERR-2).

use std::sync::Arc;

use http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderName, HeaderValue, StatusCode};
use jiff::SignedDuration;
use shared::host::clock::Clock;
use shared::host::error_class::ErrorClass;
use shared::host::http::{Problem, Request, Response, empty};
use shared::store::{BeginError, IdempotencyRecord, IdempotencyStore, StoredResponse};
use tracing::{error, warn};

use crate::error_code::{ErrorCode, malformed};
use crate::problem::{store_problem, unknown_outcome};

pub(crate) const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Marks the response to a repeated request.
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// How long a request may be under way. A function that has not answered by then was killed: its
/// own timeout and API Gateway's are shorter.
const UNDER_WAY: SignedDuration = SignedDuration::from_secs(60);

/// In characters.
const LONGEST_KEY: usize = 255;

pub(crate) struct Idempotency {
    pub(crate) store: Arc<dyn IdempotencyStore>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// A request that is under way, with its key if it has one.
#[derive(Debug)]
pub(crate) struct IdempotencyClaim(Option<(String, IdempotencyRecord)>);

impl Idempotency {
    /// The key of a request.
    pub(crate) fn key(request: &Request) -> Result<Option<String>, Problem> {
        let mut values = request.headers().get_all(KEY).iter();
        let Some(value) = values.next() else { return Ok(None) };
        let key = value.to_str().ok().map(str::trim).filter(|key| {
            (1..=LONGEST_KEY).contains(&key.len())
                && key.bytes().all(|byte| byte.is_ascii_graphic())
        });
        match (key, values.next()) {
            (Some(key), None) => Ok(Some(key.to_owned())),
            _ => Err(malformed(&format!(
                "`Idempotency-Key` must be one word of up to {LONGEST_KEY} visible ASCII characters"
            ))),
        }
    }

    /// The response to an earlier request with this key, if there was one.
    pub(crate) async fn earlier(
        &self,
        key: Option<&str>,
        request: &str,
    ) -> Result<Option<Response>, Problem> {
        let Some(key) = key else { return Ok(None) };
        let now = self.clock.now();
        match self.store.find(key, now).await.map_err(store_problem)? {
            None => Ok(None),
            Some(earlier) if earlier.request != request => Err(ErrorCode::KeyReused
                .with("the key was used for another request; a new request needs a new key")),
            Some(IdempotencyRecord { response: Some(response), .. }) => Ok(Some(replay(response))),
            Some(IdempotencyRecord { begun_at, .. })
                if now.duration_since(begun_at) < UNDER_WAY =>
            {
                Err(ErrorCode::RequestInProgress
                    .with("the first request with this key is still under way"))
            }
            Some(_) => Err(unknown_outcome()),
        }
    }

    /// Claims the key for a request that is carried out from now on.
    pub(crate) async fn begin(
        &self,
        key: Option<String>,
        request: String,
    ) -> Result<IdempotencyClaim, Problem> {
        let Some(key) = key else { return Ok(IdempotencyClaim(None)) };
        let record = IdempotencyRecord { request, begun_at: self.clock.now(), response: None };
        match self.store.begin(&key, &record).await {
            Ok(()) => Ok(IdempotencyClaim(Some((key, record)))),
            Err(BeginError::Taken) => Err(ErrorCode::RequestInProgress
                .with("the first request with this key is still under way")),
            Err(BeginError::Store(error)) => Err(store_problem(error)),
        }
    }

    /// Stores the response. If nothing was carried out and another attempt may succeed, it frees
    /// the key instead.
    pub(crate) async fn end(
        &self,
        claim: IdempotencyClaim,
        response: Result<Response, Problem>,
    ) -> Response {
        let may_be_repeated = response.as_ref().is_err_and(|problem| {
            [
                ErrorCode::Unavailable,
                ErrorCode::MicrosoftUnavailable,
                ErrorCode::Table,
                ErrorCode::Configuration,
                ErrorCode::Credential,
                ErrorCode::OperationPending,
                ErrorCode::VersionMismatch,
            ]
            .map(ErrorCode::as_str)
            .contains(&problem.code)
        });
        let response = response.unwrap_or_else(Response::from);
        let IdempotencyClaim(Some((key, mut record))) = claim else { return response };
        let stored = if may_be_repeated {
            self.store.abandon(&key, &record).await
        } else {
            record.response = Some(to_store(&response));
            self.store.complete(&key, &record).await
        };
        if let Err(error) = stored {
            // This caller gets the response. A repeated request learns that the outcome is unknown.
            warn!(%error, class = error.class().name(), "could not store the response to a request with a key");
        }
        response
    }
}

fn to_store(response: &Response) -> StoredResponse {
    let header = |name: HeaderName| {
        let value = response.headers().get(&name)?.to_str().ok()?;
        Some((name.to_string(), value.to_owned()))
    };
    StoredResponse {
        status: response.status().as_u16(),
        headers: [CONTENT_TYPE, LOCATION, RETRY_AFTER].into_iter().filter_map(header).collect(),
        body: String::from_utf8_lossy(response.body()).into_owned(),
    }
}

fn replay(stored: StoredResponse) -> Response {
    let Ok(status) = StatusCode::from_u16(stored.status) else {
        error!(
            status = stored.status,
            class = ErrorClass::Table.name(),
            "a stored response has no valid status"
        );
        return Problem::unavailable().into();
    };
    let mut response = empty(status);
    for (name, value) in stored.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    *response.body_mut() = stored.body.into();
    response
}
