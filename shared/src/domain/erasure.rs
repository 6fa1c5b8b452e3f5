//! The erasure of personal data: who bought a subscription, whom it is for, and what they entered.
//!
//! The subscription's id, its offer, plans, seats, dates and statuses stay, as do the versions and the
//! times of its events. So the history stays a history, without people. The record becomes a tombstone:
//! nothing that arrives later changes it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use super::annotations::Annotations;
use super::claim::Claim;
use super::decision::{Decision, Staleness};
use super::event::{Cause, Event, EventKind};
use super::identification::Account;
use super::own_request::Requester;
use super::purchase_decision::PurchaseDecision;
use super::record::Record;
use super::ruling::Ruling;
use super::subscription::{Party, Status, Subscription};

/// How long data stays after a subscription's end (F-LC-8).
pub const KEPT_AFTER_END: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Why personal data may not be erased now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ErasureRefused {
    #[error("only the data of an ended subscription can be erased")]
    NotEnded,
    #[error("the data stays for seven days after the end, until {possible_at}")]
    TooEarly {
        /// From then on it may be erased.
        possible_at: Timestamp,
    },
    #[error(
        "your product has not accepted all events of the subscription yet; \
         events that are parked have to be sent again"
    )]
    Undelivered,
}

impl Subscription {
    /// The same without people, and without the name that the buyer chose.
    #[must_use]
    pub fn without_people(&self) -> Self {
        Self {
            name: None,
            beneficiary: Party::default(),
            purchaser: Party::default(),
            ..self.clone()
        }
    }
}

impl Event {
    /// Whether it names people or holds free texts, as it does until an erasure.
    pub fn names_people(&self) -> bool {
        self.without_people() != *self
    }

    /// The same without people and without free texts.
    #[must_use]
    pub fn without_people(&self) -> Self {
        let mut event = self.clone();
        event.before = event.before.map(|before| before.without_people());
        event.subscription = event.subscription.without_people();
        event.sign_up = None;
        event.ruling = event.ruling.map(|ruling| Ruling { reason: None, ..ruling });
        if let Cause::Webhook { requester: Some(Requester::Buyer { account }), .. } =
            &mut event.cause
        {
            // That the buyer asked for it stays.
            *account = Account::ERASED;
        }
        if let EventKind::Claimed { claimant } = &mut event.kind {
            *claimant = claimant.without_person();
        }
        event
    }
}

impl Annotations {
    /// The revision after these, which holds nothing. It is saved also where there are none, so that a
    /// writer who has read none can't save its own any more.
    #[must_use]
    pub fn erased(current: Option<&Self>, now: Timestamp) -> Self {
        let revision = current.map_or(0, |current| current.revision) + 1;
        Self {
            reference: None,
            metadata: BTreeMap::new(),
            notes: Vec::new(),
            revision,
            reference_revision: revision,
            changed_at: now,
            changed_by: None,
        }
    }
}

impl Record {
    /// Whether the personal data was erased, in the record at least.
    pub fn is_erased(&self) -> bool {
        self.erased_at.is_some()
    }

    /// Whether an erasure has begun that has not reached everything beside the record yet.
    pub fn is_erasing(&self) -> bool {
        self.is_erasing
    }

    /// When an erasure is completed that has begun; `None` if there is none.
    pub(super) fn erasure_due(&self) -> Option<Timestamp> {
        self.erased_at.filter(|_| self.is_erasing)
    }

    /// Whether the subscription ended at this time or before it.
    pub fn ended_by(&self, by: Timestamp) -> bool {
        self.ended_at().is_some_and(|ended_at| ended_at <= by)
    }

    /// Whether the rules allow an erasure.
    ///
    /// # Errors
    /// [`ErasureRefused`], but never [`ErasureRefused::Undelivered`]: the record doesn't know.
    pub fn may_be_erased(&self, now: Timestamp) -> Result<(), ErasureRefused> {
        let ended_at = self.ended_at().ok_or(ErasureRefused::NotEnded)?;
        match ended_at.checked_add(KEPT_AFTER_END) {
            Ok(possible_at) if now < possible_at => Err(ErasureRefused::TooEarly { possible_at }),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Begins an erasure: the record loses its people.
    pub fn erase(&self, cause: &Cause, now: Timestamp) -> Decision {
        if self.is_erased() {
            return Decision::Unchanged;
        }
        if *self.status() != Status::Unsubscribed {
            return Decision::Stale(Staleness::Impossible);
        }
        self.blank(&self.subscription, now, cause, now)
    }

    /// Repeats an erasure in a table that has forgotten it. `tombstone` is the record that the former
    /// table holds; `current` is the restored one, if the table knows the subscription.
    pub fn erase_again(
        current: Option<&Self>,
        tombstone: &Self,
        cause: &Cause,
        now: Timestamp,
    ) -> Decision {
        let erased_at = tombstone.erased_at.unwrap_or(now);
        match current {
            Some(current) if current.is_erased() => Decision::Unchanged,
            Some(current) => current.blank(&tombstone.subscription, erased_at, cause, now),
            None => {
                let subscription = tombstone.subscription.without_people();
                Self::initial(subscription.clone(), now).blank(&subscription, erased_at, cause, now)
            }
        }
    }

    fn blank(
        &self,
        subscription: &Subscription,
        erased_at: Timestamp,
        cause: &Cause,
        now: Timestamp,
    ) -> Decision {
        let mut next = self.announce(EventKind::PersonalDataErased, cause, now, |record| {
            record.subscription = subscription.without_people();
            record.activation = None;
            record.pending_operation = None;
            record.own_requests.clear();
            record.identified_as = None;
            record.decision = record.decision.take().map(PurchaseDecision::without_reason);
            record.claim = record.claim.map(Claim::without_person);
            record.sign_up = None;
            record.erased_at = Some(erased_at);
            record.is_erasing = true;
        });
        for event in &mut next.events {
            // A receiver takes over all of the subscription.
            event.before = None;
            event.subscription = next.record.subscription.clone();
        }
        Decision::Commit(next)
    }

    /// Everything beside the record is erased, too.
    pub fn finish_erasure(&self, now: Timestamp) -> Decision {
        if !self.is_erasing {
            return Decision::Unchanged;
        }
        Decision::Commit(self.noted(now, |record| record.is_erasing = false))
    }
}

#[cfg(test)]
mod tests;
