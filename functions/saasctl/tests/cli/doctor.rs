//! `doctor`: what it sees from outside. Each fault is injected, and must be named.

use axum::Router;
use emulator::Purchase;
use http::StatusCode;
use local::receiver::Receiver;
use local::system::Options;
use local::test_env::TestEnv;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::test_env::Saasctl as _;

/// A deployment whose landing page signs buyers in.
async fn deployment(change: impl FnOnce(&mut Options)) -> TestEnv {
    let mut options = Options::default().with("LANDING_SIGN_IN", "entra");
    change(&mut options);
    TestEnv::with(options).await
}

/// The doctor's line about this check, as it is printed for a person with one fault.
async fn line(env: &TestEnv, arguments: &[&str], check: &str) -> (String, Value) {
    let ran = env.run(&[&["--json", "doctor"], arguments].concat()).await;
    let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let checks = report["checks"].as_array().expect("checks");
    let found = checks.iter().find(|each| each["check"] == check);
    let found = found.unwrap_or_else(|| panic!("no {check} in {report:#}")).clone();
    let any_failed = checks.iter().any(|each| each["outcome"] == "failed");
    assert_eq!(ran.code, i32::from(any_failed), "{report:#}");
    (found["outcome"].as_str().expect("an outcome").to_owned(), found)
}

/// Asserts that the check fails, and that it says this and names that place.
async fn fails(env: &TestEnv, arguments: &[&str], check: &str, says: &str, place: &str) {
    let (outcome, line) = line(env, arguments, check).await;
    assert_eq!(outcome, "failed", "{line:#}");
    assert!(line["says"].as_str().is_some_and(|text| text.contains(says)), "{line:#}");
    assert!(line["where"].as_str().is_some_and(|text| text.contains(place)), "{line:#}");
}

#[tokio::test]
async fn what_is_reached_from_outside_is_ok() {
    let env = deployment(|_| {}).await;
    let redirect = env.url("/landing/signed-in");
    env.microsoft().entra(|entra| entra.add_redirect_uri(&redirect));
    for check in ["webhook-reachable", "landing-reachable", "redirect-address"] {
        let (outcome, line) = line(&env, &[], check).await;
        assert_eq!(outcome, "ok", "{line:#}");
    }
}

#[tokio::test]
async fn a_healthy_deployment_has_no_failed_check() {
    let product = Receiver::start().await.expect("the product starts");
    let env = deployment(|options| {
        options.variables.insert("DELIVERY_ENDPOINT".to_owned(), product.url().to_owned());
        options.variables.insert("DELIVERY_SIGNING_KEY".to_owned(), product.key().to_owned());
    })
    .await;
    env.purchase(Purchase::flat_rate("silver").auto_activated());
    env.system.reconcile().await.expect("a run");
    env.system.sweep().await.expect("a sweep");
    let ran = env.run(&["--json", "doctor"]).await;
    let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let checks = report["checks"].as_array().expect("checks");
    assert!(checks.len() >= 15, "at least twelve inside and three outside: {report:#}");
    let failed: Vec<_> = checks.iter().filter(|check| check["outcome"] == "failed").collect();
    assert!(failed.is_empty() && ran.code == 0, "{failed:#?}");
}

#[tokio::test]
async fn a_test_event_arrives_at_the_product_or_says_why_not() {
    let product = Receiver::start().await.expect("the product starts");
    let env = deployment(|options| {
        options.variables.insert("DELIVERY_ENDPOINT".to_owned(), product.url().to_owned());
        options.variables.insert("DELIVERY_SIGNING_KEY".to_owned(), product.key().to_owned());
    })
    .await;
    let delivered = line_while_delivering(&env).await;
    assert_eq!(delivered["outcome"], "ok", "{delivered:#}");
    assert_eq!(product.events().len(), 1);

    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let router = Router::new().fallback(|| async { StatusCode::SERVICE_UNAVAILABLE });
    tokio::spawn(async move { axum::serve(listener, router).await });
    let env = deployment(|options| {
        options.variables.insert("DELIVERY_ENDPOINT".to_owned(), url);
        options.variables.insert("DELIVERY_SIGNING_KEY".to_owned(), product.key().to_owned());
    })
    .await;
    let refused = line_while_delivering(&env).await;
    assert_eq!(refused["outcome"], "failed", "{refused:#}");
    assert!(refused["says"].as_str().is_some_and(|text| text.contains("503")), "{refused:#}");
    assert!(refused["where"].as_str().is_some_and(|text| text.contains("DeliveryEndpoint")));
}

/// The line about a test event, while the stream invokes the delivery.
async fn line_while_delivering(env: &TestEnv) -> Value {
    let deliveries = async {
        loop {
            // An attempt that the product refuses is tried again later.
            let _ = env.system.deliver_events().await;
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        (_, line) = line(env, &["--test-event"], "test-event") => line,
        () = deliveries => unreachable!("it never ends"),
    }
}

#[tokio::test]
async fn a_redirect_address_that_entra_does_not_know_is_named() {
    let env = deployment(|options| {
        options.emulator.landing_redirect_uris = vec!["https://other.example.com".to_owned()];
    })
    .await;
    let redirect = env.url("/landing/signed-in");
    fails(&env, &[], "redirect-address", &redirect, "Redirect URIs").await;
}

#[tokio::test]
async fn an_app_that_entra_does_not_know_is_named() {
    let stranger = "11111111-2222-4333-8444-555555555555";
    let env = deployment(|options| {
        options.variables.insert("LANDING_CLIENT_ID".to_owned(), stranger.to_owned());
    })
    .await;
    fails(&env, &[], "redirect-address", "doesn't know the landing page's app", "LandingClientId")
        .await;
}

#[tokio::test]
async fn without_sign_in_the_redirect_address_is_unknown() {
    let env = TestEnv::new().await;
    let (outcome, line) = line(&env, &[], "redirect-address").await;
    assert_eq!(outcome, "unknown", "{line:#}");
    assert!(line["says"].as_str().expect("a text").contains("LandingSignIn"), "{line:#}");
}

#[tokio::test]
async fn addresses_where_nobody_listens_are_named_with_their_field() {
    let env = deployment(|_| {}).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let nobody = format!("http://{}/", listener.local_addr().expect("an address"));
    drop(listener);
    let arguments = ["--webhook-url", &nobody, "--landing-url", &nobody];
    fails(&env, &arguments, "webhook-reachable", "can't be reached", "Connection webhook").await;
    fails(&env, &arguments, "landing-reachable", "can't be reached", "Landing page URL").await;
}

#[tokio::test]
async fn another_server_at_the_address_is_named() {
    let env = deployment(|_| {}).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let other = format!("http://{}/", listener.local_addr().expect("an address"));
    let router = Router::new().fallback(|| async { StatusCode::UNAUTHORIZED });
    tokio::spawn(async move { axum::serve(listener, router).await });
    let arguments = ["--webhook-url", &other, "--landing-url", &other];
    fails(&env, &arguments, "webhook-reachable", "not from one of these", "Connection webhook")
        .await;
    fails(&env, &arguments, "landing-reachable", "not from one of these", "Landing page URL").await;
}

#[tokio::test]
async fn an_address_that_does_not_refuse_strangers_is_not_the_webhooks() {
    let env = deployment(|_| {}).await;
    let wrong = env.url("/landing");
    fails(&env, &["--webhook-url", &wrong], "webhook-reachable", "not with 401", "webhook").await;
}

#[tokio::test]
async fn an_api_that_does_not_answer_fails_one_check_and_hides_no_other() {
    let env = deployment(|_| {}).await;
    let (outcome, line) = line(&env, &["--url", &env.url("/elsewhere")], "api").await;
    assert_eq!(outcome, "failed", "{line:#}");
    assert!(line["where"].as_str().expect("a place").contains("ManagementApiUrl"), "{line:#}");
}

#[tokio::test]
async fn a_person_reads_what_is_wrong_where_and_how_many() {
    let env = deployment(|options| {
        options.emulator.landing_redirect_uris = vec!["https://other.example.com".to_owned()];
    })
    .await;
    let ran = env.run(&["doctor"]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.contains("FAILED"), "{}", ran.stdout);
    assert!(ran.stdout.contains("Where: Entra"), "{}", ran.stdout);
    let last = ran.stdout.lines().last().expect("a line");
    assert!(last.contains("checks: ok ") && last.contains(", failed 1,"), "{last}");
    assert!(ran.stderr.contains("error[unhealthy]: "), "{}", ran.stderr);
}
