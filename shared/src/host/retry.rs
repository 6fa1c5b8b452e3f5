//! When to retry, as data; and the one loop that does.

use std::future::Future;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::clock::Clock;
use super::deadline;

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
    /// [deadline] bounds the whole call of a function.
    pub attempt_timeout: Duration,
    /// No attempt begins later than this after the first one, even if `Retry-After` asks for it.
    pub budget: Duration,
    /// No further attempt begins with less time than this before the [deadline] of the whole work.
    /// What follows the call needs it.
    pub reserve: Duration,
    /// After so many calls in a row that failed, a call is attempted once, until one succeeds. In
    /// an outage, not every caller waits for all attempts.
    pub outage_after: u32,
    /// Whether a `Retry-After` for one call holds up all calls of the same client: the peer limits the
    /// caller, and not the call. For work that runs concurrently and for which nobody waits.
    pub waits_together: bool,
}

impl RetryPolicy {
    /// For calls within Microsoft's ten seconds (F-WHA-10, F-ERR-4): several in a row, each given
    /// up early enough for the next, and all of them cut off at the
    /// [deadline](super::deadline::WEBHOOK_TIME).
    pub const WITHIN_WEBHOOK: Self = Self {
        attempts: 4,
        first_pause: Duration::from_millis(100),
        attempt_timeout: Duration::from_millis(1500),
        budget: Duration::from_secs(3),
        // For an acknowledgement and the commit of a record.
        reserve: Duration::from_millis(2500),
        outage_after: 3,
        waits_together: false,
    };

    /// For a person or a caller who waits for the answer.
    pub const INTERACTIVE: Self = Self {
        attempts: 3,
        first_pause: Duration::from_millis(250),
        attempt_timeout: Duration::from_secs(5),
        budget: Duration::from_secs(6),
        reserve: Duration::ZERO,
        outage_after: u32::MAX,
        waits_together: false,
    };

    /// For scheduled work: Microsoft's own sample waits 2, 4 and 8 seconds.
    pub const SCHEDULED: Self = Self {
        attempts: 4,
        first_pause: Duration::from_secs(2),
        attempt_timeout: Duration::from_secs(30),
        budget: Duration::from_secs(60),
        reserve: Duration::ZERO,
        outage_after: u32::MAX,
        waits_together: true,
    };

    /// For an answer that doesn't show yet what Microsoft's webhook call says: Microsoft's reads lag
    /// by seconds (F-GET-4, F-OPG-5). The caller sets the pauses.
    pub const UNTIL_SHOWN: Self = Self {
        attempts: 6,
        first_pause: Duration::ZERO,
        budget: Duration::from_secs(6),
        ..Self::WITHIN_WEBHOOK
    };

    /// The policy after this many calls in a row that failed.
    fn after_failures(self, failures: u32) -> Self {
        if failures < self.outage_after { self } else { Self { attempts: 1, ..self } }
    }

    /// The pause after `attempt` failed attempts, or `None` to give up. `left` is the time until the
    /// deadline, if there is one. `jitter`, from 0 to 1, spreads callers that failed together.
    pub fn pause(
        &self,
        attempt: u32,
        elapsed: Duration,
        left: Option<Duration>,
        retry_after: Option<Duration>,
        jitter: f64,
    ) -> Option<Duration> {
        if attempt >= self.attempts {
            return None;
        }
        let doubled = self.first_pause.saturating_mul(1 << (attempt - 1).min(16));
        let jittered = doubled.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0);
        let pause = retry_after.map_or(jittered, |asked| asked.max(jittered));
        let in_time = left.is_none_or(|left| pause.saturating_add(self.reserve) <= left);
        (in_time && elapsed.saturating_add(pause) <= self.budget).then_some(pause)
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
    let pause = |answer: &Result<T, E>| {
        let error = answer.as_ref().err().filter(|error| error.is_transient())?;
        Some(error.retry_after().unwrap_or_default())
    };
    let first = attempt();
    repeat(clock, policy, first, attempt, pause).await
}

/// Retries the calls of one peer, and attempts each call once while the peer is down.
#[derive(Debug, Default)]
pub struct Retries {
    /// Calls in a row that failed.
    failures: AtomicU32,
}

impl Retries {
    /// As [`retry`], until [`RetryPolicy::outage_after`] calls in a row have failed.
    pub async fn retry<T, E, F>(
        &self,
        clock: &dyn Clock,
        policy: &RetryPolicy,
        attempt: impl FnMut() -> F + Send,
    ) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>> + Send,
        E: Transient + Send,
        T: Send,
    {
        let policy = policy.after_failures(self.failures.load(Relaxed));
        let answer = retry(clock, &policy, attempt).await;
        if answer.as_ref().is_err_and(Transient::is_transient) {
            self.failures.fetch_add(1, Relaxed);
        } else {
            self.failures.store(0, Relaxed);
        }
        answer
    }
}

/// Makes further attempts until `pause` returns `None` for the answer, or the policy gives up.
/// Returns the last answer. `pause` is the shortest pause before the next attempt.
pub async fn repeat<T, F>(
    clock: &dyn Clock,
    policy: &RetryPolicy,
    first: impl Future<Output = T> + Send,
    mut attempt: impl FnMut() -> F + Send,
    pause: impl Fn(&T) -> Option<Duration> + Send,
) -> T
where
    F: Future<Output = T> + Send,
    T: Send,
{
    let begun = clock.now();
    let mut answer = first.await;
    let mut attempts = 1;
    loop {
        let Some(shortest) = pause(&answer) else { return answer };
        let jitter = jitter(clock.new_id());
        let now = clock.now();
        let left = deadline::time_left_of_work(now);
        match policy.pause(attempts, since(begun, now), left, Some(shortest), jitter) {
            Some(pause) if deadline::time_left(now).is_none_or(|left| pause < left) => {
                clock.sleep(pause).await;
            }
            Some(_) | None => return answer,
        }
        answer = attempt().await;
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
    use crate::host::clock::SystemClock;

    const POLICY: RetryPolicy = RetryPolicy {
        attempts: 4,
        first_pause: Duration::from_secs(2),
        attempt_timeout: Duration::from_secs(30),
        budget: Duration::from_secs(60),
        reserve: Duration::from_secs(3),
        outage_after: 3,
        waits_together: false,
    };

    #[test]
    fn pauses_double_from_the_first_one() {
        let pauses: Vec<_> =
            (1..=4).map(|attempt| POLICY.pause(attempt, Duration::ZERO, None, None, 1.0)).collect();
        let seconds = |n| Some(Duration::from_secs(n));
        assert_eq!(pauses, [seconds(2), seconds(4), seconds(8), None]);
    }

    #[test]
    fn jitter_shortens_a_pause_by_up_to_half() {
        assert_eq!(POLICY.pause(1, Duration::ZERO, None, None, 0.0), Some(Duration::from_secs(1)));
        assert_eq!(POLICY.pause(1, Duration::ZERO, None, None, 1.0), Some(Duration::from_secs(2)));
    }

    #[test]
    fn retry_after_is_obeyed_within_the_budget_and_ends_the_attempts_beyond_it() {
        let asked = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(POLICY.pause(1, Duration::ZERO, None, asked(30), 0.0), asked(30));
        assert_eq!(POLICY.pause(1, Duration::from_secs(31), None, asked(30), 0.0), None);
    }

    #[test]
    fn no_attempt_begins_without_the_time_that_what_follows_needs() {
        let pause =
            |left| POLICY.pause(1, Duration::ZERO, Some(Duration::from_secs(left)), None, 1.0);
        assert_eq!(pause(5), Some(Duration::from_secs(2)));
        assert_eq!(pause(4), None);
    }

    #[test]
    fn in_an_outage_a_call_is_attempted_once() {
        assert_eq!(POLICY.after_failures(2), POLICY);
        assert_eq!(POLICY.after_failures(3).attempts, 1);
        assert_eq!(RetryPolicy::SCHEDULED.after_failures(1000), RetryPolicy::SCHEDULED);
    }

    #[derive(Debug)]
    struct Failed;

    impl Transient for Failed {
        fn is_transient(&self) -> bool {
            true
        }
    }

    /// How often a call is attempted that always fails, in a part of the work with this limit.
    async fn attempts_within(limit: Duration) -> u32 {
        let mut attempts = 0;
        let now = SystemClock.now();
        let end = now + deadline::WEBHOOK_TIME;
        let policy =
            RetryPolicy { first_pause: Duration::from_micros(1), ..RetryPolicy::WITHIN_WEBHOOK };
        let call = retry(&SystemClock, &policy, || {
            attempts += 1;
            async { Err::<(), _>(Failed) }
        });
        let part = deadline::with_limit(now, limit, call);
        deadline::with_deadline(end, part).await.expect_err("every attempt fails");
        attempts
    }

    #[tokio::test(start_paused = true)]
    async fn a_limited_part_is_tried_again_within_its_limit_and_needs_no_reserve_of_its_own() {
        let policy = RetryPolicy::WITHIN_WEBHOOK;
        assert!(Duration::from_secs(2) < policy.reserve, "the limit alone would leave no time");
        assert_eq!(attempts_within(Duration::from_secs(2)).await, policy.attempts);
        assert_eq!(attempts_within(Duration::ZERO).await, 1);
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
