//! Buyers whose account is a guest in the directory that the purchase was made in: an account of
//! another organization, or a personal account (F-LP-6, F-LP-9).

use emulator::{Call, Person, Purchase};
use http::StatusCode;
use serde_json::json;
use shared::domain::{MatchedBy, Role};
use url::Url;
use uuid::Uuid;

use crate::browser::{Browser, SESSION, location};
use crate::sign_in::env_with_sign_in;
use crate::sign_in_attacks::{assert_refused, parameter};
use crate::sign_in_id_tokens::come_back_with;
use crate::test_env::TestEnv;

const GUEST: &str = "gil@outlook.example";
const STRANGER: &str = "sven@elsewhere.example";
const OFFER: &str = "href=\"/landing/sign-in/organization\"";

fn bought_by_guest(env: &TestEnv) -> Uuid {
    env.purchase(Purchase::flat_rate("silver").by(Person::guest()))
}

/// Follows the offer to sign in to the purchase's own directory. Returns Entra's address.
async fn follow_offer(browser: &mut Browser<'_>) -> Url {
    let page = browser.page().await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.body);
    assert!(page.body.contains(OFFER), "{}", page.body);
    location(&browser.get("/landing/sign-in/organization").await)
}

#[track_caller]
fn assert_directory(entra: &Url, directory: &str) {
    assert_eq!(
        entra.path().trim_start_matches("/entra"),
        format!("/{directory}/oauth2/v2.0/authorize")
    );
}

#[tokio::test]
async fn a_guest_signs_in_to_the_purchases_own_directory_and_confirms() {
    let env = env_with_sign_in().await;
    let id = bought_by_guest(&env);
    let mut browser = Browser::new(&env);
    browser.sign_in(id, GUEST).await;
    let entra = follow_offer(&mut browser).await;
    assert_directory(&entra, &Person::guest().tenant_id.to_string());
    assert_eq!(parameter(&entra, "prompt"), "select_account");
    assert!(!browser.cookies.contains_key(SESSION), "the stranger is signed out");
    assert!(env.record(id).await.is_none(), "a stranger's visit is not recorded");

    let back = browser.pick(&entra, GUEST).await;
    browser.come_back(&back).await;
    let page = browser.confirm().await;
    assert!(page.body.contains("Your subscription is active"), "{}", page.body);
    let person = env.record(id).await.expect("a record").identified_as.expect("a person");
    assert_eq!((person.role, person.matched_by), (Role::Beneficiary, MatchedBy::TenantAndObject));
}

#[tokio::test]
async fn a_purchase_of_a_personal_account_leads_to_the_sign_in_of_personal_accounts() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver").by(Person::personal()));
    let mut browser = Browser::new(&env);
    browser.sign_in(id, STRANGER).await;
    let entra = follow_offer(&mut browser).await;
    assert_directory(&entra, "consumers");
    let back = browser.pick(&entra, "pat.doe@outlook.example").await;
    browser.come_back(&back).await;
    assert_eq!(browser.page().await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_directory_comes_from_microsofts_answer_and_never_from_the_request() {
    let env = env_with_sign_in().await;
    let id = bought_by_guest(&env);
    let other = env.purchase(Purchase::flat_rate("silver"));
    let token = env.world(|world| world.purchase_token(other)).replace('+', "%2B");
    let stranger = Person::stranger().tenant_id;
    let query: String = ["tenant", "tenantId", "tid", "organization", "domain_hint", "authority"]
        .map(|name| format!("&{name}={stranger}"))
        .concat();
    let mut browser = Browser::new(&env);
    browser.sign_in(id, GUEST).await;
    browser.page().await;
    let path = format!("/landing/sign-in/organization?token={token}{query}");
    let entra = location(&browser.clone().get(&path).await);
    assert_directory(&entra, &Person::guest().tenant_id.to_string());
    assert!(!entra.as_str().contains(&stranger.to_string()), "{entra}");
    // The bearer of a token alone learns nothing about the purchase's directory.
    let resolved = env.calls(Call::Resolve);
    let mut bearer = Browser::new(&env);
    bearer.arrive(id).await;
    assert_directory(&location(&bearer.get(&path).await), "common");
    let page = Browser::new(&env).get(&path).await;
    assert!(page.body.contains("Configure account"), "{}", page.body);
    assert_eq!(env.calls(Call::Resolve), resolved);
}

#[tokio::test]
async fn an_answer_of_another_directory_than_the_purchases_is_refused() {
    let env = env_with_sign_in().await;
    let id = bought_by_guest(&env);
    let own = Person::guest().tenant_id.to_string();
    let halfway = async || {
        let mut browser = Browser::new(&env);
        browser.sign_in(id, GUEST).await;
        let entra = follow_offer(&mut browser).await;
        (browser, entra)
    };
    // The visitor edits Entra's address, and signs in anywhere else.
    for (directory, email) in
        [("common", GUEST), ("consumers", GUEST), ("common", STRANGER), ("organizations", STRANGER)]
    {
        let (mut browser, entra) = halfway().await;
        let elsewhere = entra.as_str().replace(&own, directory);
        let back = browser.pick(&Url::parse(&elsewhere).expect("an address"), email).await;
        let answer = browser.come_back(&back).await;
        assert_refused(&answer, &browser, &format!("{email} at {directory}"));
    }
    // A token that claims the purchase's directory, and that another one issued.
    let (mut browser, entra) = halfway().await;
    let authority = &env.system.variables["ENTRA_AUTHORITY"];
    let now = env.world(|world| world.now()).as_second();
    let claims = json!({
        "aud": env.system.variables["LANDING_CLIENT_ID"],
        "iss": format!("{authority}/{}/v2.0", Person::stranger().tenant_id),
        "iat": now, "nbf": now, "exp": now + 3600, "oid": Person::guest().object_id,
        "sub": "s", "tid": own, "ver": "2.0", "nonce": parameter(&entra, "nonce"),
    });
    let forged = env.microsoft().entra(|entra| entra.sign(&claims));
    let back = browser.pick(&entra, GUEST).await;
    let answer = come_back_with(&env, &mut browser, &back, &forged).await;
    assert_refused(&answer, &browser, "another issuer");
}

#[tokio::test]
async fn an_account_of_the_purchases_own_directory_is_not_sent_there_again() {
    let env = env_with_sign_in().await;
    // A stranger: all personal accounts share one directory.
    let id = env.purchase(Purchase::flat_rate("silver").by(Person::personal()));
    let mut browser = Browser::new(&env);
    browser.sign_in(id, GUEST).await;
    for path in ["/landing", "/landing/sign-in/organization"] {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}: {}", page.body);
        assert!(!page.body.contains(OFFER), "{path}: {}", page.body);
        assert!(page.body.contains("href=\"/landing/sign-in\""), "{path}: {}", page.body);
    }
    // A guest whom Microsoft does not name is a colleague after the sign-in to that directory.
    let id = env.purchase(Purchase::flat_rate("silver").by(Person::bruno()));
    let mut browser = Browser::new(&env);
    browser.sign_in(id, GUEST).await;
    let entra = follow_offer(&mut browser).await;
    let back = browser.pick(&entra, GUEST).await;
    browser.come_back(&back).await;
    for path in ["/landing", "/landing/sign-in/organization"] {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.body);
        assert!(!page.body.contains(OFFER), "{path}: {}", page.body);
        assert!(!page.body.contains("action=\"/landing\""), "{path}: {}", page.body);
    }
}

#[tokio::test]
async fn a_person_whom_microsoft_names_needs_no_sign_in_to_another_directory() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&env);
    browser.sign_in(id, "adele@contoso.example").await;
    let answer = browser.get("/landing/sign-in/organization").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.headers["location"], "/landing");
    assert!(browser.cookies.contains_key(SESSION));
}
