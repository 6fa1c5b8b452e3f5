//! The methods that each address of the landing page answers to.

use emulator::{Call, Purchase};
use http::{Method, StatusCode};
use local::Options;

use crate::browser::{Browser, SESSION, location};
use crate::sign_in::env_with_sign_in;
use crate::test_env::{Answer, TestEnv, is_problem};

const ADELE: &str = "adele@contoso.example";

async fn ask(env: &TestEnv, method: &str, path: &str) -> Answer {
    let method = method.parse::<Method>().expect("a method");
    env.send(env.http.request(method, env.url(path))).await
}

async fn env_with_logo() -> TestEnv {
    let logo = "data:image/png;base64,iVBORw==";
    let options = Options::default().with("LANDING_SIGN_IN", "entra").with("LANDING_LOGO", logo);
    TestEnv::with(options).await
}

#[tokio::test]
async fn another_method_than_an_address_serves_is_answered_405_with_those_it_does() {
    let env = env_with_logo().await;
    for (path, allow) in [
        ("/", "GET, HEAD"),
        ("/landing", "GET, HEAD, POST"),
        ("/landing/app.js", "GET, HEAD"),
        ("/landing/logo", "GET, HEAD"),
        ("/landing/manage", "GET, HEAD, POST"),
        ("/landing/sign-in", "GET, HEAD"),
        ("/landing/sign-in/organization", "GET, HEAD"),
        ("/landing/signed-in", "GET"),
        ("/landing/sign-out", "GET, HEAD, POST"),
    ] {
        for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"] {
            if allow.contains(method) {
                continue;
            }
            let answer = ask(&env, method, path).await;
            is_problem(&answer, StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
            assert_eq!(answer.headers["allow"], allow, "{method} {path}");
        }
    }
    for method in ["GET", "HEAD", "POST", "DELETE"] {
        let answer = ask(&env, method, "/landing/nothing-here").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method}");
    }
}

#[tokio::test]
async fn a_head_is_answered_as_a_get_without_its_body() {
    let env = env_with_logo().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&env);
    browser.sign_in(id, ADELE).await;
    for path in [
        "/",
        "/landing",
        "/landing/app.js",
        "/landing/logo",
        "/landing/sign-in/organization",
        "/landing/sign-out",
        "/landing/nothing-here",
    ] {
        let get = browser.send(env.http.get(env.url(path)).header("accept", "text/html")).await;
        let head = browser.send(env.http.head(env.url(path)).header("accept", "text/html")).await;
        assert_eq!(head.status, get.status, "{path}");
        assert_eq!(head.body, "", "{path}");
        for name in ["content-type", "content-length", "location", "cache-control"] {
            assert_eq!(head.headers.get(name), get.headers.get(name), "{path}: {name}");
        }
    }
    // A program that looks at Microsoft's link is led to the sign-in, too.
    let link = env.world(|world| world.landing_link(id));
    let entra = location(&env.send(env.http.head(link)).await);
    assert!(entra.path().ends_with("/authorize"), "{entra}");
}

#[tokio::test]
async fn a_head_of_the_sign_ins_callback_does_not_use_up_the_code() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&env);
    let entra = browser.arrive(id).await;
    let back = browser.pick(&entra, ADELE).await;
    let answer = browser.send(env.http.head(back.clone())).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.headers["allow"], "GET");
    assert_eq!(env.calls(Call::Token), 0);
    assert_eq!(browser.come_back(&back).await.status, StatusCode::SEE_OTHER);
    assert!(browser.cookies.contains_key(SESSION));
}

#[tokio::test]
async fn an_address_without_a_path_leads_to_the_product_or_says_what_is_here() {
    let env = TestEnv::with(Options::default().with("LANDING_PUBLISHER_NAME", "Fabrikam")).await;
    let page = env.get("/").await;
    assert_eq!(page.status, StatusCode::OK);
    for shown in ["Fabrikam", "sets up a subscription that was bought in", "Configure account"] {
        assert!(page.body.contains(shown), "{shown} in {}", page.body);
    }
    let product = "https://fleet.fabrikam.example/app";
    let env = TestEnv::with(Options::default().with("LANDING_PRODUCT_URL", product)).await;
    assert_eq!(location(&env.get("/").await).as_str(), product);
    assert_eq!(env.calls(Call::Resolve), 0);
}
