//! What a status and an error body mean.

use super::*;

fn parsed(body: &str) -> (Option<String>, Option<String>) {
    let refusal = Refusal::parse(400, body.as_bytes());
    (refusal.code, refusal.message)
}

fn some(code: &str, message: &str) -> (Option<String>, Option<String>) {
    (Some(code.to_owned()), Some(message.to_owned()))
}

#[test]
fn every_error_form_of_f_gen_9_is_read() {
    assert_eq!(
        parsed(r#"{"message":"No such thing","target":"id","code":"EntityNotFound","details":[]}"#),
        some("EntityNotFound", "No such thing")
    );
    assert_eq!(
        parsed(r#"{"error":{"code":"UnexpectedError","message":"Oops"}}"#),
        some("UnexpectedError", "Oops")
    );
    assert_eq!(
        parsed(r#"{"Error":{"Code":"ApiVersionUnspecified","Message":"Say which"}}"#),
        some("ApiVersionUnspecified", "Say which")
    );
    assert_eq!(
        parsed(r#""Bad token or other app""#),
        (None, Some("Bad token or other app".into()))
    );
    assert_eq!(parsed(""), (None, None));
    assert_eq!(
        parsed("\u{feff}{\"code\":\"A\",\"message\":\"cut \\ud83d\",\"code\":\"B\"}"),
        some("B", "cut \u{fffd}"),
        "F-GEN-14"
    );
}

#[test]
fn an_error_body_in_an_unknown_form_leaves_only_the_status() {
    for body in ["<html>504</html>", "[]", "{\"error\":7}", "null", "{\"code\":{}}", "\u{feff}{}"] {
        assert_eq!(parsed(body), (None, None), "{body}");
    }
}

#[test]
fn only_a_timeout_or_server_error_leaves_the_outcome_unknown() {
    let error = |status: u16, repeatable| {
        let status = StatusCode::from_u16(status).expect("a status");
        FulfillmentError::of_status(status, Refusal::default(), None, repeatable)
    };
    for status in [408, 500, 502, 503, 504] {
        assert!(error(status, false).leaves_outcome_unknown(), "{status}");
        assert!(!error(status, true).leaves_outcome_unknown(), "{status}, safe to repeat");
    }
    for status in [400, 401, 403, 404, 409, 422, 429] {
        assert!(!error(status, false).leaves_outcome_unknown(), "{status}");
    }
    for (status, transient) in [(429, true), (503, true), (400, false), (409, false)] {
        assert_eq!(error(status, true).is_transient(), transient, "{status}");
    }
}

#[test]
fn what_every_call_would_meet_is_a_configuration_fault_as_f_err_5_says() {
    let of = |status: u16, code: Option<&str>| {
        let code = code.map(str::to_owned);
        let refusal = Refusal { status, code, ..Refusal::default() };
        let status = StatusCode::from_u16(status).expect("a status");
        FulfillmentError::of_status(status, refusal, None, true)
    };
    for (status, code, by_id, fixed_path) in [
        (401, None, true, true),
        (403, None, true, true),
        (405, None, true, true),
        (415, None, true, true),
        (400, Some("UnsupportedApiVersion"), true, true),
        (400, Some("ApiVersionUnspecified"), true, true),
        (400, Some("HeaderNotPresent"), true, true),
        (404, None, false, true),
        (404, Some("EntityNotFound"), false, false),
        (400, None, false, false),
        (400, Some("InvalidValue"), false, false),
        (409, None, false, false),
        (500, None, false, false),
    ] {
        assert_eq!(of(status, code).class().needs_operator(), by_id, "{status} {code:?}");
        let error = of(status, code).of_fixed_path();
        assert_eq!(error.class().needs_operator(), fixed_path, "{status} {code:?}");
        assert!(!by_id || !error.is_transient(), "{status} {code:?}");
    }
}

#[test]
fn f_auth_12_an_app_that_microsoft_does_not_accept_is_a_fault_of_the_credential() {
    let of = |status: u16| {
        let status = StatusCode::from_u16(status).expect("a status");
        FulfillmentError::of_status(status, Refusal::default(), None, true).class()
    };
    let not_granted = ErrorClass::Credential(CredentialFault::NotGranted);
    for (status, class) in [
        (401, not_granted),
        (403, not_granted),
        (405, ErrorClass::Configuration),
        (400, ErrorClass::Refused),
        (404, ErrorClass::Refused),
        (409, ErrorClass::Refused),
        (429, ErrorClass::MicrosoftUnavailable),
        (500, ErrorClass::MicrosoftUnavailable),
    ] {
        assert_eq!(of(status), class, "{status}");
    }
}

#[test]
fn the_text_of_an_error_never_quotes_microsofts_message() {
    let refusal = Refusal::parse(400, br#"{"code":"InvalidValue","message":"token abc123"}"#);
    assert_eq!(
        FulfillmentError::Refused(refusal).to_string(),
        "Microsoft refused: 400 InvalidValue"
    );
    let odd = Refusal::parse(400, br#"{"code":"a code with a@b.example in it"}"#);
    assert_eq!(odd.to_string(), "400");
}
