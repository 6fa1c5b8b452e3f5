//! `saasctl preflight`, without an API.

use std::path::PathBuf;

use serde_json::json;

use crate::test_env::{Ran, command, run};

const TEMPLATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");

const COMPLETE: &str = "\
EntraTenantId: 8d7b0a3e-5f4c-4c7d-9f2a-6f1e0c2b9a11
EntraClientId: 4b1d6c52-0f3e-4a86-b7d9-2c5e8f7a6013
LandingClientId: e0a5f9d4-7c1b-4e2f-8a36-91d4b7c3f528
";

async fn preflight(name: &str, parameters: &str, more: &[&str]) -> Ran {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&file, parameters).expect("the file is written");
    let file = file.to_str().expect("a path of text");
    let arguments = [&["preflight", file, "--template", TEMPLATE], more].concat();
    // Nothing listens at the API's address.
    run(&mut command("http://127.0.0.1:9", &arguments), "").await
}

#[tokio::test]
async fn complete_parameters_pass_and_wrong_ones_are_named_without_their_values() {
    let passed = preflight("complete.yaml", COMPLETE, &[]).await;
    assert_eq!(passed.done(), "These parameters can be deployed.\n");
    let wrong = format!("{COMPLETE}LandingFields: hunter2\nChangeRules: hunter2\n");
    let refused = preflight("wrong.yaml", &wrong, &[]).await.failed(1, "not_deployable");
    for named in
        ["landing would not start: LANDING_FIELDS", "webhook would not start: CHANGE_RULES"]
    {
        assert!(refused.contains(named), "{refused}");
    }
    assert!(!refused.contains("hunter2"), "{refused}");
}

#[tokio::test]
async fn a_missing_parameter_and_a_broken_rule_are_named() {
    let refused = preflight("empty.yaml", "{}", &[]).await.failed(1, "not_deployable");
    assert!(refused.contains("EntraClientId"), "{refused}");
    let rule = format!("{COMPLETE}DefaultEndpoint: disabled\n");
    let refused = preflight("rule.yaml", &rule, &[]).await.failed(1, "not_deployable");
    assert!(refused.contains("only with a DomainName"), "{refused}");
}

#[tokio::test]
async fn programs_get_json() {
    let passed = preflight("complete.json.yaml", COMPLETE, &["--json"]).await;
    assert_eq!(passed.json(), json!({ "problems": [] }));
    let refused = preflight("unknown.yaml", "Nope: 1", &["--json"]).await;
    assert_eq!(refused.code, 1);
    let error: serde_json::Value = serde_json::from_str(&refused.stderr).expect("JSON");
    assert_eq!(error["code"], "not_deployable", "{error}");
}
