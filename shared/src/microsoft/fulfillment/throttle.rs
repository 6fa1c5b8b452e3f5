//! The pause that Microsoft asks one call for, and that all calls of a client keep.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::error::{FulfillmentError, Refusal};
use crate::host::clock::Clock;
use crate::host::deadline;
use crate::host::retry::Transient as _;

/// Until when no call is sent.
#[derive(Debug, Default)]
pub(super) struct Throttle(Mutex<Option<Timestamp>>);

impl Throttle {
    /// Waits until the pause is over.
    ///
    /// # Errors
    /// [`FulfillmentError::Unavailable`], as Microsoft answered the call that it throttled, where the rest of
    /// the pause is longer than `longest` or than the time until the [deadline].
    pub(super) async fn pass(
        &self,
        clock: &dyn Clock,
        longest: Duration,
    ) -> Result<(), FulfillmentError> {
        loop {
            let now = clock.now();
            let left = match *self.until() {
                Some(until) if until > now => {
                    Duration::try_from(until.duration_since(now)).unwrap_or_default()
                }
                Some(_) | None => return Ok(()),
            };
            if left > longest || deadline::time_left(now).is_some_and(|time| time <= left) {
                return Err(FulfillmentError::Unavailable {
                    refusal: Refusal { status: 429, ..Refusal::default() },
                    retry_after: Some(left),
                    repeatable: true,
                });
            }
            clock.sleep(left).await;
        }
    }

    /// Begins a pause if this answer asks for one. It never shortens one.
    pub(super) fn note<T>(&self, answer: &Result<T, FulfillmentError>, now: Timestamp) {
        let Some(pause) = answer.as_ref().err().and_then(FulfillmentError::retry_after) else {
            return;
        };
        let until = now.checked_add(pause).unwrap_or(Timestamp::MAX);
        let mut longest = self.until();
        *longest = longest.max(Some(until));
    }

    fn until(&self) -> MutexGuard<'_, Option<Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
