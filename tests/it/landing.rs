//! The landing page (section 8): what a buyer sees, by token and by status.

use std::time::Duration;

use emulator::{Call, ErrorForm, FaultKind, Person, Plan, Purchase, Times};
use http::StatusCode;
use local::Options;

use crate::scene::{Answer, Scene};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// The button that confirms a purchase.
const BUTTON: &str = "<button";

/// Every page keeps the token where it is, and runs and loads nothing but what is ours (F-RES-11).
pub(crate) fn is_sealed(answer: &Answer) {
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
    assert_eq!(scripts.len(), 1, "the one script: {}", answer.body);
    assert!(scripts[0].starts_with(" src=\"/landing/app.js?v="), "{}", scripts[0]);
    assert!(scripts[0].contains("defer></script>"), "nothing of it is in the page");
    for source in answer.body.split(" src=\"").skip(1) {
        assert!(source.starts_with("/landing/"), "loaded from elsewhere: {source}");
    }
    for inline in [" style=", " onclick=", " onload=", " onerror=", "javascript:", "http-equiv"] {
        assert!(!answer.body.contains(inline), "{inline} in {}", answer.body);
    }
}

/// What F-RES-9 says a visitor with a bad token is to be told.
fn guides_back_to_microsoft(answer: &Answer) {
    assert!(answer.body.contains("Configure account"), "{}", answer.body);
    assert!(answer.body.contains("Manage account"), "{}", answer.body);
    for trace in ["panicked", "Error(", "Refused", "InvalidValue", "decrypted", "backtrace"] {
        assert!(!answer.body.contains(trace), "{trace} in {}", answer.body);
    }
    assert!(!answer.body.contains(BUTTON), "nothing to confirm");
}

async fn visit_with(scene: &Scene, raw: &str) -> Answer {
    scene.get(&format!("/landing?token={raw}")).await
}

#[tokio::test]
async fn t_26_a_new_purchase_shows_what_was_bought_and_offers_to_confirm() {
    let scene = Scene::new().await;
    let id = scene.purchase(Purchase::per_seat("team", 12).named("Fleet of twelve").term("P1Y"));
    let page = scene.visit(id).await;
    assert_eq!(page.status, StatusCode::OK);
    is_sealed(&page);
    // F-LP-5: offer, plan, seats, billing term, and whom it is for.
    for shown in ["Fleet of twelve", "per-seat-1", "team", "12", "1 year", "adele@contoso.example"]
    {
        assert!(page.body.contains(shown), "{shown} in {}", page.body);
    }
    assert!(page.body.contains(BUTTON));
    assert_eq!(scene.event_names(id).await, ["Purchased"]);
    assert_eq!(scene.calls(Call::Activate), 0, "a visit alone activates nothing (F-ACT-9)");
}

#[tokio::test]
async fn t_26_a_manage_visit_shows_the_subscription_and_offers_nothing_to_confirm() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::per_seat("basic", 3)).await;
    let activations = scene.calls(Call::Activate);
    let page = scene.visit(id).await;
    assert_eq!(page.status, StatusCode::OK);
    is_sealed(&page);
    assert!(page.body.contains("active"), "{}", page.body);
    assert!(page.body.contains("basic"));
    assert!(!page.body.contains(BUTTON));
    assert_eq!(scene.calls(Call::Activate), activations);
    assert_eq!(scene.event_names(id).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn t_26_a_suspended_subscription_says_that_payment_is_due_and_is_not_activated() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::flat_rate("silver")).await;
    let activations = scene.calls(Call::Activate);
    scene.world(|world| world.suspend(id)).expect("a suspension");
    for page in [scene.visit(id).await, scene.confirm(id).await] {
        assert_eq!(page.status, StatusCode::OK);
        is_sealed(&page);
        assert!(page.body.contains("Payment is due"), "{}", page.body);
        assert!(!page.body.contains(BUTTON));
    }
    assert_eq!(scene.calls(Call::Activate), activations, "F-ACT-4, F-LP-11");
    assert_eq!(scene.event_names(id).await, ["Purchased", "Activated", "Suspended"]);
}

#[tokio::test]
async fn t_26_an_ended_subscription_is_explained_and_a_new_purchase_is_suggested() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::flat_rate("silver")).await;
    let activations = scene.calls(Call::Activate);
    scene.world(|world| world.unsubscribe(id)).expect("an end");
    for page in [scene.visit(id).await, scene.confirm(id).await] {
        assert_eq!(page.status, StatusCode::OK);
        is_sealed(&page);
        assert!(page.body.contains("ended"), "{}", page.body);
        assert!(page.body.contains("buy it anew"), "{}", page.body);
        assert!(!page.body.contains(BUTTON));
    }
    assert_eq!(scene.calls(Call::Activate), activations);
}

#[tokio::test]
async fn t_26_a_status_nobody_knows_yet_is_shown_and_offers_nothing() {
    let scene = Scene::new().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    scene.world(|world| {
        world.settings_mut().oddities.subscription_status = Some("NotStarted".to_owned());
    });
    for page in [scene.visit(id).await, scene.confirm(id).await] {
        assert_eq!(page.status, StatusCode::OK);
        is_sealed(&page);
        assert!(page.body.contains("NotStarted"), "{}", page.body);
        assert!(!page.body.contains(BUTTON));
    }
    assert_eq!(scene.calls(Call::Activate), 0);
}

#[tokio::test]
async fn t_26_a_visit_without_a_token_gets_information() {
    let scene = Scene::new().await;
    for path in ["/landing", "/landing?", "/landing?token=", "/landing?utm_source=x"] {
        let page = scene.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "F-LP-4: {path}");
        is_sealed(&page);
        guides_back_to_microsoft(&page);
    }
    let confirmed = scene.send(scene.http.post(scene.url("/landing")).body("")).await;
    assert_eq!(confirmed.status, StatusCode::OK);
    guides_back_to_microsoft(&confirmed);
    assert_eq!(scene.calls(Call::Resolve), 0, "there is nothing to ask Microsoft");
}

#[tokio::test]
async fn t_7_an_expired_token_leads_to_guidance() {
    let scene = Scene::new().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let link = scene.world(|world| world.landing_link(id));
    // Within its 24 hours the link works as often as it is opened (F-RES-4).
    scene.advance(23 * HOUR);
    for _ in 0..2 {
        let page = scene.send(scene.http.get(&link)).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains(BUTTON));
    }
    scene.advance(2 * HOUR);
    let page = scene.send(scene.http.get(&link)).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    is_sealed(&page);
    guides_back_to_microsoft(&page);
    // A new link for the same purchase works.
    assert!(scene.visit(id).await.body.contains(BUTTON));
}

#[tokio::test]
async fn t_7_a_tampered_token_leads_to_guidance_and_is_not_shown() {
    let scene = Scene::new().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let token = scene.world(|world| world.purchase_token(id));
    let other = if token.starts_with('A') { "B" } else { "A" };
    let tampered = format!("{other}{}", &token[1..]);
    for raw in [
        tampered.replace('+', "%2B"),
        token[..token.len() - 4].replace('+', "%2B"),
        "%3Cscript%3Ealert(1)%3C/script%3E".to_owned(),
        "..%2F..%2Fsubscriptions".to_owned(),
        "x".repeat(8000),
    ] {
        let page = visit_with(&scene, &raw).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{raw}");
        is_sealed(&page);
        guides_back_to_microsoft(&page);
        assert!(!page.body.contains(&token[8..40]), "the token is not shown");
    }
    // What cannot stand in a header is no token, and the page behaves (F-LP-4).
    for raw in ["%00", "%0d%0aHost:%20evil", "%ff%fe", "caf%C3%A9"] {
        let page = visit_with(&scene, raw).await;
        assert!(
            matches!(page.status, StatusCode::OK | StatusCode::BAD_REQUEST),
            "{raw}: {}",
            page.status
        );
        guides_back_to_microsoft(&page);
    }
    assert!(scene.record(id).await.is_none(), "nothing was learnt of the purchase");
}

#[tokio::test]
async fn t_7_every_form_of_a_refusing_400_leads_to_guidance() {
    let scene = Scene::new().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    for form in ErrorForm::ALL {
        scene.fault(Call::Resolve, FaultKind::Status(400, form), Times::Once);
        let page = scene.visit(id).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{form:?}");
        guides_back_to_microsoft(&page);
        assert!(!page.body.contains("unexpected error"), "Microsoft's words stay out: {form:?}");
    }
}

#[tokio::test]
async fn t_6_the_token_survives_whatever_became_of_its_plus_on_the_way() {
    let scene = Scene::new().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let token = scene.world(|world| world.purchase_token(id));
    assert!(token.contains('+') && token.contains('/') && token.contains('='), "F-RES-3");
    let encoded = token.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    for raw in [
        encoded.clone(),
        // Decoded once already by something in front of us.
        token.clone(),
        // Decoded twice: the plus has become a blank.
        token.replace('+', "%20"),
        encoded.replace("%2B", "%2b"),
    ] {
        let page = visit_with(&scene, &raw).await;
        assert_eq!(page.status, StatusCode::OK, "{raw}");
        assert!(page.body.contains(BUTTON), "{raw}");
    }
    // Exactly once: a token encoded twice is another token (F-RES-2).
    let twice = visit_with(&scene, &encoded.replace('%', "%25")).await;
    assert_eq!(twice.status, StatusCode::BAD_REQUEST);
    // Other parameters of the configured address are kept by Microsoft (F-LP-1).
    let page = scene.get(&format!("/landing?campaign=a%20b&token={encoded}&x=1")).await;
    assert!(page.body.contains(BUTTON));
}

#[tokio::test]
async fn t_26_everything_that_comes_from_microsoft_is_escaped() {
    let scene = Scene::new().await;
    let evil = |what: &str| format!("\"'><script>alert('{what}')</script>&{what}");
    scene.world(|world| {
        let plan = Plan { id: evil("plan"), ..Plan::per_seat("p", "P", 1.0, 1, 9) };
        world.offers_mut().push(emulator::Offer { id: evil("offer"), plans: vec![plan] });
    });
    let person = Person { email: evil("mail"), ..Person::adele() };
    let id = scene.purchase(
        Purchase::of(&evil("offer"), &evil("plan"), Some(2))
            .named(&evil("name"))
            .term(&evil("term"))
            .by(person),
    );
    let is_escaped = |page: &Answer, state: &str| {
        assert_eq!(page.status, StatusCode::OK, "{state}");
        is_sealed(page);
        for what in ["plan", "offer", "name", "mail"] {
            assert!(page.body.contains(&format!("&#38;{what}")), "{what} {state}: {}", page.body);
        }
        assert!(!page.body.contains("\"'>"), "{state}");
    };
    is_escaped(&scene.visit(id).await, "pending");
    is_escaped(&scene.confirm(id).await, "active");
    scene.world(|world| world.suspend(id)).expect("a suspension");
    is_escaped(&scene.visit(id).await, "suspended");
    scene.world(|world| world.unsubscribe(id)).expect("an end");
    is_escaped(&scene.visit(id).await, "ended");

    let other = scene.purchase(Purchase::flat_rate("silver"));
    scene.world(|world| world.settings_mut().oddities.subscription_status = Some(evil("status")));
    let page = scene.visit(other).await;
    is_sealed(&page);
    assert!(page.body.contains("&#38;status"), "{}", page.body);
}

#[tokio::test]
async fn blanks_around_what_microsoft_sends_change_nothing() {
    // F-GEN-11, F-WHP-7, F-OBJ-4.
    let scene = Scene::new().await;
    scene.world(|world| {
        let oddities = &mut world.settings_mut().oddities;
        oddities.padded_strings = true;
        oddities.numbers_as_strings = true;
        oddities.null_person_ids = true;
        oddities.extra_fields = true;
    });
    let id = scene.purchase(Purchase::per_seat("basic", 25));
    let page = scene.visit(id).await;
    assert!(page.body.contains(BUTTON), "{}", page.body);
    assert!(page.body.contains(">25<"), "{}", page.body);
    assert!(page.body.contains(">adele@contoso.example<"), "{}", page.body);
    scene.confirm(id).await;
    assert_eq!(scene.event_names(id).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn a_short_resolve_answer_is_completed_by_get() {
    // F-RES-6.
    let scene = Scene::new().await;
    scene.world(|world| world.settings_mut().oddities.short_resolve = true);
    let id = scene.purchase(Purchase::per_seat("basic", 4));
    assert!(scene.visit(id).await.body.contains(BUTTON));
    assert_eq!(scene.record(id).await.expect("a record").subscription.quantity, Some(4));
}

#[tokio::test]
async fn t_13_a_resellers_customer_is_told_who_manages_the_subscription_and_offered_no_change() {
    // F-SEED-9: either party may open the page.
    let scene = Scene::new().await;
    let id = scene.purchase(Purchase::per_seat("basic", 4).by_reseller());
    let pending = scene.visit(id).await;
    assert!(pending.body.contains("adele@contoso.example"), "{}", pending.body);
    assert!(pending.body.contains("rita@reseller.example"), "{}", pending.body);
    let active = scene.confirm(id).await;
    assert!(active.body.contains("reseller manages"), "{}", active.body);
    for control in [BUTTON, "<form", "<input", "<select", "<a "] {
        assert!(!active.body.contains(control), "{control} in {}", active.body);
    }
}

#[tokio::test]
async fn microsofts_silence_is_a_page_to_reload_and_never_the_visitors_fault() {
    let scene = Scene::new().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let faults: [(Call, FaultKind); 6] = [
        (Call::Resolve, FaultKind::Status(500, ErrorForm::Nested)),
        (Call::Resolve, FaultKind::Status(403, ErrorForm::BareString)),
        (Call::Resolve, FaultKind::Status(401, ErrorForm::Empty)),
        (Call::Resolve, FaultKind::RetryAfter(429, "3600".to_owned())),
        (Call::Resolve, FaultKind::DropBefore),
        (Call::Resolve, FaultKind::Garbage("<html>".to_owned())),
    ];
    for (call, kind) in faults {
        scene.fault(call, kind.clone(), Times::Always);
        let page = scene.visit(id).await;
        scene.world(|world| world.faults_mut().clear());
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{kind:?}");
        is_sealed(&page);
        assert!(page.body.contains("reload"), "{}", page.body);
        assert!(!page.body.contains("unexpected error"), "{}", page.body);
    }
    assert!(scene.visit(id).await.body.contains(BUTTON), "and then all is well");
}

#[tokio::test]
async fn a_visit_survives_one_bad_moment_of_microsofts() {
    // F-ERR-1, F-ERR-2: Resolve may be repeated.
    let scene = Scene::new().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    for kind in [
        FaultKind::Status(500, ErrorForm::Html),
        FaultKind::RetryAfter(429, "2".to_owned()),
        FaultKind::LoseAnswer,
        FaultKind::Status(401, ErrorForm::Empty),
        FaultKind::Status(403, ErrorForm::BareString),
    ] {
        scene.fault(Call::Resolve, kind.clone(), Times::Once);
        let page = scene.visit(id).await;
        assert_eq!(page.status, StatusCode::OK, "{kind:?}");
    }
    assert_eq!(scene.event_names(id).await, ["Purchased"], "five visits, one purchase");
}

#[tokio::test]
async fn every_visit_sees_microsofts_state_and_not_an_old_record() {
    // F-LP-3: the resolved status tells the visits apart, and a missed webhook is made up for.
    let scene = Scene::new().await;
    let id = scene.active(Purchase::per_seat("basic", 3)).await;
    scene.world(|world| {
        world.suspend(id).expect("a suspension");
        world.lose_deliveries();
    });
    assert!(scene.visit(id).await.body.contains("Payment is due"));
    assert_eq!(scene.record(id).await.expect("a record").status().as_str(), "Suspended");
}

#[tokio::test]
async fn other_methods_and_paths_have_no_landing_page() {
    let scene = Scene::new().await;
    let deleted = scene.send(scene.http.delete(scene.url("/landing"))).await;
    assert_eq!(deleted.status, StatusCode::NOT_FOUND);
    assert_eq!(deleted.json()["code"], "no_route");
}

#[tokio::test]
async fn a_sign_in_mode_nobody_knows_does_not_start() {
    // Nobody is to run without sign-in by a slip of the pen (F-LP-6, F-LP-9).
    for value in ["on", "none", "Off"] {
        let started =
            local::Stage::start(Options::default().with("LANDING_SIGN_IN", value)).await.err();
        let message = started.expect("no start").to_string();
        assert!(message.contains("LANDING_SIGN_IN"), "{message}");
    }
}
