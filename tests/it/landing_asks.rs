//! The questions of the landing page and the buyer's answers (F-LP-5, F-LP-8).

use emulator::{Call, Purchase};
use http::StatusCode;
use local::Options;
use serde_json::json;

use crate::browser::{Browser, submit_token};
use crate::landing::assert_secure;
use crate::test_env::TestEnv;

const ADELE: &str = "adele@contoso.example";

const FIELDS: &str = r#"[
    {"name": "company", "label": {"en": "Company \"'><b>&", "sv": "Företag"}, "required": true, "maxLength": 12},
    {"name": "order", "label": "Order number"}
]"#;

async fn env_with_fields(activation: &str) -> TestEnv {
    let options =
        Options::default().with("LANDING_SIGN_IN", "entra").with("LANDING_FIELDS", FIELDS);
    TestEnv::with(options.with("ACTIVATION", activation)).await
}

/// Submits the form in Swedish.
async fn fill(
    env: &TestEnv,
    browser: &mut Browser<'_>,
    filled: &[(&str, &str)],
) -> crate::test_env::Answer {
    let submit = submit_token(&browser.page().await);
    let mut form = filled.to_vec();
    form.push(("submit", &submit));
    let request = env.http.post(env.url("/landing")).form(&form);
    browser.send(request.header("accept-language", "sv")).await
}

#[tokio::test]
async fn the_buyers_answers_are_stored_and_reach_the_product_with_the_activation() {
    for (activation, events) in [
        ("on-confirm", &["Purchased", "Activated"][..]),
        ("by-publisher", &["Purchased", "ActivationRequested"]),
    ] {
        let env = env_with_fields(activation).await;
        let id = env.purchase(Purchase::flat_rate("silver"));
        let mut browser = Browser::new(&env);
        browser.sign_in(id, ADELE).await;
        let page = browser.page().await;
        assert!(page.body.contains("Company &#34;&#39;&#62;&#60;b&#62;&#38;"), "{}", page.body);
        for shown in ["value=\"adele@contoso.example\"", "Order number", "maxlength=\"12\""] {
            assert!(page.body.contains(shown), "{shown} in {}", page.body);
        }
        let filled =
            [("contact", "it@contoso.example"), ("company", " Contoso AB "), ("order", "")];
        let answer = fill(&env, &mut browser, &filled).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        assert_eq!(env.event_names(id).await, events);
        let sign_up = json!({ "contactEmail": "it@contoso.example", "language": "sv",
                              "fields": { "company": "Contoso AB" } });
        let record = env.get(&format!("/subscriptions/{id}")).await.json();
        assert_eq!(record["signUp"], sign_up, "{activation}");
        let history = env.get(&format!("/subscriptions/{id}/events")).await.json();
        assert_eq!(history["events"][0]["signUp"], json!(null), "not with the purchase");
        assert_eq!(history["events"][1]["signUp"], sign_up, "{activation}");
        let page = browser.page().await;
        assert!(!page.body.contains("it@contoso.example"), "the page no longer shows it");
    }
}

#[tokio::test]
async fn an_incomplete_form_comes_back_as_filled_in_and_activates_nothing() {
    let env = env_with_fields("on-confirm").await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&env);
    browser.sign_in(id, ADELE).await;
    for (filled, complaints) in [
        (&[][..], &["Ange en e-postadress.", "Fyll i ”Företag”."][..]),
        (&[("contact", ""), ("company", "x")], &["Ange en e-postadress."]),
        (&[("contact", "adele@"), ("company", "x")], &["på formen namn@example.com"]),
        (&[("contact", ADELE), ("company", "  ")], &["Fyll i ”Företag”."]),
        (&[("contact", ADELE), ("company", "1234567890123")], &["högst 12 tecken i ”Företag”"]),
        (&[("contact", ADELE), ("company", "a"), ("company", "b")], &["Fyll i ”Företag”."]),
    ] {
        let answer = fill(&env, &mut browser, filled).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{filled:?}");
        assert_secure(&answer);
        for complaint in complaints {
            assert!(answer.body.contains(complaint), "{filled:?}: {complaint} in {}", answer.body);
        }
        assert!(answer.body.contains("role=\"alert\"") && answer.body.contains("aria-invalid"));
    }
    let evil = "\"'><script>alert(1)</script>&";
    let filled = [("contact", evil), ("company", evil), ("order", evil)];
    let answer = fill(&env, &mut browser, &filled).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_secure(&answer);
    assert!(!answer.body.contains("\"'>"), "{}", answer.body);
    assert_eq!(answer.body.matches("script&#62;&#38;").count(), 3, "the form keeps every input");
    assert_eq!(env.calls(Call::Activate), 0);
    assert_eq!(env.record(id).await.expect("a record").sign_up, None);
}

#[tokio::test]
async fn the_first_answers_stay_once_the_activation_is_requested() {
    let env = env_with_fields("by-publisher").await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut first = Browser::new(&env);
    first.sign_in(id, ADELE).await;
    let submit = submit_token(&first.page().await);
    let mut second = first.clone();
    for (tab, contact) in
        [(&mut first, "one@contoso.example"), (&mut second, "two@contoso.example")]
    {
        let form = [("submit", submit.as_str()), ("contact", contact), ("company", "C")];
        assert_eq!(tab.submit(&form).await.status, StatusCode::SEE_OTHER);
    }
    let sign_up = env.record(id).await.expect("a record").sign_up.expect("the answers");
    assert_eq!(sign_up.contact_email, "one@contoso.example");
    assert_eq!(env.event_names(id).await, ["Purchased", "ActivationRequested"]);
}

#[tokio::test]
async fn the_form_is_checked_and_stored_without_a_sign_in_too() {
    let options = Options::default().with("LANDING_FIELDS", FIELDS);
    let env = TestEnv::with(options).await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    assert!(env.visit(id).await.body.contains("Order number"));
    let token = env.world(|world| world.purchase_token(id));
    let post = |form: &[(&str, &str)]| env.send(env.http.post(env.url("/landing")).form(&form));
    let wrong = post(&[("token", &token), ("contact", "x"), ("company", "Contoso")]).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert_eq!(env.calls(Call::Activate), 0);
    let right = post(&[("token", &token), ("contact", ADELE), ("company", "Contoso")]).await;
    assert_eq!(right.status, StatusCode::OK, "{}", right.body);
    let sign_up = env.record(id).await.expect("a record").sign_up.expect("the answers");
    assert_eq!(sign_up.fields["company"], "Contoso");
}
