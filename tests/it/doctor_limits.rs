//! An examination gives nothing secret away, and what it finds is counted.

use emulator::{Call, ErrorForm, FaultKind, Times};

use crate::doctor_env::DoctorEnv;
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
        assert!(!answer.contains("Bearer") && !lines.text().contains("Bearer"));
    }
}
