//! Versions after the table was restored to a point in time.
//!
//! A restore takes records back to old versions. The product has already received events with the
//! next ones, and would skip new events that reuse their ids. So a restore begins an epoch: all
//! versions after it are greater than every version before it. An epoch is the time of the restore,
//! in milliseconds since 1970. A record can't be written more than once in a millisecond, so the next
//! restore's epoch is greater again, even if the table has forgotten this one. As a number it stays
//! below 2^53, where JavaScript's integers end.

use jiff::{SignedDuration, Timestamp};

use super::decision::{Decision, NextVersion};
use super::event::{Cause, EventKind};
use super::record::Record;
use super::subscription::Status;

/// How long after a restore a record is restated. The product may have learned of a change moments
/// before, which Microsoft's list shows minutes later (F-LST-9). If this is too short, the restated
/// record may still be without it.
pub const RESTATED_AFTER: SignedDuration = SignedDuration::from_mins(15);

impl NextVersion {
    /// Makes the first version of a record that is new to a table with this epoch one after it.
    pub fn begin_after(&mut self, epoch: u64) {
        self.record.epoch = epoch;
        self.record.version = epoch + 1;
        for event in &mut self.events {
            event.version = epoch + 1;
        }
    }
}

impl Record {
    /// Whether this is the first version that a commit writes, so that it replaces no other.
    pub fn is_first_version(&self) -> bool {
        self.version == self.epoch.saturating_add(1)
    }

    /// The same record after a restore, which began this epoch.
    #[must_use]
    pub fn raise(&self, epoch: u64) -> Self {
        let mut raised = self.clone();
        raised.version = epoch + 1;
        raised.epoch = epoch;
        raised.is_unconfirmed = true;
        raised
    }

    /// When a restored record is restated; `None` if it was, or need not be.
    pub(super) fn restatement_due(&self) -> Option<Timestamp> {
        // An end is final (F-LC-8), and the product has received it, or receives it now.
        if !self.is_unconfirmed || *self.status() == Status::Unsubscribed {
            return None;
        }
        let restored_at = i64::try_from(self.epoch).ok().map(Timestamp::from_millisecond)?.ok()?;
        restored_at.checked_add(RESTATED_AFTER).ok()
    }

    /// Tells the product once what a restored record says, when it was compared with Microsoft's copy.
    /// The product may have been told of a change that the table has forgotten, and that was taken back
    /// since: then the comparison finds no difference. The event has no `before`, since nobody knows
    /// what the product holds.
    pub fn restate(&self, cause: &Cause, now: Timestamp) -> Decision {
        if self.restatement_due().is_none_or(|due| now < due) {
            return Decision::Unchanged;
        }
        let kind = EventKind::DetailsChanged;
        let mut next = self.announce(kind, cause, now, |record| record.is_unconfirmed = false);
        for event in &mut next.events {
            event.before = None;
        }
        Decision::Commit(next)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::super::observation::Observation;
    use super::super::observe::observe;
    use super::*;

    fn noon() -> Timestamp {
        "2026-03-10T12:00:00Z".parse().expect("a timestamp")
    }

    fn observed(current: Option<&Record>, status: &str, now: Timestamp) -> NextVersion {
        let observation: Observation = serde_json::from_value(json!({
            "id": Uuid::from_u128(1), "offerId": "offer", "planId": "silver",
            "saasSubscriptionStatus": status,
        }))
        .expect("an observation");
        match observe(current, &observation, &Cause::Reconciliation, now) {
            Ok(Decision::Commit(next)) => next,
            other => panic!("nothing is committed: {other:?}"),
        }
    }

    fn epoch() -> u64 {
        noon().as_millisecond().try_into().expect("after 1970")
    }

    #[test]
    fn a_new_record_of_a_restored_table_begins_after_the_epoch() {
        let mut raised = observed(None, "Subscribed", noon());
        assert!(raised.record.is_first_version());
        raised.begin_after(epoch());
        assert!(raised.record.is_first_version() && !raised.record.is_unconfirmed);
        assert_eq!(raised.events.len(), 2);
        assert!(raised.events.iter().all(|event| event.version == epoch() + 1));
        let next = observed(Some(&raised.record), "Suspended", noon());
        assert_eq!(next.record.version, epoch() + 2);
        assert!(!next.record.is_first_version());
    }

    #[test]
    fn a_raised_record_passes_every_version_that_a_later_restore_may_forget() {
        let record = observed(None, "Subscribed", noon()).record;
        let once = record.raise(epoch());
        let later = noon() + SignedDuration::from_millis(10);
        let later: u64 = later.as_millisecond().try_into().expect("after 1970");
        let after_ten_writes =
            (0..9).fold(once.clone(), |record, _| record.reaffirm(noon()).record);
        assert!(once.version > record.version && later >= after_ten_writes.version);
        assert!(record.raise(later).version > after_ten_writes.version);
        let read_as_float = 9_007_199_254_740_991;
        assert!(once.version < read_as_float);
    }

    #[test]
    fn an_unconfirmed_record_is_restated_once_and_not_too_early() {
        let raised = observed(None, "Subscribed", noon()).record.raise(epoch());
        let restate = |record: &Record, at| record.restate(&Cause::Reconciliation, at);
        let (early, late) =
            (noon() + RESTATED_AFTER - SignedDuration::from_secs(1), noon() + RESTATED_AFTER);
        assert_eq!(restate(&raised, early), Decision::Unchanged);
        // Whatever is recorded meanwhile.
        let raised = observed(Some(&raised), "Suspended", noon()).record;
        let Decision::Commit(next) = restate(&raised, late) else { panic!("it is not restated") };
        assert_eq!(next.events[0].kind, EventKind::DetailsChanged);
        assert_eq!(
            (&next.events[0].before, &next.events[0].subscription),
            (&None, &raised.subscription)
        );
        assert_eq!(restate(&next.record, late), Decision::Unchanged);
    }

    #[test]
    fn an_ended_subscription_is_not_restated() {
        let ended = observed(None, "Unsubscribed", noon()).record.raise(epoch());
        assert_eq!(
            ended.restate(&Cause::Reconciliation, noon() + RESTATED_AFTER),
            Decision::Unchanged
        );
    }

    #[test]
    fn a_record_that_was_never_restored_keeps_the_stored_format() {
        let record = observed(None, "Subscribed", noon()).record;
        let stored = serde_json::to_value(&record).expect("JSON");
        assert!(stored.get("epoch").is_none() && stored.get("unconfirmed").is_none());
        let raised = record.raise(epoch());
        let stored = serde_json::to_value(&raised).expect("JSON");
        assert_eq!((&stored["epoch"], &stored["unconfirmed"]), (&json!(epoch()), &json!(true)));
        assert_eq!(serde_json::from_value::<Record>(stored).expect("a record"), raised);
    }
}
