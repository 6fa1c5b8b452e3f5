//! The `Authorization` header of a webhook call. `{v1}` and `{v2}` stand for Microsoft's tokens,
//! `{v1.0}` to `{v2.2}` for their three parts.
#![no_main]

use std::sync::{Arc, OnceLock};

use fuzz::{APP, ENTRA, RETRY, Still, TENANT, Wire, key, now, run};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Response};
use libfuzzer_sys::fuzz_target;
use shared::config::MARKETPLACE_APP_ID;
use shared::microsoft::entra::{Expected, SigningKeys, UnverifiedToken, WebhookTokenVerifier};

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

// Makes the keys first, because that takes seconds and no input should be blamed for them.
fuzz_target!(init: key(), |text: &str| {
    let genuine = key().genuine();
    let mut text = text.to_owned();
    for (name, token) in ["v1", "v2"].iter().zip(genuine) {
        text = text.replace(&format!("{{{name}}}"), token);
        for (index, third) in token.split('.').enumerate() {
            text = text.replace(&format!("{{{name}.{index}}}"), third);
        }
    }
    let mut headers = HeaderMap::new();
    for line in text.lines() {
        let Ok(value) = HeaderValue::from_str(line) else { return };
        headers.append(AUTHORIZATION, value);
    }
    let token = UnverifiedToken::from_headers(&headers);
    let let_in = token.is_ok_and(|token| run(verifier().verify(token, now())).is_ok());
    // F-WHJ-4, F-WHJ-7: a token is accepted if and only if Microsoft signed it for this publisher,
    // and only unchanged.
    let is_genuine = match text.lines().collect::<Vec<_>>()[..] {
        [line] => line.split_once(' ').is_some_and(|(scheme, token)| {
            scheme.eq_ignore_ascii_case("bearer") && genuine.iter().any(|good| good == token.trim())
        }),
        _ => false,
    };
    assert_eq!(let_in, is_genuine, "{text}");
});
