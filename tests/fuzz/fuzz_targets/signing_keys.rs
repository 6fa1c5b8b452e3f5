//! Entra's key document, and a token that Microsoft signed.
#![no_main]

use std::sync::Arc;

use fuzz::{APP, ENTRA, Message, RETRY, Still, TENANT, Wire, key, now, run};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use shared::auth::{Expected, Refused, SigningKeys, WebhookTokenVerifier};
use shared::config::MARKETPLACE_APP_ID;

// Making keys takes seconds, which are no input's.
fuzz_target!(init: key(), |input: &str| {
    // `{n}` and `{e}` are the real key's.
    let text = input.replace("{n}", &key().n).replace("{e}", &key().e);
    let message = Message::read(text.as_bytes());
    let document = serde_json::from_slice::<Value>(&message.body).unwrap_or_default();
    let answer = message.answer();
    let is_success = answer.status().is_success();
    let wire = Wire::answering(answer);
    let keys = SigningKeys::new(wire.clone(), ENTRA, &TENANT.to_string(), RETRY, Arc::new(Still));
    let expected = Expected {
        tenant_id: TENANT,
        client_id: APP,
        caller: MARKETPLACE_APP_ID,
        authority: ENTRA.to_owned(),
    };
    let verifier = WebhookTokenVerifier::new(keys, expected);
    let verdicts: Vec<_> =
        key().genuine().iter().map(|token| run(verifier.verify(token, now()))).collect();
    let holds_key = document.get("keys").and_then(Value::as_array).is_some_and(|keys| {
        keys.iter().any(|published| {
            let text = |name: &str| published.get(name).and_then(Value::as_str);
            text("kid") == Some(key().kid()) && text("n") == Some(&key().n)
        })
    });
    for verdict in &verdicts {
        match verdict {
            Ok(_) => assert!(is_success && holds_key),
            // F-WHA-13: 401 only on Entra's word, which is a document with keys in it.
            Err(Refused::Invalid(_)) => assert!(is_success && document.get("keys").is_some()),
            Err(Refused::Unknown(_)) => {}
        }
    }
    // A second call soon after asks nobody again.
    assert!(wire.sent().len() <= RETRY.attempts as usize);
});
