use super::*;

fn read(name: &'static str, value: &str) -> Result<Branding, ConfigError> {
    let value = value.to_owned();
    Branding::read(&Environment::from_fn(move |asked| (asked == name).then(|| value.clone())))
}

#[test]
fn every_branding_setting_is_optional() {
    let branding = Branding::read(&Environment::from_fn(|_| None)).expect("the defaults");
    assert_eq!(branding.accent, Colour::DEFAULT_ACCENT);
    assert_eq!((branding.name, branding.logo, branding.support), (None, None, None));
    assert_eq!((branding.product_url, branding.fields), (None, vec![]));
    assert_eq!((branding.privacy_url, branding.terms_url), (None, None));
    assert_eq!((branding.imprint_url, branding.logo_dark), (None, None));
    assert_eq!(branding.offers, Offers::default());
}

#[test]
fn every_branding_setting_is_read() {
    let png = read("LANDING_LOGO", "data:image/png;base64,iVBORw==").expect("a logo");
    let logo = Logo { content_type: "image/png", bytes: vec![0x89, b'P', b'N', b'G'] };
    assert_eq!(png.logo, Some(logo));
    let png = "data:image/png;base64,iVBORw==".to_owned();
    let logos = move |name: &str| name.starts_with("LANDING_LOGO").then(|| png.clone());
    let both = Branding::read(&Environment::from_fn(logos)).expect("two logos");
    assert_eq!(both.logo, both.logo_dark);
    assert!(both.logo_dark.is_some());
    assert_eq!(read("LANDING_ACCENT", "#FFd400").expect("a colour").accent, Colour([255, 212, 0]));
    let support = |value| read("LANDING_SUPPORT", value).expect("a place").support;
    assert_eq!(support("help@a.example"), Some(Support::Mail("help@a.example".into())));
    assert_eq!(
        support("https://a.example/help?x=1"),
        Some(Support::Page("https://a.example/help?x=1".into()))
    );
    let product = read("LANDING_PRODUCT_URL", "https://app.example").expect("an address");
    assert_eq!(product.product_url.as_deref(), Some("https://app.example/"));
    let legal = |name| read(name, "https://a.example/legal?x=1").expect("an address");
    let expected = Some("https://a.example/legal?x=1");
    assert_eq!(legal("LANDING_PRIVACY_URL").privacy_url.as_deref(), expected);
    assert_eq!(legal("LANDING_TERMS_URL").terms_url.as_deref(), expected);
    assert_eq!(legal("LANDING_IMPRINT_URL").imprint_url.as_deref(), expected);
    let offers =
        r#"{"fleet":{"name":{"sv":"Fordon","en":"Fleet"},"plans":{"gold":"Gold"}},"other":{}}"#;
    let offers = read("LANDING_OFFERS", offers).expect("offers").offers;
    assert_ne!(offers, Offers::default());
    let fields = read(
        "LANDING_FIELDS",
        r#"[{"name":"company","label":{"en":"Company","de":"Firma"},"required":true,"maxLength":60},
            {"name":"vat","label":"VAT"}]"#,
    )
    .expect("fields")
    .fields;
    assert_eq!(fields[0].label.in_language("de"), "Firma");
    assert_eq!(fields[0].label.in_language("sv"), "Company");
    assert_eq!((fields[0].required, fields[0].max_length), (true, 60));
    assert_eq!(fields[1].label.in_language("sv"), "VAT");
    assert_eq!((fields[1].required, fields[1].max_length), (false, 100));
}

#[test]
fn nonsensical_settings_are_refused_without_echoing_the_value() {
    let long = "x".repeat(81);
    let eleven: Vec<String> =
        (0..11).map(|n| format!(r#"{{"name":"f{n}","label":"L"}}"#)).collect();
    let eleven = format!("[{}]", eleven.join(","));
    for (name, value) in [
        ("LANDING_PUBLISHER_NAME", long.as_str()),
        ("LANDING_PUBLISHER_NAME", "a\u{7}b"),
        ("LANDING_LOGO", "https://cdn.example/logo.svg"),
        ("LANDING_LOGO", "data:text/html;base64,PGI+"),
        ("LANDING_LOGO", "data:image/png;base64,***"),
        ("LANDING_LOGO", "data:image/png;base64,"),
        ("LANDING_ACCENT", "blue"),
        ("LANDING_ACCENT", "#fff"),
        ("LANDING_ACCENT", "#+12345"),
        ("LANDING_ACCENT", "#0b5cad;}"),
        ("LANDING_SUPPORT", "http://a.example"),
        ("LANDING_SUPPORT", "zq-help"),
        ("LANDING_SUPPORT", "javascript:alert(1)"),
        ("LANDING_PRODUCT_URL", "http://a.example"),
        ("LANDING_PRODUCT_URL", "https://user:pass@a.example"),
        ("LANDING_PRODUCT_URL", "javascript:alert(1)"),
        ("LANDING_PRIVACY_URL", "http://a.example"),
        ("LANDING_PRIVACY_URL", "javascript:alert(1)"),
        ("LANDING_PRIVACY_URL", "legal@a.example"),
        ("LANDING_TERMS_URL", "http://a.example"),
        ("LANDING_TERMS_URL", "https://user:pass@a.example"),
        ("LANDING_IMPRINT_URL", "http://a.example"),
        ("LANDING_IMPRINT_URL", "javascript:alert(1)"),
        ("LANDING_LOGO_DARK", "data:image/png;base64,***"),
        ("LANDING_LOGO_DARK", "data:image/png;base64,iVBORw=="),
        ("LANDING_OFFERS", "zq offers"),
        ("LANDING_OFFERS", r#"{"fleet":"Fleet"}"#),
        ("LANDING_OFFERS", r#"{"fleet":["Fleet",{}]}"#),
        ("LANDING_OFFERS", r#"{"fleet":{"title":"Fleet"}}"#),
        ("LANDING_OFFERS", r#"{"fleet":{"name":""}}"#),
        (
            "LANDING_OFFERS",
            r#"{"fleet":{"name":"a
b"}}"#,
        ),
        ("LANDING_OFFERS", r#"{"fleet":{"plans":{"gold":{}}}}"#),
        ("LANDING_FIELDS", "zq company"),
        ("LANDING_FIELDS", r#"[{"name":"company"}]"#),
        ("LANDING_FIELDS", r#"[{"name":"company","label":"C","kind":"x"}]"#),
        ("LANDING_FIELDS", r#"[{"name":"a b","label":"C"}]"#),
        ("LANDING_FIELDS", r#"[{"name":"","label":"C"}]"#),
        ("LANDING_FIELDS", r#"[{"name":"contact","label":"C"}]"#),
        ("LANDING_FIELDS", r#"[{"name":"a","label":"C"},{"name":"a","label":"D"}]"#),
        ("LANDING_FIELDS", r#"[{"name":"a","label":""}]"#),
        ("LANDING_FIELDS", r#"[{"name":"a","label":{}}]"#),
        ("LANDING_FIELDS", r#"[{"name":"a","label":"C","maxLength":0}]"#),
        ("LANDING_FIELDS", r#"[{"name":"a","label":"C","maxLength":501}]"#),
        ("LANDING_FIELDS", eleven.as_str()),
    ] {
        let wrong = read(name, value).expect_err(value);
        assert_eq!(wrong.name, name);
        assert!(!wrong.to_string().contains(value), "{wrong}");
    }
}

#[test]
fn an_email_address_is_checked_as_browsers_do() {
    for good in ["a@b.example", "first.last+tag@sub.contoso.example", "o'hara@x.se"] {
        assert!(is_email(good), "{good}");
    }
    let long = format!("{}@b.example", "x".repeat(250));
    for bad in [
        "",
        "a",
        "@",
        "a@",
        "@b.example",
        "a@b",
        "a b@c.example",
        "a@b..example",
        "a@-b.example",
        "a@b.example ",
        "a@b.example\n",
        "<a@b.example>",
        "a@b@c.example",
        "å@b.example",
        long.as_str(),
    ] {
        assert!(!is_email(bad), "{bad}");
    }
}
