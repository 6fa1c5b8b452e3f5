//! The record of one subscription, and how to tell a late read from news.

mod recent_states;
mod settled_operations;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use self::recent_states::{BilledState, RecentState};
use self::settled_operations::SettledOperations;
use super::claim::Claim;
use super::identification::IdentifiedAs;
use super::operation::Action;
use super::operation_id::OperationId;
use super::own_request::OwnRequest;
use super::purchase_decision::PurchaseDecision;
use super::ruling::Ruling;
use super::seen_plan::SeenPlan;
use super::sign_up::SignUp;
use super::subscription::{Status, Subscription, SubscriptionId};

/// How long after a commit a read that would take it back counts as a late read.
///
/// Microsoft's reads come from replicas. A change that we acknowledged shows at the latest when the
/// ten seconds of F-WHA-10 are over. A shorter window lets a late read undo a change that was just
/// made. A longer one delays a change that really was taken back; it is never missed, since the
/// next read after the window adopts it.
pub const SETTLING_WINDOW: SignedDuration = SignedDuration::from_secs(60);

/// One subscription's record: Microsoft's copy as last known, and what we wait for.
///
/// Serialised in the table: members are only added, and never renamed. The API shows a selection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Microsoft's copy, as last known.
    pub subscription: Subscription,
    /// Grows by one with every commit, and leaps with a restore of the table. Concurrent writers are
    /// detected by it.
    pub version: u64,
    /// The version before the first one, or before the one that the last restore gave it; 0 in a
    /// table that was never restored.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub epoch: u64,
    /// A restore brought the record back, and the product may know of changes that it has forgotten.
    #[serde(default, rename = "unconfirmed", skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_unconfirmed: bool,
    pub updated_at: Timestamp,
    /// When a billed value last changed here. A read that was made before is out of date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    changed_at: Option<Timestamp>,
    /// When we learned that the status had changed; `None` if nobody saw it change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status_since: Option<Timestamp>,
    /// An activation was requested, and Microsoft hasn't confirmed it yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation: Option<ActivationRequest>,
    /// An operation we wait for: one we requested, or one whose acknowledgement may not have
    /// arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_operation: Option<PendingOperation>,
    /// The changes that we asked Microsoft for last, the newest first. Microsoft may refuse the
    /// newest because it is still at work on the one before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own_requests: Vec<OwnRequest>,
    /// `ActivationDeadlineApproaching` was recorded.
    #[serde(default)]
    pub deadline_announced: bool,
    /// Who opened the purchase last on the landing page.
    #[serde(default, rename = "bound", skip_serializing_if = "Option::is_none")]
    pub identified_as: Option<IdentifiedAs>,
    /// What the publisher decided about the purchase; `None` if it has decided nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<PurchaseDecision>,
    /// Whether a person has come for it; `None` where a person or the product asked for the activation, and
    /// where a version before 0.2.0 recorded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claim>,
    /// The buyer's answers on the landing page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_up: Option<SignUp>,
    /// A plan that was in force when a page last asked for it. It may not be the present one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) seen_plan: Option<SeenPlan>,
    /// The states that the subscription left within the last [`SETTLING_WINDOW`].
    #[serde(default, rename = "superseded", skip_serializing_if = "Vec::is_empty")]
    recent_states: Vec<RecentState>,
    /// Operations that had settled before Microsoft's copy showed their result.
    #[serde(default, rename = "settled", skip_serializing_if = "SettledOperations::is_empty")]
    pub(super) settled_operations: SettledOperations,
    /// When the personal data was erased. Nothing changes such a record any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased_at: Option<Timestamp>,
    /// The items beside the record may still hold personal data.
    #[serde(default, rename = "erasing", skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_erasing: bool,
    /// A digest of the search terms that the table holds. Versions before 0.1.0 wrote none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) search_digest: Option<String>,
}

/// How far a requested activation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "camelCase")]
pub enum ActivationRequest {
    /// The buyer confirmed. The publisher's product provisions and then activates.
    AwaitsPublisher { since: Timestamp },
    /// We tell Microsoft. The subscription will show when it has happened (F-ACT-3). `since` is when
    /// the last attempt began that Microsoft may have accepted.
    AwaitsMicrosoft { since: Timestamp },
}

/// An operation whose end the record waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PendingOperation {
    pub id: OperationId,
    pub action: Action,
    /// When the wait began.
    pub since: Timestamp,
    /// Our answer, where Microsoft may not have received it; `None` where we requested the
    /// operation.
    #[serde(default, rename = "decision", skip_serializing_if = "Option::is_none")]
    pub ruling: Option<Ruling>,
}

/// As serde passes a value to be skipped.
fn is_zero(value: &u64) -> bool {
    *value == 0
}

impl Record {
    /// The record of a subscription that is new to us. Its first commit makes it version 1.
    pub(super) fn initial(subscription: Subscription, now: Timestamp) -> Self {
        Self {
            subscription,
            version: 0,
            epoch: 0,
            is_unconfirmed: false,
            updated_at: now,
            changed_at: None,
            status_since: None,
            activation: None,
            pending_operation: None,
            own_requests: Vec::new(),
            deadline_announced: false,
            identified_as: None,
            decision: None,
            claim: None,
            sign_up: None,
            seen_plan: None,
            recent_states: Vec::new(),
            settled_operations: SettledOperations::default(),
            erased_at: None,
            is_erasing: false,
            search_digest: None,
        }
    }

    pub fn id(&self) -> SubscriptionId {
        self.subscription.id
    }

    pub fn status(&self) -> &Status {
        &self.subscription.saas_subscription_status
    }

    /// What is known of the plan in force; `None` if no page has asked since it came into force.
    pub fn seen_plan(&self) -> Option<&SeenPlan> {
        self.seen_plan.as_ref().filter(|seen| seen.plan_id == self.subscription.plan_id)
    }

    /// When we learned that the subscription has ended; `None` if it has not. An end is final (F-LC-8), so it
    /// was the last change of a billed value.
    pub fn ended_at(&self) -> Option<Timestamp> {
        let changed_at = self.changed_at.unwrap_or(self.updated_at);
        (*self.status() == Status::Unsubscribed).then_some(changed_at)
    }

    /// When we learned of the present status: within seconds of the change, or within the hour if Microsoft's
    /// call was lost. `None` if the subscription had it when it became known, if a restored table has
    /// forgotten the change, or if a version before 0.2.0 recorded it.
    pub fn status_since(&self) -> Option<Timestamp> {
        self.status_since
    }

    /// The request of ours that the pending operation came of; `None` if others asked for it.
    pub fn pending_request(&self) -> Option<&OwnRequest> {
        let pending = self.pending_operation.as_ref()?;
        self.own_requests.iter().find(|own| own.operation_id.as_ref() == Some(&pending.id))
    }

    /// Changes with every [search term](Self::search_terms).
    pub fn search_digest(&self) -> Option<&str> {
        self.search_digest.as_deref()
    }

    /// Whether a read may be older than what the record holds.
    ///
    /// | the read | made | verdict |
    /// |---|---|---|
    /// | differs from the record | before a billed value last changed here | stale |
    /// | reverts a recent change | within [`SETTLING_WINDOW`] of that change | stale |
    /// | is proven to be younger than the change (`as_of`) | at any time | news |
    pub(super) fn is_stale_for(
        &self,
        target: &Subscription,
        as_of: Option<Timestamp>,
        read_at: Timestamp,
    ) -> bool {
        let (target, current) = (BilledState::of(target), BilledState::of(&self.subscription));
        let unproven = |at: Timestamp| as_of.is_none_or(|as_of| as_of <= at);
        let overtaken = target != current
            && self
                .changed_at
                .is_some_and(|changed_at| read_at < changed_at && unproven(changed_at));
        let late = self.recent_states.iter().any(|recent| {
            target.reverts(&current, &recent.state)
                && read_at.duration_since(recent.left_at) < SETTLING_WINDOW
                && unproven(recent.left_at)
        });
        overtaken || late
    }

    /// Whether the subscription left `status` so recently that a late read may still show it.
    pub fn left_recently(&self, status: &Status, now: Timestamp) -> bool {
        self.recent_states.iter().any(|recent| {
            recent.state.status == *status && now.duration_since(recent.left_at) < SETTLING_WINDOW
        })
    }

    /// Whether Microsoft's copy may not show yet what this settled operation did: we see it settled
    /// for the first time, or first saw it within the last [`SETTLING_WINDOW`].
    pub(super) fn may_lack_result_of(&self, id: &OperationId, now: Timestamp) -> bool {
        let seen_at = self.settled_operations.seen_at(id);
        seen_at.is_none_or(|seen_at| now.duration_since(seen_at) < SETTLING_WINDOW)
    }

    /// The next version, which holds `subscription`.
    pub(super) fn next_version(&self, subscription: Subscription, now: Timestamp) -> Self {
        let mut recent_states: Vec<_> = self
            .recent_states
            .iter()
            .filter(|recent| now.duration_since(recent.left_at) < SETTLING_WINDOW)
            .cloned()
            .collect();
        let is_first = self.version == 0;
        let before = BilledState::of(&self.subscription);
        let changes = before != BilledState::of(&subscription);
        if changes && !is_first {
            recent_states.push(RecentState { left_at: now, state: before });
        }
        let pending = subscription.saas_subscription_status == Status::PendingFulfillmentStart;
        let keeps_status = *self.status() == subscription.saas_subscription_status;
        let status_since = match (is_first, keeps_status) {
            (true, _) => None,
            (false, true) => self.status_since,
            // What a restore brought back may have had the status for long.
            (false, false) => (!self.is_unconfirmed).then_some(now),
        };
        Self {
            version: self.version + 1,
            epoch: self.epoch,
            is_unconfirmed: self.is_unconfirmed,
            updated_at: now,
            changed_at: if changes || is_first { Some(now) } else { self.changed_at },
            status_since,
            activation: self.activation.filter(|_| pending),
            pending_operation: self.pending_operation.clone(),
            own_requests: self.own_requests.clone(),
            deadline_announced: self.deadline_announced,
            identified_as: self.identified_as,
            decision: self.decision.clone(),
            claim: self.claim,
            sign_up: self.sign_up.clone(),
            seen_plan: self.seen_plan.clone(),
            subscription,
            recent_states,
            settled_operations: self.settled_operations.at(now),
            erased_at: self.erased_at,
            is_erasing: self.is_erasing,
            search_digest: self.search_digest.clone(),
        }
    }

    /// Remembers the states it passed through in this version: a late read may still show them.
    pub(super) fn remember<'a>(
        mut self,
        passed: impl Iterator<Item = &'a Subscription>,
        now: Timestamp,
    ) -> Self {
        let current = BilledState::of(&self.subscription);
        let passed = passed.map(BilledState::of).filter(|state| *state != current);
        self.recent_states.extend(passed.map(|state| RecentState { left_at: now, state }));
        self
    }
}

#[cfg(test)]
mod tests;
