//! A test event, on request: it takes the way of every event, over the stream and the delivery to each
//! receiver, signed with the keys that the delivery holds.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use shared::domain::{Event, EventKind, Position, TEST_SUBSCRIPTION};
use shared::flows::redelivery::{From, redeliver};
use shared::host::correlation;
use shared::host::http::Problem;
use shared::publisher::cloud_event::type_name;
use shared::store::{
    Attempt, Cursor, CursorState, Found, LARGEST_PAGE, SentRequest, StoreError, Target, Wanted,
};
use tracing::info;

use super::Doctor;
use crate::error_code::ErrorCode;
use crate::problem::{no_receiver, store_problem};

/// Why a test event was never sent.
const REPLACED: &str = "not sent: a later test event took its place";

/// Likewise.
const NOT_TAKEN: &str = "not sent: the receiver was added after this test event";

/// By how much the clocks of two functions may differ.
const CLOCKS: SignedDuration = SignedDuration::from_mins(5);

/// How far a test event has come.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TestEvent {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    state: State,
    receivers: Vec<Receiver>,
}

/// The worst of the receivers' states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Delivered,
    Waiting,
    /// The last attempt failed. Unless its events are parked, another one follows.
    Failed,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Receiver {
    receiver: Target,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt: Option<Timestamp>,
    /// The last attempt.
    #[serde(flatten)]
    exchange: Option<Exchange>,
}

/// What was sent, and what was answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Exchange {
    at: Timestamp,
    status: Option<u16>,
    latency_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<SentRequest>,
}

impl Doctor {
    /// Records a test event, for one receiver or for all, and returns its id.
    pub(crate) async fn send_test_event(
        &self,
        kind: EventKind,
        only: Option<Target>,
        principal: Option<String>,
    ) -> Result<String, Problem> {
        if self.targets.is_empty() {
            return Err(no_receiver());
        }
        let event = Event::test(kind, principal, correlation::current(), self.clock.now());
        let event = Event { only_receiver: only.map(|target| target.to_string()), ..event };
        self.record(&event).await.map_err(store_problem)?;
        info!(event.id = event.id(), event = event.kind.name(), "recorded a test event");
        Ok(event.id())
    }

    /// Earlier test events that a receiver refused must not hold this one up, so they are sent no more.
    async fn record(&self, event: &Event) -> Result<(), StoreError> {
        self.inspection.record_test(event).await?;
        let states = self.receivers.receivers().await?;
        for receiver in &self.receiver_settings {
            let (receiver, target) = (receiver.with(&states), &receiver.target);
            if !receiver.is_meant(event) {
                continue;
            }
            let cursor = self.outbox.cursor(TEST_SUBSCRIPTION, *target).await?;
            if cursor.state != CursorState::Flowing {
                let from = From::Only(event.position());
                redeliver(&*self.outbox, &*self.clock, TEST_SUBSCRIPTION, *target, from).await?;
            }
        }
        Ok(())
    }

    pub(crate) async fn test_event(&self, id: &str) -> Result<TestEvent, Problem> {
        let unknown = || {
            ErrorCode::UnknownTestEvent.with("there is no such test event; each is kept for a day")
        };
        let version = version_of(id).ok_or_else(unknown)?;
        let found = self.store.events(TEST_SUBSCRIPTION, version.saturating_sub(1)).await;
        let found = found.map_err(store_problem)?.items;
        let event = found.iter().find(|event| event.version == version).ok_or_else(unknown)?;
        let attempts = self.attempts_of(event).await.map_err(store_problem)?;
        let wanted = self.receiver_settings.iter().map(|receiver| receiver.target);
        let wanted = wanted.flat_map(|target| {
            [Wanted::Receiver(target), Wanted::Cursor(TEST_SUBSCRIPTION, target)]
        });
        let found = self.overview.look_up(&wanted.collect()).await.map_err(store_problem)?;
        let Found { receivers: states, mut cursors, .. } = found;
        let states = states.into_iter().map(|(target, state)| Ok((target, state?)));
        let states = states.collect::<Result<BTreeMap<_, _>, _>>().map_err(store_problem)?;
        let mut receivers = Vec::new();
        for receiver in &self.receiver_settings {
            let (receiver, target) = (receiver.with(&states), receiver.target);
            if !receiver.is_meant(event) {
                continue;
            }
            let cursor = cursors.remove(&(TEST_SUBSCRIPTION, target)).transpose();
            let cursor = receiver.own(&cursor.map_err(store_problem)?.unwrap_or_default());
            let last = attempts.iter().find(|attempt| attempt.receiver == target.name()).cloned();
            let takes = receiver.takes(event);
            receivers.push(shown(target, cursor, event.position(), last, takes));
        }
        let state = receivers.iter().map(|receiver| receiver.state).max();
        let state = state.unwrap_or(State::Waiting);
        Ok(TestEvent { id: event.id(), kind: type_name(&event.kind), state, receivers })
    }
}

impl Doctor {
    /// The attempts to deliver a test event, the latest first. Those of many later ones may come before.
    async fn attempts_of(&self, event: &Event) -> Result<Vec<Attempt>, StoreError> {
        let (id, mut found, mut next) = (event.id(), Vec::new(), None);
        loop {
            let page =
                self.attempts.attempts(TEST_SUBSCRIPTION, LARGEST_PAGE, next.as_deref()).await?;
            let is_earlier = |attempt: &Attempt| attempt.at < event.recorded_at - CLOCKS;
            let is_last = page.items.last().is_none_or(is_earlier);
            found.extend(page.items.into_iter().filter(|attempt| attempt.event_id == id));
            next = page.next.filter(|_| !is_last);
            if next.is_none() {
                return Ok(found);
            }
        }
    }
}

/// The version in the id of a test event.
fn version_of(id: &str) -> Option<u64> {
    let rest = id.strip_prefix(&TEST_SUBSCRIPTION.to_string())?.strip_prefix('-')?;
    rest.strip_suffix("-0")?.parse().ok()
}

/// `takes`: whether the event is one of those that the receiver is sent.
fn shown(
    target: Target,
    cursor: Cursor,
    position: Position,
    last: Option<Attempt>,
    takes: bool,
) -> Receiver {
    let reason = last.as_ref().map(|attempt| attempt.reason.clone());
    let exchange = last.map(|attempt| Exchange {
        at: attempt.at,
        status: attempt.status,
        latency_ms: attempt.latency_ms,
        answer: attempt.answer,
        request: attempt.request,
    });
    let one = Receiver {
        receiver: target,
        state: State::Waiting,
        last_error: None,
        attempts: None,
        next_attempt: None,
        exchange,
    };
    let failed = |error, one| Receiver { state: State::Failed, last_error: Some(error), ..one };
    // The cursor passes it without an attempt.
    if !takes && reason.is_none() && cursor.delivered >= position {
        return failed(NOT_TAKEN.to_owned(), one);
    }
    let (trouble, next_attempt) = match (cursor.delivered.cmp(&position), reason, cursor.state) {
        (_, Some(None), _) | (Ordering::Equal, _, _) => {
            return Receiver { state: State::Delivered, ..one };
        }
        (Ordering::Greater, Some(Some(reason)), _) => return failed(reason, one),
        (Ordering::Greater, None, _) => return failed(REPLACED.to_owned(), one),
        (Ordering::Less, _, CursorState::Flowing | CursorState::Due { trouble: None, .. }) => {
            return one;
        }
        (Ordering::Less, _, CursorState::Due { at, trouble: Some(trouble) }) => (trouble, Some(at)),
        (Ordering::Less, _, CursorState::Parked { trouble, .. }) => (trouble, None),
    };
    Receiver { attempts: Some(trouble.attempts), next_attempt, ..failed(trouble.last, one) }
}
