//! Deployments with all kinds of parameters: the template refuses those with which a function can't
//! start, and the others are complete.

use std::collections::BTreeSet;

use runtime::deployment::{CONSOLE_CLIENT_ID, required, template, values};
use saasctl::template::{Refused, Stack};
use shared::host::environment::Environment;

const SECRET: &str = "arn:aws:secretsmanager:eu-north-1:123456789012:secret:a-AbCdEf";

/// A deployment with the staff console.
const CONSOLE: &[(&str, &str)] = &[("ConsoleClientId", CONSOLE_CLIENT_ID)];

/// Parameters that change what a deployment makes, alone or together with others.
pub(crate) const CHOICES: &[&[(&str, &str)]] = &[
    &[("SecretsArn", SECRET)],
    &[("EntraClientSecretArn", SECRET)],
    &[("LandingClientSecretArn", SECRET)],
    &[("EntraClientSecretArn", SECRET), ("LandingClientSecretArn", SECRET)],
    &[("DecisionUrl", "https://product.example/decisions")],
    &[("DecisionSigningKeyArn", SECRET)],
    &[("DeliveryEndpoint", "https://product.example/events")],
    &[("DeliverySigningKeyArn", SECRET)],
    &[("DeliveryEventBusArn", "arn:aws:events:eu-north-1:123456789012:event-bus/b")],
    &[("EntraClientSecretKmsKeyArn", "arn:aws:kms:eu-north-1:123456789012:key/a")],
    &[("LandingBaseUrl", "https://signup.example.com")],
    &[("DomainName", "signup.example.com")],
    &[("CertificateArn", "arn:aws:acm:eu-north-1:123456789012:certificate/a")],
    &[
        ("DomainName", "signup.example.com"),
        ("CertificateArn", "arn:aws:acm:eu-north-1:123456789012:certificate/a"),
    ],
    &[("HostedZoneId", "Z0123456789ABCDEFGHIJ")],
    &[("LandingLogoDark", "data:image/png;base64,iVBORw==")],
    &[("DefaultEndpoint", "disabled")],
    &[("ExistingTableName", "kept")],
    &[(
        "ExistingTableStreamArn",
        "arn:aws:dynamodb:eu-north-1:123456789012:table/kept/stream/2026-01-01T00:00:00.000",
    )],
    &[
        ("ExistingTableName", "kept"),
        (
            "ExistingTableStreamArn",
            "arn:aws:dynamodb:eu-north-1:123456789012:table/kept/stream/2026-01-01T00:00:00.000",
        ),
    ],
    &[("EntraCredential", "certificate")],
    &[("EntraCredential", "aws-identity")],
    &[("LandingCredential", "aws-identity")],
    CONSOLE,
    &[("ConsoleClientId", CONSOLE_CLIENT_ID), ("ConsoleClientSecretArn", SECRET)],
    &[("ConsoleClientId", CONSOLE_CLIENT_ID), ("ConsoleCredential", "aws-identity")],
    &[("ConsoleBaseUrl", "https://staff.example.com")],
    &[("ConsoleTenantId", CONSOLE_CLIENT_ID)],
    &[("EntraTokenEndpoint", "v1")],
    &[("Schedules", "disabled")],
    &[("Architecture", "x86_64")],
    &[("Alarms", "disabled")],
    &[("AlarmEmail", "oncall@publisher.example")],
    &[("DeliveryEndpoints", r#"[{"name":"crm","url":"https://crm.example"}]"#)],
    &[("DeliverySigningKeysArn", SECRET)],
    &[("LandingSignUpUrl", "https://product.example/sign-up")],
    &[("HandoverSigningKeyArn", SECRET)],
];

fn deploy(choices: &[&[(&str, &str)]]) -> Result<Stack, Refused> {
    let mut parameters = required();
    for choice in choices {
        parameters.extend(values(choice));
    }
    template().deploy(&parameters)
}

/// Starts every function with its deployed settings. The error names a function that doesn't start.
pub(crate) fn start(stack: &Stack) -> Result<(), String> {
    for function in stack.functions() {
        let mut settings = stack.environment(&function);
        for value in settings.values_mut().filter(|value| *value == "<Secrets>") {
            SECRET.clone_into(value);
        }
        settings.extend(values(&[
            ("AWS_REGION", "eu-north-1"),
            ("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "a-key"),
        ]));
        let environment = Environment::from_fn(move |name| settings.get(name).cloned());
        super::settings::start(&function, &environment)
            .map_err(|error| format!("{function} does not start: {error}"))?;
    }
    Ok(())
}

#[test]
fn every_pair_of_choices_deploys_functions_that_start_or_is_refused_by_a_rule() {
    let (mut deployed, mut refused) = (0, BTreeSet::new());
    for (index, one) in CHOICES.iter().enumerate() {
        for other in &CHOICES[index..] {
            let with = format!("{one:?} {other:?}");
            match deploy(&[one, other]) {
                Ok(stack) => {
                    assert_eq!(start(&stack), Ok(()), "{with}");
                    deployed += 1;
                }
                Err(Refused::Rule(rule)) => {
                    refused.insert(rule);
                }
                Err(wrong) => panic!("{with}: {wrong}"),
            }
        }
    }
    assert!(deployed > 100, "{deployed} deployments");
    assert!(refused.len() >= 4, "{refused:?}");
}

#[test]
fn parameters_that_need_others_are_refused_without_them() {
    let both = CHOICES[3];
    let choice = |name: &str| {
        *CHOICES.iter().find(|choice| choice.len() == 1 && choice[0].0 == name).expect(name)
    };
    for (choices, rule) in [
        (&[both, CONSOLE][..], "ConsoleClientId requires a secret"),
        (
            &[CONSOLE, &[("ConsoleCredential", "certificate"), ("ConsoleClientSecretArn", SECRET)]],
            "belongs to the ConsoleCredential `secret`",
        ),
        (&[both, choice("DeliveryEndpoint")][..], "DeliveryEndpoint requires a signing key"),
        (&[both, choice("DeliveryEndpoints")], "DeliveryEndpoints require signing keys"),
        (&[both, choice("DecisionUrl")], "DecisionUrl requires a signing key"),
        (&[choice("DomainName")], "DomainName and CertificateArn"),
        (&[choice("CertificateArn")], "DomainName and CertificateArn"),
        (&[choice("HostedZoneId")], "HostedZoneId requires DomainName"),
        (&[choice("LandingLogoDark")], "LandingLogoDark requires LandingLogo"),
        (&[choice("DefaultEndpoint")], "only with a DomainName"),
        (&[choice("ExistingTableName")], "ExistingTableName and ExistingTableStreamArn"),
        (&[choice("ExistingTableStreamArn")], "ExistingTableName and ExistingTableStreamArn"),
    ] {
        match deploy(choices) {
            Err(Refused::Rule(text)) => assert!(text.contains(rule), "{choices:?}: {text}"),
            other => panic!("{choices:?}: {other:?}"),
        }
    }
}

#[test]
fn without_the_parameters_of_the_two_apps_nothing_is_deployed() {
    for name in required().keys() {
        let mut parameters = required();
        parameters.remove(name);
        let refused = template().deploy(&parameters).err();
        let Some(Refused::Parameter { name: named, .. }) = refused else { panic!("{refused:?}") };
        assert_eq!(named, *name);
        parameters.insert(name.clone(), String::new());
        assert!(template().deploy(&parameters).is_err(), "{name} is empty");
    }
}

#[test]
fn every_address_of_a_deployment_is_at_the_host_that_its_callers_use() {
    const API: &str = "https://<api>.execute-api.eu-north-1.amazonaws.com";
    let domain = CHOICES[13];
    let base = CHOICES[10];
    let proxy = &[("LandingBaseUrl", "https://proxy.example.com")][..];
    for (choices, setting, landing, others) in [
        (&[][..], "", API, API),
        (&[base], "https://signup.example.com", "https://signup.example.com", API),
        (
            &[domain],
            "https://signup.example.com",
            "https://signup.example.com",
            "https://signup.example.com",
        ),
        (
            &[domain, proxy],
            "https://proxy.example.com",
            "https://proxy.example.com",
            "https://signup.example.com",
        ),
    ] {
        let stack = deploy(choices).expect("the template deploys");
        assert_eq!(stack.environment("landing")["LANDING_BASE_URL"], setting, "{choices:?}");
        for (output, origin, path) in [
            ("LandingPageUrl", landing, "/landing"),
            ("LandingRedirectUri", landing, "/landing/signed-in"),
            ("WebhookUrl", others, "/webhook"),
            ("ManagementApiUrl", others, "/subscriptions"),
        ] {
            let address = stack.output(output).map(|address| address.replace("<Api>", "<api>"));
            assert_eq!(address, Some(format!("{origin}{path}")), "{output} {choices:?}");
        }
    }
}

#[test]
fn the_console_has_a_host_of_its_own_and_is_there_only_with_an_app_registration() {
    const API: &str = "https://<ConsoleApi>.execute-api.eu-north-1.amazonaws.com";
    let base = &[("ConsoleBaseUrl", "https://staff.example.com")][..];
    for (choices, setting, origin) in [
        (&[CONSOLE][..], "", API),
        (&[CONSOLE, CHOICES[13]], "", API),
        (&[CONSOLE, base], "https://staff.example.com", "https://staff.example.com"),
    ] {
        let stack = deploy(choices).expect("the template deploys");
        assert_eq!(stack.environment("console")["CONSOLE_BASE_URL"], setting, "{choices:?}");
        for (output, path) in
            [("ConsoleUrl", "/console"), ("ConsoleRedirectUri", shared::sign_in::REDIRECT_PATH)]
        {
            assert_eq!(stack.output(output), Some(&*format!("{origin}{path}")), "{choices:?}");
        }
        for event in stack.properties("ConsoleFunction")["Events"].as_object().expect("events") {
            assert_eq!(event.1["Properties"]["ApiId"], "<ConsoleApi>", "{event:?}");
        }
    }
    let without = deploy(&[base]).expect("the template deploys");
    let console = without.resources().filter(|(id, _)| id.starts_with("Console"));
    assert_eq!(console.count(), 0);
    assert_eq!((without.output("ConsoleUrl"), without.output("ConsoleRedirectUri")), (None, None));
}

#[test]
fn a_domain_replaces_the_apis_own_host_only_on_request() {
    let domain = CHOICES[13];
    for (choices, disabled) in [
        (&[][..], false),
        (&[domain], false),
        (&[domain, &[("DefaultEndpoint", "disabled")]], true),
    ] {
        let stack = deploy(choices).expect("the template deploys");
        assert_eq!(stack.properties("Api")["DisableExecuteApiEndpoint"], disabled);
        let made: Vec<&str> =
            stack.resources().map(|(id, _)| id).filter(|id| id.starts_with("Domain")).collect();
        let expected: &[&str] = if choices.is_empty() { &[] } else { &["Domain", "DomainMapping"] };
        assert_eq!(made, expected);
    }
    let stack = deploy(&[domain, &[("HostedZoneId", "Z1")]]).expect("the template deploys");
    let record = stack.properties("DomainRecord");
    assert_eq!(record["Name"], "signup.example.com");
    assert_eq!(record["AliasTarget"]["DNSName"], "<Domain.RegionalDomainName>");
}

/// If any of this changed, CloudFormation would generate the secret of a running deployment anew, and
/// the operator's values would be gone.
#[test]
fn an_update_never_generates_the_secrets_anew() {
    let stack = deploy(&[]).expect("the template deploys");
    let generated = &stack.properties("Secrets")["GenerateSecretString"];
    assert_eq!(
        *generated,
        serde_json::json!({
            "SecretStringTemplate": "{\"ENTRA_CLIENT_SECRET\":\"\",\"LANDING_CLIENT_SECRET\":\"\",\
                                     \"DELIVERY_SIGNING_KEY\":\"\",\"DECISION_SIGNING_KEY\":\"\"}",
            "GenerateStringKey": "LANDING_COOKIE_KEY",
            "PasswordLength": 64,
            "ExcludePunctuation": true,
        })
    );
}

#[test]
fn what_customers_bought_and_the_secrets_outlive_the_stack() {
    let stack = deploy(&[]).expect("the template deploys");
    for (id, resource) in stack.resources() {
        let kept = ["Table", "Secrets"].contains(&id);
        for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
            assert_eq!(resource[policy] == "Retain", kept, "{id} {policy}");
        }
    }
    assert_eq!(stack.properties("Table")["DeletionProtectionEnabled"], true);
}
