//! The delivery behind the Azure Functions host, where a timer is its only trigger.

use std::path::Path;

use emulator::Purchase;
use local::Options;
use local::receiver::Receiver;
use local::test_env::TestEnv;
use serde_json::json;

use crate::azure::Azure;
use crate::process::Variables;
use crate::{Event, Live};

/// Checks that the timer delivers all events if the product's endpoint is set, and none otherwise.
///
/// # Panics
/// When a check fails.
pub async fn azure_delivers_on_the_timer_alone(binary: &Path) {
    let tick = Event::load("delivery", "scheduled", &Live::default());
    for has_endpoint in [true, false] {
        let product = Receiver::start().await.expect("the product starts");
        let mut options = Options::default();
        options.emulator.live = true;
        if has_endpoint {
            options = options
                .with("DELIVERY_ENDPOINT", product.url())
                .with("DELIVERY_SIGNING_KEY", product.key());
        }
        let env = TestEnv::with(options).await;
        let id = env.purchase(Purchase::flat_rate("silver"));
        assert!(env.visit(id).await.status.is_success());
        assert_eq!(env.event_names(id).await, ["Purchased"]);

        let mut azure = Azure::start(binary, &env.system, Variables::new()).await;
        let returned = azure.invoke("delivery", &tick).await.expect("a timer's answer").json();
        azure.end().await;
        let report = json!({
            "finished": true, "subscriptions": 1, "delivered": 1, "refused": 0, "cut_short": 0, "failed": 0,
        });
        let expected = if has_endpoint { (report, 1) } else { (json!(null), 0) };
        assert_eq!((returned, product.events().len()), expected);
        assert_eq!(product.complaints(), [""; 0]);
    }
}
