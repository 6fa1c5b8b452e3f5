//! The permissions that only some deployments need.

use std::collections::BTreeSet;

use runtime::deployment::{CONSOLE_CLIENT_ID, required, template, values};
use saasctl::template::{Grant, Stack, elements, text};

const FUNCTIONS: [&str; 6] =
    ["landing", "activation", "webhook", "management", "reconciliation", "delivery"];

const ARN: &str = "arn:aws:secretsmanager:eu-north-1:123456789012:secret:";

fn deploy(parameters: &[(&str, &str)]) -> Stack {
    let mut given = required();
    given.extend(values(parameters));
    template().deploy(&given).expect("the template deploys")
}

/// Whether a function's role may write traces, and nothing else of X-Ray's.
fn may_trace(stack: &Stack, function: &str) -> bool {
    let (first, rest) = function.split_at(1);
    let role = stack.properties(&format!("{}{rest}Role", first.to_uppercase()));
    let statements = elements(&role["Policies"][0]["PolicyDocument"]["Statement"]);
    let actions = statements.flat_map(|statement| elements(&statement["Action"]));
    let traces: BTreeSet<String> =
        actions.filter_map(text).filter(|action| action.starts_with("xray:")).collect();
    let all = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"].map(str::to_owned).into();
    assert!(traces.is_empty() || traces == all, "{function}: {traces:?}");
    !traces.is_empty()
}

#[test]
fn functions_record_traces_and_may_do_so_only_where_the_operator_wants_them() {
    let bus = ("DeliveryEventBusArn", "arn:aws:events:eu-north-1:123456789012:event-bus/b");
    for (given, mode, may) in [
        (&[bus][..], "PassThrough", false),
        (&[bus, ("Tracing", "PassThrough")], "PassThrough", false),
        (&[bus, ("Tracing", "Active")], "Active", true),
    ] {
        let stack = deploy(given);
        assert_eq!(stack.functions().len(), FUNCTIONS.len());
        for function in FUNCTIONS {
            let (first, rest) = function.split_at(1);
            let id = format!("{}{rest}Function", first.to_uppercase());
            assert_eq!(stack.properties(&id)["Tracing"], mode, "{function}");
            assert_eq!(may_trace(&stack, function), may, "{function}: {given:?}");
        }
    }
}

/// The secrets that a function may read.
fn secrets(stack: &Stack, function: &str) -> BTreeSet<String> {
    let grants = stack.grants(function).into_iter();
    let read = grants.filter(|grant| grant.action == "secretsmanager:GetSecretValue");
    read.map(|grant| grant.resource).collect()
}

#[test]
fn each_function_may_read_the_secrets_that_it_uses_and_no_others() {
    let arn = |name: &str| format!("{ARN}{name}-AbCdEf");
    let [entra, landing, decision, handover, delivery, deliveries] =
        ["entra", "landing", "decision", "handover", "delivery", "deliveries"].map(arn);
    let stack = deploy(&[
        ("EntraClientSecretArn", &entra),
        ("LandingClientSecretArn", &landing),
        ("DecisionUrl", "https://product.example/decisions"),
        ("DecisionSigningKeyArn", &decision),
        ("LandingSignUpUrl", "https://product.example/sign-up"),
        ("HandoverSigningKeyArn", &handover),
        ("DeliveryEndpoint", "https://product.example/events"),
        ("DeliverySigningKeyArn", &delivery),
        ("DeliveryEndpoints", r#"[{"name":"crm","url":"https://crm.example"}]"#),
        ("DeliverySigningKeysArn", &deliveries),
    ]);
    for (function, readable) in [
        ("landing", vec![&entra, &landing, &decision, &handover]),
        ("activation", vec![&entra]),
        ("webhook", vec![&entra, &decision]),
        ("management", vec![&entra]),
        ("reconciliation", vec![&entra, &decision]),
        ("delivery", vec![&delivery, &deliveries]),
    ] {
        let readable = readable.into_iter().cloned().collect();
        assert_eq!(secrets(&stack, function), readable, "{function}");
    }
    assert!(stack.properties("Secrets").is_null(), "the stack makes no secret of its own");
}

#[test]
fn every_function_may_read_the_one_secret_that_holds_all_of_them() {
    let endpoint = ("DeliveryEndpoint", "https://product.example/events");
    let given = format!("{ARN}all-AbCdEf");
    for (parameters, readable) in [
        (vec![endpoint], "<Secrets>".to_owned()),
        (vec![endpoint, ("SecretsArn", given.as_str())], given.clone()),
    ] {
        let stack = deploy(&parameters);
        for function in FUNCTIONS {
            assert_eq!(secrets(&stack, function), [readable.clone()].into(), "{function}");
            assert_eq!(stack.environment(function)["SECRETS_ARN"], readable, "{function}");
        }
        assert_eq!(stack.output("SecretsArn"), Some(readable.as_str()));
    }
}

/// Entra trusts one role, which exactly the functions that call Microsoft may assume (F-CRED-9, F-CRED-10).
#[test]
fn with_an_identity_at_aws_the_functions_share_the_role_that_entra_trusts() {
    let stack = deploy(&[("EntraCredential", "aws-identity")]);
    let role = stack.properties("MicrosoftRole");
    let name = role["RoleName"].as_str().expect("a name");
    let trusted = elements(&role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"]);
    let trusted: BTreeSet<_> = trusted.filter_map(text).collect();
    for function in FUNCTIONS {
        let grants = stack.grants(function);
        let assumed = grants.iter().find(|grant| grant.action == "sts:AssumeRole");
        let calls_microsoft = function != "delivery";
        assert_eq!(assumed.is_some(), calls_microsoft, "{function}");
        if let Some(grant) = assumed {
            assert!(grant.resource.ends_with(&format!(":role/{name}")), "{grant:?}");
            assert_eq!(stack.environment(function)["MICROSOFT_ROLE_ARN"], grant.resource);
        }
        let initial = function[..1].to_uppercase() + &function[1..];
        assert_eq!(
            trusted.contains(&format!("<{initial}Role.Arn>")),
            calls_microsoft,
            "{trusted:?}"
        );
    }
    let statement = &role["Policies"][0]["PolicyDocument"]["Statement"][0];
    assert_eq!(statement["Action"], "sts:GetWebIdentityToken");
    assert_eq!(statement["Condition"]["StringEquals"]["sts:SigningAlgorithm"], "RS256", "F-CRED-9");
    let command = stack.output("EntraFederatedCredential").expect("a command");
    assert!(command.contains(&format!(":role/{name}\"")), "{command}");
    let without = deploy(&[]);
    assert!(without.properties("MicrosoftRole").is_null());
    // Entra is told before the role is made.
    assert_eq!(without.output("EntraFederatedCredential"), Some(command));
}

/// The console calls the API and the activation within itself, and signs people in.
#[test]
fn the_console_may_do_what_the_api_and_the_activation_may_and_what_a_sign_in_needs() {
    let console = format!("{ARN}console-AbCdEf");
    let stack = deploy(&[
        ("EntraClientSecretArn", &format!("{ARN}entra-AbCdEf")),
        ("ConsoleClientId", CONSOLE_CLIENT_ID),
        ("ConsoleClientSecretArn", &console),
        ("ConsoleCredential", "secret"),
        ("EntraCredential", "secret"),
    ]);
    let without_logs = |function: &str| -> BTreeSet<Grant> {
        let grants = stack.grants(function).into_iter();
        grants.filter(|grant| !grant.action.starts_with("logs:")).collect()
    };
    let inner = &without_logs("management") | &without_logs("activation");
    let own: BTreeSet<(String, String, Option<BTreeSet<String>>)> = without_logs("console")
        .difference(&inner)
        .map(|grant| (grant.action.clone(), grant.resource.clone(), grant.keys.clone()))
        .collect();
    let table = "arn:aws:dynamodb:eu-north-1:123456789012:table/<Table>";
    let of_table = |action: &str, keys: &[&str]| {
        let keys = keys.iter().map(|&key| key.to_owned()).collect();
        (action.to_owned(), table.to_owned(), Some(keys))
    };
    let refusals = |action: &str| of_table(action, &["REFUSED#*"]);
    let pages = ["SUB#*", "DEPLOYMENT", "EXAMINATION", "RECEIVERS", "RUN"];
    let expected = [
        of_table("dynamodb:BatchGetItem", &pages),
        refusals("dynamodb:GetItem"),
        refusals("dynamodb:PutItem"),
        ("secretsmanager:GetSecretValue".to_owned(), console, None),
        ("cloudwatch:DescribeAlarms".to_owned(), "*".to_owned(), None),
    ];
    assert_eq!(own, expected.into());
    // Its batches hold those of the API.
    let mut missing = &inner - &without_logs("console");
    missing.retain(|grant| grant.action != "dynamodb:BatchGetItem");
    assert_eq!(missing, BTreeSet::new());
}

#[test]
fn the_console_shares_the_role_that_entra_trusts() {
    let stack =
        deploy(&[("ConsoleClientId", CONSOLE_CLIENT_ID), ("ConsoleCredential", "aws-identity")]);
    let role = stack.properties("MicrosoftRole");
    let trusted = elements(&role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"]);
    assert!(trusted.filter_map(text).any(|arn| arn == "<ConsoleRole.Arn>"), "{role}");
    assert!(stack.grants("console").iter().any(|grant| grant.action == "sts:AssumeRole"));
    let command = stack.output("ConsoleFederatedCredential").expect("a command");
    assert!(command.contains(CONSOLE_CLIENT_ID), "{command}");
}

#[test]
fn a_role_reaches_no_item_that_its_function_does_not_use() {
    let bus = ("DeliveryEventBusArn", "arn:aws:events:eu-north-1:123456789012:event-bus/b");
    let stack = deploy(&[bus]);
    for function in FUNCTIONS {
        for grant in stack.grants(function) {
            let is_table = grant.resource.starts_with("arn:aws:dynamodb:")
                && !grant.resource.contains("/index/");
            assert_eq!(is_table, grant.keys.is_some(), "{function}: {grant:?}");
        }
    }
}

/// CloudFormation makes and drops one index per update, so none may be without a use or be missing.
#[test]
fn every_index_has_a_reader_and_every_reader_an_index() {
    let bus = ("DeliveryEventBusArn", "arn:aws:events:eu-north-1:123456789012:event-bus/b");
    let stack = deploy(&[bus]);
    let made: BTreeSet<String> = elements(&stack.properties("Table")["GlobalSecondaryIndexes"])
        .map(|index| text(&index["IndexName"]).expect("a name"))
        .collect();
    let granted = FUNCTIONS.iter().flat_map(|function| stack.grants(function));
    let read: BTreeSet<String> = granted
        .filter_map(|grant| Some(grant.resource.split_once("/index/")?.1.to_owned()))
        .collect();
    assert_eq!(read, made);
    assert!(made.len() > 1, "{made:?}");
}

#[test]
fn a_table_that_was_kept_is_used_with_the_same_permissions_as_one_of_its_own() {
    let stream =
        "arn:aws:dynamodb:eu-north-1:123456789012:table/kept/stream/2026-01-01T00:00:00.000";
    let bus = ("DeliveryEventBusArn", "arn:aws:events:eu-north-1:123456789012:event-bus/b");
    let own = deploy(&[bus]);
    let kept = deploy(&[bus, ("ExistingTableName", "kept"), ("ExistingTableStreamArn", stream)]);
    assert!(kept.properties("Table").is_null());
    for function in FUNCTIONS {
        let of_kept = kept.grants(function).into_iter().map(|mut grant| {
            grant.resource = grant.resource.replace("table/kept", "table/<Table>");
            grant
        });
        assert_eq!(of_kept.collect::<BTreeSet<_>>(), own.grants(function), "{function}");
        assert_eq!(own.environment(function)["TABLE_NAME"], "<Table>");
        assert_eq!(kept.environment(function)["TABLE_NAME"], "kept");
    }
    let mapped = &kept.properties("DeliveryFunction")["Events"]["Recorded"]["Properties"];
    assert_eq!(mapped["Stream"], stream);
    assert_eq!(
        (kept.output("TableName"), kept.output("TableStreamArn")),
        (Some("kept"), Some(stream))
    );
}
