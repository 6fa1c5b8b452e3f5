//! What the table knows about the receivers of events beside their settings: since when they are there, and
//! whether they are paused.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Pause, STREAM_HEAD_START, SaveError, StoreError, Target};

/// How long functions with other settings may go on after a deployment. They know nothing of a receiver that
/// was added, and count events as delivered without it; and they have not yet heard of a removal.
pub const ROLLOUT: SignedDuration = SignedDuration::from_mins(15);

/// How often a function notes its filter again while there are several.
const NOTED_EVERY: SignedDuration = SignedDuration::from_mins(5);

/// How many filters are kept that are no longer in use: events that wait since then are judged by them, too.
const FORMER_FILTERS: usize = 8;

/// The state of a receiver. Serialised in the table: members are only added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceiverState {
    /// Grows by one each time it is saved. Concurrent writers are detected by it.
    pub revision: u64,
    /// When it was added; `None` for a receiver without a name of its own, which has been there from the
    /// beginning. Cursors of another time belong to an earlier receiver of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added_at: Option<Timestamp>,
    /// From when on it receives events; `None`: from the first one on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// Since when the settings no longer name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_since: Option<Timestamp>,
    /// What is still to be looked through for events that it has missed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catch_up: Option<CatchUp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Pause>,
    /// What the settings of functions let it take: of those that run, and of former ones. Several are in use
    /// while a deployment with another filter is rolled out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<FilterInUse>,
}

/// Which events a receiver takes. `None` stands for every one. Serialised in the table: members are only
/// added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventFilter {
    /// As in the member `type` of a CloudEvent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_types: Option<BTreeSet<String>>,
    /// Offer ids, without the ending of a preview.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offers: Option<BTreeSet<String>>,
}

/// A filter in the settings of functions. Serialised in the table: members are only added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FilterInUse {
    pub filter: EventFilter,
    /// When the first function with it was noted.
    pub since: Timestamp,
    /// When a function noted it last. One that is the only one is not noted again.
    pub seen_at: Timestamp,
    /// When it was found to be no longer in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl FilterInUse {
    pub fn new(filter: EventFilter, now: Timestamp) -> Self {
        Self { filter, since: now, seen_at: now, until: None }
    }
}

/// A walk through the subscriptions by their last change, the oldest first. Serialised in the table: members
/// are only added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CatchUp {
    /// It does not begin before this time.
    pub due_at: Timestamp,
    /// It begins with the subscriptions that have changed since then.
    pub since: Timestamp,
    /// Its place in the list; `None` at the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl ReceiverState {
    /// A receiver that is added now. It receives the events from `from` on; or else from now on, and those of
    /// the last moments, since the first delivery with the new settings may be for an event that was recorded
    /// after the deployment.
    pub fn added(now: Timestamp, from: Option<Timestamp>) -> Self {
        let starts_at = from.unwrap_or(now - STREAM_HEAD_START);
        Self {
            revision: 1,
            added_at: Some(now),
            starts_at: Some(starts_at),
            catch_up: Some(CatchUp { due_at: now + ROLLOUT, since: starts_at, next: None }),
            ..Self::default()
        }
    }

    /// The state after the settings were found to name the receiver, or not to; `None` if it stays.
    #[must_use]
    pub fn noticed(&self, is_configured: bool, now: Timestamp) -> Option<Self> {
        let mut next = Self { revision: self.revision + 1, ..self.clone() };
        match (is_configured, self.missing_since) {
            (true, None) | (false, Some(_)) => return None,
            (false, None) => next.missing_since = Some(now),
            (true, Some(_)) => {
                next.missing_since = None;
                // Meanwhile, events may have been counted as delivered without it: also old ones that had
                // waited until then, and some after it was configured again.
                let walk = |since| CatchUp { due_at: now + ROLLOUT, since, next: None };
                next.catch_up = self.starts_at.map(walk);
            }
        }
        Some(next)
    }

    /// What functions that run let it take.
    pub fn filters_in_use(&self) -> impl Iterator<Item = &EventFilter> {
        self.filters.iter().filter(|it| it.until.is_none()).map(|it| &it.filter)
    }

    /// The state after a function with this filter was found to run; `None` if it stays. Filters that were not
    /// seen for the time of a rollout are no longer in use.
    #[must_use]
    pub fn filtered(&self, own: &EventFilter, now: Timestamp) -> Option<Self> {
        let is_old = |it: &FilterInUse, limit| now.duration_since(it.seen_at) >= limit;
        let mut filters = self.filters.clone();
        let in_use = filters.iter_mut().filter(|it| it.until.is_none());
        for other in in_use.filter(|it| it.filter != *own && is_old(it, ROLLOUT)) {
            other.until = Some(now);
        }
        let is_alone = !filters.iter().any(|it| it.until.is_none() && it.filter != *own);
        match filters.iter_mut().find(|it| it.until.is_none() && it.filter == *own) {
            Some(noted) if !is_alone && is_old(noted, NOTED_EVERY) => noted.seen_at = now,
            Some(_) => {}
            None => filters.push(FilterInUse::new(own.clone(), now)),
        }
        let ended = filters.iter().filter(|it| it.until.is_some()).count();
        if let Some(oldest) = filters.iter().position(|it| it.until.is_some())
            && ended > FORMER_FILTERS
        {
            filters.remove(oldest);
        }
        (filters != self.filters).then(|| Self {
            revision: self.revision + 1,
            filters,
            ..self.clone()
        })
    }

    /// Whether it has been missing from the settings for so long that it is removed.
    pub fn is_gone(&self, now: Timestamp) -> bool {
        self.missing_since.is_some_and(|since| now.duration_since(since) >= ROLLOUT)
    }
}

/// The table, as the receivers' states are kept in it.
#[async_trait]
pub trait Receivers: Send + Sync {
    /// All of them. MUST be consistent.
    async fn receivers(&self) -> Result<BTreeMap<Target, ReceiverState>, StoreError>;

    /// MUST return [`SaveError::Conflict`] if the stored revision isn't one below (for the first one: unless
    /// there is none).
    async fn save_receiver(&self, target: Target, state: &ReceiverState) -> Result<(), SaveError>;

    /// MUST return [`SaveError::Conflict`] if the stored revision isn't this one.
    async fn delete_receiver(&self, target: Target, revision: u64) -> Result<(), SaveError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    #[test]
    fn a_receiver_that_is_missing_for_a_rollout_is_gone_unless_it_is_back_before() {
        let added = ReceiverState::added(minutes(0), Some(minutes(0)));
        assert_eq!(added.noticed(true, minutes(1)), None);
        let missing = added.noticed(false, minutes(100)).expect("it is missing now");
        assert_eq!((missing.revision, missing.missing_since), (2, Some(minutes(100))));
        assert_eq!(missing.noticed(false, minutes(105)), None);
        assert!(!missing.is_gone(minutes(114)) && missing.is_gone(minutes(115)));
        assert!(!added.is_gone(minutes(10_000)));
        let back = missing.noticed(true, minutes(110)).expect("it is back");
        assert_eq!((back.revision, back.missing_since, back.added_at), (3, None, added.added_at));
        let catch_up = CatchUp { due_at: minutes(125), since: minutes(0), next: None };
        assert_eq!(back.catch_up, Some(catch_up), "from its start on");
    }

    #[test]
    fn a_filter_is_in_use_until_it_was_not_seen_for_a_rollout() {
        let types = |types: &[&str]| {
            let types = types.iter().map(|&name| name.to_owned()).collect();
            EventFilter { event_types: Some(types), offers: None }
        };
        let (former, new) = (types(&["a"]), types(&["a", "b"]));
        let noted = |state: &ReceiverState, own: &EventFilter, at| state.filtered(own, minutes(at));
        let in_use = |state: &ReceiverState| {
            let filters = state.filters.iter().filter(|it| it.until.is_none());
            filters.map(|it| (it.filter.clone(), it.seen_at)).collect::<Vec<_>>()
        };
        let added = ReceiverState::added(minutes(0), None);
        let alone = noted(&added, &former, 0).expect("the first one");
        assert_eq!((alone.revision, in_use(&alone)), (2, vec![(former.clone(), minutes(0))]));
        assert_eq!(noted(&alone, &former, 10_000), None, "it is the only one");
        let both = noted(&alone, &new, 14).expect("another one");
        let seen = |of_former, of_new| {
            [(former.clone(), minutes(of_former)), (new.clone(), minutes(of_new))]
        };
        assert_eq!(in_use(&both), seen(0, 14));
        assert_eq!(noted(&both, &new, 14), None);
        let again = noted(&both, &former, 14).expect("it still runs");
        assert_eq!(in_use(&again), seen(14, 14));
        assert_eq!(noted(&again, &new, 18), None);
        let again = noted(&again, &new, 19).expect("noted every five minutes");
        assert_eq!(in_use(&again), seen(14, 19));
        let rolled_out = noted(&again, &new, 29).expect("the former one is gone");
        assert_eq!(in_use(&rolled_out), [(new.clone(), minutes(19))]);
        let ended = &rolled_out.filters[0];
        assert_eq!((ended.since, ended.until), (minutes(0), Some(minutes(29))), "it is kept");
        assert_eq!(noted(&rolled_out, &new, 10_000), None);
        let mut late = noted(&rolled_out, &former, 10_000).expect("one that slept");
        assert_eq!(in_use(&late), [(former.clone(), minutes(10_000))]);
        for number in 0..40 {
            let own = types(&[&number.to_string()]);
            late = noted(&late, &own, 20_000 + 100 * number).expect("another one");
        }
        assert_eq!(late.filters.len(), FORMER_FILTERS + 1);
    }

    #[test]
    fn a_receiver_without_a_name_has_nothing_to_catch_up() {
        let paused = ReceiverState { revision: 1, ..ReceiverState::default() };
        let missing = paused.noticed(false, minutes(1)).expect("it is missing now");
        let back = missing.noticed(true, minutes(2)).expect("it is back");
        assert_eq!(back, ReceiverState { revision: 3, ..paused });
    }

    #[test]
    fn a_receiver_starts_when_it_is_added_or_at_the_time_that_is_asked_for() {
        let now = ReceiverState::added(minutes(7), None);
        assert_eq!((now.starts_at, now.added_at), (Some(minutes(5)), Some(minutes(7))));
        let before = ReceiverState::added(minutes(7), Some(minutes(1)));
        assert_eq!((before.starts_at, before.added_at), (Some(minutes(1)), Some(minutes(7))));
        let catch_up = CatchUp { due_at: minutes(22), since: minutes(1), next: None };
        assert_eq!(before.catch_up, Some(catch_up));
    }
}
