//! The purchase token of a visit to the landing page: encoded, expired, forged or missing (section
//! 8).

use std::time::Duration;

use emulator::{Call, ErrorForm, FaultKind, Purchase, Times};
use http::StatusCode;

use crate::landing::{BUTTON, assert_secure};
use crate::test_env::{Answer, TestEnv};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// Asserts that the page leads the visitor back to Microsoft, as F-RES-9 asks.
#[track_caller]
fn assert_guidance(answer: &Answer) {
    assert!(answer.body.contains("Configure account"), "{}", answer.body);
    assert!(answer.body.contains("Manage account"), "{}", answer.body);
    for trace in ["panicked", "Error(", "Refused", "InvalidValue", "decrypted", "backtrace"] {
        assert!(!answer.body.contains(trace), "{trace} in {}", answer.body);
    }
    assert!(!answer.body.contains(BUTTON), "nothing to confirm");
}

async fn visit_with(env: &TestEnv, raw: &str) -> Answer {
    env.get(&format!("/landing?token={raw}")).await
}

#[tokio::test]
async fn t_26_a_visit_without_a_token_gets_guidance() {
    let env = TestEnv::new().await;
    for path in ["/landing", "/landing?", "/landing?token=", "/landing?utm_source=x"] {
        let page = env.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "F-LP-4: {path}");
        assert_secure(&page);
        assert_guidance(&page);
    }
    let confirmed = env.send(env.http.post(env.url("/landing")).body("")).await;
    assert_eq!(confirmed.status, StatusCode::OK);
    assert_guidance(&confirmed);
    assert_eq!(env.calls(Call::Resolve), 0, "without a token there is no call");
}

#[tokio::test]
async fn t_7_an_expired_token_leads_to_guidance() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let link = env.world(|world| world.landing_link(id));
    // The link can be opened any number of times within 24 hours (F-RES-4).
    env.advance(23 * HOUR);
    for _ in 0..2 {
        let page = env.send(env.http.get(&link)).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains(BUTTON));
    }
    env.advance(2 * HOUR);
    let page = env.send(env.http.get(&link)).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    assert_secure(&page);
    assert_guidance(&page);
    // A new link for the same purchase works.
    assert!(env.visit(id).await.body.contains(BUTTON));
}

#[tokio::test]
async fn t_7_a_tampered_token_leads_to_guidance_and_is_not_shown() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let token = env.world(|world| world.purchase_token(id));
    let other = if token.starts_with('A') { "B" } else { "A" };
    let tampered = format!("{other}{}", &token[1..]);
    for raw in [
        tampered.replace('+', "%2B"),
        token[..token.len() - 4].replace('+', "%2B"),
        "%3Cscript%3Ealert(1)%3C/script%3E".to_owned(),
        "..%2F..%2Fsubscriptions".to_owned(),
        "x".repeat(8000),
    ] {
        let page = visit_with(&env, &raw).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{raw}");
        assert_secure(&page);
        assert_guidance(&page);
        assert!(!page.body.contains(&token[8..40]), "the token is not shown");
    }
    // A value that a header can't hold is no token (F-LP-4).
    for raw in ["%00", "%0d%0aHost:%20evil", "%ff%fe", "caf%C3%A9"] {
        let page = visit_with(&env, raw).await;
        assert!(
            matches!(page.status, StatusCode::OK | StatusCode::BAD_REQUEST),
            "{raw}: {}",
            page.status
        );
        assert_guidance(&page);
    }
    assert!(env.record(id).await.is_none(), "the purchase is not recorded");
}

#[tokio::test]
async fn t_7_every_form_of_a_400_leads_to_guidance() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    for form in ErrorForm::ALL {
        env.fault(Call::Resolve, FaultKind::Status(400, form), Times::Once);
        let page = env.visit(id).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{form:?}");
        assert_guidance(&page);
        assert!(!page.body.contains("unexpected error"), "Microsoft's words stay out: {form:?}");
    }
}

#[tokio::test]
async fn t_6_the_token_is_read_however_its_plus_was_encoded() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let token = env.world(|world| world.purchase_token(id));
    assert!(token.contains('+') && token.contains('/') && token.contains('='), "F-RES-3");
    let encoded = token.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    for raw in [
        encoded.clone(),
        // A proxy has already decoded it once.
        token.clone(),
        // Decoded twice: the plus has become a blank.
        token.replace('+', "%20"),
        encoded.replace("%2B", "%2b"),
    ] {
        let page = visit_with(&env, &raw).await;
        assert_eq!(page.status, StatusCode::OK, "{raw}");
        assert!(page.body.contains(BUTTON), "{raw}");
    }
    // We decode exactly once, so a token encoded twice is another token (F-RES-2).
    let twice = visit_with(&env, &encoded.replace('%', "%25")).await;
    assert_eq!(twice.status, StatusCode::BAD_REQUEST);
    // Microsoft keeps the other parameters of the configured address (F-LP-1).
    let page = env.get(&format!("/landing?campaign=a%20b&token={encoded}&x=1")).await;
    assert!(page.body.contains(BUTTON));
}
