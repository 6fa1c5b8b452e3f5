//! The routes that lead to each function.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use local::LocalSystem;
use runtime::deployment::tested;
use shared::config::{Dependencies, ManagementSettings};
use shared::host::environment::Environment;
use shared::host::http::{Handler, Request};

use super::{HTTP_FUNCTIONS, ID, OPERATION_ID, system};

/// A method and a path in the template's notation.
pub(crate) type Route = (String, String);

/// Every route that a function could serve.
pub(crate) fn candidates() -> Vec<Route> {
    let paths = [
        "/",
        "/landing",
        "/landing/{id}",
        "/landing/app.js",
        "/landing/logo",
        "/landing/manage",
        "/landing/continue",
        "/landing/sign-in",
        "/landing/sign-in/organization",
        "/landing/sign-out",
        "/landing/signed-in",
        "/webhook",
        "/webhook/{id}",
        "/reconciliation",
        "/delivery",
        "/subscriptions",
        "/subscriptions/{id}",
        "/subscriptions/{id}/activate",
        "/subscriptions/openapi.json",
        "/subscriptions/{id}/events",
        "/subscriptions/{id}/observe",
        "/subscriptions/{id}/redeliver",
        "/subscriptions/{id}/decline",
        "/subscriptions/{id}/erase",
        "/subscriptions/{id}/plans",
        "/subscriptions/{id}/operations",
        "/subscriptions/{id}/operations/{operationId}",
        "/subscriptions/{id}/deliveries",
        "/subscriptions/{id}/attempts",
        "/subscriptions/{id}/notes",
        "/deliveries",
        "/deliveries/recover",
        "/doctor",
        "/doctor/last",
        "/doctor/test-event",
        "/doctor/test-event/{eventId}",
        "/receivers",
        "/receivers/{name}/pause",
        "/receivers/{name}/resume",
        "/offers",
        "/reconciliations",
        "/reconciliations/pause",
        "/reconciliations/resume",
    ];
    let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
    let route = |path: &str, method: &str| (method.to_owned(), path.to_owned());
    paths.iter().flat_map(|path| methods.iter().map(|method| route(path, method))).collect()
}

/// The candidates that each function serves: all that it answers without the problems `no_route` and
/// `method_not_allowed`.
pub(crate) async fn served(system: &LocalSystem) -> BTreeMap<&'static str, BTreeSet<Route>> {
    let variables = system.variables.clone();
    let environment = Environment::from_fn(move |name| variables.get(name).cloned());
    let dependencies = Dependencies::with_clock(&environment, system.clock.clone())
        .expect("the system's settings are right");
    let mut served = BTreeMap::new();
    for function in HTTP_FUNCTIONS {
        let handler: Box<dyn Handler> = match function {
            "landing" => Box::new(
                landing::Landing::new(&environment, &dependencies).expect("the settings are right"),
            ),
            "webhook" => Box::new(
                webhook::Webhook::new(&environment, &dependencies).expect("the settings are right"),
            ),
            "activation" => Box::new(activation::Activation::new(&dependencies)),
            _ => {
                let settings = ManagementSettings::read(&environment, &dependencies);
                let settings = settings.expect("the settings are right");
                Box::new(management::Management::new(&dependencies, settings))
            }
        };
        let mut routes = BTreeSet::new();
        for (method, path) in candidates() {
            let target = path
                .replace("{id}", ID)
                .replace("{operationId}", OPERATION_ID)
                .replace("{eventId}", OPERATION_ID);
            let mut request = Request::default();
            *request.method_mut() = method.parse().expect("a method");
            *request.uri_mut() = target.parse().expect("a path");
            let body = handler.handle(request).await.into_body();
            let problem: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
            if !["no_route", "method_not_allowed"].iter().any(|code| problem["code"] == *code) {
                routes.insert((method, path));
            }
        }
        served.insert(function, routes);
    }
    served
}

/// The routes of every `POST` that no other route takes. They lead to the webhook, whose answer is a
/// 5xx: from the gateway's own 404, Microsoft would read a rejection (F-WHA-13).
fn catch_all() -> [Route; 2] {
    ["/", "/{proxy+}"].map(|path| ("POST".to_owned(), path.to_owned()))
}

/// The template's routes of the landing page. The function itself answers 405, so every method of an
/// address leads to it. A `POST` needs a route of its own beside the catch-all.
fn with_any_method(served: BTreeSet<Route>) -> BTreeSet<Route> {
    let any: BTreeSet<Route> =
        served.iter().map(|(_, path)| ("ANY".to_owned(), path.clone())).collect();
    let posts: BTreeSet<Route> =
        served.into_iter().filter(|(method, _)| method == "POST").collect();
    &any | &posts
}

#[tokio::test]
async fn the_template_routes_exactly_what_a_function_serves() {
    let stack = tested();
    for (function, mut routes) in served(&system().await).await {
        match function {
            "landing" => routes = with_any_method(routes),
            "webhook" => routes.extend(catch_all()),
            _ => {}
        }
        assert_eq!(stack.routes(function), routes, "{function}");
    }
    for unreachable in ["reconciliation", "delivery"] {
        assert_eq!(stack.routes(unreachable), BTreeSet::new());
    }
}

/// The function itself answers 404 and 405, so one route leads every page to it.
#[test]
fn every_page_of_the_console_leads_to_it_and_nothing_else_does() {
    let routes = ["/", "/console", "/console/{proxy+}"];
    let routes = routes.map(|path| ("ANY".to_owned(), path.to_owned()));
    assert_eq!(tested().routes("console"), BTreeSet::from(routes));
    assert!(!tested().is_private("console"), "people sign in");
}

#[test]
fn the_publishers_own_api_requires_a_signature() {
    let stack = tested();
    let private: BTreeSet<&str> =
        HTTP_FUNCTIONS.into_iter().filter(|function| stack.is_private(function)).collect();
    assert_eq!(private, BTreeSet::from(["activation", "management"]));
}

#[tokio::test]
async fn the_custom_handler_serves_every_route_of_the_template() {
    let system = system().await;
    let http = shared::host::http_client::client();
    for function in HTTP_FUNCTIONS {
        for (method, path) in tested().routes(function) {
            if catch_all().contains(&(method.clone(), path.clone())) {
                continue;
            }
            let method = if method == "ANY" { "GET".to_owned() } else { method };
            let path = path
                .replace("{id}", ID)
                .replace("{operationId}", OPERATION_ID)
                .replace("{eventId}", OPERATION_ID);
            let method: Method = method.parse().expect("a method");
            let request = http.request(method.clone(), format!("{}{path}", system.url()));
            let answer = request.send().await.expect("the functions answer");
            let body = answer.text().await.expect("a body of text");
            assert!(!body.contains("no_route"), "{method} {path}: {body}");
        }
    }
}
