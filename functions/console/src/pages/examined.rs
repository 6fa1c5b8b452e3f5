//! The last examination of the deployment, and how old it is.

use jiff::{SignedDuration, Timestamp};
use shared::store::{Check, CheckOutcome, Examination};

use crate::api::{Caller, Refusal};
use crate::words::ago;

/// Two of the schedule's examinations have not come.
const STALE: SignedDuration = SignedDuration::from_hours(2);

pub(super) struct Examined {
    pub(super) last: Examination,
    pub(super) ago: String,
    pub(super) is_stale: bool,
}

impl Examined {
    /// `None` if the deployment was not examined yet.
    pub(super) async fn read(caller: Caller<'_>, now: Timestamp) -> Result<Option<Self>, Refusal> {
        match caller.get::<Examination>("/doctor/last").await {
            Ok(last) => Ok(Some(Self::of(last, now))),
            Err(refusal) if refusal.code == "not_examined" => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    pub(super) fn of(last: Examination, now: Timestamp) -> Self {
        let age = now.duration_since(last.examined_at);
        Self { ago: ago(last.examined_at, now), is_stale: age > STALE, last }
    }

    /// The checks that warn or have failed.
    pub(super) fn complaints(&self) -> Vec<&Check> {
        let complains =
            |check: &&Check| matches!(check.outcome, CheckOutcome::Failed | CheckOutcome::Warning);
        self.last.checks.iter().filter(complains).collect()
    }
}

/// A class of the style sheet.
pub(super) fn tone(check: &Check) -> &'static str {
    match check.outcome {
        CheckOutcome::Ok => "good",
        CheckOutcome::Warning => "warn",
        CheckOutcome::Failed => "bad",
        CheckOutcome::Unknown => "end",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_examination_that_is_older_than_two_hours_is_stale() {
        let now: Timestamp = "2026-03-10T12:00:00Z".parse().expect("a timestamp");
        for (minutes, words, is_stale) in [
            (0, "just now", false),
            (12, "12 minutes ago", false),
            (120, "2 hours ago", false),
            (121, "2 hours ago", true),
        ] {
            let last = Examination {
                examined_at: now - SignedDuration::from_mins(minutes),
                version: "0.2.0".to_owned(),
                host: None,
                checks: Vec::new(),
            };
            let examined = Examined::of(last, now);
            let ago = examined.ago.replace('\u{a0}', " ");
            assert_eq!((ago.as_str(), examined.is_stale), (words, is_stale), "{minutes}");
        }
    }
}
