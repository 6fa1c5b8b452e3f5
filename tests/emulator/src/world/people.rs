//! The people of the emulated world: who buys, who signs in, who has no business here.

use serde_json::{Map, Value, json};
use uuid::Uuid;

/// The tenant of every personal Microsoft account (F-LP-6).
pub const PERSONAL_TENANT: Uuid = Uuid::from_u128(0x9188040d_6c67_4c5b_b112_36a304b66dad);
/// The tenant of the default customer.
pub const CONTOSO_TENANT: Uuid = Uuid::from_u128(0x2c57d204_229b_4536_8d56_8e42fd6862fa);
/// The tenant of the second customer, which is in the private plan's audience.
pub const NORTHWIND_TENANT: Uuid = Uuid::from_u128(0x76aa1bed_7143_4c70_a610_fd15b9b59e05);
/// The tenant of the reseller.
pub const RESELLER_TENANT: Uuid = Uuid::from_u128(0x5d3f1b7e_90aa_4f0e_b1c2_3e4a5d6c7f80);
/// A tenant which never bought anything.
pub const STRANGER_TENANT: Uuid = Uuid::from_u128(0x13c5e7a9_2b4d_4f60_8172_93a4b5c6d7e8);

/// A person with an account at Entra.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The display name.
    pub name: String,
    /// The e-mail address, which is the sign-in name too.
    pub email: String,
    /// The id in the tenant.
    pub object_id: Uuid,
    /// The tenant.
    pub tenant_id: Uuid,
    /// The legacy id.
    pub puid: String,
}

impl Person {
    fn new(name: &str, email: &str, number: u128, tenant_id: Uuid) -> Self {
        Self {
            name: name.into(),
            email: email.into(),
            object_id: Uuid::from_u128(0x2f50c2e6_2261_4106_aad6_286e5708e000 + number),
            tenant_id,
            puid: format!("10032000C0FFE{number:03}"),
        }
    }

    /// The default buyer, an administrator at Contoso.
    pub fn adele() -> Self {
        Self::new("Adele Vance", "adele@contoso.example", 1, CONTOSO_TENANT)
    }

    /// A buyer from another company.
    pub fn bruno() -> Self {
        Self::new("Bruno Keller", "bruno@northwind.example", 2, NORTHWIND_TENANT)
    }

    /// Somebody with a personal Microsoft account.
    pub fn personal() -> Self {
        Self::new("Pat Doe", "pat.doe@outlook.example", 3, PERSONAL_TENANT)
    }

    /// The reseller's administrator, who buys for customers (F-SEED-9).
    pub fn reseller() -> Self {
        Self::new("Rita Resell", "rita@reseller.example", 4, RESELLER_TENANT)
    }

    /// Somebody who has nothing to do with any purchase.
    pub fn stranger() -> Self {
        Self::new("Sven Stranger", "sven@elsewhere.example", 5, STRANGER_TENANT)
    }

    /// Everybody who can sign in, in the order in which the sign-in page lists them.
    pub fn everybody() -> Vec<Self> {
        vec![Self::adele(), Self::bruno(), Self::personal(), Self::reseller(), Self::stranger()]
    }

    /// The form in subscriptions (F-OBJ-4). Webhooks add null members.
    pub(crate) fn wire(&self, padded: bool, null_ids: bool, in_webhook: bool) -> Value {
        let mut person = Map::new();
        person.insert("emailId".into(), json!(pad(&self.email, padded)));
        person
            .insert("objectId".into(), if null_ids { Value::Null } else { json!(self.object_id) });
        person.insert("tenantId".into(), json!(self.tenant_id));
        person.insert("puid".into(), if null_ids { Value::Null } else { json!(self.puid) });
        if in_webhook {
            for name in ["iss", "idp", "groupIds", "altsecid", "CLIENT-IP"] {
                person.insert(name.into(), Value::Null);
            }
        }
        Value::Object(person)
    }
}

/// Text with the stray blanks of Microsoft's samples, if wanted (F-GEN-11).
pub(crate) fn pad(text: &str, padded: bool) -> String {
    if padded { format!(" {text} ") } else { text.to_owned() }
}
