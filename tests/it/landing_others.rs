//! The other subscriptions of the same person on the landing page.

use emulator::{Person, Purchase};
use local::Options;
use uuid::Uuid;

use crate::browser::Browser;
use crate::failing_store::{Failing, Switch};
use crate::landing_manage::customer;
use crate::sign_in::env_with_sign_in;
use crate::test_env::TestEnv;

const HEADING: &str = "Your other subscriptions";

/// Signs in, confirms, and leaves a record.
async fn buy(env: &TestEnv, purchase: Purchase, email: &str) -> Uuid {
    let id = env.purchase(purchase);
    let mut browser = Browser::new(env);
    browser.sign_in(id, email).await;
    browser.confirm().await;
    id
}

#[tokio::test]
async fn a_person_sees_their_own_other_subscriptions_and_nobody_elses() {
    let env = env_with_sign_in().await;
    let adele = "adele@contoso.example";
    let (mut browser, id) = customer(&env, Purchase::flat_rate("silver").named("First")).await;
    let page = browser.page().await.body;
    assert!(!page.contains(HEADING), "there is no other one: {page}");
    let fleet = Purchase::per_seat("team", 12).named("Fleet <of> twelve");
    let fleet = buy(&env, fleet, adele).await;
    // The same address, of another account.
    let namesake = Person { email: adele.to_owned(), ..Person::colleague() };
    let theirs = env.purchase(Purchase::flat_rate("gold").named("Namesake's").by(namesake));
    let colleagues = Purchase::flat_rate("gold").named("Colleague's").by(Person::colleague());
    buy(&env, colleagues, "carl@contoso.example").await;
    let mut namesake = Browser::new(&env);
    namesake.sign_in(theirs, "carl@contoso.example").await;
    namesake.confirm().await;
    assert!(env.record(theirs).await.is_some());
    let page = browser.page().await.body;
    let other = "<strong>Fleet &#60;of&#62; twelve</strong> <span class=\"quiet\">per-seat-1 · Active</span>";
    assert!(page.contains(HEADING) && page.contains(other), "{page}");
    assert!(!page.contains("Namesake") && !page.contains("Colleague"), "{page}");
    assert_eq!(page.matches("First").count(), 1, "not this one: {page}");
    env.world(|world| world.suspend(id)).expect("a suspension");
    assert!(browser.page().await.body.contains(other));
    env.world(|world| world.unsubscribe(id)).expect("an end");
    assert!(browser.page().await.body.contains(other));
    env.world(|world| world.unsubscribe(fleet)).expect("an end");
    env.deliver().await;
    assert!(!browser.page().await.body.contains(HEADING), "nothing is left to open");
}

#[tokio::test]
async fn a_visitor_whom_microsoft_does_not_name_sees_no_others() {
    // F-OBJ-4: the tenant alone.
    let env = env_with_sign_in().await;
    env.world(|world| world.settings_mut().oddities.null_person_ids = true);
    let (mut browser, _) = customer(&env, Purchase::flat_rate("silver").named("First")).await;
    buy(&env, Purchase::flat_rate("gold").named("Second"), "adele@contoso.example").await;
    let page = browser.page().await.body;
    assert!(page.contains("First") && !page.contains("Second"), "{page}");
    let anonymous = TestEnv::new().await;
    let ids = [anonymous.active(Purchase::flat_rate("silver")).await];
    anonymous.active(Purchase::flat_rate("gold")).await;
    assert!(!anonymous.visit(ids[0]).await.body.contains(HEADING));
}

#[tokio::test]
async fn a_search_that_fails_costs_the_page_the_others_alone() {
    let (switch, options) = Switch::new(Options::default().with("LANDING_SIGN_IN", "entra"));
    let env = TestEnv::with(options).await;
    let (mut browser, _) = customer(&env, Purchase::flat_rate("silver").named("First")).await;
    buy(&env, Purchase::flat_rate("gold").named("Second"), "adele@contoso.example").await;
    assert!(browser.page().await.body.contains(HEADING));
    switch.set(Failing::Lists);
    let page = browser.page().await.body;
    assert!(page.contains("Your subscription is active") && !page.contains(HEADING), "{page}");
}
