//! The landing page (section 8) for each status of the subscription.

use emulator::{Call, ErrorForm, FaultKind, Person, Plan, Purchase, Times};
use http::StatusCode;
use local::{LocalSystem, Options};

use crate::test_env::{Answer, TestEnv};

/// The button that confirms a purchase.
pub(crate) const BUTTON: &str = "<button";

/// Asserts that the page leaks no token, and loads and runs only our own files (F-RES-11).
#[track_caller]
pub(crate) fn assert_secure(answer: &Answer) {
    let header = |name: &str| {
        answer.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    };
    assert_eq!(header("content-type"), "text/html; charset=utf-8");
    assert_eq!(header("referrer-policy"), "no-referrer");
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("x-content-type-options"), "nosniff");
    let policy = header("content-security-policy");
    for directive in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'sha256-",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.split("; ").any(|it| it.starts_with(directive)), "{directive} in {policy}");
    }
    for loose in ["unsafe", "http:", "https:", "data:", "*"] {
        assert!(!policy.contains(loose), "{loose} in {policy}");
    }
    assert!(header("vary").contains("accept-language"));
    let scripts: Vec<&str> = answer.body.split("<script").skip(1).collect();
    assert_eq!(scripts.len(), 1, "one script: {}", answer.body);
    assert!(scripts[0].starts_with(" src=\"/landing/app.js?v="), "{}", scripts[0]);
    assert!(scripts[0].contains("defer></script>"), "the script is a file of its own");
    for source in answer.body.split(" src=\"").skip(1) {
        assert!(source.starts_with("/landing/"), "loaded from elsewhere: {source}");
    }
    for inline in [" style=", " onclick=", " onload=", " onerror=", "javascript:", "http-equiv"] {
        assert!(!answer.body.contains(inline), "{inline} in {}", answer.body);
    }
}

#[tokio::test]
async fn t_26_a_new_purchase_is_shown_with_a_button_to_confirm() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::per_seat("team", 12).named("Fleet of twelve").term("P1Y"));
    let page = env.visit(id).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_secure(&page);
    // F-LP-5: offer, plan, seats, billing term, and beneficiary.
    for shown in ["Fleet of twelve", "per-seat-1", "Team", "12", "1 year", "adele@contoso.example"]
    {
        assert!(page.body.contains(shown), "{shown} in {}", page.body);
    }
    assert!(page.body.contains(BUTTON));
    assert_eq!(env.event_names(id).await, ["Purchased"]);
    assert_eq!(env.calls(Call::Activate), 0, "a visit alone activates nothing (F-ACT-9)");
}

#[tokio::test]
async fn t_26_a_manage_visit_shows_the_subscription_and_offers_nothing_to_confirm() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 3)).await;
    let activations = env.calls(Call::Activate);
    let page = env.visit(id).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_secure(&page);
    assert!(page.body.contains("active"), "{}", page.body);
    assert!(page.body.contains("Basic"));
    assert!(!page.body.contains(BUTTON));
    assert_eq!(env.calls(Call::Activate), activations);
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn t_26_a_suspended_subscription_says_that_the_payment_failed_and_is_not_activated() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    let activations = env.calls(Call::Activate);
    env.world(|world| world.suspend(id)).expect("a suspension");
    for page in [env.visit(id).await, env.confirm(id).await] {
        assert_eq!(page.status, StatusCode::OK);
        assert_secure(&page);
        assert!(page.body.contains("The payment didn’t go through"), "{}", page.body);
        assert!(!page.body.contains(BUTTON));
    }
    assert_eq!(env.calls(Call::Activate), activations, "F-ACT-4, F-LP-11");
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated", "Suspended"]);
}

#[tokio::test]
async fn t_26_an_ended_subscription_is_explained_and_a_new_purchase_is_suggested() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    let activations = env.calls(Call::Activate);
    env.world(|world| world.unsubscribe(id)).expect("an end");
    for page in [env.visit(id).await, env.confirm(id).await] {
        assert_eq!(page.status, StatusCode::OK);
        assert_secure(&page);
        assert!(page.body.contains("ended"), "{}", page.body);
        assert!(page.body.contains("buy it again"), "{}", page.body);
        assert!(!page.body.contains(BUTTON));
    }
    assert_eq!(env.calls(Call::Activate), activations);
}

#[tokio::test]
async fn t_26_an_unknown_status_is_said_to_be_unclear_and_has_no_button() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    env.world(|world| {
        world.settings_mut().oddities.subscription_status = Some("NotStarted".to_owned());
    });
    for page in [env.visit(id).await, env.confirm(id).await] {
        assert_eq!(page.status, StatusCode::OK);
        assert_secure(&page);
        assert!(page.body.contains("Status unclear"), "{}", page.body);
        assert!(!page.body.contains("NotStarted"), "{}", page.body);
        assert!(!page.body.contains(BUTTON));
    }
    assert_eq!(env.calls(Call::Activate), 0);
}

#[tokio::test]
async fn t_26_every_value_from_microsoft_is_escaped() {
    let env = TestEnv::new().await;
    let evil = |name: &str| format!("\"'><script>alert('{name}')</script>&{name}");
    env.world(|world| {
        let plan = Plan::per_seat(&evil("plan"), &evil("plan"), 1.0, 1, 9);
        world.offers_mut().push(emulator::Offer { id: evil("offer"), plans: vec![plan] });
    });
    let person = Person { email: evil("mail"), ..Person::adele() };
    let id = env.purchase(
        Purchase::of(&evil("offer"), &evil("plan"), Some(2))
            .named(&evil("name"))
            .term(&evil("term"))
            .by(person),
    );
    let assert_escaped = |page: &Answer, state: &str| {
        assert_eq!(page.status, StatusCode::OK, "{state}");
        assert_secure(page);
        // An ended offer without a name is left out.
        let offer = (state != "ended").then_some("offer");
        for name in ["plan", "name", "mail"].into_iter().chain(offer) {
            assert!(page.body.contains(&format!("&#38;{name}")), "{name} {state}: {}", page.body);
        }
        assert!(!page.body.contains("\"'>"), "{state}");
    };
    assert_escaped(&env.visit(id).await, "pending");
    assert_escaped(&env.confirm(id).await, "active");
    env.world(|world| world.suspend(id)).expect("a suspension");
    assert_escaped(&env.visit(id).await, "suspended");
    env.world(|world| world.unsubscribe(id)).expect("an end");
    assert_escaped(&env.visit(id).await, "ended");

    let other = env.purchase(Purchase::flat_rate("silver"));
    env.world(|world| world.settings_mut().oddities.subscription_status = Some(evil("status")));
    let page = env.visit(other).await;
    assert_secure(&page);
    assert!(!page.body.contains("alert('status')"), "{}", page.body);
}

#[tokio::test]
async fn padded_values_from_microsoft_are_trimmed() {
    // F-GEN-11, F-WHP-7, F-OBJ-4.
    let env = TestEnv::new().await;
    env.world(|world| {
        let oddities = &mut world.settings_mut().oddities;
        oddities.padded_strings = true;
        oddities.numbers_as_strings = true;
        oddities.null_person_ids = true;
        oddities.extra_fields = true;
    });
    let id = env.purchase(Purchase::per_seat("basic", 25));
    let page = env.visit(id).await;
    assert!(page.body.contains(BUTTON), "{}", page.body);
    assert!(page.body.contains(">25<"), "{}", page.body);
    assert!(page.body.contains(">adele@contoso.example<"), "{}", page.body);
    env.confirm(id).await;
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn a_short_resolve_answer_is_completed_by_get_subscription() {
    // F-RES-6.
    let env = TestEnv::new().await;
    env.world(|world| world.settings_mut().oddities.short_resolve = true);
    let id = env.purchase(Purchase::per_seat("basic", 4));
    assert!(env.visit(id).await.body.contains(BUTTON));
    assert_eq!(env.record(id).await.expect("a record").subscription.quantity, Some(4));
}

#[tokio::test]
async fn t_13_a_resellers_customer_sees_who_manages_the_subscription_and_no_controls() {
    // F-SEED-9: either party may open the page.
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::per_seat("basic", 4).by_reseller());
    let pending = env.visit(id).await;
    assert!(pending.body.contains("adele@contoso.example"), "{}", pending.body);
    assert!(pending.body.contains("rita@reseller.example"), "{}", pending.body);
    assert!(pending.body.contains("was bought for you"), "{}", pending.body);
    assert!(pending.body.contains("your reseller sets the price"), "{}", pending.body);
    assert!(!pending.body.contains("invoice from Microsoft"), "{}", pending.body);
    let active = env.confirm(id).await;
    assert!(active.body.contains("reseller manages"), "{}", active.body);
    for control in [BUTTON, "<form", "<input", "<select", "<a "] {
        assert!(!active.body.contains(control), "{control} in {}", active.body);
    }
}

#[tokio::test]
async fn an_outage_at_microsoft_is_a_503_page_that_asks_to_try_again() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let faults: [(Call, FaultKind); 4] = [
        (Call::Resolve, FaultKind::Status(500, ErrorForm::Nested)),
        (Call::Resolve, FaultKind::RetryAfter(429, "3600".to_owned())),
        (Call::Resolve, FaultKind::DropBefore),
        (Call::Resolve, FaultKind::Garbage("<html>".to_owned())),
    ];
    for (call, kind) in faults {
        env.fault(call, kind.clone(), Times::Always);
        let page = env.visit(id).await;
        env.world(|world| world.faults_mut().clear());
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{kind:?}");
        assert_secure(&page);
        assert!(page.body.contains("try again"), "{}", page.body);
        assert!(!page.body.contains("unexpected error"), "{}", page.body);
    }
    assert!(env.visit(id).await.body.contains(BUTTON), "the next visit works");
}

#[tokio::test]
async fn a_fault_of_the_settings_is_a_500_page_that_blames_neither_the_link_nor_the_buyer() {
    // F-ERR-5.
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    for (call, kind) in [
        (Call::Resolve, FaultKind::Status(401, ErrorForm::Empty)),
        (Call::Resolve, FaultKind::Status(403, ErrorForm::BareString)),
        (Call::Resolve, FaultKind::Status(404, ErrorForm::Html)),
        (Call::Resolve, FaultKind::Status(404, ErrorForm::Empty)),
        (Call::Resolve, FaultKind::Status(405, ErrorForm::Empty)),
        (Call::Resolve, FaultKind::Status(415, ErrorForm::Empty)),
    ] {
        env.fault(call, kind.clone(), Times::Always);
        let page = env.visit(id).await;
        env.world(|world| world.faults_mut().clear());
        assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR, "{kind:?}");
        assert_secure(&page);
        assert!(page.body.contains("on our side"), "{}", page.body);
        assert!(!page.body.contains("<a "), "another try doesn't help: {}", page.body);
    }
    // Microsoft's own 404 is about the token.
    env.fault(Call::Resolve, FaultKind::Status(404, ErrorForm::Object), Times::Once);
    assert_eq!(env.visit(id).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_visit_survives_one_failed_call_to_microsoft() {
    // F-ERR-1, F-ERR-2: Resolve may be repeated.
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    for kind in [
        FaultKind::Status(500, ErrorForm::Html),
        FaultKind::RetryAfter(429, "2".to_owned()),
        FaultKind::LoseAnswer,
        FaultKind::Status(401, ErrorForm::Empty),
        FaultKind::Status(403, ErrorForm::BareString),
    ] {
        env.fault(Call::Resolve, kind.clone(), Times::Once);
        let page = env.visit(id).await;
        assert_eq!(page.status, StatusCode::OK, "{kind:?}");
    }
    assert_eq!(env.event_names(id).await, ["Purchased"], "five visits, one purchase");
}

#[tokio::test]
async fn every_visit_shows_microsofts_current_state() {
    // F-LP-3: the page follows the resolved status, so it also repairs a missed webhook.
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 3)).await;
    env.world(|world| {
        world.suspend(id).expect("a suspension");
        world.lose_deliveries();
    });
    assert!(env.visit(id).await.body.contains("The payment didn’t go through"));
    assert_eq!(env.record(id).await.expect("a record").status().as_str(), "Suspended");
}

#[tokio::test]
async fn an_unknown_sign_in_mode_stops_the_start() {
    // A typing error must not switch the sign-in off (F-LP-6, F-LP-9).
    for value in ["on", "none", "Off"] {
        let started =
            LocalSystem::start(Options::default().with("LANDING_SIGN_IN", value)).await.err();
        let message = started.expect("no start").to_string();
        assert!(message.contains("LANDING_SIGN_IN"), "{message}");
    }
}

#[tokio::test]
async fn sign_in_is_off_only_where_no_other_machine_can_open_the_page() {
    let started = async |base_url: &str| {
        let options = Options::default().with("LANDING_SIGN_IN", "off");
        LocalSystem::start(options.with("LANDING_BASE_URL", base_url)).await.map(drop)
    };
    for base_url in ["https://signup.example.com", "https://localhost.example.com"] {
        let message = started(base_url).await.expect_err(base_url).to_string();
        assert!(message.contains("LANDING_SIGN_IN"), "{message}");
    }
    for base_url in ["http://localhost:8080", "http://127.0.0.1", "https://[::1]:8443"] {
        started(base_url).await.expect(base_url);
    }
}
