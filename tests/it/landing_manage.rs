//! What a customer changes on the landing page: plan, seats, the end (F-LP-3, F-CHP-3).

use emulator::{Call, ErrorForm, FaultKind, Offer, Plan, Purchase, Times};
use http::StatusCode;
use uuid::Uuid;

use crate::browser::{Browser, submit_token};
use crate::landing::is_sealed;
use crate::scene::{Answer, Scene};
use crate::sign_in::scene;

const ADELE: &str = "adele@contoso.example";
const MANAGE: &str = "/landing/manage";

/// Somebody signed in, with an active subscription of theirs.
async fn customer(scene: &Scene, purchase: Purchase) -> (Browser<'_>, Uuid) {
    let id = scene.purchase(purchase);
    let mut browser = Browser::new(scene);
    browser.sign_in(id, ADELE).await;
    browser.confirm().await;
    assert_eq!(scene.record(id).await.expect("a record").status().as_str(), "Subscribed");
    (browser, id)
}

async fn ask(scene: &Scene, browser: &mut Browser<'_>, form: &[(&str, &str)]) -> Answer {
    let page = browser.get(MANAGE).await;
    let submit = submit_token(&page);
    let mut form = form.to_vec();
    form.push(("submit", &submit));
    browser.send(scene.http.post(scene.url(MANAGE)).form(&form)).await
}

fn changes(scene: &Scene) -> usize {
    scene.calls(Call::UpdateSubscription) + scene.calls(Call::DeleteSubscription)
}

#[tokio::test]
async fn a_customer_changes_the_plan_after_a_second_look() {
    let scene = scene().await;
    let (mut browser, id) = customer(&scene, Purchase::flat_rate("silver")).await;
    let active = browser.page().await;
    assert!(active.body.contains("href=\"/landing/manage\""), "{}", active.body);
    let page = browser.get(MANAGE).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("value=\"gold\">Gold<"), "{}", page.body);
    assert!(!page.body.contains("value=\"silver\""), "the plan in force is no other plan");
    assert!(!page.body.contains("name=\"seats\""), "a flat rate has no seats");

    let asked = ask(&scene, &mut browser, &[("want", "plan"), ("plan", "gold")]).await;
    assert_eq!(asked.status, StatusCode::OK);
    assert!(asked.body.contains("Change the plan to Gold."), "{}", asked.body);
    assert_eq!(changes(&scene), 0, "F-CHP-3: nothing happens without an explicit yes");
    let form = [("want", "plan"), ("plan", "gold"), ("confirmed", "yes")];
    let done = ask(&scene, &mut browser, &form).await;
    assert!(done.body.contains("Microsoft has your change"), "{}", done.body);
    // A second press while the first is under way is no second change.
    let again = ask(&scene, &mut browser, &form).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert_eq!(changes(&scene), 1);
    assert_eq!(
        scene.record(id).await.expect("a record").subscription.plan_id,
        "silver",
        "F-CHP-7: in force only when Microsoft's webhook says so"
    );
    scene.deliver().await;
    assert_eq!(scene.record(id).await.expect("a record").subscription.plan_id, "gold");
    assert!(browser.page().await.body.contains("gold"));
}

#[tokio::test]
async fn seats_stay_within_the_plans_limits() {
    let scene = scene().await;
    let (mut browser, id) = customer(&scene, Purchase::per_seat("basic", 10)).await;
    let page = browser.get(MANAGE).await;
    assert!(page.body.contains("min=\"1\" max=\"100\""), "{}", page.body);
    for seats in ["0", "101", "-1", "1e2", "", "many"] {
        let form = [("want", "seats"), ("seats", seats), ("confirmed", "yes")];
        let answer = ask(&scene, &mut browser, &form).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{seats}");
    }
    assert_eq!(changes(&scene), 0);
    let form = [("want", "seats"), ("seats", "42"), ("confirmed", "yes")];
    ask(&scene, &mut browser, &form).await;
    scene.deliver().await;
    assert_eq!(scene.record(id).await.expect("a record").subscription.quantity, Some(42));
}

#[tokio::test]
async fn a_customer_cancels_after_a_second_look() {
    let scene = scene().await;
    let (mut browser, id) = customer(&scene, Purchase::flat_rate("silver")).await;
    let asked = ask(&scene, &mut browser, &[("want", "cancel")]).await;
    assert!(asked.body.contains("for good"), "{}", asked.body);
    assert_eq!(changes(&scene), 0);
    ask(&scene, &mut browser, &[("want", "cancel"), ("confirmed", "yes")]).await;
    assert_eq!(scene.calls(Call::DeleteSubscription), 1);
    scene.deliver().await;
    assert_eq!(scene.record(id).await.expect("a record").status().as_str(), "Unsubscribed");
    assert!(browser.page().await.body.contains("ended"));
    assert_eq!(
        browser.get(MANAGE).await.status,
        StatusCode::SEE_OTHER,
        "nothing is left to change"
    );
}

#[tokio::test]
async fn a_plan_that_is_not_offered_is_not_asked_for() {
    let scene = scene().await;
    let (mut browser, _) = customer(&scene, Purchase::flat_rate("silver")).await;
    for plan in ["silver", "enterprise", "nonsense", "", "\"><script>"] {
        let form = [("want", "plan"), ("plan", plan), ("confirmed", "yes")];
        let answer = ask(&scene, &mut browser, &form).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{plan}: {}", answer.body);
        assert!(!answer.body.contains("<script>"), "{}", answer.body);
    }
    assert_eq!(changes(&scene), 0);
}

#[tokio::test]
async fn markup_in_what_microsoft_calls_a_plan_is_text() {
    let scene = scene().await;
    let evil = |what: &str| format!("\"'><script>alert('{what}')</script>&{what}");
    scene.world(|world| {
        let plans = ["one", "other"].map(|id| Plan::flat_rate(&evil(id), &evil("name"), 1.0));
        world.offers_mut().push(Offer { id: evil("offer"), plans: plans.into() });
    });
    let purchase = Purchase::of(&evil("offer"), &evil("one"), None).named(&evil("called"));
    let (mut browser, _) = customer(&scene, purchase).await;
    let page = browser.get(MANAGE).await;
    assert!(page.body.contains("&#38;other\">"), "{}", page.body);
    let wanted = evil("other");
    let asked = ask(&scene, &mut browser, &[("want", "plan"), ("plan", &wanted)]).await;
    for page in [page, asked] {
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        is_sealed(&page);
        assert!(page.body.contains("&#38;name"), "{}", page.body);
        assert!(!page.body.contains("\"'>"), "{}", page.body);
    }
}

#[tokio::test]
async fn t_13_a_resellers_purchase_can_be_changed_by_neither_party_here() {
    // F-OBJ-11, F-SEED-9.
    let scene = scene().await;
    let id = scene.purchase(Purchase::per_seat("basic", 4).by_reseller());
    for email in [ADELE, "rita@reseller.example"] {
        let mut browser = Browser::new(&scene);
        browser.sign_in(id, email).await;
        let page = browser.page().await;
        let submit =
            if page.body.contains("name=\"submit\"") { submit_token(&page) } else { String::new() };
        if !submit.is_empty() {
            browser.confirm().await;
        }
        let active = browser.page().await;
        assert!(!active.body.contains(MANAGE), "{email}: {}", active.body);
        assert_eq!(browser.get(MANAGE).await.status, StatusCode::SEE_OTHER, "{email}");
        let form = [("submit", submit.as_str()), ("want", "cancel"), ("confirmed", "yes")];
        browser.send(scene.http.post(scene.url(MANAGE)).form(&form)).await;
    }
    assert_eq!(changes(&scene), 0);
}

#[tokio::test]
async fn a_change_needs_the_sessions_own_form() {
    let scene = scene().await;
    let (mut browser, id) = customer(&scene, Purchase::flat_rate("silver")).await;
    let mut stranger = Browser::new(&scene);
    stranger.sign_in(id, "sven@elsewhere.example").await;
    let submit = submit_token(&browser.get(MANAGE).await);
    let form = [("want", "cancel"), ("confirmed", "yes"), ("submit", submit.as_str())];
    let post = || scene.http.post(scene.url(MANAGE)).form(&form);
    assert_eq!(stranger.send(post()).await.status, StatusCode::FORBIDDEN);
    assert_eq!(stranger.get(MANAGE).await.status, StatusCode::FORBIDDEN);
    let elsewhere = post().header("sec-fetch-site", "cross-site");
    assert_eq!(browser.send(elsewhere).await.status, StatusCode::FORBIDDEN);
    let nobody = Browser::new(&scene).send(post()).await;
    assert!(nobody.body.contains("Configure account"), "{}", nobody.body);
    let bare = scene.http.post(scene.url(MANAGE)).form(&form[..2]);
    assert_eq!(browser.send(bare).await.status, StatusCode::FORBIDDEN);
    assert_eq!(changes(&scene), 0);
}

#[tokio::test]
async fn what_microsoft_refuses_or_leaves_open_is_said_and_not_repeated() {
    // F-ERR-2, F-CAN-4.
    for (kind, status) in [
        (FaultKind::Status(400, ErrorForm::Object), StatusCode::CONFLICT),
        (FaultKind::Status(409, ErrorForm::Object), StatusCode::CONFLICT),
        (FaultKind::LoseAnswer, StatusCode::GATEWAY_TIMEOUT),
    ] {
        let scene = scene().await;
        let (mut browser, _) = customer(&scene, Purchase::flat_rate("silver")).await;
        scene.fault(Call::DeleteSubscription, kind.clone(), Times::Once);
        let answer = ask(&scene, &mut browser, &[("want", "cancel"), ("confirmed", "yes")]).await;
        assert_eq!(answer.status, status, "{kind:?}: {}", answer.body);
        assert!(!answer.body.contains("unexpected error"), "Microsoft's words stay out");
        assert_eq!(scene.calls(Call::DeleteSubscription), 1, "{kind:?}");
    }
}
