//! The states that a subscription left lately, kept to recognise late reads.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::subscription::{Status, Subscription};

/// A state, and when the subscription left it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RecentState {
    #[serde(rename = "at")]
    pub(super) left_at: Timestamp,
    #[serde(rename = "held")]
    pub(super) state: BilledState,
}

/// The billed part of a subscription: the part that a late read would set back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BilledState {
    pub(super) status: Status,
    plan_id: String,
    quantity: Option<u64>,
    term_start: Option<Timestamp>,
    term_end: Option<Timestamp>,
}

impl BilledState {
    pub(super) fn of(subscription: &Subscription) -> Self {
        Self {
            status: subscription.saas_subscription_status.clone(),
            plan_id: subscription.plan_id.clone(),
            quantity: subscription.quantity,
            term_start: subscription.term.start_date,
            term_end: subscription.term.end_date,
        }
    }

    /// Whether a late read may explain the difference to `current`, which replaced `former`.
    ///
    /// It may where the read shows the former status or term. It also may where plan or seats just
    /// changed and the read shows yet another value: one that was in force between two of our
    /// reads. A change of plan or seats that is news has an operation to prove it.
    pub(super) fn reverts(&self, current: &Self, former: &Self) -> bool {
        fn is_former<T: PartialEq>(now: T, current: T, former: T) -> bool {
            now != current && now == former
        }
        fn is_another<T: PartialEq>(now: T, current: T, former: T) -> bool {
            now != current && current != former
        }
        let term = |state: &Self| (state.term_start, state.term_end);
        is_former(&self.status, &current.status, &former.status)
            || is_former(term(self), term(current), term(former))
            || is_another(&self.plan_id, &current.plan_id, &former.plan_id)
            || is_another(self.quantity, current.quantity, former.quantity)
    }
}
