//! Cookies that are longer than a browser keeps.

use emulator::Purchase;
use http::StatusCode;

use crate::browser::{Browser, location};
use crate::sign_in::scene;

const ADELE: &str = "adele@contoso.example";

#[tokio::test]
async fn a_token_longer_than_one_cookie_survives_the_round_trip_and_opens_the_purchase() {
    let scene = scene().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let token = "ab+cd/ef".repeat(500);
    let mut browser = Browser::new(&scene);
    let path = format!("/landing?token={}", token.replace('+', "%2B"));
    let entra = location(&browser.get(&path).await);
    assert!(browser.cookies.contains_key("landing-2"), "4,000 characters are more than a cookie");
    for (name, value) in &browser.cookies {
        assert!(name.len() + value.len() < 4000, "{name} is dropped by browsers");
    }
    let back = browser.pick(&entra, ADELE).await;
    let mut halved = browser.clone();
    halved.cookies.remove("landing-2");
    assert_eq!(halved.come_back(&back).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(browser.come_back(&back).await.status, StatusCode::SEE_OTHER);
    assert!(!browser.cookies.contains_key("landing-2"), "both parts are forgotten");
    assert!(browser.cookies.contains_key("landing-session-2"));
    let again = browser.get(&path).await;
    assert_eq!(
        again.headers["location"], "/landing",
        "it is the same token, to the last character"
    );
    // Another purchase, with a short token: nothing of the long one stays.
    browser.sign_in(id, ADELE).await;
    assert!(!browser.cookies.contains_key("landing-session-2"));
    assert_eq!(browser.page().await.status, StatusCode::OK);
}
