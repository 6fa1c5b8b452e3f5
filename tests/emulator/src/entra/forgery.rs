//! Tokens that the webhook must refuse. Each is a valid token, changed in one respect (T-16).

use super::directory::Entra;
use super::jwt::Draft;
use super::keys;
use crate::settings::TokenVersion;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::ToSpan as _;
use serde_json::{Value, json};

const OTHER_APPLICATION: &str = "5f8f1c0e-2f2b-4d3a-9d5c-7b1f0a6c4e21";
const OTHER_TENANT: &str = "0c9e7d55-64f3-4b6e-8a17-2d4b8f5a9c63";

/// How a token differs from a valid one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgery {
    /// For another application.
    WrongAudience,
    MissingAudience,
    /// `tid` names another tenant; the issuer is correct.
    WrongTenant,
    MissingTenant,
    /// The caller is not the marketplace.
    WrongCaller,
    /// Neither `appid` nor `azp`.
    NoCaller,
    /// Only the other version's claim names the caller: `appid` in a version 2 token, `azp` in a
    /// version 1 token.
    CallerInOtherClaim,
    /// `appid` and `azp` name different applications. The claim of the token's version is correct.
    ContradictingAppidAzp,
    /// `appid` and `azp` name different applications. The other version's claim is correct.
    WrongCallerBesideRight,
    /// The issuer is not Entra.
    WrongIssuer,
    /// The issuer is Entra for another tenant; `tid` is correct.
    ForeignTenantIssuer,
    MissingIssuer,
    /// `ver` names the other version.
    ContradictingVersion,
    /// The signature comes from a valid key, over another text.
    BadSignature,
    /// Signed with an unpublished key under the id of the published one.
    ForeignKey,
    /// Algorithm `none` and no signature.
    AlgNone,
    /// Algorithm HS256 with the public key as the shared secret.
    Hs256WithPublicKey,
    /// Expired an hour ago or earlier.
    Expired,
    MissingExpiry,
    /// Valid from an hour later.
    NotYetValid,
    /// Signed with an unpublished key under its own id.
    UnknownKid,
    MissingKid,
    /// The header contains the key.
    EmbeddedJwk,
    /// The header contains the key's address.
    JkuHeader,
    /// The header contains the key's certificate.
    X5cHeader,
    /// The header contains the address of the key's certificate.
    X5uHeader,
    /// Two parts instead of three.
    NotAToken,
}

impl Forgery {
    pub const ALL: [Self; 27] = [
        Self::WrongAudience,
        Self::MissingAudience,
        Self::WrongTenant,
        Self::MissingTenant,
        Self::WrongCaller,
        Self::NoCaller,
        Self::CallerInOtherClaim,
        Self::ContradictingAppidAzp,
        Self::WrongCallerBesideRight,
        Self::WrongIssuer,
        Self::ForeignTenantIssuer,
        Self::MissingIssuer,
        Self::ContradictingVersion,
        Self::BadSignature,
        Self::ForeignKey,
        Self::AlgNone,
        Self::Hs256WithPublicKey,
        Self::Expired,
        Self::MissingExpiry,
        Self::NotYetValid,
        Self::UnknownKid,
        Self::MissingKid,
        Self::EmbeddedJwk,
        Self::JkuHeader,
        Self::X5cHeader,
        Self::X5uHeader,
        Self::NotAToken,
    ];
}

impl Entra {
    /// A webhook's token that is wrong in exactly one respect.
    pub fn forge(&mut self, forgery: Forgery, version: TokenVersion) -> String {
        let draft = self.webhook_draft(version);
        forged(forgery, draft, version, self)
    }
}

fn forged(forgery: Forgery, mut draft: Draft, version: TokenVersion, entra: &Entra) -> String {
    let key = entra.key();
    let foreign = keys::foreign();
    let issued = entra.issued_at();
    let (caller, other_caller) = match version {
        TokenVersion::V1 => ("appid", "azp"),
        TokenVersion::V2 => ("azp", "appid"),
    };
    let claims = &mut draft.claims;
    match forgery {
        Forgery::WrongAudience => claims["aud"] = json!(OTHER_APPLICATION),
        Forgery::MissingAudience => remove(claims, "aud"),
        Forgery::WrongTenant => claims["tid"] = json!(OTHER_TENANT),
        Forgery::MissingTenant => remove(claims, "tid"),
        Forgery::WrongCaller => claims[caller] = json!(OTHER_APPLICATION),
        Forgery::NoCaller => remove(claims, caller),
        Forgery::CallerInOtherClaim => {
            claims[other_caller] = claims[caller].clone();
            remove(claims, caller);
        }
        Forgery::ContradictingAppidAzp => claims[other_caller] = json!(OTHER_APPLICATION),
        Forgery::WrongCallerBesideRight => {
            claims[other_caller] = claims[caller].clone();
            claims[caller] = json!(OTHER_APPLICATION);
        }
        Forgery::WrongIssuer => {
            claims["iss"] = json!(format!("https://issuer.example/{}/", entra.tenant_id))
        }
        Forgery::ForeignTenantIssuer => {
            claims["iss"] = json!(entra.issuer_of(OTHER_TENANT, version))
        }
        Forgery::MissingIssuer => remove(claims, "iss"),
        Forgery::ContradictingVersion => {
            claims["ver"] = json!(match version {
                TokenVersion::V1 => "2.0",
                TokenVersion::V2 => "1.0",
            });
        }
        Forgery::Expired => {
            claims["iat"] = json!(issued - 7200);
            claims["exp"] = json!(issued - 3600);
            if claims.get("nbf").is_some() {
                claims["nbf"] = json!(issued - 7200);
            }
        }
        Forgery::MissingExpiry => remove(claims, "exp"),
        Forgery::NotYetValid => claims["nbf"] = json!(issued + entra.issuing_interval + 3600),
        Forgery::BadSignature => {
            // The signature of the valid token under changed claims.
            let good = draft.signed(key);
            draft.claims["uti"] = json!("changed-after-signing");
            let changed = draft.unsigned();
            let signature = good.rsplit('.').next().unwrap_or_default();
            return format!("{changed}{signature}");
        }
        Forgery::ForeignKey => return draft.signed(foreign),
        Forgery::AlgNone => {
            draft.header["alg"] = json!("none");
            return draft.unsigned();
        }
        Forgery::Hs256WithPublicKey => {
            draft.header["alg"] = json!("HS256");
            return draft.with_shared_secret(key.public_pem().as_bytes());
        }
        Forgery::UnknownKid => {
            draft.header["kid"] = json!(foreign.kid());
            draft.header["x5t"] = json!(foreign.kid());
            return draft.signed(foreign);
        }
        Forgery::MissingKid => {
            remove(&mut draft.header, "kid");
            remove(&mut draft.header, "x5t");
        }
        Forgery::EmbeddedJwk => {
            draft.header["jwk"] = foreign.jwk();
            return draft.signed(foreign);
        }
        Forgery::JkuHeader => {
            draft.header["jku"] = json!("https://keys.attacker.example/keys");
            return draft.signed(foreign);
        }
        Forgery::X5cHeader => {
            draft.header["x5c"] =
                json!([STANDARD.encode(foreign.certificate(entra.now + 8760_i64.hours()))]);
            return draft.signed(foreign);
        }
        Forgery::X5uHeader => {
            draft.header["x5u"] = json!("https://keys.attacker.example/certificate.pem");
            return draft.signed(foreign);
        }
        Forgery::NotAToken => {
            let good = draft.signed(key);
            return good.rsplit_once('.').map(|(rest, _)| rest.to_owned()).unwrap_or_default();
        }
    }
    draft.signed(key)
}

fn remove(object: &mut Value, name: &str) {
    if let Some(object) = object.as_object_mut() {
        object.remove(name);
    }
}
