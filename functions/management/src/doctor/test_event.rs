//! A test event, on request: it takes the way of every event, over the stream and the delivery to each
//! receiver, signed with the keys that the delivery holds.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::{Event, EventKind, Position, TEST_SUBSCRIPTION};
use shared::flows::redelivery::{From, redeliver};
use shared::host::correlation;
use shared::host::http::Problem;
use shared::publisher::cloud_event::type_name;
use shared::store::{Attempt, Cursor, CursorState, LARGEST_PAGE, SentRequest, StoreError, Target};
use tracing::info;

use super::Doctor;
use crate::error_code::ErrorCode;
use crate::problem::{no_receiver, store_problem};

/// Why a test event was never sent.
const REPLACED: &str = "not sent: a later test event took its place";

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
    /// Records a test event, and returns its id.
    pub(crate) async fn send_test_event(
        &self,
        kind: EventKind,
        principal: Option<String>,
    ) -> Result<String, Problem> {
        if self.targets.is_empty() {
            return Err(no_receiver());
        }
        let event = Event::test(kind, principal, correlation::current(), self.clock.now());
        self.record(&event).await.map_err(store_problem)?;
        info!(event.id = event.id(), event = event.kind.name(), "recorded a test event");
        Ok(event.id())
    }

    /// Earlier test events that a receiver refused must not hold this one up, so they are sent no more.
    async fn record(&self, event: &Event) -> Result<(), StoreError> {
        self.inspection.record_test(event).await?;
        for target in &self.targets {
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
        let attempts = self.attempts.attempts(TEST_SUBSCRIPTION, LARGEST_PAGE, None).await;
        let attempts = attempts.map_err(store_problem)?.items;
        let mut receivers = Vec::new();
        for target in &self.targets {
            let cursor = self.outbox.cursor(TEST_SUBSCRIPTION, *target).await;
            let is_last = |attempt: &&Attempt| {
                attempt.event_id == event.id() && attempt.receiver == target.name()
            };
            let last = attempts.iter().find(is_last).cloned();
            let cursor = cursor.map_err(store_problem)?;
            receivers.push(receiver(*target, cursor, event.position(), last));
        }
        let state = receivers.iter().map(|receiver| receiver.state).max();
        let state = state.unwrap_or(State::Waiting);
        Ok(TestEvent { id: event.id(), kind: type_name(&event.kind), state, receivers })
    }
}

/// The version in the id of a test event.
fn version_of(id: &str) -> Option<u64> {
    let rest = id.strip_prefix(&TEST_SUBSCRIPTION.to_string())?.strip_prefix('-')?;
    rest.strip_suffix("-0")?.parse().ok()
}

fn receiver(target: Target, cursor: Cursor, position: Position, last: Option<Attempt>) -> Receiver {
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
