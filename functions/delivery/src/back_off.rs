//! When to try again, and when to wait until somebody asks.

use jiff::{SignedDuration, Timestamp};
use shared::store::{CursorState, Trouble};

use crate::channel::{Again, Untaken};

/// The pause after a first failure; it doubles with every further one.
const FIRST: SignedDuration = SignedDuration::from_secs(30);

/// No pause of ours is longer: a receiver that is back hears of everything within this.
const LONGEST: SignedDuration = SignedDuration::from_hours(1);

/// No receiver's wish is followed for longer than this.
const LONGEST_ASKED: SignedDuration = SignedDuration::from_hours(24);

/// The state after one more failure. `chance` between 0 and 1 spreads what failed together.
pub(crate) fn after(
    untaken: &Untaken,
    before: &CursorState,
    now: Timestamp,
    park_after: SignedDuration,
    chance: f64,
) -> CursorState {
    let trouble = match before {
        CursorState::Due { trouble: Some(trouble), .. } | CursorState::Parked { trouble, .. } => {
            Trouble {
                since: trouble.since,
                attempts: trouble.attempts.saturating_add(1),
                last: untaken.reason.clone(),
            }
        }
        CursorState::Flowing | CursorState::Due { trouble: None, .. } => {
            Trouble { since: now, attempts: 1, last: untaken.reason.clone() }
        }
    };
    if now.duration_since(trouble.since) >= park_after {
        return CursorState::Parked { at: now, trouble };
    }
    let pause = pause(untaken.again, trouble.attempts, chance);
    // Whole seconds, as the index of what is due has them.
    let at = Timestamp::from_second(now.as_second() + pause.as_secs() + 1).unwrap_or(now);
    CursorState::Due { at, trouble: Some(trouble) }
}

fn pause(again: Again, attempts: u32, chance: f64) -> SignedDuration {
    let doubled = FIRST.saturating_mul(1 << (attempts.saturating_sub(1)).min(16)).min(LONGEST);
    let spread = doubled.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0);
    match again {
        Again::Soon => spread,
        Again::After(asked) => {
            let asked = SignedDuration::try_from(asked).unwrap_or(LONGEST_ASKED);
            asked.min(LONGEST_ASKED).max(spread)
        }
        Again::Late => LONGEST,
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

    /// The seconds until the next attempt, after so many failures within an hour.
    fn seconds(again: Again, failures: u32, chance: f64) -> i64 {
        let untaken = Untaken { reason: "answered 500".to_owned(), again };
        let before = match failures {
            1 => CursorState::Flowing,
            failures => {
                let since = now() - SignedDuration::from_hours(1);
                let trouble =
                    Trouble { since, attempts: failures - 1, last: "no answer".to_owned() };
                CursorState::Due { at: now(), trouble: Some(trouble) }
            }
        };
        match after(&untaken, &before, now(), WEEK, chance) {
            CursorState::Due { at, trouble: Some(trouble) } => {
                assert_eq!((trouble.attempts, trouble.last.as_str()), (failures, "answered 500"));
                at.duration_since(now()).as_secs()
            }
            other => panic!("not due again: {other:?}"),
        }
    }

    #[test]
    fn pauses_double_up_to_an_hour() {
        let pauses: Vec<_> = (1..=9).map(|failures| seconds(Again::Soon, failures, 1.0)).collect();
        assert_eq!(pauses, [31, 61, 121, 241, 481, 961, 1921, 3601, 3601]);
        assert_eq!(seconds(Again::Soon, 1000, 1.0), 3601, "and no further");
        assert_eq!(seconds(Again::Soon, 1, 0.0), 16, "chance takes up to half of it");
    }

    #[test]
    fn a_receivers_wish_lengthens_a_pause_and_never_shortens_it() {
        let asked = |seconds| Again::After(Duration::from_secs(seconds));
        assert_eq!(seconds(asked(600), 1, 1.0), 601);
        assert_eq!(seconds(asked(1), 3, 1.0), 121);
        assert_eq!(seconds(asked(u64::MAX), 1, 1.0), 24 * 3600 + 1, "within reason");
        assert_eq!(seconds(Again::Late, 1, 0.0), 3601);
    }

    #[test]
    fn who_takes_nothing_for_too_long_is_waited_for_no_more() {
        let untaken = Untaken::soon("no answer");
        let since = now() - WEEK;
        let trouble = Trouble { since, attempts: 170, last: "answered 500".to_owned() };
        let before = CursorState::Due { at: now(), trouble: Some(trouble) };
        let parked = after(&untaken, &before, now(), WEEK, 0.5);
        let trouble = Trouble { since, attempts: 171, last: "no answer".to_owned() };
        assert_eq!(parked, CursorState::Parked { at: now(), trouble });
        let asked_for = CursorState::Due { at: now(), trouble: None };
        let again = after(&untaken, &asked_for, now(), WEEK, 0.5);
        assert!(matches!(again, CursorState::Due { .. }), "asked for, it begins anew: {again:?}");
    }
}
