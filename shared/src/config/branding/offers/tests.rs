use serde_json::json;

use super::*;
use crate::config::Branding;
use crate::host::environment::Environment;

fn offers(value: Value) -> Result<Offers, OffersError> {
    Offers::read(value.as_object().expect("an object"))
}

fn stored(value: Value) -> Offers {
    Offers::read_stored(value.as_object().expect("an object"))
}

fn one(offers: &Offers) -> &OfferBranding {
    offers.0.get("fleet").expect("the offer")
}

fn deployment(settings: &'static [(&'static str, &'static str)]) -> Branding {
    let get = move |name: &str| {
        settings.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    };
    Branding::read(&Environment::from_fn(get)).expect("settings")
}

fn complete() -> Value {
    json!({ "fleet": {
        "name": { "en": "Fleet", "sv": "Fordon" },
        "plans": { "gold": "Gold" },
        "publisherName": "Fabrikam Fleet",
        "logo": "data:image/png;base64,iVBORw==",
        "logoDark": "data:image/png;base64,iVBORw==",
        "accent": "#102030",
        "support": "fleet@fabrikam.example",
        "productUrl": "https://fleet.example",
        "privacyUrl": "https://fleet.example/privacy",
        "termsUrl": "https://fleet.example/terms",
        "imprintUrl": "https://fleet.example/imprint",
        "fields": [{ "name": "trucks", "label": "Trucks", "required": true, "maxLength": 5 }],
        "languages": ["sv", "en"],
        "activation": "by-publisher",
        "signUpUrl": "https://fleet.example/sign-up?from=marketplace",
    } })
}

#[test]
fn every_member_of_an_offer_is_read() {
    let offers = offers(complete()).expect("offers");
    let fleet = one(&offers);
    assert_eq!(fleet.name.as_ref().map(|name| name.in_language("sv")), Some("Fordon"));
    assert_eq!(fleet.plans["gold"].in_language("en"), "Gold");
    assert_eq!(fleet.publisher_name.as_deref(), Some("Fabrikam Fleet"));
    assert_eq!((fleet.logo.as_ref(), fleet.logo.is_some()), (fleet.logo_dark.as_ref(), true));
    assert_eq!(fleet.accent, Some(Colour([0x10, 0x20, 0x30])));
    assert_eq!(fleet.support, Some(Support::Mail("fleet@fabrikam.example".to_owned())));
    assert_eq!(fleet.product_url.as_deref(), Some("https://fleet.example/"));
    assert_eq!(fleet.privacy_url.as_deref(), Some("https://fleet.example/privacy"));
    assert_eq!(fleet.terms_url.as_deref(), Some("https://fleet.example/terms"));
    assert_eq!(fleet.imprint_url.as_deref(), Some("https://fleet.example/imprint"));
    assert_eq!(fleet.fields.as_ref().map(|fields| fields[0].name.as_str()), Some("trucks"));
    assert_eq!(fleet.languages, Some(vec!["sv".to_owned(), "en".to_owned()]));
    assert_eq!(fleet.activation, Some(ActivationMode::ByPublisher));
    let page = fleet.sign_up.as_ref().expect("a page");
    assert_eq!(page.as_str(), "https://fleet.example/sign-up?from=marketplace");
    assert_eq!(page.origin(), "https://fleet.example");
}

#[test]
fn a_mistake_names_its_offer_and_member_and_never_the_value() {
    for (member, value) in [
        ("name", json!("")),
        ("name", json!(null)),
        ("plans", json!({ "gold": {} })),
        ("publisherName", json!("zq\u{7}")),
        ("logo", json!("https://zq.example/logo.png")),
        ("accent", json!("zq")),
        ("support", json!("zq")),
        ("productUrl", json!("http://zq.example")),
        ("privacyUrl", json!("zq")),
        ("termsUrl", json!("javascript:zq")),
        ("imprintUrl", json!(7)),
        ("fields", json!([{ "name": "zq", "label": "L", "kind": "x" }])),
        ("fields", json!([["zq", "L"]])),
        ("fields", json!([{ "name": "contact", "label": "zq" }])),
        ("languages", json!([])),
        ("languages", json!(["zq"])),
        ("languages", json!(["en", "en"])),
        ("languages", json!("en")),
        ("activation", json!("zq")),
        ("signUpUrl", json!("http://zq.example")),
        ("signUpUrl", json!("https://user@zq.example")),
        ("signUpUrl", json!("https://zq.example/#part")),
        ("signUpUrl", json!("https://zq;script-src.example/")),
    ] {
        let refused = offers(json!({ "fleet": { member: value.clone() } })).expect_err(member);
        let OffersError::Member { offer, member: named, .. } = &refused else {
            panic!("{member}: {refused:?}");
        };
        assert_eq!((offer.as_str(), *named), ("fleet", member), "{value}");
        assert!(!refused.to_string().contains("zq"), "{refused}");
    }
    for (settings, conflict) in [
        (json!({ "logoDark": "data:image/png;base64,iVBORw==" }), "a `logoDark`"),
        (json!({ "activation": "on-confirm", "signUpUrl": "https://a.example" }), "a `signUpUrl`"),
    ] {
        let refused = offers(json!({ "fleet": settings })).expect_err(conflict).to_string();
        assert!(refused.starts_with(&format!("has {conflict}")), "{refused}");
    }
    let unknown = offers(json!({ "fleet": { "title": "Fleet" } }));
    assert_eq!(unknown, Err(OffersError::Unknown { offer: "fleet".to_owned() }));
    assert_eq!(offers(json!({ "fleet": "Fleet" })), Err(OffersError::Form));
}

#[test]
fn what_a_newer_version_has_stored_is_skipped_and_the_rest_is_read() {
    let mut newer = complete();
    newer["fleet"]["title"] = json!("of another version");
    newer["fleet"]["activation"] = json!("by-approval");
    newer["fleet"]["languages"] = json!(["fi", "sv"]);
    newer["fleet"]["fields"][0]["kind"] = json!("choice");
    newer["other"] = json!("no object");
    assert!(offers(newer.clone()).is_err());
    let read = stored(newer);
    let known = offers(complete()).expect("offers");
    let expected = OfferBranding {
        activation: None,
        languages: Some(vec!["sv".to_owned()]),
        ..one(&known).clone()
    };
    assert_eq!(one(&read), &expected);
    assert_eq!(read.0.len(), 1);
}

#[test]
fn an_offer_has_its_own_settings_then_those_beneath_and_then_the_deployments() {
    let deployment = deployment(&[
        ("LANDING_PUBLISHER_NAME", "Fabrikam"),
        ("LANDING_TERMS_URL", "https://fabrikam.example/terms"),
        ("LANDING_PRIVACY_URL", "https://fabrikam.example/privacy"),
        ("LANDING_FIELDS", r#"[{"name":"company","label":"Company"}]"#),
        ("LANDING_LOGO", "data:image/png;base64,iVBORw=="),
        ("LANDING_LOGO_DARK", "data:image/png;base64,iVBORw=="),
    ]);
    let beneath = json!({ "fleet": {
        "name": "Fleet", "plans": { "gold": "Gold", "tin": "Tin" },
        "termsUrl": "https://beneath.example/terms",
    }, "other": { "name": "Other" } });
    let above = json!({ "fleet": {
        "plans": { "gold": "Gilt" }, "fields": [], "logo": "data:image/png;base64,AAAA",
    } });
    let merged = stored(above).over(&offers(beneath).expect("offers"));
    assert_eq!(merged.0.len(), 2);
    let fleet = one(&merged);
    assert_eq!(fleet.name.as_ref().map(|name| name.in_language("en")), Some("Fleet"));
    assert_eq!(fleet.plans["gold"].in_language("en"), "Gilt");
    assert_eq!(fleet.plans["tin"].in_language("en"), "Tin");
    let page = deployment.of_offer(fleet);
    assert_eq!(page.name.as_deref(), Some("Fabrikam"));
    assert_eq!(page.terms_url.as_deref(), Some("https://beneath.example/terms"));
    assert_eq!(page.privacy_url, deployment.privacy_url);
    assert_eq!(page.fields, [], "an offer may ask for nothing");
    assert_eq!(page.logo.map(|logo| logo.bytes), Some(vec![0, 0, 0]));
    assert_eq!(page.logo_dark, None, "a logo doesn't go with another one's dark form");
    let plain = deployment.of_offer(&OfferBranding::default());
    assert_eq!((plain.fields.len(), plain.logo_dark.is_some()), (1, true));
}

#[test]
fn a_sign_up_page_makes_the_product_activate_unless_the_offer_is_activated_on_confirm() {
    use ActivationMode::{ByPublisher, OnConfirm};
    let plain = || deployment(&[]);
    let by_publisher = || deployment(&[("ACTIVATION", "by-publisher")]);
    let own_page = || {
        deployment(&[
            ("ACTIVATION", "on-confirm"),
            ("LANDING_SIGN_UP_URL", "http://127.0.0.1:8090/sign-up"),
        ])
    };
    let page = "http://127.0.0.1:8090/sign-up";
    let other = "https://other.example/";
    for (deployment, offer, activation, sign_up) in [
        (plain(), json!({}), OnConfirm, None),
        (plain(), json!({ "activation": "by-publisher" }), ByPublisher, None),
        (plain(), json!({ "signUpUrl": other }), ByPublisher, Some(other)),
        (by_publisher(), json!({}), ByPublisher, None),
        (by_publisher(), json!({ "activation": "on-confirm" }), OnConfirm, None),
        (own_page(), json!({}), ByPublisher, Some(page)),
        (own_page(), json!({ "activation": "on-confirm" }), OnConfirm, None),
        (own_page(), json!({ "activation": "by-publisher" }), ByPublisher, Some(page)),
        (own_page(), json!({ "signUpUrl": other }), ByPublisher, Some(other)),
    ] {
        let offers = offers(json!({ "fleet": offer })).expect("offers");
        let branding = deployment.of_offer(one(&offers));
        let found = branding.sign_up.as_ref().map(SignUpPage::as_str);
        assert_eq!((branding.activation, found), (activation, sign_up), "{offer}");
    }
}
