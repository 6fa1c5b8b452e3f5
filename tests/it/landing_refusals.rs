//! Junk purchase tokens and sign-in codes: each costs Microsoft's quota once.

use std::time::Duration;

use emulator::{Call, ErrorForm, FaultKind, Purchase, Times};
use http::StatusCode;
use uuid::Uuid;

use crate::browser::{Browser, location};
use crate::sign_in::env_with_sign_in;
use crate::sign_in_attacks::{assert_refused, halfway, with_parameter};
use crate::test_env::TestEnv;

const ADELE: &str = "adele@contoso.example";
const CARL: &str = "carl@contoso.example";
const MINUTE: Duration = Duration::from_secs(60);

/// Signs in with a purchase token that Microsoft never made.
async fn bring_junk<'a>(env: &'a TestEnv, email: &str) -> Browser<'a> {
    let mut browser = Browser::new(env);
    let entra = location(&browser.get("/landing?token=junk").await);
    let back = browser.pick(&entra, email).await;
    assert_eq!(browser.come_back(&back).await.status, StatusCode::SEE_OTHER);
    browser
}

async fn open(browser: &mut Browser<'_>) -> StatusCode {
    browser.page().await.status
}

#[tokio::test]
async fn f_res_8_a_token_that_microsoft_refused_is_asked_about_once_an_hour_by_each_account() {
    let env = env_with_sign_in().await;
    let mut adele = bring_junk(&env, ADELE).await;
    for _ in 0..3 {
        let page = adele.page().await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        assert!(page.body.contains("Configure account"), "F-RES-9: {}", page.body);
    }
    assert_eq!(env.calls(Call::Resolve), 1);
    let mut again = bring_junk(&env, ADELE).await;
    assert_eq!(open(&mut again).await, StatusCode::BAD_REQUEST);
    assert_eq!(env.calls(Call::Resolve), 1, "another browser, the same account");
    let mut carl = bring_junk(&env, CARL).await;
    assert_eq!(open(&mut carl).await, StatusCode::BAD_REQUEST);
    assert_eq!(env.calls(Call::Resolve), 2, "another account");

    env.advance(61 * MINUTE);
    let mut later = bring_junk(&env, ADELE).await;
    for _ in 0..2 {
        assert_eq!(open(&mut later).await, StatusCode::BAD_REQUEST);
    }
    assert_eq!(env.calls(Call::Resolve), 3, "after an hour");
}

#[tokio::test]
async fn a_refused_token_keeps_no_other_purchase_from_its_account() {
    let env = env_with_sign_in().await;
    let mut junk = bring_junk(&env, ADELE).await;
    assert_eq!(open(&mut junk).await, StatusCode::BAD_REQUEST);
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&env);
    browser.sign_in(id, ADELE).await;
    assert_eq!(open(&mut browser).await, StatusCode::OK);
}

#[tokio::test]
async fn an_error_that_may_end_is_not_remembered() {
    for kind in [
        FaultKind::Status(500, ErrorForm::Nested),
        FaultKind::RetryAfter(429, "3600".to_owned()),
        FaultKind::Status(401, ErrorForm::Empty),
        FaultKind::Status(403, ErrorForm::BareString),
        FaultKind::Status(404, ErrorForm::Object),
        FaultKind::DropBefore,
    ] {
        let env = env_with_sign_in().await;
        let id = env.purchase(Purchase::flat_rate("silver"));
        let mut browser = Browser::new(&env);
        browser.sign_in(id, ADELE).await;
        env.fault(Call::Resolve, kind.clone(), Times::Always);
        assert_ne!(open(&mut browser).await, StatusCode::OK, "{kind:?}");
        env.world(|world| world.faults_mut().clear());
        assert_eq!(open(&mut browser).await, StatusCode::OK, "{kind:?}");
    }
}

#[tokio::test]
async fn a_code_that_entra_refused_is_exchanged_once() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let (browser, _, back) = halfway(&env, id).await;
    let requests = || env.microsoft().entra(|entra| entra.token_requests());
    let before = requests();
    let junk = with_parameter(&back, "code", "junk");
    for _ in 0..3 {
        let mut browser = browser.clone();
        let answer = browser.come_back(&junk).await;
        assert_refused(&answer, &browser, "a junk code");
    }
    assert_eq!(requests() - before, 1);
    let mut buyer = browser.clone();
    let answer = buyer.come_back(&back).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "the buyer's own code still works");
}

#[tokio::test]
async fn a_junk_token_and_a_junk_code_leave_nothing_but_digests_in_the_table() {
    let env = env_with_sign_in().await;
    let mut browser = bring_junk(&env, ADELE).await;
    assert_eq!(open(&mut browser).await, StatusCode::BAD_REQUEST);
    assert!(env.record(Uuid::nil()).await.is_none());
    let url = env.system.database_url().expect("a database");
    let raw = local::database::client(url, "us-east-1");
    let table = &env.system.variables["TABLE_NAME"];
    let items = raw.scan().table_name(table).send().await.expect("a scan").items;
    let items = items.unwrap_or_default();
    assert_eq!(items.len(), 1, "{items:?}");
    let text = format!("{items:?}");
    assert!(text.contains("REFUSED#") && !text.contains("junk"), "{text}");
}
