//! How many requests a deployment takes.

use std::collections::BTreeSet;

use runtime::deployment::{required, template, tested, values};
use saasctl::template::text;
use serde_json::Value;

fn number(value: &Value) -> u32 {
    text(value).and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no number: {value}"))
}

/// F-WHA-13: a 429 on a route to the webhook would be a rejection.
#[test]
fn every_route_is_throttled_and_those_to_the_webhook_far_above_the_others() {
    let stack = tested();
    let api = stack.properties("Api");
    let limits =
        |of: &Value| (number(&of["ThrottlingRateLimit"]), number(&of["ThrottlingBurstLimit"]));
    let (rate, burst) = limits(&api["DefaultRouteSettings"]);
    assert!((10..=100).contains(&rate) && burst >= rate, "{rate} {burst}");
    let own = api["RouteSettings"].as_object().expect("routes");
    let to_webhook: BTreeSet<String> =
        stack.routes("webhook").iter().map(|(method, path)| format!("{method} {path}")).collect();
    assert_eq!(own.keys().cloned().collect::<BTreeSet<_>>(), to_webhook);
    for (route, settings) in own {
        // The least limits of an account, in some regions, are 2,500 a second and 1,250 at once.
        let (rate, burst) = limits(settings);
        assert!((1000..2500).contains(&rate) && (1000..1250).contains(&burst), "{route}");
    }
}

#[test]
fn the_webhook_shares_the_accounts_concurrency_unless_some_is_reserved_for_it() {
    let reserved = |given: &[(&str, &str)]| {
        let mut parameters = required();
        parameters.extend(values(given));
        let stack = template().deploy(&parameters).expect("the template deploys");
        let of = |id: &str| stack.properties(id)["ReservedConcurrentExecutions"].clone();
        for function in ["LandingFunction", "ManagementFunction", "ReconciliationFunction"] {
            assert!(of(function).is_null(), "{function}");
        }
        of("WebhookFunction")
    };
    assert!(reserved(&[]).is_null(), "a new account has ten in all");
    assert_eq!(number(&reserved(&[("WebhookConcurrency", "90")])), 90);
}
