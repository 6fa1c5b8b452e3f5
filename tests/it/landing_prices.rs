//! List prices on the landing page, held against Microsoft's plans (F-PLN).

use std::time::Duration;

use emulator::{Call, ErrorForm, FaultKind, Purchase, Times};
use http::StatusCode;
use serde_json::json;
use uuid::Uuid;

use crate::browser::{Browser, submit_token};
use crate::landing::assert_secure;
use crate::landing_manage::{MANAGE, customer, submit};
use crate::sign_in::env_with_sign_in;
use crate::test_env::TestEnv;

/// Microsoft's answer about the one plan of a purchase: `price` is its JSON text.
fn plan(id: &str, per_seat: bool, terms: &[(&str, &str, &str)]) -> FaultKind {
    let terms: Vec<String> = terms
        .iter()
        .map(|(unit, price, currency)| {
            format!(r#"{{"currency":"{currency}","price":{price},"termUnit":"{unit}"}}"#)
        })
        .collect();
    FaultKind::Garbage(format!(
        r#"{{"plans":[{{"planId":"{id}","displayName":"The plan","isPrivate":false,
            "isPricePerSeat":{per_seat},
            "planComponents":{{"recurrentBillingTerms":[{}]}}}}]}}"#,
        terms.join(",")
    ))
}

/// The page of a purchase in a language.
async fn page(env: &TestEnv, id: Uuid, language: &str) -> String {
    let link = env.world(|world| world.landing_link(id));
    let page = env.send(env.http.get(link).header("accept-language", language)).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_secure(&page);
    page.body
}

/// The rows of a page's lists.
fn row(label: &str, value: &str) -> String {
    format!("<dt>{label}</dt><dd>{value}</dd>")
}

#[tokio::test]
async fn a_flat_rate_has_the_list_price_of_its_term_in_currency_and_language() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    for (price, currency, english, swedish, german) in [
        ("49", "USD", "US$49.00", "49,00\u{a0}US$", "49,00\u{a0}US-$"),
        ("0.0", "USD", "US$0.00", "0,00\u{a0}US$", "0,00\u{a0}US-$"),
        ("1234.5", "EUR", "€1,234.50", "1\u{a0}234,50\u{a0}€", "1.234,50\u{a0}€"),
        ("0.005", "EUR", "€0.005", "0,005\u{a0}€", "0,005\u{a0}€"),
        ("99.90", "SEK", "SEK\u{a0}99.90", "99,90\u{a0}kr", "99,90\u{a0}SEK"),
        ("120000.0", "JPY", "JPY\u{a0}120,000", "120\u{a0}000\u{a0}JPY", "120.000\u{a0}JPY"),
        ("1.25E2", "KWD", "KWD\u{a0}125.000", "125,000\u{a0}KWD", "125,000\u{a0}KWD"),
        ("\" 7.5 \"", "CHF", "CHF\u{a0}7.50", "7,50\u{a0}CHF", "7,50\u{a0}CHF"),
    ] {
        let answer = plan("silver", false, &[("P1Y", "1", "EUR"), ("P1M", price, currency)]);
        env.fault(Call::ListAvailablePlans, answer, Times::Always);
        for (language, label, value) in [
            ("en", "List price", format!("{english} per month")),
            ("sv", "Listpris", format!("{swedish} per månad")),
            ("de", "Listenpreis", format!("{german} pro Monat")),
        ] {
            let page = page(&env, id, language).await;
            assert!(page.contains(&row(label, &value)), "{price} {currency}: {page}");
        }
        env.world(|world| world.faults_mut().clear());
    }
}

#[tokio::test]
async fn a_plan_by_the_seat_has_the_price_of_a_seat_and_of_all_seats() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::per_seat("team", 12));
    let english = page(&env, id, "en").await;
    for (label, value) in [
        ("List price", "US$4.25 per seat per month"),
        ("List price for all seats", "US$51.00 per month"),
    ] {
        assert!(english.contains(&row(label, value)), "{value} in {english}");
    }
    assert!(english.contains("Your invoice from Microsoft is what counts."), "{english}");
    let yearly = env.purchase(Purchase::per_seat("team", 7).term("P3Y"));
    let three_years = plan("team", true, &[("P3Y", "0.1", "EUR")]);
    env.fault(Call::ListAvailablePlans, three_years, Times::Always);
    let german = page(&env, yearly, "de").await;
    for (label, value) in [
        ("Listenpreis", "0,10\u{a0}€ pro Lizenz für 3 Jahre"),
        ("Listenpreis für alle Lizenzen", "0,70\u{a0}€ für 3 Jahre"),
    ] {
        assert!(german.contains(&row(label, value)), "{value} in {german}");
    }
}

#[tokio::test]
async fn a_price_in_a_free_trial_is_that_after_it() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::per_seat("basic", 5).free_trial());
    let page = page(&env, id, "en").await;
    for (label, value) in [
        ("List price after the trial", "US$5.00 per seat per month"),
        ("List price for all seats after the trial", "US$25.00 per month"),
    ] {
        assert!(page.contains(&row(label, value)), "{value} in {page}");
    }
    assert!(!page.contains("<dt>List price</dt>"), "{page}");
}

#[tokio::test]
async fn no_price_is_shown_that_may_not_be_the_buyers() {
    let env = TestEnv::new().await;
    let month = [("P1M", "49", "USD")];
    let plain = Purchase::flat_rate("silver");
    for (case, purchase, answer) in [
        ("a private offer", plain.clone().private_offer(), None),
        ("a private plan", Purchase::flat_rate("enterprise").by(emulator::Person::guest()), None),
        ("another term", plain.clone().term("P1Y"), None),
        ("a term without a price", plain.clone().term("P18M"), Some(plan("silver", false, &month))),
        (
            "a term in no words",
            plain.clone().term("PAY"),
            Some(plan("silver", false, &[("PAY", "1", "USD")])),
        ),
        ("no price", plain.clone(), Some(plan("silver", false, &[("P1M", "null", "USD")]))),
        ("a negative one", plain.clone(), Some(plan("silver", false, &[("P1M", "-1", "USD")]))),
        (
            "two prices",
            plain.clone(),
            Some(plan("silver", false, &[month[0], ("P1M", "50", "USD")])),
        ),
        ("a price by the seat", plain.clone(), Some(plan("silver", true, &month))),
        ("no currency", plain.clone(), Some(plan("silver", false, &[("P1M", "49", "")]))),
        ("another plan", plain, Some(plan("gold", false, &month))),
    ] {
        let id = env.purchase(purchase);
        if let Some(answer) = answer {
            env.fault(Call::ListAvailablePlans, answer, Times::Always);
        }
        let page = page(&env, id, "en").await;
        env.world(|world| world.faults_mut().clear());
        assert!(!page.contains("price") && !page.contains("US$"), "{case}: {page}");
    }
}

#[tokio::test]
async fn an_outage_of_the_plans_costs_the_price_and_a_few_seconds_at_most() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    for kind in [
        FaultKind::Status(500, ErrorForm::Nested),
        FaultKind::RetryAfter(429, "3600".to_owned()),
        FaultKind::DropBefore,
        FaultKind::Hang,
    ] {
        env.fault(Call::ListAvailablePlans, kind.clone(), Times::Always);
        let begun = env.world(|world| world.now());
        let page = page(&env, id, "en").await;
        env.world(|world| world.faults_mut().clear());
        let taken = env.world(|world| world.now()).duration_since(begun);
        assert!(!page.contains("price"), "{kind:?}: {page}");
        assert!(page.contains("<button"), "the purchase can be confirmed: {page}");
        assert!(taken.unsigned_abs() < Duration::from_secs(4), "{kind:?}: {taken}");
    }
}

#[tokio::test]
async fn a_page_asks_for_plans_once_and_a_page_that_polls_never() {
    let env = env_with_sign_in().await;
    let (mut browser, id) = customer(&env, Purchase::flat_rate("silver")).await;
    let mut asked = env.calls(Call::ListAvailablePlans);
    let mut since = || {
        let before = std::mem::replace(&mut asked, env.calls(Call::ListAvailablePlans));
        asked - before
    };
    assert!(browser.page().await.body.contains("US$49.00"));
    assert_eq!(since(), 1);
    let poll = env.http.get(env.url("/landing")).header("sec-fetch-dest", "empty");
    assert_eq!(browser.send(poll).await.status, StatusCode::OK);
    assert_eq!(since(), 0);
    let choices = browser.get(MANAGE).await;
    assert!(choices.body.contains("US$49.00"), "{}", choices.body);
    assert_eq!(since(), 1, "the page before has learned that no private offer is behind it");
    let submit = submit_token(&choices);
    let mut form = vec![("submit", &*submit), ("want", "plan"), ("plan", "gold")];
    let post = |form: &[(&str, &str)]| env.http.post(env.url(MANAGE)).form(form);
    let question = browser.send(post(&form)).await;
    assert!(question.body.contains("US$99.00"), "{}", question.body);
    assert_eq!(since(), 1);
    form.push(("confirmed", "yes"));
    browser.send(post(&form)).await;
    assert_eq!(since(), 1);
    env.deliver().await;
    env.world(|world| world.unsubscribe(id)).expect("an end");
    assert!(!browser.page().await.body.contains("price"));
    assert_eq!(since(), 0);
}

/// A row of a confirmation, with the value before and after.
fn step(label: &str, from: &str, to: &str) -> String {
    format!(
        "<dt>{label}</dt><dd><span class=\"quiet\">{from}</span> <strong><span aria-hidden=\"true\">→</span> \
         <span class=\"unseen\">changes to</span> {to}</strong></dd>"
    )
}

#[tokio::test]
async fn a_confirmation_shows_plan_and_price_before_and_after() {
    let env = env_with_sign_in().await;
    let (mut browser, _) = customer(&env, Purchase::flat_rate("silver")).await;
    let choices = browser.get(MANAGE).await.body;
    assert!(!choices.contains(" checked"), "no dearer plan is chosen in advance: {choices}");
    let gold = "Gold <span class=\"quiet\">US$99.00 per month</span>";
    assert!(choices.contains(gold), "{choices}");
    let question = submit(&env, &mut browser, &[("want", "plan"), ("plan", "gold")]).await.body;
    for step in [
        step("Plan", "Silver", "Gold"),
        step("List price", "US$49.00 per month", "US$99.00 per month"),
    ] {
        assert!(question.contains(&step), "{step} in {question}");
    }
    let (mut browser, _) = customer(&env, Purchase::per_seat("basic", 10)).await;
    let question = submit(&env, &mut browser, &[("want", "seats"), ("seats", "30")]).await.body;
    for step in [
        step("Seats", "10", "30"),
        "<dt>List price</dt><dd>US$5.00 per seat per month</dd>".to_owned(),
        step("List price for all seats", "US$50.00 per month", "US$150.00 per month"),
    ] {
        assert!(question.contains(&step), "{step} in {question}");
    }
    let question = submit(&env, &mut browser, &[("want", "plan"), ("plan", "team")]).await.body;
    for step in [
        step("Plan", "Basic", "Team"),
        step("List price", "US$5.00 per seat per month", "US$4.25 per seat per month"),
        step("List price for all seats", "US$50.00 per month", "US$42.50 per month"),
        "<dt>Seats</dt><dd>10</dd>".to_owned(),
    ] {
        assert!(question.contains(&step), "{step} in {question}");
    }
    let cancel = submit(&env, &mut browser, &[("want", "cancel")]).await.body;
    assert!(cancel.contains("<dt>Plan</dt><dd>Basic</dd>"), "{cancel}");
    for wrong in ["Renews on", "price", "takes effect"] {
        assert!(!cancel.contains(wrong), "{wrong} in {cancel}");
    }
}

#[tokio::test]
async fn a_page_of_changes_asks_for_the_own_plan_if_no_page_has_seen_it() {
    // F-PLN-4.
    let env = env_with_sign_in().await;
    let (mut browser, id) = customer(&env, Purchase::flat_rate("silver")).await;
    env.world(|world| world.change_plan(id, "gold")).expect("a change");
    env.deliver().await;
    let asked = env.calls(Call::ListAvailablePlans);
    for calls in [2, 3] {
        let page = browser.get(MANAGE).await;
        assert!(page.body.contains("US$99.00"), "{}", page.body);
        assert_eq!(env.calls(Call::ListAvailablePlans) - asked, calls);
    }
}

#[tokio::test]
async fn a_private_offer_is_changed_without_any_price() {
    let env = env_with_sign_in().await;
    let (mut browser, _) = customer(&env, Purchase::flat_rate("silver").private_offer()).await;
    let choices = browser.get(MANAGE).await.body;
    assert!(choices.contains("<span>Gold</span>"), "{choices}");
    let question = submit(&env, &mut browser, &[("want", "plan"), ("plan", "gold")]).await.body;
    assert!(question.contains(&step("Plan", "Silver", "Gold")), "{question}");
    for page in [choices, question] {
        assert!(!page.contains("price") && !page.contains("US$"), "{page}");
    }
}

#[tokio::test]
async fn a_change_to_a_plan_without_a_price_for_the_term_shows_the_plans_alone() {
    let env = env_with_sign_in().await;
    let (mut browser, _) = customer(&env, Purchase::flat_rate("silver")).await;
    let term = |price| json!([{ "currency": "USD", "price": price, "termUnit": "P1M" }]);
    let listed = |id: &str, name: &str, terms| {
        json!({ "planId": id, "displayName": name, "isPrivate": false, "isPricePerSeat": false,
                "planComponents": { "recurrentBillingTerms": terms } })
    };
    let plans = json!({ "plans": [listed("silver", "Silver", term(49)), listed("gold", "Gold", json!([]))] });
    env.fault(Call::ListAvailablePlans, FaultKind::Garbage(plans.to_string()), Times::Always);
    let question = submit(&env, &mut browser, &[("want", "plan"), ("plan", "gold")]).await.body;
    assert!(question.contains(&step("Plan", "Silver", "Gold")), "{question}");
    assert!(!question.contains("price"), "{question}");
    let mut anonymous = Browser::new(&env);
    assert!(!anonymous.page().await.body.contains("price"));
}
