//! The `Authorization` header of a webhook call, with Microsoft's own tokens to take apart: `{v1}`
//! and `{v2}` stand for them, `{v1.0}` to `{v2.2}` for their thirds.
#![no_main]

use std::sync::{Arc, OnceLock};

use fuzz::{APP, ENTRA, RETRY, Still, TENANT, Wire, key, now, run};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Response};
use libfuzzer_sys::fuzz_target;
use shared::auth::{Expected, SigningKeys, WebhookTokenVerifier, bearer_token};
use shared::config::MARKETPLACE_APP_ID;

fn verifier() -> &'static WebhookTokenVerifier {
    static VERIFIER: OnceLock<WebhookTokenVerifier> = OnceLock::new();
    VERIFIER.get_or_init(|| {
        let wire = Wire::answering(Response::new(key().document()));
        let keys = SigningKeys::new(wire, ENTRA, &TENANT.to_string(), RETRY, Arc::new(Still));
        let expected = Expected {
            tenant_id: TENANT,
            client_id: APP,
            caller: MARKETPLACE_APP_ID,
            authority: ENTRA.to_owned(),
        };
        WebhookTokenVerifier::new(keys, expected)
    })
}

// Making keys takes seconds, which are no input's.
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
    let token = bearer_token(&headers);
    let let_in = token.is_ok_and(|token| run(verifier().verify(token, now())).is_ok());
    // F-WHJ-4, F-WHJ-7: nothing is Microsoft's but what Microsoft signed, to the last bit, and a
    // token that was signed for this publisher is never refused.
    let is_genuine = match text.lines().collect::<Vec<_>>()[..] {
        [line] => line.split_once(' ').is_some_and(|(scheme, token)| {
            scheme.eq_ignore_ascii_case("bearer") && genuine.iter().any(|good| good == token.trim())
        }),
        _ => false,
    };
    assert_eq!(let_in, is_genuine, "{text}");
});
