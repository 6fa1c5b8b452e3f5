//! Two lives of a subscription with faults in every function, whose logs `logs.rs` reads.

use std::time::Duration;

use emulator::{Call, ErrorForm, FaultKind, Forgery, Person, Purchase, Times, TokenVersion};
use http::StatusCode;
use serde_json::json;
use uuid::Uuid;

use crate::browser::{Browser, SESSION, submit_token};
use crate::probe::overwrite;
use crate::test_env::TestEnv;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A purchase whose name and people can be recognised in any line.
fn purchase() -> Purchase {
    let person = Person {
        name: "Wilhelmina Whisper".to_owned(),
        email: "wilhelmina@private.example".to_owned(),
        puid: "PUID-OF-WILHELMINA".to_owned(),
        ..Person::adele()
    };
    Purchase::per_seat("basic", 10).named("Zanzibar payroll").by(person)
}

/// One life with faults in every function, from landing to end. Returns the purchase tokens.
pub(crate) async fn life_with_faults(env: &TestEnv) -> Vec<String> {
    let id = env.purchase(purchase());
    let tokens: Vec<String> = (0..6).map(|_| env.world(|world| world.purchase_token(id))).collect();
    let visit = |token: &str| {
        let token = token.replace('+', "%2B");
        env.send(env.http.get(env.url(&format!("/landing?token={token}"))))
    };
    // The landing page, with a refused token, an unreadable answer, an outage, and without faults.
    env.fault(Call::Token, FaultKind::Status(401, ErrorForm::Object), Times::Once);
    visit(&tokens[0]).await;
    let half = "{\"access_token\":\"eyJhalf".to_owned();
    env.fault(Call::Token, FaultKind::Garbage(half), Times::Once);
    visit(&tokens[0]).await;
    for kind in [
        FaultKind::Status(400, ErrorForm::Object),
        FaultKind::Status(401, ErrorForm::BareString),
        FaultKind::Status(500, ErrorForm::Nested),
        FaultKind::Garbage("{\"id\":\"body-of-microsoft\"}".to_owned()),
        FaultKind::Garbage("body-of-microsoft".to_owned()),
        FaultKind::DropBefore,
    ] {
        env.fault(Call::Resolve, kind, Times::N(4));
        visit(&tokens[1]).await;
        env.world(|world| world.faults_mut().clear());
    }
    visit(&tokens[2].replace('A', "B")).await;
    assert_eq!(visit(&tokens[2]).await.status, StatusCode::OK);
    let confirm = |token: &str| {
        let form = [("token", token), ("note", "body-of-the-form")];
        env.send(env.http.post(env.url("/landing")).form(&form))
    };
    env.fault(Call::Activate, FaultKind::Status(400, ErrorForm::Object), Times::Once);
    confirm(&tokens[3]).await;
    env.fault(Call::Activate, FaultKind::LoseAnswer, Times::Once);
    confirm(&tokens[3]).await;
    assert_eq!(env.record(id).await.expect("a record").status().as_str(), "Subscribed");

    // The webhook, with forged, unreadable and unconfirmed calls, an outage, and without faults.
    for forgery in Forgery::ALL {
        for version in [TokenVersion::V1, TokenVersion::V2] {
            let forged = env.microsoft().entra(|entra| entra.forge(forgery, version));
            let body = format!("{{\"note\":\"body-of-the-webhook\",\"subscriptionId\":\"{id}\"}}");
            let answer = env.microsoft().deliver_raw(body, Some(format!("Bearer {forged}"))).await;
            assert_eq!(answer.expect("an answer").0, 401, "{forgery:?}");
        }
    }
    for body in [
        "body-of-the-webhook".to_owned(),
        json!({ "subscriptionId": "body-of-the-webhook", "action": "Suspend" }).to_string(),
        json!({ "subscriptionId": id, "purchaseToken": tokens[5], "action": "Suspend",
                "id": Uuid::from_u128(9), "note": "wilhelmina@private.example" })
        .to_string(),
        json!({ "subscriptionId": id, "action": "ChangePlan", "id": Uuid::from_u128(9),
                "planId": "body-of-the-webhook" })
        .to_string(),
        json!({ "subscriptionId": Uuid::from_u128(8), "action": "Suspend",
                "id": Uuid::from_u128(9) })
        .to_string(),
    ] {
        let good = env.microsoft().entra(|entra| entra.webhook_token(TokenVersion::V2));
        let answer = env.microsoft().deliver_raw(body, Some(format!("Bearer {good}"))).await;
        answer.expect("an answer");
    }
    env.world(|world| world.change_plan(id, "team")).expect("a change");
    env.fault(Call::GetOperation, FaultKind::Status(500, ErrorForm::Html), Times::N(3));
    env.deliver().await;
    env.advance(DAY / 24);
    env.fault(Call::UpdateOperation, FaultKind::LoseAnswer, Times::N(2));
    env.deliver().await;
    env.advance(DAY / 24);
    env.deliver().await;

    // The management API.
    for body in ["body-of-the-change", "{\"planId\":\"body-of-the-change\",\"quantity\":1}"] {
        let request = env.http.patch(env.url(&format!("/subscriptions/{id}")));
        env.send(request.body(body)).await;
    }
    let annotations = json!({ "reference": "Wilhelmina", "metadata": { "adele@": "Wilhelmina" } });
    assert_eq!(env.change(id, &annotations).await.status, StatusCode::OK);
    env.change(id, &json!({ "metadata": { "Wilhelmina": ["Wilhelmina"] } })).await;
    env.change(id, &json!({ "quantity": 9 })).await;
    env.deliver().await;
    env.fault(Call::UpdateSubscription, FaultKind::LoseAnswer, Times::Once);
    env.change(id, &json!({ "quantity": 11 })).await;
    env.deliver().await;
    for path in ["", "/events", "/plans", "/operations", "/x"] {
        env.get(&format!("/subscriptions/{id}{path}")).await;
    }
    env.get("/subscriptions?next=wilhelmina@private.example").await;
    for found in ["Zanzibar%20payroll", "zan", "wilhelmina%40private.example", "private.exam"] {
        let answer = env.get(&format!("/subscriptions?search={found}")).await;
        assert_eq!(answer.json()["subscriptions"][0]["subscription"]["id"], id.to_string());
    }
    env.get("/subscriptions?search=Wilhelmina&sort=lastChange").await;
    env.get("/subscriptions?search=Wilhelmina&Wilhelmina=Zanzibar%20payroll").await;
    env.fault(Call::ListAvailablePlans, FaultKind::Status(403, ErrorForm::BareString), Times::N(2));
    env.get(&format!("/subscriptions/{id}/plans")).await;
    env.fault(Call::ListAvailablePlans, FaultKind::Status(500, ErrorForm::Html), Times::N(3));
    env.get(&format!("/subscriptions/{id}/plans")).await;

    // The reconciliation, with unreadable records and an unreadable list.
    for part in ["body", "body.updatedAt", "body.version", "body.subscription.beneficiary"] {
        let other = env.active(purchase()).await;
        let text = "body-of-the-record of wilhelmina@private.example";
        overwrite(env, other, part, text).await;
        env.get(&format!("/subscriptions/{other}")).await;
        env.activate(other).await;
    }
    env.get("/subscriptions").await;
    env.world(|world| world.suspend(id)).expect("a suspension");
    env.world(emulator::World::lose_deliveries);
    env.advance(DAY);
    env.system.reconcile().await.expect("a run");
    let garbage = FaultKind::Garbage("{\"subscriptions\":\"body-of-microsoft\"}".to_owned());
    env.fault(Call::ListSubscriptions, garbage, Times::Once);
    assert!(env.system.reconcile().await.is_err());
    visit(&tokens[4]).await;
    env.world(|world| world.reinstate(id)).expect("a reinstatement");
    env.deliver().await;
    env.cancel(id).await;
    env.deliver().await;
    assert_eq!(env.record(id).await.expect("a record").status().as_str(), "Unsubscribed");
    tokens
}

/// Sign-ins that fail and succeed, and a form. Returns the purchase token and the session cookie.
pub(crate) async fn sign_in_with_faults(env: &TestEnv) -> Vec<String> {
    let id = env.purchase(Purchase::flat_rate("silver"));
    let token = env.world(|world| world.purchase_token(id));
    let mut stranger = Browser::new(env);
    stranger.sign_in(id, "sven@elsewhere.example").await;
    assert_eq!(stranger.page().await.status, StatusCode::FORBIDDEN);
    let mut browser = Browser::new(env);
    let entra = browser.arrive(id).await;
    let back = browser.pick(&entra, "adele@contoso.example").await;
    env.fault(Call::Token, FaultKind::Garbage("{\"id_token\":\"eyJhalf".to_owned()), Times::Once);
    browser.come_back(&back).await;
    browser.sign_in(id, "adele@contoso.example").await;
    let session = browser.cookies[SESSION].clone();
    let submit = submit_token(&browser.page().await);
    for contact in ["wilhelmina@private.example body-of-the-form", "wilhelmina@private.example"] {
        let form =
            [("submit", submit.as_str()), ("contact", contact), ("note", "body-of-the-form")];
        browser.submit(&form).await;
    }
    let record = env.record(id).await.expect("a record");
    assert_eq!(record.sign_up.expect("the answers").fields["note"], "body-of-the-form");
    vec![token, session]
}
