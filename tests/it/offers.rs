//! What single offers have of their own: names, fields, terms, languages, look and activation, from the
//! settings and from the table.

use std::time::Duration;

use emulator::Purchase;
use http::{Method, StatusCode};
use local::Options;
use serde_json::{Value, json};
use shared::store::{OfferSettings as _, StoredOffers};

use crate::browser::{Browser, submit_token};
use crate::landing::assert_secure;
use crate::test_env::{Answer, TestEnv, is_problem, table};

const ADELE: &str = "adele@contoso.example";
const MINUTE: Duration = Duration::from_secs(60);

/// An offer with every member.
pub(crate) fn complete() -> Value {
    json!({ "per-seat-1": {
        "name": { "en": "Fleet", "sv": "Fordon" },
        "plans": { "team": "Crew" },
        "publisherName": "Fabrikam Fleet",
        "logo": "data:image/png;base64,iVBORw==",
        "logoDark": "data:image/png;base64,AAAA",
        "accent": "#7a1f5c",
        "support": "fleet@fabrikam.example",
        "productUrl": "https://fleet.fabrikam.example/",
        "privacyUrl": "https://fleet.fabrikam.example/privacy",
        "termsUrl": "https://fleet.fabrikam.example/terms",
        "imprintUrl": "https://fleet.fabrikam.example/imprint",
        "fields": [{
            "name": "trucks", "label": { "en": "Trucks", "sv": "Lastbilar" }, "required": true,
            "maxLength": 5,
        }],
        "languages": ["sv", "en"],
        "activation": "by-publisher",
        "signUpUrl": "https://fleet.fabrikam.example/sign-up",
    } })
}

/// Replaces the settings of offers through the API.
pub(crate) async fn save(env: &TestEnv, offers: &Value) {
    let answer = put(env, offers).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
}

async fn put(env: &TestEnv, offers: &Value) -> Answer {
    env.send(env.http.request(Method::PUT, env.url("/offers")).body(offers.to_string())).await
}

/// Two offers that have nothing in common.
fn two() -> Value {
    json!({
        "per-seat-1": {
            "name": "Fleet", "publisherName": "Fabrikam Fleet", "accent": "#7a1f5c",
            "support": "fleet@fabrikam.example", "termsUrl": "https://fleet.example/terms",
            "fields": [{ "name": "trucks", "label": { "sv": "Lastbilar", "en": "Trucks" } }],
            "languages": ["sv", "en"], "activation": "by-publisher",
            "logo": "data:image/png;base64,iVBORw==",
        },
        "flat-rate-1": {
            "name": "Archiv", "termsUrl": "https://archive.example/terms",
            "fields": [{ "name": "shelves", "label": "Regale" }], "languages": ["de"],
            "activation": "on-confirm", "productUrl": "https://archive.example/",
        },
    })
}

async fn in_language(env: &TestEnv, browser: &mut Browser<'_>, accepted: &str) -> Answer {
    browser.send(env.http.get(env.url("/landing")).header("accept-language", accepted)).await
}

/// Both offers in one deployment, however they were set.
async fn shows_two_offers(env: &TestEnv) {
    let fleet = env.purchase(Purchase::per_seat("team", 12));
    let archive = env.purchase(Purchase::flat_rate("silver"));
    let mut fleet_buyer = Browser::new(env);
    fleet_buyer.sign_in(fleet, ADELE).await;
    let page = in_language(env, &mut fleet_buyer, "de").await;
    assert_secure(&page);
    for shown in [
        "<html lang=\"sv\"",
        "<dd>Fleet</dd>",
        "Fabrikam Fleet",
        "mailto:fleet@fabrikam.example",
        "https://fleet.example/terms",
        "Lastbilar",
        "name=\"trucks\"",
        "--accent:#7a1f5c",
        "<img class=\"logo\"",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    for hidden in ["language=de", "shelves", "archive.example", "Archiv"] {
        assert!(!page.body.contains(hidden), "{hidden}: {}", page.body);
    }
    let english = in_language(env, &mut fleet_buyer, "en").await;
    assert!(english.body.contains(">Trucks") && english.body.contains("<html lang=\"en\""));

    let mut archive_buyer = Browser::new(env);
    archive_buyer.sign_in(archive, ADELE).await;
    let page = in_language(env, &mut archive_buyer, "sv, en").await;
    assert_secure(&page);
    for shown in [
        "<html lang=\"de\"",
        "<dd>Archiv</dd>",
        "https://archive.example/terms",
        "Regale",
        "name=\"shelves\"",
        "Contoso Cloud",
        "--accent:#0b5cad",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    for hidden in ["<nav", "trucks", "fleet.example", "mailto:", "<img"] {
        assert!(!page.body.contains(hidden), "{hidden}: {}", page.body);
    }

    for (buyer, field, answer) in
        [(&mut fleet_buyer, "trucks", "12"), (&mut archive_buyer, "shelves", "7")]
    {
        let submit = submit_token(&buyer.page().await);
        let sent = buyer.submit(&[("submit", &submit), (field, answer)]).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    }
    assert_eq!(env.event_names(fleet).await, ["Purchased", "ActivationRequested"]);
    assert_eq!(env.event_names(archive).await, ["Purchased", "Activated"]);
    for (id, fields, language) in
        [(fleet, json!({ "trucks": "12" }), "sv"), (archive, json!({ "shelves": "7" }), "de")]
    {
        let record = env.get(&format!("/subscriptions/{id}")).await.json();
        assert_eq!(record["signUp"]["fields"], fields);
        assert_eq!(record["signUp"]["language"], language);
    }
    let active = archive_buyer.page().await;
    assert!(active.body.contains("href=\"https://archive.example/\""), "{}", active.body);
}

fn options() -> Options {
    let options = Options::default().with("LANDING_SIGN_IN", "entra");
    options.with("LANDING_PUBLISHER_NAME", "Contoso Cloud")
}

#[tokio::test]
async fn two_offers_of_the_setting_have_names_fields_terms_languages_and_activation_of_their_own() {
    shows_two_offers(&TestEnv::with(options().with("LANDING_OFFERS", &two().to_string())).await)
        .await;
}

#[tokio::test]
async fn two_offers_of_the_table_have_the_same() {
    let env = TestEnv::with(options()).await;
    save(&env, &two()).await;
    shows_two_offers(&env).await;
}

#[tokio::test]
async fn a_logo_of_an_offer_is_at_the_address_that_its_page_names() {
    let env = TestEnv::with(options()).await;
    save(&env, &complete()).await;
    let id = env.purchase(Purchase::per_seat("team", 12));
    let mut browser = Browser::new(&env);
    browser.sign_in(id, ADELE).await;
    let page = browser.page().await;
    let addresses: Vec<_> = page.body.split("/landing/logo?v=").skip(1).collect();
    let [dark, light] = [0, 1].map(|at| addresses[at].split('"').next().expect("a version"));
    assert_ne!(dark, light);
    for version in [dark, light] {
        let logo = env.get(&format!("/landing/logo?v={version}")).await;
        assert_eq!(
            (logo.status, &logo.headers["content-type"]),
            (StatusCode::OK, &"image/png".parse().expect("text"))
        );
        assert!(logo.headers["cache-control"].to_str().expect("text").contains("immutable"));
    }
}

async fn title(env: &TestEnv, id: uuid::Uuid) -> String {
    let page = env.visit(id).await;
    let (_, rest) = page.body.split_once("<dt>Offer</dt><dd>").expect("an offer");
    rest.split('<').next().expect("a name").to_owned()
}

#[tokio::test]
async fn a_change_in_the_table_shows_within_a_minute_over_the_setting_and_under_no_other_one() {
    let setting = r#"{"per-seat-1":{"name":"Setting","plans":{"team":"Crew"}}}"#;
    let env = TestEnv::with(Options::default().with("LANDING_OFFERS", setting)).await;
    let id = env.purchase(Purchase::per_seat("team", 12));
    assert_eq!(title(&env, id).await, "Setting");
    save(&env, &json!({ "per-seat-1": { "name": "Table" } })).await;
    assert_eq!(title(&env, id).await, "Setting", "it is cached");
    env.advance(MINUTE);
    assert_eq!(title(&env, id).await, "Table");
    assert!(env.visit(id).await.body.contains("<dd>Crew</dd>"), "what the table leaves out stays");
    let cleared = env.send(env.http.delete(env.url("/offers"))).await;
    assert_eq!(cleared.status, StatusCode::OK, "{}", cleared.body);
    env.advance(MINUTE);
    assert_eq!(title(&env, id).await, "Setting");
}

#[tokio::test]
async fn what_a_newer_version_has_stored_is_read_as_far_as_it_is_known() {
    let env = TestEnv::new().await;
    let newer = json!({ "per-seat-1": {
        "name": "Fleet", "activation": "by-approval", "theme": { "shape": "round" },
        "fields": [{ "name": "trucks", "label": "Trucks", "kind": "number" }],
    } });
    let offers = newer.as_object().expect("an object").clone();
    table(&env).save_offers(&StoredOffers { revision: 1, offers }).await.expect("saved");
    let page = env.visit(env.purchase(Purchase::per_seat("team", 12))).await;
    assert!(page.body.contains("<dd>Fleet</dd>") && page.body.contains(">Trucks"), "{}", page.body);
    assert_eq!(env.get("/offers").await.json(), newer, "the API keeps what it doesn't know");
}

#[tokio::test]
async fn the_api_names_the_offer_and_the_member_that_the_page_cannot_use() {
    let env = TestEnv::new().await;
    for (offers, words) in [
        (json!({ "fleet": { "accent": "red" } }), &["`fleet`", "`accent`", "is not a colour"][..]),
        (json!({ "fleet": { "languages": ["fi"] } }), &["`fleet`", "`languages`"]),
        (json!({ "fleet": { "signUpUrl": "http://a.example" } }), &["`signUpUrl`", "https"]),
        (json!({ "fleet": { "title": "x" } }), &["`fleet`", "offers don't have"]),
        (
            json!({ "fleet": { "logo": format!("data:image/png;base64,{}", "AAAA".repeat(70_000)) } }),
            &["256 KB"],
        ),
    ] {
        let refused = put(&env, &offers).await;
        is_problem(&refused, StatusCode::BAD_REQUEST, "invalid_offers");
        for word in words {
            assert!(refused.body.contains(word), "{word}: {}", refused.body);
        }
    }
    assert_eq!(env.get("/offers").await.json(), json!({}));
    let largest = "AAAA".repeat(60_000);
    save(&env, &json!({ "fleet": { "logo": format!("data:image/png;base64,{largest}") } })).await;
}
