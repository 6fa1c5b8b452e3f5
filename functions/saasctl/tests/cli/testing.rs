//! Test events of every type, with what was sent and answered.

use axum::Router;
use http::StatusCode;
use local::Options;
use local::receiver::Receiver;
use local::test_env::TestEnv;
use tokio::net::TcpListener;

use crate::test_env::{Ran, Saasctl as _};

async fn env(endpoint: &str, key: &str) -> TestEnv {
    let options = Options::default().with("DELIVERY_ENDPOINT", endpoint);
    TestEnv::with(options.with("DELIVERY_SIGNING_KEY", key)).await
}

/// Runs a command while the stream invokes the delivery.
async fn run_while_delivering(env: &TestEnv, arguments: &[&str]) -> Ran {
    let deliveries = async {
        loop {
            // An attempt that the product refuses is tried again later.
            let _ = env.system.deliver_events().await;
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        ran = env.run(arguments) => ran,
        () = deliveries => unreachable!("it never ends"),
    }
}

#[tokio::test]
async fn a_test_event_prints_what_was_sent_and_answered() {
    let product = Receiver::start().await.expect("a product");
    let env = env(product.url(), product.key()).await;
    let printed = run_while_delivering(&env, &["test-event", "--type", "PlanChanged"]).await.done();
    for expected in [
        "saas-fulfillment.subscription.plan-changed.v1\n",
        "\nendpoint: delivered\nRequest\n  content-type: application/cloudevents+json",
        "\n  webhook-signature: v1,",
        "\n      \"change\": {\n        \"from\": \"test-basic\",\n        \"to\": \"test-team\"\n",
        "\nAnswer\n  204 after ",
    ] {
        assert!(printed.contains(expected), "{expected} in {printed}");
    }
    assert!(!printed.contains(product.key()), "{printed}");
    env.advance(std::time::Duration::from_secs(1));
    let json = run_while_delivering(&env, &["test-event", "--json"]).await.json();
    assert_eq!(json["type"], "saas-fulfillment.subscription.test.v1");
    assert_eq!(json["receivers"][0]["status"], 204);
    assert_eq!(product.events().len(), 2);
}

#[tokio::test]
async fn a_refused_test_event_fails_and_shows_the_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/events", listener.local_addr().expect("an address"));
    let router =
        Router::new().fallback(|| async { (StatusCode::BAD_REQUEST, "no such plan \u{1b}[2J") });
    tokio::spawn(async move { axum::serve(listener, router).await });
    let env = env(&url, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").await;
    let ran = run_while_delivering(&env, &["test-event", "--type", "Renewed"]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("error[not_accepted]: "), "{ran:?}");
    assert!(
        ran.stdout.contains("endpoint: failed") && ran.stdout.contains("\n  400 after "),
        "{ran:?}"
    );
    assert!(ran.stdout.contains("\n  no such plan [2J\n"), "{ran:?}");
}

#[tokio::test]
async fn a_type_that_there_is_not_and_an_event_that_nothing_sends_are_errors() {
    let env = env("http://127.0.0.1:9/events", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").await;
    let ran = env.run(&["test-event", "--type", "Changed"]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("PlanChanged"), "{ran:?}");
    // The stream is not read.
    let ran = env.run(&["test-event", "--timeout", "0"]).await;
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(ran.stdout.contains("endpoint: waiting"), "{ran:?}");
    assert!(ran.stderr.contains("error[not_sent]: "), "{ran:?}");
}
