//! `template.yaml` and the `function.json` files, held against the code they deploy.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::{AttributeDefinition, KeySchemaElement, Projection};
use http::Method;
use local::{Options, Stage};
use runtime::Template;
use runtime::template::{elements, mapping, scalar};
use serde_json::Value;
use shared::config::{Environment, Foundation, ManagementSettings};
use shared::http::{Handler, Request};

const HTTP_FUNCTIONS: [&str; 4] = ["landing", "activation", "webhook", "management"];

const ID: &str = "6f1d5a2e-0c57-4d0a-9a53-3b8c1e7f0a11";
const OPERATION_ID: &str = "c0a1e9d4-7b1f-4a53-8f9e-2d6b5a4c3e22";

type Route = (String, String);

async fn stage() -> Stage {
    let options = Options::default()
        .with("LANDING_SIGN_IN", "entra")
        .with("DELIVERY_ENDPOINT", "https://product.example/events")
        .with("DELIVERY_SIGNING_KEY", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    // Whatever can be served is.
    Stage::start(options.with("LANDING_LOGO", "data:image/png;base64,iVBORw=="))
        .await
        .expect("the stage starts")
}

/// The function's own settings on a stage, in the form in which the template gives them.
fn environment(stage: &Stage) -> Environment {
    let mut variables = stage.variables.clone();
    for secret in ["ENTRA_CLIENT_SECRET", "LANDING_CLIENT_SECRET", "DELIVERY_SIGNING_KEY"] {
        variables.remove(secret);
        let arn = "arn:aws:secretsmanager:eu-north-1:123456789012:secret:marketplace-AbCdEf";
        variables.insert(format!("{secret}_ARN"), arn.to_owned());
    }
    Environment::from_fn(move |name| variables.get(name).cloned())
}

/// What a function asks its environment for when it is built.
fn asked(function: &str, environment: &Environment) -> BTreeSet<String> {
    match function {
        "landing" => drop(landing::Landing::from_environment(environment).expect(function)),
        "activation" => drop(activation::Activate::from_environment(environment).expect(function)),
        "webhook" => drop(webhook::Webhook::from_environment(environment).expect(function)),
        "management" => {
            drop(management::Management::from_environment(environment).expect(function));
        }
        "reconciliation" => {
            drop(reconciliation::Reconciliation::from_environment(environment).expect(function));
        }
        "delivery" => drop(delivery::Delivery::from_environment(environment).expect(function)),
        _ => panic!("{function} is in the template and not in this test"),
    }
    environment.asked().into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_function_is_deployed_with_the_settings_it_reads_and_no_others() {
    let stage = stage().await;
    let template = Template::read();
    assert_eq!(template.functions().len(), 6);
    for function in template.functions() {
        let mut wanted = asked(&function, &environment(&stage));
        // Lambda sets the credentials and the region; the secret comes by its ARN.
        wanted.retain(|name| {
            !["_CLIENT_SECRET", "_SIGNING_KEY"].iter().any(|end| name.ends_with(end))
                && !name.starts_with("AWS_")
        });
        // Read before everything else, so that a start is logged.
        wanted.insert("LOG_LEVEL".to_owned());
        assert_eq!(template.variables(&function), wanted, "{function}");
    }
}

#[tokio::test]
async fn the_example_of_a_function_apps_settings_names_what_the_handler_reads() {
    let stage = stage().await;
    let mut variables = stage.variables.clone();
    variables.remove("AWS_ENDPOINT_URL_DYNAMODB");
    let environment = Environment::from_fn(move |name| variables.get(name).cloned());
    let foundation = Foundation::read(&environment).expect("the stage's settings are right");
    azure_custom_handler::Functions::new(&environment, &foundation).expect("they are");
    let mut wanted: BTreeSet<&str> = environment.asked().into_iter().collect();
    for not_needed in [
        "ENTRA_CLIENT_SECRET_ARN",
        "LANDING_CLIENT_SECRET_ARN",
        "DELIVERY_SIGNING_KEY_ARN",
        "DECISION_SIGNING_KEY_ARN",
        "AWS_ENDPOINT_URL_DYNAMODB",
        "AWS_SESSION_TOKEN",
    ] {
        wanted.remove(not_needed);
    }
    wanted.insert("LOG_LEVEL");
    let example =
        json(include_str!("../../../functions/azure-custom-handler/local.settings.example.json"));
    let values = example["Values"].as_object().expect("the example has values");
    let hosts_own = ["FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage"];
    let named: BTreeSet<&str> =
        values.keys().map(String::as_str).filter(|name| !hosts_own.contains(name)).collect();
    assert_eq!(named, wanted);
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// Every route a function might have, in the template's notation.
fn conceivable() -> Vec<Route> {
    let paths = [
        "/",
        "/landing",
        "/landing/{id}",
        "/landing/app.js",
        "/landing/logo",
        "/landing/manage",
        "/landing/sign-in",
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
        "/subscriptions/{id}/plans",
        "/subscriptions/{id}/operations",
        "/subscriptions/{id}/operations/{operationId}",
    ];
    let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
    let route = |path: &str, method: &str| (method.to_owned(), path.to_owned());
    paths.iter().flat_map(|path| methods.iter().map(|method| route(path, method))).collect()
}

/// Which of the conceivable routes each function serves: it answers them with anything but its
/// problem `no_route`.
async fn served(stage: &Stage) -> BTreeMap<&'static str, BTreeSet<Route>> {
    let variables = stage.variables.clone();
    let environment = Environment::from_fn(move |name| variables.get(name).cloned());
    let foundation =
        Foundation::on(&environment, stage.system.clone()).expect("the stage's settings are right");
    let mut served = BTreeMap::new();
    for function in HTTP_FUNCTIONS {
        let handler: Box<dyn Handler> = match function {
            "landing" => Box::new(
                landing::Landing::new(&environment, &foundation).expect("the settings are right"),
            ),
            "webhook" => Box::new(
                webhook::Webhook::new(&environment, &foundation).expect("the settings are right"),
            ),
            "activation" => Box::new(activation::Activate::new(&foundation)),
            _ => {
                let settings = ManagementSettings::read(&environment, &foundation);
                let settings = settings.expect("the settings are right");
                Box::new(management::Management::new(&foundation, settings))
            }
        };
        let mut routes = BTreeSet::new();
        for (method, path) in conceivable() {
            let target = path.replace("{id}", ID).replace("{operationId}", OPERATION_ID);
            let mut request = Request::default();
            *request.method_mut() = method.parse().expect("a method");
            *request.uri_mut() = target.parse().expect("a path");
            let body = handler.handle(request).await.into_body();
            let problem: Option<Value> = serde_json::from_slice(&body).ok();
            if !problem.is_some_and(|problem| problem["code"] == "no_route") {
                routes.insert((method, path));
            }
        }
        served.insert(function, routes);
    }
    served
}

#[tokio::test]
async fn the_template_routes_to_a_function_what_it_serves_and_nothing_else() {
    let template = Template::read();
    for (function, routes) in served(&stage().await).await {
        assert_eq!(template.routes(function), routes, "{function}");
    }
    for unreachable in ["reconciliation", "delivery"] {
        assert_eq!(template.routes(unreachable), BTreeSet::new());
    }
}

#[test]
fn nobody_reaches_the_publishers_own_api_without_a_signature() {
    let template = Template::read();
    let private: BTreeSet<&str> =
        HTTP_FUNCTIONS.into_iter().filter(|function| template.is_private(function)).collect();
    assert_eq!(private, BTreeSet::from(["activation", "management"]));
}

/// The trigger in a `function.json`.
fn trigger(function: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../functions/azure-custom-handler");
    let text = std::fs::read_to_string(format!("{folder}/{function}/function.json"));
    let described = json(&text.expect("every function is described to the host"));
    let bindings = described["bindings"].as_array().expect("bindings").clone();
    bindings.into_iter().find(|binding| binding["direction"] == "in").expect("a trigger")
}

/// The routes of a `function.json`, a catch-all opened up.
fn azure_routes(trigger: &Value) -> BTreeSet<Route> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let path = format!("/{}", text(&trigger["route"]));
    let methods = trigger["methods"].as_array().expect("methods");
    let methods: BTreeSet<String> =
        methods.iter().map(|method| text(method).to_uppercase()).collect();
    let matches = |known: &str| match path.split_once("/{*") {
        Some((before, _)) => known == before || known.starts_with(&format!("{before}/")),
        None => known == path,
    };
    conceivable()
        .into_iter()
        .filter(|(method, known)| methods.contains(method) && matches(known))
        .collect()
}

#[tokio::test]
async fn the_azure_host_routes_to_a_function_what_it_serves() {
    let served = served(&stage().await).await;
    let mut taken = BTreeSet::new();
    for (function, routes) in &served {
        let trigger = trigger(function);
        let routed = azure_routes(&trigger);
        if trigger["route"].as_str().expect("a route").contains("{*") {
            assert!(routes.is_subset(&routed), "{function}: {routes:?} {routed:?}");
        } else {
            assert_eq!(&routed, routes, "{function}");
            taken.extend(routed.iter().cloned());
        }
        let methods = |routes: &BTreeSet<Route>| -> BTreeSet<String> {
            routes.iter().map(|(method, _)| method.clone()).collect()
        };
        assert_eq!(methods(&routed), methods(routes), "{function}");
        let is_private = Template::read().is_private(function);
        let level = if is_private { "function" } else { "anonymous" };
        assert_eq!(trigger["authLevel"], level, "{function}");
    }
    assert!(served["management"].is_disjoint(&taken), "a route of one function is another's");
    for timed in ["reconciliation", "delivery"] {
        assert_eq!(trigger(timed)["type"], "timerTrigger");
    }
}

#[test]
fn the_azure_host_starts_the_binary_and_forwards_requests_as_they_come() {
    let host = json(include_str!("../../../functions/azure-custom-handler/host.json"));
    let handler = &host["customHandler"];
    assert_eq!(handler["description"]["defaultExecutablePath"], "azure-custom-handler");
    for forwarding in ["enableProxyingHttpRequest", "enableForwardingHttpRequest"] {
        assert_eq!(handler[forwarding], true, "{forwarding}");
    }
    assert_eq!(host["extensions"]["http"]["routePrefix"], "", "paths are the same on every host");
}

#[tokio::test]
async fn the_custom_handler_hands_each_route_to_the_function_of_the_template() {
    let stage = stage().await;
    let http = shared::outbound::client();
    for function in HTTP_FUNCTIONS {
        for (method, path) in Template::read().routes(function) {
            let path = path.replace("{id}", ID).replace("{operationId}", OPERATION_ID);
            let method: Method = method.parse().expect("a method");
            let request = http.request(method.clone(), format!("{}{path}", stage.url()));
            let answer = request.send().await.expect("the functions answer");
            let body = answer.text().await.expect("a body of text");
            assert!(!body.contains("no_route"), "{method} {path}: {body}");
        }
    }
}

#[tokio::test]
async fn the_embedded_table_is_the_table_of_the_template() {
    let stage = stage().await;
    let endpoint = stage.database_url().expect("the stage has its own database");
    let client = local::database::client(endpoint, "us-east-1");
    let name = &stage.variables["TABLE_NAME"];
    let described = client.describe_table().table_name(name).send().await;
    let table = described.expect("the table is there").table.expect("a description");
    let expiry = client.describe_time_to_live().table_name(name).send().await;
    let expiry = expiry.expect("the table is there").time_to_live_description.expect("an expiry");

    let template = Template::read();
    let property = |path: &[&str]| template.resource(&[&["Table", "Properties"], path].concat());
    let text = |value: &serde_yaml_ng::Value| scalar(value).expect("a text");

    let attributes: BTreeSet<Route> = elements(property(&["AttributeDefinitions"]))
        .map(|each| (text(&each["AttributeName"]), text(&each["AttributeType"])))
        .collect();
    let defined = |each: &AttributeDefinition| {
        (each.attribute_name().to_owned(), each.attribute_type().as_str().to_owned())
    };
    assert_eq!(
        table.attribute_definitions().iter().map(defined).collect::<BTreeSet<_>>(),
        attributes
    );

    let keys = |value: &serde_yaml_ng::Value| -> Vec<Route> {
        elements(value).map(|each| (text(&each["AttributeName"]), text(&each["KeyType"]))).collect()
    };
    let keyed = |schema: &[KeySchemaElement]| -> Vec<Route> {
        let one = |each: &KeySchemaElement| {
            (each.attribute_name().to_owned(), each.key_type().as_str().to_owned())
        };
        schema.iter().map(one).collect()
    };
    assert_eq!(keyed(table.key_schema()), keys(property(&["KeySchema"])));

    let indexes: BTreeSet<_> = elements(property(&["GlobalSecondaryIndexes"]))
        .map(|each| {
            let projection = text(&each["Projection"]["ProjectionType"]);
            (text(&each["IndexName"]), keys(&each["KeySchema"]), projection)
        })
        .collect();
    let projected = |projection: Option<&Projection>| {
        let kind = projection.and_then(|projection| projection.projection_type());
        kind.expect("a projection").as_str().to_owned()
    };
    let indexed: BTreeSet<_> = table
        .global_secondary_indexes()
        .iter()
        .map(|index| {
            let name = index.index_name().expect("a name").to_owned();
            (name, keyed(index.key_schema()), projected(index.projection()))
        })
        .collect();
    assert_eq!(indexed, indexes);
    assert_eq!(table.local_secondary_indexes().len(), 0);

    let stream = table.stream_specification().and_then(|stream| stream.stream_view_type());
    let view = property(&["StreamSpecification", "StreamViewType"]);
    assert_eq!(stream.expect("a stream").as_str(), text(view));
    assert_eq!(expiry.time_to_live_status().expect("a state").as_str(), "ENABLED");
    let attribute = property(&["TimeToLiveSpecification", "AttributeName"]);
    assert_eq!(expiry.attribute_name().expect("an attribute"), text(attribute));
    assert_eq!(text(property(&["TimeToLiveSpecification", "Enabled"])), "true");
    let billing = table.billing_mode_summary().and_then(|summary| summary.billing_mode());
    assert_eq!(billing.expect("a mode").as_str(), text(property(&["BillingMode"])));
}

#[tokio::test]
async fn the_loop_around_the_reconciliation_reads_what_a_slice_reports() {
    let stage = stage().await;
    let report = stage.reconcile().await.expect("a slice");
    let report = serde_json::to_value(report).expect("a report is JSON");
    let reported: BTreeSet<String> = report
        .as_object()
        .expect("an object")
        .keys()
        .map(|key| format!("$.Payload.{key}"))
        .collect();
    let template = Template::read();
    let slice = template.resource(&[
        "ReconciliationRun",
        "Properties",
        "Definition",
        "States",
        "Slice",
        "ResultSelector",
    ]);
    let read: BTreeSet<String> = mapping(slice).filter_map(|(_, path)| scalar(path)).collect();
    assert_eq!(read, reported);
    assert_eq!(report["finished"], true);
}

#[test]
fn the_stream_wakes_the_delivery_for_new_events_and_for_nothing_else() {
    let template = Template::read();
    let mapped = template.resource(&["DeliveryFunction", "Properties", "Events", "Recorded"]);
    let properties = &mapped["Properties"];
    let text = |value: &serde_yaml_ng::Value| scalar(value).expect("a text");
    assert_eq!(text(&properties["Stream"]), "Table.StreamArn");
    let said: Vec<_> = elements(&properties["FunctionResponseTypes"]).map(text).collect();
    assert_eq!(said, ["ReportBatchItemFailures"], "what the function answers with is understood");
    let filters: Vec<_> = elements(&properties["FilterCriteria"]["Filters"]).collect();
    let [filter] = filters[..] else { panic!("one filter: {filters:?}") };
    let pattern = json(&text(&filter["Pattern"]));
    assert_eq!(pattern["eventName"], serde_json::json!(["INSERT"]));
    let sorts = &pattern["dynamodb"]["Keys"]["sk"]["S"];
    assert_eq!(sorts, &serde_json::json!([{ "prefix": "EVENT#" }]));
    let recorded = json(include_str!("../../../events/delivery/recorded.json"));
    for record in recorded["Records"].as_array().expect("records") {
        let sort = record["dynamodb"]["Keys"]["sk"]["S"].as_str().expect("a sort key");
        let passes = record["eventName"] == "INSERT" && sort.starts_with("EVENT#");
        assert!(passes, "the payload is one that comes through: {sort}");
    }
    assert_eq!(text(&properties["DestinationConfig"]["OnFailure"]["Type"]), "SQS");
}
