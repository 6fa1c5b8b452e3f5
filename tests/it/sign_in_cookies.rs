//! Purchase tokens that are longer than one cookie.

use emulator::Purchase;
use http::StatusCode;

use crate::browser::{Browser, location};
use crate::sign_in::env_with_sign_in;

const ADELE: &str = "adele@contoso.example";

#[tokio::test]
async fn a_token_longer_than_one_cookie_survives_the_round_trip_and_opens_the_purchase() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let token = "ab+cd/ef".repeat(500);
    let mut browser = Browser::new(&env);
    let path = format!("/landing?token={}", token.replace('+', "%2B"));
    let entra = location(&browser.get(&path).await);
    assert!(browser.cookies.contains_key("landing-2"), "4,000 characters exceed one cookie");
    for (name, value) in &browser.cookies {
        assert!(name.len() + value.len() < 4000, "browsers would drop {name}");
    }
    let back = browser.pick(&entra, ADELE).await;
    let mut halved = browser.clone();
    halved.cookies.remove("landing-2");
    assert_eq!(halved.come_back(&back).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(browser.come_back(&back).await.status, StatusCode::SEE_OTHER);
    assert!(!browser.cookies.contains_key("landing-2"), "both parts are removed");
    assert!(browser.cookies.contains_key("landing-session-2"));
    let again = browser.get(&path).await;
    assert_eq!(
        again.headers["location"], "/landing",
        "the session holds the same token, to the last character"
    );
    // Another purchase with a short token removes every part of the long one.
    browser.sign_in(id, ADELE).await;
    assert!(!browser.cookies.contains_key("landing-session-2"));
    assert_eq!(browser.page().await.status, StatusCode::OK);
}
