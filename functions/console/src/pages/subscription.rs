//! One subscription: our record beside Microsoft's copy, the customer, the deliveries and the history.

use std::collections::BTreeSet;

use askama::Template;
use http::StatusCode;
use jiff::Timestamp;
use serde_json::Value;
use shared::domain::{ActivationRequest, Claim, Status, SubscriptionId};
use shared::host::http::Response;
use shared::microsoft::fulfillment::{FulfillmentError, Marketplace};
use shared::publisher::audit::Shown;
use shared::store::{Attempt, Wanted};

use super::history::History;
use super::{Pages, shown};
use crate::act::Act;
use crate::answers::{Delivery, Operations, Record};
use crate::api::Refusal;
use crate::copies::{Row, rows};
use crate::frame::Frame;
use crate::routes;
use crate::table::Table;
use crate::words::{ago, day, days_left, moment, name, tone};

/// How many of the attempts that failed are on the page.
const ATTEMPTS: u8 = 10;

/// The page in audit lines.
const SUBSCRIPTION: &str = "/console/subscriptions/{id}";

#[derive(Template)]
#[template(path = "subscription.html")]
struct SubscriptionPage<'a> {
    frame: Frame<'a>,
    record: &'a Record,
    /// A sentence about what the subscription waits for.
    waits: Option<String>,
    copies: Result<Vec<Row>, &'static str>,
    /// `None` on a page of the history that doesn't begin with the last event.
    deliveries: Option<Result<Vec<Delivery>, Refusal>>,
    attempts: Result<Vec<Attempt>, Refusal>,
    operations: Result<Vec<String>, Refusal>,
    history: History,
    /// The address of the history before this page's.
    earlier: Option<String>,
}

impl SubscriptionPage<'_> {
    fn id(&self) -> SubscriptionId {
        self.record.subscription.id
    }

    fn name(&self) -> String {
        name(self.record)
    }

    fn tone(&self) -> &'static str {
        tone(&self.record.subscription.saas_subscription_status)
    }

    fn moment(&self, at: &Timestamp) -> String {
        moment(*at)
    }

    /// From when to when it runs.
    fn term(&self) -> Option<String> {
        let term = &self.record.subscription.term;
        let unit = term.term_unit.as_deref().unwrap_or_default();
        let dates = match (term.start_date, term.end_date) {
            (Some(start), Some(end)) => format!("{} to {}", day(start), day(end)),
            (None, Some(end)) => format!("to {}", day(end)),
            (Some(start), None) => format!("from {}", day(start)),
            (None, None) => String::new(),
        };
        let parts = [unit, &dates].into_iter().filter(|part| !part.is_empty());
        Some(parts.collect::<Vec<_>>().join(" · ")).filter(|term| !term.is_empty())
    }

    /// What happens when the term is over. The end date is its last day (F-OBJ-6).
    fn renewal(&self) -> Option<&'static str> {
        let subscription = &self.record.subscription;
        match (&subscription.saas_subscription_status, subscription.auto_renew) {
            (Status::Subscribed | Status::Suspended, Some(true)) => {
                Some("It renews on the next day.")
            }
            (Status::Subscribed | Status::Suspended, Some(false)) => Some("It ends."),
            _ => None,
        }
    }

    /// Who has opened a purchase that Microsoft activated by itself; `None` for every other one.
    fn claim(&self) -> Option<String> {
        Some(match self.record.claim.as_ref()? {
            Claim::Unclaimed => {
                "by nobody yet: Microsoft activated the purchase by itself".to_owned()
            }
            Claim::Claimed(claimant) => format!("on {}", moment(claimant.at)),
        })
    }

    fn differing(&self) -> usize {
        self.copies.as_ref().map_or(0, |rows| rows.iter().filter(|row| row.differs()).count())
    }

    /// What the person may do now, with a link's text.
    fn acts(&self) -> Vec<(String, &'static str, bool)> {
        let status = &self.record.subscription.saas_subscription_status;
        let ended = *status == Status::Unsubscribed;
        let fits = |act: Act| match act {
            Act::Approve | Act::Decline => *status == Status::PendingFulfillmentStart,
            Act::ChangePlan => *status == Status::Subscribed,
            Act::ChangeSeats => {
                *status == Status::Subscribed && self.record.subscription.quantity.is_some()
            }
            Act::Cancel => !ended,
            Act::Erase => ended && self.record.erased_at.is_none(),
            Act::Reference | Act::AddNote => self.record.erased_at.is_none(),
            Act::LookAgain | Act::Redeliver => true,
            Act::RecoverParked
            | Act::RecoverSince
            | Act::PauseReceiver
            | Act::ResumeReceiver
            | Act::TestEvent
            | Act::Reconcile
            | Act::DryRun
            | Act::PauseRuns
            | Act::ResumeRuns => false,
        };
        Act::ALL
            .into_iter()
            .filter(|act| self.frame.may(*act) && fits(*act))
            .map(|act| (routes::act(act, Some(self.id())), act.title(), act.is_grave()))
            .collect()
    }
}

impl Pages<'_> {
    pub(crate) async fn subscription(
        self,
        id: SubscriptionId,
        until: Option<u64>,
        before: Option<Timestamp>,
        marketplace: &dyn Marketplace,
    ) -> Result<Response, Refusal> {
        let (caller, table) = (self.caller, self.table);
        let operations = format!("/subscriptions/{id}/operations");
        let (found, events, attempts, operations, theirs) = tokio::join!(
            table.look_up(wanted(table, id)),
            table.overview.last_events(id, until.unwrap_or(u64::MAX)),
            table.attempts.attempts(id, ATTEMPTS, None),
            caller.get::<Operations>(operations),
            marketplace.get_subscription(id),
        );
        let mut found = found?;
        let record = found.records.remove(&id).ok_or_else(Refusal::unknown_subscription)??;
        let annotations = found.annotations.remove(&id).transpose().map_err(Refusal::from);
        let record = Record::of(&record, annotations.as_ref().ok().and_then(Option::as_ref));
        caller.shows(SUBSCRIPTION, Shown::Record(id));
        let notes = annotations.map(|noted| noted.map(|noted| noted.notes).unwrap_or_default());
        if let Ok(notes) = &notes {
            caller.shows(SUBSCRIPTION, Shown::Notes(id, notes.len()));
        }
        let events = events.map_err(Refusal::from);
        if let Ok(events) = &events {
            caller.shows(SUBSCRIPTION, Shown::Events(id, events.items.len()));
        }
        let attempts = attempts.map(|page| page.items).map_err(Refusal::from);
        if let Ok(attempts) = &attempts {
            caller.shows(SUBSCRIPTION, Shown::Attempts(id, attempts.len()));
        }
        let copies = match theirs {
            Ok(theirs) => match theirs.of(id).onto(None) {
                Ok(theirs) => Ok(rows(&record.subscription, &theirs)),
                Err(_) => Err("Microsoft's answer about it is incomplete."),
            },
            Err(FulfillmentError::NotFound { .. }) => Err("Microsoft knows no such subscription."),
            Err(_) => Err("Microsoft did not answer. Reload the page in a moment."),
        };
        let deliveries = match (until, &events) {
            (None, Ok(events)) => Some(table.deliveries(id, &mut found, events)),
            (None, Err(refusal)) => Some(Err(refusal.clone())),
            (Some(_), _) => None,
        };
        let next = events.as_ref().ok().and_then(|page| page.next.clone());
        let history = History::of(events, notes, before);
        let page = SubscriptionPage {
            waits: waits(&record, self.frame.now),
            copies,
            deliveries,
            attempts,
            operations: operations.map(|found| found.operations.iter().map(pretty).collect()),
            earlier: next.map(|next| history.earlier(&routes::subscription(id), &next)),
            history,
            frame: self.frame,
            record: &record,
        };
        Ok(shown(StatusCode::OK, &page))
    }
}

fn wanted(table: &Table, id: SubscriptionId) -> BTreeSet<Wanted> {
    let cursors = table.receivers.iter().map(|receiver| Wanted::Cursor(id, receiver.target));
    let own = [Wanted::Record(id), Wanted::Annotations(id)].into_iter().chain(cursors);
    own.chain(table.states()).collect()
}

pub(super) fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

pub(super) fn waits(record: &Record, now: Timestamp) -> Option<String> {
    let pending = record.pending_operation.as_ref();
    let pending = pending.map(|pending| {
        format!("{} was requested {}, and is not over.", pending.action, ago(pending.since, now))
    });
    let lapses = || match days_left(&record.subscription, now) {
        Some(0) => " The purchase may have lapsed.".to_owned(),
        Some(1) => " It lapses in 1 day.".to_owned(),
        Some(days) => format!(" It lapses in {days} days."),
        None => String::new(),
    };
    match record.activation {
        Some(ActivationRequest::AwaitsPublisher { since }) => Some(format!(
            "The buyer confirmed {}. It waits for your approval.{}",
            ago(since, now),
            lapses()
        )),
        Some(ActivationRequest::AwaitsMicrosoft { since }) => {
            Some(format!("Microsoft was asked to activate it {}.", ago(since, now)))
        }
        None if record.subscription.saas_subscription_status == Status::PendingFulfillmentStart => {
            Some(format!("It waits for the buyer to confirm on the landing page.{}", lapses()))
        }
        None => pending,
    }
}
