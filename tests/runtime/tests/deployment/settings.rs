//! The settings that the template and the example of a function app deploy.

use std::collections::BTreeSet;

use local::LocalSystem;
use runtime::deployment::tested;
use shared::config::Dependencies;
use shared::host::environment::{ConfigError, Environment};

use super::{json, system};

/// The local system's settings in the form in which the template sets them.
fn environment(system: &LocalSystem) -> Environment {
    let mut variables = system.variables.clone();
    for secret in [
        "ENTRA_CLIENT_SECRET",
        "LANDING_CLIENT_SECRET",
        "CONSOLE_CLIENT_SECRET",
        "DELIVERY_SIGNING_KEY",
    ] {
        variables.remove(secret);
        let arn = "arn:aws:secretsmanager:eu-north-1:123456789012:secret:marketplace-AbCdEf";
        variables.insert(format!("{secret}_ARN"), arn.to_owned());
    }
    Environment::from_fn(move |name| variables.get(name).cloned())
}

/// Starts a function, as its `main` does.
pub(crate) fn start(function: &str, environment: &Environment) -> Result<(), ConfigError> {
    match function {
        "landing" => landing::Landing::from_environment(environment).map(drop),
        "activation" => activation::Activation::from_environment(environment).map(drop),
        "webhook" => webhook::Webhook::from_environment(environment).map(drop),
        "management" => management::Management::from_environment(environment).map(drop),
        "reconciliation" => reconciliation::Reconciliation::from_environment(environment).map(drop),
        "console" => console::Console::from_environment(environment).map(drop),
        "delivery" => delivery::Delivery::from_environment(environment).map(drop),
        _ => panic!("{function} is in the template and not in this test"),
    }
}

/// The settings that a function reads at its start.
fn asked(function: &str, environment: &Environment) -> BTreeSet<String> {
    start(function, environment).expect(function);
    environment.asked().into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_function_is_deployed_with_the_settings_it_reads_and_no_others() {
    let system = system().await;
    let stack = tested();
    assert_eq!(stack.functions().len(), 7);
    for function in stack.functions() {
        let mut wanted = asked(&function, &environment(&system));
        // Lambda sets the credentials and the region, and the template sets a secret's ARN.
        wanted.retain(|name| {
            ![
                "_CLIENT_SECRET",
                "_CLIENT_CERTIFICATE",
                "_SIGNING_KEY",
                "_SIGNING_KEYS",
                "_COOKIE_KEY",
            ]
            .iter()
            .any(|end| name.ends_with(end))
                && !name.starts_with("AWS_")
        });
        // Without it buyers sign in, and a deployment never turns that off.
        wanted.remove("LANDING_SIGN_IN");
        // `main` reads these before it builds the function.
        wanted.extend(["LOG_LEVEL", "METRICS_NAMESPACE"].map(str::to_owned));
        let deployed: BTreeSet<String> = stack.environment(&function).into_keys().collect();
        assert_eq!(deployed, wanted, "{function}");
    }
}

#[tokio::test]
async fn the_example_of_a_function_apps_settings_names_what_the_handler_reads() {
    let system = system().await;
    let mut variables = system.variables.clone();
    variables.remove("AWS_ENDPOINT_URL_DYNAMODB");
    // The Functions host serves no console.
    variables.retain(|name, _| !name.starts_with("CONSOLE_"));
    // With secrets and keys, and with the app's managed identity instead.
    let mut identity = variables.clone();
    identity.retain(|name, _| !name.contains("CLIENT_SECRET") && !name.starts_with("AWS_"));
    identity.extend(
        [
            ("ENTRA_CREDENTIAL", "azure-identity"),
            ("LANDING_CREDENTIAL", "azure-identity"),
            ("AWS_REGION", "eu-north-1"),
            ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/table"),
            ("AWS_ROLE_AUDIENCE", "api://marketplace-aws"),
            ("LANDING_COOKIE_KEY", "0123456789abcdef0123456789abcdef"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    let mut wanted = BTreeSet::new();
    for variables in [variables, identity] {
        let environment = Environment::from_fn(move |name| variables.get(name).cloned());
        let dependencies = Dependencies::read(&environment).expect("the settings are right");
        azure_custom_handler::Functions::new(&environment, &dependencies).expect("they are");
        wanted.extend(environment.asked());
    }
    for not_needed in [
        "ENTRA_CLIENT_SECRET_ARN",
        "LANDING_CLIENT_SECRET_ARN",
        "DELIVERY_SIGNING_KEY_ARN",
        "DELIVERY_SIGNING_KEYS_ARN",
        "DECISION_SIGNING_KEY_ARN",
        "HANDOVER_SIGNING_KEY_ARN",
        "SECRETS_ARN",
        "CONSOLE_CLIENT_ID",
        "AWS_ENDPOINT_URL_DYNAMODB",
        "AWS_ENDPOINT_URL_STS",
        "AWS_SESSION_TOKEN",
        // The platform sets them.
        "IDENTITY_ENDPOINT",
        "IDENTITY_HEADER",
        // Of an identity at AWS.
        "MICROSOFT_ROLE_ARN",
    ] {
        wanted.remove(not_needed);
    }
    wanted.insert("LOG_LEVEL");
    let example = json(include_str!(
        "../../../../functions/azure-custom-handler/local.settings.example.json"
    ));
    let values = example["Values"].as_object().expect("the example has values");
    let hosts_own = ["FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage"];
    let named: BTreeSet<&str> =
        values.keys().map(String::as_str).filter(|name| !hosts_own.contains(name)).collect();
    assert_eq!(named, wanted);
}
