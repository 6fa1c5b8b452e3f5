//! What the landing page asks a buyer for, and what becomes of the answers (F-LP-5, F-LP-8).

use emulator::{Call, Purchase};
use http::StatusCode;
use local::Options;
use serde_json::json;

use crate::browser::{Browser, submit_token};
use crate::landing::is_sealed;
use crate::scene::Scene;

const ADELE: &str = "adele@contoso.example";

const FIELDS: &str = r#"[
    {"name": "company", "label": {"en": "Company \"'><b>&", "sv": "Företag"}, "required": true, "maxLength": 12},
    {"name": "order", "label": "Order number"}
]"#;

async fn scene(activation: &str) -> Scene {
    let options =
        Options::default().with("LANDING_SIGN_IN", "entra").with("LANDING_FIELDS", FIELDS);
    Scene::with(options.with("ACTIVATION", activation)).await
}

/// Fills the form in, in Swedish.
async fn fill(
    scene: &Scene,
    browser: &mut Browser<'_>,
    filled: &[(&str, &str)],
) -> crate::scene::Answer {
    let submit = submit_token(&browser.page().await);
    let mut form = filled.to_vec();
    form.push(("submit", &submit));
    let request = scene.http.post(scene.url("/landing")).form(&form);
    browser.send(request.header("accept-language", "sv")).await
}

#[tokio::test]
async fn what_the_buyer_tells_is_kept_and_reaches_the_product_with_the_activation() {
    for (activation, events) in [
        ("on-confirm", &["Purchased", "Activated"][..]),
        ("by-publisher", &["Purchased", "ActivationRequested"]),
    ] {
        let scene = scene(activation).await;
        let id = scene.purchase(Purchase::flat_rate("silver"));
        let mut browser = Browser::new(&scene);
        browser.sign_in(id, ADELE).await;
        let page = browser.page().await;
        assert!(page.body.contains("Company &#34;&#39;&#62;&#60;b&#62;&#38;"), "{}", page.body);
        for shown in ["value=\"adele@contoso.example\"", "Order number", "maxlength=\"12\""] {
            assert!(page.body.contains(shown), "{shown} in {}", page.body);
        }
        let told = [("contact", "it@contoso.example"), ("company", " Contoso AB "), ("order", "")];
        let answer = fill(&scene, &mut browser, &told).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        assert_eq!(scene.event_names(id).await, events);
        let sign_up = json!({ "contactEmail": "it@contoso.example", "language": "sv",
                              "fields": { "company": "Contoso AB" } });
        let record = scene.get(&format!("/subscriptions/{id}")).await.json();
        assert_eq!(record["signUp"], sign_up, "{activation}");
        let told = scene.get(&format!("/subscriptions/{id}/events")).await.json();
        assert_eq!(told["events"][0]["signUp"], json!(null), "not with the purchase");
        assert_eq!(told["events"][1]["signUp"], sign_up, "{activation}");
        let page = browser.page().await;
        assert!(!page.body.contains("it@contoso.example"), "nor on the page any more");
    }
}

#[tokio::test]
async fn a_form_with_something_missing_comes_back_as_it_was_and_activates_nothing() {
    let scene = scene("on-confirm").await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&scene);
    browser.sign_in(id, ADELE).await;
    for (filled, said) in [
        (&[][..], &["Ange en e-postadress.", "Fyll i ”Företag”."][..]),
        (&[("contact", ""), ("company", "x")], &["Ange en e-postadress."]),
        (&[("contact", "adele@"), ("company", "x")], &["i formen namn@example.com"]),
        (&[("contact", ADELE), ("company", "  ")], &["Fyll i ”Företag”."]),
        (&[("contact", ADELE), ("company", "1234567890123")], &["högst 12 tecken i ”Företag”"]),
        (&[("contact", ADELE), ("company", "a"), ("company", "b")], &["Fyll i ”Företag”."]),
    ] {
        let answer = fill(&scene, &mut browser, filled).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{filled:?}");
        is_sealed(&answer);
        for said in said {
            assert!(answer.body.contains(said), "{filled:?}: {said} in {}", answer.body);
        }
        assert!(answer.body.contains("role=\"alert\"") && answer.body.contains("aria-invalid"));
    }
    let evil = "\"'><script>alert(1)</script>&";
    let filled = [("contact", evil), ("company", evil), ("order", evil)];
    let answer = fill(&scene, &mut browser, &filled).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    is_sealed(&answer);
    assert!(!answer.body.contains("\"'>"), "{}", answer.body);
    assert_eq!(answer.body.matches("script&#62;&#38;").count(), 3, "nothing typed is lost");
    assert_eq!(scene.calls(Call::Activate), 0);
    assert_eq!(scene.record(id).await.expect("a record").sign_up, None);
}

#[tokio::test]
async fn what_was_told_first_stays_once_somebody_acts_on_it() {
    let scene = scene("by-publisher").await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let mut first = Browser::new(&scene);
    first.sign_in(id, ADELE).await;
    let submit = submit_token(&first.page().await);
    let mut second = first.clone();
    for (tab, contact) in
        [(&mut first, "one@contoso.example"), (&mut second, "two@contoso.example")]
    {
        let form = [("submit", submit.as_str()), ("contact", contact), ("company", "C")];
        assert_eq!(tab.submit(&form).await.status, StatusCode::SEE_OTHER);
    }
    let sign_up = scene.record(id).await.expect("a record").sign_up.expect("it is kept");
    assert_eq!(sign_up.contact_email, "one@contoso.example");
    assert_eq!(scene.event_names(id).await, ["Purchased", "ActivationRequested"]);
}

#[tokio::test]
async fn without_a_sign_in_the_token_alone_confirms_and_what_is_told_counts_as_ever() {
    let options = Options::default().with("LANDING_FIELDS", FIELDS);
    let scene = Scene::with(options).await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    assert!(scene.visit(id).await.body.contains("Order number"));
    let token = scene.world(|world| world.purchase_token(id));
    let post =
        |form: &[(&str, &str)]| scene.send(scene.http.post(scene.url("/landing")).form(&form));
    let wrong = post(&[("token", &token), ("contact", "x"), ("company", "Contoso")]).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert_eq!(scene.calls(Call::Activate), 0);
    let right = post(&[("token", &token), ("contact", ADELE), ("company", "Contoso")]).await;
    assert_eq!(right.status, StatusCode::OK, "{}", right.body);
    let sign_up = scene.record(id).await.expect("a record").sign_up.expect("it is kept");
    assert_eq!(sign_up.fields["company"], "Contoso");
}
