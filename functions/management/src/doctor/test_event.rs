//! A test event, on request: it takes the way of every event, over the stream and the delivery to each
//! receiver, signed with the keys that the delivery holds.

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::{Event, Position, TEST_SUBSCRIPTION};
use shared::flows::redelivery::{From, redeliver};
use shared::host::correlation;
use shared::host::http::Problem;
use shared::store::{Cursor, CursorState, StoreError, Target};
use tracing::info;

use super::Doctor;
use crate::error_code::ErrorCode;
use crate::problem::{no_receiver, store_problem};

/// How far a test event has come.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TestEvent {
    id: String,
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
}

impl Doctor {
    /// Records a test event, and returns its id.
    pub(crate) async fn send_test_event(
        &self,
        principal: Option<String>,
    ) -> Result<String, Problem> {
        if self.targets.is_empty() {
            return Err(no_receiver());
        }
        let event = Event::test(principal, correlation::current(), self.clock.now());
        self.record(&event).await.map_err(store_problem)?;
        info!(event.id = event.id(), "recorded a test event");
        Ok(event.id())
    }

    /// An earlier test event that a receiver refused must not hold this one up for an hour.
    async fn record(&self, event: &Event) -> Result<(), StoreError> {
        self.inspection.record_test(event).await?;
        for target in &self.targets {
            let cursor = self.outbox.cursor(TEST_SUBSCRIPTION, *target).await?;
            if cursor.state != CursorState::Flowing {
                let from = From::WhereItStopped;
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
        let mut receivers = Vec::new();
        for target in &self.targets {
            let cursor = self.outbox.cursor(TEST_SUBSCRIPTION, *target).await;
            receivers.push(receiver(*target, cursor.map_err(store_problem)?, event.position()));
        }
        let state = receivers.iter().map(|receiver| receiver.state).max();
        Ok(TestEvent { id: event.id(), state: state.unwrap_or(State::Waiting), receivers })
    }
}

/// The version in the id of a test event.
fn version_of(id: &str) -> Option<u64> {
    let rest = id.strip_prefix(&TEST_SUBSCRIPTION.to_string())?.strip_prefix('-')?;
    rest.strip_suffix("-0")?.parse().ok()
}

fn receiver(target: Target, cursor: Cursor, position: Position) -> Receiver {
    let receiver = |state| Receiver {
        receiver: target,
        state,
        last_error: None,
        attempts: None,
        next_attempt: None,
    };
    if cursor.delivered >= position {
        return receiver(State::Delivered);
    }
    let (trouble, next_attempt) = match cursor.state {
        CursorState::Flowing | CursorState::Due { trouble: None, .. } => {
            return receiver(State::Waiting);
        }
        CursorState::Due { at, trouble: Some(trouble) } => (trouble, Some(at)),
        CursorState::Parked { trouble, .. } => (trouble, None),
    };
    Receiver {
        last_error: Some(trouble.last),
        attempts: Some(trouble.attempts),
        next_attempt,
        ..receiver(State::Failed)
    }
}
