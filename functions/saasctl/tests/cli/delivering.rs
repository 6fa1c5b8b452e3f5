//! What the product has not accepted, and sending it again.

use std::time::Duration;

use emulator::Purchase;
use local::Options;
use local::receiver::Receiver;
use local::test_env::TestEnv;

use crate::test_env::Saasctl as _;

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:9/events";
const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

async fn env_with(endpoint: &str, key: &str) -> TestEnv {
    let options = Options::default()
        .with("DELIVERY_ENDPOINT", endpoint)
        .with("DELIVERY_SIGNING_KEY", key)
        .with("DELIVERY_PARK_AFTER_DAYS", "1");
    TestEnv::with(options).await
}

#[tokio::test]
async fn what_waits_and_what_is_parked_is_listed_and_recovered() {
    let env = env_with(NOWHERE, KEY).await;
    assert_eq!(env.run(&["deliveries"]).await.done(), "Nothing waits.\n");
    let id = env.active(Purchase::flat_rate("silver")).await.to_string();
    let none = env.run(&["attempts", &id]).await.done();
    assert_eq!(none, "No attempt has failed within 30 days.\n");
    env.system.deliver_events().await.expect("the stream is read");
    let listed = env.run(&["deliveries"]).await.done();
    assert!(listed.contains(&id) && listed.contains("waiting"), "{listed}");
    assert!(listed.contains("not connected"), "{listed}");
    let name = env.recorded(id.parse().expect("an id")).await.subscription.name;
    assert!(listed.contains(&name.expect("a name")), "{listed}");

    env.advance(Duration::from_secs(25 * 3600));
    env.system.sweep().await.expect("a sweep");
    let listed = env.run(&["deliveries", &id]).await.done();
    assert!(listed.contains("parked"), "{listed}");
    let (_, failed) = listed.split_once("The last attempts that failed:\n").expect("a heading");
    assert_eq!(failed.matches("endpoint  not connected").count(), 2, "{failed}");
    assert_eq!(failed.matches("  purchased.v1  version 1").count(), 2, "{failed}");
    let attempts = env.run(&["attempts", &id]).await.done();
    assert_eq!(attempts, failed);
    let one = env.run(&["attempts", &id, "--limit", "1", "--json"]).await.json();
    assert_eq!(one["attempts"].as_array().map(Vec::len), Some(1));
    let both = env.run(&["deliveries", &id, "--json"]).await.json();
    assert_eq!(both["attempts"][0], one["attempts"][0]);
    let said = env.run(&["recover", "--parked"]).await.done();
    assert!(said.starts_with("1 delivery is due again."), "{said}");
    let json = env.run(&["deliveries", "--json"]).await.json();
    assert_eq!(json["deliveries"][0]["state"], "waiting");
    assert_eq!(env.run(&["recover", "--parked"]).await.done(), "Nothing to send again.\n");
}

#[tokio::test]
async fn everything_since_a_time_is_sent_again() {
    let product = Receiver::start().await.expect("a product");
    let env = env_with(product.url(), product.key()).await;
    env.active(Purchase::flat_rate("silver")).await;
    env.system.deliver_events().await.expect("the stream is read");
    assert_eq!(product.events().len(), 2);
    let first = env.system.clock.now() - jiff::SignedDuration::from_hours(1);
    let json = env.run(&["recover", "--since", &first.to_string(), "--json"]).await.json();
    assert_eq!(json["recovered"], 1);
    let listed = env.run(&["deliveries"]).await.done();
    assert!(listed.contains("waiting"), "{listed}");
    env.system.sweep().await.expect("a sweep");
    assert_eq!(env.run(&["deliveries"]).await.done(), "Nothing waits.\n");
}

#[tokio::test]
async fn a_recovery_needs_one_of_its_two_forms() {
    let env = env_with(NOWHERE, KEY).await;
    for arguments in [
        &["recover"][..],
        &["recover", "--parked", "--since", "1h"],
        &["recover", "--since", "yesterday"],
    ] {
        let ran = env.run(arguments).await;
        assert_eq!(ran.code, 2, "{arguments:?}: {ran:?}");
    }
    let without_product = TestEnv::new().await;
    without_product.run(&["recover", "--parked"]).await.failed(1, "nobody_to_tell");
}

#[tokio::test]
async fn a_receiver_is_paused_and_resumed_by_its_name() {
    let product = Receiver::start().await.expect("a product");
    let env = env_with(product.url(), product.key()).await;
    let usual = env.run(&["receivers"]).await.done();
    assert_eq!(usual, "endpoint  endpoint  nothing waits\n");
    let paused = env.run(&["pause-receiver", "endpoint", "--note", "it moves"]).await.done();
    assert!(paused.starts_with("endpoint is paused"), "{paused}");
    env.active(Purchase::flat_rate("silver")).await;
    env.system.deliver_events().await.expect("the stream is read");
    assert!(product.events().is_empty());
    let shown = env.run(&["receivers"]).await.done();
    assert!(shown.starts_with("endpoint  endpoint  1 subscription waits\n"), "{shown}");
    assert!(shown.contains(": it moves\n"), "{shown}");
    assert!(shown.lines().all(|line| line.len() <= 80), "{shown}");
    let json = env.run(&["receivers", "--json"]).await.json();
    assert_eq!(json["receivers"][0]["paused"]["note"], "it moves");
    let resumed = env.run(&["resume-receiver", "endpoint"]).await.done();
    assert!(resumed.contains("within 15 minutes"), "{resumed}");
    env.advance(Duration::from_secs(16 * 60));
    env.system.sweep().await.expect("a sweep");
    assert_eq!(product.events().len(), 2);
    for action in ["pause-receiver", "resume-receiver"] {
        env.run(&[action, "other"]).await.failed(1, "unknown_receiver");
    }
    env.run(&["recover", "--parked", "--receiver", "other"]).await.failed(1, "unknown_receiver");
    let none = env.run(&["recover", "--parked", "--receiver", "endpoint"]).await.done();
    assert_eq!(none, "Nothing to send again.\n");
}
