mod console_app;
mod credential_ends;
mod endpoints;
mod hanging_secrets_manager;

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::ExposeSecret;
use uuid::Uuid;

use super::*;
use crate::host::secret::ClientSecret;
use crate::microsoft::entra::{Credential, TokenEndpoint};
use crate::publisher::approval::ChangeApproval;

const TENANT: &str = "8d7b0a3e-5f4c-4c7d-9f2a-6f1e0c2b9a11";
const CLIENT: &str = "4b1d6c52-0f3e-4a86-b7d9-2c5e8f7a6013";
const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:marketplace-AbCdEf";

/// The settings that every function requires.
const REQUIRED: [(&str, &str); 7] = [
    ("ENTRA_TENANT_ID", TENANT),
    ("ENTRA_CLIENT_ID", CLIENT),
    ("ENTRA_CLIENT_SECRET", "hunter2"),
    ("TABLE_NAME", "subscriptions"),
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "aws-secret-value"),
    ("AWS_REGION", "eu-west-1"),
];

/// The required settings, with some changed; `None` removes one.
fn environment(changes: &[(&str, Option<&str>)]) -> Environment {
    let mut variables: BTreeMap<String, String> =
        REQUIRED.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    for (name, value) in changes {
        match value {
            Some(value) => variables.insert((*name).to_owned(), (*value).to_owned()),
            None => variables.remove(*name),
        };
    }
    Environment::from_fn(move |name| variables.get(name).cloned())
}

fn read(changes: &[(&str, Option<&str>)]) -> Result<Dependencies, ConfigError> {
    Dependencies::read(&environment(changes))
}

fn microsoft(changes: &[(&str, Option<&str>)]) -> Microsoft {
    read(changes).expect("the settings are complete").microsoft
}

fn secret_of(microsoft: &Microsoft) -> ClientSecret {
    match &microsoft.credential {
        Credential::Secret(secret) => secret.clone(),
        other => panic!("no secret: {other:?}"),
    }
}

fn refusal(changes: &[(&str, Option<&str>)]) -> ConfigError {
    match read(changes) {
        Ok(_) => panic!("accepted: {changes:?}"),
        Err(error) => error,
    }
}

#[test]
fn the_defaults_are_microsofts_own() {
    let microsoft = microsoft(&[]);
    assert_eq!(microsoft.marketplace_url, "https://marketplaceapi.microsoft.com/api", "F-GEN-1");
    assert_eq!(microsoft.authority, "https://login.microsoftonline.com", "F-AUTH-4");
    assert_eq!(
        microsoft.marketplace_app_id.to_string(),
        "20e940b3-4c77-4b0b-9a53-9e16a1b010a7",
        "F-AUTH-2: the whole GUID"
    );
    assert_eq!(microsoft.token_endpoint, TokenEndpoint::V2, "D-17");
    assert_eq!(microsoft.tenant_id.to_string(), TENANT);
    assert_eq!(microsoft.client_id.to_string(), CLIENT);
}

#[test]
fn a_missing_or_empty_setting_is_named_with_its_purpose() {
    for (name, _) in REQUIRED {
        for absent in [None, Some(""), Some("  \n")] {
            let error = refusal(&[(name, absent)]);
            let line = error.to_string();
            assert_eq!(error.name, name);
            assert!(line.starts_with(&format!("{name} is not set (")), "{line}");
            assert!(!error.purpose.is_empty() && !line.contains('\n'), "{line}");
        }
    }
}

#[test]
fn a_malformed_setting_is_named_without_echoing_its_value() {
    let cases: &[(&'static str, &[&str])] = &[
        ("ENTRA_TENANT_ID", &["hunter2-tenant", "8d7b0a3e-5f4c-4c7d-9f2a", "contoso.example"]),
        ("ENTRA_CLIENT_ID", &["hunter2-client", "4b1d6c52-0f3e-4a86-b7d9-2c5e8f7a601X"]),
        ("MARKETPLACE_APP_ID", &["hunter2-app"]),
        ("ENTRA_TOKEN_ENDPOINT", &["hunter2-v3", "V2", "v2.0"]),
        (
            "MARKETPLACE_URL",
            &[
                "hunter2.example",
                "ftp://hunter2.example/api",
                "https://hunter2.example/api?sig=abc",
                "https://hunter2.example/api#part",
                "https://user:hunter2@m.example/api",
                "https://",
                "/api",
            ],
        ),
        ("ENTRA_AUTHORITY", &["hunter2", "file:///etc/hunter2", "https://hunter2.example/?x"]),
        ("AWS_ENDPOINT_URL_DYNAMODB", &["hunter2:8000", "127.0.0.1", "ws://hunter2.example"]),
    ];
    for (name, values) in cases {
        for value in *values {
            let error = refusal(&[(name, Some(value))]);
            let line = error.to_string();
            assert_eq!(error.name, *name, "{value}");
            assert!(line.starts_with(name) && !line.contains('\n'), "{line}");
            assert!(!line.contains(value) && !line.contains("hunter2"), "{line}");
        }
    }
}

#[test]
fn a_url_may_end_in_slashes_and_blanks() {
    for slashes in ["", "/", "//", "/ "] {
        let microsoft = microsoft(&[
            ("MARKETPLACE_URL", Some(&format!(" http://127.0.0.1:8080/api{slashes}"))),
            ("ENTRA_AUTHORITY", Some(&format!("http://127.0.0.1:8080/entra{slashes}"))),
        ]);
        assert_eq!(microsoft.marketplace_url, "http://127.0.0.1:8080/api");
        assert_eq!(microsoft.authority, "http://127.0.0.1:8080/entra");
    }
}

#[test]
fn no_address_is_called_over_http_except_on_this_machine() {
    type Read = fn(&Environment) -> Result<(), ConfigError>;
    let dependencies: Read = |environment| Dependencies::read(environment).map(drop);
    let delivery: Read = |environment| {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        DeliverySettings::read(environment, &transport(&clock), clock.clone()).map(drop)
    };
    let approval: Read = |environment| {
        ChangeApproval::read(environment, &Dependencies::read(environment)?).map(drop)
    };
    let origin: Read = |environment| LANDING_BASE_URL.read(environment).map(drop);
    let console: Read = |environment| CONSOLE_BASE_URL.read(environment).map(drop);
    for (name, read) in [
        ("MARKETPLACE_URL", dependencies),
        ("ENTRA_AUTHORITY", dependencies),
        ("AWS_ENDPOINT_URL_DYNAMODB", dependencies),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", dependencies),
        ("AWS_ENDPOINT_URL_EVENTBRIDGE", delivery),
        ("DELIVERY_ENDPOINT", delivery),
        ("DECISION_URL", approval),
        ("LANDING_BASE_URL", origin),
        ("CONSOLE_BASE_URL", console),
    ] {
        let read_with = |address: &str| {
            let key = Some("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
            let mut settings = vec![(name, Some(address))];
            match name {
                "AWS_ENDPOINT_URL_SECRETS_MANAGER" => settings.extend([
                    ("ENTRA_CLIENT_SECRET", None),
                    ("ENTRA_CLIENT_SECRET_ARN", Some(ARN)),
                ]),
                "AWS_ENDPOINT_URL_EVENTBRIDGE" => {
                    settings.push(("DELIVERY_EVENT_BUS", Some("bus")))
                }
                _ => {
                    settings.extend([("DELIVERY_SIGNING_KEY", key), ("DECISION_SIGNING_KEY", key)])
                }
            }
            read(&environment(&settings))
        };
        for address in ["http://a.example", "http://10.0.0.1:8000", "http://localhost.example"] {
            let error = read_with(address).expect_err(address);
            assert_eq!(error.name, name, "{address}");
            assert!(error.problem.contains("https"), "{error}");
        }
        for address in ["https://a.example", "http://127.0.0.1:8000", "http://localhost:8000"] {
            assert_eq!(read_with(address), Ok(()), "{name}={address}");
        }
    }
}

#[test]
fn a_setting_overrides_its_default() {
    let own = "11111111-2222-4333-8444-555555555555";
    let microsoft = microsoft(&[
        ("MARKETPLACE_APP_ID", Some(&own.to_uppercase())),
        ("ENTRA_TOKEN_ENDPOINT", Some("v1")),
        ("ENTRA_TENANT_ID", Some(&TENANT.to_uppercase())),
    ]);
    assert_eq!(microsoft.marketplace_app_id.to_string(), own);
    assert_eq!(microsoft.token_endpoint, TokenEndpoint::V1);
    assert_eq!(microsoft.tenant_id.to_string(), TENANT, "GUIDs are case-insensitive");
}

#[test]
fn the_secret_can_be_given_as_a_value_and_never_prints() {
    let microsoft = microsoft(&[("ENTRA_CLIENT_SECRET", Some(" hunter2 "))]);
    match secret_of(&microsoft) {
        ClientSecret::Given(secret) => assert_eq!(secret.expose_secret(), "hunter2"),
        ClientSecret::SecretsManager { .. } => panic!("the secret was set as a value"),
    }
    assert!(!format!("{:?}", microsoft.credential).contains("hunter2"));
}

#[test]
fn the_secret_can_be_given_as_a_secrets_manager_arn() {
    let by_arn = [("ENTRA_CLIENT_SECRET", None), ("ENTRA_CLIENT_SECRET_ARN", Some(ARN))];
    match secret_of(&microsoft(&by_arn)) {
        ClientSecret::SecretsManager { arn, path, .. } => {
            assert_eq!((arn.as_str(), path.len()), (ARN, 0))
        }
        ClientSecret::Given(_) => panic!("no secret was set as a value"),
    }
    let bad_endpoint =
        [by_arn[0], by_arn[1], ("AWS_ENDPOINT_URL_SECRETS_MANAGER", Some("hunter2"))];
    let error = refusal(&bad_endpoint);
    assert_eq!(error.name, "AWS_ENDPOINT_URL_SECRETS_MANAGER");
    assert!(!error.to_string().contains("hunter2"));
}

#[test]
fn the_secret_can_be_one_of_those_that_one_json_secret_holds() {
    let all = ("SECRETS_ARN", Some("arn:aws:secretsmanager:eu-west-1:123456789012:secret:all"));
    match secret_of(&microsoft(&[("ENTRA_CLIENT_SECRET", None), all])) {
        ClientSecret::SecretsManager { arn, path, .. } => {
            assert_eq!(
                (Some(arn.as_str()), &path[..]),
                (all.1, &["ENTRA_CLIENT_SECRET".to_owned()][..])
            );
        }
        ClientSecret::Given(_) => panic!("no secret was set as a value"),
    }
    // A secret of its own comes first, as a value or by its ARN.
    match secret_of(&microsoft(&[all])) {
        ClientSecret::Given(secret) => assert_eq!(secret.expose_secret(), "hunter2"),
        ClientSecret::SecretsManager { .. } => panic!("the secret was set as a value"),
    }
    let own = [("ENTRA_CLIENT_SECRET", None), ("ENTRA_CLIENT_SECRET_ARN", Some(ARN)), all];
    match secret_of(&microsoft(&own)) {
        ClientSecret::SecretsManager { arn, path, .. } => {
            assert_eq!((arn.as_str(), path.len()), (ARN, 0))
        }
        ClientSecret::Given(_) => panic!("no secret was set as a value"),
    }
    let misplaced = refusal(&[("ENTRA_CLIENT_SECRET", None), ("SECRETS_ARN", Some("hunter2"))]);
    assert_eq!(misplaced.name, "SECRETS_ARN");
    assert!(!misplaced.to_string().contains("hunter2"), "{misplaced}");
}

#[test]
fn two_secrets_or_a_malformed_arn_are_refused() {
    let both = refusal(&[("ENTRA_CLIENT_SECRET_ARN", Some(ARN))]);
    assert_eq!(both.name, "ENTRA_CLIENT_SECRET");
    assert!(both.to_string().contains("ENTRA_CLIENT_SECRET_ARN"), "{both}");
    assert!(!both.to_string().contains("hunter2"), "{both}");

    // A secret in the wrong place is not printed either.
    let misplaced =
        refusal(&[("ENTRA_CLIENT_SECRET", None), ("ENTRA_CLIENT_SECRET_ARN", Some("hunter2"))]);
    assert_eq!(misplaced.name, "ENTRA_CLIENT_SECRET_ARN");
    assert!(!misplaced.to_string().contains("hunter2"), "{misplaced}");
}

#[test]
fn a_secret_that_is_json_or_an_unresolved_reference_is_refused_by_its_name() {
    for (value, problem) in [
        (r#"{"secret":"hunter2"}"#, "is JSON"),
        ("@Microsoft.KeyVault(VaultName=hunter2;SecretName=a)", "reference to a vault"),
        (ARN, "reference to a vault"),
    ] {
        let error = refusal(&[("ENTRA_CLIENT_SECRET", Some(value))]);
        assert_eq!(error.name, "ENTRA_CLIENT_SECRET");
        assert!(error.to_string().contains(problem), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[test]
fn the_error_for_a_missing_secret_names_both_settings() {
    let neither = refusal(&[("ENTRA_CLIENT_SECRET", None)]);
    assert!(neither.to_string().contains("ENTRA_CLIENT_SECRET_ARN"), "{neither}");
}

#[test]
fn the_environment_lists_each_requested_name_once_and_sorted() {
    let environment = environment(&[]);
    assert_eq!(environment.asked(), [""; 0]);
    Dependencies::read(&environment).expect("the settings are complete");
    Dependencies::read(&environment).expect("the settings are still complete");
    assert_eq!(
        environment.asked(),
        [
            "AWS_ACCESS_KEY_ID",
            "AWS_ENDPOINT_URL_DYNAMODB",
            "AWS_REGION",
            "AWS_ROLE_ARN",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "ENTRA_AUTHORITY",
            "ENTRA_CLIENT_CERTIFICATE",
            "ENTRA_CLIENT_ID",
            "ENTRA_CLIENT_SECRET",
            "ENTRA_CLIENT_SECRET_ARN",
            "ENTRA_CREDENTIAL",
            "ENTRA_TENANT_ID",
            "ENTRA_TOKEN_ENDPOINT",
            "MARKETPLACE_APP_ID",
            "MARKETPLACE_URL",
            "MICROSOFT_ROLE_ARN",
            "SECRETS_ARN",
            "TABLE_NAME",
        ]
    );
}

#[test]
fn values_are_trimmed_and_an_empty_value_counts_as_unset() {
    let environment = environment(&[("TABLE_NAME", Some(" t \n")), ("LANDING", Some(" "))]);
    assert_eq!(environment.get("TABLE_NAME").as_deref(), Some("t"));
    assert_eq!(environment.get("LANDING"), None);
    assert_eq!(environment.parse_or("LANDING", 7, "a number"), Ok(7));
    let malformed = environment.parse_or("TABLE_NAME", 7, "a number").expect_err("no number");
    assert_eq!((malformed.name, malformed.purpose), ("TABLE_NAME", "a number"));
}
