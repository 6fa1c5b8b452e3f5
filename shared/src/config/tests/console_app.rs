//! The settings of the staff console's app registration.

use super::*;
use crate::microsoft::entra::WebApp;

const CONSOLE: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";
const OTHER_TENANT: &str = "11111111-2222-4333-8444-555555555555";
const KEY: &str = "q8Zr2vN5xT0cYb7JmWkD4sLhPfGaUe31";

fn console_app(changes: &[(&str, Option<&str>)]) -> Result<WebApp, ConfigError> {
    let mut settings = vec![
        ("CONSOLE_CLIENT_ID", Some(CONSOLE)),
        ("CONSOLE_CLIENT_SECRET", Some("the console's")),
    ];
    settings.extend(changes);
    let environment = environment(&settings);
    Dependencies::read(&environment)?.microsoft.console_app(&environment)
}

fn problem(changes: &[(&str, Option<&str>)]) -> ConfigError {
    console_app(changes).err().unwrap_or_else(|| panic!("accepted: {changes:?}"))
}

#[test]
fn staff_sign_in_to_the_directory_of_the_fulfillment_app_unless_another_is_named() {
    let app = console_app(&[]).expect("the settings are complete");
    assert_eq!(app.client_id.to_string(), CONSOLE);
    assert_eq!(app.tenant_id.map(|tenant| tenant.to_string()).as_deref(), Some(TENANT));
    assert_eq!(app.authority, "https://login.microsoftonline.com");
    assert!(app.cookie_key.is_none());
    match app.credential {
        Credential::Secret(ClientSecret::Given(secret)) => {
            assert_eq!(secret.expose_secret(), "the console's", "not the fulfillment app's");
        }
        other => panic!("{other:?}"),
    }
    let other = console_app(&[("CONSOLE_TENANT_ID", Some(&OTHER_TENANT.to_uppercase()))]);
    let tenant = other.expect("a directory").tenant_id;
    assert_eq!(tenant.map(|tenant| tenant.to_string()).as_deref(), Some(OTHER_TENANT));
}

#[test]
fn a_missing_or_malformed_setting_of_the_console_is_named_and_its_value_is_not_repeated() {
    for (name, value) in [
        ("CONSOLE_CLIENT_ID", None),
        ("CONSOLE_CLIENT_ID", Some("hunter2")),
        ("CONSOLE_TENANT_ID", Some("hunter2.example")),
        ("CONSOLE_TENANT_ID", Some("common")),
        ("CONSOLE_TENANT_ID", Some("organizations")),
        ("CONSOLE_CLIENT_SECRET", None),
        ("CONSOLE_CLIENT_SECRET", Some("{\"hunter2\":1}")),
        ("CONSOLE_CREDENTIAL", Some("hunter2")),
        ("CONSOLE_CLIENT_CERTIFICATE", Some("hunter2")),
        ("CONSOLE_COOKIE_KEY", Some("hunter2-hunter2-hunter2")),
    ] {
        let error = problem(&[(name, value)]);
        assert_eq!(error.name, name, "{value:?}: {error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert!(!error.purpose.is_empty());
    }
    let two = problem(&[("CONSOLE_CLIENT_SECRET_ARN", Some(ARN))]);
    assert!(two.to_string().contains("CONSOLE_CLIENT_SECRET_ARN"), "{two}");
}

#[test]
fn the_consoles_app_has_the_same_kinds_of_credential_as_the_others() {
    let no_secret = ("CONSOLE_CLIENT_SECRET", None);
    let kind = |kind| ("CONSOLE_CREDENTIAL", Some(kind));
    let by_arn = console_app(&[no_secret, ("CONSOLE_CLIENT_SECRET_ARN", Some(ARN))]);
    let credential = by_arn.expect("a secret").credential;
    assert!(matches!(credential, Credential::Secret(ClientSecret::SecretsManager { .. })));
    let one_of_all = console_app(&[no_secret, ("SECRETS_ARN", Some(ARN))]).expect("a secret");
    for (secret, member) in [
        (one_of_all.cookie_key, "CONSOLE_COOKIE_KEY"),
        (
            match one_of_all.credential {
                Credential::Secret(secret) => Some(secret),
                other => panic!("{other:?}"),
            },
            "CONSOLE_CLIENT_SECRET",
        ),
    ] {
        match secret {
            Some(ClientSecret::SecretsManager { arn, path, .. }) => {
                assert_eq!((arn.as_str(), &path[..]), (ARN, &[member.to_owned()][..]));
            }
            other => panic!("{member}: {other:?}"),
        }
    }
    let certificate = console_app(&[kind("certificate"), no_secret, ("SECRETS_ARN", Some(ARN))]);
    assert!(matches!(certificate.expect("it").credential, Credential::Certificate(_)));
    let federated =
        console_app(&[kind("aws-identity"), no_secret, ("CONSOLE_COOKIE_KEY", Some(KEY))]);
    assert!(matches!(federated.expect("it").credential, Credential::AwsIdentity(_)));
    assert_eq!(problem(&[kind("aws-identity")]).name, "CONSOLE_CLIENT_SECRET");
}
