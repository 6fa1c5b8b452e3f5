//! The headers that keep other sites from framing, opening, reading or scripting the landing page.

use emulator::Purchase;
use http::StatusCode;
use local::Options;

use crate::browser::Browser;
use crate::test_env::{Answer, TestEnv};

const ADELE: &str = "adele@contoso.example";

#[track_caller]
fn assert_isolated(answer: &Answer, what: &str) {
    for (name, value) in [
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
    ] {
        assert_eq!(answer.headers[name], value, "{what}: {name}");
    }
    let permissions = answer.headers["permissions-policy"].to_str().expect("text");
    for feature in ["camera=()", "geolocation=()", "microphone=()", "payment=()"] {
        assert!(permissions.contains(feature), "{what}: {permissions}");
    }
    let policy = answer.headers["content-security-policy"].to_str().expect("text");
    assert!(policy.starts_with("default-src 'none'"), "{what}: {policy}");
}

#[tokio::test]
async fn every_answer_is_isolated_from_other_sites() {
    let options = Options::default()
        .with("LANDING_SIGN_IN", "entra")
        .with("LANDING_LOGO", "data:image/png;base64,iVBORw==");
    let env = TestEnv::with(options).await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&env);
    let link = env.world(|world| world.landing_link(id));
    let sent = browser.send(env.http.get(link)).await;
    assert_isolated(&sent, "the redirect to Entra");
    let back = browser.pick(&crate::browser::location(&sent), ADELE).await;
    assert_isolated(&browser.come_back(&back).await, "the redirect to the purchase");
    assert_isolated(&browser.page().await, "a page");
    for (path, status) in [
        ("/landing/app.js", StatusCode::OK),
        ("/landing/logo", StatusCode::OK),
        ("/landing/nothing-here", StatusCode::NOT_FOUND),
    ] {
        let answer = env.get(path).await;
        assert_eq!(answer.status, status, "{path}");
        assert_isolated(&answer, path);
    }
    let forged = env.http.post(env.url("/landing")).form(&[("submit", "x")]);
    assert_isolated(&env.send(forged).await, "a refused form");
}

#[tokio::test]
async fn browsers_are_told_to_use_https_only_where_the_page_is_public() {
    for (base_url, expected) in [
        ("https://signup.example.com", Some("max-age=31536000")),
        // The rule would bind every server at `localhost`.
        ("https://localhost:8443", None),
        ("http://127.0.0.1:8080", None),
    ] {
        let options =
            Options::default().with("LANDING_SIGN_IN", "entra").with("LANDING_BASE_URL", base_url);
        let env = TestEnv::with(options).await;
        for path in ["/landing", "/landing/app.js", "/landing/nothing-here"] {
            let answer = env.get(path).await;
            let header = answer.headers.get("strict-transport-security");
            let sent = header.map(|value| value.to_str().expect("text"));
            assert_eq!(sent, expected, "{base_url}{path}");
        }
    }
}
