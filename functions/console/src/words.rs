//! Times, names and codes as the staff read them.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use shared::domain::{
    ACTIVATION_DEADLINE, Cause, DecidedBy, EventKind, OperationSource, Requester, Ruling, Status,
    Subscription, Verdict,
};

use crate::answers::Record;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A moment in UTC, to the minute.
pub(crate) fn moment(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%-d %b %Y %H:%M UTC").to_string()
}

pub(crate) fn day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%-d %b %Y").to_string()
}

/// How long ago something was, in its largest unit.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> String {
    let past = now.duration_since(at);
    let (count, unit) = match (past.as_hours() / 24, past.as_hours(), past.as_mins()) {
        (days @ 1.., _, _) => (days, "day"),
        (_, hours @ 1.., _) => (hours, "hour"),
        (_, _, minutes @ 1..) => (minutes, "minute"),
        _ => return "just now".to_owned(),
    };
    format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" })
}

/// The whole days until a purchase lapses unless it is activated (F-LC-3); 0 once that time has come.
pub(crate) fn days_left(subscription: &Subscription, now: Timestamp) -> Option<i64> {
    let last = subscription.created?.checked_add(ACTIVATION_DEADLINE).ok()?;
    Some((last.duration_since(now).as_secs() / DAY.as_secs()).max(0))
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

/// What a subscription is called: the buyer's name of it, the publisher's reference, or its id.
pub(crate) fn name(record: &Record) -> String {
    let named = record.subscription.name.as_ref().or(record.reference.as_ref());
    named
        .filter(|name| !name.trim().is_empty())
        .cloned()
        .unwrap_or_else(|| short(&record.subscription))
}

/// The first part of its id.
pub(crate) fn short(subscription: &Subscription) -> String {
    subscription.id.to_string().split('-').next().unwrap_or_default().to_owned()
}

/// A class of the style sheet.
pub(crate) fn tone(status: &Status) -> &'static str {
    match status {
        Status::Subscribed => "good",
        Status::PendingFulfillmentStart | Status::Suspended => "warn",
        Status::Unsubscribed | Status::Other(_) => "end",
    }
}

/// The value before and after an event; `None` for an event without them.
pub(crate) fn change(kind: &EventKind) -> Option<String> {
    let seats = |seats: &Option<u64>| seats.map_or_else(|| "none".to_owned(), |n| n.to_string());
    match kind {
        EventKind::PlanChanged { from, to } => Some(format!("{from} → {to}")),
        EventKind::QuantityChanged { from, to } => {
            Some(format!("{} → {} seats", seats(from), seats(to)))
        }
        EventKind::ChangeRejected { change } => {
            let change = serde_json::to_value(change).unwrap_or_default();
            let text = |name: &str| match &change[name] {
                serde_json::Value::String(text) => text.clone(),
                serde_json::Value::Null => "unknown".to_owned(),
                other => other.to_string(),
            };
            Some(format!("{} → {} (not made)", text("from"), text("to")))
        }
        _ => None,
    }
}

/// Who did it, and the way.
pub(crate) fn who(cause: &Cause) -> String {
    match cause {
        Cause::Landing => "Buyer, on the landing page".to_owned(),
        Cause::Webhook { action, source, requester, .. } => {
            let by = match (requester, source) {
                (Some(requester), _) => self::requester(requester),
                (None, Some(OperationSource::Azure)) => {
                    "Customer or reseller, at Microsoft".to_owned()
                }
                (None, Some(OperationSource::Partner)) => "Publisher".to_owned(),
                (None, _) => "Microsoft".to_owned(),
            };
            format!("{by} (webhook {action})")
        }
        Cause::Management { principal } => caller("API", principal.as_deref()),
        Cause::Activation { principal } => caller("Activation", principal.as_deref()),
        Cause::Reconciliation => "Reconciliation".to_owned(),
    }
}

/// Who wrote a note.
pub(crate) fn author(by: Option<&str>) -> String {
    caller("API", by)
}

fn requester(requester: &Requester) -> String {
    match requester {
        Requester::Buyer { account } => match account.object_id {
            Some(person) => format!("Buyer {person}"),
            None => "Buyer".to_owned(),
        },
        Requester::Publisher { principal } => caller("API", principal.as_deref()),
    }
}

/// A person at the console is named by themselves, and needs no other word.
fn caller(way: &str, principal: Option<&str>) -> String {
    match principal {
        Some(principal) => match principal.strip_prefix("console: ") {
            Some(person) => format!("{person}, at the console"),
            None => format!("{way}, {principal}"),
        },
        None => way.to_owned(),
    }
}

/// The decision about a requested change.
pub(crate) fn why(ruling: &Ruling) -> String {
    let verdict = match ruling.verdict {
        Verdict::Accept => "Accepted",
        Verdict::Reject => "Rejected",
    };
    let by = match ruling.by {
        DecidedBy::Publisher => "by the publisher",
        DecidedBy::InForce => "since it is in force",
        DecidedBy::Rules => "by the rules",
        DecidedBy::Product => "by the product",
        DecidedBy::Fallback => "since the product gave no decision",
        DecidedBy::Policy => "by the policy",
    };
    match &ruling.reason {
        Some(reason) => format!("{verdict} {by}: {reason}"),
        None => format!("{verdict} {by}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spaced_into_words() {
        assert_eq!(spaced("PlanChanged"), "Plan changed");
        assert_eq!(spaced("ActivationDeadlineApproaching"), "Activation deadline approaching");
        assert_eq!(spaced("upToDate"), "Up to date");
        assert_eq!(spaced(""), "");
    }

    #[test]
    fn times_are_in_utc_and_ages_in_their_largest_unit() {
        let at: Timestamp = "2026-03-09T23:59:30Z".parse().expect("a time");
        assert_eq!((moment(at), day(at)), ("9 Mar 2026 23:59 UTC".into(), "9 Mar 2026".into()));
        for (later, expected) in [
            (0, "just now"),
            (-60, "just now"),
            (60, "1 minute ago"),
            (7200, "2 hours ago"),
            (86_400, "1 day ago"),
            (400 * 86_400, "400 days ago"),
        ] {
            let now = at.checked_add(SignedDuration::from_secs(later)).expect("a time");
            assert_eq!(ago(at, now), expected);
        }
    }

    #[test]
    fn a_person_at_the_console_is_named_without_the_way() {
        let principal = Some("console: Ada Admin (6f1d5a2e)".to_owned());
        let cause = Cause::Management { principal };
        assert_eq!(who(&cause), "Ada Admin (6f1d5a2e), at the console");
        assert_eq!(who(&Cause::Management { principal: None }), "API");
        let arn = Some("arn:aws:iam::123456789012:user/portal".to_owned());
        let expected = "Activation, arn:aws:iam::123456789012:user/portal";
        assert_eq!(who(&Cause::Activation { principal: arn }), expected);
    }
}
