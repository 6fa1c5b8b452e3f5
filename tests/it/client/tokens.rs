//! Access tokens over HTTP, and the hosts that never see them (T-1, T-2, T-4).

use std::net::Ipv4Addr;
use std::sync::atomic::AtomicUsize;

use axum::Router;
use emulator::ErrorForm;
use http::StatusCode;
use tokio::net::TcpListener;

use super::*;

fn token_request(wire: &Wire) -> Request<Bytes> {
    let sent = wire.recorder.sent.lock().expect("unpoisoned");
    sent.iter().find(|sent| sent.uri().path().ends_with("/token")).expect("a request").clone()
}

fn pairs(request: &Request<Bytes>) -> Vec<(String, String)> {
    url::form_urlencoded::parse(request.body()).into_owned().collect()
}

fn expected_form(secret: &str, target: (&str, &str)) -> Vec<(String, String)> {
    [
        ("grant_type", "client_credentials"),
        ("client_id", "4b1d6c52-0f3e-4a86-b7d9-2c5e8f7a6013"),
        ("client_secret", secret),
        target,
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

#[tokio::test]
async fn t_1_the_v2_token_request_is_the_documented_form_and_the_token_is_kept() {
    let wire = Wire::new().await;
    for _ in 0..5 {
        wire.make(&Made::Get).await.expect("an answer");
    }
    assert_eq!(wire.token_requests(), 1);
    let request = token_request(&wire);
    assert_eq!(request.method(), "POST");
    assert_eq!(
        request.uri().path(),
        "/entra/8d7b0a3e-5f4c-4c7d-9f2a-6f1e0c2b9a11/oauth2/v2.0/token"
    );
    assert_eq!(header(&request, "content-type"), "application/x-www-form-urlencoded");
    // F-AUTH-4, F-AUTH-2.
    let scope = ("scope", "20e940b3-4c77-4b0b-9a53-9e16a1b010a7/.default");
    assert_eq!(pairs(&request), expected_form("emulated-client-secret", scope));
    assert!(request.headers().get("authorization").is_none());
    assert_eq!(request.uri().query(), None, "nothing secret in the address");
}

#[tokio::test]
async fn t_1_the_v1_token_request_is_the_documented_form() {
    let v1 = [("ENTRA_TOKEN_ENDPOINT", "v1")];
    let wire = Wire::with(Settings::default(), RetryPolicy::INTERACTIVE, &v1).await;
    wire.make(&Made::Get).await.expect("the numbers of v1, which are strings, are read (F-AUTH-3)");
    let request = token_request(&wire);
    assert_eq!(request.uri().path(), "/entra/8d7b0a3e-5f4c-4c7d-9f2a-6f1e0c2b9a11/oauth2/token");
    let resource = ("resource", "20e940b3-4c77-4b0b-9a53-9e16a1b010a7");
    assert_eq!(pairs(&request), expected_form("emulated-client-secret", resource));
}

#[tokio::test]
async fn t_1_a_secret_with_special_characters_arrives_unchanged() {
    let secret = "a+b&c=d %2F/~é";
    let settings = Settings { client_secret: secret.to_owned(), ..Settings::default() };
    let given = [("ENTRA_CLIENT_SECRET", secret)];
    let wire = Wire::with(settings, RetryPolicy::INTERACTIVE, &given).await;
    wire.make(&Made::Get).await.expect("Entra accepts the secret");
}

#[tokio::test]
async fn t_1_a_token_is_replaced_five_minutes_before_expiry() {
    for v in ["v1", "v2"] {
        let endpoint = [("ENTRA_TOKEN_ENDPOINT", v)];
        let wire = Wire::with(Settings::default(), RetryPolicy::INTERACTIVE, &endpoint).await;
        wire.make(&Made::List).await.expect("an answer");
        wire.world(|world| world.advance(Duration::from_secs(54 * 60)));
        wire.make(&Made::List).await.expect("an answer");
        assert_eq!(wire.token_requests(), 1, "{v}: six minutes are left");
        wire.world(|world| world.advance(Duration::from_secs(2 * 60)));
        wire.make(&Made::List).await.expect("an answer");
        assert_eq!(wire.token_requests(), 2, "{v}: four minutes are left (F-AUTH-5)");
    }
}

#[tokio::test]
async fn t_2_a_token_refused_twice_is_a_configuration_error_after_exactly_one_refresh() {
    for status in [401, 403] {
        for form in ErrorForm::ALL {
            let wire = Wire::new().await;
            wire.make(&Made::List).await.expect("a first token");
            wire.fault(Call::GetSubscription, FaultKind::Status(status, form), Times::Always);
            wire.take_sent();
            let error = wire.make(&Made::Get).await.expect_err("refused");
            assert!(matches!(error, FulfillmentError::Unauthorized(s) if s == status), "{error}");
            assert!(
                error.to_string().contains("ENTRA_CLIENT_ID"),
                "the error names the setting to check: {error}"
            );
            assert_eq!(wire.take_sent().len(), 2, "{status} {form:?}: one retry");
            assert_eq!(wire.token_requests(), 2, "{status} {form:?}: one fresh token");
            assert!(wire.take_pauses().is_empty(), "{status} {form:?}: without a pause");
        }
    }
}

#[tokio::test]
async fn t_2_every_call_refused_once_succeeds_with_a_fresh_token() {
    for status in [401, 403] {
        let wire = Wire::new().await;
        for call in Made::ALL {
            let before = wire.token_requests();
            wire.make(&Made::List).await.expect("a token");
            let refused = FaultKind::Status(status, ErrorForm::BareString);
            wire.fault(call.call(), refused, Times::Once);
            wire.take_sent();
            wire.make(&call).await.unwrap_or_else(|error| panic!("{call:?}: {error}"));
            assert_eq!(wire.take_sent().len(), 2, "{status} {call:?}");
            assert_eq!(wire.token_requests() - before, 1 + u64::from(before == 0), "{call:?}");
        }
    }
}

#[tokio::test]
async fn t_2_a_token_signed_with_a_withdrawn_key_is_replaced() {
    let wire = Wire::new().await;
    wire.make(&Made::List).await.expect("an answer");
    wire.emulator.entra(|entra| {
        entra.rotate_keys();
        entra.withdraw_old_keys();
    });
    wire.make(&Made::List).await.expect("an answer to a fresh token");
    let bearers: Vec<_> =
        wire.take_sent().iter().map(|sent| header(sent, "authorization").to_owned()).collect();
    assert_eq!(bearers.len(), 3);
    assert_eq!(bearers[0], bearers[1]);
    assert_ne!(bearers[1], bearers[2]);
}

#[tokio::test]
async fn a_wrong_secret_is_reported_without_retrying_or_printing_it() {
    // F-AUTH-15.
    let wrong = [("ENTRA_CLIENT_SECRET", "hunter2")];
    let wire = Wire::with(Settings::default(), RetryPolicy::INTERACTIVE, &wrong).await;
    let error = wire.make(&Made::Get).await.expect_err("no token");
    assert!(matches!(error, FulfillmentError::Token(_)), "{error}");
    assert!(error.to_string().contains("invalid_client"), "{error}");
    assert!(!format!("{error:?}").contains("hunter2"));
    assert_eq!((wire.token_requests(), wire.take_sent().len()), (1, 0));
}

#[tokio::test]
async fn a_throttled_token_request_is_retried_after_the_requested_pause() {
    let wire = Wire::new().await;
    wire.fault(Call::Token, FaultKind::RetryAfter(429, "2".into()), Times::Once);
    wire.make(&Made::Get).await.expect("the second token request");
    assert_eq!(wire.take_pauses(), [Duration::from_secs(2)]);
    assert_eq!(wire.take_sent().len(), 1);
}

#[tokio::test]
async fn a_token_response_without_a_token_is_an_error() {
    for garbage in ["", "{}", "<html>", r#"{"expires_in":3600}"#, r#"{"access_token":7}"#] {
        let wire = Wire::new().await;
        wire.fault(Call::Token, FaultKind::Garbage(garbage.into()), Times::Always);
        let error = wire.make(&Made::Get).await.expect_err("no token");
        assert!(matches!(error, FulfillmentError::Token(_)), "{garbage}: {error}");
        assert_eq!(wire.take_sent().len(), 0, "{garbage}: no call is made without a token");
    }
}

/// A server that gives every request the same answer, and counts the requests.
struct Server {
    url: String,
    requests: Arc<AtomicUsize>,
}

impl Server {
    async fn answering(status: u16, location: Option<String>) -> Self {
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = requests.clone();
        let app = Router::new().fallback(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            let mut answer = Response::builder().status(status);
            if let Some(location) = &location {
                answer = answer.header("location", location);
            }
            let answer = answer.body(axum::body::Body::empty()).expect("a plain answer");
            async move { answer }
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, requests }
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn t_4_links_to_another_host_are_followed_on_the_configured_host() {
    let stranger = Server::answering(200, None).await;
    let mut settings = Settings::default();
    settings.behaviour.link_base = format!("{}/api", stranger.url);
    settings.behaviour.page_size = 2;
    let wire = Wire::with(settings, RetryPolicy::INTERACTIVE, &[]).await;
    let id = wire.active(Purchase::per_seat("basic", 10));
    for _ in 0..4 {
        wire.pending(Purchase::flat_rate("silver"));
    }
    let mut next = None;
    let mut seen = 0;
    loop {
        let page = wire.client.list_subscriptions(next.as_deref()).await.expect("a page");
        seen += page.subscriptions.len();
        next = page.next.expect("a link to follow");
        if next.is_none() {
            break;
        }
    }
    assert_eq!(seen, 5, "`@nextLink` was followed");
    let changed = wire.client.change_plan(id, "team").await.expect("accepted");
    let operation = changed.id.expect("`Operation-Location` was read");
    wire.client.get_operation(id, &operation).await.expect("an operation");
    let own = wire.emulator.marketplace_url();
    for request in wire.take_sent() {
        assert!(request.uri().to_string().starts_with(&own), "F-GEN-8: {}", request.uri());
    }
    assert_eq!(stranger.requests(), 0);
}

#[tokio::test]
async fn t_4_a_redirect_is_not_followed_with_the_token() {
    for status in [301, 302, 303, 307, 308] {
        let stranger = Server::answering(200, None).await;
        let there = Some(format!("{}/api/saas/subscriptions", stranger.url));
        let redirector = Server::answering(status, there).await;
        let here = [("MARKETPLACE_URL", redirector.url.as_str())];
        let wire = Wire::with(Settings::default(), RetryPolicy::INTERACTIVE, &here).await;
        for call in [Made::List, Made::Resolve, Made::ChangePlan] {
            let error = wire.make(&call).await.expect_err("a redirect is no answer");
            assert!(matches!(error, FulfillmentError::Unavailable { .. }), "{status}: {error}");
        }
        assert!(redirector.requests() > 0);
        assert_eq!(stranger.requests(), 0, "{status}");
    }
}

#[tokio::test]
async fn t_4_a_redirect_is_not_followed_with_the_secret() {
    let stranger = Server::answering(200, None).await;
    let redirector =
        Server::answering(StatusCode::TEMPORARY_REDIRECT.as_u16(), Some(stranger.url.clone()))
            .await;
    let there = [("ENTRA_AUTHORITY", redirector.url.as_str())];
    let wire = Wire::with(Settings::default(), RetryPolicy::INTERACTIVE, &there).await;
    let error = wire.make(&Made::List).await.expect_err("no token");
    assert!(matches!(error, FulfillmentError::Token(_)), "{error}");
    assert_eq!((redirector.requests() > 0, stranger.requests()), (true, 0));
    assert_eq!(wire.take_sent().len(), 0);
}
