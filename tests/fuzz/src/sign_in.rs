//! Entra at sign-in: tokens of any tenant. Each tenant has its own key.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use shared::microsoft::entra::IdTokenVerifier;
use uuid::Uuid;

use crate::{APP, ENTRA, Key, RETRY, Still, TENANT, Wire, key, now, status, stranger};

/// The nonce of the sign-in.
pub const NONCE: &str = "nonce-of-the-round-trip";

/// The person who signs in.
pub const PERSON: Uuid = Uuid::from_u128(0x66666666_6666_4666_8666_666666666666);

/// The verifier of the landing page's id tokens, with Entra's keys behind it.
pub fn verifier() -> &'static (Arc<Wire>, IdTokenVerifier) {
    static VERIFIER: OnceLock<(Arc<Wire>, IdTokenVerifier)> = OnceLock::new();
    VERIFIER.get_or_init(|| {
        let wire = Wire::new(Box::new(published));
        let (authority, clock) = (ENTRA.to_owned(), Arc::new(Still));
        let verifier = IdTokenVerifier::new(wire.clone(), authority, APP, RETRY, clock);
        (wire, verifier)
    })
}

/// The key that signs a tenant's tokens. The publisher's tenant has one; all others share another
/// one under the same id.
pub fn signer(tenant: Uuid) -> &'static Key {
    if tenant == TENANT { key() } else { stranger() }
}

/// The keys that Entra publishes for a tenant.
pub fn published(request: &Request<Bytes>) -> Response<Bytes> {
    let uri = request.uri().to_string();
    let tenant = uri
        .trim_end_matches(&format!("?appid={APP}"))
        .strip_prefix(&format!("{ENTRA}/"))
        .and_then(|rest| rest.strip_suffix("/discovery/v2.0/keys"))
        .and_then(|tenant| tenant.parse().ok());
    match tenant {
        Some(tenant) => Response::new(signer(tenant).document()),
        None => status(StatusCode::NOT_FOUND),
    }
}

/// The claims of a good token (F-LP-8).
pub fn claims(nonce: &str) -> Value {
    let at = now().as_second();
    json!({
        "aud": APP, "iss": format!("{ENTRA}/{TENANT}/v2.0"), "tid": TENANT, "oid": PERSON,
        "ver": "2.0", "iat": at, "nbf": at, "exp": at + 3600, "nonce": nonce,
        "name": "Ann Example", "preferred_username": "ann@buyer.example",
    })
}
