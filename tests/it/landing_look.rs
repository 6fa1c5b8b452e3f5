//! Whose the landing page is, what language it speaks, and what it loads.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use emulator::Purchase;
use http::StatusCode;
use local::Options;

use crate::browser::Browser;
use crate::landing::is_sealed;
use crate::scene::{Answer, Scene};

const ADELE: &str = "adele@contoso.example";

const DRAWING: &str = r#"<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>"#;

async fn branded() -> Scene {
    let logo = format!("data:image/svg+xml;base64,{}", STANDARD.encode(DRAWING));
    let options = Options::default()
        .with("LANDING_SIGN_IN", "entra")
        .with("LANDING_PUBLISHER_NAME", "Fabrikam \"'><script>&brand")
        .with("LANDING_LOGO", &logo)
        .with("LANDING_ACCENT", "#ffd400")
        .with("LANDING_SUPPORT", "https://help.fabrikam.example/?a=1&b=\"'><script>")
        .with("LANDING_PRODUCT_URL", "https://app.fabrikam.example/start?a=1&b=2");
    Scene::with(options).await
}

/// The address of the first thing that is loaded by a tag.
fn source(page: &Answer, tag: &str) -> String {
    let (_, rest) = page.body.split_once(tag).expect("the tag");
    let (_, rest) = rest.split_once("src=\"").expect("a source");
    rest.split('"').next().expect("an address").to_owned()
}

async fn reading(scene: &Scene, path: &str, language: &str) -> Answer {
    scene.send(scene.http.get(scene.url(path)).header("accept-language", language)).await
}

#[tokio::test]
async fn the_publisher_is_on_every_page_as_text_and_the_product_once_it_is_active() {
    let scene = branded().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&scene);
    let nobodys = browser.page().await;
    browser.sign_in(id, ADELE).await;
    let pending = browser.page().await;
    let active = browser.confirm().await;
    for page in [&nobodys, &pending, &active] {
        is_sealed(page);
        assert!(page.body.contains("alt=\"Fabrikam &#34;&#39;&#62;&#60;script&#62;&#38;brand\""));
        assert!(page.body.contains("--accent:#ffd400;--on-accent:#000000;"), "{}", page.body);
        assert!(page.body.contains("href=\"https://help.fabrikam.example/?a=1&#38;b="));
        assert!(!page.body.contains("\"'>") && !page.body.contains("<script>"), "{}", page.body);
    }
    let product = "href=\"https://app.fabrikam.example/start?a=1&#38;b=2\"";
    assert!(active.body.contains(product), "{}", active.body);
    assert!(!pending.body.contains(product), "there is nothing to open yet");
}

#[tokio::test]
async fn script_and_logo_come_from_here_and_are_kept_by_what_is_in_them() {
    let scene = branded().await;
    let page = scene.get("/landing").await;
    for (tag, kind, body) in [
        ("<script", "text/javascript; charset=utf-8", "\"use strict\""),
        ("<img", "image/svg+xml", DRAWING),
    ] {
        let address = source(&page, tag);
        let asset = scene.get(&address).await;
        assert_eq!(asset.status, StatusCode::OK, "{address}");
        assert_eq!(asset.headers["content-type"], kind);
        assert_eq!(asset.headers["cache-control"], "public, max-age=31536000, immutable");
        assert_eq!(asset.headers["x-content-type-options"], "nosniff");
        // Opened by itself, a drawing runs no script.
        let policy = asset.headers["content-security-policy"].to_str().expect("text");
        assert!(policy.contains("default-src 'none'") && policy.ends_with("sandbox"), "{policy}");
        assert!(asset.body.contains(body), "{}", asset.body);
        let (old, _) = address.split_once('?').expect("a version");
        assert_eq!(scene.get(old).await.headers["cache-control"], "no-cache");
    }
    let plain = Scene::new().await;
    assert_eq!(plain.get("/landing/logo").await.status, StatusCode::NOT_FOUND);
    assert!(!plain.get("/landing").await.body.contains("<img"));
}

#[tokio::test]
async fn a_page_speaks_what_its_reader_asks_for_first() {
    let scene = Scene::new().await;
    for (asked, code, welcome) in [
        ("sv-SE,sv;q=0.9,en;q=0.8", "sv", "Välkommen"),
        ("de-CH", "de", "Willkommen"),
        ("fr, de;q=0.5", "de", "Willkommen"),
        ("fr", "en", "Welcome"),
        ("<script>;q=1, \u{e9}", "en", "Welcome"),
    ] {
        let page = reading(&scene, "/landing", asked).await;
        is_sealed(&page);
        assert!(page.body.contains(&format!("<html lang=\"{code}\"")), "{asked}: {}", page.body);
        assert_eq!(page.headers["content-language"], code, "{asked}");
        assert!(page.body.contains(welcome), "{asked}: {}", page.body);
    }
}

#[tokio::test]
async fn what_was_bought_is_told_as_the_language_writes_it() {
    let scene = Scene::new().await;
    let id = scene.purchase(Purchase::per_seat("team", 12).term("P18M"));
    let link = scene.world(|world| world.landing_link(id));
    let read = async |language: &str| {
        scene.send(scene.http.get(&link).header("accept-language", language)).await.body
    };
    let swedish = read("sv").await;
    for shown in ["18 månader", "Licenser", "Bekräfta senast den 3 april 2026"] {
        assert!(swedish.contains(shown), "{shown} in {swedish}");
    }
    let german = read("de").await;
    for shown in ["18 Monate", "Lizenzen", "Bitte bestätigen Sie bis zum 3. April 2026"] {
        assert!(german.contains(shown), "{shown} in {german}");
    }
    assert!(read("en").await.contains("Please confirm by 3 April 2026"), "F-LC-3");
}

#[tokio::test]
async fn an_address_of_nothing_is_a_page_for_people_and_a_problem_for_programs() {
    let scene = Scene::new().await;
    let path = "/landing/nothing-here";
    let request = scene.http.get(scene.url(path)).header("accept", "text/html,*/*;q=0.8");
    let page = scene.send(request).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    is_sealed(&page);
    assert!(page.body.contains("There is no such page"), "{}", page.body);
    crate::scene::is_problem(&scene.get(path).await, StatusCode::NOT_FOUND, "no_route");
}

#[tokio::test]
async fn whoever_bought_through_a_reseller_is_sent_to_them_when_payment_is_due() {
    let scene = Scene::new().await;
    let own = scene.active(Purchase::flat_rate("silver")).await;
    let resold = scene.active(Purchase::per_seat("basic", 4).by_reseller()).await;
    for (id, told) in [(own, "Check the payment method"), (resold, "through a reseller")] {
        scene.world(|world| world.suspend(id)).expect("a suspension");
        let page = scene.visit(id).await;
        for told in [told, "Nothing was deleted", "30 days"] {
            assert!(page.body.contains(told), "F-LC-6: {told} in {}", page.body);
        }
    }
    scene.world(|world| world.unsubscribe(own)).expect("an end");
    assert!(scene.visit(own).await.body.contains("at least seven days"), "F-LC-8");
}
