//! The Azure Functions host: `host.json` and the `function.json` files.

use std::collections::BTreeSet;

use runtime::deployment::tested;
use serde_json::Value;

use super::routes::{Route, candidates, served};
use super::{json, system};

/// The trigger in a `function.json`.
fn trigger(function: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../functions/azure-custom-handler");
    let text = std::fs::read_to_string(format!("{folder}/{function}/function.json"));
    let described = json(&text.expect("every function is described to the host"));
    let bindings = described["bindings"].as_array().expect("bindings").clone();
    bindings.into_iter().find(|binding| binding["direction"] == "in").expect("a trigger")
}

/// The folders whose triggers lead to a function. The host knows one route for each.
fn folders(function: &str) -> Vec<&str> {
    match function {
        "management" => {
            vec!["management", "deliveries", "doctor", "offers", "receivers", "reconciliations"]
        }
        one => vec![one],
    }
}

/// The candidates that a `function.json` routes to its function.
fn azure_routes(trigger: &Value) -> BTreeSet<Route> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let path = format!("/{}", text(&trigger["route"]));
    // Without a list, the host forwards every method.
    let methods = trigger["methods"].as_array();
    let methods: Option<BTreeSet<String>> =
        methods.map(|methods| methods.iter().map(|method| text(method).to_uppercase()).collect());
    let matches = |known: &str| match path.split_once("/{*") {
        Some((before, _)) => known == before || known.starts_with(&format!("{before}/")),
        None => known == path,
    };
    candidates()
        .into_iter()
        .filter(|(method, known)| {
            methods.as_ref().is_none_or(|methods| methods.contains(method)) && matches(known)
        })
        .collect()
}

#[tokio::test]
async fn the_azure_host_routes_to_a_function_what_it_serves() {
    let mut served = served(&system().await).await;
    for routes in served.values_mut() {
        // The host shows a page of its own at the address without a path.
        routes.retain(|(_, path)| path != "/");
    }
    let mut exact = BTreeSet::new();
    for (function, routes) in &served {
        let triggers: Vec<_> = folders(function).iter().map(|folder| trigger(folder)).collect();
        let routed: BTreeSet<Route> = triggers.iter().flat_map(azure_routes).collect();
        let has_rest = |trigger: &Value| trigger["route"].as_str().expect("a route").contains("{*");
        if triggers.iter().any(has_rest) {
            assert!(routes.is_subset(&routed), "{function}: {routes:?} {routed:?}");
        } else {
            assert_eq!(&routed, routes, "{function}");
            exact.extend(routed.iter().cloned());
        }
        let methods = |routes: &BTreeSet<Route>| -> BTreeSet<String> {
            routes.iter().map(|(method, _)| method.clone()).collect()
        };
        for trigger in triggers {
            let routed = azure_routes(&trigger);
            if trigger["methods"].is_array() {
                let served = routes.intersection(&routed).cloned().collect();
                assert_eq!(methods(&routed), methods(&served), "{function}");
            }
            let is_private = tested().is_private(function);
            let level = if is_private { "function" } else { "anonymous" };
            assert_eq!(trigger["authLevel"], level, "{function}");
        }
    }
    assert!(served["management"].is_disjoint(&exact), "one function's route leads to another");
    for timed in ["reconciliation", "delivery", "examination"] {
        assert_eq!(trigger(timed)["type"], "timerTrigger");
    }
}

#[test]
fn the_azure_host_starts_the_binary_and_forwards_requests_unchanged() {
    let host = json(include_str!("../../../../functions/azure-custom-handler/host.json"));
    let handler = &host["customHandler"];
    assert_eq!(handler["description"]["defaultExecutablePath"], "azure-custom-handler");
    for forwarding in ["enableProxyingHttpRequest", "enableForwardingHttpRequest"] {
        assert_eq!(handler[forwarding], true, "{forwarding}");
    }
    assert_eq!(host["extensions"]["http"]["routePrefix"], "", "paths are the same on every host");
}
