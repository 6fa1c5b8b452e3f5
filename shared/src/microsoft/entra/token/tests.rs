use super::super::test_env::{Entra, ManualClock};
use super::*;
use crate::host::secret::ClientSecret;

/// The token or error that this answer of Entra leads to.
async fn answered(status: u16, body: &'static str) -> Result<AccessToken, TokenError> {
    let entra = Arc::new(Entra::default());
    entra.answers(status, body);
    let credentials = ClientCredentials {
        transport: entra,
        authority: "https://entra.example".to_owned(),
        tenant_id: "tenant".to_owned(),
        client_id: "client".to_owned(),
        credential: Credential::Secret(ClientSecret::Given("secret".into())),
        resource: "resource".to_owned(),
        endpoint: TokenEndpoint::V2,
        timeout: Duration::from_secs(1),
        clock: ManualClock::at_noon(),
    };
    credentials.token().await
}

#[tokio::test]
async fn only_temporary_errors_are_transient_as_f_auth_15_says() {
    for (status, body, transient) in [
        (429, "{}", true),
        (500, "{}", true),
        (503, "<html>", true),
        (408, "", true),
        (400, "{}", false),
        (401, r#"{"error":"invalid_client","error_codes":[7000215]}"#, false),
        (400, r#"{"error":"temporarily_unavailable"}"#, true),
        (401, r#"{"error":"server_error"}"#, true),
        (400, r#"{"error":"invalid_request","error_codes":[90033]}"#, true),
        (403, r#"{"error":"invalid_grant","error_codes":["90024"]}"#, true),
        (200, r#"{"error":"temporarily_unavailable","error_codes":[90033]}"#, true),
    ] {
        let error = answered(status, body).await.expect_err("no token");
        assert_eq!(error.is_transient(), transient, "{status} {body}");
    }
    let asked = TokenError::Unavailable { status: 429, retry_after: Some(Duration::from_secs(7)) };
    assert_eq!(asked.retry_after(), Some(Duration::from_secs(7)));
}

#[test]
fn t_1_expires_in_is_read_as_a_number_and_as_a_string() {
    let now: Timestamp = "2026-11-22T12:00:00Z".parse().expect("a timestamp");
    for body in [
        r#"{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"t"}"#,
        r#"{"token_type":"Bearer","expires_in":"3599","expires_on":"1","access_token":"t"}"#,
        // F-GEN-14.
        "\u{feff}{\"expires_in\":1,\"access_token\":\"t\",\"note\":\"\\ud83d\",\"expires_in\":3599}",
    ] {
        let token = read_token(body.as_bytes(), now).expect("a token");
        assert_eq!(token.expires_at, now + SignedDuration::from_secs(3599));
    }
    assert!(read_token(b"{}", now).is_none());
    assert!(read_token(b"<html>", now).is_none());
}

fn refused(status: u16, body: &[u8]) -> TokenError {
    refusal(StatusCode::from_u16(status).expect("a status"), None, body, None)
}

#[test]
fn a_token_and_a_refusal_print_nothing_secret() {
    let token = AccessToken::new("very-secret".to_owned().into(), Timestamp::UNIX_EPOCH);
    let text = format!("{token:?}");
    assert!(text.contains("1970-01-01") && !text.contains("very-secret"), "{text}");
    let body = br#"{"error":"invalid_client","error_description":"secret 'hunter2' is wrong","error_codes":[7000215]}"#;
    let refusal = refused(401, body).to_string();
    assert_eq!(
        refusal,
        "Entra refused the client: 401 invalid_client AADSTS7000215: the secret is wrong"
    );
    let text = br#"{"error":"invalid_client","error_codes":["7000215","?"]}"#;
    assert_eq!(refused(401, text).to_string(), refusal, "numbers as text");
    // An error that is not one of Entra's codes may hold a secret, so it is not printed.
    let long = format!(r#"{{"error":"{}"}}"#, "a".repeat(65));
    for odd in [r#"{"error":"Secret 'hunter2'"}"#, &long, "{}", "<html>"] {
        let refusal = refused(400, odd.as_bytes()).to_string();
        assert_eq!(refusal, "Entra refused the client: 400 without a reason", "{odd}");
    }
}

#[test]
fn an_empty_token_is_refused() {
    let asked_at: Timestamp = "2026-11-22T12:00:00Z".parse().expect("a timestamp");
    assert!(read_token(br#"{"access_token":"","expires_in":3599}"#, asked_at).is_none());
    assert!(read_token(br#"["abc",3599]"#, asked_at).is_none());
}
