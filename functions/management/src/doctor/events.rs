//! Whether events reach your product.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use shared::store::{Due, Outbox, ReceiverState, Receivers, STREAM_HEAD_START, Target};

use super::ago::ago;
use super::finding::Finding;
use super::table::unread;

const STREAM: &str = "stream";
const EVENTS: &str = "events";

/// Neither the stream nor the next sweep has found an event that is older by this than the stream's own
/// time.
const NEXT_SWEEP: SignedDuration = SignedDuration::from_secs(60);

/// As the alarm EventsNotTaken.
const TOO_LONG: SignedDuration = SignedDuration::from_mins(30);

/// A pause that is longer was forgotten.
const PAUSE_IS_LONG: SignedDuration = SignedDuration::from_hours(24);

const NO_RECEIVER: &str = "No receiver is configured: DeliveryEndpoint, DeliveryEndpoints and DeliveryEventBusArn are empty. \
     Events are recorded and not sent.";

/// Events that no delivery has looked at yet. What a receiver refuses is not among them.
pub(super) async fn stream(outbox: &dyn Outbox, targets: &[Target], now: Timestamp) -> Finding {
    if targets.is_empty() {
        return Finding::ok(STREAM, NO_RECEIVER);
    }
    let page = match outbox.due(now - NEXT_SWEEP, None).await {
        Ok(page) => page,
        Err(error) => return unread(STREAM, &error),
    };
    let waiting = page.items.iter().filter(|due| matches!(due, Due::Pending(..))).count() as u64;
    let minutes = (STREAM_HEAD_START + NEXT_SWEEP).as_secs() / 60;
    if waiting == 0 {
        let says = format!("No event has waited for the delivery for more than {minutes} minutes.");
        return Finding::ok(STREAM, says);
    }
    Finding::failed(
        STREAM,
        format!(
            "{} have waited for the delivery for more than {minutes} minutes. Neither the table's \
             stream nor the sweep starts it: read its log and its dead letters, and look whether the \
             stream's trigger is enabled.",
            counted(waiting, page.next.is_some(), "event")
        ),
        "Lambda > DeliveryFunction > Triggers; parameters ExistingTableStreamArn, DeliverySchedule",
    )
}

/// Events that a receiver refuses.
pub(super) async fn events(
    outbox: &dyn Outbox,
    receivers: &dyn Receivers,
    targets: &[Target],
    now: Timestamp,
) -> Finding {
    const PLACE: &str =
        "Parameters DeliveryEndpoint, DeliveryEndpoints and DeliveryEventBusArn: your product";
    if targets.is_empty() {
        return Finding::ok(EVENTS, NO_RECEIVER);
    }
    let mut states = match receivers.receivers().await {
        Ok(states) => states,
        Err(error) => return unread(EVENTS, &error),
    };
    let waiting = match outbox.waiting(targets, &states).await {
        Ok(waiting) => waiting,
        Err(error) => return unread(EVENTS, &error),
    };
    states.retain(|target, state| targets.contains(target) && state.paused.is_some());
    let more = !waiting.is_complete;
    if waiting.parked > 0 {
        return Finding::failed(
            EVENTS,
            format!(
                "Events of {} are parked, since your product accepted none for DeliveryParkAfterDays. \
                 `saasctl deliveries` shows which, and why. Repair the product, then run `saasctl recover \
                 --parked`.",
                counted(waiting.parked, more, "subscription")
            ),
            PLACE,
        );
    }
    match waiting.oldest {
        Some(since) if !waiting.by_target.is_empty() && now.duration_since(since) > TOO_LONG => {
            Finding::failed(
                EVENTS,
                format!(
                    "Events of {} wait for your product to accept them; the first began {}. `reason` in \
                     delivery's lines says how it refuses; they are sent by themselves once it accepts \
                     them.",
                    counted(waiting.subscriptions, more, "subscription"),
                    ago(since, now)
                ),
                PLACE,
            )
        }
        Some(since) if !waiting.by_target.is_empty() => pauses(&states, now).unwrap_or_else(|| {
            let says = format!(
                "Events of {} wait for your product to accept them; the first began {}. This check \
                 fails after {} minutes.",
                counted(waiting.subscriptions, more, "subscription"),
                ago(since, now),
                TOO_LONG.as_secs() / 60
            );
            Finding::ok(EVENTS, says)
        }),
        Some(_) | None => pauses(&states, now)
            .unwrap_or_else(|| Finding::ok(EVENTS, "No delivery to your product is failing.")),
    }
}

/// A warning about a pause that was forgotten; `None` without one.
fn pauses(states: &BTreeMap<Target, ReceiverState>, now: Timestamp) -> Option<Finding> {
    let since = |state: &ReceiverState| state.paused.as_ref().map(|pause| pause.since);
    let (target, since) = states
        .iter()
        .filter_map(|(target, state)| Some((target, since(state)?)))
        .find(|(_, since)| now.duration_since(*since) > PAUSE_IS_LONG)?;
    let says = format!(
        "The receiver {target} was paused {}, and its events wait. If that was forgotten, run `saasctl \
         resume-receiver {target}`.",
        ago(since, now)
    );
    Some(Finding::warning(EVENTS, says, "`saasctl receivers`"))
}

fn counted(number: u64, more: bool, of: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{}{number} {of}{plural}", if more { "at least " } else { "" })
}
