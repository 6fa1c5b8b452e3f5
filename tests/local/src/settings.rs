//! The settings that the local system adds to the given ones.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Credentials;
use emulator::Emulator;
use shared::host::environment::{ConfigError, Environment};

use crate::database::{self, Database};

type Variables = BTreeMap<String, String>;

pub(crate) fn environment(variables: &Variables) -> Environment {
    let variables = variables.clone();
    Environment::from_fn(move |name| variables.get(name).cloned())
}

/// Sets each setting that the functions need and that is not given.
pub(crate) fn add_defaults(
    variables: &mut Variables,
    emulator: Option<&Emulator>,
    database: Option<&Database>,
    url: &str,
    console_url: &str,
) {
    let mut default = |name: &str, value: &str| {
        variables.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    };
    if let Some(emulator) = emulator {
        let settings = emulator.world(|world| world.settings().clone());
        default("MARKETPLACE_URL", &emulator.marketplace_url());
        default("ENTRA_AUTHORITY", &emulator.entra_authority());
        default("ENTRA_TENANT_ID", &settings.tenant_id);
        default("ENTRA_CLIENT_ID", &settings.client_id);
        default("MARKETPLACE_APP_ID", &settings.marketplace_app_id);
        default("LANDING_CLIENT_ID", &settings.landing_client_id);
        default("CONSOLE_CLIENT_ID", &settings.console_client_id);
        default("AWS_ENDPOINT_URL_STS", &emulator.sts_url());
        let identity = emulator.entra(|entra| entra.managed_identity().clone());
        default("IDENTITY_ENDPOINT", &emulator.identity_endpoint());
        default("IDENTITY_HEADER", &identity.header);
        default("AZURE_IDENTITY_CLIENT_ID", &identity.client_id);
    }
    if let Some(database) = database {
        default("AWS_ENDPOINT_URL_DYNAMODB", database.url());
    }
    default("TABLE_NAME", "subscriptions");
    default("AWS_REGION", "us-east-1");
    default("LANDING_SIGN_IN", "off");
    default("LANDING_BASE_URL", url);
    default("CONSOLE_BASE_URL", console_url);
    if !variables.contains_key("AWS_ROLE_ARN") {
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
            variables.entry(name.to_owned()).or_insert_with(|| "local".to_owned());
        }
    }
    if let Some(emulator) = emulator {
        let settings = emulator.world(|world| world.settings().clone());
        for (application, secret) in [
            ("LANDING", settings.landing_client_secret),
            ("CONSOLE", settings.console_client_secret),
            ("ENTRA", settings.client_secret),
        ] {
            let name = format!("{application}_CLIENT_SECRET");
            // A secret, its ARN and another kind of credential exclude each other.
            let kind = variables
                .entry(format!("{application}_CREDENTIAL"))
                .or_insert_with(|| "secret".to_owned());
            if kind == "secret" && !variables.contains_key(&format!("{name}_ARN")) {
                variables.entry(name).or_insert(secret);
            }
        }
    }
}

/// A client of the table's database, and the table's name.
pub(crate) fn table_client(environment: &Environment) -> Result<(Client, String), ConfigError> {
    let setting = |name| environment.require(name, "the local system creates the table");
    let credentials = Credentials::new(
        environment.get("AWS_ACCESS_KEY_ID").unwrap_or_else(|| "local".to_owned()),
        environment.get("AWS_SECRET_ACCESS_KEY").unwrap_or_else(|| "local".to_owned()),
        environment.get("AWS_SESSION_TOKEN"),
        None,
        "environment",
    );
    let endpoint = setting("AWS_ENDPOINT_URL_DYNAMODB")?;
    let client = database::client_as(credentials, &endpoint, &setting("AWS_REGION")?);
    Ok((client, setting("TABLE_NAME")?))
}
