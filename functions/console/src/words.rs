//! Times, names and codes as the staff read them.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use shared::domain::{
    ACTIVATION_DEADLINE, Cause, DecidedBy, EventKind, OperationSource, Requester, Ruling, Status,
    Subscription, SubscriptionId, Verdict,
};
use shared::store::Target;

use crate::answers::Record;
use crate::copies::Row;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The last line of a paragraph begins with no lone year, unit or "ago".
const NO_BREAK: &str = "\u{a0}";

fn written(at: Timestamp, format: &str) -> String {
    at.to_zoned(TimeZone::UTC).strftime(format).to_string()
}

/// A moment in UTC, to the minute.
pub(crate) fn moment(at: Timestamp) -> String {
    written(at, "%-d\u{a0}%b\u{a0}%Y %H:%M\u{a0}UTC")
}

pub(crate) fn day(at: Timestamp) -> String {
    written(at, "%-d\u{a0}%b\u{a0}%Y")
}

/// From one day to another.
pub(crate) fn days(start: Timestamp, end: Timestamp) -> String {
    let is_of_one_year = written(start, "%Y") == written(end, "%Y");
    let start = if is_of_one_year { written(start, "%-d\u{a0}%b") } else { day(start) };
    format!("{start} – {}", day(end))
}

/// So many of something.
pub(crate) fn counted(count: u64, one: &str) -> String {
    format!("{count}{NO_BREAK}{one}{}", if count == 1 { "" } else { "s" })
}

/// How much time has gone by, in its largest unit; `None` for less than a minute.
fn largest_unit(at: Timestamp, now: Timestamp) -> Option<String> {
    let past = now.duration_since(at);
    Some(match (past.as_hours() / 24, past.as_hours(), past.as_mins()) {
        (days @ 1.., _, _) => counted(days.unsigned_abs(), "day"),
        (_, hours @ 1.., _) => counted(hours.unsigned_abs(), "hour"),
        (_, _, minutes @ 1..) => counted(minutes.unsigned_abs(), "minute"),
        _ => return None,
    })
}

/// How long ago something was.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> String {
    let past = largest_unit(at, now).map(|past| format!("{past}{NO_BREAK}ago"));
    past.unwrap_or_else(|| "just now".to_owned())
}

/// For how long something has been waiting.
pub(crate) fn waiting(since: Timestamp, now: Timestamp) -> String {
    largest_unit(since, now).unwrap_or_else(|| "less than a minute".to_owned())
}

/// A billing term: `P1M` is a month. A term that we do not know stays as Microsoft wrote it (F-OBJ-7).
pub(crate) fn term(unit: &str) -> String {
    let counted_in = |letter, one| {
        let count: u64 = unit.strip_prefix('P')?.strip_suffix(letter)?.parse().ok()?;
        Some(counted(count, one))
    };
    counted_in('M', "month").or_else(|| counted_in('Y', "year")).unwrap_or_else(|| unit.to_owned())
}

/// A receiver of events; those without a name of their own are called what they are.
pub(crate) fn receiver(name: &str) -> String {
    match name.parse() {
        Ok(Target::Endpoint) => format!("Your product ({name})"),
        Ok(Target::EventBus) => format!("Amazon EventBridge ({name})"),
        Ok(Target::Named(_)) | Err(_) => name.to_owned(),
    }
}

/// The whole days until a purchase lapses unless it is activated (F-LC-3); 0 once that time has come.
pub(crate) fn days_left(subscription: &Subscription, now: Timestamp) -> Option<i64> {
    let last = subscription.created?.checked_add(ACTIVATION_DEADLINE).ok()?;
    Some((last.duration_since(now).as_secs() / DAY.as_secs()).max(0))
}

/// JSON in lines.
pub(crate) fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// The words of a name such as `PlanChanged`: "Plan changed".
pub(crate) fn spaced(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    for (at, letter) in name.char_indices() {
        match letter.is_uppercase() && at > 0 {
            true => words.extend([' ', letter.to_ascii_lowercase()]),
            false if at == 0 => words.push(letter.to_ascii_uppercase()),
            false => words.push(letter),
        }
    }
    words
}

/// A subscription's status, as every page and filter has it.
pub(crate) fn status(status: &Status) -> &str {
    match status {
        Status::PendingFulfillmentStart => "Waiting for activation",
        Status::Subscribed => "Subscribed",
        Status::Suspended => "Suspended",
        Status::Unsubscribed => "Ended",
        Status::Other(word) => word,
    }
}

/// The plan's name, or its id where the name isn't known.
pub(crate) fn plan(record: &Record) -> &str {
    record.plan_name.as_deref().unwrap_or(&record.subscription.plan_id)
}

/// Whose a subscription is, and what they bought.
pub(crate) fn about(record: &Record) -> String {
    let subscription = &record.subscription;
    let seats = subscription.quantity.map(|seats| counted(seats, "seat"));
    let unit = subscription.term.term_unit.as_deref().map(term);
    let trial = subscription.is_free_trial.then(|| "free trial".to_owned());
    let customer = subscription.beneficiary.email_id.clone();
    let parts = [customer, Some(plan(record).to_owned()), seats, unit, trial];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// What a subscription is called: the buyer's name of it, the publisher's reference, or its id.
pub(crate) fn name(record: &Record) -> String {
    let named = record.subscription.name.as_ref().or(record.reference.as_ref());
    named
        .filter(|name| !name.trim().is_empty())
        .cloned()
        .unwrap_or_else(|| short(record.subscription.id))
}

/// The first part of its id.
pub(crate) fn short(id: SubscriptionId) -> String {
    id.to_string().split('-').next().unwrap_or_default().to_owned()
}

/// A class of the style sheet.
pub(crate) fn tone(status: &Status) -> &'static str {
    match status {
        Status::Subscribed => "good",
        Status::PendingFulfillmentStart | Status::Suspended => "warn",
        Status::Unsubscribed | Status::Other(_) => "end",
    }
}

/// What an event is called. `changed` are the fields that became others.
pub(crate) fn title(kind: &EventKind, changed: &[Row]) -> String {
    match (kind, changed) {
        (EventKind::QuantityChanged { .. }, _) => "Seats changed".to_owned(),
        (EventKind::Unsubscribed, _) => "Ended".to_owned(),
        (EventKind::DetailsChanged, [Row { field, .. }]) if field == "name" => {
            "Name changed".to_owned()
        }
        (kind, _) => spaced(kind.name()),
    }
}

/// The value before and after an event; `None` for an event without them.
pub(crate) fn change(kind: &EventKind) -> Option<String> {
    let seats = |seats: &Option<u64>| seats.map_or_else(|| "none".to_owned(), |n| n.to_string());
    match kind {
        EventKind::PlanChanged { from, to } => Some(format!("{from}{NO_BREAK}→ {to}")),
        EventKind::QuantityChanged { from, to } => {
            Some(format!("{}{NO_BREAK}→{NO_BREAK}{}", seats(from), seats(to)))
        }
        EventKind::ChangeRejected { change } => {
            let change = serde_json::to_value(change).unwrap_or_default();
            let text = |name: &str| match &change[name] {
                Value::String(text) => text.clone(),
                Value::Null => "unknown".to_owned(),
                other => other.to_string(),
            };
            Some(format!("{}{NO_BREAK}→ {} (not made)", text("from"), text("to")))
        }
        _ => None,
    }
}

/// Who did it, and the way. The event says which call it was, and the ids.
pub(crate) fn who(cause: &Cause) -> String {
    match cause {
        Cause::Landing => "Buyer, on the landing page".to_owned(),
        Cause::Webhook { source, requester, .. } => match (requester, source) {
            (Some(requester), _) => self::requester(requester),
            (None, Some(OperationSource::Azure)) => "Customer or reseller, at Microsoft".to_owned(),
            (None, Some(OperationSource::Partner)) => "Publisher".to_owned(),
            (None, _) => "Microsoft".to_owned(),
        },
        Cause::Management { principal } | Cause::Activation { principal } => {
            caller(principal.as_deref())
        }
        Cause::Reconciliation => "Reconciliation".to_owned(),
    }
}

pub(crate) fn requester(requester: &Requester) -> String {
    match requester {
        Requester::Buyer { .. } => "Buyer, on the landing page".to_owned(),
        Requester::Publisher { principal } => caller(principal.as_deref()),
    }
}

/// A person at the console is named by themselves, without their object id.
pub(crate) fn caller(principal: Option<&str>) -> String {
    match principal {
        Some(principal) => match principal.strip_prefix("console: ") {
            Some(person) => format!("{}, in the console", named(person)),
            None => format!("Publisher, through the API ({principal})"),
        },
        None => "Publisher, through the API".to_owned(),
    }
}

/// A person's name without the id behind it; the id if Entra gave no name.
fn named(person: &str) -> &str {
    let name = person.strip_suffix(')').and_then(|rest| rest.rsplit_once(" ("));
    name.map(|(name, _)| name).filter(|name| !name.trim().is_empty()).unwrap_or(person.trim())
}

/// The decision about a requested change.
pub(crate) fn why(ruling: &Ruling) -> String {
    let verdict = match ruling.verdict {
        Verdict::Accept => "Accepted",
        Verdict::Reject => "Rejected",
    };
    let by = match ruling.by {
        DecidedBy::Publisher => "by the publisher",
        DecidedBy::InForce => "because it already applies",
        DecidedBy::Rules => "by the rules",
        DecidedBy::Product => "by your product",
        DecidedBy::Fallback => "because your product gave no decision",
        DecidedBy::Policy => "by the policy",
    };
    match &ruling.reason {
        Some(reason) => format!("{verdict} {by}: {reason}"),
        None => format!("{verdict} {by}"),
    }
}

#[cfg(test)]
mod tests;
