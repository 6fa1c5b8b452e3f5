//! Signed requests (AWS Signature Version 4). The tests compute the expected signatures themselves,
//! from AWS's description.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use http::request::Parts;
use ring::{digest, hmac};
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::test_env::{command, run};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

type Seen = Arc<Mutex<Vec<(Parts, Bytes)>>>;

/// A gateway that keeps every request and answers with empty lists.
async fn gateway() -> (String, Seen) {
    async fn take(
        State(seen): State<Seen>,
        request: http::Request<axum::body::Body>,
    ) -> &'static str {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 10_000).await.expect("a body");
        seen.lock().unwrap_or_else(PoisonError::into_inner).push((parts, body));
        r#"{"subscriptions":[],"next":null,"operationId":null}"#
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let seen = Seen::default();
    let router = Router::new().fallback(take).with_state(seen.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, seen)
}

fn signed(url: &str, arguments: &[&str]) -> Command {
    let mut command = command(url, &[&["--aws"], arguments].concat());
    command.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", SECRET);
    command
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

/// The expected `Authorization` of a request.
fn expected(parts: &Parts, body: &[u8], region: &str) -> String {
    let header = |name: &str| parts.headers[name].to_str().expect("text").trim().to_owned();
    let given = header("authorization");
    let signed = given.split("SignedHeaders=").nth(1).and_then(|rest| rest.split(',').next());
    let signed = signed.expect("the headers that are signed");
    let mut query: Vec<_> = parts.uri.query().unwrap_or_default().split('&').collect();
    query.sort_unstable();
    let headers: BTreeMap<_, _> = signed.split(';').map(|name| (name, header(name))).collect();
    for needed in ["host", "x-amz-date"] {
        assert!(headers.contains_key(needed), "{needed} is signed");
    }
    let headers: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let canonical = [
        parts.method.as_str(),
        parts.uri.path(),
        &query.join("&"),
        &headers,
        signed,
        &sha256(body),
    ]
    .join("\n");
    let time = header("x-amz-date");
    let day = time.split('T').next().expect("a day");
    let scope = format!("{day}/{region}/execute-api/aws4_request");
    let to_sign = ["AWS4-HMAC-SHA256", &time, &scope, &sha256(canonical.as_bytes())].join("\n");
    let key = [day, region, "execute-api", "aws4_request"]
        .iter()
        .fold(format!("AWS4{SECRET}").into_bytes(), |key, part| mac(&key, part));
    let signature = hex(&mac(&key, &to_sign));
    format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, SignedHeaders={signed}, \
         Signature={signature}"
    )
}

#[tokio::test]
async fn every_request_is_signed_for_the_gateway() {
    let id = "6f1d5a2e-0c57-4d0a-9a53-3b8c1e7f0a11";
    for arguments in [
        &["list"][..],
        &["list", "--status", "Subscribed", "--offer", "an offer/with: blanks"],
        &["change-seats", id, "7", "--key", "order-1", "--if-version", "3"],
        &["cancel", id, "--yes"],
        &["redeliver", id],
    ] {
        let (url, seen) = gateway().await;
        let mut command = signed(&url, &[arguments, &["--region", "eu-north-1"]].concat());
        run(&mut command, "").await.done();
        let seen = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
        let [(parts, body)] = &seen[..] else { panic!("one request: {seen:?}") };
        let given = parts.headers["authorization"].to_str().expect("text");
        assert_eq!(given, expected(parts, body, "eu-north-1"), "{arguments:?}");
        assert!(!parts.headers.contains_key("x-amz-security-token"));
    }
}

#[tokio::test]
async fn temporary_credentials_send_their_token() {
    let (url, seen) = gateway().await;
    let mut command = signed(&url, &["list"]);
    command.env("AWS_SESSION_TOKEN", "the-token").env("AWS_REGION", "us-west-2");
    run(&mut command, "").await.done();
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    let (parts, body) = &seen[0];
    assert_eq!(parts.headers["x-amz-security-token"], "the-token");
    let given = parts.headers["authorization"].to_str().expect("text");
    assert!(given.contains("x-amz-security-token"), "the signature covers the token: {given}");
    assert_eq!(given, expected(parts, body, "us-west-2"));
}

#[cfg(unix)]
#[tokio::test]
async fn credentials_that_end_soon_are_fetched_again() {
    use crate::export::{Folder, text};
    let folder = Folder::new();
    // Each run of the process adds a line to a file, and gives a token with the number of lines.
    for (profile, end, tokens) in [
        ("short", "2020-01-01T00:00:00Z", vec!["token-2", "token-3", "token-4"]),
        ("long", "2999-01-01T00:00:00Z", vec!["token-1", "token-1", "token-1"]),
    ] {
        let (config, script) = (folder.file(profile), folder.file("credentials.sh"));
        let runs = folder.file(&format!("{profile}-runs"));
        let written = format!(
            r#"echo >> "{runs}"; n=$(wc -l < "{runs}" | tr -d ' ')
printf '{{"Version":1,"AccessKeyId":"A","SecretAccessKey":"S","SessionToken":"token-%s","Expiration":"{end}"}}' "$n"
"#,
            runs = text(&runs),
        );
        std::fs::write(&script, written).expect("a script");
        let process = format!("[default]\ncredential_process = /bin/sh {}\n", text(&script));
        std::fs::write(&config, process).expect("a configuration");
        let (url, seen) = gateway().await;
        let mut export = command(&url, &["--aws", "--region", "eu-north-1", "export"]);
        export.env("AWS_CONFIG_FILE", &config).env("PATH", "/usr/bin:/bin");
        run(&mut export, "").await.done();
        let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = |(parts, _): &(Parts, Bytes)| {
            parts.headers.get("x-amz-security-token").cloned().expect("a token")
        };
        assert_eq!(seen.iter().map(sent).collect::<Vec<_>>(), tokens, "{profile}");
    }
}

#[tokio::test]
async fn a_request_that_cannot_be_signed_is_not_sent() {
    let (url, seen) = gateway().await;
    let mut without_credentials = command(&url, &["--aws", "--region", "eu-north-1", "list"]);
    let said = run(&mut without_credentials, "").await.failed(2, "unsigned");
    assert!(said.contains("AWS_PROFILE"), "{said}");
    run(&mut signed(&url, &["list"]), "").await.failed(2, "unsigned");
    assert!(seen.lock().unwrap_or_else(PoisonError::into_inner).is_empty());
}

#[tokio::test]
async fn requests_to_other_addresses_are_signed_only_with_aws() {
    let (url, seen) = gateway().await;
    let mut plain = command(&url, &["list"]);
    plain.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", SECRET);
    run(&mut plain, "").await.done();
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(!seen[0].0.headers.contains_key("authorization"));
}
