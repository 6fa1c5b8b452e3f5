//! An examination gives nothing secret away, and what it finds is counted.

use emulator::{Call, ErrorForm, FaultKind, Times};

use serde_json::{Value, json};

use crate::doctor_env::{DoctorEnv, Fault, answer};
use crate::log_lines::Lines;

#[tokio::test]
async fn failed_checks_are_counted_and_logged_and_none_is_a_zero() {
    let (lines, _guard) = Lines::collect("info");
    let doctor = DoctorEnv::at_work().await;
    lines.take_metrics();
    doctor.examine().await;
    assert_eq!(lines.text().matches("a check of the deployment").count(), 0);
    assert_eq!(lines.take_metrics()["failed_checks"], [0]);
    doctor.env.fault(
        Call::ListSubscriptions,
        FaultKind::Status(403, ErrorForm::Empty),
        Times::Always,
    );
    doctor.env.pass(60 * 60);
    doctor.examine().await;
    let text = lines.text();
    for check in ["list", "sweep"] {
        let is_line = |line: &&str| {
            line.contains("a check of the deployment failed")
                && line.contains(&format!(r#""check":"{check}""#))
        };
        assert_eq!(text.lines().filter(is_line).count(), 1, "{check}: {text}");
    }
    assert_eq!(lines.take_metrics()["failed_checks"], [2]);
}

#[tokio::test]
async fn an_examination_that_the_table_does_not_take_is_answered_and_the_one_before_stays() {
    let (lines, _guard) = Lines::collect("info");
    let doctor = DoctorEnv::at_work().await;
    let before = doctor.examine().await;
    doctor.env.pass(60);
    lines.take();
    let found = doctor
        .examine_with(Fault {
            answers: Some(Box::new(|request| {
                let is_write = request.headers().get("x-amz-target");
                let is_write = is_write.is_some_and(|target| target == "DynamoDB_20120810.PutItem");
                let refusal = json!({ "__type": "com.amazon.coral#AccessDeniedException" });
                is_write.then(|| answer(400, &refusal))
            })),
            ..Fault::default()
        })
        .await;
    assert_eq!(found.with("failed"), [""; 0], "{found:?}");
    assert!(found.0["examinedAt"].as_str() > before.0["examinedAt"].as_str(), "{found:?}");
    assert_eq!(doctor.env.get("/doctor/last").await.json(), before.0);
    let lines = lines.take();
    let warned = lines.iter().filter(|line| line["level"] == "WARN").collect::<Vec<_>>();
    let [line] = warned[..] else { panic!("{warned:?}") };
    assert_eq!(line["message"], "could not keep the examination; the last one is shown");
}

#[tokio::test]
async fn neither_the_answer_nor_the_log_holds_a_secret_a_token_or_the_products_address() {
    let (lines, _guard) = Lines::collect("debug");
    let doctor = DoctorEnv::at_work().await;
    for call in [Call::ListSubscriptions, Call::Token] {
        doctor.env.fault(call, FaultKind::Status(401, ErrorForm::Nested), Times::Always);
        let answer = doctor.examine().await.0.to_string();
        let variables = &doctor.env.system.variables;
        for secret in ["ENTRA_CLIENT_SECRET", "DELIVERY_SIGNING_KEY", "DELIVERY_ENDPOINT"] {
            assert!(!answer.contains(&variables[secret]), "{secret}: {answer}");
            assert!(!lines.text().contains(&variables[secret]), "{secret}");
        }
        let kept = doctor.env.get("/doctor/last").await.body;
        assert_eq!(serde_json::from_str::<Value>(&kept).expect("JSON").to_string(), answer);
        assert!(!answer.contains("Bearer") && !lines.text().contains("Bearer"));
    }
}
