//! `saasctl preflight` refuses what a function can't start with, and nothing else.

use runtime::deployment::{required, template, values};
use saasctl::preflight::{parameters, problems};
use saasctl::template::{Refused, Values};

use super::stack::start;

fn with(given: &[(&str, &str)]) -> Values {
    let mut parameters = required();
    parameters.extend(values(given));
    parameters
}

/// A value that a careless operator may give, for parameters whose text reaches a function.
const ODD: &[(&str, &str)] = &[
    ("EntraTenantId", "contoso.onmicrosoft.com"),
    ("EntraAuthority", "https://user@login.example"),
    ("EntraAuthority", "https://login.example/"),
    ("MarketplaceUrl", "http://marketplace.example/api"),
    ("MarketplaceUrl", "https://marketplace.example:99999/api"),
    ("LandingBaseUrl", "https://signup.example.com/"),
    ("LandingBaseUrl", "https://signup.example.com/landing"),
    ("LandingBaseUrl", "https://user@signup.example.com"),
    ("LandingBaseUrl", "https://signup.example.com:8443"),
    ("LandingBaseUrl", "https://signup.example.com:99999"),
    ("LandingBaseUrl", "https://-"),
    ("LandingBaseUrl", "https://256.256.256.256"),
    ("LandingBaseUrl", "https://signup"),
    ("LandingPublisherName", "Fabrikam\u{7}"),
    ("LandingPublisherName", "Fabrikam\u{85}"),
    ("LandingPublisherName", "Företag & Söner <AB>"),
    ("LandingLogo", "https://fabrikam.example/logo.svg"),
    ("LandingLogo", "data:image/svg+xml;base64,PHN2Zy8+"),
    ("LandingLogo", "data:image/svg+xml;base64,PHN2Zy8"),
    ("LandingLogo", "data:image/png;base64,A"),
    ("LandingAccent", "blue"),
    ("LandingAccent", "#FFF"),
    ("LandingSupport", "help@"),
    ("LandingSupport", "help@fabrikam"),
    ("LandingSupport", "a@b@c"),
    ("LandingSupport", "http://fabrikam.example"),
    ("LandingSupport", "https://"),
    ("LandingSupport", "https://user:password@fabrikam.example"),
    ("LandingProductUrl", "https://"),
    ("LandingProductUrl", "https://x:y@fabrikam.example"),
    ("LandingProductUrl", "https://fabrikam.example/?plan=a#b"),
    ("LandingPrivacyUrl", "http://fabrikam.example/privacy"),
    ("LandingPrivacyUrl", "https://fabrikam.example/privacy?a=b#c"),
    ("LandingTermsUrl", "https://x:y@fabrikam.example"),
    ("LandingTermsUrl", "terms"),
    ("RetentionDays", "6"),
    ("RetentionDays", "7"),
    ("RetentionDays", "3660"),
    ("RetentionDays", "3661"),
    ("DecisionUrl", "https://"),
    ("DecisionUrl", "https://user@product.example"),
    ("DecisionUrl", "http://product.example"),
    ("DeliveryEndpoint", "https://"),
    ("DeliveryEndpoint", "https://user@product.example"),
    ("DeliveryEndpoint", "https://product.example:99999"),
    ("DeliverySource", "marketplace"),
    ("DeliverySource", "urn:example:marketplace"),
    ("DeliverySource", "https://example.com/marketplace"),
    ("DeliverySource", "https://exa mple.com"),
    ("DeliverySource", ""),
    ("DeliveryParkAfterDays", "0"),
    ("DeliveryRateLimit", "1001"),
    ("DomainName", "Signup.Example.com"),
    ("DomainName", "localhost"),
    ("DomainName", "-a.example"),
    ("DomainName", "a.123"),
    ("LogLevel", "verbose"),
    ("EntraClientSecretExpires", "soon"),
    ("EntraClientSecretExpires", "2027-03-01"),
    ("EntraClientSecretExpires", "2027-02-30"),
    ("EntraClientSecretExpires", "2027-03-01T12:00:00Z"),
    ("EntraClientSecretExpires", "2027-03-01T12:00:00.5+02:00"),
    ("EntraClientSecretExpires", "2027-03-01T12:00:00"),
    ("LandingFields", "company"),
    ("LandingFields", r#"[{"name":"company"}]"#),
    ("LandingFields", r#"[{"name":"company","label":"Company","maxLength":80}]"#),
    ("LandingOffers", "fleet"),
    ("LandingOffers", r#"{"fleet":{"name":""}}"#),
    ("LandingOffers", r#"{"fleet":{"name":{"en":"Fleet"},"plans":{"gold":"Gold"}}}"#),
    ("LandingOffers", r#"{"fleet":{"languages":["sv","en"],"activation":"by-publisher"}}"#),
    ("LandingOffers", r#"{"fleet":{"languages":["fi"]}}"#),
    ("LandingSignUpUrl", "http://product.example/sign-up"),
    ("LandingSignUpUrl", "https://product.example/sign-up?from=marketplace"),
    ("LandingSignUpUrl", "https://product.example/#sign-up"),
    ("ChangeRules", r#"{"offer":{"plans":{"basic":{"minSeats":5}}}}"#),
    ("ChangeRules", r#"{"offer":{"plan":{}}}"#),
];

/// Only JSON and the length of a month are beyond what a parameter's constraints can check.
const ONLY_IN_PREFLIGHT: [&str; 4] =
    ["EntraClientSecretExpires", "LandingFields", "LandingOffers", "ChangeRules"];

#[test]
fn a_value_that_the_template_or_the_preflight_accepts_is_one_that_the_functions_start_with() {
    let mut refused_by_preflight_alone = Vec::new();
    for (name, value) in ODD {
        let parameters = with(&[(name, value)]);
        let problems = problems(template(), &parameters);
        match template().deploy(&parameters) {
            Err(Refused::Broken(why)) => panic!("{name}={value:?}: {why}"),
            Err(refused) => assert_eq!(problems, [refused.to_string()]),
            Ok(stack) => {
                let started = start(&stack);
                assert_eq!(started.is_ok(), problems.is_empty(), "{name}={value:?}: {started:?}");
                if !problems.is_empty() {
                    refused_by_preflight_alone.push(*name);
                }
            }
        }
        assert!(!problems.concat().contains("password"), "{problems:?}");
    }
    refused_by_preflight_alone.dedup();
    assert_eq!(refused_by_preflight_alone, ONLY_IN_PREFLIGHT);
}

#[test]
fn settings_that_are_together_longer_than_lambda_allows_are_refused() {
    // A quote takes two bytes, because Lambda measures the settings as JSON.
    let label = "x".repeat(90);
    let field = |at: usize| format!(r#"{{"name":"field-{at}","label":"{label}","maxLength":80}}"#);
    let fields = format!("[{}]", (0..10).map(field).collect::<Vec<_>>().join(","));
    let logo = |bytes: usize| format!("data:image/png;base64,{}", "AAAA".repeat(bytes / 4));
    let problems_with = |logo: &str| {
        problems(template(), &with(&[("LandingFields", &fields), ("LandingLogo", logo)]))
    };
    let fits =
        (0..2800).step_by(4).skip(1).take_while(|bytes| problems_with(&logo(*bytes)).is_empty());
    let longest = fits.last().expect("a small logo fits");
    let stack =
        template().deploy(&with(&[("LandingFields", &fields), ("LandingLogo", &logo(longest))]));
    let measured = serde_json::json!(stack.expect("it deploys").environment("landing")).to_string();
    // The names that AWS chooses are not known yet.
    let unknown = 4096 - measured.len();
    assert!((150..400).contains(&unknown), "{unknown} bytes are left for them");
    let refused = problems_with(&logo(longest + 4));
    let [line] = refused.as_slice() else { panic!("{refused:?}") };
    assert!(line.starts_with("the settings of landing take "), "{line}");
    assert!(line.contains("LANDING_FIELDS (") && line.contains("LANDING_LOGO ("), "{line}");
}

#[test]
fn parameters_are_read_from_yaml_and_from_json() {
    let expected =
        values(&[("Schedules", "disabled"), ("MemorySize", "256"), ("LandingFields", "[]")]);
    for file in [
        "# mine\nSchedules: disabled\nMemorySize: 256\nLandingFields: |-\n  []\n",
        r#"{"Schedules":"disabled","MemorySize":256,"LandingFields":"[]"}"#,
    ] {
        assert_eq!(parameters(file), Ok(expected.clone()), "{file}");
    }
    for (file, problem) in [
        ("a: [", "is no YAML"),
        ("- a", "holds no parameters by name"),
        ("", "holds no parameters by name"),
        ("LandingFields: [a]", "gives LandingFields no simple value"),
    ] {
        let error = parameters(file).expect_err(file);
        assert!(error.starts_with(problem), "{file}: {error}");
    }
}
