//! The custom handler, as the Azure Functions host runs it, answers every payload of `events/` as
//! the functions do on Lambda.

use runtime::settings::{
    CHANGES, CONSOLE_OF_AZURE, DELIVERY, DELIVERY_OF_AZURE, EVERYWHERE, LANDING, LANDING_OF_AZURE,
    PORT, RECONCILIATION, SECRET_OF_AZURE, azure_refuses,
};
use runtime::{
    Case, Credential, azure_answers_with, azure_delivers_on_the_timer_alone,
    azure_examines_the_deployment_on_the_timer, beside, binary, cases, same_on_both_hosts,
};

const BUILT: &str = env!("CARGO_BIN_EXE_azure-custom-handler");

async fn same(function: &'static str, cases: &[Case]) {
    let azure = binary(BUILT);
    same_on_both_hosts(function, &beside(&azure, function), &azure, cases).await;
}

#[tokio::test]
async fn the_landing_page_answers_as_on_lambda() {
    same("landing", cases::landing::CASES).await;
}

#[tokio::test]
async fn activation_answers_as_on_lambda() {
    same("activation", cases::activation::CASES).await;
}

#[tokio::test]
async fn the_webhook_answers_as_on_lambda() {
    same("webhook", cases::webhook::CASES).await;
}

#[tokio::test]
async fn management_answers_as_on_lambda() {
    same("management", cases::management::CASES).await;
}

#[tokio::test]
async fn reconciliation_reports_as_on_lambda() {
    same("reconciliation", cases::reconciliation::CASES).await;
}

#[tokio::test]
async fn events_are_delivered_by_the_timer_alone() {
    azure_delivers_on_the_timer_alone(&binary(BUILT)).await;
}

#[tokio::test]
async fn the_deployment_is_examined_on_the_timer() {
    azure_examines_the_deployment_on_the_timer(&binary(BUILT)).await;
}

#[tokio::test]
async fn a_wrong_setting_ends_the_start_with_one_line_that_names_it() {
    let secrets = [SECRET_OF_AZURE, LANDING_OF_AZURE, DELIVERY_OF_AZURE].concat();
    let wrong =
        [EVERYWHERE, &secrets, LANDING, CHANGES, RECONCILIATION, DELIVERY, PORT, CONSOLE_OF_AZURE]
            .concat();
    azure_refuses(&binary(BUILT), &wrong).await;
}

#[tokio::test]
async fn the_managed_identity_of_the_app_takes_the_place_of_client_secrets() {
    for (function, cases) in [
        ("landing", cases::landing::CASES),
        ("activation", cases::activation::CASES),
        ("webhook", cases::webhook::CASES),
        ("management", cases::management::CASES),
        ("reconciliation", cases::reconciliation::CASES),
    ] {
        azure_answers_with(Credential::AzureIdentity, function, &binary(BUILT), cases).await;
    }
}
