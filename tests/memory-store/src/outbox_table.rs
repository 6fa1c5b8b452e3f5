//! The outbox's data: which events are pending, and how far each target has received them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use shared::domain::{Event, SubscriptionId};
use shared::store::{Cursor, CursorError, CursorState, Due, Entry, STREAM_HEAD_START, Target};

#[derive(Default)]
pub(crate) struct OutboxTable {
    /// The versions with pending events, and when a sweep may send them.
    pending: BTreeMap<(SubscriptionId, u64), Timestamp>,
    cursors: BTreeMap<(SubscriptionId, Target), Cursor>,
}

impl OutboxTable {
    /// Marks an event as pending, and returns whether it is. One mark covers all events of a version.
    pub(crate) fn mark_pending(&mut self, event: &Event) -> bool {
        let is_marked = event.index == 0 && event.kind.is_announced();
        if is_marked {
            let due = event.recorded_at + STREAM_HEAD_START;
            self.pending.insert((event.subscription_id, event.version), due);
        }
        is_marked
    }

    /// Removes the pending marks of these versions.
    pub(crate) fn settle(&mut self, id: SubscriptionId, versions: &BTreeSet<u64>) {
        self.pending.retain(|(owner, version), _| *owner != id || !versions.contains(version));
    }

    pub(crate) fn has_pending(&self, id: SubscriptionId) -> bool {
        self.pending.range((id, 0)..=(id, u64::MAX)).next().is_some()
    }

    pub(crate) fn forget(&mut self, id: SubscriptionId) {
        self.pending.retain(|(owner, _), _| *owner != id);
        self.cursors.retain(|(owner, _), _| *owner != id);
    }

    pub(crate) fn cursor(&self, id: SubscriptionId, target: Target) -> Cursor {
        self.cursors.get(&(id, target)).cloned().unwrap_or_default()
    }

    /// The targets that a subscription has cursors of.
    pub(crate) fn targets(&self, id: SubscriptionId) -> Vec<Target> {
        let own = self.cursors.keys().filter(|(owner, _)| *owner == id);
        own.map(|(_, target)| *target).collect()
    }

    pub(crate) fn save(
        &mut self,
        id: SubscriptionId,
        target: Target,
        cursor: &Cursor,
    ) -> Result<(), CursorError> {
        let revision = self.cursors.get(&(id, target)).map_or(0, |cursor| cursor.revision);
        if cursor.revision != revision + 1 {
            return Err(CursorError::Conflict);
        }
        self.cursors.insert((id, target), cursor.clone());
        Ok(())
    }

    pub(crate) fn delete(
        &mut self,
        id: SubscriptionId,
        target: Target,
        revision: u64,
    ) -> Result<(), CursorError> {
        match self.cursors.get(&(id, target)) {
            Some(cursor) if cursor.revision == revision => {
                self.cursors.remove(&(id, target));
                Ok(())
            }
            Some(_) | None => Err(CursorError::Conflict),
        }
    }

    /// Everything that is due by then, the oldest first. As in the table's index, times are rounded
    /// to seconds.
    pub(crate) fn due(&self, by: Timestamp) -> Vec<Due> {
        let pending =
            self.pending.iter().map(|((id, version), at)| (*at, Due::Pending(*id, *version)));
        let cursors = self.cursors.iter().filter_map(|((id, target), cursor)| {
            let CursorState::Due { at, .. } = &cursor.state else { return None };
            Some((*at, Due::Cursor(*id, *target)))
        });
        let mut due: Vec<_> = pending
            .chain(cursors)
            .map(|(at, due)| (at.as_second(), due))
            .filter(|(at, _)| *at <= by.as_second())
            .collect();
        due.sort_unstable();
        due.into_iter().map(|(_, due)| due).collect()
    }

    pub(crate) fn parked(&self) -> Vec<(SubscriptionId, Target)> {
        let is_parked = |cursor: &Cursor| matches!(cursor.state, CursorState::Parked { .. });
        self.cursors.iter().filter(|(_, cursor)| is_parked(cursor)).map(|(key, _)| *key).collect()
    }

    /// Everything that waits or is parked, with times in whole seconds.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.entries_by_time().map(|(_, entry)| entry).collect()
    }

    /// What waits, or what is parked, in the order in which it is due.
    pub(crate) fn undelivered(&self, is_parked: bool) -> Vec<Entry> {
        let mut all: Vec<_> =
            self.entries_by_time().filter(|(_, entry)| entry.is_parked == is_parked).collect();
        all.sort_unstable_by_key(|(at, entry)| (*at, entry.due));
        all.into_iter().map(|(_, entry)| entry).collect()
    }

    /// Each with the second in which it is due.
    fn entries_by_time(&self) -> impl Iterator<Item = (i64, Entry)> {
        let pending = self.pending.iter().map(|((id, version), at)| {
            (*at, Due::Pending(*id, *version), *at - STREAM_HEAD_START, false)
        });
        let cursors = self.cursors.iter().filter_map(|((id, target), cursor)| {
            let (at, since, is_parked) = match &cursor.state {
                CursorState::Flowing => return None,
                CursorState::Due { at, trouble } => {
                    (*at, trouble.as_ref().map_or(*at, |trouble| trouble.since), false)
                }
                CursorState::Parked { at, .. } => (*at, *at, true),
            };
            Some((at, Due::Cursor(*id, *target), since, is_parked))
        });
        let entry = |(at, due, since, is_parked): (Timestamp, Due, Timestamp, bool)| {
            let since = Timestamp::from_second(since.as_second()).unwrap_or(since);
            (at.as_second(), Entry { due, since, is_parked })
        };
        pending.chain(cursors).map(entry)
    }
}
