//! The deployment that the tests run the binaries in.

use std::sync::LazyLock;

use saasctl::template::{Stack, Template, Values};

use crate::aws::{
    CONSOLE_SECRET_ARN, EVENT_BUS_ARN, LANDING_SECRET_ARN, SECRET_ARN, SIGNING_KEY_ARN, TABLE,
};

const STREAM_ARN: &str = "arn:aws:dynamodb:eu-north-1:123456789012:table/subscriptions/\
                          stream/2026-01-01T00:00:00.000";

/// The console's app registration.
pub const CONSOLE_CLIENT_ID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";

/// The project's template.
pub fn template() -> &'static Template {
    static TEMPLATE: LazyLock<Template> = LazyLock::new(|| {
        let text = std::fs::read_to_string(crate::project().join("template.yaml"));
        Template::parse(&text.expect("template.yaml is there")).expect("template.yaml is YAML")
    });
    &TEMPLATE
}

/// Pairs as a map.
pub fn values(pairs: &[(&str, &str)]) -> Values {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The parameters without which nothing can be deployed.
pub fn required() -> Values {
    values(&[
        ("EntraTenantId", "8d7b0a3e-5f4c-4c7d-9f2a-6f1e0c2b9a11"),
        ("EntraClientId", "4b1d6c52-0f3e-4a86-b7d9-2c5e8f7a6013"),
        ("LandingClientId", "e0a5f9d4-7c1b-4e2f-8a36-91d4b7c3f528"),
    ])
}

/// Every permission that a case uses is granted here, and none beyond.
///
/// # Panics
/// When the template refuses the parameters.
pub fn tested() -> Stack {
    let mut parameters = required();
    parameters.extend(values(&[
        ("EntraClientSecretArn", SECRET_ARN),
        ("LandingClientSecretArn", LANDING_SECRET_ARN),
        ("ConsoleClientId", CONSOLE_CLIENT_ID),
        ("ConsoleClientSecretArn", CONSOLE_SECRET_ARN),
        ("DeliveryEndpoint", "https://product.example/events"),
        ("DeliverySigningKeyArn", SIGNING_KEY_ARN),
        ("DeliveryEventBusArn", EVENT_BUS_ARN),
        ("ExistingTableName", TABLE),
        ("ExistingTableStreamArn", STREAM_ARN),
    ]));
    template().deploy(&parameters).expect("the template deploys")
}
