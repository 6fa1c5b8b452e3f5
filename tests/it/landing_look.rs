//! The look of the landing page: the publisher's brand, the language, and the files it loads.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use emulator::Purchase;
use http::StatusCode;
use local::Options;

use crate::browser::Browser;
use crate::landing::assert_secure;
use crate::test_env::{Answer, TestEnv};

const ADELE: &str = "adele@contoso.example";

const DRAWING: &str = r#"<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>"#;

async fn branded() -> TestEnv {
    let logo = format!("data:image/svg+xml;base64,{}", STANDARD.encode(DRAWING));
    let options = Options::default()
        .with("LANDING_SIGN_IN", "entra")
        .with("LANDING_PUBLISHER_NAME", "Fabrikam \"'><script>&brand")
        .with("LANDING_LOGO", &logo)
        .with("LANDING_ACCENT", "#ffd400")
        .with("LANDING_SUPPORT", "https://help.fabrikam.example/?a=1&b=\"'><script>")
        .with("LANDING_PRODUCT_URL", "https://app.fabrikam.example/start?a=1&b=2");
    TestEnv::with(options).await
}

/// The address that the first such tag loads.
fn source(page: &Answer, tag: &str) -> String {
    let (_, rest) = page.body.split_once(tag).expect("the tag");
    let (_, rest) = rest.split_once("src=\"").expect("a source");
    rest.split('"').next().expect("an address").to_owned()
}

async fn get_in(env: &TestEnv, path: &str, language: &str) -> Answer {
    env.send(env.http.get(env.url(path)).header("accept-language", language)).await
}

#[tokio::test]
async fn every_page_shows_the_publisher_and_an_active_one_links_to_the_product() {
    let env = branded().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&env);
    let guidance = browser.page().await;
    browser.sign_in(id, ADELE).await;
    let pending = browser.page().await;
    let active = browser.confirm().await;
    for page in [&guidance, &pending, &active] {
        assert_secure(page);
        assert!(page.body.contains("alt=\"Fabrikam &#34;&#39;&#62;&#60;script&#62;&#38;brand\""));
        assert!(page.body.contains("--accent:#ffd400;--on-accent:#000000;"), "{}", page.body);
        assert!(page.body.contains("href=\"https://help.fabrikam.example/?a=1&#38;b="));
        assert!(!page.body.contains("\"'>") && !page.body.contains("<script>"), "{}", page.body);
    }
    let product = "href=\"https://app.fabrikam.example/start?a=1&#38;b=2\"";
    assert!(active.body.contains(product), "{}", active.body);
    assert!(!pending.body.contains(product), "the product can't be opened yet");
}

#[tokio::test]
async fn script_and_logo_are_served_from_here_and_cached_by_content() {
    let env = branded().await;
    let page = env.get("/landing").await;
    for (tag, kind, body) in [
        ("<script", "text/javascript; charset=utf-8", "\"use strict\""),
        ("<img", "image/svg+xml", DRAWING),
    ] {
        let address = source(&page, tag);
        let asset = env.get(&address).await;
        assert_eq!(asset.status, StatusCode::OK, "{address}");
        assert_eq!(asset.headers["content-type"], kind);
        assert_eq!(asset.headers["cache-control"], "public, max-age=31536000, immutable");
        assert_eq!(asset.headers["x-content-type-options"], "nosniff");
        // A drawing that is opened directly runs no script.
        let policy = asset.headers["content-security-policy"].to_str().expect("text");
        assert!(policy.contains("default-src 'none'") && policy.ends_with("sandbox"), "{policy}");
        assert!(asset.body.contains(body), "{}", asset.body);
        let (old, _) = address.split_once('?').expect("a version");
        assert_eq!(env.get(old).await.headers["cache-control"], "no-cache");
    }
    let plain = TestEnv::new().await;
    assert_eq!(plain.get("/landing/logo").await.status, StatusCode::NOT_FOUND);
    assert!(!plain.get("/landing").await.body.contains("<img"));
}

#[tokio::test]
async fn a_page_uses_the_first_accepted_language_that_exists() {
    let env = TestEnv::new().await;
    for (accepted, code, welcome) in [
        ("sv-SE,sv;q=0.9,en;q=0.8", "sv", "Välkommen"),
        ("de-CH", "de", "Willkommen"),
        ("fr, de;q=0.5", "de", "Willkommen"),
        ("fr", "en", "Welcome"),
        ("<script>;q=1, \u{e9}", "en", "Welcome"),
    ] {
        let page = get_in(&env, "/landing", accepted).await;
        assert_secure(&page);
        assert!(page.body.contains(&format!("<html lang=\"{code}\"")), "{accepted}: {}", page.body);
        assert_eq!(page.headers["content-language"], code, "{accepted}");
        assert!(page.body.contains(welcome), "{accepted}: {}", page.body);
    }
}

#[tokio::test]
async fn terms_and_dates_are_written_in_the_language_of_the_page() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::per_seat("team", 12).term("P18M"));
    let link = env.world(|world| world.landing_link(id));
    let read = async |language: &str| {
        env.send(env.http.get(&link).header("accept-language", language)).await.body
    };
    let swedish = read("sv").await;
    for shown in ["18 månader", "Licenser", "Bekräfta senast den 3\u{a0}april\u{a0}2026"] {
        assert!(swedish.contains(shown), "{shown} in {swedish}");
    }
    let german = read("de").await;
    for shown in ["18 Monate", "Lizenzen", "Bitte bestätigen Sie bis zum 3.\u{a0}April\u{a0}2026"]
    {
        assert!(german.contains(shown), "{shown} in {german}");
    }
    assert!(read("en").await.contains("Please confirm by 3\u{a0}April\u{a0}2026"), "F-LC-3");
}

#[tokio::test]
async fn an_unknown_path_is_a_page_for_browsers_and_a_problem_for_programs() {
    let env = TestEnv::new().await;
    let path = "/landing/nothing-here";
    let request = env.http.get(env.url(path)).header("accept", "text/html,*/*;q=0.8");
    let page = env.send(request).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert_secure(&page);
    assert!(page.body.contains("This page doesn’t exist"), "{}", page.body);
    crate::test_env::is_problem(&env.get(path).await, StatusCode::NOT_FOUND, "no_route");
}

#[tokio::test]
async fn a_resellers_customer_is_sent_to_the_reseller_when_payment_is_due() {
    let env = TestEnv::new().await;
    let own = env.active(Purchase::flat_rate("silver")).await;
    let resold = env.active(Purchase::per_seat("basic", 4).by_reseller()).await;
    for (id, advice) in [(own, "Check the payment method"), (resold, "through a reseller")] {
        env.world(|world| world.suspend(id)).expect("a suspension");
        let page = env.visit(id).await;
        for text in [advice, "Nothing was deleted", "30 days"] {
            assert!(page.body.contains(text), "F-LC-6: {text} in {}", page.body);
        }
    }
}

#[tokio::test]
async fn every_page_links_to_the_privacy_policy_and_the_terms_in_its_language() {
    let options = Options::default()
        .with("LANDING_PRIVACY_URL", "https://fabrikam.example/privacy?a=1&b=\"><script>")
        .with("LANDING_TERMS_URL", "https://fabrikam.example/terms")
        .with("LANDING_IMPRINT_URL", "https://fabrikam.example/imprint");
    let env = TestEnv::with(options).await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let pending = env.visit(id).await;
    let active = env.confirm(id).await;
    env.world(|world| world.unsubscribe(id)).expect("an end");
    let ended = env.visit(id).await;
    let pages = [env.get("/landing").await, pending, active, ended];
    for page in &pages {
        assert_secure(page);
        assert!(page.body.contains("\">Privacy policy</a>"), "{}", page.body);
        assert!(page.body.contains("href=\"https://fabrikam.example/privacy?a=1&#38;b="));
        assert!(!page.body.contains("\"><script>"), "{}", page.body);
        let terms = "<a href=\"https://fabrikam.example/terms\">Terms of use</a>";
        assert!(page.body.contains(terms), "{}", page.body);
        let imprint = "<a href=\"https://fabrikam.example/imprint\">Legal notice</a>";
        assert!(page.body.contains(imprint), "{}", page.body);
    }
    for (language, texts) in [
        ("sv", ["Integritetspolicy", "Användarvillkor", "Juridisk information"]),
        ("de", ["Datenschutzerklärung", "Nutzungsbedingungen", "Impressum"]),
    ] {
        let page = get_in(&env, "/landing", language).await.body;
        assert!(texts.iter().all(|text| page.contains(&format!(">{text}</a>"))), "{page}");
    }
    let plain = TestEnv::new().await.get("/landing").await.body;
    assert!(!plain.contains("<footer>") && !plain.contains("Privacy"), "{plain}");
}

#[tokio::test]
async fn pages_say_when_personal_data_is_deleted_only_if_a_setting_deletes_it() {
    for (days, form, ended) in [
        (None, None, None),
        (
            Some("90"),
            Some("We delete these details 90\u{a0}days after your subscription ends."),
            Some("are deleted 90\u{a0}days after the end of the subscription."),
        ),
        (
            Some("1000"),
            Some("We delete these details 1,000\u{a0}days after"),
            Some("are deleted 1,000\u{a0}days after"),
        ),
    ] {
        let mut options = Options::default();
        if let Some(days) = days {
            options = options.with("RETENTION_DAYS", days);
        }
        let env = TestEnv::with(options).await;
        let id = env.purchase(Purchase::flat_rate("silver"));
        let pending = env.visit(id).await.body;
        env.confirm(id).await;
        let active = env.visit(id).await.body;
        env.world(|world| world.unsubscribe(id)).expect("an end");
        let over = env.visit(id).await.body;
        for (page, sentence) in [(pending, form), (active, None), (over, ended)] {
            match sentence {
                Some(sentence) => assert!(page.contains(sentence), "{page}"),
                None => assert!(!page.contains("delete") && !page.contains("days"), "{page}"),
            }
        }
    }
    let env = TestEnv::with(Options::default().with("RETENTION_DAYS", "90")).await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let link = env.world(|world| world.landing_link(id));
    for (language, sentence) in [
        ("sv", "Vi raderar uppgifterna 90\u{a0}dagar efter att prenumerationen har avslutats."),
        ("de", "Wir löschen diese Angaben 90\u{a0}Tage nach dem Ende Ihres Abonnements."),
    ] {
        let page = env.send(env.http.get(&link).header("accept-language", language)).await.body;
        assert!(page.contains(sentence), "{page}");
    }
}

#[tokio::test]
async fn dark_pages_have_the_logo_for_dark() {
    let data = |drawing: &str| format!("data:image/svg+xml;base64,{}", STANDARD.encode(drawing));
    let (light, dark) = ("<svg id=\"light\"/>", "<svg id=\"dark\"/>");
    let options = Options::default()
        .with("LANDING_LOGO", &data(light))
        .with("LANDING_LOGO_DARK", &data(dark));
    let env = TestEnv::with(options).await;
    let page = env.get("/landing").await;
    assert_secure(&page);
    let (_, rest) = page.body.split_once("<source srcset=\"").expect("a second logo");
    let (address, rest) = rest.split_once('"').expect("an address");
    assert!(rest.starts_with(" media=\"(prefers-color-scheme: dark)\""), "{rest}");
    assert_eq!(env.get(address).await.body, dark);
    assert_eq!(env.get(&source(&page, "<img")).await.body, light);
    let options = Options::default().with("LANDING_LOGO", &data(light));
    let page = TestEnv::with(options).await.get("/landing").await;
    assert!(!page.body.contains("<source"), "{}", page.body);
}

#[tokio::test]
async fn pages_that_send_people_to_microsoft_link_there() {
    const PORTALS: [&str; 2] =
        ["href=\"https://portal.azure.com/\"", "href=\"https://admin.microsoft.com/\""];
    let env = TestEnv::new().await;
    let links_to_portals =
        |page: &Answer| PORTALS.map(|portal| page.body.contains(portal)) == [true; 2];
    assert!(links_to_portals(&env.get("/landing").await), "F-RES-9");
    assert!(links_to_portals(&env.get("/landing?token=nonsense").await), "F-RES-9");
    let own = env.active(Purchase::flat_rate("silver")).await;
    let resold = env.active(Purchase::per_seat("basic", 4).by_reseller()).await;
    assert!(links_to_portals(&env.visit(own).await));
    assert!(!env.visit(resold).await.body.contains("https://"), "the reseller manages it");
    for (id, links) in [(own, true), (resold, false)] {
        env.world(|world| world.suspend(id)).expect("a suspension");
        let page = env.visit(id).await;
        assert_eq!(links_to_portals(&page), links, "{}", page.body);
        env.world(|world| world.unsubscribe(id)).expect("an end");
        let page = env.visit(id).await;
        let again = "href=\"https://marketplace.microsoft.com/\">Go to Microsoft Marketplace</a>";
        assert!(page.body.contains(again), "F-LP-11: {}", page.body);
    }
}
