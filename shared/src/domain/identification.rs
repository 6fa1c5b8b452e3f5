//! What a person who signed in is to a subscription: its beneficiary, its purchaser, or a stranger
//! (F-LP-9).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::{Uuid, uuid};

use super::subscription::{Party, Subscription};

/// The tenant of every personal Microsoft account (F-LP-6). Membership in it identifies no one.
pub const PERSONAL_TENANT: Uuid = uuid!("9188040d-6c67-4c5b-b112-36a304b66dad");

/// A person who signed in, as their directory knows them. It has no e-mail address: an address is
/// never an identity (F-LP-9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The directory, `tid`.
    pub tenant_id: Uuid,
    /// The person in it, `oid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_id: Option<Uuid>,
}

/// A person with neither role is a stranger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// The subscription is for them.
    Beneficiary,
    /// They bought it for someone else (F-SEED-9).
    Purchaser,
}

/// How a person was matched with the people that Microsoft names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MatchedBy {
    /// Microsoft named the person.
    TenantAndObject,
    /// Microsoft named the tenant alone, and the person belongs to it (F-OBJ-4).
    Tenant,
    /// Microsoft named no tenant at all: a work account and the purchase token have to suffice.
    Unverifiable,
}

/// The role of a person, and how it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identification {
    pub role: Role,
    pub matched_by: MatchedBy,
}

impl Identification {
    /// Whether Microsoft names this very person as the beneficiary. A match of the tenant alone, or
    /// of nothing, lets a person see and activate a purchase, but not change or cancel it.
    pub fn is_named_beneficiary(self) -> bool {
        self.role == Role::Beneficiary && self.matched_by == MatchedBy::TenantAndObject
    }
}

/// Who opened the purchase last, as the record keeps it.
///
/// Serialised in stored records and in answers of the API: members are only added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IdentifiedAs {
    pub role: Role,
    #[serde(rename = "rule")]
    pub matched_by: MatchedBy,
    pub at: Timestamp,
}

impl IdentifiedAs {
    pub(super) fn matches(&self, found: Identification) -> bool {
        (self.role, self.matched_by) == (found.role, found.matched_by)
    }
}

/// Compares the person who signed in with the people that Microsoft names. `None`: a stranger.
pub fn identify(subscription: &Subscription, account: &Account) -> Option<Identification> {
    let Subscription { beneficiary, purchaser, .. } = subscription;
    if let Some(matched_by) = match_party(beneficiary, account) {
        return Some(Identification { role: Role::Beneficiary, matched_by });
    }
    if let Some(matched_by) = match_party(purchaser, account) {
        return Some(Identification { role: Role::Purchaser, matched_by });
    }
    let no_tenant_is_named =
        [beneficiary, purchaser].into_iter().all(|party| named(party.tenant_id).is_none());
    (no_tenant_is_named && account.tenant_id != PERSONAL_TENANT)
        .then_some(Identification { role: Role::Beneficiary, matched_by: MatchedBy::Unverifiable })
}

/// Whether a person who is not [identified](identify) belongs to the beneficiary's company.
pub fn is_colleague(subscription: &Subscription, account: &Account) -> bool {
    let tenant = named(subscription.beneficiary.tenant_id);
    tenant == Some(account.tenant_id) && account.tenant_id != PERSONAL_TENANT
}

/// A GUID of zeros names nothing.
fn named(id: Option<Uuid>) -> Option<Uuid> {
    id.filter(|id| !id.is_nil())
}

fn match_party(party: &Party, account: &Account) -> Option<MatchedBy> {
    if named(party.tenant_id) != Some(account.tenant_id) {
        return None;
    }
    match named(party.object_id) {
        Some(person) => (account.object_id == Some(person)).then_some(MatchedBy::TenantAndObject),
        None => (account.tenant_id != PERSONAL_TENANT).then_some(MatchedBy::Tenant),
    }
}

/// The directory in which a stranger may turn out to be a person whom Microsoft names: the
/// purchase's own.
///
/// A guest, or a personal account that owns a directory, has one object id there and another one at
/// home. Entra signs it in with the ids of its home unless it is asked to sign in to that directory
/// (F-LP-14).
/// `None` if Microsoft names no directory, or if the account was used in that directory already.
pub fn tenant_for_guest(subscription: &Subscription, account: &Account) -> Option<Uuid> {
    let Subscription { beneficiary, purchaser, .. } = subscription;
    let tenant = named(beneficiary.tenant_id).or(named(purchaser.tenant_id))?;
    (tenant != account.tenant_id).then_some(tenant)
}

#[cfg(test)]
mod tests;
