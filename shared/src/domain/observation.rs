//! The subscription as Get, List or Resolve returned it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;
use thiserror::Error;
use uuid::Uuid;

use super::subscription::{CustomerOperation, Party, Status, Subscription, SubscriptionId, Term};
use crate::lenient::{Lenient, lenient, members};

/// A subscription as Microsoft returned it. Any field but the id may be missing (F-GEN-10). A
/// missing field leaves the record as it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observation {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) id: Option<Uuid>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) publisher_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) offer_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    saas_subscription_status: Option<Status>,
    /// The older name. Not an alias, since serde rejects an answer that holds both names.
    #[serde(default, deserialize_with = "lenient")]
    status: Option<Status>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) plan_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) quantity: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) term: Option<Term>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) beneficiary: Option<Party>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) purchaser: Option<Party>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) auto_renew: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) is_free_trial: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) is_test: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) allowed_customer_operations: Option<BTreeSet<CustomerOperation>>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) created: Option<Timestamp>,
    /// The time since when the state holds, where an operation proves it. An observation that is
    /// younger than our last commit can't be a late read.
    #[serde(skip)]
    pub(crate) as_of: Option<Timestamp>,
    /// When we asked Microsoft. The answer may be used later, and is as old as this.
    #[serde(skip)]
    pub(crate) read_at: Option<Timestamp>,
}

impl Lenient for Observation {
    fn read(value: &serde_json::Value) -> Option<Self> {
        members(value, None)
    }
}

/// The first observation of a subscription lacks a field without which there is no record.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("the first answer about a subscription lacks its {0}")]
pub struct IncompleteObservation(pub &'static str);

impl Observation {
    /// `None` where the answer left it out.
    pub fn id(&self) -> Option<SubscriptionId> {
        self.id.map(SubscriptionId)
    }

    pub fn status(&self) -> Option<&Status> {
        self.saas_subscription_status.as_ref().or(self.status.as_ref())
    }

    /// Whether the term's end lies ahead of this time, or the answer names none: active
    /// subscriptions have lacked the dates (F-OBJ-6).
    pub(crate) fn term_ends_after(&self, at: Timestamp) -> bool {
        self.term.as_ref().and_then(|term| term.end_date).is_none_or(|end| end > at)
    }

    /// The same observation, with the id that we asked for where the answer left it out.
    #[must_use]
    pub fn of(mut self, id: SubscriptionId) -> Self {
        self.id = self.id.or(Some(id.0));
        self
    }

    /// The same observation, dated by when we asked.
    #[must_use]
    pub fn read_at(mut self, read_at: Timestamp) -> Self {
        self.read_at = Some(read_at);
        self
    }

    /// The same observation, known to hold since `as_of`.
    #[must_use]
    pub fn as_of(mut self, as_of: Option<Timestamp>) -> Self {
        self.as_of = as_of;
        self
    }

    /// Fills the gaps of a short Resolve answer from its top level (F-RES-6).
    pub(crate) fn or_fields(
        mut self,
        offer_id: Option<String>,
        plan_id: Option<String>,
        quantity: Option<u64>,
        name: Option<String>,
    ) -> Self {
        self.offer_id = self.offer_id.or(offer_id);
        self.plan_id = self.plan_id.or(plan_id);
        self.quantity = self.quantity.or(quantity);
        self.name = self.name.or(name);
        self
    }

    /// The subscription that this observation describes, on top of what we knew.
    pub fn onto(
        &self,
        known: Option<&Subscription>,
    ) -> Result<Subscription, IncompleteObservation> {
        let known_id = known.map(|known| known.id);
        let plan_id = self.plan_id.clone().or_else(|| known.map(|known| known.plan_id.clone()));
        let same_plan = known.is_some_and(|known| Some(&known.plan_id) == plan_id.as_ref());
        Ok(Subscription {
            id: self.id().or(known_id).ok_or(IncompleteObservation("id"))?,
            publisher_id: newer(&self.publisher_id, known.and_then(|k| k.publisher_id.as_ref())),
            offer_id: newer(&self.offer_id, known.map(|k| &k.offer_id))
                .ok_or(IncompleteObservation("offerId"))?,
            name: newer(&self.name, known.and_then(|k| k.name.as_ref())),
            saas_subscription_status: self
                .status()
                .or(known.map(|known| &known.saas_subscription_status))
                .cloned()
                .ok_or(IncompleteObservation("saasSubscriptionStatus"))?,
            plan_id: plan_id.ok_or(IncompleteObservation("planId"))?,
            // No quantity means a flat rate (F-OBJ-5), as 0 does, which some serialisers write for
            // none. There are two exceptions: an ended subscription may lose its seats, and an
            // answer without a plan says nothing about seats either.
            quantity: self.quantity.filter(|seats| *seats > 0).or_else(|| {
                let silent = self.plan_id.is_none() || self.status() == Some(&Status::Unsubscribed);
                known.filter(|_| silent && same_plan).and_then(|known| known.quantity)
            }),
            term: self.term_onto(known.map(|known| &known.term)),
            beneficiary: party_onto(self.beneficiary.as_ref(), known.map(|k| &k.beneficiary)),
            purchaser: party_onto(self.purchaser.as_ref(), known.map(|k| &k.purchaser)),
            auto_renew: self.auto_renew.or_else(|| known.and_then(|known| known.auto_renew)),
            // Missing means false (F-OBJ-10).
            is_free_trial: self.is_free_trial.unwrap_or(false),
            is_test: self.is_test.unwrap_or_else(|| known.is_some_and(|known| known.is_test)),
            allowed_customer_operations: newer(
                &self.allowed_customer_operations,
                known.and_then(|k| k.allowed_customer_operations.as_ref()),
            ),
            created: self.created.or_else(|| known.and_then(|known| known.created)),
        })
    }

    fn term_onto(&self, known: Option<&Term>) -> Term {
        let term = self.term.clone().unwrap_or_default();
        let known = known.cloned().unwrap_or_default();
        Term {
            term_unit: term.term_unit.or(known.term_unit),
            start_date: term.start_date.or(known.start_date),
            end_date: term.end_date.or(known.end_date),
            // Missing means as long as the term (F-OBJ-8).
            charge_duration: if self.term.is_some() {
                term.charge_duration
            } else {
                known.charge_duration
            },
        }
    }
}

fn newer<T: Clone>(now: &Option<T>, before: Option<&T>) -> Option<T> {
    now.as_ref().or(before).cloned()
}

/// What is missing is kept, as long as it is about the same person: a purchase can change hands.
fn party_onto(now: Option<&Party>, before: Option<&Party>) -> Party {
    let now = now.cloned().unwrap_or_default();
    let mut before = before.cloned().unwrap_or_default();
    let differs = |now: Option<Uuid>, before: Option<Uuid>| {
        now.zip(before).is_some_and(|(now, before)| now != before)
    };
    if differs(now.tenant_id, before.tenant_id) {
        return now;
    }
    if differs(now.object_id, before.object_id) {
        before = Party { tenant_id: before.tenant_id, ..Party::default() };
    }
    Party {
        email_id: now.email_id.or(before.email_id),
        object_id: now.object_id.or(before.object_id),
        tenant_id: now.tenant_id.or(before.tenant_id),
        puid: now.puid.or(before.puid),
    }
}
