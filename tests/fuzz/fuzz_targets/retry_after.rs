//! `Retry-After` (F-ERR-1).
#![no_main]

use std::time::Duration;

use fuzz::{RETRY, now};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use shared::host::retry::{RetryPolicy, parse_retry_after};

fuzz_target!(|value: &str| {
    let asked = parse_retry_after(value, now());
    let digits = value.trim();
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        let seconds = digits.parse().map_or(Duration::MAX, Duration::from_secs);
        assert!(asked == Some(seconds) || seconds == Duration::MAX && asked.is_some(), "{asked:?}");
    }
    // As time passes, the remaining pause shrinks, but never below zero.
    let later = parse_retry_after(value, Timestamp::MAX);
    assert_eq!(later.is_some(), asked.is_some());
    assert!(later <= asked);
    assert!(parse_retry_after(value, Timestamp::MIN) >= asked);
    // No retry exceeds the budget (F-ERR-4), and none comes before the requested time.
    let policies =
        [RETRY, RetryPolicy::WITHIN_WEBHOOK, RetryPolicy::INTERACTIVE, RetryPolicy::SCHEDULED];
    for policy in policies {
        for attempt in [1, 2, policy.attempts, u32::MAX] {
            for elapsed in [Duration::ZERO, policy.budget, Duration::MAX] {
                for chance in [0.0, 1.0] {
                    let Some(pause) = policy.pause(attempt, elapsed, None, asked, chance) else {
                        continue;
                    };
                    assert!(elapsed.saturating_add(pause) <= policy.budget);
                    assert!(asked.is_none_or(|asked| pause >= asked));
                    assert!(attempt < policy.attempts);
                }
            }
        }
    }
});
