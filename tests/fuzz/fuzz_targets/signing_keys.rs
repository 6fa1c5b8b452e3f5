//! Entra's key document, with a genuine webhook token.
#![no_main]

use std::sync::Arc;

use fuzz::{APP, ENTRA, Message, RETRY, Still, TENANT, Wire, key, now, run};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use shared::config::MARKETPLACE_APP_ID;
use shared::lenient::value;
use shared::microsoft::entra::{
    Expected, Refused, SigningKeys, UnverifiedToken, WebhookTokenVerifier,
};

// Makes the keys first, because that takes seconds and no input should be blamed for them.
fuzz_target!(init: key(), |input: &str| {
    // `{n}` and `{e}` stand for the genuine key's numbers.
    let text = input.replace("{n}", &key().n).replace("{e}", &key().e);
    let message = Message::read(text.as_bytes());
    let document = value(&message.body).unwrap_or_default();
    let answer = message.answer();
    let is_success = answer.status().is_success();
    let wire = Wire::answering(answer);
    let keys = SigningKeys::new(wire.clone(), ENTRA, TENANT, APP, RETRY, Arc::new(Still));
    let expected = Expected {
        tenant_id: TENANT,
        client_id: APP,
        caller: MARKETPLACE_APP_ID,
        authority: ENTRA.to_owned(),
    };
    let verifier = WebhookTokenVerifier::new(keys, expected);
    let verdicts: Vec<_> =
        key().genuine().iter().map(|token| run(verifier.verify(UnverifiedToken(token), now()))).collect();
    let holds_key = document.get("keys").and_then(Value::as_array).is_some_and(|keys| {
        keys.iter().any(|published| {
            let text = |name: &str| published.get(name).and_then(Value::as_str);
            text("kid") == Some(key().kid()) && text("n") == Some(&key().n)
        })
    });
    for verdict in &verdicts {
        match verdict {
            Ok(_) => assert!(is_success && holds_key),
            // F-WHA-13: a token is refused with 401 only if Entra answered with a document that has
            // keys.
            Err(Refused::Invalid(_)) => assert!(is_success && document.get("keys").is_some()),
            Err(Refused::Unverifiable(_)) => {}
        }
    }
    // A token leads to at most one look at the tenant's list and one at the application's.
    assert!(wire.sent().len() <= 2 * verdicts.len() * RETRY.attempts as usize);
});
