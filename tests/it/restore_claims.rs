//! Who came for a subscription, and what they entered, after a restore that has forgotten it.

use emulator::{Call, Purchase};
use http::StatusCode;
use local::Options;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::browser::{Browser, submit_token};
use crate::restore_env::{RestoreEnv, subject};
use crate::test_env::Answer;

const ADELE: &str = "adele@contoso.example";

async fn env() -> RestoreEnv {
    RestoreEnv::with(Options::default().with("LANDING_SIGN_IN", "entra")).await
}

/// The buyer signs in, and sends the form that the page shows.
async fn comes_and_enters(env: &RestoreEnv, id: Uuid, contact: &str) -> Answer {
    let mut browser = Browser::new(&env.env);
    browser.sign_in(id, ADELE).await;
    let page = browser.page().await;
    let form = [("submit", &*submit_token(&page)), ("contact", contact)];
    assert_eq!(browser.submit(&form).await.status, StatusCode::SEE_OTHER);
    page
}

async fn shown(env: &RestoreEnv, id: Uuid, member: &str) -> Value {
    env.env.get(&format!("/subscriptions/{id}")).await.json()[member].take()
}

/// The types of the events that the product has received of a subscription since a restore.
fn told_since(env: &RestoreEnv, id: Uuid, epoch: u64) -> Vec<(String, bool)> {
    let events = env.product.events().into_iter();
    let of_this = events.filter(|event| subject(event) == id);
    let since = of_this.filter(|event| event["data"]["version"].as_u64() > Some(epoch));
    let name = |event: Value| {
        let kind = event["type"].as_str().expect("a type").to_owned();
        let kind = kind.trim_start_matches("saas-fulfillment.subscription.").to_owned();
        (kind, event["data"]["unclaimed"] == true)
    };
    since.map(name).collect()
}

fn events(names: &[(&str, bool)]) -> Vec<(String, bool)> {
    names.iter().map(|(name, unclaimed)| ((*name).to_owned(), *unclaimed)).collect()
}

#[tokio::test]
async fn a_claim_that_a_restore_forgot_is_made_again_by_the_next_visit() {
    let env = env().await;
    let known = env.env.purchase(Purchase::flat_rate("auto"));
    env.tell().await;
    let copy = env.copy().await;
    // In the lost time: a claim, a purchase with its claim, and a purchase that its buyer confirmed.
    let forgotten = env.env.purchase(Purchase::flat_rate("auto"));
    let confirmed = env.env.purchase(Purchase::flat_rate("silver"));
    env.tell().await;
    for id in [known, forgotten, confirmed] {
        comes_and_enters(&env, id, "before@contoso.example").await;
    }
    env.tell().await;
    assert_eq!(shown(&env, known, "claim").await["state"], "claimed");
    assert_eq!(shown(&env, confirmed, "claim").await, Value::Null);

    env.missed(|_| {});
    env.put_back(&copy).await;
    let epoch = env.restore().await.epoch;
    env.reconcile().await;
    // Who activated what the table doesn't know is as unknown as who came.
    for id in [known, forgotten, confirmed] {
        assert_eq!(shown(&env, id, "claim").await, json!({ "state": "unclaimed" }));
        assert_eq!(shown(&env, id, "signUp").await, Value::Null, "the answers are lost");
    }
    let found = [("purchased.v1", true), ("activated.v1", true)];
    assert_eq!(told_since(&env, known, epoch), events(&[("details-changed.v1", true)]));
    for id in [forgotten, confirmed] {
        assert_eq!(told_since(&env, id, epoch), events(&found));
    }

    let activations = env.env.calls(Call::Activate);
    for id in [known, forgotten, confirmed] {
        let page = comes_and_enters(&env, id, "again@contoso.example").await;
        assert!(page.body.contains("Send details"), "{}", page.body);
        env.tell().await;
        let told = told_since(&env, id, epoch);
        let last = [("claimed.v1", false), ("signed-up.v1", false)];
        assert!(told.ends_with(&events(&last)), "{told:?}");
        assert_eq!(shown(&env, id, "claim").await["role"], "beneficiary");
        assert_eq!(shown(&env, id, "signUp").await["contactEmail"], "again@contoso.example");
        let names = env.env.event_names(id).await;
        assert!(names.ends_with(&["Claimed", "SignedUp"]), "the history has it once: {names:?}");
        assert_eq!(names.iter().filter(|name| **name == "Claimed").count(), 1);
    }
    assert_eq!(env.env.calls(Call::Activate), activations, "nothing is activated again");
    env.assert_product_agrees(&[known, forgotten, confirmed]);
}

#[tokio::test]
async fn a_confirmation_that_a_restore_forgot_leaves_no_unclaimed_purchase() {
    let env = env().await;
    let id = env.env.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&env.env);
    browser.sign_in(id, ADELE).await;
    browser.page().await;
    env.tell().await;
    let copy = env.copy().await;
    browser.sign_in(id, ADELE).await;
    browser.confirm().await;
    env.tell().await;

    env.missed(|_| {});
    env.put_back(&copy).await;
    let epoch = env.restore().await.epoch;
    env.reconcile().await;
    assert_eq!(shown(&env, id, "claim").await, Value::Null);
    let told = [("activated.v1", false), ("details-changed.v1", false)];
    assert_eq!(told_since(&env, id, epoch), events(&told));
    browser.sign_in(id, ADELE).await;
    let page = browser.page().await;
    assert!(page.body.contains("Your subscription is active"), "{}", page.body);
    assert!(!page.body.contains("name=\"contact\""), "{}", page.body);
    assert_eq!(told_since(&env, id, epoch), events(&told));
}
