//! Why doesn't it work? Each fault of a deployment is named, with what to do and where.

use emulator::{Call, ErrorForm, FaultKind, Times};
use jiff::SignedDuration;
use serde_json::json;

use crate::doctor_env::{DoctorEnv, Fault, OWN_HOST, answer, settings};

/// Entra refuses every request for a token with this number.
fn refused_by_entra(status: u16, error: &'static str, code: u64) -> Fault {
    Fault {
        answers: Some(Box::new(move |request| {
            let body = json!({ "error": error, "error_codes": [code], "error_description": "…" });
            request.uri().path().ends_with("/token").then(|| answer(status, &body))
        })),
        ..Fault::default()
    }
}

#[tokio::test]
async fn a_deployment_that_works_has_no_failed_check_and_no_warning() {
    let doctor = DoctorEnv::at_work().await;
    let found = doctor.examine().await;
    assert_eq!((found.with("failed"), found.with("warning")), (vec![], vec![]), "{found:?}");
    assert_eq!(
        found.with("ok"),
        [
            "token",
            "list",
            "table",
            "indexes",
            "stream",
            "secrets",
            "webhook",
            "sweep",
            "reconciliation",
            "clock",
            "settings",
            "events",
        ]
    );
    assert_eq!(found.with("unknown"), ["other-secrets", "credential"]);
    assert!(found.0["version"].as_str().is_some_and(|version| version.starts_with("0.")));
}

#[tokio::test]
async fn a_new_deployment_has_warnings_about_what_has_not_happened_yet() {
    let doctor = DoctorEnv::new().await;
    let found = doctor.examine().await;
    assert_eq!(found.with("failed"), [""; 0], "{found:?}");
    assert_eq!(found.with("warning"), ["webhook", "sweep", "reconciliation"]);
    found.has("webhook", "warning", &["has not called", "Partner Center", "Connection webhook"]);
    found.has("sweep", "warning", &["No delivery sweep has run yet", "DeliverySchedule"]);
    found.has("reconciliation", "warning", &["No reconciliation round", "ReconciliationSchedule"]);
}

#[tokio::test]
async fn each_refusal_of_entras_has_its_own_advice() {
    let doctor = DoctorEnv::at_work().await;
    for (fault, words) in [
        (
            refused_by_entra(401, "invalid_client", 7_000_222),
            ["AADSTS7000222", "has expired", "Certificates & secrets"],
        ),
        (
            refused_by_entra(400, "invalid_resource", 500_011),
            ["AADSTS500011", "az ad sp create", "Enterprise applications"],
        ),
        (
            refused_by_entra(400, "unauthorized_client", 7_000_112),
            ["AADSTS7000112", "disabled", "Enterprise applications"],
        ),
        (
            refused_by_entra(400, "invalid_request", 50_034),
            ["AADSTS50034", "refuses the app", "EntraClientId"],
        ),
        (
            refused_by_entra(503, "temporarily_unavailable", 90_033),
            ["unavailable", "few minutes", "EntraAuthority"],
        ),
        (
            settings(&[("ENTRA_CLIENT_SECRET", "another-secret")]),
            ["AADSTS7000215", "not its id", "Certificates & secrets"],
        ),
        (
            settings(&[("ENTRA_CLIENT_ID", "e0a5f9d4-7c1b-4e2f-8a36-91d4b7c3f529")]),
            ["AADSTS700016", "e0a5f9d4-7c1b-4e2f-8a36-91d4b7c3f529", "EntraClientId"],
        ),
        (
            settings(&[("ENTRA_TENANT_ID", "e0a5f9d4-7c1b-4e2f-8a36-91d4b7c3f529")]),
            ["AADSTS90002", "e0a5f9d4-7c1b-4e2f-8a36-91d4b7c3f529", "EntraTenantId"],
        ),
    ] {
        let found = doctor.examine_with(fault).await;
        assert_eq!(found.with("failed"), ["token"], "{words:?} {found:?}");
        found.has("token", "failed", &words);
        found.has("list", "unknown", &["see token"]);
    }
}

#[tokio::test]
async fn a_list_that_is_refused_names_the_tenant_and_the_app_and_where_they_stand() {
    let doctor = DoctorEnv::at_work().await;
    let (tenant, app) = {
        let variables = &doctor.env.system.variables;
        (variables["ENTRA_TENANT_ID"].clone(), variables["ENTRA_CLIENT_ID"].clone())
    };
    for (kind, words) in [
        (
            FaultKind::Status(403, ErrorForm::Empty),
            [&*tenant, &*app, "403", "Partner Center > Technical configuration"],
        ),
        (
            FaultKind::Status(401, ErrorForm::Empty),
            [&*tenant, &*app, "401", "Partner Center > Technical configuration"],
        ),
        (
            FaultKind::Status(404, ErrorForm::Html),
            ["no such list", "404", "Compare", "MarketplaceUrl"],
        ),
        (
            FaultKind::Status(500, ErrorForm::Html),
            ["unavailable", "500", "few minutes", "MarketplaceUrl"],
        ),
        (
            FaultKind::Garbage("<html>".to_owned()),
            ["malformed", "list", "few minutes", "MarketplaceUrl"],
        ),
    ] {
        doctor.env.fault(Call::ListSubscriptions, kind.clone(), Times::Always);
        let found = doctor.examine().await;
        assert_eq!(found.with("failed"), ["list"], "{kind:?} {found:?}");
        found.has("list", "failed", &words);
        doctor.env.world(|world| world.faults_mut().clear());
    }
}

#[tokio::test]
async fn a_table_that_is_gone_hides_nothing_else() {
    let doctor = DoctorEnv::at_work().await;
    let url = doctor.env.system.database_url().expect("an embedded database");
    let table = &doctor.env.system.variables["TABLE_NAME"];
    let database = local::database::client(url, "us-east-1");
    database.delete_table().table_name(table).send().await.expect("the table is removed");
    let found = doctor.examine().await;
    assert_eq!(found.with("failed"), ["table", "indexes"], "{found:?}");
    found.has("table", "failed", &["ResourceNotFoundException", "template", "ExistingTableName"]);
    for check in ["stream", "webhook", "sweep", "reconciliation", "events"] {
        found.has(check, "unknown", &["See table"]);
    }
    for check in ["token", "list", "secrets", "clock", "settings"] {
        found.has(check, "ok", &[]);
    }
}

#[tokio::test]
async fn an_index_that_is_missing_or_forbidden_is_named() {
    let doctor = DoctorEnv::at_work().await;
    for (kind, advice) in [
        ("ValidationException", "as the template of this version makes it"),
        ("AccessDeniedException", "which grants it"),
    ] {
        let found = doctor
            .examine_with(Fault {
                answers: Some(Box::new(move |request| {
                    let body = String::from_utf8_lossy(request.body());
                    let refusal =
                        json!({ "__type": format!("com.amazon.coral#{kind}"), "message": "no" });
                    body.contains(r#""IndexName":"by-change""#).then(|| answer(400, &refusal))
                })),
                ..Fault::default()
            })
            .await;
        assert_eq!(found.with("failed"), ["indexes"], "{found:?}");
        found.has("indexes", "failed", &["Of the indexes, by-change:", advice]);
    }
}

/// The examination asks for the indexes that the template makes.
#[tokio::test]
async fn every_index_of_the_template_is_asked() {
    let doctor = DoctorEnv::new().await;
    let template = include_str!("../../template.yaml");
    let made = template.lines().filter_map(|line| line.trim().strip_prefix("- IndexName: "));
    let mut made: Vec<_> = made.collect();
    made.sort_unstable();
    let asked = shared::store::Inspection::indexes(&*doctor.table()).await;
    let mut asked: Vec<_> = asked.into_iter().map(|(name, _)| name).collect();
    asked.sort_unstable();
    assert_eq!(asked, made);
}

#[tokio::test]
async fn a_clock_that_is_off_warns_before_tokens_are_refused() {
    let doctor = DoctorEnv::at_work().await;
    for (ahead, outcome, words) in [
        (30, "ok", "agrees"),
        (120, "warning", "seconds ahead of Microsoft's"),
        (-120, "warning", "seconds behind Microsoft's"),
        (600, "failed", "Tokens and signatures are refused"),
        (-600, "failed", "behind Microsoft's"),
    ] {
        let ahead = SignedDuration::from_secs(ahead);
        let found = doctor.examine_with(Fault { ahead, ..Fault::default() }).await;
        found.has("clock", outcome, &[words]);
    }
    let found = doctor.examine_with(refused_by_entra(401, "invalid_client", 7_000_222)).await;
    found.has("clock", "unknown", &["No answer"]);
}

#[tokio::test]
async fn a_secret_that_is_an_id_or_can_not_be_read_is_named() {
    const ARN: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:a-AbCdEf";
    let doctor = DoctorEnv::at_work().await;
    let id = "0f8c2f6e-27a5-4f0e-8d0b-5a1c7b6e9d33";
    let found = doctor.examine_with(settings(&[("ENTRA_CLIENT_SECRET", id)])).await;
    found.has("secrets", "failed", &["a GUID", "Certificates & secrets"]);
    assert!(!found.0.to_string().contains(id));
    for (status, body, words) in [
        (
            400,
            json!({ "__type": "AccessDeniedException" }),
            ["AccessDeniedException", "EntraClientSecretKmsKeyArn"],
        ),
        (200, json!({ "SecretString": "" }), ["is empty", "SecretsArn"]),
        (200, json!({ "SecretString": "{\"A\":\"s3cret\"}" }), ["is JSON", "SecretsArn"]),
    ] {
        let found = doctor
            .examine_with(Fault {
                answers: Some(Box::new(move |request| {
                    let target = request.headers().get("x-amz-target")?.to_str().ok()?;
                    target.starts_with("secretsmanager").then(|| answer(status, &body))
                })),
                ..settings(&[("ENTRA_CLIENT_SECRET_ARN", ARN)])
            })
            .await;
        assert_eq!(found.with("failed"), ["token", "secrets"], "{found:?}");
        found.has("secrets", "failed", &words);
        found.has("token", "failed", &["nothing to prove", "Certificates & secrets"]);
        assert!(!found.0.to_string().contains("s3cret"), "{found:?}");
    }
}

#[tokio::test]
async fn a_credential_warns_from_thirty_days_on_and_fails_at_its_end() {
    const NAME: &str = "ENTRA_CLIENT_SECRET_EXPIRES";
    let doctor = DoctorEnv::at_work().await;
    doctor.examine().await.has("credential", "unknown", &[NAME, "Certificates & secrets"]);
    let now = doctor.env.system.clock.now();
    for (hours, outcome, words) in [
        (31 * 24 + 1, "ok", "in 31 days"),
        (30 * 24 + 1, "warning", "in 30 days. Make a new one"),
        (1, "warning", "in 0 days"),
        (-1, "failed", "expired at"),
    ] {
        let end = (now + SignedDuration::from_hours(hours)).to_string();
        let found = doctor.examine_with(settings(&[(NAME, &end)])).await;
        found.has("credential", outcome, &["ENTRA_CLIENT_SECRET", words]);
    }
}

#[tokio::test]
async fn settings_that_come_near_lambdas_limit_warn_on_lambda_alone() {
    let doctor = DoctorEnv::at_work().await;
    let long = format!("urn:{}", "a".repeat(3200));
    for (gateway, source, outcome, words) in [
        // No gateway has led to an examination yet.
        (None, &*long, "ok", "does not limit"),
        (Some(OWN_HOST), "urn:a", "ok", "of the 4096 bytes"),
        (Some(OWN_HOST), &*long, "warning", "saasctl preflight"),
    ] {
        let fault = Fault { gateway, ..settings(&[("DELIVERY_SOURCE", source)]) };
        doctor.examine_with(fault).await.has("settings", outcome, &[words]);
    }
}
