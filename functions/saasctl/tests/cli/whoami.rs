//! `whoami`: which deployment, and as whom.

use axum::Router;
use http::HeaderMap;
use local::test_env::TestEnv;
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::test_env::{Saasctl as _, command, run};

const ARN: &str = "arn:aws:sts::123456789012:assumed-role/support/anna";

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// AWS's token service. It answers only a signed question of who asks.
async fn sts() -> String {
    async fn answer(headers: HeaderMap, body: String) -> (http::StatusCode, String) {
        let signed = headers.get("authorization").and_then(|it| it.to_str().ok());
        let is_signed = signed.is_some_and(|it| it.contains("/eu-north-1/sts/aws4_request"));
        if !is_signed || !body.contains("Action=GetCallerIdentity") {
            return (http::StatusCode::FORBIDDEN, String::new());
        }
        let arn = format!(
            "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>{ARN}</Arn>\
             </GetCallerIdentityResult></GetCallerIdentityResponse>"
        );
        (http::StatusCode::OK, arn)
    }
    serve(Router::new().fallback(answer)).await
}

async fn signed(url: &str, arguments: &[&str]) -> Command {
    let mut command = command(url, &[&["--aws", "--region", "eu-north-1"], arguments].concat());
    command
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
        .env("AWS_ENDPOINT_URL_STS", sts().await);
    command
}

#[tokio::test]
async fn a_local_system_is_named_with_its_version_and_unsigned_requests() {
    let env = TestEnv::new().await;
    let said = env.run(&["whoami"]).await.done();
    assert!(said.contains(env.system.url()), "{said}");
    assert!(said.contains(env!("CARGO_PKG_VERSION")), "{said}");
    assert!(said.contains("unsigned requests"), "{said}");
    let json = env.run(&["whoami", "--json"]).await.json();
    assert!(json["principal"].is_null() && json["region"].is_null(), "{json}");
}

#[tokio::test]
async fn a_signed_request_is_named_with_its_principal_and_region() {
    let env = TestEnv::new().await;
    let mut whoami = signed(env.system.url(), &["whoami"]).await;
    let said = run(&mut whoami, "").await.done();
    assert!(said.contains(ARN) && said.contains("eu-north-1"), "{said}");
}

#[tokio::test]
async fn who_is_refused_learns_as_whom() {
    let refuse = || async { (http::StatusCode::FORBIDDEN, r#"{"message":"Forbidden"}"#) };
    let url = serve(Router::new().fallback(refuse)).await;
    let mut whoami = signed(&url, &["whoami"]).await;
    let ran = run(&mut whoami, "").await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stdout.contains(ARN), "{ran:?}");
    assert!(ran.stderr.contains("error[http_403]: Forbidden"), "{ran:?}");
}
