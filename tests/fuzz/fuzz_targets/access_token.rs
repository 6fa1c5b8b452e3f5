//! Entra's answer to a token request (F-AUTH-3, F-AUTH-5, F-AUTH-15).
#![no_main]

use std::sync::Arc;
use std::time::Duration;

use fuzz::{APP, ENTRA, Message, Still, TENANT, Wire, run};
use libfuzzer_sys::fuzz_target;
use secrecy::SecretString;
use shared::config::MARKETPLACE_APP_ID;
use shared::host::retry::Transient;
use shared::host::secret::ClientSecret;
use shared::lenient::value;
use shared::microsoft::entra::{
    ClientCredentials, Credential, TokenEndpoint, TokenError, TokenProvider,
};

fuzz_target!(|input: &[u8]| {
    let answer = Message::read(input).answer();
    let status = answer.status();
    let body = value(answer.body());
    let wire = Wire::answering(answer);
    let entra = ClientCredentials {
        transport: wire.clone(),
        authority: ENTRA.to_owned(),
        endpoint: TokenEndpoint::V2,
        tenant_id: TENANT.to_string(),
        client_id: APP.to_string(),
        credential: Credential::Secret(ClientSecret::Given(SecretString::from(
            "the-client-secret",
        ))),
        resource: MARKETPLACE_APP_ID.to_string(),
        timeout: Duration::from_secs(1),
        clock: Arc::new(Still),
    };
    let token = run(entra.token());
    assert_eq!(wire.sent().len(), 1, "exactly one request");
    // A number out of range in a member that the code doesn't read must not fail the rest.
    let Some(body) = body else { return };
    match token {
        Ok(token) => {
            assert!(status.is_success());
            assert_eq!(body["access_token"].as_str(), Some(token.expose()));
            assert!(!token.expose().is_empty(), "a token that is none");
        }
        Err(error @ TokenError::Refused { .. }) => {
            assert!(!status.is_success() && !error.is_transient());
            // F-AUTH-15: an error holds Entra's code and numbers, and nothing that we sent.
            let allowed = |c: char| c.is_ascii_alphanumeric() || " _:".contains(c);
            assert!(error.to_string().chars().all(allowed), "{error}");
        }
        Err(error) => assert!(error.is_transient(), "{error}"),
    }
});
