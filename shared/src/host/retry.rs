//! When to retry, as data; and the one loop that does.

use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::clock::Clock;

/// An error that crossed the network.
pub trait Transient {
    /// Whether the same call may succeed a moment later, and may be repeated without harm.
    fn is_transient(&self) -> bool;

    /// How long the other side asked us to wait.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
}

/// How often and for how long a call is attempted (F-ERR-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, the first one included.
    pub attempts: u32,
    /// The pause before the second attempt. It doubles from there.
    pub first_pause: Duration,
    /// The longest request of an attempt. An attempt may need a second request for a token. The
    /// [deadline](super::deadline) bounds the whole call of a function.
    pub attempt_timeout: Duration,
    /// No attempt begins later than this after the first one, even if `Retry-After` asks for it.
    pub budget: Duration,
}

impl RetryPolicy {
    /// For calls within Microsoft's ten seconds (F-WHA-10, F-ERR-4): several in a row, each given
    /// up early enough for the next, and all of them cut off at the
    /// [deadline](super::deadline::WEBHOOK_TIME).
    pub const WITHIN_WEBHOOK: Self = Self {
        attempts: 2,
        first_pause: Duration::from_millis(100),
        attempt_timeout: Duration::from_millis(1500),
        budget: Duration::from_millis(600),
    };

    /// For a person or a caller who waits for the answer.
    pub const INTERACTIVE: Self = Self {
        attempts: 3,
        first_pause: Duration::from_millis(250),
        attempt_timeout: Duration::from_secs(5),
        budget: Duration::from_secs(6),
    };

    /// For scheduled work: Microsoft's own sample waits 2, 4 and 8 seconds.
    pub const SCHEDULED: Self = Self {
        attempts: 4,
        first_pause: Duration::from_secs(2),
        attempt_timeout: Duration::from_secs(30),
        budget: Duration::from_secs(60),
    };

    /// The pause after `attempt` failed attempts, or `None` to give up. `jitter`, from 0 to 1,
    /// spreads callers that failed together.
    pub fn pause(
        &self,
        attempt: u32,
        elapsed: Duration,
        retry_after: Option<Duration>,
        jitter: f64,
    ) -> Option<Duration> {
        if attempt >= self.attempts {
            return None;
        }
        let doubled = self.first_pause.saturating_mul(1 << (attempt - 1).min(16));
        let jittered = doubled.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0);
        let pause = retry_after.map_or(jittered, |asked| asked.max(jittered));
        (elapsed.saturating_add(pause) <= self.budget).then_some(pause)
    }
}

/// Repeats a call until it succeeds, fails for good, or the policy gives up.
pub async fn retry<T, E, F>(
    clock: &dyn Clock,
    policy: &RetryPolicy,
    mut attempt: impl FnMut() -> F + Send,
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>> + Send,
    E: Transient + Send,
    T: Send,
{
    let begun = clock.now();
    let mut attempts = 1;
    loop {
        let error = match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) if error.is_transient() => error,
            Err(error) => return Err(error),
        };
        let jitter = jitter(clock.new_id());
        match policy.pause(attempts, since(begun, clock.now()), error.retry_after(), jitter) {
            Some(pause) => clock.sleep(pause).await,
            None => return Err(error),
        }
        attempts += 1;
    }
}

fn since(begun: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(begun)).unwrap_or(Duration::ZERO)
}

/// A random number from 0 to 1, taken from a random GUID.
pub fn jitter(id: Uuid) -> f64 {
    f64::from(id.as_u128() as u32) / f64::from(u32::MAX)
}

/// Reads `Retry-After`: seconds, or a date (F-ERR-1).
pub fn parse_retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number of seconds that does not fit counts as forever.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    Some(since(now, date))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RetryPolicy = RetryPolicy {
        attempts: 4,
        first_pause: Duration::from_secs(2),
        attempt_timeout: Duration::from_secs(30),
        budget: Duration::from_secs(60),
    };

    #[test]
    fn pauses_double_from_the_first_one() {
        let pauses: Vec<_> =
            (1..=4).map(|attempt| POLICY.pause(attempt, Duration::ZERO, None, 1.0)).collect();
        let seconds = |n| Some(Duration::from_secs(n));
        assert_eq!(pauses, [seconds(2), seconds(4), seconds(8), None]);
    }

    #[test]
    fn jitter_shortens_a_pause_by_up_to_half() {
        assert_eq!(POLICY.pause(1, Duration::ZERO, None, 0.0), Some(Duration::from_secs(1)));
        assert_eq!(POLICY.pause(1, Duration::ZERO, None, 1.0), Some(Duration::from_secs(2)));
    }

    #[test]
    fn retry_after_is_obeyed_within_the_budget_and_ends_the_attempts_beyond_it() {
        let asked = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(POLICY.pause(1, Duration::ZERO, asked(30), 0.0), asked(30));
        assert_eq!(POLICY.pause(1, Duration::from_secs(31), asked(30), 0.0), None);
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().expect("a timestamp");
        assert_eq!(parse_retry_after(" 10 ", now), Some(Duration::from_secs(10)));
        assert_eq!(
            parse_retry_after("Sun, 22 Nov 2026 12:01:30 GMT", now),
            Some(Duration::from_secs(90))
        );
        assert_eq!(parse_retry_after("Sun, 22 Nov 2026 11:00:00 GMT", now), Some(Duration::ZERO));
        let longest = Some(Duration::from_secs(u64::MAX));
        assert_eq!(
            parse_retry_after("99999999999999999999", now),
            longest,
            "more than fits in u64"
        );
        assert_eq!(parse_retry_after("later", now), None);
        assert_eq!(parse_retry_after("-5", now), None);
    }
}
