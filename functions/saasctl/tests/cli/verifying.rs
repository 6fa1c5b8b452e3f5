//! `verify-signature`: what a receiver should have found about a request.

use serde_json::Value;

use crate::test_env::{Ran, command, run};

/// The example of the Standard Webhooks specification.
const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const TIMESTAMP: &str = "1614265330";
const BODY: &str = r#"{"test": 2432232314}"#;
const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const OTHER_KEY: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

async fn verified(keys: Option<&str>, signature: &str, body: &str, more: &[&str]) -> Ran {
    let arguments =
        ["verify-signature", "-", "--id", ID, "--timestamp", TIMESTAMP, "--signature", signature];
    // No API is needed.
    let mut command = command("http://127.0.0.1:9", &[&arguments[..], more].concat());
    if let Some(keys) = keys {
        command.env("DELIVERY_SIGNING_KEY", keys);
    }
    run(&mut command, body).await
}

#[tokio::test]
async fn the_specifications_example_is_right_and_old() {
    let ran = verified(Some(KEY), SIGNATURE, BODY, &[]).await;
    assert!(ran.stderr.contains("more than 5 minutes old"), "{ran:?}");
    assert_eq!(ran.done(), "The signature is right. Key 1 of 1 made it.\n");
    let json: Value = verified(Some(KEY), SIGNATURE, BODY, &["--json"]).await.json();
    assert_eq!((&json["key"], &json["isFresh"]), (&1.into(), &false.into()));
}

#[tokio::test]
async fn one_of_several_keys_and_one_of_several_signatures_are_enough() {
    let keys = format!("{OTHER_KEY} {KEY}");
    let signatures = format!("v1a,unknown v1,bm90IG91cnM= {SIGNATURE}");
    let said = verified(Some(&keys), &signatures, BODY, &[]).await.done();
    assert_eq!(said, "The signature is right. Key 2 of 2 made it.\n");
}

#[tokio::test]
async fn what_does_not_fit_is_refused_with_what_is_probably_wrong() {
    for (keys, signature, body, says) in [
        (OTHER_KEY, SIGNATURE, BODY, "the bytes that came"),
        (KEY, SIGNATURE, r#"{"test":2432232314}"#, "the bytes that came"),
        (KEY, SIGNATURE, "{\"test\": 2432232314}\n", "a line break that was not sent"),
        (KEY, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", BODY, "begins with `v1,`"),
    ] {
        let ran = verified(Some(keys), signature, body, &[]).await;
        let said = ran.failed(1, "wrong_signature").replace('\n', " ");
        assert!(said.contains(says), "{said}");
    }
}

#[tokio::test]
async fn a_missing_or_malformed_key_is_named_and_never_repeated() {
    let said = verified(None, SIGNATURE, BODY, &[]).await.failed(1, "no_key");
    assert!(said.contains("--key-file"), "{said}");
    let said = verified(Some("secret-text"), SIGNATURE, BODY, &[]).await.failed(1, "wrong_key");
    assert!(said.contains("whsec_") && !said.contains("secret-text"), "{said}");
}
