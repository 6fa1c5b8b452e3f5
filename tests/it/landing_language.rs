//! A reader's choice of a language on the landing page.

use emulator::Purchase;

use crate::browser::Browser;
use crate::landing::assert_secure;
use crate::landing_manage::{MANAGE, customer, submit};
use crate::sign_in::env_with_sign_in;
use crate::test_env::TestEnv;

const CHOICE: &str = "landing-language";

fn switch(path: &str, code: &str, name: &str) -> String {
    format!("<a lang=\"{code}\" hreflang=\"{code}\" href=\"{path}?language={code}\">{name}</a>")
}

#[tokio::test]
async fn a_choice_holds_on_every_later_page_and_outlives_the_session() {
    let env = env_with_sign_in().await;
    let (mut browser, _) = customer(&env, Purchase::flat_rate("silver")).await;
    let english = browser.page().await;
    assert_secure(&english);
    for link in [switch("/landing", "sv", "Svenska"), switch("/landing", "de", "Deutsch")] {
        assert!(english.body.contains(&link), "{link} in {}", english.body);
    }
    assert!(english.body.contains("<span aria-current=\"true\">English</span>"));
    let german = browser.get("/landing?language=de").await;
    assert!(german.body.contains("Ihr Abonnement ist aktiv"), "{}", german.body);
    assert_eq!(german.headers["content-language"], "de");
    let cookie = german.headers["set-cookie"].to_str().expect("text");
    let attributes = "Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax";
    assert_eq!(cookie, format!("{CHOICE}=de; {attributes}"));
    // Also where the browser prefers another language, and after a form.
    let later = env.http.get(env.url("/landing")).header("accept-language", "sv");
    let later = browser.send(later).await;
    assert!(later.body.contains("Ihr Abonnement ist aktiv"), "{}", later.body);
    assert!(!later.headers.contains_key("set-cookie"), "the choice is not made again");
    let question = submit(&env, &mut browser, &[("want", "cancel")]).await;
    assert!(question.body.contains("Abonnement kündigen?"), "{}", question.body);
    assert!(question.body.contains(&switch(MANAGE, "en", "English")), "{}", question.body);
    browser.cookies.retain(|name, _| name == CHOICE);
    assert!(browser.page().await.body.contains("Willkommen"));
    assert!(browser.get("/landing?language=sv").await.body.contains("Välkommen"));
    assert!(browser.page().await.body.contains("Välkommen"));
}

#[tokio::test]
async fn a_language_in_microsofts_link_is_that_of_the_visit() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let link = env.world(|world| world.landing_link(id));
    let mut browser = Browser::new(&env);
    browser.send(env.http.get(format!("{link}&language=sv"))).await;
    browser.sign_in(id, "adele@contoso.example").await;
    assert!(browser.page().await.body.contains("Kom igång med din prenumeration"));
}

#[tokio::test]
async fn what_is_no_shipped_language_chooses_none() {
    let env = env_with_sign_in().await;
    for choice in ["fi", "", "SV", "sv-SE", "*", "\"><script>", "sv&language=de"] {
        let mut browser = Browser::new(&env);
        let page = browser.get(&format!("/landing?language={choice}")).await;
        assert_secure(&page);
        assert!(page.body.contains("Welcome"), "{choice}: {}", page.body);
        assert!(!page.headers.contains_key("set-cookie"), "{choice}");
        browser.cookies.insert(CHOICE.to_owned(), "fi".to_owned());
        assert!(browser.page().await.body.contains("Welcome"), "{choice}");
    }
}

#[tokio::test]
async fn without_sign_in_no_language_is_offered_since_the_token_would_be_lost() {
    let env = TestEnv::new().await;
    let page = env.visit(env.purchase(Purchase::flat_rate("silver"))).await;
    assert!(!page.body.contains("hreflang"), "{}", page.body);
}
