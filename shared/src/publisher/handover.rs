//! The handover of a buyer from the landing page to the publisher's own sign-up page: a signed JWT, which the
//! buyer's browser carries there in a form.
//!
//! It proves what the landing page knows: who has signed in, what they are to which subscription, and what
//! they have answered. The page verifies it alone, with a key like those of the deliveries, and no call of
//! ours: it needs neither AWS credentials nor the table. Whoever holds it may use it once, within
//! [`LIFETIME`], and that is for the page to check, as it does with deliveries.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::standard_webhooks::WebhookKeys;
use crate::domain::{Account, Role, SignUp, Subscription};

/// From the page that the buyer sees to the request at the publisher's page. Longer, and a handover that
/// leaks is good for longer; each opening of the page issues a new one.
pub const LIFETIME: SignedDuration = SignedDuration::from_mins(5);

/// Encoded. No other algorithm may verify.
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

pub struct Handover<'a> {
    /// The landing page's origin.
    pub issuer: &'a str,
    /// The sign-up page's origin.
    pub audience: &'a str,
    pub id: Uuid,
    pub issued_at: Timestamp,
    pub subscription: &'a Subscription,
    /// What the person is to the subscription.
    pub role: Role,
    pub person: HandoverPerson<'a>,
    /// What the person has entered on the landing page.
    pub sign_up: Option<&'a SignUp>,
    /// The language of the page that the person comes from.
    pub language: &'a str,
}

/// Who signed in with Entra.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HandoverPerson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    /// The sign-in name, if it has the form of an address. Never an identity (F-LP-9).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<&'a str>,
    #[serde(flatten)]
    pub account: Account,
}

impl Handover<'_> {
    /// The compact form (RFC 7515, 3.1).
    pub fn signed(&self, keys: &WebhookKeys) -> String {
        let claims = self.claims().to_string();
        let [header, claims] = [HEADER, &claims].map(|part| URL_SAFE_NO_PAD.encode(part));
        let signed = format!("{header}.{claims}");
        let signature = URL_SAFE_NO_PAD.encode(keys.sign_with_last(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    /// Members are only added.
    fn claims(&self) -> serde_json::Value {
        let Subscription { id, offer_id, plan_id, quantity, .. } = self.subscription;
        let Account { tenant_id, object_id } = self.person.account;
        let person = object_id.map(|object| format!("{tenant_id}/{object}"));
        let mut claims = json!({
            "iss": self.issuer,
            "aud": self.audience,
            "jti": self.id,
            "iat": self.issued_at.as_second(),
            "exp": (self.issued_at + LIFETIME).as_second(),
            "subscriptionId": id,
            "offerId": offer_id,
            "planId": plan_id,
            "quantity": quantity,
            "role": self.role,
            "person": self.person,
            "language": self.language,
        });
        if let Some(person) = person {
            claims["sub"] = person.into();
        }
        if let Some(sign_up) = self.sign_up {
            claims["signUp"] = json!(sign_up);
        }
        claims
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use base64::engine::general_purpose::STANDARD;
    use ring::hmac;
    use serde_json::Value;

    use super::*;

    const KEY: [u8; 32] = [7; 32];
    const NEWER_KEY: [u8; 32] = [8; 32];

    fn keys(keys: &[[u8; 32]]) -> WebhookKeys {
        let texts = keys.iter().map(|key| format!("whsec_{}", STANDARD.encode(key)));
        WebhookKeys::parse(&texts.collect::<Vec<_>>().join(" ")).expect("keys")
    }

    fn subscription() -> Subscription {
        serde_json::from_value(json!({
            "id": Uuid::from_u128(1), "offerId": "fleet", "planId": "gold", "quantity": 12,
            "saasSubscriptionStatus": "PendingFulfillmentStart",
        }))
        .expect("a subscription")
    }

    fn handover<'a>(
        subscription: &'a Subscription,
        object_id: Option<Uuid>,
        sign_up: Option<&'a SignUp>,
    ) -> Handover<'a> {
        Handover {
            issuer: "https://signup.example.com",
            audience: "https://app.example.com",
            id: Uuid::from_u128(2),
            issued_at: Timestamp::from_second(1_800_000_000).expect("a time"),
            subscription,
            role: Role::Purchaser,
            person: HandoverPerson {
                name: Some("Adele Vance"),
                email: Some("adele@contoso.example"),
                account: Account { tenant_id: Uuid::from_u128(3), object_id },
            },
            sign_up,
            language: "sv",
        }
    }

    /// The claims, if this key has signed them.
    fn verified(token: &str, key: &[u8]) -> Option<Value> {
        let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else {
            panic!("it has three parts: {token}");
        };
        let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).expect("base64url");
        let header: Value = serde_json::from_slice(&decoded(header)).expect("JSON");
        assert_eq!(header, json!({ "alg": "HS256", "typ": "JWT" }));
        let (signed, _) = token.rsplit_once('.').expect("three parts");
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        hmac::verify(&key, signed.as_bytes(), &decoded(signature)).ok()?;
        Some(serde_json::from_slice(&decoded(claims)).expect("JSON"))
    }

    #[test]
    fn a_handover_is_a_jwt_that_says_who_has_signed_in_and_what_they_bought() {
        let fields = BTreeMap::from([("company".to_owned(), "Contoso AB".to_owned())]);
        let contact_email = "orders@contoso.example".to_owned();
        let sign_up = SignUp { contact_email, fields, language: "sv".to_owned() };
        let subscription = subscription();
        let handover = handover(&subscription, Some(Uuid::from_u128(4)), Some(&sign_up));
        let token = handover.signed(&keys(&[KEY]));
        let expected = json!({
            "iss": "https://signup.example.com", "aud": "https://app.example.com",
            "iat": 1_800_000_000, "exp": 1_800_000_300, "jti": Uuid::from_u128(2),
            "sub": format!("{}/{}", Uuid::from_u128(3), Uuid::from_u128(4)),
            "subscriptionId": Uuid::from_u128(1), "offerId": "fleet", "planId": "gold",
            "quantity": 12, "role": "purchaser", "language": "sv",
            "person": {
                "name": "Adele Vance", "email": "adele@contoso.example",
                "tenantId": Uuid::from_u128(3), "objectId": Uuid::from_u128(4),
            },
            "signUp": {
                "contactEmail": "orders@contoso.example", "fields": { "company": "Contoso AB" },
                "language": "sv",
            },
        });
        assert_eq!(verified(&token, &KEY).expect("it is genuine"), expected);
        assert_eq!(verified(&token, &NEWER_KEY), None);
    }

    #[test]
    fn the_key_that_is_being_replaced_signs_until_it_is_removed() {
        let subscription = subscription();
        let handover = handover(&subscription, None, None);
        let during = handover.signed(&keys(&[NEWER_KEY, KEY]));
        assert!(verified(&during, &KEY).is_some() && verified(&during, &NEWER_KEY).is_none());
        let claims = verified(&handover.signed(&keys(&[NEWER_KEY])), &NEWER_KEY).expect("genuine");
        assert_eq!((claims.get("sub"), claims.get("signUp")), (None, None));
    }
}
