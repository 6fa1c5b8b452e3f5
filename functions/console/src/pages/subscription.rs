//! One subscription: our record beside Microsoft's copy, the customer, the deliveries and the history.

use std::collections::BTreeSet;

use askama::Template;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use shared::domain::{Action, Claim, Status, SubscriptionId};
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
use crate::waits::waits;
use crate::words::{self, day, days, moment, name, pretty, tone};

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

    fn status(&self) -> &str {
        words::status(&self.record.subscription.saas_subscription_status)
    }

    fn is_over(&self) -> bool {
        self.record.subscription.saas_subscription_status == Status::Unsubscribed
    }

    /// Since when it is over or suspended, with a label.
    fn since(&self) -> Option<(&'static str, String)> {
        let label = match self.record.subscription.saas_subscription_status {
            Status::Suspended => "Suspended since",
            Status::Unsubscribed => "Ended on",
            Status::PendingFulfillmentStart | Status::Subscribed | Status::Other(_) => return None,
        };
        Some((label, moment(self.record.status_since?)))
    }

    /// How long it is, and from when to when it runs.
    fn term(&self) -> Option<String> {
        let term = &self.record.subscription.term;
        let dates = match (term.start_date, term.end_date) {
            (Some(start), Some(end)) => Some(days(start, end)),
            (None, Some(end)) => Some(format!("until {}", day(end))),
            (Some(start), None) => Some(format!("from {}", day(start))),
            (None, None) => None,
        };
        let length = term.term_unit.as_deref().map(words::term);
        let parts: Vec<_> = [length, dates].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(" · "))
    }

    /// What happens when the term is over. The end date is its last day (F-OBJ-6).
    fn renewal(&self) -> Option<String> {
        const DAY: SignedDuration = SignedDuration::from_hours(24);
        let subscription = &self.record.subscription;
        let last = subscription.term.end_date;
        let next = last.and_then(|last| last.checked_add(DAY).ok());
        match (&subscription.saas_subscription_status, subscription.auto_renew) {
            (Status::Subscribed | Status::Suspended, Some(true)) => {
                Some(next.map_or("Renews".to_owned(), |next| format!("Renews on {}", day(next))))
            }
            (Status::Subscribed | Status::Suspended, Some(false)) => Some(
                last.map_or("Does not renew".to_owned(), |last| format!("Ends on {}", day(last))),
            ),
            _ => None,
        }
    }

    /// Who has opened a purchase that Microsoft activated by itself; `None` for every other one.
    fn claim(&self) -> Option<String> {
        Some(match self.record.claim.as_ref()? {
            Claim::Unclaimed => "Not yet: Microsoft activated the purchase by itself".to_owned(),
            Claim::Claimed(claimant) => moment(claimant.at),
        })
    }

    fn differing(&self) -> usize {
        self.copies.as_ref().map_or(0, |rows| rows.iter().filter(|row| row.differs()).count())
    }

    /// What the person may do now. While an operation is pending, no change of plan or seats is offered
    /// (F-CHP-8).
    fn acts(&self) -> Vec<Act> {
        let status = &self.record.subscription.saas_subscription_status;
        let is_over = self.is_over();
        let pending = self.record.pending_operation.as_ref();
        let is_free = pending.is_none();
        let is_ending = pending.is_some_and(|pending| pending.action == Action::Unsubscribe);
        let fits = |act: Act| match act {
            Act::Approve | Act::Decline => *status == Status::PendingFulfillmentStart,
            Act::ChangePlan => is_free && *status == Status::Subscribed,
            Act::ChangeSeats => {
                let has_seats = self.record.subscription.quantity.is_some();
                is_free && has_seats && *status == Status::Subscribed
            }
            Act::Cancel => !is_ending && !is_over,
            Act::Erase => is_over && self.record.erased_at.is_none(),
            Act::Reference | Act::AddNote => self.record.erased_at.is_none(),
            Act::Refresh | Act::Redeliver => true,
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
        Act::ALL.into_iter().filter(|act| self.frame.may(*act) && fits(*act)).collect()
    }

    /// The classes of an act's button: the main one is filled.
    fn look(&self, act: Act) -> &'static str {
        match act {
            Act::Approve => "",
            act if act.is_grave() => " plain grave",
            _ => " plain",
        }
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
                Err(_) => {
                    Err("Microsoft's answer is incomplete, so its copy can't be compared now.")
                }
            },
            Err(FulfillmentError::NotFound { .. }) => {
                Err("Microsoft has no subscription with this ID.")
            }
            Err(_) => Err(
                "Microsoft did not answer, so its copy can't be compared now. Reload the page in a moment.",
            ),
        };
        let deliveries = match (until, &events) {
            (None, Ok(events)) => Some(table.deliveries(id, &mut found, events)),
            (None, Err(refusal)) => Some(Err(refusal.clone())),
            (Some(_), _) => None,
        };
        let next = events.as_ref().ok().and_then(|page| page.next.clone());
        let history = History::of(events, notes, before);
        let mut frame = self.frame;
        let is_active = record.subscription.saas_subscription_status == Status::Subscribed;
        if is_active && frame.done == Some(Act::Approve.done()) {
            frame.done = Some("The purchase is active.");
        }
        let page = SubscriptionPage {
            waits: waits(&record, self.frame.now),
            copies,
            deliveries,
            attempts,
            operations: operations.map(|found| found.operations.iter().map(pretty).collect()),
            earlier: next.map(|next| history.earlier(&routes::subscription(id), &next)),
            history,
            frame,
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
