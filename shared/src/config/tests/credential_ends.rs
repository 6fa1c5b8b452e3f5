//! The ends of the credentials, in settings and in the JSON that holds all secrets.

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::json;

use super::*;
use crate::host::http_client::SendError;

/// A Secrets Manager that keeps this text.
#[derive(Debug)]
struct Keeping(&'static str);

#[async_trait]
impl Transport for Keeping {
    async fn send(
        &self,
        _: http::Request<Bytes>,
        _: Duration,
    ) -> Result<http::Response<Bytes>, SendError> {
        let answer = json!({ "ARN": ARN, "Name": "marketplace", "SecretString": self.0 });
        Ok(http::Response::new(Bytes::from(answer.to_string())))
    }
}

/// The ends by credential, as they are read with these settings and this JSON.
async fn ends(
    changes: &[(&str, Option<&str>)],
    stored: &'static str,
) -> Vec<(&'static str, Result<Option<String>, String>)> {
    let transport: Arc<dyn Transport> = Arc::new(Keeping(stored));
    let read = credential_ends(&environment(changes), &transport).expect("right settings");
    let mut ends = Vec::new();
    for credential in read {
        let end = credential.end().await.map(|end| end.map(|end| end.at.to_string()));
        ends.push((credential.name, end.map_err(|error| error.to_string())));
    }
    ends
}

const ENTRA: &str = "ENTRA_CLIENT_SECRET";
const LANDING: &str = "LANDING_CLIENT_SECRET";

fn day(date: &str) -> Result<Option<String>, String> {
    Ok(Some(format!("{date}T00:00:00Z")))
}

#[tokio::test]
async fn an_end_is_read_from_its_setting() {
    let settings = [("ENTRA_CLIENT_SECRET_EXPIRES", Some("2027-03-01"))];
    assert_eq!(ends(&settings, "").await, [(ENTRA, day("2027-03-01")), (LANDING, Ok(None))]);
}

#[tokio::test]
async fn an_end_beside_the_secret_in_the_json_comes_before_the_setting() {
    let settings = [
        ("ENTRA_CLIENT_SECRET", None),
        ("SECRETS_ARN", Some(ARN)),
        ("ENTRA_CLIENT_SECRET_EXPIRES", Some("2026-01-01")),
        ("LANDING_CLIENT_SECRET_EXPIRES", Some("2026-01-01")),
    ];
    let stored = r#"{"ENTRA_CLIENT_SECRET":"hunter2","ENTRA_CLIENT_SECRET_EXPIRES":"2027-03-01"}"#;
    let expected = [(ENTRA, day("2027-03-01")), (LANDING, day("2026-01-01"))];
    assert_eq!(ends(&settings, stored).await, expected);
}

#[tokio::test]
async fn json_that_gives_no_date_is_an_error_that_hides_its_text() {
    let settings = [("ENTRA_CLIENT_SECRET", None), ("SECRETS_ARN", Some(ARN))];
    let read = ends(&settings, r#"{"ENTRA_CLIENT_SECRET_EXPIRES":"hunter2"}"#).await;
    let error = read[0].1.as_ref().expect_err("no date");
    assert!(error.contains("neither a date") && !error.contains("hunter2"), "{error}");
    assert_eq!(read[1], (LANDING, Ok(None)));
}

#[tokio::test]
async fn the_consoles_secret_ends_only_where_there_is_a_console() {
    let end = ("CONSOLE_CLIENT_SECRET_EXPIRES", Some("2027-03-01"));
    let without = ends(&[end], "").await;
    assert_eq!(without, [(ENTRA, Ok(None)), (LANDING, Ok(None))]);
    let client = ("CONSOLE_CLIENT_ID", Some("c0501e00-0000-4000-8000-000000000001"));
    let with = ends(&[end, client], "").await;
    assert_eq!(with[2..], [("CONSOLE_CLIENT_SECRET", day("2027-03-01"))]);
    let identity = ("CONSOLE_CREDENTIAL", Some("aws-identity"));
    let settings = environment(&[end, client, identity]);
    let transport: Arc<dyn Transport> = Arc::new(Keeping(""));
    let credentials = app_credentials(&settings, &transport).expect("right settings");
    let named: Vec<_> = credentials
        .iter()
        .map(|credential| (credential.app, credential.ending.is_some()))
        .collect();
    let expected = [("Microsoft's API", true), ("The landing page", true), ("The console", false)];
    assert_eq!(named, expected, "an identity is there, and has no end");
}

#[test]
fn a_setting_that_is_no_date_is_refused() {
    let transport: Arc<dyn Transport> = Arc::new(Keeping(""));
    let client = ("CONSOLE_CLIENT_ID", Some("c0501e00-0000-4000-8000-000000000001"));
    for name in [
        "ENTRA_CLIENT_SECRET_EXPIRES",
        "LANDING_CLIENT_SECRET_EXPIRES",
        "CONSOLE_CLIENT_SECRET_EXPIRES",
    ] {
        let settings = environment(&[client, (name, Some("hunter2"))]);
        let error = credential_ends(&settings, &transport).expect_err("no date");
        assert_eq!(error.name, name);
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
