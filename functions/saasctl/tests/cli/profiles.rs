//! Deployments that have a name.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use http::HeaderMap;
use tokio::net::TcpListener;

use crate::test_env::{Ran, command, run};

/// A folder of this test's own.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("saasctl-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let file = self.0.join(name);
        std::fs::write(&file, text).expect("a file");
        file.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

type Seen = Arc<Mutex<Vec<HeaderMap>>>;

/// An API that keeps the headers of every request.
async fn api() -> (String, Seen) {
    async fn take(State(seen): State<Seen>, headers: HeaderMap) -> &'static str {
        seen.lock().unwrap_or_else(PoisonError::into_inner).push(headers);
        r#"{"subscriptions":[],"next":null}"#
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let seen = Seen::default();
    let router = Router::new().fallback(take).with_state(seen.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, seen)
}

async fn list(config: &str, environment: &[(&str, &str)], arguments: &[&str]) -> Ran {
    // Nobody listens there.
    let mut command = command("http://127.0.0.1:9", &[&["list"], arguments].concat());
    command.env("SAASCTL_CONFIG", config).envs(environment.iter().copied());
    run(&mut command, "").await
}

#[tokio::test]
async fn a_profile_names_the_deployment_and_an_option_comes_before_it() {
    let folder = Folder::new("deployment");
    let ((test, seen), (other, seen_there)) = (api().await, api().await);
    let config = format!("test:\n  url: {test}\nprod:\n  url: https://api.example.com\n");
    let config = folder.write("saasctl.yaml", &config);
    let count = |seen: &Seen| seen.lock().unwrap_or_else(PoisonError::into_inner).len();
    list(&config, &[], &["--profile", "test"]).await.done();
    list(&config, &[("SAASCTL_PROFILE", "test")], &[]).await.done();
    assert_eq!(count(&seen), 2);
    list(&config, &[], &["--profile", "test", "--url", &other]).await.done();
    assert_eq!((count(&seen), count(&seen_there)), (2, 1));
    list(&config, &[], &[]).await.failed(3, "unavailable");
}

#[tokio::test]
async fn a_profile_may_sign_for_aws_or_send_a_function_key() {
    let folder = Folder::new("keys");
    let (url, seen) = api().await;
    let key = folder.write("key", "the-function-key\n");
    let config = format!(
        "aws:\n  url: {url}\n  aws: true\n  region: eu-north-1\n\
         azure:\n  url: {url}\n  functionKeyFile: {key}\n"
    );
    let config = folder.write("saasctl.yaml", &config);
    let credentials = [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    list(&config, &credentials, &["--profile", "aws"]).await.done();
    list(&config, &[], &["--profile", "azure"]).await.done();
    list(&config, &[("SAASCTL_FUNCTION_KEY", "another")], &["--url", &url]).await.done();
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    let signed = seen[0]["authorization"].to_str().expect("text");
    assert!(signed.contains("/eu-north-1/execute-api/"), "{signed}");
    assert!(!seen[0].contains_key("x-functions-key"));
    assert_eq!(seen[1]["x-functions-key"], "the-function-key");
    assert!(!seen[1].contains_key("authorization"));
    assert_eq!(seen[2]["x-functions-key"], "another");
}

#[tokio::test]
async fn a_profile_that_is_not_there_or_wrong_is_a_usage_error_that_names_it() {
    let folder = Folder::new("wrong");
    let good = folder.write("good.yaml", "test:\n  url: http://127.0.0.1:9\n");
    let unknown = folder.write("unknown.yaml", "test:\n  adress: http://127.0.0.1:9\n");
    let missing = folder.0.join("missing.yaml").display().to_string();
    let no_key = folder.write("no-key.yaml", "test:\n  functionKeyFile: /nowhere/key\n");
    for (config, profile, says) in [
        (&good, "prod", "it has test"),
        (&unknown, "test", "adress"),
        (&missing, "test", "missing.yaml"),
        (&no_key, "test", "/nowhere/key"),
    ] {
        let said = list(config, &[], &["--profile", profile]).await.failed(2, "bad_profile");
        assert!(said.contains(says), "{said}");
    }
}
