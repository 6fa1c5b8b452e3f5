//! Changes of plan and seats and cancellations by the customer on the landing page (F-LP-3,
//! F-CHP-3).

use std::time::Duration;

use emulator::{Call, ErrorForm, FaultKind, Offer, Person, Plan, Purchase, Times};
use http::StatusCode;
use serde_json::{Value, json};
use shared::domain::Role;
use uuid::Uuid;

use crate::browser::{Browser, submit_token};
use crate::landing::assert_secure;
use crate::sign_in::env_with_sign_in;
use crate::test_env::{Answer, TestEnv};

const ADELE: &str = "adele@contoso.example";
const RITA: &str = "rita@reseller.example";
pub(crate) const MANAGE: &str = "/landing/manage";

/// A signed-in buyer with an active subscription.
pub(crate) async fn customer(env: &TestEnv, purchase: Purchase) -> (Browser<'_>, Uuid) {
    let id = env.purchase(purchase);
    let mut browser = Browser::new(env);
    browser.sign_in(id, ADELE).await;
    browser.confirm().await;
    assert_eq!(env.record(id).await.expect("a record").status().as_str(), "Subscribed");
    (browser, id)
}

pub(crate) async fn submit(
    env: &TestEnv,
    browser: &mut Browser<'_>,
    form: &[(&str, &str)],
) -> Answer {
    let page = browser.get(MANAGE).await;
    let submit = submit_token(&page);
    let mut form = form.to_vec();
    form.push(("submit", &submit));
    browser.send(env.http.post(env.url(MANAGE)).form(&form)).await
}

pub(crate) fn changes(env: &TestEnv) -> usize {
    env.calls(Call::UpdateSubscription) + env.calls(Call::DeleteSubscription)
}

#[tokio::test]
async fn a_customer_changes_the_plan_after_a_confirmation() {
    let env = env_with_sign_in().await;
    let (mut browser, id) = customer(&env, Purchase::flat_rate("silver")).await;
    let active = browser.page().await;
    assert!(active.body.contains("href=\"/landing/manage\""), "{}", active.body);
    let page = browser.get(MANAGE).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("value=\"gold\"") && page.body.contains("<span>Gold"));
    assert!(!page.body.contains("value=\"silver\""), "the plan in force is not offered");
    assert!(!page.body.contains("name=\"seats\""), "a flat rate has no seats");

    let question = submit(&env, &mut browser, &[("want", "plan"), ("plan", "gold")]).await;
    assert_eq!(question.status, StatusCode::OK);
    assert!(question.body.contains("Change to Gold?"), "{}", question.body);
    assert_eq!(changes(&env), 0, "F-CHP-3: nothing changes without an explicit yes");
    let form = [("want", "plan"), ("plan", "gold"), ("confirmed", "yes")];
    let done = submit(&env, &mut browser, &form).await;
    assert!(done.body.contains("Change requested"), "{}", done.body);
    // A second click while the change is pending is no second change.
    let again = submit(&env, &mut browser, &form).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert_eq!(changes(&env), 1);
    assert_eq!(
        env.record(id).await.expect("a record").subscription.plan_id,
        "silver",
        "F-CHP-7: in force only when Microsoft's webhook says so"
    );
    env.deliver().await;
    assert_eq!(env.record(id).await.expect("a record").subscription.plan_id, "gold");
    assert!(browser.page().await.body.contains("Gold"));
}

#[tokio::test]
async fn seats_must_stay_within_the_plans_limits() {
    let env = env_with_sign_in().await;
    let (mut browser, id) = customer(&env, Purchase::per_seat("basic", 10)).await;
    let page = browser.get(MANAGE).await;
    assert!(page.body.contains("min=\"1\" max=\"100\""), "{}", page.body);
    for seats in ["0", "101", "-1", "1e2", "", "many"] {
        let form = [("want", "seats"), ("seats", seats), ("confirmed", "yes")];
        let answer = submit(&env, &mut browser, &form).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{seats}");
    }
    assert_eq!(changes(&env), 0);
    let form = [("want", "seats"), ("seats", "42"), ("confirmed", "yes")];
    submit(&env, &mut browser, &form).await;
    env.deliver().await;
    assert_eq!(env.record(id).await.expect("a record").subscription.quantity, Some(42));
}

#[tokio::test]
async fn a_customer_cancels_after_a_confirmation() {
    let env = env_with_sign_in().await;
    let (mut browser, id) = customer(&env, Purchase::flat_rate("silver")).await;
    let question = submit(&env, &mut browser, &[("want", "cancel")]).await;
    assert!(question.body.contains("be reactivated"), "{}", question.body);
    assert_eq!(changes(&env), 0);
    submit(&env, &mut browser, &[("want", "cancel"), ("confirmed", "yes")]).await;
    assert_eq!(env.calls(Call::DeleteSubscription), 1);
    env.deliver().await;
    assert_eq!(env.record(id).await.expect("a record").status().as_str(), "Unsubscribed");
    assert!(browser.page().await.body.contains("ended"));
    assert_eq!(
        browser.get(MANAGE).await.status,
        StatusCode::SEE_OTHER,
        "nothing is left to change"
    );
}

/// Microsoft's answers to Resolve, made of our record with members replaced.
async fn resolve_shows(env: &TestEnv, id: Uuid, changes: &[(&str, Value)]) {
    let record = env.record(id).await.expect("a record");
    let mut subscription = json!(record.subscription);
    for (pointer, value) in changes {
        *subscription.pointer_mut(pointer).expect("a member of the record") = value.clone();
    }
    let resolved = json!({
        "id": id,
        "subscriptionName": subscription["name"],
        "offerId": subscription["offerId"],
        "planId": subscription["planId"],
        "subscription": subscription,
    });
    env.fault(Call::Resolve, FaultKind::Garbage(resolved.to_string()), Times::Always);
}

#[tokio::test]
async fn an_owner_whose_purchase_went_to_a_colleague_can_no_longer_change_it() {
    let env = env_with_sign_in().await;
    let (mut browser, id) = customer(&env, Purchase::flat_rate("silver")).await;
    let submit = submit_token(&browser.get(MANAGE).await);
    let carl = json!(Person::colleague().object_id);
    let changed_hands = [("/beneficiary/objectId", carl.clone()), ("/purchaser/objectId", carl)];
    resolve_shows(&env, id, &changed_hands).await;
    let form = [("want", "cancel"), ("confirmed", "yes"), ("submit", submit.as_str())];
    let refused = browser.send(env.http.post(env.url(MANAGE)).form(&form)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.body.contains("Your company has this subscription"), "{}", refused.body);
    assert_eq!(changes(&env), 0);
}

#[tokio::test]
async fn the_purchaser_cannot_cancel_because_the_beneficiary_came_before() {
    let env = env_with_sign_in().await;
    let (_, id) = customer(&env, Purchase::flat_rate("silver")).await;
    env.world(|world| world.change_plan(id, "gold")).expect("the customer may change it");
    env.deliver().await;
    // A late read: it changes nothing in the record, not even who came last.
    let rita = Person::reseller();
    let late = [
        ("/planId", json!("silver")),
        ("/purchaser/objectId", json!(rita.object_id)),
        ("/purchaser/tenantId", json!(rita.tenant_id)),
    ];
    resolve_shows(&env, id, &late).await;
    let mut browser = Browser::new(&env);
    browser.sign_in(id, RITA).await;
    let page = browser.page().await;
    assert!(!page.body.contains("href=\"/landing/manage\""), "{}", page.body);
    let record = env.record(id).await.expect("a record");
    assert_eq!(record.identified_as.expect("a visitor").role, Role::Beneficiary);
    let manage = browser.get(MANAGE).await;
    assert_eq!(manage.status, StatusCode::SEE_OTHER, "{}", manage.body);
}

#[tokio::test]
async fn only_a_person_whom_microsoft_names_is_offered_changes() {
    let zeros = json!(Uuid::nil());
    for unnamed in [
        vec![("/beneficiary/objectId", zeros.clone())],
        vec![("/beneficiary/tenantId", zeros.clone()), ("/purchaser/tenantId", zeros)],
    ] {
        let env = env_with_sign_in().await;
        let (mut browser, id) = customer(&env, Purchase::flat_rate("silver")).await;
        let page = browser.page().await;
        assert!(page.body.contains("href=\"/landing/manage\""), "{}", page.body);
        let submit = submit_token(&browser.get(MANAGE).await);
        resolve_shows(&env, id, &unnamed).await;
        let page = browser.page().await;
        assert_eq!(page.status, StatusCode::OK, "the person sees the purchase: {unnamed:?}");
        assert!(!page.body.contains("href=\"/landing/manage\""), "{unnamed:?}");
        let cancel = [("want", "cancel"), ("confirmed", "yes"), ("submit", &submit)];
        let refused = browser.send(env.http.post(env.url(MANAGE)).form(&cancel)).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{unnamed:?}");
        assert_eq!(changes(&env), 0, "{unnamed:?}");
    }
}

#[tokio::test]
async fn a_pending_operation_blocks_a_change_and_never_a_cancellation() {
    let env = env_with_sign_in().await;
    let (mut browser, id) = customer(&env, Purchase::flat_rate("silver")).await;
    env.world(|world| world.change_plan(id, "gold")).expect("the customer may change it");
    let form = [("want", "plan"), ("plan", "platinum"), ("confirmed", "yes")];
    let refused = submit(&env, &mut browser, &form).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "F-CAN-4");
    assert_eq!(changes(&env), 0);
    submit(&env, &mut browser, &[("want", "cancel"), ("confirmed", "yes")]).await;
    assert_eq!(env.calls(Call::DeleteSubscription), 1, "F-CAN-7");
}

#[tokio::test]
async fn a_change_is_not_requested_while_the_awaited_one_cannot_be_read() {
    let env = env_with_sign_in().await;
    let (mut browser, _) = customer(&env, Purchase::flat_rate("silver")).await;
    let gold = [("want", "plan"), ("plan", "gold"), ("confirmed", "yes")];
    submit(&env, &mut browser, &gold).await;
    // F-OPL-1: the list leaves out an operation that has not begun.
    let down = FaultKind::Status(500, ErrorForm::Nested);
    env.fault(Call::GetOperation, down, Times::Always);
    let platinum = [("want", "plan"), ("plan", "platinum"), ("confirmed", "yes")];
    let failed = submit(&env, &mut browser, &platinum).await;
    assert_eq!(failed.status, StatusCode::SERVICE_UNAVAILABLE, "{}", failed.body);
    assert_eq!(changes(&env), 1);
}

#[tokio::test]
async fn a_change_is_requested_once_the_awaited_one_has_ended_at_microsoft() {
    let env = env_with_sign_in().await;
    let (mut browser, id) = customer(&env, Purchase::flat_rate("silver")).await;
    let gold = [("want", "plan"), ("plan", "gold"), ("confirmed", "yes")];
    submit(&env, &mut browser, &gold).await;
    env.advance(Duration::from_secs(60));
    let lost = env.world(|world| world.take_due_deliveries());
    assert_eq!(lost.len(), 1, "the webhook of the first change");
    env.advance(Duration::from_secs(60));
    let record = env.record(id).await.expect("a record");
    assert!(record.pending_operation.is_some(), "the webhook was not reached");
    let platinum = [("want", "plan"), ("plan", "platinum"), ("confirmed", "yes")];
    let done = submit(&env, &mut browser, &platinum).await;
    assert!(done.body.contains("Change requested"), "{}", done.body);
    assert_eq!(changes(&env), 2);
}

#[tokio::test]
async fn a_plan_that_is_not_on_offer_is_never_requested() {
    let env = env_with_sign_in().await;
    let (mut browser, _) = customer(&env, Purchase::flat_rate("silver")).await;
    for plan in ["silver", "enterprise", "nonsense", "", "\"><script>"] {
        let form = [("want", "plan"), ("plan", plan), ("confirmed", "yes")];
        let answer = submit(&env, &mut browser, &form).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{plan}: {}", answer.body);
        assert!(!answer.body.contains("<script>"), "{}", answer.body);
    }
    assert_eq!(changes(&env), 0);
}

#[tokio::test]
async fn markup_in_a_plans_name_is_escaped() {
    let env = env_with_sign_in().await;
    let evil = |name: &str| format!("\"'><script>alert('{name}')</script>&{name}");
    env.world(|world| {
        let plans = ["one", "other"].map(|id| Plan::flat_rate(&evil(id), &evil("name"), 1.0));
        world.offers_mut().push(Offer { id: evil("offer"), plans: plans.into() });
    });
    let purchase = Purchase::of(&evil("offer"), &evil("one"), None).named(&evil("called"));
    let (mut browser, _) = customer(&env, purchase).await;
    let page = browser.get(MANAGE).await;
    assert!(page.body.contains("&#38;other\" required"), "{}", page.body);
    let wanted = evil("other");
    let question = submit(&env, &mut browser, &[("want", "plan"), ("plan", &wanted)]).await;
    for page in [page, question] {
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        assert_secure(&page);
        assert!(page.body.contains("&#38;name"), "{}", page.body);
        assert!(!page.body.contains("\"'>"), "{}", page.body);
    }
}

#[tokio::test]
async fn t_13_neither_party_can_change_a_resellers_purchase_on_the_page() {
    // F-OBJ-11, F-SEED-9.
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::per_seat("basic", 4).by_reseller());
    for email in [ADELE, "rita@reseller.example"] {
        let mut browser = Browser::new(&env);
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
        browser.send(env.http.post(env.url(MANAGE)).form(&form)).await;
    }
    assert_eq!(changes(&env), 0);
}

#[tokio::test]
async fn a_change_needs_the_sessions_own_form() {
    let env = env_with_sign_in().await;
    let (mut browser, id) = customer(&env, Purchase::flat_rate("silver")).await;
    let mut stranger = Browser::new(&env);
    stranger.sign_in(id, "sven@elsewhere.example").await;
    let submit = submit_token(&browser.get(MANAGE).await);
    let form = [("want", "cancel"), ("confirmed", "yes"), ("submit", submit.as_str())];
    let post = || env.http.post(env.url(MANAGE)).form(&form);
    assert_eq!(stranger.send(post()).await.status, StatusCode::FORBIDDEN);
    assert_eq!(stranger.get(MANAGE).await.status, StatusCode::FORBIDDEN);
    let elsewhere = post().header("sec-fetch-site", "cross-site");
    assert_eq!(browser.send(elsewhere).await.status, StatusCode::FORBIDDEN);
    let signed_out = Browser::new(&env).send(post()).await;
    assert!(signed_out.body.contains("Configure account"), "{}", signed_out.body);
    let bare = env.http.post(env.url(MANAGE)).form(&form[..2]);
    assert_eq!(browser.send(bare).await.status, StatusCode::FORBIDDEN);
    assert_eq!(changes(&env), 0);
}

#[tokio::test]
async fn a_change_refused_or_left_open_by_microsoft_is_reported_and_not_retried() {
    // F-ERR-2, F-CAN-4.
    for (kind, status) in [
        (FaultKind::Status(400, ErrorForm::Object), StatusCode::CONFLICT),
        (FaultKind::Status(409, ErrorForm::Object), StatusCode::CONFLICT),
        (FaultKind::LoseAnswer, StatusCode::GATEWAY_TIMEOUT),
    ] {
        let env = env_with_sign_in().await;
        let (mut browser, _) = customer(&env, Purchase::flat_rate("silver")).await;
        env.fault(Call::DeleteSubscription, kind.clone(), Times::Once);
        let answer = submit(&env, &mut browser, &[("want", "cancel"), ("confirmed", "yes")]).await;
        assert_eq!(answer.status, status, "{kind:?}: {}", answer.body);
        assert!(!answer.body.contains("unexpected error"), "Microsoft's words stay out");
        assert_eq!(env.calls(Call::DeleteSubscription), 1, "{kind:?}");
    }
}
