//! The receivers of events: which there are, since when, and pausing and resuming one.

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use shared::host::http::{Principal, Problem, Request, Response, json as json_response};
use shared::publisher::receiver::{CurrentReceiver, ReceiverSettings};
use shared::store::{Pause, ReceiverState, SaveError, StoreError, Target};
use tracing::info;

use crate::Management;
use crate::error_code::ErrorCode;
use crate::problem::store_problem;

/// How often a state is written anew while another writer is faster.
const ATTEMPTS: u32 = 10;

/// A receiver, as the API shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    name: Target,
    kind: Kind,
    /// `None`: every type.
    event_types: Option<&'a BTreeSet<String>>,
    /// `None`: every offer.
    offers: Option<&'a BTreeSet<String>>,
    /// `None` for a receiver without a name of its own, and for one that no delivery has added yet.
    added_at: Option<Timestamp>,
    starts_at: Option<Timestamp>,
    /// Whether events that it has missed are still looked for.
    catching_up: bool,
    paused: Option<&'a Pause>,
    /// Subscriptions with events that wait for it.
    waiting: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Kind {
    Endpoint,
    EventBus,
}

impl<'a> Shown<'a> {
    fn of(receiver: CurrentReceiver<'a>, waiting: &BTreeMap<Target, u64>) -> Self {
        let CurrentReceiver { settings, state } = receiver;
        Self {
            name: settings.target,
            kind: match settings.target {
                Target::EventBus => Kind::EventBus,
                Target::Endpoint | Target::Named(_) => Kind::Endpoint,
            },
            event_types: settings.filter.event_types.as_ref(),
            offers: settings.filter.offers.as_ref(),
            added_at: state.and_then(|state| state.added_at),
            starts_at: state.and_then(|state| state.starts_at),
            catching_up: state.is_some_and(|state| state.catch_up.is_some()),
            paused: receiver.pause(),
            waiting: waiting.get(&settings.target).copied().unwrap_or(0),
        }
    }
}

impl Management {
    pub(crate) async fn receivers(&self) -> Result<Response, Problem> {
        let (states, waiting) = self.receivers_now().await?;
        let receivers = self.settings.receivers.iter();
        let shown = receivers.map(|receiver| Shown::of(receiver.with(&states), &waiting));
        let shown: Vec<_> = shown.collect();
        Ok(json_response(StatusCode::OK, &json!({ "receivers": shown })))
    }

    /// Pauses a receiver. A pause that is there already keeps its time.
    pub(crate) async fn pause_receiver(
        &self,
        name: &str,
        note: String,
        request: &Request,
    ) -> Result<Response, Problem> {
        let receiver = self.receiver(name)?;
        let by = Principal::of(request);
        let now = self.clock.now();
        let pause = |state: &ReceiverState| {
            let since = state.paused.as_ref().map_or(now, |pause| pause.since);
            Some(Pause { since, note: note.clone(), by: by.clone() })
        };
        self.set_pause(receiver, pause).await.map_err(store_problem)?;
        let by = Principal::logged(request);
        info!(receiver = receiver.target.name(), by, "paused a receiver of events");
        self.one(receiver).await
    }

    pub(crate) async fn resume_receiver(
        &self,
        name: &str,
        request: &Request,
    ) -> Result<Response, Problem> {
        let receiver = self.receiver(name)?;
        self.set_pause(receiver, |_| None).await.map_err(store_problem)?;
        let by = Principal::logged(request);
        info!(receiver = receiver.target.name(), by, "resumed a receiver of events");
        self.one(receiver).await
    }

    /// The receiver with this name, if the settings name one.
    pub(crate) fn receiver(&self, name: &str) -> Result<&ReceiverSettings, Problem> {
        let mut receivers = self.settings.receivers.iter();
        let found = receivers.find(|receiver| receiver.target.name() == name);
        found.ok_or_else(|| {
            let receivers = self.settings.receivers.iter();
            let names: Vec<_> = receivers.map(|receiver| receiver.target.name()).collect();
            let are = match &names[..] {
                [] => "there are none".to_owned(),
                [one] => format!("there is {one}"),
                [some @ .., last] => format!("there are {} and {last}", some.join(", ")),
            };
            let says = format!("the settings name no such receiver of events; {are}");
            ErrorCode::UnknownReceiver.with(says)
        })
    }

    async fn one(&self, receiver: &ReceiverSettings) -> Result<Response, Problem> {
        let (states, waiting) = self.receivers_now().await?;
        Ok(json_response(StatusCode::OK, &Shown::of(receiver.with(&states), &waiting)))
    }

    /// What the table knows about the receivers, and for which of them events wait.
    async fn receivers_now(
        &self,
    ) -> Result<(BTreeMap<Target, ReceiverState>, BTreeMap<Target, u64>), Problem> {
        let states = self.states().await?;
        let waiting = self.settings.outbox.waiting(&self.settings.targets(), &states).await;
        Ok((states, waiting.map_err(store_problem)?.by_target))
    }

    async fn set_pause(
        &self,
        receiver: &ReceiverSettings,
        pause: impl Fn(&ReceiverState) -> Option<Pause> + Send + Sync,
    ) -> Result<(), StoreError> {
        let (target, states) = (receiver.target, &self.settings.receiver_states);
        for _ in 0..ATTEMPTS {
            let stored = states.receivers().await?.remove(&target);
            let current = stored.clone().unwrap_or_else(|| match target {
                Target::Endpoint | Target::EventBus => ReceiverState::default(),
                // No delivery has come to it yet.
                Target::Named(_) => {
                    let added = ReceiverState::added(self.clock.now(), receiver.from);
                    ReceiverState { revision: 0, ..added }
                }
            });
            let paused = pause(&current);
            if stored.is_none() && paused.is_none() {
                return Ok(());
            }
            let next = ReceiverState { revision: current.revision + 1, paused, ..current };
            let written = match next.added_at.is_none() && next.paused.is_none() {
                // One without a name has a state only while it is paused.
                true => states.delete_receiver(target, next.revision - 1).await,
                false => states.save_receiver(target, &next).await,
            };
            match written {
                Ok(()) => return Ok(()),
                Err(SaveError::Conflict) => {}
                Err(SaveError::Store(error)) => return Err(error),
            }
        }
        Err(StoreError::Contended)
    }
}
