//! The people of the emulated world: buyers, a reseller, and a colleague and a stranger who buy nothing.

use crate::settings::Oddities;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// The tenant of every personal Microsoft account (F-LP-6).
pub(crate) const PERSONAL_TENANT: Uuid = Uuid::from_u128(0x9188040d_6c67_4c5b_b112_36a304b66dad);
const CONTOSO_TENANT: Uuid = Uuid::from_u128(0x2c57d204_229b_4536_8d56_8e42fd6862fa);
/// The private plan's audience.
pub(crate) const NORTHWIND_TENANT: Uuid = Uuid::from_u128(0x76aa1bed_7143_4c70_a610_fd15b9b59e05);
const RESELLER_TENANT: Uuid = Uuid::from_u128(0x5d3f1b7e_90aa_4f0e_b1c2_3e4a5d6c7f80);
const STRANGER_TENANT: Uuid = Uuid::from_u128(0x13c5e7a9_2b4d_4f60_8172_93a4b5c6d7e8);

/// A person with an account at Entra.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub name: String,
    /// The sign-in name as well.
    pub email: String,
    pub object_id: Uuid,
    pub tenant_id: Uuid,
    /// The id of the older directory, which Microsoft still sends.
    pub puid: String,
    /// The tenant and the object id of the account itself, if the person is a guest in `tenant_id`.
    /// Entra uses these unless an application asks for a sign-in at that tenant.
    pub home: Option<(Uuid, Uuid)>,
}

impl Person {
    pub(crate) fn new(name: &str, email: &str, number: u128, tenant_id: Uuid) -> Self {
        Self {
            name: name.into(),
            email: email.into(),
            object_id: Uuid::from_u128(0x2f50c2e6_2261_4106_aad6_286e5708e000 + number),
            tenant_id,
            puid: format!("10032000C0FFE{number:03}"),
            home: None,
        }
    }

    /// The default buyer, an administrator at Contoso.
    pub fn adele() -> Self {
        Self::new("Adele Vance", "adele@contoso.example", 1, CONTOSO_TENANT)
    }

    /// Another person at Contoso, who buys nothing.
    pub fn colleague() -> Self {
        Self::new("Carl Colleague", "carl@contoso.example", 6, CONTOSO_TENANT)
    }

    /// A buyer at Northwind, which the private plan is open to.
    pub fn bruno() -> Self {
        Self::new("Bruno Keller", "bruno@northwind.example", 2, NORTHWIND_TENANT)
    }

    /// A buyer with a personal Microsoft account.
    pub fn personal() -> Self {
        Self::new("Pat Doe", "pat.doe@outlook.example", 3, PERSONAL_TENANT)
    }

    /// The reseller's administrator, who buys for customers (F-SEED-9).
    pub fn reseller() -> Self {
        Self::new("Rita Resell", "rita@reseller.example", 4, RESELLER_TENANT)
    }

    /// A person from a tenant that bought nothing.
    pub fn stranger() -> Self {
        Self::new("Sven Stranger", "sven@elsewhere.example", 5, STRANGER_TENANT)
    }

    /// A buyer at Northwind with a personal Microsoft account, which is a guest there (F-LP-14).
    pub fn guest() -> Self {
        let home = Some((PERSONAL_TENANT, Uuid::from_u128(0x1234_1234_5678_9abc)));
        Self { home, ..Self::new("Gil Guest", "gil@outlook.example", 7, NORTHWIND_TENANT) }
    }

    /// Every person who can sign in, in the order of the sign-in page.
    pub fn everybody() -> Vec<Self> {
        vec![
            Self::adele(),
            Self::colleague(),
            Self::bruno(),
            Self::personal(),
            Self::reseller(),
            Self::stranger(),
            Self::guest(),
        ]
    }

    /// The person as the sign-in at a tenant knows them, by its id or by Entra's name for several
    /// tenants. `None` if the tenant doesn't admit them.
    pub(crate) fn signed_in_at(self, tenant: &str) -> Option<Self> {
        if tenant.eq_ignore_ascii_case(&self.tenant_id.to_string()) {
            return Some(self);
        }
        let (tenant_id, object_id) = self.home.unwrap_or((self.tenant_id, self.object_id));
        let admits = match tenant {
            "common" => true,
            "organizations" => tenant_id != PERSONAL_TENANT,
            "consumers" => tenant_id == PERSONAL_TENANT,
            _ => tenant.eq_ignore_ascii_case(&tenant_id.to_string()),
        };
        admits.then_some(Self { tenant_id, object_id, ..self })
    }

    /// The JSON inside a subscription (F-OBJ-4). Webhooks add null members.
    pub(crate) fn wire(&self, oddities: &Oddities, in_webhook: bool) -> Value {
        let null_ids = oddities.null_person_ids;
        let mut person = Map::new();
        person.insert("emailId".into(), json!(oddities.text(&self.email)));
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
