//! Tokens that must be refused. Each is a good one, changed in the one respect its name says (T-16).

use super::jwt::Draft;
use super::{Entra, keys};
use crate::settings::TokenVersion;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const SOMEBODY_ELSE: &str = "5f8f1c0e-2f2b-4d3a-9d5c-7b1f0a6c4e21";
const ANOTHER_TENANT: &str = "0c9e7d55-64f3-4b6e-8a17-2d4b8f5a9c63";

/// What is wrong with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgery {
    /// Made for another application.
    WrongAudience,
    /// No audience.
    MissingAudience,
    /// `tid` is another tenant; the issuer is the right one.
    WrongTenant,
    /// No `tid`.
    MissingTenant,
    /// The caller is another application than the marketplace.
    WrongCaller,
    /// Neither `appid` nor `azp`.
    NoCaller,
    /// The caller stands in the other version's claim alone: in `appid` of a version 2 token, in `azp` of a version 1
    /// token.
    CallerInOtherClaim,
    /// `appid` and `azp` name different applications; the right one stands in the claim of the token's version.
    ContradictingAppidAzp,
    /// The same, and the right one stands in the other version's claim.
    WrongCallerBesideRight,
    /// The issuer is nobody at Entra.
    WrongIssuer,
    /// The issuer is Entra for another tenant; `tid` is the right one.
    ForeignTenantIssuer,
    /// No issuer.
    MissingIssuer,
    /// `ver` says 2.0, everything else is of version 1; or the other way round for a version 2 token.
    ContradictingVersion,
    /// The signature is a good key's, over something else.
    BadSignature,
    /// Signed by an unpublished key under the published key's id.
    ForeignKey,
    /// Algorithm `none`, no signature.
    AlgNone,
    /// Algorithm HS256 with the public key as the shared secret.
    Hs256WithPublicKey,
    /// Expired an hour ago and more.
    Expired,
    /// No `exp`.
    MissingExpiry,
    /// Valid in an hour.
    NotYetValid,
    /// Signed by an unpublished key under its own id.
    UnknownKid,
    /// No key id.
    MissingKid,
    /// Brings its own key in the header.
    EmbeddedJwk,
    /// Says in the header where its key is to be fetched.
    JkuHeader,
    /// Brings the certificate of its own key in the header.
    X5cHeader,
    /// Says in the header where the certificate of its key is to be fetched.
    X5uHeader,
    /// Only two parts.
    NotAToken,
}

impl Forgery {
    /// All of them, for a test that goes through the list.
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

pub(super) fn apply(
    forgery: Forgery,
    mut draft: Draft,
    version: TokenVersion,
    entra: &Entra,
) -> String {
    let key = entra.key();
    let foreign = keys::foreign();
    let issued = entra.issued_at();
    let (caller, other_caller) = match version {
        TokenVersion::V1 => ("appid", "azp"),
        TokenVersion::V2 => ("azp", "appid"),
    };
    let claims = &mut draft.claims;
    match forgery {
        Forgery::WrongAudience => claims["aud"] = json!(SOMEBODY_ELSE),
        Forgery::MissingAudience => remove(claims, "aud"),
        Forgery::WrongTenant => claims["tid"] = json!(ANOTHER_TENANT),
        Forgery::MissingTenant => remove(claims, "tid"),
        Forgery::WrongCaller => claims[caller] = json!(SOMEBODY_ELSE),
        Forgery::NoCaller => remove(claims, caller),
        Forgery::CallerInOtherClaim => {
            claims[other_caller] = claims[caller].clone();
            remove(claims, caller);
        }
        Forgery::ContradictingAppidAzp => claims[other_caller] = json!(SOMEBODY_ELSE),
        Forgery::WrongCallerBesideRight => {
            claims[other_caller] = claims[caller].clone();
            claims[caller] = json!(SOMEBODY_ELSE);
        }
        Forgery::WrongIssuer => {
            claims["iss"] = json!(format!("https://issuer.example/{}/", entra.tenant_id))
        }
        Forgery::ForeignTenantIssuer => {
            claims["iss"] = json!(entra.issuer_of(ANOTHER_TENANT, version))
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
            // The signature of the untouched token under other claims.
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
            draft.header["x5c"] = json!([STANDARD.encode(foreign.certificate())]);
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
