//! Our clock against Microsoft's. A token is valid between two times, and so is a signature.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::DATE;
use jiff::SignedDuration;
use jiff::fmt::rfc2822::DateTimeParser;
use shared::host::clock::Clock;
use shared::host::http_client::{SendError, Transport, UnreadBody};

use super::finding::Finding;

const CLOCK: &str = "clock";

/// Entra and our own checks of tokens allow five minutes.
const TOO_FAR: SignedDuration = SignedDuration::from_mins(5);

/// A request takes a second. More than this is a clock that nothing sets.
const FAR: SignedDuration = SignedDuration::from_secs(60);

/// Reads the `Date` of every answer on its way.
pub(super) struct Dated {
    inner: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    /// How far our clock is ahead of the last answer.
    ahead: Mutex<Option<SignedDuration>>,
}

impl fmt::Debug for Dated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dated")
    }
}

impl Dated {
    pub(super) fn new(inner: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Self {
        Self { inner, clock, ahead: Mutex::default() }
    }

    /// `None` if no answer had a date.
    pub(super) fn ahead(&self) -> Option<SignedDuration> {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Transport for Dated {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, SendError> {
        let answer = self.inner.send(request, timeout).await?;
        let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
        if let Some(date) = date.and_then(|date| DateTimeParser::new().parse_timestamp(date).ok()) {
            let ahead = self.clock.wall_time().duration_since(date);
            *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) = Some(ahead);
        }
        Ok(answer)
    }

    async fn send_for_head(
        &self,
        request: http::Request<Bytes>,
        timeout: Duration,
    ) -> Result<http::Response<UnreadBody>, SendError> {
        self.inner.send_for_head(request, timeout).await
    }
}

pub(super) fn finding(ahead: Option<SignedDuration>) -> Finding {
    const PLACE: &str = "The clock of the machine that runs the functions; AWS sets Lambda's";
    let Some(ahead) = ahead else {
        return Finding::unknown(CLOCK, "No answer of Microsoft's had a date to compare with.");
    };
    let seconds = ahead.as_secs();
    let differs = format!(
        "The clock is {} seconds {} Microsoft's.",
        seconds.unsigned_abs(),
        if seconds < 0 { "behind" } else { "ahead of" }
    );
    if ahead.abs() > TOO_FAR {
        let says = format!("{differs} Tokens and signatures are refused: set the clock.");
        Finding::failed(CLOCK, says, PLACE)
    } else if ahead.abs() > FAR {
        let says = format!(
            "{differs} After {} seconds tokens and signatures are refused: set the clock.",
            TOO_FAR.as_secs()
        );
        Finding::warning(CLOCK, says, PLACE)
    } else {
        Finding::ok(CLOCK, "The clock agrees with Microsoft's.")
    }
}
