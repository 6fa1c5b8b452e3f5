//! Who somebody is to a subscription: its beneficiary, its purchaser, or a stranger (F-LP-9).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::{Uuid, uuid};

use super::observation::{IncompleteObservation, Observation};
use super::record::Record;
use super::subscription::{Party, Subscription};

/// The tenant that every personal Microsoft account is in (F-LP-6). That somebody is in it says
/// nothing about who they are.
const PERSONAL_TENANT: Uuid = uuid!("9188040d-6c67-4c5b-b112-36a304b66dad");

/// Somebody who signed in, as their directory knows them. An e-mail address is no part of it: it
/// is never an identity (F-LP-9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The directory, `tid`.
    pub tenant_id: Uuid,
    /// The person in it, `oid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_id: Option<Uuid>,
}

/// What somebody is to a subscription. Whoever is neither is a stranger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// It is for them.
    Beneficiary,
    /// They bought it for somebody else (F-SEED-9).
    Purchaser,
}

/// By what somebody was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BindingRule {
    /// Microsoft named the person, and it is the one who signed in.
    TenantAndObject,
    /// Microsoft named the tenant alone, and the person is from there (F-OBJ-4).
    Tenant,
    /// Microsoft named no tenant at all: a work account and the purchase token had to do.
    Unverifiable,
}

/// Who opened the purchase last, and how they were recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bound {
    /// What they are to the subscription.
    pub role: Role,
    /// What told so.
    pub rule: BindingRule,
    /// Since when.
    pub at: Timestamp,
}

/// Compares who signed in with whom Microsoft names. `None`: a stranger.
pub fn bind(subscription: &Subscription, account: &Account) -> Option<(Role, BindingRule)> {
    let Subscription { beneficiary, purchaser, .. } = subscription;
    if let Some(rule) = is(beneficiary, account) {
        return Some((Role::Beneficiary, rule));
    }
    if let Some(rule) = is(purchaser, account) {
        return Some((Role::Purchaser, rule));
    }
    let nobody_is_named = beneficiary.tenant_id.is_none() && purchaser.tenant_id.is_none();
    (nobody_is_named && account.tenant_id != PERSONAL_TENANT)
        .then_some((Role::Beneficiary, BindingRule::Unverifiable))
}

fn is(party: &Party, account: &Account) -> Option<BindingRule> {
    if party.tenant_id != Some(account.tenant_id) {
        return None;
    }
    match party.object_id {
        Some(person) => (account.object_id == Some(person)).then_some(BindingRule::TenantAndObject),
        None => (account.tenant_id != PERSONAL_TENANT).then_some(BindingRule::Tenant),
    }
}

impl Observation {
    /// What somebody is to the subscription as it is observed, on top of what was known of it.
    pub fn bind(
        &self,
        current: Option<&Record>,
        account: &Account,
    ) -> Result<Option<(Role, BindingRule)>, IncompleteObservation> {
        let subscription = self.onto(current.map(|record| &record.subscription))?;
        Ok(bind(&subscription, account))
    }
}

#[cfg(test)]
mod tests;
