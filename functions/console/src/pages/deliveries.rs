//! The receivers of events, and what they have not accepted.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use http::StatusCode;
use jiff::Timestamp;
use shared::domain::SubscriptionId;
use shared::host::http::Response;
use shared::publisher::audit::Shown;
use shared::publisher::receiver::ReceiverSettings;
use shared::store::{
    CursorState, Due, Entry, Found, Page, Pause, ReceiverState, Target, Undelivered, Wanted,
};
use url::form_urlencoded;

use super::{Pages, shown};
use crate::act::Act;
use crate::answers::Record;
use crate::api::Refusal;
use crate::frame::Frame;
use crate::routes;
use crate::table::{Table, readable_states};
use crate::words::{self, moment, name, waiting};

/// How many entries of each list are on a page. Their records and cursors, and the receivers' states, fit
/// into one batch of a hundred items.
const PAGE: u8 = 20;

/// A cell without a value.
const NONE: &str = "–";

/// A receiver as the settings and the table describe it.
struct Receiver {
    name: String,
    /// Which events it takes.
    filter: String,
    is_catching_up: bool,
    paused: Option<Pause>,
    /// How many subscriptions' events wait for it; `None` if none is on the page.
    waiting: Option<String>,
}

struct Line {
    address: String,
    name: String,
    receiver: String,
    since: String,
    failures: u32,
    error: String,
    next: String,
}

#[derive(Template)]
#[template(path = "deliveries.html")]
struct DeliveriesPage<'a> {
    frame: Frame<'a>,
    receivers: Result<Vec<Receiver>, Refusal>,
    parked: Result<Vec<Line>, Refusal>,
    has_more_parked: bool,
    waiting: Result<Vec<Line>, Refusal>,
    /// Whether this is the first page of what waits.
    is_first: bool,
    /// The address of the next page of what waits.
    next: Option<String>,
}

impl DeliveriesPage<'_> {
    /// The address of an act about one receiver.
    fn about(&self, receiver: &Receiver, act: Act) -> String {
        let encoded = form_urlencoded::Serializer::new(String::new())
            .append_pair("receiver", &receiver.name)
            .finish();
        format!("{}?{encoded}", routes::act(act, None))
    }

    fn act(&self, act: Act) -> String {
        routes::act(act, None)
    }

    /// Whether an event has anywhere to go; true if the receivers can't be read.
    fn has_receiver(&self) -> bool {
        self.receivers.as_ref().map_or(true, |receivers| !receivers.is_empty())
    }

    /// Whether nothing waits and nothing is parked, on this page or another one.
    fn is_all_accepted(&self) -> bool {
        let is_empty = |lines: &Result<Vec<Line>, Refusal>| lines.as_ref().is_ok_and(Vec::is_empty);
        let nothing_waits = is_empty(&self.waiting) && self.is_first && self.next.is_none();
        nothing_waits && is_empty(&self.parked) && !self.has_more_parked
    }
}

impl Pages<'_> {
    pub(crate) async fn deliveries(self, next: Option<&str>) -> Response {
        let table = self.table;
        let (parked, waiting) = tokio::join!(
            table.overview.undelivered(Undelivered::Parked, PAGE, None),
            table.overview.undelivered(Undelivered::Waiting, PAGE, next),
        );
        let (parked, waiting) = (parked.map_err(Refusal::from), waiting.map_err(Refusal::from));
        let mut found = table.look_up(wanted(table, [&parked, &waiting])).await;
        let states = found.as_mut().map(readable_states).unwrap_or_default();
        let lines =
            Lines { table, states: &states, found: found.as_ref().ok(), now: self.frame.now };
        let is_first = next.is_none();
        let page = DeliveriesPage {
            frame: self.frame,
            receivers: match &found {
                Ok(_) => Ok(receivers(table, &states, waiting.as_ref().ok().filter(|_| is_first))),
                Err(refusal) => Err(refusal.clone()),
            },
            is_first,
            has_more_parked: parked.as_ref().is_ok_and(|page| page.next.is_some()),
            parked: parked.map(|page| lines.of(&page)),
            next: waiting.as_ref().ok().and_then(|page| page.next.as_deref()).map(|next| {
                let next = form_urlencoded::byte_serialize(next.as_bytes()).collect::<String>();
                format!("{}?next={next}", routes::DELIVERIES)
            }),
            waiting: waiting.map(|page| lines.of(&page)),
        };
        let people = found.as_ref().map_or(0, |found| found.records.len());
        self.caller.shows(routes::DELIVERIES, Shown::Records(people));
        shown(StatusCode::OK, &page)
    }
}

/// What the lines of these entries show, and the receivers' states.
fn wanted(table: &Table, pages: [&Result<Page<Entry>, Refusal>; 2]) -> BTreeSet<Wanted> {
    let entries = pages.into_iter().flatten().flat_map(|page| &page.items);
    let wanted = entries.flat_map(|entry| {
        let cursor = match entry.due {
            Due::Cursor(id, target) => Some(Wanted::Cursor(id, target)),
            Due::Pending(..) => None,
        };
        [Wanted::Record(entry.due.subscription())].into_iter().chain(cursor)
    });
    wanted.chain(table.states()).collect()
}

/// The receivers of the settings. What waits for each is counted among the first entries.
fn receivers(
    table: &Table,
    states: &BTreeMap<Target, ReceiverState>,
    waiting: Option<&Page<Entry>>,
) -> Vec<Receiver> {
    let or_more = if waiting.is_some_and(|page| page.next.is_some()) { " or more" } else { "" };
    let receiver = |settings: &ReceiverSettings| {
        let receiver = settings.with(states);
        let waits =
            |entry: &&Entry| matches!(entry.due, Due::Cursor(_, it) if it == settings.target);
        let count = waiting.map_or(0, |page| page.items.iter().filter(waits).count());
        Receiver {
            name: settings.target.name().to_owned(),
            filter: filter(settings),
            is_catching_up: receiver.state.is_some_and(|state| state.catch_up.is_some()),
            paused: receiver.pause().cloned(),
            waiting: (count > 0).then(|| format!("{count}{or_more} waiting")),
        }
    };
    table.receivers.iter().map(receiver).collect()
}

fn filter(settings: &ReceiverSettings) -> String {
    let part = |names: &Option<BTreeSet<String>>, all: &str| match names {
        Some(names) => names.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
        None => all.to_owned(),
    };
    let types = part(&settings.filter.event_types, "All event types");
    format!("{types} · {}", part(&settings.filter.offers, "all offers"))
}

/// What the lines of entries are made of.
struct Lines<'a> {
    table: &'a Table,
    states: &'a BTreeMap<Target, ReceiverState>,
    /// `None` if it could not be read: the lines have what the entries say.
    found: Option<&'a Found>,
    now: Timestamp,
}

impl Lines<'_> {
    fn of(&self, page: &Page<Entry>) -> Vec<Line> {
        let mut pending = BTreeSet::new();
        let line = |entry: &Entry| match entry.due {
            Due::Pending(..) if self.table.receivers.is_empty() => None,
            // One line stands for all versions of a subscription that were not looked at yet.
            Due::Pending(id, _) => pending.insert(id).then(|| self.pending(id, entry.since)),
            Due::Cursor(id, target) => self.cursor(id, target, entry),
        };
        page.items.iter().filter_map(line).collect()
    }

    fn pending(&self, id: SubscriptionId, since: Timestamp) -> Line {
        let name = match &self.table.receivers[..] {
            [one] => words::receiver(one.target.name()),
            _ => "Each receiver".to_owned(),
        };
        Line {
            address: routes::subscription(id),
            name: self.name(id),
            receiver: name,
            since: waiting(since, self.now),
            failures: 0,
            error: NONE.to_owned(),
            next: "Not sent yet".to_owned(),
        }
    }

    /// `None` if nothing is sent for it any more, or if it has just been delivered.
    fn cursor(&self, id: SubscriptionId, target: Target, entry: &Entry) -> Option<Line> {
        let receiver = self.table.receiver_of(entry, target, self.states)?;
        let mut line = Line {
            address: routes::subscription(id),
            name: self.name(id),
            receiver: words::receiver(target.name()),
            since: waiting(entry.since, self.now),
            failures: 0,
            error: NONE.to_owned(),
            next: NONE.to_owned(),
        };
        let Some(found) = self.found else { return Some(line) };
        let cursor = match found.cursors.get(&(id, target)) {
            Some(Ok(cursor)) => receiver.with(self.states).own(cursor),
            Some(Err(_)) => return Some(Line { error: "Can't be read now".to_owned(), ..line }),
            None => return None,
        };
        let trouble = match cursor.state {
            CursorState::Flowing => return None,
            CursorState::Due { .. } if entry.is_parked => return None,
            CursorState::Parked { .. } if !entry.is_parked => return None,
            CursorState::Due { at, trouble } => {
                line.next = moment(at);
                trouble
            }
            CursorState::Parked { trouble, .. } => Some(trouble),
        };
        if let Some(trouble) = trouble {
            line.since = waiting(trouble.since, self.now);
            (line.failures, line.error) = (trouble.attempts, trouble.last);
        }
        Some(line)
    }

    fn name(&self, id: SubscriptionId) -> String {
        let record = self.found.and_then(|found| found.records.get(&id)?.as_ref().ok());
        record.map_or_else(|| id.to_string(), |record| name(&Record::of(record, None)))
    }
}
