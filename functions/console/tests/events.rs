//! The binary, as Lambda runs it, answers every payload of `events/console/`.

use runtime::cases::console::CASES;
use runtime::settings::{CONSOLE, EVERYWHERE, SECRET_OF_LAMBDA, lambda_refuses};
use runtime::{Credential, binary, lambda_answers, lambda_answers_with};

const BUILT: &str = env!("CARGO_BIN_EXE_console");

#[tokio::test]
async fn every_payload_is_answered_as_the_specification_says() {
    lambda_answers("console", &binary(BUILT), CASES).await;
}

#[tokio::test]
async fn a_wrong_setting_ends_the_start_with_one_line_that_names_it() {
    let wrong = [EVERYWHERE, SECRET_OF_LAMBDA, CONSOLE].concat();
    lambda_refuses("console", &binary(BUILT), &wrong).await;
}

#[tokio::test]
async fn every_payload_is_answered_without_a_client_secret_as_well() {
    for credential in [Credential::Certificate, Credential::AwsIdentity] {
        lambda_answers_with(credential, "console", &binary(BUILT), CASES).await;
    }
}
