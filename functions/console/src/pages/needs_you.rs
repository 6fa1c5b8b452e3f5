//! What needs a person: purchases that wait, operations that are overdue, deliveries that are parked, what
//! differs, and what is wrong.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use http::StatusCode;
use jiff::Timestamp;
use shared::domain::{ActivationRequest, IMPORT_MARGIN, Status, SubscriptionId};
use shared::host::cloudwatch::{Alarm, Alarms, AlarmsError};
use shared::host::error_class::ErrorClass;
use shared::host::http::Response;
use shared::publisher::audit::Shown;
use shared::store::{
    Agenda, Check, Checkpoint, Difference, Due, Entry, Filter, FirstStart, Found, ListQuery,
    Outcome, Page, Wanted,
};
use tracing::warn;

use super::examined::{Examined, tone};
use super::list::Line;
use super::{Pages, shown};
use crate::answers::Record;
use crate::api::Refusal;
use crate::credentials::{self, Credentials};
use crate::frame::Frame;
use crate::routes;
use crate::table::{Read, Table, logged, readable_states, records};
use crate::waits::waits;
use crate::words::{ago, counted, days_left, name, short, waiting};

/// The most purchases, and the most entries of another list. Their records, the receivers' states and the
/// rest fit into one batch of a hundred items.
const PURCHASES: u8 = 40;
const OTHERS: u8 = 20;

/// A purchase that isn't active yet.
struct Purchase {
    line: Line,
    /// What it waits for, and for how long.
    waits: String,
    days_left: Option<i64>,
    /// Another system may have told the buyer something about it.
    is_from_before: bool,
}

/// An operation or an activation that Microsoft should have finished.
struct Overdue {
    address: String,
    name: String,
    what: String,
}

/// A list, of which the page may show a part.
struct Part<T> {
    lines: Vec<T>,
    has_more: bool,
    /// How many of these could not be read.
    unreadable: usize,
}

impl<T> Part<T> {
    fn of(read: Read, has_more: bool, line: impl Fn(&Record) -> T) -> Self {
        let Read { records, unreadable } = read;
        Self { lines: records.iter().map(line).collect(), has_more, unreadable }
    }

    fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.unreadable == 0 && !self.has_more
    }
}

impl Purchase {
    /// How long Microsoft keeps it without an activation.
    fn expires(&self) -> String {
        match self.days_left.map(i64::unsigned_abs) {
            Some(0) => "Less than a day".to_owned(),
            Some(days) => counted(days, "day"),
            None => "–".to_owned(),
        }
    }
}

#[derive(Template)]
#[template(path = "needs_you.html")]
struct NeedsYouPage<'a> {
    frame: Frame<'a>,
    purchases: Result<Part<Purchase>, Refusal>,
    overdue: Result<Part<Overdue>, Refusal>,
    parked: Result<Part<Line>, Refusal>,
    open: Result<Part<Open>, Refusal>,
    examined: Result<Option<Examined>, Refusal>,
    credentials: Vec<credentials::Line>,
    /// The alarms that ring, each with what it means.
    alarms: Result<Vec<Alarm>, AlarmsError>,
}

/// A difference that a run left, or failed on.
struct Open {
    address: String,
    id: String,
    what: &'static str,
    reason: String,
}

impl NeedsYouPage<'_> {
    fn ago(&self, at: &Timestamp) -> String {
        ago(*at, self.frame.now)
    }

    fn tone(&self, check: &Check) -> &'static str {
        tone(check)
    }

    /// How many subscriptions' names and addresses are on it.
    fn people(&self) -> usize {
        let purchases = self.purchases.as_ref().map_or(0, |part| part.lines.len());
        let overdue = self.overdue.as_ref().map_or(0, |part| part.lines.len());
        let parked = self.parked.as_ref().map_or(0, |part| part.lines.len());
        purchases + overdue + parked
    }

    fn is_empty(&self) -> bool {
        self.purchases.as_ref().is_ok_and(Part::is_empty)
            && self.overdue.as_ref().is_ok_and(Part::is_empty)
            && self.parked.as_ref().is_ok_and(Part::is_empty)
            && self.open.as_ref().is_ok_and(Part::is_empty)
            && matches!(&self.examined, Ok(Some(found)) if !found.is_stale && found.complaints().is_empty())
            && !self.credentials.iter().any(|credential| credential.is_urgent)
            && self.alarms.as_ref().is_ok_and(Vec::is_empty)
    }
}

impl Pages<'_> {
    /// A part that can't be read says so, and hides no other.
    pub(crate) async fn needs_you(
        self,
        alarms: Option<&dyn Alarms>,
        credentials: &Credentials,
    ) -> Response {
        let (now, table) = (self.frame.now, self.table);
        let pending = Filter { status: Some(Status::PendingFulfillmentStart), ..Filter::default() };
        // One more tells whether there are others.
        let pending = ListQuery { limit: PURCHASES + 1, ..ListQuery::default().only(pending) };
        let ringing = async {
            match alarms {
                Some(alarms) => alarms.ringing().await,
                None => Ok(Vec::new()),
            }
        };
        let (pending, agenda, credentials, alarms) = tokio::join!(
            table.overview.list_ids(&pending, None),
            table.overview.agenda(now, OTHERS),
            credentials.lines(now),
            ringing,
        );
        let (pending, agenda) = (pending.map_err(Refusal::from), agenda.map_err(Refusal::from));
        let mut found =
            table.look_up(wanted(table, pending.as_ref().ok(), agenda.as_ref().ok())).await;
        let (mut states, mut first_start) = (BTreeMap::new(), None);
        let (mut checkpoint, mut examined) = (Ok(None), Ok(None));
        if let Ok(found) = &mut found {
            states = readable_states(found);
            first_start = found.first_start.take().and_then(logged);
            checkpoint = found.checkpoint.take().transpose();
            examined = found.examination.take().transpose();
        }
        let page = NeedsYouPage {
            frame: self.frame,
            purchases: both(&pending, &found, |page, found| {
                purchases(page, found, first_start.as_ref(), now)
            }),
            overdue: both(&agenda, &found, |agenda, found| overdue(agenda, found, now)),
            parked: both(&agenda, &found, |agenda, found| {
                let is_sent = |entry: &&Entry| match entry.due {
                    Due::Cursor(_, target) => table.receiver_of(entry, target, &states).is_some(),
                    Due::Pending(..) => false,
                };
                let sent = agenda.parked.iter().filter(is_sent);
                let read = records(found, sent.map(|entry| entry.due.subscription()));
                Part::of(read, agenda.has_more_parked, Line::of)
            }),
            open: match (&found, checkpoint) {
                (Err(refusal), _) => Err(refusal.clone()),
                (Ok(_), read) => read.map_err(Refusal::from).map(|read| open(&read.unwrap_or_default())),
            },
            examined: match (&found, examined) {
                (Err(refusal), _) => Err(refusal.clone()),
                (Ok(_), read) => {
                    read.map_err(Refusal::from).map(|last| last.map(|last| Examined::of(last, now)))
                }
            },
            credentials,
            alarms: alarms.inspect_err(
                |error| warn!(%error, class = ErrorClass::Configuration.name(), "could not read the alarms"),
            ),
        };
        self.caller.shows(routes::NEEDS_YOU, Shown::Records(page.people()));
        shown(StatusCode::OK, &page)
    }
}

/// Everything of the lists, and what is shown beside them.
fn wanted(
    table: &Table,
    pending: Option<&Page<SubscriptionId>>,
    agenda: Option<&Agenda>,
) -> BTreeSet<Wanted> {
    let listed = pending.iter().flat_map(|page| page.items.iter().copied());
    let due = agenda.iter().flat_map(|agenda| {
        let parked = agenda.parked.iter().map(|entry| entry.due.subscription());
        agenda.work.iter().copied().chain(parked)
    });
    let beside = [Wanted::Checkpoint, Wanted::FirstStart, Wanted::Examination];
    let beside = beside.into_iter().chain(table.states());
    listed.chain(due).map(Wanted::Record).chain(beside).collect()
}

/// What is made of a list and of what was found of its entries.
fn both<L, T>(
    list: &Result<L, Refusal>,
    found: &Result<Found, Refusal>,
    make: impl FnOnce(&L, &Found) -> T,
) -> Result<T, Refusal> {
    match (list, found) {
        (Ok(list), Ok(found)) => Ok(make(list, found)),
        (Err(refusal), _) | (_, Err(refusal)) => Err(refusal.clone()),
    }
}

fn purchases(
    page: &Page<SubscriptionId>,
    found: &Found,
    first_start: Option<&FirstStart>,
    now: Timestamp,
) -> Part<Purchase> {
    let shown = page.items.iter().copied().take(PURCHASES.into());
    let mut read = records(found, shown);
    // The index may lag.
    read.records.retain(|record| {
        record.subscription.saas_subscription_status == Status::PendingFulfillmentStart
    });
    let purchase = |record: &Record| Purchase {
        line: Line::of(record),
        waits: match record.activation {
            Some(ActivationRequest::AwaitsPublisher { since }) => {
                format!("Your approval, for {}", waiting(since, now))
            }
            Some(ActivationRequest::AwaitsMicrosoft { .. }) => "Microsoft".to_owned(),
            None => "The buyer".to_owned(),
        },
        days_left: days_left(&record.subscription, now),
        is_from_before: first_start.zip(record.subscription.created).is_some_and(
            |(first, created)| first.started_at.duration_since(created) > IMPORT_MARGIN,
        ),
    };
    let mut part = Part::of(read, page.items.len() > PURCHASES.into(), purchase);
    part.lines.sort_by_key(|purchase| purchase.days_left);
    part
}

fn overdue(agenda: &Agenda, found: &Found, now: Timestamp) -> Part<Overdue> {
    let is_overdue = |id: &SubscriptionId| match found.records.get(id) {
        // What is due about other records, the reconciliation does by itself.
        Some(Ok(record)) => {
            let due = [record.operation_due(), record.activation_due()];
            due.into_iter().flatten().any(|due| due <= now)
        }
        Some(Err(_)) | None => true,
    };
    let read = records(found, agenda.work.iter().copied().filter(is_overdue));
    // Due work alone is no task for the staff: the reconciliation does it.
    let has_more = agenda.has_more_work && !(read.records.is_empty() && read.unreadable == 0);
    Part::of(read, has_more, |record| Overdue {
        address: routes::subscription(record.subscription.id),
        name: name(record),
        what: waits(record, now).unwrap_or_default(),
    })
}

fn open(checkpoint: &Checkpoint) -> Part<Open> {
    let line = |difference: &Difference| Open {
        address: routes::subscription(difference.subscription_id),
        id: short(difference.subscription_id),
        what: match difference.outcome {
            Outcome::Left | Outcome::Repaired => "left for the next run",
            Outcome::Failed => "failed",
        },
        reason: difference.reason.clone().unwrap_or_default(),
    };
    let all: Vec<_> = checkpoint.open_differences().collect();
    Part {
        has_more: all.len() > OTHERS.into() || checkpoint.has_more_open(),
        lines: all.into_iter().take(OTHERS.into()).map(line).collect(),
        unreadable: 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shared::domain::{Cause, Decision, observe};
    use shared::store::StoreError;

    use super::*;

    fn id() -> SubscriptionId {
        SubscriptionId(uuid::Uuid::from_u128(1))
    }

    /// A subscription for which no operation is pending.
    fn record(now: Timestamp) -> shared::domain::Record {
        let observed = json!({
            "id": id(), "offerId": "fleet", "planId": "silver", "saasSubscriptionStatus": "Subscribed",
        });
        let observed = serde_json::from_value(observed).expect("an observation");
        match observe(None, &observed, &Cause::Reconciliation, now) {
            Ok(Decision::Commit(change)) => change.record,
            other => panic!("nothing to commit: {other:?}"),
        }
    }

    #[test]
    fn due_work_alone_needs_nobody() {
        let now = Timestamp::UNIX_EPOCH;
        for (read, is_empty) in [(Ok(record(now)), true), (Err(StoreError::BadPosition), false)] {
            let agenda = Agenda { work: vec![id()], has_more_work: true, ..Agenda::default() };
            let mut found = Found::default();
            found.records.insert(id(), read);
            let part = overdue(&agenda, &found, now);
            assert_eq!((part.is_empty(), part.has_more), (is_empty, !is_empty));
        }
    }
}
