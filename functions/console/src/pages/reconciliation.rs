//! The runs of the reconciliation: what they found, repaired and left.

use askama::Template;
use http::StatusCode;
use serde_json::Value;
use shared::host::http::Response;
use shared::store::{
    Checkpoint, Difference, Found, Outcome, Pause, RepairAction, Run, RunEnd, Wanted,
};
use url::form_urlencoded;

use super::{Pages, shown};
use crate::act::Act;
use crate::api::Refusal;
use crate::frame::Frame;
use crate::routes;
use crate::words::{ago, caller, moment, short, spaced};

/// How many runs are on a page.
const RUNS: u8 = 10;

#[derive(Template)]
#[template(path = "reconciliation.html")]
struct ReconciliationPage<'a> {
    frame: Frame<'a>,
    checkpoint: Checkpoint,
    dry_run: Checkpoint,
    pause: Option<Pause>,
    runs: Vec<Run>,
    next: Option<String>,
}

impl ReconciliationPage<'_> {
    fn act(&self, act: Act) -> String {
        routes::act(act, None)
    }

    fn moment(&self, at: &jiff::Timestamp) -> String {
        moment(*at)
    }

    fn ago(&self, at: &jiff::Timestamp) -> String {
        ago(*at, self.frame.now)
    }

    /// The runs that go on, each with its name.
    fn under_way(&self) -> impl Iterator<Item = (&'static str, &Checkpoint)> {
        let both = [("A run", &self.checkpoint), ("A dry run", &self.dry_run)];
        both.into_iter().filter(|(_, run)| run.is_under_way())
    }

    /// Why a run ended before the end of Microsoft's list.
    fn end(&self, run: &Run) -> Option<&'static str> {
        match run.end {
            RunEnd::List => None,
            RunEnd::Records => Some("Microsoft's list ended early; the rest was read one by one."),
            RunEnd::Budget => Some("Microsoft's list ended early; part of the rest was read."),
            RunEnd::Broken => Some("Microsoft's list ended early; the rest was not read."),
        }
    }

    fn subscription(&self, difference: &Difference) -> String {
        routes::subscription(difference.subscription_id)
    }

    fn short(&self, difference: &Difference) -> String {
        short(difference.subscription_id)
    }

    fn person(&self, by: &str) -> String {
        caller(Some(by))
    }

    /// What became of it, and why.
    fn outcome(&self, difference: &Difference, is_dry: &bool) -> String {
        let outcome = match (difference.outcome, is_dry) {
            (Outcome::Repaired, true) => "Would be repaired",
            (Outcome::Repaired, false) => "Repaired",
            (Outcome::Left, _) => "Left for the next run",
            (Outcome::Failed, _) => "Failed",
        };
        match &difference.reason {
            Some(reason) => format!("{outcome}: {reason}"),
            None => outcome.to_owned(),
        }
    }

    fn details(&self, difference: &Difference) -> Vec<String> {
        let value = |value: &Value| match value {
            Value::Null => "–".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        // The changes say it.
        let actions = difference.actions.iter().filter(|act| **act != RepairAction::RecordUpdated);
        let actions = actions.map(|act| spaced(json_word(act).as_str()));
        let changes = difference.changes.iter().map(|change| {
            match (&change.from, &change.to) {
                // Fields that may hold personal data have no values.
                (Value::Null, Value::Null) => format!("{} changed", change.field),
                (from, to) => format!("{}: {}\u{a0}→ {}", change.field, value(from), value(to)),
            }
        });
        actions.chain(changes).collect()
    }
}

fn json_word(action: &RepairAction) -> String {
    let word = serde_json::to_value(action).unwrap_or_default();
    word.as_str().unwrap_or_default().to_owned()
}

impl Pages<'_> {
    pub(crate) async fn reconciliation(self, next: Option<&str>) -> Result<Response, Refusal> {
        let wanted = [Wanted::Checkpoint, Wanted::DryRun, Wanted::Pause].into();
        let (found, runs) =
            tokio::join!(self.table.look_up(wanted), self.table.runs.runs(RUNS, next));
        let (Found { checkpoint, dry_run, pause, .. }, runs) = (found?, runs?);
        let encoded =
            |next: &str| form_urlencoded::byte_serialize(next.as_bytes()).collect::<String>();
        let next = runs.next.as_deref();
        let page = ReconciliationPage {
            frame: self.frame,
            checkpoint: checkpoint.transpose()?.unwrap_or_default(),
            dry_run: dry_run.transpose()?.unwrap_or_default(),
            pause: pause.transpose()?,
            runs: runs.items,
            next: next.map(|next| format!("{}?next={}", routes::RECONCILIATION, encoded(next))),
        };
        Ok(shown(StatusCode::OK, &page))
    }
}
