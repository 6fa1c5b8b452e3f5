//! The changes that the publisher's side asks Microsoft for.

use std::sync::Arc;

use http::Response;
use jiff::SignedDuration;
use shared::flows::request_change::ChangeRequest;
use shared::host::http_client::SendError;
use shared::store::IDEMPOTENCY_KEY_LIFETIME;
use uuid::Uuid;

use super::asked::{Accepted, Taken};
use super::{Ask, Io};
use crate::invariants::wanted;

/// How much sooner than the function the simulation forgets a key. The function counts from an
/// earlier moment of the same request.
const MARGIN: SignedDuration = SignedDuration::from_mins(2);

impl Io {
    /// Notes a request with an idempotency key. Returns whether the key belongs to another request.
    pub(crate) fn key_is_taken(&self, ask: &Arc<Ask>) -> bool {
        let Some(key) = &ask.key else { return false };
        let now = self.now();
        let mut state = self.state();
        state.changes.last = Some(ask.clone());
        state.changes.made.entry(key.clone()).or_default().push(ask.clone());
        let taken = state.changes.taken.get(key);
        taken.is_some_and(|taken| {
            now.duration_since(taken.at) < IDEMPOTENCY_KEY_LIFETIME - MARGIN
                && !taken.ask.repeats(ask)
        })
    }

    /// The last request that was made under a key.
    pub(crate) fn last_keyed(&self) -> Option<Arc<Ask>> {
        self.state().changes.last.clone()
    }

    /// Whether another request was made under the same key.
    pub(crate) fn key_was_shared(&self, ask: &Ask) -> bool {
        let state = self.state();
        let made = ask.key.as_ref().and_then(|key| state.changes.made.get(key));
        made.into_iter().flatten().any(|other| !other.repeats(ask))
    }

    /// Checks a change right before Microsoft is asked for it: it is what the caller wants, the
    /// record says who wants it (so that it is credited to them even if the answer is lost), and no
    /// request was sent under its key whose outcome is a success or unknown.
    pub(crate) fn change_sent(&self, id: Uuid, change: &ChangeRequest) {
        let now = self.now();
        let is_noted =
            self.deeds(|deeds| deeds.noted.as_ref().is_some_and(|own| wanted(own) == *change));
        if !is_noted {
            self.violate(format!("{id}: Microsoft is asked for {change:?}, which no record notes"));
        }
        let ask = self.state().turn.ask.clone();
        let Some(ask) = ask else { return };
        if (ask.id, &ask.wanted) != (id, change) {
            self.violate(format!("{id}: Microsoft is asked for {change:?} instead of {ask:?}"));
        }
        let Some(key) = ask.key.clone() else { return };
        let before = self.state().changes.taken.insert(key.clone(), Taken { ask, at: now });
        let is_taken =
            |taken: &Taken| now.duration_since(taken.at) < IDEMPOTENCY_KEY_LIFETIME - MARGIN;
        if before.as_ref().is_some_and(is_taken) {
            self.violate(format!("{id}: Microsoft is asked a second time under the key {key}"));
        }
    }

    /// Frees the request's key if Microsoft certainly did not accept the change.
    pub(crate) fn change_answered<T>(&self, answer: &Result<Response<T>, SendError>) {
        let is_refused = match answer {
            Ok(answer) => answer.status().is_client_error() && answer.status().as_u16() != 408,
            Err(SendError::NotConnected(_) | SendError::Unbuilt(_) | SendError::DeadlinePassed) => {
                true
            }
            Err(SendError::NoAnswer(_) | SendError::TooLarge) => false,
        };
        if is_refused {
            let mut state = self.state();
            let key = state.turn.ask.as_ref().and_then(|ask| ask.key.clone());
            key.and_then(|key| state.changes.taken.remove(&key));
        } else {
            self.count(if answer.is_ok() { "change: accepted" } else { "change: outcome unknown" });
        }
    }

    /// Notes that Microsoft accepted a change or a cancellation, as this operation.
    pub(crate) fn change_accepted(&self, operation: Uuid) {
        let Some(own) = self.deeds(|deeds| deeds.noted.clone()) else { return };
        let mut state = self.state();
        let ask = state.turn.ask.clone();
        state.changes.accepted.insert(operation, Accepted { own, ask });
    }

    /// The change of ours that Microsoft made this operation of.
    pub(crate) fn accepted(&self, operation: Uuid) -> Option<Accepted> {
        self.state().changes.accepted.get(&operation).cloned()
    }
}
