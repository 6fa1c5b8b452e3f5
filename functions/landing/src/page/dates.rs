//! The dates of a subscription: each says what it is the date of, and only while that is true.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use shared::domain::{Status, Subscription};

use super::frame::Frame;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The rows of a list. `since` is when the subscription got its status, if it is known.
pub(super) fn dates<'a>(
    subscription: &Subscription,
    since: Option<Timestamp>,
    now: Timestamp,
    frame: &Frame<'a>,
) -> Vec<(&'a String, String)> {
    let labels = &frame.t().dates;
    let on = |label: &'a String, at: Option<Timestamp>| Some((label, frame.language.day(at?)));
    let row = match &subscription.saas_subscription_status {
        Status::PendingFulfillmentStart => None,
        Status::Subscribed => return of_term(subscription, now, frame),
        Status::Suspended => on(&labels.suspended_since, since),
        Status::Unsubscribed => on(&labels.ended_on, since),
        Status::Other(_) => None,
    };
    row.into_iter().collect()
}

/// The end of the term, and what follows it: the last day is valid, and a renewal happens on the next
/// (F-OBJ-6).
fn of_term<'a>(
    subscription: &Subscription,
    now: Timestamp,
    frame: &Frame<'a>,
) -> Vec<(&'a String, String)> {
    // Microsoft renews or ends what is over, and has not shown it yet.
    let is_over = |end: &Timestamp| day(*end) < day(now);
    let Some(end) = subscription.term.end_date.filter(|end| !is_over(end)) else {
        return Vec::new();
    };
    let labels = &frame.t().dates;
    let [last, next] = [end, end + DAY].map(|at| frame.language.day(at));
    let mut rows = Vec::new();
    if subscription.is_free_trial {
        rows.push((&labels.trial_until, last.clone()));
    }
    match (subscription.auto_renew, subscription.is_free_trial) {
        (Some(true), true) => rows.push((&labels.billed_from, next)),
        (Some(true), false) => rows.push((&labels.renews_on, next)),
        (Some(false), _) => rows.push((&labels.ends_on, last)),
        // Absent isn't true (F-OBJ-9).
        (None, false) => rows.push((&labels.term_until, last)),
        (None, true) => {}
    }
    rows
}

fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}
