//! When to try again, and when to park the events.

use jiff::{SignedDuration, Timestamp};
use shared::store::{CursorState, Trouble};

use crate::receiver::{DeliveryError, RetryAfter};

/// The pause after the first failure. It doubles with every further one.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(30);

/// The longest pause. A receiver that is back gets everything within this time.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(1);

/// The longest `Retry-After` that we respect.
const LONGEST_RETRY_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// The state after one more failure. `jitter`, from 0 to 1, spreads subscriptions that failed
/// together.
pub(crate) fn after(
    failure: &DeliveryError,
    before: &CursorState,
    now: Timestamp,
    park_after: SignedDuration,
    jitter: f64,
) -> CursorState {
    let trouble = match before {
        CursorState::Due { trouble: Some(trouble), .. } | CursorState::Parked { trouble, .. } => {
            Trouble {
                since: trouble.since,
                attempts: trouble.attempts.saturating_add(1),
                last: failure.reason.clone(),
            }
        }
        CursorState::Flowing | CursorState::Due { trouble: None, .. } => {
            Trouble { since: now, attempts: 1, last: failure.reason.clone() }
        }
    };
    if now.duration_since(trouble.since) >= park_after {
        return CursorState::Parked { at: now, trouble };
    }
    let pause = pause(failure.retry, trouble.attempts, jitter);
    // Whole seconds, as in the outbox index.
    let at = Timestamp::from_second(now.as_second() + pause.as_secs() + 1).unwrap_or(now);
    CursorState::Due { at, trouble: Some(trouble) }
}

fn pause(retry: RetryAfter, attempts: u32, jitter: f64) -> SignedDuration {
    let doublings = attempts.saturating_sub(1).min(16);
    let doubled = FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE);
    let spread = doubled.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0);
    match retry {
        RetryAfter::BackOff => spread,
        RetryAfter::AtLeast(asked) => {
            let asked = SignedDuration::try_from(asked).unwrap_or(LONGEST_RETRY_AFTER);
            asked.min(LONGEST_RETRY_AFTER).max(spread)
        }
        RetryAfter::LongestPause => LONGEST_PAUSE,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

    fn now() -> Timestamp {
        "2026-03-10T12:00:00Z".parse().expect("a timestamp")
    }

    /// The seconds until the next attempt after this many failures within an hour.
    fn seconds(retry: RetryAfter, failures: u32, jitter: f64) -> i64 {
        let failure = DeliveryError { retry, ..DeliveryError::new("answered 500") };
        let before = match failures {
            1 => CursorState::Flowing,
            failures => {
                let since = now() - SignedDuration::from_hours(1);
                let trouble =
                    Trouble { since, attempts: failures - 1, last: "no answer".to_owned() };
                CursorState::Due { at: now(), trouble: Some(trouble) }
            }
        };
        match after(&failure, &before, now(), WEEK, jitter) {
            CursorState::Due { at, trouble: Some(trouble) } => {
                assert_eq!((trouble.attempts, trouble.last.as_str()), (failures, "answered 500"));
                at.duration_since(now()).as_secs()
            }
            other => panic!("not due again: {other:?}"),
        }
    }

    #[test]
    fn pauses_double_up_to_an_hour() {
        let pauses: Vec<_> =
            (1..=9).map(|failures| seconds(RetryAfter::BackOff, failures, 1.0)).collect();
        assert_eq!(pauses, [31, 61, 121, 241, 481, 961, 1921, 3601, 3601]);
        assert_eq!(seconds(RetryAfter::BackOff, 1000, 1.0), 3601, "an hour is the limit");
        assert_eq!(seconds(RetryAfter::BackOff, 1, 0.0), 16, "jitter shortens it by up to half");
    }

    #[test]
    fn a_receivers_retry_after_lengthens_a_pause_and_never_shortens_it() {
        let asked = |seconds| RetryAfter::AtLeast(Duration::from_secs(seconds));
        assert_eq!(seconds(asked(600), 1, 1.0), 601);
        assert_eq!(seconds(asked(1), 3, 1.0), 121);
        assert_eq!(seconds(asked(u64::MAX), 1, 1.0), 24 * 3600 + 1, "a day is the limit");
        assert_eq!(seconds(RetryAfter::LongestPause, 1, 0.0), 3601);
    }

    #[test]
    fn a_receiver_that_fails_for_a_week_is_parked() {
        let failure = DeliveryError::new("no answer");
        let since = now() - WEEK;
        let trouble = Trouble { since, attempts: 170, last: "answered 500".to_owned() };
        let before = CursorState::Due { at: now(), trouble: Some(trouble) };
        let parked = after(&failure, &before, now(), WEEK, 0.5);
        let trouble = Trouble { since, attempts: 171, last: "no answer".to_owned() };
        assert_eq!(parked, CursorState::Parked { at: now(), trouble });
        let redelivered = CursorState::Due { at: now(), trouble: None };
        let again = after(&failure, &redelivered, now(), WEEK, 0.5);
        assert!(
            matches!(again, CursorState::Due { .. }),
            "a redelivery starts the week again: {again:?}"
        );
    }
}
