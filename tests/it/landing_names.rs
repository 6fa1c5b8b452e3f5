//! The names of offers and plans on the landing page: Microsoft's, or the publisher's own.

use emulator::{Call, ErrorForm, FaultKind, Plan, Purchase, Times};
use http::StatusCode;
use local::Options;

use crate::browser::Browser;
use crate::landing::assert_secure;
use crate::landing_manage::customer;
use crate::test_env::TestEnv;

const OFFERS: &str = r#"{
    "per-seat-1": {
        "name": {"en": "Fabrikam Fleet \"'><b>&", "sv": "Fabrikam Fordon"},
        "plans": {"team": {"en": "Crew", "de": "Mannschaft"}}
    }
}"#;

async fn with_names() -> TestEnv {
    TestEnv::with(Options::default().with("LANDING_OFFERS", OFFERS)).await
}

#[tokio::test]
async fn a_plan_has_microsofts_name_and_an_offer_without_a_name_its_id() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::per_seat("team", 12));
    for page in [env.visit(id).await, env.confirm(id).await, env.visit(id).await] {
        assert!(page.body.contains(">Team<"), "{}", page.body);
        assert!(!page.body.contains(">team<"), "{}", page.body);
        assert!(page.body.contains(">per-seat-1<"), "{}", page.body);
    }
    env.world(|world| world.suspend(id)).expect("a suspension");
    assert!(env.visit(id).await.body.contains(">Team<"));
}

#[tokio::test]
async fn a_setting_names_offers_and_plans_in_the_language_of_the_page() {
    let env = with_names().await;
    for purchase in [Purchase::per_seat("team", 12), Purchase::per_seat("team", 12).preview()] {
        let id = env.purchase(purchase);
        let link = env.world(|world| world.landing_link(id));
        for (language, offer, plan) in [
            ("en", "Fabrikam Fleet &#34;&#39;&#62;&#60;b&#62;&#38;", "Crew"),
            ("sv", "Fabrikam Fordon", "Crew"),
            ("de", "Fabrikam Fleet &#34;", "Mannschaft"),
        ] {
            let page = env.send(env.http.get(&link).header("accept-language", language)).await;
            assert_secure(&page);
            assert!(page.body.contains(&format!("<dd>{offer}")), "{language}: {}", page.body);
            assert!(page.body.contains(&format!("<dd>{plan}</dd>")), "{language}: {}", page.body);
            assert!(!page.body.contains("per-seat-1"), "{language}: {}", page.body);
        }
    }
    let other = env.purchase(Purchase::per_seat("basic", 2));
    assert!(env.visit(other).await.body.contains(">Basic<"), "other plans keep Microsoft's name");
}

#[tokio::test]
async fn without_an_answer_about_plans_a_page_shows_the_id() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::per_seat("team", 12));
    for kind in [
        FaultKind::Status(500, ErrorForm::Html),
        FaultKind::Status(404, ErrorForm::Object),
        FaultKind::Status(403, ErrorForm::BareString),
        FaultKind::DropBefore,
        FaultKind::Garbage("<html>".to_owned()),
        FaultKind::Garbage(r#"{"plans":[]}"#.to_owned()),
        FaultKind::Garbage(
            r#"{"plans":[{"planId":"team"},{"planId":"basic","displayName":"B"}]}"#.to_owned(),
        ),
    ] {
        env.fault(Call::ListAvailablePlans, kind.clone(), Times::Always);
        let page = env.visit(id).await;
        env.world(|world| world.faults_mut().clear());
        assert_eq!(page.status, StatusCode::OK, "{kind:?}");
        assert!(page.body.contains("<dd>team</dd>"), "{kind:?}: {}", page.body);
        assert!(!page.body.contains("List price"), "{kind:?}: {}", page.body);
    }
    assert!(env.visit(id).await.body.contains("<dd>Team</dd>"), "the next visit shows the name");
}

#[tokio::test]
async fn a_plan_that_microsofts_list_leaves_out_is_shown_by_its_id() {
    // F-PLN-8.
    let env = TestEnv::new().await;
    env.world(|world| world.settings_mut().behaviour.missing_plan = true);
    let page = env.visit(env.purchase(Purchase::per_seat("team", 12))).await;
    assert!(page.body.contains("<dd>team</dd>"), "{}", page.body);
}

#[tokio::test]
async fn an_ended_subscription_has_the_settings_name_and_microsoft_is_not_asked() {
    // F-PLN-6.
    let env = with_names().await;
    let id = env.active(Purchase::per_seat("team", 12)).await;
    env.world(|world| world.unsubscribe(id)).expect("an end");
    let asked = env.calls(Call::ListAvailablePlans);
    let page = env.visit(id).await;
    assert!(page.body.contains("<dd>Crew</dd>"), "{}", page.body);
    assert_eq!(env.calls(Call::ListAvailablePlans), asked);
}

#[tokio::test]
async fn an_ended_subscription_keeps_the_name_that_microsoft_gave_while_it_ran() {
    let env = TestEnv::with(Options::default().with("LANDING_SIGN_IN", "entra")).await;
    let id = env.purchase(Purchase::per_seat("team", 12));
    let mut browser = Browser::new(&env);
    browser.sign_in(id, "adele@contoso.example").await;
    browser.confirm().await;
    let mut colleague = Browser::new(&env);
    colleague.sign_in(id, "carl@contoso.example").await;
    env.world(|world| world.unsubscribe(id)).expect("an end");
    assert_eq!(env.deliver_statuses().await, [200]);
    for page in [browser.page().await, colleague.page().await] {
        assert!(page.body.contains("<dd>Team</dd>"), "{}", page.body);
        assert!(!page.body.contains("<dd>team</dd>"), "{}", page.body);
        assert!(!page.body.contains("per-seat-1"), "{}", page.body);
    }
}

#[tokio::test]
async fn an_ended_subscription_whose_plan_changed_without_a_visit_shows_no_plan() {
    let env = TestEnv::with(Options::default().with("LANDING_SIGN_IN", "entra")).await;
    let (mut browser, id) = customer(&env, Purchase::flat_rate("silver")).await;
    env.world(|world| world.change_plan(id, "gold")).expect("a change");
    assert_eq!(env.deliver_statuses().await, [200]);
    env.world(|world| world.unsubscribe(id)).expect("an end");
    assert_eq!(env.deliver_statuses().await, [200]);
    let page = browser.page().await;
    assert!(page.body.contains("ended"), "{}", page.body);
    for absent in ["Silver", "silver", "gold", "flat-rate-1", "<dt>Plan</dt>", "<dt>Offer</dt>"] {
        assert!(!page.body.contains(absent), "{absent}: {}", page.body);
    }
}

#[tokio::test]
async fn a_visit_remembers_the_name_of_the_plan_in_force_without_an_event() {
    let env = TestEnv::with(Options::default().with("LANDING_SIGN_IN", "entra")).await;
    let (mut browser, id) = customer(&env, Purchase::flat_rate("silver")).await;
    env.world(|world| world.change_plan(id, "gold")).expect("a change");
    assert_eq!(env.deliver_statuses().await, [200]);
    let events = env.event_names(id).await;
    browser.page().await;
    let once = env.record(id).await.expect("a record");
    let seen = once.seen_plan().expect("the plan in force was seen");
    assert_eq!((&*seen.plan_id, seen.display_name.as_deref()), ("gold", Some("Gold")));
    browser.page().await;
    assert_eq!(env.record(id).await.expect("a record").version, once.version, "it knows");
    assert_eq!(env.event_names(id).await, events);
    let unanswered = FaultKind::Status(500, ErrorForm::Html);
    env.fault(Call::ListAvailablePlans, unanswered, Times::Always);
    let page = browser.page().await;
    assert!(page.body.contains("<dd>Gold</dd>"), "{}", page.body);
    assert!(!page.body.contains("price"), "{}", page.body);
}

#[tokio::test]
async fn a_colleague_reads_the_plans_name_and_the_record_stays() {
    let env = TestEnv::with(Options::default().with("LANDING_SIGN_IN", "entra")).await;
    let id = env.purchase(Purchase::per_seat("team", 12));
    let mut browser = Browser::new(&env);
    browser.sign_in(id, "carl@contoso.example").await;
    let page = browser.page().await;
    assert!(env.record(id).await.is_none(), "a colleague records nothing");
    assert!(page.body.contains("Your company has this subscription"), "{}", page.body);
    assert!(page.body.contains("<dd>Team</dd>"), "{}", page.body);
    assert!(!page.body.contains("price"), "{}", page.body);
}

#[tokio::test]
async fn the_plans_to_choose_from_have_the_settings_names() {
    let options = Options::default()
        .with("LANDING_SIGN_IN", "entra")
        .with("LANDING_OFFERS", r#"{"flat-rate-1":{"plans":{"gold":"Fleet Gold"}}}"#);
    let env = TestEnv::with(options).await;
    env.world(|world| {
        let offer = world.offers_mut().iter_mut().find(|offer| offer.id == "flat-rate-1");
        offer.expect("it").plans.push(Plan::flat_rate("bronze", "", 1.0));
    });
    let (mut browser, _) = customer(&env, Purchase::flat_rate("silver")).await;
    let page = browser.get("/landing/manage").await;
    for (id, name) in [("gold", "Fleet Gold"), ("platinum", "Platinum"), ("bronze", "bronze")] {
        let (_, choice) = page.body.split_once(&format!("value=\"{id}\"")).expect(id);
        let (_, choice) = choice.split_once("<span>").expect("a name");
        assert!(choice.starts_with(name), "{id}: {}", page.body);
    }
}
