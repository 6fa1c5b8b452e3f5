//! The binary, as Lambda runs it, answers every payload of `events/delivery/`.

use runtime::cases::delivery::CASES;
use runtime::settings::{DELIVERY, DELIVERY_OF_LAMBDA, WITHOUT_MICROSOFT, lambda_refuses};
use runtime::{binary, lambda_answers};

const BUILT: &str = env!("CARGO_BIN_EXE_delivery");

#[tokio::test]
async fn every_payload_is_answered_as_expected() {
    lambda_answers("delivery", &binary(BUILT), CASES).await;
}

#[tokio::test]
async fn a_wrong_setting_ends_the_start_with_one_line_that_names_it() {
    let wrong = [WITHOUT_MICROSOFT, DELIVERY, DELIVERY_OF_LAMBDA].concat();
    lambda_refuses("delivery", &binary(BUILT), &wrong).await;
}
