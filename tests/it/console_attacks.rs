//! What doesn't get into the console, and what doesn't get out of it.

use std::collections::BTreeMap;
use std::time::Duration;

use emulator::{Call, Purchase};
use http::{Method, StatusCode};
use uuid::Uuid;

use crate::console_env::{ADMIN, Desk, OPERATOR, VIEWER};
use crate::test_env::{Answer, TestEnv};

/// A name that would run, if it became markup, a formula or a mention.
const NAME: &str =
    "=cmd|' /C calc'!A0 <img src=x onerror=alert(1)> @here \"><script>alert(2)</script>";

async fn env_with_one() -> (TestEnv, Uuid) {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("team", 12).named(NAME)).await;
    (env, id)
}

fn path(id: Uuid, act: &str) -> String {
    format!("/console/subscriptions/{id}/{act}")
}

/// Every act at one subscription and at the deployment, with the fields that its form needs.
fn acts(id: Uuid) -> Vec<(String, Vec<(&'static str, String)>)> {
    let short = id.to_string().split('-').next().expect("a part").to_owned();
    let text = |name, value: &str| (name, value.to_owned());
    let approved =
        |name, value| vec![text(name, value), text("agreed", "yes"), text("reason", "By mail")];
    vec![
        (path(id, "approve"), vec![]),
        (path(id, "decline"), vec![text("reason", "We don't serve it"), text("typed", &short)]),
        (path(id, "change-plan"), approved("plan", "basic")),
        (path(id, "change-seats"), approved("seats", "15")),
        (path(id, "cancel"), vec![text("typed", &short)]),
        (path(id, "refresh"), vec![]),
        (path(id, "redeliver"), vec![text("from", "1")]),
        (path(id, "erase"), vec![text("typed", &short)]),
        (path(id, "reference"), vec![text("reference", "4711")]),
        (path(id, "note"), vec![text("note", "hello")]),
        ("/console/deliveries/recover-parked".into(), vec![]),
        ("/console/deliveries/recover-since".into(), vec![text("since", "2026-03-01")]),
        ("/console/deliveries/pause".into(), vec![text("receiver", "endpoint")]),
        ("/console/deliveries/resume".into(), vec![text("receiver", "endpoint")]),
        ("/console/deliveries/test-event".into(), vec![text("type", "test")]),
        ("/console/reconciliation/run".into(), vec![]),
        ("/console/reconciliation/dry-run".into(), vec![]),
        ("/console/reconciliation/pause".into(), vec![text("note", "Migration")]),
        ("/console/reconciliation/resume".into(), vec![]),
    ]
}

/// A form with everything that the page of the act would have sent.
fn complete<'a>(
    path: &'a str,
    csrf: &'a str,
    fields: &'a [(&'static str, String)],
    version: &'a str,
) -> Vec<(&'static str, &'a str)> {
    let name = path.rsplit('/').next().expect("a name");
    let mut form: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    form.extend([("csrf", csrf), ("confirmed", name), ("version", version), ("key", "a-key")]);
    form
}

async fn csrf(desk: &mut Desk<'_>) -> String {
    let page = desk.page("/console/subscriptions").await;
    let (_, rest) = page.split_once("name=\"csrf\" value=\"").expect("a form");
    rest.split('"').next().expect("a value").to_owned()
}

/// What Microsoft was asked to change, and what the record says.
async fn state(env: &TestEnv, id: Uuid) -> (usize, usize, u64) {
    let version = env.record(id).await.expect("a record").version;
    (env.calls(Call::UpdateSubscription), env.calls(Call::DeleteSubscription), version)
}

#[tokio::test]
async fn without_a_session_nothing_is_shown_and_no_form_is_taken() {
    let (env, id) = env_with_one().await;
    let before = state(&env, id).await;
    for (act, fields) in acts(id) {
        let mut desk = Desk::new(&env);
        let shown = desk.get(&act).await;
        assert_eq!(shown.status, StatusCode::SEE_OTHER, "{act}");
        let form = complete(&act, "", &fields, "2");
        let sent = Desk::new(&env).post(&act, &form).await;
        assert_eq!(sent.status, StatusCode::FORBIDDEN, "{act}: {}", sent.body);
        assert!(sent.body.contains("Your session has expired"), "{act}");
    }
    let mut desk = Desk::new(&env);
    for page in ["/console", "/console/subscriptions.csv", &format!("/console/subscriptions/{id}")]
    {
        let shown = desk.get(page).await;
        assert_eq!((shown.status, shown.body.as_str()), (StatusCode::SEE_OTHER, ""), "{page}");
    }
    assert_eq!(state(&env, id).await, before);
}

#[tokio::test]
async fn a_viewer_can_do_nothing_and_an_operator_can_end_nothing() {
    let (env, id) = env_with_one().await;
    let before = state(&env, id).await;
    let version = before.2.to_string();
    for (email, refused) in [
        (VIEWER, acts(id)),
        (
            OPERATOR,
            acts(id)
                .into_iter()
                .filter(|(act, _)| act.ends_with("cancel") || act.ends_with("erase"))
                .collect(),
        ),
    ] {
        let mut desk = Desk::of(&env, email).await;
        let csrf = csrf(&mut desk).await;
        for (act, fields) in refused {
            assert_eq!(desk.get(&act).await.status, StatusCode::FORBIDDEN, "{email} {act}");
            let sent = desk.post(&act, &complete(&act, &csrf, &fields, &version)).await;
            assert_eq!(sent.status, StatusCode::FORBIDDEN, "{email} {act}: {}", sent.body);
            assert!(sent.body.contains("You don&#39;t have permission"), "{email} {act}");
        }
    }
    assert_eq!(state(&env, id).await, before);
}

#[tokio::test]
async fn a_form_of_another_session_of_no_session_or_of_another_site_is_refused() {
    let (env, id) = env_with_one().await;
    let before = state(&env, id).await;
    let mut ada = Desk::of(&env, ADMIN).await;
    let own = csrf(&mut ada).await;
    let mut other = Desk::of(&env, ADMIN).await;
    let foreign = csrf(&mut other).await;
    let version = before.2.to_string();
    for (act, fields) in acts(id) {
        for token in [foreign.as_str(), "", "AAAA"] {
            let sent = ada.post(&act, &complete(&act, token, &fields, &version)).await;
            assert_eq!(sent.status, StatusCode::FORBIDDEN, "{act}: {}", sent.body);
        }
        for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")]
        {
            let form = complete(&act, &own, &fields, &version);
            let request = env.http.post(ada.url(&act)).form(&form).header(name, value);
            let sent = ada.send(request).await;
            assert_eq!(sent.status, StatusCode::FORBIDDEN, "{act} {name}: {}", sent.body);
        }
    }
    assert_eq!(state(&env, id).await, before);
}

#[tokio::test]
async fn an_act_without_its_confirmation_or_for_another_version_is_refused() {
    let (env, id) = env_with_one().await;
    let before = state(&env, id).await;
    let mut ada = Desk::of(&env, ADMIN).await;
    let csrf = csrf(&mut ada).await;
    for (act, fields) in acts(id) {
        let version = before.2.to_string();
        let whole = complete(&act, &csrf, &fields, &version);
        for (missing, replaced) in [("confirmed", None), ("confirmed", Some("yes"))] {
            let mut form: Vec<_> =
                whole.iter().copied().filter(|(name, _)| *name != missing).collect();
            form.extend(replaced.map(|value| (missing, value)));
            let sent = ada.post(&act, &form).await;
            assert_eq!(sent.status, StatusCode::BAD_REQUEST, "{act}: {}", sent.body);
        }
        // A note is true whatever has changed.
        if act.contains("/subscriptions/") && !act.ends_with("/note") {
            for other in ["1", "999", "", "x"] {
                let sent = ada.post(&act, &complete(&act, &csrf, &fields, other)).await;
                let expected = match other {
                    "" => StatusCode::BAD_REQUEST,
                    _ => StatusCode::PRECONDITION_FAILED,
                };
                assert_eq!(sent.status, expected, "{act} {other}: {}", sent.body);
            }
        }
    }
    assert_eq!(state(&env, id).await, before);
}

#[tokio::test]
async fn a_form_that_is_sent_twice_asks_microsoft_once() {
    let (env, id) = env_with_one().await;
    let mut olof = Desk::of(&env, OPERATOR).await;
    let act = path(id, "change-seats");
    let mut fields: BTreeMap<_, _> = olof.hidden(&act).await;
    let answers = [("seats", "15"), ("agreed", "yes"), ("reason", "By mail")];
    fields.extend(answers.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let form: Vec<_> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    let first = olof.post(&act, &form).await;
    assert_eq!(first.status, StatusCode::SEE_OTHER, "{}", first.body);
    let second = olof.post(&act, &form).await;
    assert!(matches!(second.status.as_u16(), 303 | 412), "{}", second.body);
    assert_eq!(env.calls(Call::UpdateSubscription), 1);
}

#[tokio::test]
async fn what_a_customer_chose_becomes_no_markup_and_no_formula() {
    let (env, id) = env_with_one().await;
    let mut ada = Desk::of(&env, ADMIN).await;
    let pages = ["/console/subscriptions".to_owned(), format!("/console/subscriptions/{id}")];
    let acts =
        acts(id).into_iter().map(|(act, _)| act).filter(|act| act.contains("/subscriptions/"));
    for page in pages.into_iter().chain(acts) {
        let shown = ada.get(&page).await;
        assert!(shown.body.contains("&#60;img src=x"), "{page}: {}", shown.body);
        for markup in ["<img", "<script", "onerror=alert(1)>"] {
            assert!(!shown.body.contains(markup), "{markup} in {page}");
        }
    }
    let csv = ada.page("/console/subscriptions.csv").await;
    assert!(csv.contains(",\"'=cmd|"), "{csv}");
    let searched = ada.page("/console/subscriptions?search=%22%3E%3Cscript%3E").await;
    assert!(!searched.contains("<script"), "{searched}");
}

#[tokio::test]
async fn a_session_lasts_an_hour_at_most() {
    let (env, _) = env_with_one().await;
    let mut ada = Desk::of(&env, ADMIN).await;
    env.advance(Duration::from_secs(59 * 60));
    assert_eq!(ada.get("/console/subscriptions").await.status, StatusCode::OK);
    env.advance(Duration::from_secs(60));
    assert_eq!(ada.get("/console/subscriptions").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn no_answer_may_be_framed_cached_or_scripted_and_other_methods_are_refused() {
    let (env, id) = env_with_one().await;
    let mut ada = Desk::of(&env, ADMIN).await;
    let guarded = |answer: &Answer| {
        let policy = answer.headers["content-security-policy"].to_str().expect("text").to_owned();
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(
            !policy.contains("script-src") && policy.contains("default-src 'none'"),
            "{policy}"
        );
        assert_eq!(answer.headers["x-frame-options"], "DENY");
        assert_eq!(answer.headers["referrer-policy"], "no-referrer");
        assert_eq!(answer.headers["cache-control"], "no-store");
    };
    for page in [
        "/console",
        "/console/health",
        "/console/nothing",
        "/console/signed-out",
        &path(id, "cancel"),
    ] {
        guarded(&ada.get(page).await);
    }
    for (method, page) in [
        (Method::POST, "/console".to_owned()),
        (Method::DELETE, path(id, "cancel")),
        (Method::GET, "/console/sign-out".to_owned()),
        (Method::HEAD, "/console/signed-in".to_owned()),
    ] {
        let answer = ada.send(env.http.request(method.clone(), ada.url(&page))).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {page}");
        guarded(&answer);
    }
}
