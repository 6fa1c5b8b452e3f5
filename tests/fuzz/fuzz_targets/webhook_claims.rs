//! The header and claims of a webhook token with a valid signature: for another publisher, at
//! another time, or by a mistake at Entra.
#![no_main]

use std::sync::{Arc, OnceLock};

use fuzz::{APP, ENTRA, RETRY, Still, TENANT, Wire, key, members, now, parts, run};
use http::Response;
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use shared::config::MARKETPLACE_APP_ID;
use shared::microsoft::entra::{Expected, SigningKeys, UnverifiedToken, WebhookTokenVerifier};
use uuid::Uuid;

const LEEWAY: i64 = 60;

fn verifier() -> &'static WebhookTokenVerifier {
    static VERIFIER: OnceLock<WebhookTokenVerifier> = OnceLock::new();
    VERIFIER.get_or_init(|| {
        let wire = Wire::answering(Response::new(key().document()));
        let keys = SigningKeys::new(wire, ENTRA, TENANT, APP, RETRY, Arc::new(Still));
        let expected = Expected {
            tenant_id: TENANT,
            client_id: APP,
            caller: MARKETPLACE_APP_ID,
            authority: ENTRA.to_owned(),
        };
        WebhookTokenVerifier::new(keys, expected)
    })
}

/// F-WHJ-2, F-WHJ-4, checked independently of the code.
fn is_for_us(header: &Map<String, Value>, claims: &Map<String, Value>) -> bool {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let guid = |name: &str| Uuid::try_parse(text(name)?).ok();
    let said = |name: &str| claims.get(name).is_some_and(|value| !value.is_null());
    let number = |name: &str| claims.get(name).and_then(Value::as_i64);
    let issuer = text("iss").unwrap_or_default().to_ascii_lowercase();
    let (version, caller, other) = match issuer.strip_prefix("https://sts.windows.net/") {
        Some(rest) if rest == format!("{TENANT}/") => ("1.0", "appid", "azp"),
        None if issuer == format!("{ENTRA}/{TENANT}/v2.0") => ("2.0", "azp", "appid"),
        _ => return false,
    };
    header.get("alg").and_then(Value::as_str) == Some("RS256")
        && header.get("kid").and_then(Value::as_str) == Some(key().kid())
        && guid("aud") == Some(APP)
        && guid("tid") == Some(TENANT)
        && guid(caller) == Some(MARKETPLACE_APP_ID)
        && (!said(other) || guid(other) == Some(MARKETPLACE_APP_ID))
        && (!said("ver") || text("ver") == Some(version))
        && number("exp").is_some_and(|exp| exp > now().as_second() - LEEWAY)
        && (!said("nbf") || number("nbf").is_some_and(|nbf| nbf <= now().as_second() + LEEWAY))
}

// Makes the keys first, because that takes seconds and no input should be blamed for them.
fuzz_target!(init: key(), |input: &[u8]| {
    let [header, claims] = parts(input);
    let usual = key().header().to_string();
    let header = if header.is_empty() { usual.as_bytes() } else { header };
    let let_in = |claims: &[u8]| {
        let token = key().sign(header, claims);
        run(verifier().verify(UnverifiedToken(&token), now())).is_ok()
    };
    let (Some(header), Some(object)) = (members(header), members(claims)) else {
        assert!(!let_in(claims), "a token without claims");
        return;
    };
    if let_in(claims) {
        assert!(is_for_us(&header, &object), "{object:?}");
    }
    // Additional claims must not keep Microsoft out.
    let header_is_usual =
        header.values().all(Value::is_string) && !header.contains_key("crit");
    if header_is_usual && is_for_us(&header, &object) {
        let each_once = serde_json::to_vec(&object).expect("what was read can be written");
        let far = object.get("exp").and_then(Value::as_i64).is_some_and(|exp| exp > 1 << 36);
        assert!(far || let_in(&each_once), "{object:?}");
    }
});
