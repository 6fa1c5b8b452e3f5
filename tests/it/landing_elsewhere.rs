//! Visits to the landing page under another host than `LANDING_BASE_URL`.

use emulator::{Call, Purchase};
use http::StatusCode;
use local::Options;
use reqwest::RequestBuilder;
use url::Url;

use crate::browser::{Browser, ROUND_TRIP, SESSION, location};
use crate::sign_in::env_with_sign_in;
use crate::test_env::TestEnv;

const ADELE: &str = "adele@contoso.example";

/// API Gateway's own host, in front of a deployment with a domain of its own.
const OTHER: &str = "k7wq2m9xva.execute-api.eu-north-1.amazonaws.com";

fn get(env: &TestEnv, path: &str, host: &str) -> RequestBuilder {
    env.http.get(env.url(path)).header("host", host)
}

#[tokio::test]
async fn a_visit_under_another_host_is_redirected_to_the_origin_before_a_cookie_is_set() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let token = env.world(|world| world.purchase_token(id)).replace('+', "%2B");
    let mut browser = Browser::new(&env);
    let path = format!("/landing?token={token}&lang=sv");
    let sent = browser.send(get(&env, &path, OTHER)).await;
    assert!(browser.cookies.is_empty(), "{:?}", browser.cookies);
    assert_eq!(sent.headers["cache-control"], "no-store");
    assert_eq!(sent.headers["referrer-policy"], "no-referrer");
    let here = location(&sent);
    assert!(here.as_str().starts_with(&env.url(&path)), "{here}");

    // At the origin, the visit goes on as usual.
    let entra = location(&browser.send(env.http.get(here)).await);
    assert!(entra.path().ends_with("/authorize"), "{entra}");
    assert!(browser.cookies.contains_key(ROUND_TRIP));
    let back = browser.pick(&entra, ADELE).await;
    browser.come_back(&back).await;
    assert_eq!(browser.page().await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_sign_ins_callback_under_another_host_leaves_the_code_unused() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&env);
    let entra = browser.arrive(id).await;
    let back = browser.pick(&entra, ADELE).await;
    let query = back.query().expect("a code and a state");
    let mut elsewhere = Browser::new(&env);
    let path = format!("/landing/signed-in?{query}");
    let here = location(&elsewhere.send(get(&env, &path, OTHER)).await);
    assert_eq!(env.calls(Call::Token), 0);
    assert_eq!(browser.send(env.http.get(here)).await.headers["location"], "/landing");
    assert!(browser.cookies.contains_key(SESSION));
}

#[tokio::test]
async fn only_the_origin_decides_where_a_visit_under_another_host_goes() {
    let env = env_with_sign_in().await;
    let origin = Url::parse(env.system.url()).expect("an address").origin();
    for host in ["evil.example", "127.0.0.1.evil.example", "127.0.0.1:1", "localhost", "a@b", "é"]
    {
        for path in ["/landing", "/landing/manage?x=//evil.example", "/landing/sign-in"] {
            let request = get(&env, path, host).header("x-forwarded-host", "evil.example");
            let here = location(&env.send(request).await);
            assert_eq!(here.origin(), origin, "{host}{path}");
        }
    }
}

#[tokio::test]
async fn behind_a_proxy_that_hides_the_host_a_visitor_is_redirected_only_once() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let token = env.world(|world| world.purchase_token(id)).replace('+', "%2B");
    let mut browser = Browser::new(&env);
    let sent = browser.send(get(&env, &format!("/landing?token={token}"), OTHER)).await;
    let here = location(&sent);
    let path = format!("{}?{}", here.path(), here.query().expect("a query"));
    let entra = location(&browser.send(get(&env, &path, OTHER)).await);
    assert!(entra.path().ends_with("/authorize"), "{entra}");
    // From here on, the browser sends a cookie.
    let back = browser.pick(&entra, ADELE).await;
    let path = format!("/landing/signed-in?{}", back.query().expect("a query"));
    let answer = browser.send(get(&env, &path, OTHER)).await;
    assert_eq!(answer.headers["location"], "/landing");
    let page = browser.send(get(&env, "/landing", OTHER)).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
}

#[tokio::test]
async fn a_host_that_can_be_the_origins_is_not_redirected() {
    let public = Options::default()
        .with("LANDING_SIGN_IN", "entra")
        .with("LANDING_BASE_URL", "https://signup.example.com");
    let env = TestEnv::with(public).await;
    for (host, forwarded) in [
        ("signup.example.com", ""),
        ("SIGNUP.example.com:443", ""),
        // The proxy says which host the browser shows.
        (OTHER, "signup.example.com"),
        (OTHER, "signup.example.com, other.example"),
        // The Azure Functions host calls its handler on the same machine.
        ("127.0.0.1:7071", ""),
        ("localhost:7071", "another.example"),
    ] {
        let request = get(&env, "/landing", host).header("x-forwarded-host", forwarded);
        assert_eq!(env.send(request).await.status, StatusCode::OK, "{host} {forwarded}");
    }
    let request = get(&env, "/landing", OTHER);
    let here = location(&env.send(request).await);
    assert!(here.as_str().starts_with("https://signup.example.com/landing?"), "{here}");
}

#[tokio::test]
async fn a_form_under_another_host_is_refused() {
    let env = env_with_sign_in().await;
    let request = env.http.post(env.url("/landing")).header("host", OTHER);
    let answer = env.send(request.form(&[("submit", "x")])).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.body.contains("Configure account"), "no session: {}", answer.body);
    assert!(answer.headers.get("set-cookie").is_none());
}
