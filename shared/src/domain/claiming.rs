//! Subscriptions that Microsoft activates by itself (F-LC-4): no person has signed in when the product
//! sets the account up (F-WHD-7). The first one whom Microsoft names claims it, and that grants nothing.

use jiff::Timestamp;

use super::claim::{Claim, Claimant};
use super::decision::Decision;
use super::event::{Cause, Event, EventKind};
use super::identification::{Account, Identification, MatchedBy};
use super::record::Record;
use super::sign_up::SignUp;
use super::subscription::Status;

impl Identification {
    /// Whether Microsoft names the person, or at least their tenant. Without either, nothing but the link
    /// connects a person with the purchase.
    fn is_of_named(self) -> bool {
        match self.matched_by {
            MatchedBy::TenantAndObject | MatchedBy::Tenant => true,
            MatchedBy::Unverifiable => false,
        }
    }
}

impl Record {
    /// Whether Microsoft activated it by itself, and no person has claimed it.
    pub fn is_unclaimed(&self) -> bool {
        self.claim == Some(Claim::Unclaimed)
    }

    /// Whether an activation that shows now is Microsoft's own: neither a buyer nor the product has asked
    /// for one. What a restore brought back may have forgotten that they did.
    pub(super) fn has_not_asked_for_activation(&self) -> bool {
        self.activation.is_none()
            && self.sign_up.is_none()
            && self.claim.is_none()
            && !self.is_unconfirmed
    }

    /// Whether the buyer may still fill in the form that a usual purchase is confirmed with.
    pub fn lacks_sign_up(&self) -> bool {
        self.claim.is_some() && self.sign_up.is_none() && *self.status() == Status::Subscribed
    }

    /// Keeps the buyer's answers about a subscription that Microsoft activated by itself, and announces
    /// them, once. Nothing is activated (F-ACT-8).
    pub fn complete_sign_up(&self, sign_up: &SignUp, cause: &Cause, now: Timestamp) -> Decision {
        if !self.lacks_sign_up() {
            return Decision::Unchanged;
        }
        Decision::Commit(self.announce(EventKind::SignedUp, cause, now, |record| {
            record.sign_up = Some(sign_up.clone());
        }))
    }

    fn claimed_by(
        &self,
        found: Identification,
        account: &Account,
        at: Timestamp,
    ) -> Option<Claimant> {
        let lives = matches!(self.status(), Status::Subscribed | Status::Suspended);
        let Identification { role, matched_by } = found;
        let claimant = Claimant { account: *account, role, matched_by, at };
        (self.is_unclaimed() && lives && found.is_of_named()).then_some(claimant)
    }
}

impl Decision {
    /// This decision, which also binds the first person whom Microsoft names to a subscription that it
    /// activated by itself.
    #[must_use]
    pub fn claiming(
        self,
        found: Identification,
        account: &Account,
        current: Option<&Record>,
        cause: &Cause,
        now: Timestamp,
    ) -> Self {
        let mut next = match (self, current) {
            (Self::Commit(next), _) => next,
            (Self::Unchanged, Some(record)) if record.claimed_by(found, account, now).is_some() => {
                record.reaffirm(now)
            }
            (decision @ (Self::Unchanged | Self::Stale(_)), _) => return decision,
        };
        if let Some(claimant) = next.record.claimed_by(found, account, now) {
            next.record.claim = Some(Claim::Claimed(claimant));
            let index = u8::try_from(next.events.len()).unwrap_or(u8::MAX);
            let kind = EventKind::Claimed { claimant };
            next.events.push(Event { index, ..next.record.event(kind, cause, now) });
        }
        Self::Commit(next)
    }
}

#[cfg(test)]
mod tests;
