//! What needs a person: purchases that wait, deliveries that are parked, what differs, and what is wrong.

use askama::Template;
use http::StatusCode;
use jiff::Timestamp;
use shared::domain::ActivationRequest;
use shared::host::cloudwatch::{Alarm, Alarms, AlarmsError};
use shared::host::error_class::ErrorClass;
use shared::host::http::Response;
use shared::store::{Check, Difference, Outcome};
use tracing::warn;

use super::examined::{Examined, tone};
use super::list::Line;
use super::{Pages, shown};
use crate::answers::{Reconciliations, Record, Records};
use crate::api::Refusal;
use crate::credentials::{self, Credentials};
use crate::frame::Frame;
use crate::words::{ago, days_left};

/// A purchase that isn't active yet.
struct Purchase {
    line: Line,
    /// What it waits for.
    waits: String,
    days_left: Option<i64>,
}

#[derive(Template)]
#[template(path = "needs_you.html")]
struct NeedsYouPage<'a> {
    frame: Frame<'a>,
    purchases: Result<Vec<Purchase>, Refusal>,
    parked: Result<Vec<Line>, Refusal>,
    open: Result<Vec<Open>, Refusal>,
    examined: Result<Option<Examined>, Refusal>,
    credentials: Vec<credentials::Line>,
    /// The alarms that ring, each with what it means.
    alarms: Result<Vec<Alarm>, AlarmsError>,
}

/// A difference that the last run left, or failed on.
struct Open {
    address: String,
    id: String,
    what: &'static str,
    reason: String,
    when: String,
}

impl NeedsYouPage<'_> {
    fn ago(&self, at: &Timestamp) -> String {
        ago(*at, self.frame.now)
    }

    fn tone(&self, check: &Check) -> &'static str {
        tone(check)
    }

    fn is_empty(&self) -> bool {
        let is_empty = |count: Option<usize>| count == Some(0);
        is_empty(self.purchases.as_ref().ok().map(Vec::len))
            && is_empty(self.parked.as_ref().ok().map(Vec::len))
            && is_empty(self.open.as_ref().ok().map(Vec::len))
            && matches!(&self.examined, Ok(Some(found)) if !found.is_stale && found.complaints().is_empty())
            && !self.credentials.iter().any(|credential| credential.is_urgent)
            && is_empty(self.alarms.as_ref().ok().map(Vec::len))
    }
}

impl Pages<'_> {
    /// A part that can't be read says so, and hides no other.
    pub(crate) async fn needs_you(
        self,
        alarms: Option<&dyn Alarms>,
        credentials: &Credentials,
    ) -> Response {
        let now = self.frame.now;
        let caller = self.caller;
        let ringing = async {
            match alarms {
                Some(alarms) => alarms.ringing().await,
                None => Ok(Vec::new()),
            }
        };
        let (purchases, parked, runs, examined, credentials, alarms) = tokio::join!(
            caller.get::<Records>("/subscriptions?status=PendingFulfillmentStart&limit=50"),
            caller.get::<Records>("/subscriptions?delivery=parked"),
            caller.get::<Reconciliations>("/reconciliations?limit=1"),
            Examined::read(caller, now),
            credentials.lines(now),
            ringing,
        );
        let purchase = |record: &Record| Purchase {
            line: Line::of(record),
            waits: match record.activation {
                Some(ActivationRequest::AwaitsPublisher { since }) => {
                    format!("for your approval, {}", ago(since, now))
                }
                Some(ActivationRequest::AwaitsMicrosoft { .. }) => "for Microsoft".to_owned(),
                None => "for the buyer".to_owned(),
            },
            days_left: days_left(&record.subscription, now),
        };
        let page = NeedsYouPage {
            frame: self.frame,
            purchases: purchases.map(|found| {
                let mut purchases: Vec<_> = found.subscriptions.iter().map(purchase).collect();
                purchases.sort_by_key(|purchase| purchase.days_left);
                purchases
            }),
            parked: parked.map(|found| found.subscriptions.iter().map(Line::of).collect()),
            open: runs.map(|shown| {
                let run = shown.runs.into_iter().next();
                let when = run.as_ref().map(|run| ago(run.ended_at, now)).unwrap_or_default();
                let differences = run.map(|run| run.findings.differences).unwrap_or_default();
                differences.iter().filter_map(|difference| open(difference, &when)).collect()
            }),
            examined,
            credentials,
            alarms: alarms.inspect_err(
                |error| warn!(%error, class = ErrorClass::Configuration.name(), "could not read the alarms"),
            ),
        };
        shown(StatusCode::OK, &page)
    }
}

fn open(difference: &Difference, when: &str) -> Option<Open> {
    let what = match difference.outcome {
        Outcome::Repaired => return None,
        Outcome::Left => "left to the next run",
        Outcome::Failed => "failed",
    };
    Some(Open {
        address: crate::routes::subscription(difference.subscription_id),
        id: difference.subscription_id.to_string(),
        what,
        reason: difference.reason.clone().unwrap_or_default(),
        when: when.to_owned(),
    })
}
